"""`narke fuzz`: frames with anything wrong with them, against the code in this process or against a socket."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.errors import CliError, ExitCode, printable

if TYPE_CHECKING:
    from deploy.fuzzing import Result
    from loadtests.fuzz.talking import Talk

FAILED = 1
FAILURES_SHOWN = 5
_SHOWN = 1_500

Count = Annotated[int, typer.Option("--frames", min=1, max=1_000_000_000, help="Number of frames.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed: the same one draws the same frames.")]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Endpoint of a running CSMS, e.g. ws://127.0.0.1:9000/ocpp: one station per OCPP version talks to it.",
        show_default="the code in this process",
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(fuzz)


def fuzz(*, frames: Count = 100_000, seed: Seed = 0, url: Url = None) -> None:
    """Send random and spoiled OCPP frames, and check that each is answered with something documented."""
    if url is None:
        failed = _in_this_process(frames, seed)
    else:
        try:
            failed = asyncio.run(_through_sockets(url.rstrip("/"), frames, seed))
        except CliError as error:
            error.tell()
            raise typer.Exit(error.code) from None
    if failed:
        raise typer.Exit(FAILED)


def _in_this_process(frames: int, seed: int) -> bool:
    from deploy.fuzzing import fuzz as run  # noqa: PLC0415 (heavy: `narke --help` must be quick)

    with _progress(frames) as at:
        result = run(frames, seed, at)
    _sum_up(result)
    for failure in result.failures[:FAILURES_SHOWN]:
        typer.secho(f"\nframe {failure.frame}, {failure.version}, {failure.mutation}", err=True, fg="red", bold=True)
        typer.echo(printable(f"  {failure.text[:_SHOWN]}\n{failure.what[:_SHOWN]}"), err=True)
    if result.leaks:
        typer.secho("memory grew more than it may", err=True, fg="red", bold=True)
    if result.failures or result.leaks:
        typer.echo(f"\nagain: narke fuzz --frames {frames} --seed {seed}", err=True)
    return bool(result.failures) or result.leaks


def _sum_up(result: "Result") -> None:
    from deploy.cli.output import Column, heading, print_fields, print_rows  # noqa: PLC0415 (rich)

    print_fields(
        [
            ("frames", f"{result.frames:,} (seed {result.seed})"),
            ("failures", f"{len(result.failures):,}"),
            ("CPU", f"{result.cpu_s:,.1f} s, {result.cpu_s / max(result.frames, 1) * 1e6:,.0f} us a frame"),
            ("memory", f"{result.kib_warm / 1024:,.1f} MiB after a tenth, {result.kib_end / 1024:,.1f} MiB at the end"),
        ]
    )
    heading("answered")
    versions = sorted({version for version, _ in result.answers})
    rows = [
        {"answer": answer, **{version: f"{result.answers[version, answer]:,}" for version in versions}}
        for answer in sorted({answer for _, answer in result.answers})
    ]
    columns = [Column("answer", "answer"), *(Column(version, version, right=True) for version in versions)]
    print_rows(columns, rows, as_json=False, none="nothing")
    heading("what was wrong with them")
    print_fields([(name, f"{count:,}") for name, count in result.mutations.most_common()])


async def _through_sockets(url: str, frames: int, seed: int) -> bool:
    from engine.ocpp.catalogue import actions  # noqa: PLC0415 (heavy)
    from engine.ocpp.versions import Version  # noqa: PLC0415 (heavy)
    from loadtests.fuzz.talking import Refused, talk  # noqa: PLC0415 (heavy)

    with _progress(frames) as at:
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            at(done)

        share = [len(range(number, frames, len(Version))) for number in range(len(Version))]
        try:
            talks = await asyncio.gather(
                *(
                    talk(
                        f"{url}/FUZZ-{version.value}",
                        version.value,
                        [row.name for row in actions(version).values() if row.from_station is not None],
                        frames=count,
                        seed=seed,
                        on_frame=step,
                    )
                    for version, count in zip(Version, share, strict=True)
                )
            )
        except Refused as error:
            todo = "is it running, and does it let stations without a password in?"
            raise CliError(str(error), todo, ExitCode.UNREACHABLE) from error
    for told in talks:
        _tell(told)
    return any(told.failures for told in talks)


def _tell(told: "Talk") -> None:
    from deploy.cli.output import heading, print_fields  # noqa: PLC0415 (rich)

    heading(f"OCPP {told.version}")
    print_fields(
        [
            ("frames", f"{told.frames:,}"),
            ("heartbeats answered", f"{told.beats:,}"),
            *((answer, f"{count:,}") for answer, count in told.answers.most_common()),
            *((f"closed with {code}", f"{count:,}") for code, count in sorted(told.closes.items())),
        ]
    )
    for failure in told.failures[:FAILURES_SHOWN]:
        typer.secho(printable(failure[:_SHOWN]), err=True, fg="red")


@contextmanager
def _progress(frames: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal."""
    from rich.console import Console  # noqa: PLC0415 (rich: only where it shows)
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True, highlight=False)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("fuzzing", total=frames)
        yield lambda done: progress.update(task, completed=done)
