"""`narke status` and `narke version`: how Narke is."""

from importlib.metadata import version as version_of
from typing import Any

import typer

from deploy.cli.command import AsJson, Reach, client_command
from deploy.cli.errors import ExitCode
from deploy.cli.output import Column, Row, console, energy, heading, print_fields, print_json, table_of, when

_COMPONENTS = (
    Column("PART", "name"),
    Column("STATE", lambda row: "ready" if row["ready"] else "not ready"),
    Column("DETAIL", "detail", wrap=True),
)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "status")(show_status)
    app.command("version")(show_version)


def show_status(reach: Reach, *, as_json: AsJson = False) -> None:
    """Show parts and figures of the running Narke. Exit status 6 when a part is not ready."""
    with reach.api() as api:
        status: Row = api.get("/api/v1/status")
    if as_json:
        print_json(status)
    else:
        _print(status)
    if not status["ready"]:
        raise typer.Exit(ExitCode.UNREACHABLE)


def show_version(*, as_json: AsJson = False) -> None:
    """Show the version of this command."""
    version = version_of("narke")
    if as_json:
        print_json({"version": version})
    else:
        typer.echo(f"narke {version}")


def _print(status: Row) -> None:
    typer.echo(f"Narke {status['version']}, {when(status['now'])}\n")
    console().print(table_of(_COMPONENTS, status["components"]))
    counts = status["counts"]
    if counts is None:
        heading("no figures: PostgreSQL does not answer")
        return
    typer.echo()
    print_fields(_figures(counts))


def _figures(counts: Row) -> list[tuple[str, Any]]:
    today = f"today {counts['transactions_started_today']} started, {counts['transactions_ended_today']} ended"
    return [
        ("stations", f"{counts['stations_connected']} of {counts['stations']} connected{_split(counts, 'OCPP ')}"),
        ("connectors", _words(counts["connectors_by_status"])),
        ("transactions", f"{counts['transactions_open']} open; {today}"),
        ("energy", f"{energy(counts['energy_ended_today_wh'])} today, {energy(counts['energy_open_wh'])} in open ones"),
        ("tokens", counts["tokens"]),
        ("commands", f"{counts['commands_open']} open"),
        ("bad entries", counts["bad_entries"] or None),
    ]


def _split(counts: Row, prefix: str) -> str:
    versions = counts["stations_connected_by_version"]
    return f" ({_words({f'{prefix}{version}': count for version, count in versions.items()})})" if versions else ""


def _words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
