"""`narke reserve`, `reservations`, `unreserve`: places kept for tokens."""

import time
from datetime import timedelta
from typing import Annotated

import typer

from deploy.cli.client import Api
from deploy.cli.command import AsJson, Connector, Deadline, Evse, Limit, Reach, Station, client_command
from deploy.cli.commands import tell
from deploy.cli.errors import usage
from deploy.cli.output import Column, Row, moment, print_json, print_rows
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import now, parse_time

_RESERVATIONS = (
    Column("ID", "reservation_id"),
    Column("STATION", "station"),
    Column("STATUS", "status"),
    Column("EVSE", "evse"),
    Column("TOKEN", "token"),
    Column("UNTIL", moment("expires_at")),
    Column("TRANSACTION", "transaction_id"),
    Column("DETAIL", "detail", wrap=True),
)
_SHOWS_UP_S = 5.0


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "reserve")(reserve)
    client_command(app, "reservations")(list_reservations)
    client_command(app, "unreserve")(unreserve)


def reserve(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    *,
    token: Annotated[str, typer.Option(help="Whom the place is kept for.", show_default=False)],
    token_type: Annotated[str | None, typer.Option(help="2.x idToken type.", show_default="ISO14443")] = None,
    minutes: Annotated[float, typer.Option("--for", min=1, help="Minutes that it is kept.")] = 30,
    until: Annotated[str | None, typer.Option(help="Until then instead.", show_default=False)] = None,
    evse: Evse = None,
    connector: Connector = None,
    connector_type: Annotated[
        str | None, typer.Option(help="Instead of an EVSE: any with such a connector (2.x).", show_default=False)
    ] = None,
    group: Annotated[str | None, typer.Option(help="Tokens of this group may use it, too.", show_default=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="Also where Narke sees that the place is taken.")] = False,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Reserve a place at a station: an EVSE, a type of connector, or whatever is free."""
    if connector is not None and evse is None:
        raise usage("a connector is of an EVSE", "name both: --evse 1 --connector 1")
    present = now()
    body: Row = {
        "command": "reserve_now",
        "token": {"value": token, "type": token_type},
        "expires_at": parse_time(until, "--until", present) or (present + timedelta(minutes=minutes)).isoformat(),
        "force": force,
        "deadline_s": deadline,
        "connector_type": connector_type,
        "group": group,
    }
    if evse is not None:
        body["evse"] = {"evse": evse, "connector": connector}
    with reach.api() as api:
        answer = api.command(station, "commands", {name: value for name, value in body.items() if value is not None})
        row = _reservation_of(api, answer["command_id"]) if answer["result"] == "accepted" else None
    if row is None:
        tell(answer, as_json=as_json)
    elif as_json:
        print_json(row)
    else:
        typer.echo(f"{station}: reservation {row['reservation_id']} until {moment('expires_at')(row)}")


def _reservation_of(api: Api, command_id: str) -> Row | None:
    """The reservation that a command made; its row takes a moment to appear. None: not yet."""
    until = time.monotonic() + _SHOWS_UP_S
    while True:
        found = api.page("/api/v1/reservations", {"command_id": command_id, "limit": 1})["items"]
        if found or time.monotonic() > until:
            return found[0] if found else None
        time.sleep(0.2)


def list_reservations(
    reach: Reach,
    *,
    station: Annotated[str | None, typer.Option(help="Only of this station.", show_default=False)] = None,
    status: Annotated[str | None, typer.Option(help="Only those, e.g. Active or Used.", show_default=False)] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List reservations and what became of them, newest first."""
    with reach.api() as api:
        rows = list(api.rows("/api/v1/reservations", {"station": station, "status": status}, limit))
    print_rows(_RESERVATIONS, rows, as_json=as_json, none="nothing was reserved, or nothing that matches")
    hint_of_limit(rows, limit, as_json=as_json)


def unreserve(
    reach: Reach,
    station: Station,
    reservation: Annotated[int, typer.Argument(min=0, help="Id of the reservation.", show_default=False)],
    *,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Give a reservation up."""
    body: Row = {"command": "cancel_reservation", "reservation_id": reservation}
    if deadline is not None:
        body["deadline_s"] = deadline
    with reach.api() as api:
        answer = api.command(station, "commands", body)
    tell(answer, as_json=as_json)
