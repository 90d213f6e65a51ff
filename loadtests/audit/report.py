"""The report: what was killed and when it was back, what was compared, every difference, how to repeat it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from loadtests.audit.comparison import Difference, Differences
from loadtests.audit.killer import Kill

SHOWN_PER_KIND = 10
_WIDTHS = (">9", ">14", ">9", ">12", ">10", ">10", ">8", ">9")
"""Of the columns of kills."""


@dataclass(frozen=True)
class Report:
    """All that an audit found.

    Attributes:
        command: How to repeat it.
        seconds: How long there was load.
        stations: How many.
        answers: Calls of the stations that were answered.
        kills: In the order of the plan.
        differences: And what was compared.
        events: How often some things happened to the fleet.
        kept: Where data and logs are; None: they are gone, for nothing was wrong.
    """

    command: str
    seconds: float
    stations: int
    answers: int
    kills: tuple[Kill, ...]
    differences: Differences
    events: Mapping[str, int]
    kept: Path | None = None

    @property
    def is_good(self) -> bool:
        """Nothing is lost, doubled, changed or dead."""
        return self.differences.total == 0

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "command": self.command,
            "good": self.is_good,
            "seconds": round(self.seconds, 1),
            "stations": self.stations,
            "answers": self.answers,
            "compared": dict(self.differences.compared),
            "differences": self.differences.total,
            "differences_by_kind": dict(self.differences.kinds),
            "differences_found": [asdict(each) for each in self.differences.found],
            "kills": [asdict(kill) for kill in self.kills],
            "events": dict(self.events),
            "kept": None if self.kept is None else str(self.kept),
        }

    def as_text(self) -> str:
        """For people."""
        return "\n".join((*_kills(self.kills), "", *_figures(self), "", *_verdict(self)))

    def write(self, file: Path) -> None:
        """To a file: JSON where its name ends in .json, else as text.

        Raises:
            OSError: It cannot be written.
        """
        text = json.dumps(self.as_dict(), indent=2) if file.suffix == ".json" else self.as_text()
        file.write_text(text + "\n", encoding="utf-8")


def _kills(kills: tuple[Kill, ...]) -> Iterator[str]:
    yield "Kills (kill -9), and what stations felt from then until 2 s after the part was back"
    yield _row("at", "what", "pid", "back after", "p50", "slowest", "failed", "silence")
    for kill in kills:
        felt = kill.felt
        cells = [_seconds(kill.at_s), kill.name or f"({kill.kind})", str(kill.pid or ""), _seconds(kill.back_s)]
        if felt is None:
            cells += [""] * 4
        else:
            cells += [_ms(felt.p50_ms), _ms(felt.max_ms), str(felt.failed), _seconds(felt.silence_s)]
        problem = "" if kill.back_s is not None else f"  {kill.problem or 'was down already'}"
        yield f"{_row(*cells)}{problem}".rstrip()
    if not kills:
        yield "  none"


def _row(*cells: str) -> str:
    return "".join(f"{cell:{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))


def _figures(report: Report) -> Iterator[str]:
    killed = [kill for kill in report.kills if kill.pid]
    yield (
        f"{report.stations} stations, {report.seconds:.0f} s of load, {report.answers} answered calls, "
        f"{len(killed)} parts killed"
    )
    compared = ", ".join(f"{count} {what}" for what, count in report.differences.compared.items())
    yield f"Compared with PostgreSQL: {compared or 'nothing'}"
    for name, count in report.events.items():
        yield f"  {name}: {count}"


def _verdict(report: Report) -> Iterator[str]:
    differences = report.differences
    if report.is_good:
        yield "0 differences: all that was acknowledged is there, once, and all stations live."
    else:
        yield f"{differences.total} DIFFERENCES"
        for kind, count in differences.kinds.most_common():
            yield f"  {kind}: {count}"
            mine = [each for each in differences.found if each.kind == kind]
            yield from (f"    {_line(each)}" for each in mine[:SHOWN_PER_KIND])
            if count > SHOWN_PER_KIND:
                yield f"    and {count - min(len(mine), SHOWN_PER_KIND)} more"
    yield f"To repeat: {report.command}"
    if report.kept is not None:
        yield f"Data, logs and the ledger are kept in {report.kept}"


def _line(difference: Difference) -> str:
    of = f" transaction {difference.transaction_id}" if difference.transaction_id is not None else ""
    return f"{difference.station or 'Narke'}{of}: {difference.message}"


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"


def _ms(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f} ms"
