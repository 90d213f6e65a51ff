"""`narke data-transfer`: a vendor's own message to a station."""

import json
from typing import Annotated, Any

import typer

from deploy.cli.command import AsJson, Deadline, Reach, Station, client_command
from deploy.cli.commands import tell


def register(app: typer.Typer) -> None:
    """Adds the command."""
    client_command(app, "data-transfer")(send_data)


def send_data(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    vendor: Annotated[str, typer.Argument(help="Vendor id, e.g. com.acme.", show_default=False)],
    message: Annotated[str | None, typer.Argument(help="Message id of that vendor.", show_default=False)] = None,
    data: Annotated[
        str | None, typer.Argument(help="JSON, or a text (OCPP 1.6 takes text only).", show_default=False)
    ] = None,
    *,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Send a vendor's own message (OCPP DataTransfer); what stations send so stands in `narke events`."""
    body: dict[str, Any] = {"command": "send_data", "vendor_id": vendor}
    if message:
        body["message_id"] = message
    if data is not None:
        body["data"] = _data_of(data)
    if deadline is not None:
        body["deadline_s"] = deadline
    with reach.api() as api:
        answer = api.command(station, "commands", body)
    tell(answer, as_json=as_json)


def _data_of(text: str) -> Any:
    """JSON where it is an object, a list or a quoted text; else the text as it stands."""
    if text[:1] not in ("{", "[", '"'):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
