"""What `narke smart-bench` prints: a table per cap, what the figures mean, and the same for programs."""

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from deploy.cli.output import console, print_json
from smartcharging.replay.beliefs import Departures
from smartcharging.replay.bench import Bench, beside_optimum, truth_won_back_percent, won_back_percent
from smartcharging.replay.figures import Figures
from smartcharging.replay.optimum import NAME as OPTIMUM
from smartcharging.replay.sessions import Loaded

OURS = ("narke", "horizon")
_COLUMNS = (
    ("allocator", "left"),
    ("departures", "left"),
    ("energy %", "right"),
    ("of optimum %", "right"),
    ("served %", "right"),
    ("of optimum %", "right"),
    ("changes/EV-h", "right"),
    ("violations", "right"),
    ("worst A", "right"),
    ("solve ms p50", "right"),
    ("p99", "right"),
)
_NOTES = (
    "energy: delivered of what the cars could take; served: sessions that got all but 0.1 kWh",
    "optimum: the most energy with perfect foresight, without least currents or steps, exact phasors: none reaches it",
    "changes: of a charging car's limit by 1 A or more, per hour that a car charges or waits",
    "violations: rows and 5-minute steps in which the exact phasors exceed a limit; solve: CPU time per allocation",
    "acn-*: acnportal's own, in its own simulator, without the least current of 6 A that ours keep",
)


def print_head(loaded: Loaded, bench: Bench) -> None:
    """What is replayed, and what was wrong with it."""
    out = console()
    first, last = loaded.sessions[0].arrived_at, loaded.sessions[-1].arrived_at
    energy_kwh = sum(session.energy_kwh for session in loaded.sessions)
    out.print(
        f"{len(loaded.sessions)} sessions, {energy_kwh:,.0f} kWh, {first:%Y-%m-%d} to {last:%Y-%m-%d}, "
        f"network {bench.network}, {len(bench.history)} sessions before them as history",
        highlight=False,
    )
    out.print(loaded.source, style="dim", highlight=False, markup=False)
    for what, counts in (("dropped", loaded.dropped), ("repaired", loaded.repaired)):
        for reason, count in counts.most_common():
            out.print(f"{what}: {count} x {reason}", style="yellow", highlight=False, markup=False)


def print_cap(cap_kw: float, figures: Sequence[Figures]) -> None:
    """The table of one cap."""
    out = console()
    table = Table(title=f"{cap_kw:g} kW", title_justify="left", title_style="bold", header_style="bold", box=None)
    for title, justify in _COLUMNS:
        table.add_column(title, justify="left" if justify == "left" else "right", no_wrap=True)
    for one in figures:
        if one.allocator == OPTIMUM:
            table.add_row(OPTIMUM, "", _percent(one.energy_percent), "100.00", _percent(one.served_percent), "100.0")
    before = ""
    for one in beside_optimum(figures):
        if one.departures != before:
            table.add_section()
            before = one.departures
        table.add_row(*_cells(one), style="bold" if one.allocator in OURS else None)
    out.print()
    out.print(table)


def _cells(one: Figures) -> tuple[str, ...]:
    of_optimum = one.energy_of_optimum_percent
    violations = f"[red]{one.violations}[/red]" if one.violations else "0"
    return (
        one.allocator,
        one.departures,
        _percent(one.energy_percent),
        "-" if of_optimum is None else f"{of_optimum:.2f}",
        _percent(one.served_percent),
        _percent(one.served_of_optimum_percent),
        f"{one.changes_per_ev_hour:.2f}",
        violations,
        f"{one.worst_over_a:.2f}" if one.violations else "-",
        f"{one.solve_ms_p50:.2f}",
        f"{one.solve_ms_p99:.2f}",
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def print_foot(figures: Sequence[Figures], caps: Sequence[float]) -> None:
    """How to read it, and what is won back of what drivers' estimates cost."""
    out = console()
    compared = beside_optimum(figures)
    out.print()
    for name in OURS:
        for kind in (Departures.ESTIMATED, Departures.FORECAST, Departures.HISTORY):
            for edf in ("edf", "acn-edf"):
                _tell_won_back(out, compared, caps, (name, kind, edf))
    for note in _NOTES:
        out.print(note, style="dim", highlight=False)


def _tell_won_back(
    out: Console, figures: Sequence[Figures], caps: Sequence[float], whose: tuple[str, Departures, str]
) -> None:
    name, kind, edf = whose
    for reckon, what in (
        (won_back_percent, f"what {edf} loses to the optimum under drivers' estimates"),
        (truth_won_back_percent, f"what estimates cost {edf}"),
    ):
        shares = [(cap_kw, reckon(figures, cap_kw, name, kind, edf=edf)) for cap_kw in caps]
        told = ", ".join(f"{share:.0f} % at {cap_kw:g} kW" for cap_kw, share in shares if share is not None)
        if told:
            out.print(f"{name} ({kind.value}) wins back of {what}: {told}")


def print_as_json(loaded: Loaded, bench: Bench, figures: Sequence[Figures]) -> None:
    """One object: what was replayed, and a list of figures with their shares of the optimum."""
    compared = beside_optimum(figures)
    optima = [one for one in figures if one.allocator == OPTIMUM]
    print_json(
        {
            "sessions": len(loaded.sessions),
            "source": loaded.source,
            "first_arrival": loaded.sessions[0].arrived_at.isoformat(),
            "last_arrival": loaded.sessions[-1].arrived_at.isoformat(),
            "dropped": dict(loaded.dropped),
            "repaired": dict(loaded.repaired),
            "history": len(bench.history),
            "network": bench.network,
            "step_s": bench.step_s,
            "figures": [_plain(one, compared) for one in [*optima, *compared]],
        }
    )


def _plain(one: Figures, compared: Sequence[Figures]) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(one, given_kwh=()))
    del plain["given_kwh"]
    plain |= {
        "energy_percent": one.energy_percent,
        "served_percent": one.served_percent,
        "energy_of_optimum_percent": one.energy_of_optimum_percent,
        "served_of_optimum_percent": one.served_of_optimum_percent,
        "changes_per_ev_hour": one.changes_per_ev_hour,
        "won_back_percent": won_back_percent(compared, one.cap_kw, one.allocator, Departures(one.departures)),
    }
    return plain
