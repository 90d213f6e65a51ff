"""The rows of the table, in the order in which they are measured. docs/benchmark.md says what each means."""

import time
from typing import Any

from loadtests.bench import probes
from loadtests.bench.bench import Bench, Row, Stage
from loadtests.bench.caps import cap
from loadtests.bench.crew import Way, percentiles_ms
from loadtests.bench.driving import Generator
from loadtests.bench.measuring import Load, measure, warm_up
from loadtests.bench.plan import GROW_S_MAX, POLITE_PER_S
from loadtests.bench.processes import difference
from loadtests.bench.ratios import CHARGING, compared, in_turns
from loadtests.bench.secure import register

IDLE = Way(per_s=POLITE_PER_S, statuses=True, transaction=False, deadline_s=GROW_S_MAX)
"""The way up of stations that then do nothing."""
FIRST_STATIONS = 64
"""They do all once before memory is read the first time, so that no code is loaded for the first time after it."""
IN_FLIGHT = 100
PACE_KEPT = 0.98
LITERAL_PER_S = 1.0
LITERAL_S_MAX = 240.0
COMMANDS_RATE = 1_000.0


def _closed(bench: Bench, number: int) -> dict[str, Any]:
    """Closed loop at the plan's n-th number of stations."""
    stations = bench.plan.throughput_stations[number]
    generator = bench.generator()
    generator.grow(stations, CHARGING)
    return {"stations": stations, **_measured(bench, generator, Load(stations, bench.plan.load_s))}


def _measured(bench: Bench, generator: Generator, load: Load) -> dict[str, Any]:
    warm_up(generator, Load(load.stations, bench.plan.warm_s, load.in_flight, load.rate))
    measured = measure(bench.narke, generator, load)
    bench.say(f"{measured.per_s:,.0f} messages a second, {measured.cpu_us_all:.0f} us of CPU each")
    return measured.told()


def closed_few(bench: Bench) -> dict[str, Any]:
    """The smallest fleet in closed loop, and then offered what it has just carried, at an even pace."""
    told = _closed(bench, 0)
    load = Load(told["stations"], bench.plan.load_s, rate=told["messages_per_second"])
    return told | {"paced": _measured(bench, bench.generator(), load)}


def closed_most(bench: Bench) -> dict[str, Any]:
    """The largest fleet: in closed loop, with few messages in flight by turns, and at the smallest fleet's pace."""
    told = _closed(bench, 3)
    load = Load(told["stations"], bench.plan.load_s, in_flight=IN_FLIGHT)
    told["in_flight_100"] = _measured(bench, bench.generator(), load)
    if "closed_100" in bench.told:
        rate = bench.told["closed_100"]["messages_per_second"]
        load = Load(told["stations"], bench.plan.load_s, rate=rate)
        told["paced"] = {"rate": rate, **_measured(bench, bench.generator(), load)}
    return told


def closed_many(bench: Bench) -> dict[str, Any]:
    """A large fleet in turns with both yardsticks."""
    return _compared(bench, bench.plan.ratio_stations)


def _compared(bench: Bench, stations: int) -> dict[str, Any]:
    return compared(in_turns(bench.contenders(), stations, bench.plan, bench.say), stations)


def _paced(bench: Bench, rate: float) -> dict[str, Any]:
    stations = bench.plan.paced_stations
    generator = bench.generator()
    generator.grow(stations, CHARGING)
    warm_up(generator, Load(stations, bench.plan.warm_s, rate=rate))
    measured = measure(bench.narke, generator, Load(stations, bench.plan.paced_s, rate=rate))
    kept = measured.per_s >= PACE_KEPT * rate
    if not kept:
        bench.say(f"did not keep the pace: {measured.per_s:,.0f} of {rate:,.0f} messages a second")
    return {"stations": stations, "rate": rate, "kept_pace": kept, **measured.told()}


def commands(bench: Bench) -> dict[str, Any]:
    """Commands by REST to stations that are idle, and again while 1,000 messages a second go through."""
    stations, count = bench.plan.paced_stations, bench.plan.commands
    generator = bench.generator()
    generator.grow(stations, CHARGING)
    identities = [f"{generator.prefix}{number:06d}" for number in range(stations)]
    told: dict[str, Any] = {"stations": stations, "commands": count}
    told["door_ms"] = percentiles_ms(probes.door_round_trips_s(bench.narke, count))
    told["idle_ms"] = percentiles_ms(probes.command_round_trips_s(bench.narke, identities, count))
    generator.load(stations, rate=COMMANDS_RATE)
    try:
        time.sleep(bench.plan.warm_s)
        told["loaded_ms"] = percentiles_ms(probes.command_round_trips_s(bench.narke, identities, count))
    finally:
        generator.halt()
    return told


def projector_lag(bench: Bench) -> dict[str, Any]:
    """A probe station beside 1,000 messages a second of the others."""
    stations = bench.plan.paced_stations
    generator = bench.generator()
    generator.grow(stations, CHARGING)
    generator.load(stations, rate=COMMANDS_RATE)
    try:
        time.sleep(bench.plan.warm_s)
        lags_s = probes.projector_lags_s(bench.narke, bench.plan.probes_s)
    finally:
        generator.halt()
    return {"stations": stations, "rate": COMMANDS_RATE, "probes": len(lags_s), "lag_ms": percentiles_ms(lags_s)}


