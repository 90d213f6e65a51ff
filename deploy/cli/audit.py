"""`narke audit`: a fleet under load, parts killed at random, and all that was acknowledged compared with PostgreSQL."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.errors import ExitCode

if TYPE_CHECKING:
    from loadtests.audit.audit import Progress
    from loadtests.audit.house import Programs, Servers

LINE_S = 10.0
"""Between lines of progress where nobody looks at a terminal."""
_INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(audit)


def audit(  # noqa: PLR0913 (each is a flag of the command)
    *,
    duration: Annotated[str, typer.Option(help="How long there is load: 90s, 30m, 1h.")] = "30m",
    stations: Annotated[int, typer.Option(help="How many.")] = 5_000,
    kill_every: Annotated[str, typer.Option(help="One strike in each such time.")] = "20s",
    seed: Annotated[int, typer.Option(help="Of the plan of kills and of the fleet.")] = 1,
    nodes: Annotated[
        int | None, typer.Option(help="Ray nodes of the Narke that is started.", show_default="2; 1 with --data-dir")
    ] = None,
    victims: Annotated[
        str | None, typer.Option(help="What may be killed, comma between.", show_default="all that can be")
    ] = None,
    version: Annotated[str, typer.Option(help="OCPP versions, dealt out in turn.")] = "1.6,2.0.1,2.1",
    meter_interval: Annotated[str, typer.Option(help="Between meter values of a station.")] = "10s",
    report: Annotated[
        Path | None, typer.Option(help="Write the report there too; as JSON if it ends in .json.", show_default=False)
    ] = None,
    running: Annotated[
        Path | None,
        typer.Option(
            "--data-dir", help="Audit the Narke that runs there, and kill ITS parts.", show_default="one is started"
        ),
    ] = None,
    postgres_url: Annotated[
        str | None, typer.Option(help="Its PostgreSQL, where that is not its own.", show_default=False)
    ] = None,
) -> None:
    """Kill parts of Narke under load; then check that nothing it acknowledged is lost, doubled or changed."""
    # Not named data_dir, as in other commands: what NARKE_DATA_DIR names must not be killed unasked.
    from loadtests.audit.audit import check, run_audit  # noqa: PLC0415 (heavy)
    from loadtests.audit.options import AuditError, AuditOptions, seconds_of, victims_of  # noqa: PLC0415 (heavy)

    nodes = nodes if nodes is not None else (1 if running is not None else 2)
    try:
        options = AuditOptions(
            duration_s=seconds_of(duration, "--duration"),
            stations=stations,
            kill_every_s=seconds_of(kill_every, "--kill-every"),
            seed=seed,
            nodes=nodes,
            victims=_words(victims) if victims is not None else victims_of(nodes),
            versions=_words(version),
            meter_interval_s=seconds_of(meter_interval, "--meter-interval"),
            data_dir=running,
            postgres_url=postgres_url,
        )
        check(options)
        _check_report(report)
    except AuditError as error:
        _say(error)
        raise typer.Exit(ExitCode.USAGE) from None
    try:
        with _Shown() as shown:
            result = run_audit(options, programs(), shown.show)
    except AuditError as error:
        _say(error)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        _say("interrupted; nothing was compared")
        raise typer.Exit(_INTERRUPTED) from None
    typer.echo(result.as_text())
    if report is not None:
        result.write(report)
    raise typer.Exit(0 if result.is_good else 1)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _check_report(file: Path | None) -> None:
    """Before half an hour has passed."""
    from loadtests.audit.options import AuditError  # noqa: PLC0415 (heavy)

    if file is not None:
        try:
            with file.open("a"):
                pass
        except OSError as error:
            raise AuditError(f"--report {file} cannot be written: {error.strerror}") from None


def _say(error: object) -> None:
    Console(stderr=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)


def programs() -> "Programs":
    """Narke and Ray as they are installed beside this Python."""
    from loadtests.audit.house import Programs  # noqa: PLC0415 (heavy)

    narke = (sys.executable, "-c", "from deploy.cli import main; main()")
    return Programs(narke=narke, ray=(str(Path(sys.executable).with_name("ray")),), servers=_servers)


def _servers(folder: Path) -> "Servers":
    """PostgreSQL and Redis for a Narke on several nodes, which cannot start its own."""
    from deploy import logs  # noqa: PLC0415 (heavy)
    from deploy.servers.local import LocalServers  # noqa: PLC0415 (heavy)
    from deploy.settings import Settings  # noqa: PLC0415 (heavy)

    logs.configure("warning", "console", process="audit")  # to stderr: that they die is to be seen beside the progress
    return LocalServers(Settings(data_dir=folder))


class _Shown:
    """Progress: a line that changes on a terminal, else one line now and then. On stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._status = self._console.status("") if self._console.is_terminal else None
        self._phase = ""
        self._said_at = 0.0

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, progress: "Progress") -> None:
        away = f", away: {', '.join(progress.away)}" if progress.away else ""
        line = (
            f"{progress.seconds:6.0f} s  {progress.phase}: {progress.connected} connected, "
            f"{progress.answers} answers, {progress.kills} kills{away}"
        )
        now = time.monotonic()
        if self._status is not None:
            self._status.update(escape(line))
        elif progress.phase != self._phase or now - self._said_at >= LINE_S:
            self._said_at = now
            self._console.print(escape(line), highlight=False, soft_wrap=True)
        self._phase = progress.phase
