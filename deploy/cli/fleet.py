"""The command `narke fleet`: virtual stations against any CSMS. Parses flags, prints, and hands on.

The fleet is imported inside the command: `narke --help` must be quick.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from deploy import run_file
from deploy.cli.server import DataDirOption, JsonOption, fail, folder_of
from deploy.run_file import RunFileBroken

if TYPE_CHECKING:
    from loadtests.fleet import Crew, FleetOptions, FleetResult
    from loadtests.fleet import Fleet as OneProcess
    from loadtests.mix import Mix
    from loadtests.scenario import Scenario

VERSIONS = "1.6,2.0.1,2.1"
CONNECT_PER_S = 500
"""Stations that begin to connect in a second, unless the user says otherwise."""
CONNECT_S_MIN = 2.0
_SHOWN_APART = {"latencies", "connecting", "waves", "behaviours", "invariants"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(fleet)


def fleet(  # noqa: PLR0913 (each is a flag of the command)
    *,
    stations: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many.")] = 24,
    version: Annotated[
        str | None, typer.Option(help="OCPP versions, dealt out in turn.", show_default=f"the mix's, else {VERSIONS}")
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option(help="Shares of versions, behaviours and habits: a TOML file, or one of --list-mixes."),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="What happens: one of --list-scenarios, e.g. blackout:share=0.5,off_s=20.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the stations.")] = 1,
    url: Annotated[
        str | None, typer.Option(help="ws://host:port/ocpp", show_default="the Narke that runs here")
    ] = None,
    duration_s: Annotated[
        float | None, typer.Option("--duration", min=0.1, help="Seconds.", show_default="until Ctrl-C")
    ] = None,
    connect_s: Annotated[
        float | None,
        typer.Option(
            "--connect", min=0, help="Stations connect spread over so many seconds.", show_default="500 a second"
        ),
    ] = None,
    tokens: Annotated[str, typer.Option(help="What drivers present, comma between.")] = "",
    seed: Annotated[int, typer.Option(help="Of all chance.")] = 1,
    prefix: Annotated[str, typer.Option(help="Identities are PREFIX-0001 and so on.")] = "DEMO",
    password: Annotated[str | None, typer.Option(help="HTTP Basic of all stations.", show_default="none")] = None,
    result_file: Annotated[
        Path | None, typer.Option("--result", help="Writes options, machine and figures into this JSON file.")
    ] = None,
    list_scenarios: Annotated[bool, typer.Option("--list-scenarios", help="What there is for --scenario.")] = False,
    list_behaviours: Annotated[bool, typer.Option("--list-behaviours", help="What there is for a mix.")] = False,
    list_mixes: Annotated[bool, typer.Option("--list-mixes", help="The mixes that come with Narke.")] = False,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Virtual stations that boot, authorise, charge and stop, against any CSMS."""
    if list_scenarios or list_behaviours or list_mixes:
        _print_lists(scenarios=list_scenarios, behaviours=list_behaviours, mixes=list_mixes)
        return
    from loadtests.fleet import FleetError, FleetOptions  # noqa: PLC0415 (heavy)

    if result_file is not None and not result_file.absolute().parent.is_dir():
        fail(f"the result cannot be written to {result_file}: there is no folder {result_file.absolute().parent}")
    try:
        options = FleetOptions(
            stations=stations,
            versions=_words(version or VERSIONS),
            url=url or _url_of_running(data_dir),
            duration_s=duration_s,
            tokens=_words(tokens),
            seed=seed,
            prefix=prefix,
            password=password,
            connect_s=max(CONNECT_S_MIN, stations / CONNECT_PER_S) if connect_s is None else connect_s,
            mix=_mix_of(mix, version),
            scenario=_scenario_of(scenario),
            processes=processes,
        )
        result = _run(options, quiet=as_json)
    except FleetError as error:
        fail(str(error))
    if result_file is not None:
        _write(result_file, options, result)
    _print_result(result, as_json=as_json)
    raise typer.Exit(1 if result.violated or not result.connected else 0)


def _mix_of(named: str | None, version: str | None) -> "Mix":
    """The mix of a file, or of one that comes with Narke. `version`, when given, goes before the mix's."""
    from dataclasses import replace  # noqa: PLC0415 (with the rest)

    from loadtests.mix import Mix, MixError, load_mix  # noqa: PLC0415 (heavy)

    if named is None:
        return Mix()
    path = Path(named)
    shipped = _mixes() / f"{named}.toml"
    try:
        mix = load_mix(shipped if not path.suffix and shipped.is_file() else path)
    except MixError as error:
        fail(str(error))
    return mix if version is None else replace(mix, versions=())


def _mixes() -> Path:
    import loadtests  # noqa: PLC0415 (heavy)

    return Path(loadtests.__file__).parent / "mixes"


