"""`narke station rotate-password`: a new password for a station, which takes effect safely."""

from typing import Annotated

import typer

from deploy.cli.command import AsJson, Deadline, Reach, Station, client_command
from deploy.cli.commands import tell
from deploy.cli.output import Row


def register(app: typer.Typer) -> None:
    """Adds the command to `narke station`, which must be there already."""
    for group in app.registered_groups:
        if group.name == "station" and group.typer_instance is not None:
            client_command(group.typer_instance, "rotate-password")(rotate_password)


def rotate_password(
    reach: Reach,
    station: Station,
    *,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the new one from standard input, for scripts.")] = False,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Give a station a new password (OCPP 1.6 AuthorizationKey, 2.x BasicAuthPassword): a random one that nobody sees.

    The old one is good until the station has logged in with the new one; if it refuses, the old one stays.
    """
    password = typer.get_text_stream("stdin").readline().rstrip("\r\n") if stdin else ""
    body: Row = {"command": "change_password", "password": password}
    if deadline is not None:
        body["deadline_s"] = deadline
    with reach.api() as api:
        answer = api.command(station, "commands", body)
    tell(answer, as_json=as_json)
