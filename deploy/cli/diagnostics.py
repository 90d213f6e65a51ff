"""`narke log ...`, `monitors`, `customer ...`: logs of stations, their monitors, what they keep of customers."""

from enum import StrEnum
from typing import Annotated

import typer

from deploy.cli.client import path
from deploy.cli.command import AsJson, Deadline, Limit, Reach, Station, client_command
from deploy.cli.commands import tell
from deploy.cli.firmware import Retries, RetryInterval
from deploy.cli.output import Column, Row, moment, print_json, print_rows
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import Since, Until, now, parse_time

_UPLOADS = (
    Column("ASKED", moment("asked_at")),
    Column("STATION", "station"),
    Column("ID", "request_id"),
    Column("LOG", "kind"),
    Column("STATUS", lambda row: row["status"] or row["answer"]),
    Column("RESULT", lambda row: row["result"] or ("stalled" if row["stalled"] else None)),
    Column("FILE", "file_name", whole=True),
)
_MONITORS = (
    Column("ID", "monitor_id"),
    Column("COMPONENT", lambda row: _named(row["component"], row["component_instance"])),
    Column("EVSE", "evse"),
    Column("VARIABLE", lambda row: _named(row["variable"], row["variable_instance"])),
    Column("TYPE", "type"),
    Column("VALUE", "value"),
    Column("SEVERITY", "severity"),
    Column("FROM", "kind"),
)

RequestId = Annotated[int, typer.Argument(min=0, help="ID of the question.", show_default=False)]


class LogKind(StrEnum):
    """Which log."""

    DIAGNOSTICS = "DiagnosticsLog"
    SECURITY = "SecurityLog"
    DATA_COLLECTOR = "DataCollectorLog"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    log = typer.Typer(help="Logs of stations.", no_args_is_help=True)
    client_command(log, "get")(get_log)
    client_command(log, "list")(list_logs)
    app.add_typer(log, name="log")
    client_command(app, "monitors")(list_monitors)
    customer = typer.Typer(help="What stations keep of customers: personal data.", no_args_is_help=True)
    client_command(customer, "show")(show_customer)
    client_command(customer, "forget")(forget_customer)
    app.add_typer(customer, name="customer")


def get_log(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    location: Annotated[
        str,
        typer.Argument(help="URL that the station writes it to; a password in it is not shown.", show_default=False),
    ],
    *,
    kind: Annotated[LogKind, typer.Option("--log", help="Which log.")] = LogKind.DIAGNOSTICS,
    since: Since = None,
    until: Until = None,
    retries: Retries = None,
    retry_interval: RetryInterval = None,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Tell a station to upload a log; `narke log list` shows how that goes."""
    present = now()
    body: Row = {
        "command": "get_log",
        "location": location,
        "kind": kind.value,
        "oldest_at": parse_time(since, "--since", present),
        "latest_at": parse_time(until, "--until", present),
        "retries": retries,
        "retry_interval_s": retry_interval,
        "deadline_s": deadline,
    }
    with reach.api() as api:
        answer = api.command(station, "commands", {name: value for name, value in body.items() if value is not None})
    tell(answer, as_json=as_json)


def list_logs(
    reach: Reach,
    *,
    station: Annotated[str | None, typer.Option(help="Only of this station.", show_default=False)] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List logs that stations were told to upload, and how that went, newest first."""
    with reach.api() as api:
        rows = list(api.rows("/api/v1/log-uploads", {"station": station}, limit))
    print_rows(_UPLOADS, rows, as_json=as_json, none="no log was asked for, or none that matches")
    hint_of_limit(rows, limit, as_json=as_json)


def list_monitors(
    reach: Reach,
    station: Station,
    *,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the station for a report instead; list them later.")] = False,
    limit: Limit = 200,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """List the monitors of a station as far as Narke knows them (OCPP 2.x)."""
    with reach.api() as api:
        if ask:
            body: Row = {"command": "get_monitoring_report"}
            answer = api.command(station, "commands", body if deadline is None else body | {"deadline_s": deadline})
            tell(answer, as_json=as_json)
            return
        rows = list(api.rows("/api/v1/variable-monitors", {"station": station}, limit))
    print_rows(_MONITORS, rows, as_json=as_json, none="no monitors are known; --ask has the station report them")
    hint_of_limit(rows, limit, as_json=as_json)


def show_customer(reach: Reach, station: Station, request: RequestId, *, as_json: AsJson = False) -> None:
    """Show what a station said that it keeps of a customer. Needs an administrator's key."""
    with reach.api() as api:
        answer = api.get(path("stations", station, "customer-information", str(request)))
    if as_json:
        print_json(answer)
    else:
        typer.echo(answer["text"])
        if not answer["complete"]:
            typer.echo("(not complete: parts are missing)", err=True)


def forget_customer(reach: Reach, station: Station, request: RequestId) -> None:
    """Delete here what a station said that it keeps of a customer. Needs an administrator's key."""
    with reach.api() as api:
        api.send("DELETE", path("stations", station, "customer-information", str(request)))
    typer.echo(f"{station}: what it said to question {request} is deleted here")


def _named(name: str | None, instance: str | None) -> str | None:
    return f"{name}[{instance}]" if instance else name
