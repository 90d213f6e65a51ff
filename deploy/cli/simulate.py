"""`narke simulate`: the seeded simulation. Progress, a summary, and for a failing seed how to see it again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.errors import CliError, usage

if TYPE_CHECKING:
    from deploy.simulation.campaign import Campaign
    from deploy.simulation.house import Setting
    from deploy.simulation.run import Run

VIOLATED = 1
TRACE_LINES = 60
"""Of a failing seed, when nobody asked for the whole trace."""
VIOLATIONS_SHOWN = 10
SEEDS_SHOWN = 20

Seeds = Annotated[int, typer.Option(min=1, max=10_000_000, help="Number of seeds to run.")]
From = Annotated[int, typer.Option("--from", min=0, help="First seed.")]
One = Annotated[int | None, typer.Option("--seed", min=0, help="Run this seed only.", show_default=False)]
Traced = Annotated[bool, typer.Option("--trace", help="With --seed: print what happened: time, who, what.")]
Days = Annotated[float, typer.Option(min=0.01, max=60, help="Simulated days of each seed.")]
Stations = Annotated[int, typer.Option(min=1, max=200, help="Stations of each seed.")]
Jobs = Annotated[int, typer.Option(min=1, max=256, help="Processes.")]
FaultKinds = Annotated[
    str | None,
    typer.Option("--faults", help="Faults that may strike, by comma; 'none': calm weather.", show_default="all"),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(simulate)


def simulate(  # noqa: PLR0913 (each is a flag of the command)
    *,
    seeds: Seeds = 1_000,
    first: From = 0,
    seed: One = None,
    trace: Traced = False,
    days: Days = 1.0,
    stations: Stations = 3,
    jobs: Jobs = 1,
    faults: FaultKinds = None,
) -> None:
    """Run the core and simulated stations in virtual time, with faults drawn from seeds, and check what must hold."""
    from deploy.simulation.house import Setting  # noqa: PLC0415 (heavy: `narke --help` must be quick)

    try:
        if trace and seed is None:
            raise usage("--trace tells of one seed", "add --seed NUMBER")
        setting = Setting(stations=stations, days=days, kinds=_kinds(faults))
    except CliError as error:
        error.tell()
        raise typer.Exit(error.code) from None
    failed = _one(seed, setting, trace=trace) if seed is not None else _many(range(first, first + seeds), setting, jobs)
    if failed:
        raise typer.Exit(VIOLATED)


def _kinds(faults: str | None) -> tuple[str, ...]:
    """Kinds of faults as they were asked for. Raises CliError."""
    from deploy.simulation.chance import KINDS  # noqa: PLC0415 (heavy)

    if faults is None:
        return KINDS
    if faults == "none":
        return ()
    asked = [kind.strip() for kind in faults.split(",") if kind.strip()]
    unknown = [kind for kind in asked if kind not in KINDS]
    if unknown or not asked:
        named = ", ".join(unknown) or repr(faults)
        raise usage(f"--faults: there is no fault {named}", f"choose from {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in asked)


def _one(seed: int, setting: "Setting", *, trace: bool) -> bool:
    """Runs one seed; whether it failed."""
    from deploy.simulation.run import simulate as run_seed  # noqa: PLC0415 (heavy)

    run = run_seed(seed, setting, traced=trace)
    for line in run.trace:
        typer.echo(line)
    if run.digest:
        typer.echo(f"trace {run.digest}", err=True)
    _tell_violations(run)
    if not run.violations:
        typer.echo(f"seed {seed}: no violation", err=True)
    return bool(run.violations)


def _many(seeds: range, setting: "Setting", jobs: int) -> bool:
    """Runs many; whether one failed."""
    from deploy.simulation.campaign import run_seeds  # noqa: PLC0415 (heavy)

    with _progress(len(seeds)) as step:
        campaign = run_seeds(seeds, setting, jobs=jobs, on_run=step)
    _sum_up(campaign)
    for seed in sorted(campaign.failed)[:SEEDS_SHOWN]:
        _tell_violations(campaign.failed[seed])
    if len(campaign.failed) > SEEDS_SHOWN:
        typer.echo(f"... and {len(campaign.failed) - SEEDS_SHOWN} seeds more", err=True)
    if campaign.failed:
        _tell_smaller(min(campaign.failed), setting)
    return bool(campaign.failed)


@contextmanager
def _progress(seeds: int) -> Iterator[Callable[["Run"], None]]:
    """A bar on a terminal; violations as they come, in any case."""
    from rich.console import Console  # noqa: PLC0415 (rich: only where it shows)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    console = Console(stderr=True, highlight=False)
    failed = 0
    columns = (
        TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TextColumn("seeds, {task.fields[failed]} failed"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("simulating", total=seeds, failed=0)

        def step(run: "Run") -> None:
            nonlocal failed
            if run.violations:
                failed += 1
                progress.console.print(f"seed {run.seed}: {run.violations[0]}", markup=False, style="red")
            progress.update(task, advance=1, failed=failed)

        yield step


def _sum_up(campaign: "Campaign") -> None:
    from deploy.cli.output import print_fields  # noqa: PLC0415 (rich)

    seen = campaign.seen
    totals: list[tuple[str, Any]] = [
        ("seeds", f"{campaign.seeds:,}" + (" (stopped by Ctrl-C)" if campaign.interrupted else "")),
        ("violations", f"{campaign.violations:,} in {len(campaign.failed):,} seeds"),
        ("station-days", f"{seen.station_days:,.0f}"),
        ("CPU", f"{seen.cpu_s:,.1f} s"),
        ("station-days per CPU second", f"{campaign.station_days_per_cpu_s:.1f}"),
    ]
    _titled("", totals, print_fields)
    _titled("gone through", [(name, f"{count:,}") for name, count in seen.events.items()], print_fields)
    struck = [(name, f"{count:,}") for name, count in sorted(seen.faults.items())]
    _titled(f"faults: {sum(seen.faults.values()):,}", struck, print_fields)


def _titled(title: str, fields: list[tuple[str, Any]], show: Callable[[list[tuple[str, Any]]], None]) -> None:
    from deploy.cli.output import heading  # noqa: PLC0415 (rich)

    if title:
        heading(title)
    show(fields)


def _replay(seed: int, setting: "Setting") -> str:
    """The command that shows a seed again."""
    from deploy.simulation.house import Setting as Default  # noqa: PLC0415 (heavy)

    default = Default()
    line = f"narke simulate --seed {seed}"
    if setting.stations != default.stations:
        line += f" --stations {setting.stations}"
    if setting.days != default.days:
        line += f" --days {setting.days:g}"
    if setting.kinds != default.kinds:
        line += f" --faults {','.join(setting.kinds) or 'none'}"
    return f"{line} --trace"


def _tell_violations(run: "Run") -> None:
    """What was wrong with a seed, and how to see it again."""
    if not run.violations:
        return
    typer.secho(f"\nseed {run.seed}: {len(run.violations)} violations", err=True, fg="red", bold=True)
    for violation in run.violations[:VIOLATIONS_SHOWN]:
        typer.echo(f"  {violation[:400]}", err=True)
    typer.echo(f"replay: {_replay(run.seed, run.setting)}", err=True)


def _tell_smaller(seed: int, setting: "Setting") -> None:
    """The first failing seed, made small, and the end of its trace."""
    from deploy.simulation.campaign import shrink  # noqa: PLC0415 (heavy)
    from deploy.simulation.run import simulate as run_seed  # noqa: PLC0415 (heavy)

    smaller = shrink(seed, setting)
    run = run_seed(seed, smaller, traced=True)
    typer.secho(f"\nseed {seed}, made small: {_replay(seed, smaller)}", err=True, bold=True)
    if not run.violations:
        return
    at = next((number for number, line in enumerate(run.trace) if "VIOLATION" in line), len(run.trace))
    for line in run.trace[max(0, at - TRACE_LINES) : at + 3]:
        typer.echo(f"  {line[:240]}", err=True)
