"""`narke keys ...`: who may use the API.

Kept in the data directory of a Narke on this machine; changes take effect at once.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.command import AsJson, Reach, client_command
from deploy.cli.errors import CliError, ExitCode, usage
from deploy.cli.output import Column, moment, print_json, print_rows
from deploy.cli.times import now
from ingress.http.keys import (
    HASHES_FILE,
    ApiKey,
    BadKeyFile,
    Scope,
    described,
    new_key,
    read_keys,
    sha256_of,
    write_keys,
)

_KEYS = (
    Column("NAME", "name"),
    Column("SCOPE", "scope"),
    Column("MADE", moment("created_at")),
    Column("SHA256", "sha256"),
)
KeyName = Annotated[
    str, typer.Argument(help="Name of the key, for people and the record of commands.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    keys = typer.Typer(help="API keys of the Narke whose data directory is on this machine.", no_args_is_help=True)
    client_command(keys, "list")(list_keys)
    client_command(keys, "add")(add_key)
    client_command(keys, "remove")(remove_key)
    app.add_typer(keys, name="keys")


def list_keys(reach: Reach, *, as_json: AsJson = False) -> None:
    """List API keys; of each only a part of its hash is shown."""
    print_rows(_KEYS, described(_read(_file(reach))), as_json=as_json, none="there are no API keys")


def add_key(
    reach: Reach,
    name: KeyName,
    *,
    scope: Annotated[
        Scope, typer.Option(help="How far it goes: read, operate (commands, tokens) or admin (stations).")
    ] = Scope.READ,
    as_json: AsJson = False,
) -> None:
    """Make an API key and show it, this once."""
    file = _file(reach)
    known = _read(file)
    if not name.isprintable() or not 0 < len(name) <= 64:
        raise usage(f"{name!r} is no name of a key", "give 1 to 64 printable characters")
    if any(key.name == name for key in known):
        raise usage(f"{file} has a key {name!r} already", "choose another name, or remove that key first")
    key = new_key()
    _write(file, (*known, ApiKey(name=name, sha256=sha256_of(key), scope=scope, created_at=now())))
    if as_json:
        print_json({"name": name, "scope": scope, "key": key})
    else:
        typer.echo(f"{name} ({scope}), not shown again:", err=True)
        typer.echo(key)


def remove_key(reach: Reach, name: KeyName) -> None:
    """Remove an API key; it opens nothing any more."""
    file = _file(reach)
    known = _read(file)
    left = tuple(key for key in known if key.name != name)
    if len(left) == len(known):
        raise CliError(f"{file} has no key {name!r}", "`narke keys list` shows all", ExitCode.NOT_FOUND)
    _write(file, left)
    typer.echo(f"{name}: removed")


def _file(reach: Reach) -> Path:
    """Raises CliError: no Narke ever started there."""
    file = reach.named.directory / HASHES_FILE
    if not file.exists():
        what = f"{file} is not there: no Narke has started in this data directory"
        raise CliError(what, "name its data directory with --data-dir, or start it with `narke up`", ExitCode.NOT_FOUND)
    return file


def _read(file: Path) -> tuple[ApiKey, ...]:
    try:
        return read_keys(file)
    except BadKeyFile as error:
        raise CliError(str(error), "be the user that Narke runs as, or correct the file", ExitCode.USAGE) from error


def _write(file: Path, keys: tuple[ApiKey, ...]) -> None:
    """Keeps the owner, so that root does not lock Narke out. Raises CliError."""
    try:
        owner = file.stat()
        write_keys(file, keys)
        os.chown(file, owner.st_uid, owner.st_gid)
    except (OSError, ValueError) as error:
        raise CliError(
            f"{file} cannot be written: {error}", "be the user that Narke runs as", ExitCode.USAGE
        ) from error
