"""Failures of the command line: what is wrong, where, what to do, and the exit status that scripts can tell them by."""

from enum import IntEnum

import typer


class ExitCode(IntEnum):
    """Exit status of `narke`."""

    USAGE = 2
    """The command line is wrong."""
    NOT_FOUND = 3
    """There is no such station, transaction, token, ..."""
    STATION = 4
    """The station is offline or did not answer in time."""
    REFUSED = 5
    """Refused: by the station, its OCPP version, a schema, or for the key's scope."""
    UNREACHABLE = 6
    """Narke cannot be reached, or a part of it does not answer."""


class CliError(Exception):
    """A failure to tell. `what` includes where; `todo` is the way out."""

    def __init__(self, what: str, todo: str, code: ExitCode) -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo
        self.code = code

    def tell(self) -> None:
        """Writes it to stderr."""
        typer.secho("error: ", err=True, nl=False, fg="red", bold=True)
        typer.echo(printable(self.what), err=True)
        typer.secho("to do: ", err=True, nl=False, bold=True)
        typer.echo(printable(self.todo), err=True)


def usage(what: str, todo: str) -> CliError:
    """The command line is wrong."""
    return CliError(what, todo, ExitCode.USAGE)


def printable(text: str) -> str:
    """Without control characters: what a station says of itself must not move the cursor of a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)
