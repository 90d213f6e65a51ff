"""`narke explain STATION`: why it draws what it draws, in sentences."""

import typer

from deploy.cli.client import path
from deploy.cli.command import AsJson, Reach, Station, client_command
from deploy.cli.output import console, print_json, styled
from deploy.cli.plan_texts import explained


def register(app: typer.Typer) -> None:
    """Adds the command."""
    client_command(app, "explain")(explain)


def explain(reach: Reach, station: Station, *, as_json: AsJson = False) -> None:
    """Explain why a station draws what it draws: the limit that binds, who shares it, what was planned for."""
    with reach.api() as api:
        told = api.get(path("stations", station, "explain"))
    if as_json:
        print_json(told)
        return
    for paragraph in explained(told):
        console().print(styled(paragraph), soft_wrap=False)
