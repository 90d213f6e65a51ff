"""`narke transactions`: list, follow and export; `narke transaction`: one with its meter values."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import Api, path
from deploy.cli.command import AsJson, Limit, Reach, Station, client_command
from deploy.cli.errors import usage
from deploy.cli.export import export_bytes, export_json
from deploy.cli.following import every, follow_transactions
from deploy.cli.output import (
    Column,
    Row,
    console,
    energy,
    heading,
    moment,
    place,
    print_fields,
    print_json,
    print_json_line,
    print_rows,
    table_of,
    when,
)
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import Since, Until, now, parse_time

_WHERE = "/api/v1/transactions"
_COLUMNS = (
    Column("STATION", "station"),
    Column("TRANSACTION", "transaction_id", whole=True),
    Column("EVSE", place),
    Column("TOKEN", "token"),
    Column("STARTED", moment("started_at")),
    Column("ENDED", lambda row: when(row["ended_at"]) or "open"),
    Column("ENERGY", lambda row: energy(row["energy_wh"]), right=True),
    Column("STATE", lambda row: row["stop_reason"] or row["charging_state"]),
)
_METER_VALUES = (
    Column("AT", lambda row: when(row["at"] or row["received_at"])),
    Column("MEASURAND", "measurand"),
    Column("PHASE", "phase"),
    Column("VALUE", lambda row: f"{row['value']:g}" if row["value"] is not None else row["raw"], right=True),
    Column("UNIT", "unit"),
    Column("CONTEXT", "context"),
)
FollowFlag = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")]
Interval = Annotated[float, typer.Option(min=0.1, help="Seconds between two looks with --follow.")]
OutputFile = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file, not to the terminal.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "transactions")(list_transactions)
    client_command(app, "transaction")(show_transaction)


def list_transactions(  # noqa: PLR0913 (each is an option)
    reach: Reach,
    *,
    station: Annotated[str | None, typer.Option(help="Only of this station.", show_default=False)] = None,
    is_open: Annotated[bool | None, typer.Option("--open/--ended", help="Only open ones, or only ended ones.")] = None,
    token: Annotated[str | None, typer.Option(help="Only of this token.", show_default=False)] = None,
    since: Since = None,
    until: Until = None,
    follow: FollowFlag = False,
    interval: Interval = 2.0,
    limit: Limit = 100,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV: all that match, whatever --limit says.")] = False,
    output: OutputFile = None,
) -> None:
    """List transactions, newest first; follow them, or export them as CSV or JSON."""
    if as_csv and (as_json or follow):
        raise usage("--csv goes with neither --json nor --follow", "give one of them")
    if output is not None and (follow or not (as_csv or as_json)):
        raise usage("--output is for an export", "add --csv or --json, and leave --follow out")
    present = now()
    query: Row = {
        "station": station,
        "open": is_open,
        "token": token,
        "since": parse_time(since, "--since", present),
        "until": parse_time(until, "--until", present),
    }
    with reach.api() as api:
        if as_csv:
            export_bytes(api.stream(_WHERE, query, "text/csv"), output)
        elif follow:
            _follow(follow_transactions(api, query, min(limit, 20), every(interval)), as_json=as_json)
        elif output is not None:
            export_json(api.rows(_WHERE, query, limit), output)
        else:
            _list(api, query, limit, as_json=as_json)


def show_transaction(
    reach: Reach,
    station: Station,
    transaction: Annotated[str, typer.Argument(help="Transaction id.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show a transaction with its meter values."""
    with reach.api() as api:
        detail: Row = api.get(path("transactions", station, transaction))
    if as_json:
        print_json(detail)
        return
    print_fields(_fields(detail["transaction"]))
    if detail["meter_values"]:
        heading("meter values" if detail["complete"] else "meter values (the first of more)")
        console().print(table_of(_METER_VALUES, detail["meter_values"]))


def _list(api: Api, query: Row, limit: int, *, as_json: bool) -> None:
    rows = list(api.rows(_WHERE, query, limit))
    print_rows(_COLUMNS, rows, as_json=as_json, none="there is no such transaction")
    hint_of_limit(rows, limit, as_json=as_json)


def _follow(rows: Iterator[Row], *, as_json: bool) -> None:
    """One line for each change. Ctrl-C is the normal end."""
    try:
        for row in rows:
            if as_json:
                print_json_line(row)
            else:
                state = "open " if row["ended_at"] is None else "ended"
                told = (
                    when(row["end_received_at"] or row["updated_at"]), state, f"{row['station']:<20}",
                    f"{row['transaction_id']:<12}", f"evse {place(row) or '-':<4}", f"{row['token'] or '-':<20}",
                    f"{energy(row['energy_wh']) or '-':>12}", row["stop_reason"] or row["charging_state"] or "",
                )  # fmt: skip
                typer.echo("  ".join(str(part) for part in told).rstrip())
    except KeyboardInterrupt:
        return


def _fields(row: Row) -> list[tuple[str, Any]]:
    return [
        ("station", row["station"]),
        ("transaction", row["transaction_id"]),
        ("evse", place(row)),
        ("token", row["token"]),
        ("token group", row["token_group"]),
        ("verdict", row["token_status"]),
        ("started", when(row["started_at"])),
        ("ended", when(row["ended_at"]) or "open"),
        ("reason", row["stop_reason"]),
        ("stopped by", row["stop_token"]),
        ("state", row["charging_state"]),
        ("meter start", energy(row["meter_start_wh"])),
        ("meter stop", energy(row["meter_stop_wh"] if row["ended_at"] else row["meter_last_wh"])),
        ("energy", energy(row["energy_wh"])),
        ("offline", "yes" if row["offline"] else None),
        ("flags", ", ".join(row["flags"])),
    ]
