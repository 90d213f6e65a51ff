"""What a closed loop found: violations first, then what the planner made of its limits."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtests.sites.site_crowd import Counted
from loadtests.sites.site_meter import GRACE_S, Excess

SHOWN = 20


@dataclass(frozen=True)
class Event:
    """What was done to Narke or its stations. `at_s`: since cars came; `back_s`: until it was over; None: it is not."""

    at_s: float
    what: str
    back_s: float | None = None


@dataclass(frozen=True)
class LoopReport:
    """What a closed loop found.

    Attributes:
        command: How to repeat it.
        rows: How many limits were looked at, over all sites.
        looks: How often each.
        violations: Longer than the grace. `counted`: all, also those that are not kept.
        shorter: Excesses within the grace, the highest first. `counted_shorter`: all.
        highest: By row, the most that was seen as a share of the limit of that moment.
        commands: What stations were sent, by action.
        problems: What else went wrong; empty: nothing.
    """

    command: str
    stations: int
    sites: int
    seconds: float
    rows: int
    looks: int
    violations: tuple[Excess, ...]
    counted: int
    shorter: tuple[Excess, ...]
    counted_shorter: int
    highest: dict[str, float]
    energy_kwh: float
    transactions: int
    seen: Counted
    commands: dict[str, int]
    events: tuple[Event, ...] = ()
    problems: tuple[str, ...] = ()
    kept: Path | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """No limit was broken and nothing else went wrong."""
        return self.counted == 0 and not self.problems

    @property
    def changes_per_hour(self) -> float:
        """Limits that moved by 1 A or more, by hour of a car."""
        hours = self.seen.charging_s / 3600.0
        return self.seen.changes / hours if hours else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "command": self.command,
            "good": self.is_good,
            "stations": self.stations,
            "sites": self.sites,
            "seconds": round(self.seconds, 1),
            "limits": self.rows,
            "looks": self.looks,
            "violations": self.counted,
            "violations_kept": [_plain(each) for each in self.violations],
            "within_grace": self.counted_shorter,
            "within_grace_kept": [_plain(each) for each in self.shorter[:SHOWN]],
            "grace_s": GRACE_S,
            "highest_share_of_limit": round(max(self.highest.values(), default=0.0), 4),
            "energy_kwh": round(self.energy_kwh, 3),
            "transactions": self.transactions,
            "ev_hours": round(self.seen.charging_s / 3600.0, 3),
            "changes_per_ev_hour": round(self.changes_per_hour, 3),
            "without_profile_s": round(self.seen.uncontrolled_s, 1),
            "paused_s": round(self.seen.paused_s, 1),
            "asleep_s": round(self.seen.asleep_s, 1),
            "commands": self.commands,
            "events": [asdict(each) for each in self.events],
            "problems": list(self.problems),
            **self.more,
        }

    def as_text(self) -> str:
        """For people."""
        return "\n".join((*_happened(self), "", *_figures(self), "", *_verdict(self)))


def _plain(excess: Excess) -> dict[str, Any]:
    return {
        "site": excess.site,
        "row": excess.row,
        "unit": excess.unit,
        "value": round(excess.value, 3),
        "limit": round(excess.limit, 3),
        "lasted_s": round(excess.lasted_s, 1),
        "began": round(excess.began, 1),
    }


def _happened(report: LoopReport) -> Iterator[str]:
    yield "What happened"
    for event in report.events:
        back = "" if event.back_s is None else f", over after {event.back_s:.1f} s"
        yield f"  {event.at_s:6.1f} s  {event.what}{back}"


def _figures(report: LoopReport) -> Iterator[str]:
    seen = report.seen
    hours = seen.charging_s / 3600.0
    yield f"{report.stations} stations on {report.sites} sites, {report.seconds:.0f} s, {report.transactions} charges"
    yield f"  energy delivered           {report.energy_kwh:10.2f} kWh"
    yield f"  time that cars were there  {hours:10.2f} EV-hours"
    yield f"  profile changes            {report.changes_per_hour:10.2f} per EV-hour (1 A or more)"
    yield f"  without any profile        {seen.uncontrolled_s:10.0f} EV-seconds"
    yield f"  paused by their limit      {seen.paused_s:10.0f} EV-seconds, and {seen.asleep_s:.0f} asleep after a pause"
    for action, count in report.commands.items():
        yield f"  {action:26} {count:10} messages"


def _verdict(report: LoopReport) -> Iterator[str]:
    top = sorted(report.highest.items(), key=lambda each: -each[1])[:5]
    yield f"{report.rows} limits were looked at {report.looks} times, each second. Nearest to their limit:"
    for row, share in top:
        yield f"  {row:34} {100 * share:6.1f} %"
    if report.shorter:
        worst = max(report.shorter, key=lambda each: each.over)
        yield f"{report.counted_shorter} excesses of {GRACE_S:g} s or less, as cars may take to follow; the highest:"
        yield f"  {worst}"
    for problem in report.problems:
        yield f"PROBLEM: {problem}"
    if report.counted:
        yield f"{report.counted} VIOLATIONS"
        yield from (f"  {each}" for each in report.violations[:SHOWN])
        if report.counted > SHOWN:
            yield f"  and {report.counted - min(SHOWN, len(report.violations))} more"
    else:
        yield "0 violations: no limit was broken for longer than a car may take to follow."
    yield f"To repeat: {report.command}"
    if report.kept is not None:
        yield f"Data and logs are kept in {report.kept}"
