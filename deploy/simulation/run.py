"""One seed: a run, what it was, and what was wrong with it."""

import gc
import logging
import time
import traceback
from collections import Counter
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import structlog

from actors import directory, projector, station_actor
from deploy.simulation.checks import check
from deploy.simulation.house import House, Setting
from deploy.simulation.virtual_time import Poll, Stuck, loop_time

CHANGE_WAIT_S: Final = 3_600.0
"""How long the directory lets wait who asks for changes; it answers at once when there is one, so this is only cost."""


class Seen(msgspec.Struct):
    """What a run, or many, went through. `events`: by name, things that a run is there to go through."""

    station_days: float = 0.0
    cpu_s: float = 0.0
    steps: int = 0
    faults: Counter[str] = msgspec.field(default_factory=Counter)
    events: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, other: "Seen") -> None:
        """One more run."""
        self.station_days += other.station_days
        self.cpu_s += other.cpu_s
        self.steps += other.steps
        self.faults.update(other.faults)
        self.events.update(other.events)


class Run(msgspec.Struct):
    """What came of a seed. `trace`: lines, where it was asked for."""

    seed: int
    setting: Setting
    violations: list[str]
    seen: Seen
    trace: list[str] = []
    digest: str = ""


def simulate(seed: int, setting: Setting, *, traced: bool = False, check_too: bool = True) -> Run:
    """Runs a seed."""
    began = time.process_time()
    log = _Log()
    with _virtual(log):
        house = House(seed, setting, traced=traced)
        try:
            house.run()
        except Stuck as error:
            house.violated("liveness", str(error))
        except Exception as error:  # noqa: BLE001 (whatever a callback raises is a finding)
            at = traceback.extract_tb(error.__traceback__)[-1]
            house.violated("loop", f"a callback raised {error!r} in {at.filename}:{at.lineno}")
        if check_too:
            check(house)
        house.close()
    house.violations.extend(log.errors)
    house.violations.extend(house.loop.failures)
    seen = Seen(
        station_days=setting.stations * setting.days,
        cpu_s=time.process_time() - began,
        steps=house.loop.steps,
        faults=house.chance.struck,
        events=_events(house, log),
    )
    trace = house.trace
    run = Run(seed, setting, house.violations, seen)
    if trace is not None:
        run.trace, run.digest = trace.lines, trace.digest
    return run


def _events(house: House, log: "_Log") -> Counter[str]:
    tables = house.postgres.tables
    repeats = sum(station.repeats for station in house.stations)
    return Counter(
        {
            "messages answered": sum(station.answers for station in house.stations),
            "messages repeated by stations": repeats,
            "facts recorded": house.witness.facts,
            "transactions": len(tables.transactions),
            "meter values": len(tables.meter_values),
            "sessions": house.sessions,
            "processes killed": sum(each.pid - 1 for each in house.network.processes.values()),
            "units taken over": house.witness.takeovers,
            "calls between processes": house.network.calls,
            "commands": len(house.commands),
            "commands settled twice": sum(len(outcomes) > 1 for outcomes in house.witness.settled.values()),
            "commits refused by a full stream": house.redis.full,
            "deliveries sent back by actors": log.counts["deliveries sent back"],
            "batches delivered again": log.counts["a batch is to be delivered again"],
            "placements": log.counts["units placed"],
        }
    )


class _Log:
    """Stands behind structlog: counts what is said and keeps what is an error."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.errors: list[str] = []

    def __call__(self, _logger: Any, name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A processor of structlog."""
        self.counts[line["event"]] += 1
        if name in {"error", "critical", "exception"}:
            what = ", ".join(f"{key}={value}" for key, value in line.items() if key not in {"event", "exc_info"})
            self.errors.append(f"logged as {name}: {line['event']} ({what})")
        raise structlog.DropEvent


@contextmanager
def _virtual(log: _Log) -> Iterator[None]:
    """The product's modules live in virtual time: their intervals are the same, but idle ones cost nothing."""
    before = structlog.get_config()
    replaced = (
        (station_actor, "TICK_S", Poll(station_actor.TICK_S)),
        (directory, "REVIVE_INTERVAL_S", Poll(directory.REVIVE_INTERVAL_S)),
        (directory, "CHANGE_WAIT_S", CHANGE_WAIT_S),
        (projector, "monotonic", loop_time),
    )
    originals = [(module, name, getattr(module, name)) for module, name, _ in replaced]
    structlog.configure(processors=[log], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    for module, name, value in replaced:
        setattr(module, name, value)
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        for module, name, value in originals:
            setattr(module, name, value)
        structlog.configure(**before)
        if collecting:
            gc.enable()
