"""`narke`: the command line. A client of REST v1, except for what runs Narke itself (`server`, `fleet`).

Nothing heavy is imported before a command needs it; client commands never import Ray, FastAPI or a database driver.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli import (
    audit,
    ca,
    campaigns,
    cap,
    certificates,
    commands,
    data_transfer,
    diagnostics,
    events,
    explain,
    firmware,
    fleet,
    fuzz,
    keys,
    local_list,
    passwords,
    plan,
    profiles,
    quirks,
    records,
    reservations,
    server,
    simulate,
    site,
    smart_bench,
    stations,
    status,
    tariffs,
    tokens,
    transactions,
    variables,
)
from deploy.cli.connection import Named

app = typer.Typer(
    name="narke",
    help="Narke, a charging station management system: starts it, and speaks to one that runs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
_PANEL = "Which Narke"


@app.callback()
def root(
    ctx: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            envvar="NARKE_DATA_DIR",
            help="Data directory of the Narke to speak to.",
            rich_help_panel=_PANEL,
            show_default="~/.local/share/narke",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(envvar="NARKE_URL", help="Its HTTP address instead.", rich_help_panel=_PANEL)
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(envvar="NARKE_API_KEY", help="API key; else the data directory's first.", rich_help_panel=_PANEL),
    ] = None,
) -> None:
    """Narke, a charging station management system: starts it, and speaks to one that runs."""
    ctx.obj = Named(data_dir, url, key)
    if data_dir is not None:  # `narke --data-dir X up` means what `narke up --data-dir X` means
        ctx.default_map = _for_all_commands(ctx.command, str(data_dir))


def _for_all_commands(group: Any, data_dir: str) -> dict[str, Any]:
    """The data directory as the default of every command below, in click's form."""
    commands: dict[str, Any] = getattr(group, "commands", {})
    return {name: {"data_dir": data_dir, **_for_all_commands(command, data_dir)} for name, command in commands.items()}


server.register(app)
simulate.register(app)
fuzz.register(app)
smart_bench.register(app)
fleet.register(app)
for part in (
    audit,
    status,
    stations,
    transactions,
    events,
    commands,
    campaigns,
    records,
    variables,
    data_transfer,
    passwords,
    tokens,
    profiles,
    tariffs,
    keys,
    quirks,
    ca,
    certificates,
    local_list,
    reservations,
    firmware,
    diagnostics,
    site,
    cap,
    plan,
    explain,
):
    part.register(app)


def main() -> None:
    """The entry point `narke`."""
    app()
