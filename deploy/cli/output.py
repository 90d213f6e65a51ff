"""What commands print: tables for people, JSON for programs. What comes from stations is never taken for markup."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from deploy.cli.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

Row = dict[str, Any]
PIPE_WIDTH = 200
"""Columns of a table that goes into a pipe or file: wide enough to cut nothing off."""

_STYLE_OF_WORD = {
    "connected": "green", "offline": "dim", "ready": "green", "not ready": "red", "ok": "green", "open": "cyan",
    "Available": "green", "Charging": "cyan", "Occupied": "cyan", "Preparing": "cyan", "Finishing": "cyan",
    "SuspendedEV": "yellow", "SuspendedEVSE": "yellow", "Faulted": "red", "Unavailable": "yellow",
    "Accepted": "green", "Pending": "yellow", "Rejected": "red", "blocked": "red",
    "accepted": "green", "refused": "red", "failed": "red", "timed_out": "yellow", "lost": "yellow",
    "not_expressible": "red",
}  # fmt: skip


class Column:
    """A column: its title, what of a row it shows, and how.

    `wrap`: long texts go on in the next line; else they are cut where the terminal is narrow. `whole`: never cut.
    """

    def __init__(
        self,
        title: str,
        value: str | Callable[[Row], Any],
        *,
        right: bool = False,
        wrap: bool = False,
        whole: bool = False,
    ) -> None:
        self.title = title
        self.right = right
        self.wrap = wrap
        self.whole = whole
        self._value = value

    def text(self, row: Row) -> str:
        """The cell."""
        value = row.get(self._value) if isinstance(self._value, str) else self._value(row)
        return "-" if value is None or value == "" else str(value)


def print_json(value: Any) -> None:
    """For programs."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_json_line(value: Any) -> None:
    """For programs that follow: one object a line."""
    typer.echo(json.dumps(value, ensure_ascii=False))
    sys.stdout.flush()


def print_rows(columns: Sequence[Column], rows: Iterable[Row], *, as_json: bool, none: str) -> None:
    """A listing; `none` is said when there are no rows."""
    listed = list(rows)
    if as_json:
        print_json(listed)
    elif not listed:
        typer.echo(none, err=True)
    else:
        console().print(table_of(columns, listed))


def table_of(columns: Sequence[Column], rows: Iterable[Row]) -> "Table":
    """A table without lines: easy on the eye, easy for awk."""
    from rich.table import Table  # noqa: PLC0415 (rich: not for --json)

    listed = list(rows)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            overflow="fold" if column.wrap else "ellipsis",
            no_wrap=not column.wrap,
            min_width=max((len(column.text(row)) for row in listed), default=0) if column.whole else None,
        )
    for row in listed:
        table.add_row(*(styled(column.text(row)) for column in columns))
    return table


def print_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """Names and values, one a line; those that are not known are left out."""
    from rich.table import Table  # noqa: PLC0415 (rich: not for --json)

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        if value is not None and value != "":
            table.add_row(name, styled(str(value)))
    console().print(table)


def heading(text: str) -> None:
    """A line above a part."""
    typer.secho(f"\n{printable(text)}", bold=True)


def styled(text: str) -> "Text":
    """Text as it is, coloured where it is a word we know."""
    from rich.text import Text  # noqa: PLC0415 (rich: not for --json)

    return Text(printable(text), style=_STYLE_OF_WORD.get(text, ""))


def console() -> "Console":
    """Standard output, as wide as the terminal; wide in a pipe."""
    from rich.console import Console  # noqa: PLC0415 (rich: not for --json)

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def when(value: str | None) -> str | None:
    """A moment of the API in local time, to the second."""
    if value is None:
        return None
    return datetime.fromisoformat(value).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def moment(name: str) -> Callable[[Row], str | None]:
    """A column's value that is a moment."""
    return lambda row: when(row.get(name))


def energy(value_wh: float | None) -> str | None:
    """Wh as kWh."""
    return None if value_wh is None else f"{value_wh / 1000:.3f} kWh"


def place(row: Row) -> str | None:
    """EVSE and connector as 1 or 1/2."""
    evse, connector = row.get("evse"), row.get("connector")
    if evse is None:
        return None
    return f"{evse}/{connector}" if connector else str(evse)
