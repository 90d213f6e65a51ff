"""`narke quirks`: what stations of some makes do otherwise than OCPP says, what is done about it, and what might be.

docs/quirks.md has every switch.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import path
from deploy.cli.command import AsJson, Reach, Station, client_command
from deploy.cli.errors import CliError, ExitCode, usage
from deploy.cli.output import Column, Row, console, heading, print_fields, print_json, print_rows, table_of

_STATIONS_SHOWN = 5


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="What stations of some makes do otherwise than OCPP says.", no_args_is_help=True)
    client_command(group, "list")(list_quirks)
    client_command(group, "show")(show_quirks)
    client_command(group, "suggest")(suggest_quirks)
    client_command(group, "apply")(apply_quirks)
    group.command("check")(check_file)
    app.add_typer(group, name="quirks")


def list_quirks(reach: Reach, *, as_json: AsJson = False) -> None:
    """List the quirk profiles, built-in ones and your own."""
    with reach.api() as api:
        rows: list[Row] = api.get(path("quirks"))
    columns = (
        Column("PROFILE", "name", whole=True),
        Column("FOR", _makes),
        Column("SWITCHES", lambda row: _switches(row["switches"])),
        Column("REASON", "reason", wrap=True),
        Column("FROM", "origin"),
    )
    print_rows(columns, rows, as_json=as_json, none="there are no quirk profiles")


def show_quirks(reach: Reach, station: Station, *, as_json: AsJson = False) -> None:
    """Show what is in force for a station, and why."""
    with reach.api() as api:
        shown: Row = api.get(path("stations", station, "quirks"))
    if as_json:
        print_json(shown)
        return
    make = " ".join(shown[name] for name in ("vendor", "model", "firmware") if shown[name])
    print_fields(
        [
            ("station", shown["station"]),
            ("make", make or "not known: it has not booted here"),
            ("chosen", ", ".join(shown["chosen"]) or "none"),
            ("unknown", ", ".join(shown["unknown"]) or None),
            ("in force", _switches(shown["effective"]) or "none: it is treated as OCPP says"),
        ]
    )
    if shown["applied"]:
        heading("why, the last one wins")
        columns = (
            Column("SWITCH", "switch", whole=True),
            Column("VALUE", lambda row: json.dumps(row["value"])),
            Column("PROFILE", "profile"),
            Column("BY", "by"),
            Column("REASON", "reason", wrap=True),
            Column("SOURCE", "source", wrap=True),
        )
        console().print(table_of(columns, shown["applied"]))


def suggest_quirks(
    reach: Reach,
    station: Annotated[str | None, typer.Argument(help="Only from what this one showed.", show_default=False)] = None,
    *,
    vendor: Annotated[str | None, typer.Option(help="Only of this vendor.", show_default=False)] = None,
    toml: Annotated[bool, typer.Option("--toml", help="As profiles for your quirk file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say which quirks could help, from what was noticed. Nothing is applied by itself."""
    with reach.api() as api:
        query = {"station": station, "vendor": vendor}
        rows: list[Row] = api.get("/api/v1/quirk-suggestions", query)
    if toml and not as_json:
        for row in rows:
            typer.echo(f"# {row['caution']}\n{row['profile']}\n")
        return
    columns = (
        Column("QUIRK", "quirk", whole=True),
        Column("MAKE", lambda row: " ".join(filter(None, (row["vendor"], row["model"], row["firmware"])))),
        Column("STATIONS", lambda row: _some(row["stations"])),
        Column("TIMES", "count", right=True),
        Column("WHY", "why", wrap=True),
        Column("BUT", "caution", wrap=True),
        Column("EXAMPLE", "example"),
    )
    print_rows(columns, rows, as_json=as_json, none="nothing that a quirk could help was noticed")
    if rows and not as_json:
        typer.echo("for one station: narke quirks apply STATION QUIRK; for all of a make: --toml", err=True)


def apply_quirks(
    reach: Reach,
    station: Station,
    quirks: Annotated[
        list[str] | None,
        typer.Argument(help="Profiles, or switch=value, e.g. utc_offset_min=60.", show_default=False),
    ] = None,
    *,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", help="Take this one away; may be given several times.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take all away first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a station quirks beside those of its make, or take them away. From its next connection or boot on."""
    if not (quirks or remove or clear):
        raise usage("nothing to do", "name quirks (`narke quirks list`), or --remove or --clear")
    with reach.api() as api:
        chosen: list[str] = [] if clear else list(api.get(path("stations", station, "quirks"))["chosen"])
        gone = [name for name in remove or [] if name not in chosen]
        if gone:
            have = ", ".join(chosen) or "none"
            raise usage(f"{station} does not have {', '.join(gone)}", f"chosen for it are: {have}")
        wanted = [name for name in chosen if name not in (remove or [])]
        wanted += [name for name in quirks or [] if name not in wanted]
        shown: Row = api.send("PUT", path("stations", station, "quirks"), {"quirks": wanted})
    if as_json:
        print_json(shown)
    else:
        typer.echo(f"{station}: {', '.join(shown['chosen']) or 'none'}; from its next connection or boot on")


def check_file(
    file: Annotated[Path, typer.Argument(help="A quirk file, as `actors.quirks_file` names it.", show_default=False)],
) -> None:
    """Check a quirk file before Narke is started with it."""
    from engine import quirk_files  # noqa: PLC0415 (not for --help)

    try:
        book = quirk_files.load(file)
    except quirk_files.BadQuirkFile as error:
        CliError(str(error), "correct the file; docs/quirks.md says what may stand in it", ExitCode.USAGE).tell()
        raise typer.Exit(ExitCode.USAGE) from None
    own = [profile.name for profile in book.profiles.values() if profile.origin != quirk_files.BUILT_IN]
    typer.echo(f"{file}: good; profiles: {', '.join(own) or 'none'}")


def _makes(row: Row) -> str:
    patterns = [f"{name} {' or '.join(row[name])}" for name in ("vendor", "model", "firmware") if row[name]]
    return ", ".join(patterns) or "stations that name it"


def _switches(switches: dict[str, Any]) -> str:
    return ", ".join(f"{name}={json.dumps(value)}" for name, value in switches.items())


def _some(stations: list[str]) -> str:
    shown = ", ".join(stations[:_STATIONS_SHOWN])
    return shown if len(stations) <= _STATIONS_SHOWN else f"{shown} and {len(stations) - _STATIONS_SHOWN} more"
