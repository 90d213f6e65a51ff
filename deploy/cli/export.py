"""Exports to a file or to standard output. A file appears when it is whole, never half of it."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import typer

from deploy.cli.errors import CliError, ExitCode
from deploy.cli.output import Row, print_json

Step = Callable[[int], None]


def export_bytes(chunks: Iterable[bytes], output: Path | None) -> None:
    """Writes chunks as they come.

    Raises:
        CliError: The file cannot be written, or the chunks break off.
    """
    if output is None:
        stdout = typer.get_binary_stream("stdout")
        for chunk in chunks:
            stdout.write(chunk)
        stdout.flush()
        return
    with _whole_file(output) as file, _progress() as step:
        for chunk in chunks:
            file.write(chunk)
            step(len(chunk))
    typer.echo(f"{output} written", err=True)


def export_json(rows: Iterable[Row], output: Path | None) -> None:
    """Writes rows as a JSON array, one row a line, without holding them all. Raises CliError."""
    if output is None:
        print_json(list(rows))
        return
    export_bytes(_json_lines(rows), output)


def _json_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    opening = "["
    for row in rows:
        yield f"{opening}\n{json.dumps(row, ensure_ascii=False)}".encode()
        opening = ","
    yield b"[]\n" if opening == "[" else b"\n]\n"


@contextlib.contextmanager
def _whole_file(output: Path) -> Iterator[BinaryIO]:
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    except OSError as error:
        todo = "name a file in a directory that exists, on a disk with room, that you may write"
        raise CliError(f"{output} cannot be written: {error.strerror}", todo, ExitCode.USAGE) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def _progress() -> Iterator[Step]:
    """Bytes so far, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 (rich: only where it shows)
    from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("exporting"), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("exporting", total=None)
        yield lambda size: progress.advance(task, size)
