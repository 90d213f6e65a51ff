"""`narke messages` and `narke events`: a station's raw frames and what happened to it, listed or followed."""

import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated

import typer

from deploy.cli.client import path
from deploy.cli.command import AsJson, Limit, Reach, Station, client_command
from deploy.cli.errors import printable
from deploy.cli.following import every, follow_arrivals
from deploy.cli.output import Row, print_json, print_json_line, when
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import Since, Until, now, parse_time
from deploy.cli.transactions import FollowFlag, Interval

TAIL = 20


class DirectionWord(StrEnum):
    """Seen from Narke."""

    IN = "in"
    OUT = "out"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "messages")(list_messages)
    client_command(app, "events")(list_events)


def list_messages(  # noqa: PLR0913 (each is an option)
    reach: Reach,
    station: Station,
    *,
    action: Annotated[str | None, typer.Option(help="Only this OCPP action.", show_default=False)] = None,
    direction: Annotated[
        DirectionWord | None, typer.Option(help="in: from the station; out: to it.", show_default=False)
    ] = None,
    outcome: Annotated[str | None, typer.Option(help="ok or an OCPP error code.", show_default=False)] = None,
    since: Since = None,
    until: Until = None,
    follow: FollowFlag = False,
    interval: Interval = 1.0,
    limit: Limit = TAIL,
    as_json: AsJson = False,
) -> None:
    """List a station's raw messages, oldest of the last ones first; follow them."""
    present = now()
    query: Row = {
        "action": action,
        "direction": direction,
        "outcome": outcome,
        "since": parse_time(since, "--since", present),
        "until": parse_time(until, "--until", present),
    }
    _list(reach, station, "messages", query, follow=follow, interval=interval, limit=limit, as_json=as_json)


def list_events(  # noqa: PLR0913 (each is an option)
    reach: Reach,
    station: Station,
    *,
    kind: Annotated[str | None, typer.Option(help="Only this kind of event.", show_default=False)] = None,
    since: Since = None,
    until: Until = None,
    follow: FollowFlag = False,
    interval: Interval = 1.0,
    limit: Limit = TAIL,
    as_json: AsJson = False,
) -> None:
    """List what happened to a station (connections, boots, notices, ...); follow it."""
    present = now()
    query: Row = {
        "kind": kind,
        "since": parse_time(since, "--since", present),
        "until": parse_time(until, "--until", present),
    }
    _list(reach, station, "events", query, follow=follow, interval=interval, limit=limit, as_json=as_json)


def _list(  # noqa: PLR0913 (two listings share it)
    reach: Reach, station: str, listing: str, query: Row, *, follow: bool, interval: float, limit: int, as_json: bool
) -> None:
    where = path("stations", station, listing)
    line = message_line if listing == "messages" else event_line
    with reach.api() as api:
        if follow:
            _follow(follow_arrivals(api, where, query, limit, every(interval)), line, as_json=as_json)
            return
        rows = list(api.rows(where, query, limit))[::-1]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(line(row))
    if not rows:
        typer.echo(f"{station}: no {listing}, or none that match", err=True)
    hint_of_limit(rows, limit, as_json=as_json, which="last")


def _follow(rows: Iterator[Row], line: Callable[[Row], str], *, as_json: bool) -> None:
    """Ctrl-C is the normal end."""
    try:
        for row in rows:
            if as_json:
                print_json_line(row)
            else:
                typer.echo(line(row))
    except KeyboardInterrupt:
        return


def message_line(row: Row) -> str:
    """One frame: when, which way (> to Narke, < to the station), what came of it, and its text."""
    arrow = ">" if row["direction"] == "in" else "<"
    outcome = "" if row["outcome"] == "ok" else f" {row['outcome']}"
    latency = "" if row["latency_ms"] is None else f" ({row['latency_ms']:.0f} ms)"
    return printable(
        f"{when(row['at'])} {arrow} {row['kind']:<6} {row['action'] or '-'}{outcome}{latency}  {row['frame']}"
    )


def event_line(row: Row) -> str:
    """One event: when, what, and its data."""
    data = "" if row["data"] is None else json.dumps(row["data"], ensure_ascii=False)
    return printable(f"{when(row['at'])}  {row['kind']:<12} {row['action'] or '-':<24} {data}".rstrip())
