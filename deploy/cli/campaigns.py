"""`narke campaign`: one command to many stations at a bounded rate."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.client import path
from deploy.cli.command import AsJson, Deadline, Limit, Reach, client_command
from deploy.cli.errors import usage
from deploy.cli.output import Column, Row, moment, print_fields, print_json, print_rows, when
from deploy.cli.payloads import read_payload
from deploy.cli.stations import hint_of_limit

_CAMPAIGNS = (
    Column("ID", "campaign_id", whole=True),
    Column("STARTED", moment("created_at")),
    Column("COMMAND", "kind"),
    Column("STATIONS", "stations", right=True),
    Column("STATE", "state"),
    Column("NOTE", "note"),
)
CampaignId = Annotated[str, typer.Argument(help="Id of the campaign.", show_default=False)]


class StateWord(StrEnum):
    """What is to become of a campaign."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="One command to many stations, at a bounded rate.", no_args_is_help=True)
    client_command(group, "start")(start_campaign)
    client_command(group, "list")(list_campaigns)
    client_command(group, "show")(show_campaign)
    client_command(group, "set")(set_campaign)
    app.add_typer(group, name="campaign")


def start_campaign(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    action: Annotated[
        str, typer.Argument(help="OCPP action, or a command of Narke's, as for `narke send`.", show_default=False)
    ],
    payload: Annotated[str, typer.Argument(help="Its payload or fields: JSON, @FILE, or - for standard input.")] = "{}",
    *,
    stations: Annotated[
        Path | None, typer.Option("--stations", help="File with an identity per line.", show_default=False)
    ] = None,
    station: Annotated[
        list[str] | None, typer.Option("--station", help="A station; may be given several times.", show_default=False)
    ] = None,
    connected: Annotated[bool | None, typer.Option("--connected/--offline", help="All of these.")] = None,
    version: Annotated[str | None, typer.Option(help="All of this OCPP version.", show_default=False)] = None,
    vendor: Annotated[str | None, typer.Option(help="All of this vendor.", show_default=False)] = None,
    search: Annotated[
        str | None, typer.Option(help="All with this text; see `narke stations`.", show_default=False)
    ] = None,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help="Commands per second at most.")] = 20.0,
    deadline: Deadline = None,
    wait_for_station: Annotated[
        bool, typer.Option("--wait-for-station", help="Where one is offline: send it when it is back.")
    ] = False,
    note: Annotated[str | None, typer.Option(help="For people.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Start a campaign: name the stations, or say which."""
    fields = read_payload(payload)
    command: Row = {"action": action, "payload": fields} if action[:1].isupper() else {"command": action, **fields}
    if deadline is not None:
        command["deadline_s"] = deadline
    if wait_for_station:
        command["when_offline"] = "wait"
    chosen = {"connected": connected, "version": version, "vendor": vendor, "search": search}
    where = {name: value for name, value in chosen.items() if value is not None}
    named = [*(station or []), *(_read_stations(stations) if stations is not None else [])]
    if bool(named) is bool(where):
        raise usage("nobody is named, or too much", "give --station or --stations; or --connected, --version, ...")
    body: Row = {"command": command, "rate_per_s": rate, "note": note}
    body |= {"stations": named} if named else {"where": where}
    with reach.api() as api:
        taken = api.send("POST", path("campaigns"), body)
    if as_json:
        print_json(taken)
    else:
        typer.echo(
            f"{taken['campaign_id']}: to {taken['stations']} stations; `narke campaign show` tells how far it is"
        )


def list_campaigns(
    reach: Reach,
    *,
    state: Annotated[str | None, typer.Option(help="running, paused, stopped or done.", show_default=False)] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List campaigns, newest first."""
    with reach.api() as api:
        rows = list(api.rows(path("campaigns"), {"state": state}, limit))
    print_rows(_CAMPAIGNS, rows, as_json=as_json, none="no campaigns, or none that match")
    hint_of_limit(rows, limit, as_json=as_json)


def show_campaign(reach: Reach, campaign_id: CampaignId, *, as_json: AsJson = False) -> None:
    """Show a campaign and how far it is."""
    with reach.api() as api:
        answer: Row = api.get(path("campaigns", campaign_id))
    if as_json:
        print_json(answer)
        return
    campaign, progress = answer["campaign"], answer["progress"]
    over = sum(progress["settled"].values())
    print_fields(
        [
            ("campaign", campaign["campaign_id"]),
            ("command", campaign["kind"]),
            ("state", campaign["state"]),
            ("started", f"{when(campaign['created_at'])} by {campaign['created_by']}"),
            ("rate", f"{campaign['rate_per_s']:g} a second"),
            ("stations", campaign["stations"]),
            ("on record", progress["recorded"]),
            ("sent", progress["sent"]),
            ("over", f"{over} ({over / max(1, campaign['stations']):.0%})"),
            *((f"  {result}", count) for result, count in sorted(progress["settled"].items())),
            ("note", campaign["note"]),
        ]
    )


def set_campaign(
    reach: Reach,
    campaign_id: CampaignId,
    state: Annotated[StateWord, typer.Argument(help="What is to become of it.", show_default=False)],
) -> None:
    """Pause, continue or stop a campaign. After a stop nothing more is sent, and what waits is taken back."""
    with reach.api() as api:
        api.send("PUT", path("campaigns", campaign_id, "state"), {"state": state.value})
    typer.echo(f"{campaign_id}: {state.value}")


def _read_stations(file: Path) -> list[str]:
    """Raises CliError: It cannot be read."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise usage(f"{file} cannot be read: {error}", "name a text file with an identity per line") from error
    return [line.strip() for line in lines if line.strip()]
