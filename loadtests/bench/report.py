"""The table that people read, from the result that programs read."""

from collections.abc import Iterator, Mapping
from typing import Any

from loadtests.bench.processes import in_order

WIDTH = 58
_Result = Mapping[str, Any]


def table(result: _Result) -> str:
    """All lines: conditions, cost per message, figures with their targets, and what failed."""
    return "\n".join((*_conditions(result), *_cost(result), *_figures(result), *_failed(result)))


def _conditions(result: _Result) -> Iterator[str]:
    machine = result["machine"]
    kind = "quick run (fewer stations than the words below say, rough figures)" if result["quick"] else "whole run"
    yield ""
    yield f"Narke {result['versions'].get('narke', '?')}, {kind}, {result['seconds']:.0f} s, {result['made_at']}"
    yield (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"Python {machine['python']}, load average at start {machine['load_average_at_start'][0]}"
    )
    yield ", ".join(f"{name} {version}" for name, version in result["versions"].items() if name != "narke")
    for stage, notes in result["narke"].items():
        redis = ", ".join(f"{name} {value}" for name, value in notes["redis"].items())
        started = "ran already" if notes["start_s"] is None else f"ready after {notes['start_s']:.1f} s"
        yield f"Narke of the stage '{stage}': {started}; Redis: {redis}"
    if result["settings"] is None:
        yield f"settings: as the Narke on {result['attached']} was started"
    else:
        yield f"not default: {', '.join(f'{name}={value}' for name, value in result['settings'].items())}"
    if result["warning"]:
        yield f"WARNING: {result['warning']}"


def _cost(result: _Result) -> Iterator[str]:
    rows = {name: result["rows"][name] for name in ("closed_64", "closed_2000") if name in result["rows"]}
    if not rows:
        return
    yield ""
    yield _line("us of CPU per MeterValues, closed loop", [f"{row['stations']:,} stations" for row in rows.values()])
    spent = {name: row["narke"]["cpu_us_per_message"] for name, row in rows.items()}
    for part in in_order({part: 0.0 for each in spent.values() for part in each}):
        yield _line(f"  {part}", [f"{each.get(part, 0.0):.1f}" for each in spent.values()])
    for who in ("narke", "echo", "library"):
        yield _line(f"{who}, in all", [f"{row[who]['cpu_us_per_message_all']:.1f}" for row in rows.values()])
        spreads = [row["rounds_cpu_us"][who] for row in rows.values()]
        yield _line("  smallest to largest round", [f"{each['min']:.0f}-{each['max']:.0f}" for each in spreads])
    for who in ("narke", "echo", "library"):
        generator = [f"{row[who]['generator_us_per_message']:.1f}" for row in rows.values()]
        yield _line(f"the generator against {who} (not counted)", generator)
    for who in ("narke", "echo", "library"):
        yield _line(f"messages a second, {who}", [f"{row[who]['messages_per_second']:,.0f}" for row in rows.values()])


def _figures(result: _Result) -> Iterator[str]:
    yield ""
    yield _line("", ["measured", "target", ""])
    for key, words in WORDS.items():
        value = result[key]
        if value is None and not result["failed"]:
            continue  # nobody asked for it
        if isinstance(value, Mapping):
            for name, each in value.items():
                yield _line(f"{words.format(name)}", [_number(each)])
        else:
            yield _line(words.format("several"), [_number(value), *_verdict(result["targets"].get(key))])


def _verdict(target: Mapping[str, Any] | None) -> list[str]:
    if target is None:
        return []
    sign = "<=" if target["at_most"] else ">="
    return [f"{sign} {target['limit']:g}", {None: "not measured", True: "met", False: "MISSED"}[target["met"]]]


def _failed(result: _Result) -> Iterator[str]:
    if result["failed"]:
        yield ""
    rows_of: dict[str, list[str]] = {}
    for row, why in result["failed"].items():
        rows_of.setdefault(why, []).append(row)
    for why, rows in rows_of.items():
        yield f"not measured: {', '.join(rows)}: {why}"


def _line(words: str, cells: list[str]) -> str:
    return words.ljust(WIDTH) + "".join(f"{cell:>16}" for cell in cells)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


WORDS: Mapping[str, str] = {
    "ratio_to_echo": "CPU against the echo server, 2,000 stations",
    "ratio_to_library": "CPU against the ocpp library's server, 2,000 stations",
    "ratio_to_echo_64": "CPU against the echo server, 64 stations",
    "ratio_to_library_64": "CPU against the ocpp library's server, 64 stations",
    "messages_per_second": "messages a second, {} stations in closed loop",
    "throughput_10k_over_100": "throughput, 10,000 over 100 stations, same pace offered",
    "throughput_10k_over_100_in_flight": "  the same, 100 messages in flight",
    "throughput_10k_over_100_closed_loop": "  the same, each in closed loop",
    "p50_ms_paced_1000": "p50, frame to reply, ms, at 1,000 a second",
    "p99_ms_paced_1000": "p99",
    "p99_9_ms_paced_1000": "p99.9",
    "p50_ms_paced_3000": "p50, frame to reply, ms, at 3,000 a second",
    "p99_ms_paced_3000": "p99",
    "p99_9_ms_paced_3000": "p99.9",
    "storm_10k_s": "storm: seconds until all are up and have reported",
    "storm_10k_timeouts": "storm: stations that timed out",
    "storm_tls_5k_s": "storm with TLS and passwords: seconds until all are up",
    "storm_tls_5k_timeouts": "storm with TLS and passwords: stations that timed out",
    "cap_s": "emergency cap for all sites: seconds until the last profile",
    "kib_per_station": "KiB per idle station, all processes",
    "command_p50_ms": "command there and back through REST, ms, p50",
    "command_p99_ms": "p99",
    "command_p99_ms_paced_1000": "p99 beside 1,000 messages a second",
    "projector_lag_p50_ms": "reply to row in PostgreSQL, ms, p50",
    "projector_lag_p99_ms": "p99",
    "literal_cpu_us_per_message": "literal mode: us of CPU per message",
    "literal_messages_per_second": "literal mode: messages a second",
    "literal_kib_per_station": "literal mode: KiB per station",
}
"""How the figures are called, in the table's order."""
