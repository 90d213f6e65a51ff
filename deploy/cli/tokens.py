"""`narke tokens ...`: what drivers present, one by one or by file."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.client import path
from deploy.cli.command import AsJson, Limit, Reach, client_command
from deploy.cli.errors import CliError, usage
from deploy.cli.export import Step
from deploy.cli.output import Column, Row, moment, print_fields, print_json, print_rows, when
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import now, parse_time
from deploy.cli.token_files import read_tokens

_ITEM = re.compile(r"body\[(\d+)\]\.?")
CHUNK = 1_000
"""Tokens of one request: small enough for a progress bar that moves."""

_TOKENS = (
    Column("TOKEN", "token"),
    Column("TYPE", "type"),
    Column("STATE", lambda row: "blocked" if row["blocked"] else "ok"),
    Column("EXPIRES", moment("expires_at")),
    Column("GROUP", "group"),
    Column("NOTE", "note", wrap=True),
)
TokenName = Annotated[str, typer.Argument(help="The token; case does not matter.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    tokens = typer.Typer(help="Tokens: what drivers present and what they may do.", no_args_is_help=True)
    client_command(tokens, "list")(list_tokens)
    client_command(tokens, "show")(show_token)
    client_command(tokens, "add")(add_token)
    client_command(tokens, "remove")(remove_token)
    client_command(tokens, "import")(import_tokens)
    app.add_typer(tokens, name="tokens")


def list_tokens(
    reach: Reach,
    *,
    search: Annotated[str | None, typer.Option(help="Text in token, group or note.", show_default=False)] = None,
    group: Annotated[str | None, typer.Option(help="Only of this group.", show_default=False)] = None,
    blocked: Annotated[
        bool | None, typer.Option("--blocked/--not-blocked", help="Only blocked ones, or only others.")
    ] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List tokens."""
    with reach.api() as api:
        rows = list(api.rows("/api/v1/tokens", {"search": search, "group": group, "blocked": blocked}, limit))
    print_rows(_TOKENS, rows, as_json=as_json, none="no token is known, or none that matches")
    hint_of_limit(rows, limit, as_json=as_json)


def show_token(reach: Reach, token: TokenName, *, as_json: AsJson = False) -> None:
    """Show a token."""
    with reach.api() as api:
        row: Row = api.get(path("tokens", token))
    if as_json:
        print_json(row)
        return
    print_fields(
        [
            ("token", row["token"]),
            ("type", row["type"]),
            ("state", "blocked" if row["blocked"] else "ok"),
            ("expires", when(row["expires_at"])),
            ("group", row["group"]),
            ("note", row["note"]),
            ("only at", ", ".join(row["places"]) or None),
            ("hours", f"{', '.join(row['hours'])} ({row['time_zone']})" if row["hours"] else None),
            ("credit", row["credit"]),
            ("at once", row["concurrent_max"]),
            ("in local lists", row["in_local_list"]),
            ("priority", row["priority"]),
            ("language", row["language"]),
            ("message", row["message"]),
        ]
    )


def add_token(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    token: TokenName,
    *,
    token_type: Annotated[
        str | None, typer.Option("--type", help="2.x idToken type, e.g. ISO14443.", show_default=False)
    ] = None,
    blocked: Annotated[bool, typer.Option("--blocked", help="Refused everywhere.")] = False,
    expires: Annotated[
        str | None, typer.Option(help="Refused from then on, e.g. 2027-01-01.", show_default=False)
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Group: 1.6 parentIdTag, 2.x groupIdToken.", show_default=False)
    ] = None,
    note: Annotated[str | None, typer.Option(help="For people.", show_default=False)] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at", help="Only there: STATION or STATION:EVSE, * for any text; can be repeated.", show_default=False
        ),
    ] = None,
    hours: Annotated[
        list[str] | None,
        typer.Option(help="Only then, e.g. 'Mo-Fr 08:00-18:00'; can be repeated.", show_default=False),
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Of the hours, e.g. Europe/Berlin.")] = "UTC",
    credit: Annotated[
        float | None, typer.Option(help="What is left on a prepaid card.", show_default="none is")
    ] = None,
    concurrent: Annotated[
        int | None, typer.Option(min=0, help="Transactions at once; 0: any.", show_default="as Narke is set")
    ] = None,
    in_local_list: Annotated[
        bool | None,
        typer.Option("--in-local-list/--not-in-local-list", help="Whether stations get it in their local lists."),
    ] = None,
    priority: Annotated[
        int | None, typer.Option(min=-9, max=9, help="2.x charging priority.", show_default=False)
    ] = None,
    language: Annotated[str | None, typer.Option(help="The driver's, e.g. de.", show_default=False)] = None,
    message: Annotated[str | None, typer.Option(help="Shown to the driver (2.x).", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Add a token, or replace what is known of it."""
    body = {
        "type": token_type,
        "blocked": blocked,
        "expires_at": parse_time(expires, "--expires", now()),
        "group": group,
        "note": note,
        "places": at or [],
        "hours": hours or [],
        "time_zone": time_zone,
        "credit": credit,
        "concurrent_max": concurrent,
        "in_local_list": in_local_list,
        "priority": priority,
        "language": language,
        "message": message,
    }
    with reach.api() as api:
        saved: Row = api.send("PUT", path("tokens", token), body)
    if as_json:
        print_json(saved)
    else:
        typer.echo(f"{saved['token']}: saved")


def remove_token(reach: Reach, token: TokenName) -> None:
    """Remove a token: it is unknown from now on."""
    with reach.api() as api:
        api.send("DELETE", path("tokens", token))
    typer.echo(f"{token}: removed")


def import_tokens(
    reach: Reach,
    file: Annotated[Path, typer.Argument(help="CSV with a header line, or JSON.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Add or replace the tokens of a file.

    Columns: token, type, blocked, expires_at, group, note, places and hours (several: separated by semicolons),
    time_zone, credit, concurrent_max, in_local_list, priority, language, language2, message.
    """
    rows = read_tokens(file)
    if not rows:
        raise usage(f"{file} holds no tokens", "write one token a line, below the header line")
    saved = 0
    with reach.api() as api, _progress(len(rows)) as step:
        for begin in range(0, len(rows), CHUNK):
            chunk = rows[begin : begin + CHUNK]
            try:
                saved += api.send("POST", "/api/v1/tokens", [row for _, row in chunk])["saved"]
            except CliError as error:
                raise _located(error, [where for where, _ in chunk], saved) from error
            step(len(chunk))
    if as_json:
        print_json({"saved": saved})
    else:
        typer.echo(f"{saved} tokens saved")


def _located(error: CliError, places: list[str], saved: int) -> CliError:
    """The error in terms of the file, not of the request that carried a part of it."""

    def place_of(match: re.Match[str]) -> str:
        index = int(match[1])
        return f"{places[index]}: " if index < len(places) else match[0]

    what = f"{_ITEM.sub(place_of, error.what)}\n{saved} tokens before {places[0]} are saved"
    todo = f"{_ITEM.sub(place_of, error.todo)}; then import the file again: saving twice does no harm"
    return CliError(what, todo, error.code)


@contextmanager
def _progress(total: int) -> Iterator[Step]:
    """A bar, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 (rich: only where it shows)
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("importing", total=total)
        yield lambda count: progress.advance(task, count)
