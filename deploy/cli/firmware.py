"""`narke firmware ...`: updates of stations, and how they went."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.command import AsJson, Deadline, Limit, Reach, Station, client_command
from deploy.cli.commands import tell
from deploy.cli.errors import usage
from deploy.cli.output import Column, Row, moment, print_rows
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import now, parse_time

_UPDATES = (
    Column("ASKED", moment("asked_at")),
    Column("STATION", "station"),
    Column("ID", "request_id"),
    Column("STATUS", lambda row: row["status"] or row["answer"]),
    Column("RESULT", lambda row: row["result"] or ("stalled" if row["stalled"] else None)),
    Column("HEARD", moment("heard_at")),
    Column("FROM", "from_version"),
    Column("TO", "to_version"),
)
_STATUSES = (
    Column("RECEIVED", moment("received_at")),
    Column("ID", lambda row: row["request_id"] if row["request_id"] is not None else row["said_id"]),
    Column("STATUS", "status"),
    Column("DETAIL", "detail", wrap=True),
    Column("ODD", lambda row: ", ".join(row["flags"] or ()) or None),
)

Location = Annotated[
    str, typer.Argument(help="URL of the file; a password in it is sent, but not shown.", show_default=False)
]
Retries = Annotated[int | None, typer.Option(min=0, help="Attempts to fetch it.", show_default="the station's")]
RetryInterval = Annotated[int | None, typer.Option(min=0, help="Seconds between them.", show_default="the station's")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    firmware = typer.Typer(help="Firmware of stations.", no_args_is_help=True)
    client_command(firmware, "update")(update)
    client_command(firmware, "list")(list_updates)
    client_command(firmware, "statuses")(list_statuses)
    app.add_typer(firmware, name="firmware")


def update(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    location: Location,
    *,
    retrieve: Annotated[str | None, typer.Option(help="Fetch it not before then.", show_default="at once")] = None,
    install: Annotated[
        str | None, typer.Option(help="Install it not before then (not OCPP 1.6 unsigned).", show_default=False)
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="PEM file: the certificate that signed it.", show_default=False)
    ] = None,
    signature: Annotated[
        str | None, typer.Option(help="Its signature, base64; or @FILE that holds it.", show_default=False)
    ] = None,
    retries: Retries = None,
    retry_interval: RetryInterval = None,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Tell a station to update its firmware; `narke firmware list` shows how that goes."""
    present = now()
    body: Row = {
        "command": "update_firmware",
        "location": location,
        "retrieve_at": parse_time(retrieve, "--retrieve", present) or present.isoformat(),
        "install_at": parse_time(install, "--install", present),
        "signing_certificate": None if certificate is None else _read(certificate, "--certificate"),
        "signature": _signature(signature),
        "retries": retries,
        "retry_interval_s": retry_interval,
        "deadline_s": deadline,
    }
    with reach.api() as api:
        answer = api.command(station, "commands", {name: value for name, value in body.items() if value is not None})
    tell(answer, as_json=as_json)


def list_updates(
    reach: Reach,
    *,
    station: Annotated[str | None, typer.Option(help="Only of this station.", show_default=False)] = None,
    result: Annotated[
        str | None, typer.Option(help="Only those: installed, failed, refused or cancelled.", show_default=False)
    ] = None,
    stalled: Annotated[bool, typer.Option("--stalled", help="Only those that nothing is heard of.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List firmware updates and how they went, newest first."""
    query: Row = {"station": station, "result": result, "stalled": True if stalled else None}
    with reach.api() as api:
        rows = list(api.rows("/api/v1/firmware-updates", query, limit))
    print_rows(_UPDATES, rows, as_json=as_json, none="no update was asked for, or none that matches")
    hint_of_limit(rows, limit, as_json=as_json)


def list_statuses(
    reach: Reach,
    station: Station,
    *,
    request: Annotated[int | None, typer.Option(help="Only of the update with this ID.", show_default=False)] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List every status of firmware that a station told, newest first."""
    with reach.api() as api:
        rows = list(api.rows("/api/v1/firmware-statuses", {"station": station, "request_id": request}, limit))
    print_rows(_STATUSES, rows, as_json=as_json, none="the station told no status, or none that matches")
    hint_of_limit(rows, limit, as_json=as_json)


def _read(file: Path, option: str) -> str:
    """A file's text. Raises CliError: it cannot be read."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise usage(f"{option}: {file} cannot be read: {error}", "name a text file that you may read") from error


def _signature(written: str | None) -> str | None:
    if written is None or not written.startswith("@"):
        return written
    return _read(Path(written[1:]), "--signature")
