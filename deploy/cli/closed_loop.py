"""`narke smart-bench --closed-loop`: the planner of a whole Narke against virtual stations in trouble; meters judge."""

import json
import sys
import time
from typing import TYPE_CHECKING, Self

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.errors import usage

if TYPE_CHECKING:
    from loadtests.sites.closed_loop import Progress
    from loadtests.sites.loop_options import LoopOptions

LINE_S = 10.0
"""Between lines of progress where nobody looks at a terminal."""
_INTERRUPTED = 130


def run(*, stations: int = 24, minutes: float = 5.0, seed: int = 1, as_json: bool = False) -> None:
    """Runs a closed loop and prints what the meters found; exits with 1 where a limit was broken.

    Args:
        stations: Charging stations, on as many sites as suit them.
        minutes: How long cars charge, in real time.
        seed: Of sites, cars and trouble.
        as_json: For programs.

    Raises:
        CliError: It cannot be run as asked.
        typer.Exit: 0: no limit was broken; 1: one was, or it could not be brought to its end.
    """
    from loadtests.sites.closed_loop import run_closed_loop  # noqa: PLC0415 (heavy)
    from loadtests.sites.loop_options import LoopError  # noqa: PLC0415 (heavy)

    options = _options(stations, minutes, seed)
    from deploy.cli.audit import programs  # noqa: PLC0415 (heavy)

    try:
        with _Shown() as shown:
            report = run_closed_loop(options, programs(), shown.show)
    except LoopError as error:
        Console(stderr=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; the meters were not asked")
        raise typer.Exit(_INTERRUPTED) from None
    typer.echo(json.dumps(report.as_dict(), indent=2) if as_json else report.as_text())
    raise typer.Exit(0 if report.is_good else 1)


def _options(stations: int, minutes: float, seed: int) -> "LoopOptions":
    from loadtests.sites.loop_options import LoopError, LoopOptions  # noqa: PLC0415 (heavy)

    try:
        return LoopOptions(stations=stations, minutes=minutes, seed=seed)
    except LoopError as error:
        raise usage(str(error), "`narke smart-bench --help` lists the options") from None


class _Shown:
    """Progress on stderr: a line that changes on a terminal, else one now and then."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._status = self._console.status("") if sys.stderr.isatty() else None
        self._phase, self._said_at = "", 0.0

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, progress: "Progress") -> None:
        line = (
            f"{progress.seconds:6.0f} s  {progress.phase}: {progress.charging} charging, "
            f"{progress.violations} violations"
        )
        now = time.monotonic()
        if self._status is not None:
            self._status.update(escape(line))
        elif progress.phase != self._phase or now - self._said_at >= LINE_S:
            self._said_at = now
            self._console.print(escape(line), highlight=False, soft_wrap=True)
        self._phase = progress.phase