def memory(bench: Bench) -> dict[str, Any]:
    """Memory of all processes with idle stations and with none, shared out over the stations."""
    first, generator = bench.generator("FIRST-"), bench.generator("IDLE-")
    first.grow(FIRST_STATIONS, CHARGING)
    warm_up(first, Load(FIRST_STATIONS, 1.0))
    first.drop()
    without = _memory_at_rest(bench)
    stations = bench.plan.storm_stations
    generator.grow(stations, IDLE)
    with_stations = _memory_at_rest(bench)
    generator.drop()
    bench.narke.settle()
    more = difference(without, with_stations)
    return {
        "stations": stations,
        "kib_per_station": round(sum(more.values()) / stations, 2),
        "kib_per_station_by_part": {part: round(kib / stations, 2) for part, kib in more.items()},
        "mib_without_stations": {part: round(kib / 1024, 1) for part, kib in without.items()},
    }


def _memory_at_rest(bench: Bench) -> dict[str, float]:
    bench.narke.settle()
    time.sleep(bench.plan.rest_s)
    return bench.narke.family.memory_kib()


def storm(bench: Bench) -> dict[str, Any]:
    """Everybody connects at once, boots, and reports two connectors; stations that Narke has never seen."""
    return _stormed(bench, bench.plan.storm_stations, "STORM-")


def storm_tls(bench: Bench) -> dict[str, Any]:
    """The same over TLS (ECDSA P-256) with a password each, security profile 2; registered before."""
    assert bench.secure is not None, "this row belongs to the stage of TLS"
    stations = bench.plan.storm_tls_stations
    register(bench.narke, bench.secure, [f"SECURE-{number:06d}" for number in range(stations)])
    bench.narke.settle()
    return _stormed(bench, stations, "SECURE-")


def _stormed(bench: Bench, stations: int, prefix: str) -> dict[str, Any]:
    generator = bench.generator(prefix)
    way = Way(per_s=0.0, statuses=True, transaction=False, deadline_s=bench.plan.storm_s_max)
    before, generator_cpu_s = bench.narke.cpu_s(), generator.mark()["cpu_s"]
    told = generator.grow(stations, way)
    generator_cpu_s = generator.mark()["cpu_s"] - generator_cpu_s
    settle_s = bench.narke.settle()
    spent = difference(before, bench.narke.cpu_s())
    generator.drop()
    bench.narke.settle()
    bench.say(f"{told['seconds']:.1f} s, {told['timeouts']} timed out, {sum(told['retries'].values())} tried again")
    return {
        "stations": stations,
        **{name: round(told[name], 2) for name in ("seconds", "connected_s", "booted_s")},
        "timeouts": told["timeouts"],
        "retries": told["retries"],
        "settle_s": round(settle_s, 2),
        "cpu_s": {part: round(seconds, 2) for part, seconds in spent.items()},
        "generator_cpu_s": round(generator_cpu_s, 2),
    }


def literal(bench: Bench) -> dict[str, Any]:
    """`stations_per_actor=1`: a Ray actor, so a process, for each station."""
    stations = bench.plan.literal_stations
    generator = bench.generator("LITERAL-")
    without = bench.narke.family.memory_kib()
    way = Way(per_s=LITERAL_PER_S, statuses=False, transaction=True, deadline_s=LITERAL_S_MAX)
    told = generator.grow(stations, way)
    bench.narke.settle()
    more = difference(without, bench.narke.family.memory_kib())
    measured = _measured(bench, generator, Load(stations, bench.plan.literal_s))
    return {
        "stations": stations,
        "seconds_until_up": round(told["seconds"], 1),
        "kib_per_station": round(sum(more.values()) / stations),
        **measured,
    }


ROWS: tuple[Row, ...] = (
    Row("memory", "memory per idle station", Stage.FRESH, memory),
    Row("storm", "everybody connects at once", Stage.FRESH, storm),
    Row("closed_64", "64 stations in turns with both yardsticks", Stage.MAIN, lambda bench: _compared(bench, 64)),
    Row("closed_100", "throughput of a small fleet", Stage.MAIN, closed_few),
    Row("closed_1000", "throughput of 1,000 stations", Stage.MAIN, lambda bench: _closed(bench, 1)),
    Row("closed_2000", "2,000 stations in turns with both yardsticks", Stage.MAIN, closed_many),
    Row("closed_5000", "throughput of 5,000 stations", Stage.MAIN, lambda bench: _closed(bench, 2)),
    Row("paced_1000", "latency at 1,000 messages a second", Stage.MAIN, lambda bench: _paced(bench, 1_000.0)),
    Row("paced_3000", "latency at 3,000 messages a second", Stage.MAIN, lambda bench: _paced(bench, 3_000.0)),
    Row("commands", "commands there and back", Stage.MAIN, commands),
    Row("projector_lag", "from reply to row in PostgreSQL", Stage.MAIN, projector_lag),
    Row("closed_10000", "throughput of 10,000 stations", Stage.MAIN, closed_most),
    Row("storm_tls", "everybody connects at once with security profile 2", Stage.TLS, storm_tls),
    Row("cap", "an emergency cap for all sites until the last profile", Stage.CAPS, cap),
    Row("literal", "a Ray actor for each station", Stage.LITERAL, literal),
)
