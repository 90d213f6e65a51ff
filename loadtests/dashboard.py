"""A large fleet's figures for terminals: progress, counts, latencies by action, behaviours, waves."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from loadtests.fleet import Crew, Fleet
from loadtests.fleet_result import FleetResult

BAR_WIDTH = 40
_PERCENTILES = {"p50_ms": "p50 ms", "p90_ms": "p90 ms", "p99_ms": "p99 ms", "p99_9_ms": "p99.9 ms", "max_ms": "max ms"}


def dashboard_of(fleet: Fleet | Crew) -> Group:
    """What happens now."""
    result = fleet.result()
    return Group(_progress(fleet, result), _totals(result), Text(), *tables_of(result))


def tables_of(result: FleetResult) -> Iterable[RenderableType]:
    """Latencies by action, then behaviours, waves and invariants, each only where there is something to say."""
    if result.latencies:
        yield _latencies(result)
    if len(result.behaviours) > 1:
        yield _behaviours(result)
    if result.waves:
        yield _waves(result)


def verdicts_of(result: FleetResult) -> Table:
    """What was to hold, and whether it did."""
    table = Table(box=None, padding=(0, 1), show_header=False)
    for verdict in result.invariants:
        word = Text("held", style="green") if verdict["held"] else Text("VIOLATED", style="bold red")
        table.add_row(word, Text(str(verdict["invariant"])), Text(str(verdict["found"]), style="dim"))
    return table


def _progress(fleet: Fleet | Crew, result: FleetResult) -> Table:
    """How much of the time is over, or of the stations here when no end was said."""
    duration_s = fleet.options.duration_s
    seconds = max(0.0, fleet.seconds)
    bar = (
        ProgressBar(total=result.stations, completed=result.connected, width=BAR_WIDTH)
        if duration_s is None
        else ProgressBar(total=duration_s, completed=min(seconds, duration_s), width=BAR_WIDTH)
    )
    line = Table.grid(padding=(0, 1))
    end = "" if duration_s is None else f" of {duration_s:.0f} s"
    line.add_row(bar, Text(f"{seconds:.0f} s{end}, {result.connected} of {result.stations} connected", style="bold"))
    return line


def _totals(result: FleetResult) -> Text:
    failures = sum(result.failures.values())
    return Text(
        f"{result.registered} accepted   {result.charging} charging   {result.transactions} transactions   "
        f"{result.energy_wh / 1000:.1f} kWh   {result.messages} messages   {result.messages_per_second:.0f} a second   "
        f"{failures} failures",
        style="bold red" if failures else "",
    )


def _latencies(result: FleetResult) -> Table:
    table = _columns("action", "calls", *_PERCENTILES.values())
    overall = {"count": sum(each["count"] for each in result.latencies.values()), "p50_ms": result.p50_ms}
    overall |= {"p90_ms": result.p90_ms, "p99_ms": result.p99_ms, "p99_9_ms": result.p99_9_ms, "max_ms": result.max_ms}
    for action, each in [*result.latencies.items(), ("all", overall)]:
        table.add_row(action, f"{each['count']:.0f}", *(f"{each[name]:.1f}" for name in _PERCENTILES))
    return table


def _behaviours(result: FleetResult) -> Table:
    table = _columns("behaviour", "stations", "connected", "messages", "failures")
    for name, each in sorted(result.behaviours.items()):
        counts = (each["stations"], each["connected"], each["messages"], sum(each["failures"].values()))
        table.add_row(name, *(str(count) for count in counts))
    return table


def _waves(result: FleetResult) -> Table:
    table = _columns("wave", "stations", "all connected s", "all booted s", "all connectors reported s")
    for wave in result.waves:
        table.add_row(
            str(wave["name"]),
            str(wave["stations"]),
            *(_stage(wave, each) for each in ("connected", "booted", "reported")),
        )
    return table


def _stage(wave: dict[str, object], name: str) -> str:
    """After how many seconds all were there; how many are while they are not."""
    if name not in wave:
        return ""
    seconds = wave[f"all_{name}_s"]
    return f"{seconds:.1f}" if isinstance(seconds, float) else f"({wave[name]})"


def _columns(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column(first)
    for other in others:
        table.add_column(other, justify="right")
    return table
