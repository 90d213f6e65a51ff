"""`narke local-list ...`: what stations may decide by themselves."""

from typing import Annotated

import typer

from deploy.cli.client import Api, path
from deploy.cli.command import AsJson, Limit, Reach, client_command
from deploy.cli.errors import CliError, ExitCode, usage
from deploy.cli.output import Column, Row, moment, print_json, print_rows
from deploy.cli.stations import hint_of_limit

_LISTS = (
    Column("STATION", "station"),
    Column("VERSION", "version"),
    Column("STATE", "state"),
    Column("ENTRIES", "entries"),
    Column("UPDATED", moment("updated_at")),
    Column("CHECKED", moment("checked_at")),
    Column("DETAIL", "detail", wrap=True),
)
_ENTRIES = (
    Column("TOKEN", "token"),
    Column("TYPE", "type"),
    Column("STATUS", "status"),
)
Which = Annotated[str | None, typer.Argument(help="OCPP identity of the station.", show_default=False)]
EveryOne = Annotated[bool, typer.Option("--all", help="All stations that are connected, one after the other.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    lists = typer.Typer(help="Local authorization lists of stations.", no_args_is_help=True)
    client_command(lists, "list")(list_lists)
    client_command(lists, "show")(show_list)
    client_command(lists, "sync")(sync)
    client_command(lists, "check")(check)
    app.add_typer(lists, name="local-list")


def list_lists(
    reach: Reach,
    *,
    state: Annotated[
        str | None, typer.Option(help="in_sync, syncing, stale or unsupported.", show_default=False)
    ] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List the stations with a local list, and how it stands."""
    with reach.api() as api:
        rows = list(api.rows("/api/v1/local-lists", {"state": state}, limit))
    print_rows(_LISTS, rows, as_json=as_json, none="no station has a local list of ours, or none that matches")
    hint_of_limit(rows, limit, as_json=as_json)


def show_list(
    reach: Reach,
    station: Annotated[str, typer.Argument(help="OCPP identity of the station.", show_default=False)],
    *,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Show what is in the local list of a station, as Narke sent it."""
    with reach.api() as api:
        rows = list(api.rows("/api/v1/local-list-entries", {"station": station}, limit))
    print_rows(_ENTRIES, rows, as_json=as_json, none=f"nothing is in the local list of {station}, as far as is known")
    hint_of_limit(rows, limit, as_json=as_json)


def sync(
    reach: Reach,
    station: Which = None,
    *,
    everybody: EveryOne = False,
    whole: Annotated[bool, typer.Option("--whole", help="Send the whole list, not the difference.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send stations what their local lists should have."""
    _each(reach, station, everybody, "sync", {"whole": whole}, as_json=as_json)


def check(
    reach: Reach,
    station: Which = None,
    *,
    everybody: EveryOne = False,
    repair: Annotated[bool, typer.Option("--repair/--no-repair", help="Send anew what is not as it should be.")] = True,
    as_json: AsJson = False,
) -> None:
    """Ask stations for the version of their local list, and repair what is not as it should be."""
    _each(reach, station, everybody, "check", {"repair": repair}, as_json=as_json)


def _each(
    reach: Reach,
    station: str | None,
    everybody: bool,  # noqa: FBT001 (an option of the command line)
    what: str,
    body: Row,
    *,
    as_json: bool,
) -> None:
    """Does it for one station or for all; the failures of some are told, and are exit status 5 in the end."""
    if (station is None) != everybody:
        raise usage("name a station, or say --all", f"e.g. `narke local-list {what} CP-1`")
    failed = False
    with reach.api() as api:
        for name in [station] if station is not None else _connected(api):
            try:
                told = api.send("POST", path("stations", name, "local-list", what), body)
            except CliError as error:
                if not everybody or error.code is ExitCode.UNREACHABLE:
                    raise
                failed = True
                typer.echo(f"{name}: {error.what}", err=True)
                continue
            print_json(told) if as_json else typer.echo(_line(told))
    if failed:
        raise typer.Exit(ExitCode.REFUSED)


def _connected(api: Api) -> list[str]:
    return [row["station"] for row in api.rows("/api/v1/stations", {"connected": True}, 0)]


def _line(told: Row) -> str:
    if "expected" not in told:
        return _synced(told)
    if told["version"] < 0:
        return f"{told['station']}: has no local lists"
    same = told["version"] == told["expected"]
    line = f"{told['station']}: version {told['version']}" + ("" if same else f", not {told['expected']}")
    return line if told["synced"] is None else f"{line}; {_synced(told['synced']).partition(': ')[2]}"


def _synced(told: Row) -> str:
    if not told["messages"]:
        return f"{told['station']}: version {told['version']}, {told['entries']} entries: as it should be"
    how = "sent whole" if told["whole"] else "changed"
    return (
        f"{told['station']}: {how}: version {told['version']}, {told['entries']} entries ({told['messages']} messages)"
    )