def _scenario_of(text: str | None) -> "Scenario | None":
    from loadtests.mix import scenario_of  # noqa: PLC0415 (heavy)
    from loadtests.parameters import ParameterError, split  # noqa: PLC0415 (heavy)

    if text is None:
        return None
    try:
        name, parameters = split(text)
        return scenario_of({**parameters, "name": name})
    except ParameterError as error:
        fail(f"--scenario {text}: {'.'.join(error.path)}: {error}")


def _run(options: "FleetOptions", *, quiet: bool) -> "FleetResult":
    """Until its duration is over or Ctrl-C, which is a good end."""
    from rich.live import Live  # noqa: PLC0415 (heavy)

    from loadtests.dashboard import dashboard_of  # noqa: PLC0415 (heavy)
    from loadtests.fleet import Fleet, run_fleet  # noqa: PLC0415 (heavy)
    from loadtests.table import ROWS_MAX, table_of  # noqa: PLC0415 (heavy)

    running: list[OneProcess | Crew] = []
    console = Console(stderr=True)
    with Live(console=console, auto_refresh=False, transient=True) as table:

        def show(fleet: "OneProcess | Crew") -> None:
            running[:] = [fleet]
            if not console.is_terminal or quiet:
                return
            if isinstance(fleet, Fleet) and len(fleet.stations) <= ROWS_MAX:
                table.update(table_of(fleet), refresh=True)
            else:
                table.update(dashboard_of(fleet), refresh=True)

        try:
            return run_fleet(options, show)
        except KeyboardInterrupt:
            if not running:
                raise
            return running[0].result()


def _write(path: Path, options: "FleetOptions", result: "FleetResult") -> None:
    """The result file: what was asked for, what on, and what came out."""
    from dataclasses import asdict  # noqa: PLC0415 (with the rest)
    from datetime import UTC, datetime  # noqa: PLC0415 (with the rest)

    from loadtests.fleet_result import machine  # noqa: PLC0415 (heavy)

    shown = asdict(options) | {"scenario": f"{type(options.played).__name__}({asdict(options.played)})"}
    del shown["password"], shown["tokens"]  # nobody's business
    shown["mix"] = {
        "description": options.mix.description,
        "versions": [{"share": share, "version": version} for share, version in options.mix.versions],
        "behaviours": [
            {"share": share, "name": name} | asdict(behaviour) for share, (name, behaviour) in options.mix.behaviours
        ],
        "habits": [{"share": share} | dict(changes) for share, changes in options.mix.habits],
    }
    written = {
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 (the shell's own clock)
        "machine": machine(),
        "options": shown,
        "result": result.as_dict(),
    }
    try:
        path.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        fail(f"the result cannot be written to {path}: {error.strerror}")


def _print_result(result: "FleetResult", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=2))
        return
    from rich.table import Table  # noqa: PLC0415 (heavy)

    from loadtests.dashboard import tables_of, verdicts_of  # noqa: PLC0415 (heavy)

    console = Console()
    table = Table(box=None, show_header=False)
    for name, value in result.as_dict().items():
        if name not in _SHOWN_APART and value is not None:
            shown = (
                ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else str(value)
            )
            table.add_row(name.replace("_", " "), escape(shown) or "none")
    console.print(table, highlight=False)
    for part in (*tables_of(result), verdicts_of(result)):
        console.print()
        console.print(part, highlight=False)


def _print_lists(*, scenarios: bool, behaviours: bool, mixes: bool) -> None:
    from loadtests.behaviours import BEHAVIOURS  # noqa: PLC0415 (heavy)
    from loadtests.mix import load_mix  # noqa: PLC0415 (heavy)
    from loadtests.scenarios import SCENARIOS  # noqa: PLC0415 (heavy)

    console = Console()
    if scenarios:
        _print_kinds(console, SCENARIOS.items())
    if behaviours:
        _print_kinds(console, BEHAVIOURS.items())
    if mixes:
        for path in sorted(_mixes().glob("*.toml")):
            console.print(f"[bold]{path.stem}[/]  {escape(load_mix(path).description)}", highlight=False)


def _print_kinds(console: Console, kinds: Iterable[tuple[str, type]]) -> None:
    """Name, what it is, and its parameters with their defaults."""
    from dataclasses import fields  # noqa: PLC0415 (with the rest)

    for name, kind in kinds:
        text = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
        own = kind.__annotations__
        parameters = ", ".join(f"{each.name}={each.default}" for each in fields(kind) if each.init and each.name in own)
        console.print(f"[bold]{name}[/]  {escape(text)}", highlight=False)
        if parameters:
            console.print(f"    [dim]{escape(parameters)}[/]", highlight=False)


def _url_of_running(data_dir: Path | None) -> str:
    try:
        state = run_file.read(folder_of(data_dir))
    except RunFileBroken as error:
        fail(str(error))
    if state is None or not state.running:
        fail(
            "no Narke runs here: start it by `narke up`, or say where stations connect to by --url ws://host:port/ocpp"
        )
    return state.info.ocpp_url


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
