"""Commands about the running system itself: up, down, doctor, config. Parses flags, prints, and hands on.

Settings, Ray and the servers' drivers are imported inside the commands: `narke --help` must be quick.
"""

import json
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from deploy import run_file
from deploy.processes import birth_of, is_alive
from deploy.run_file import RunFileBroken

if TYPE_CHECKING:
    from deploy.doctor.report import Check
    from deploy.settings import Flag, Loaded, Settings

DOWN_S_MAX = 15.0
_POLL_S = 0.05
_USAGE_ERROR = 2
_SIGNS = {"ok": "[green]ok  [/]", "warn": "[yellow]warn[/]", "fail": "[red]FAIL[/]"}

DataDirOption = Annotated[
    Path | None,
    typer.Option(help="Folder of Narke's data.", show_default="$NARKE_DATA_DIR, else ~/.local/share/narke"),
]
ConfigOption = Annotated[
    Path | None, typer.Option(help="Settings in TOML.", show_default="narke.toml in the data directory, if there")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any setting, e.g. --set ocpp.host=0.0.0.0; may be repeated."),
]
PortOption = Annotated[int | None, typer.Option(help="Port for stations (OCPP).", show_default="9000")]
HttpPortOption = Annotated[int | None, typer.Option(help="Port of REST, health and metrics.", show_default="8080")]
AddressOption = Annotated[
    str | None,
    typer.Option(help="Ray cluster to join: auto or host:port.", show_default="Narke starts Ray itself"),
]
PostgresOption = Annotated[
    str | None, typer.Option("--postgres-url", help="Your PostgreSQL.", show_default="Narke starts its own")
]
RedisOption = Annotated[
    str | None, typer.Option("--redis-url", help="Your Redis.", show_default="Narke starts its own")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(up)
    app.command()(down)
    app.command()(doctor)
    config = typer.Typer(no_args_is_help=True, help="Settings: what is in force, and whether it is right.")
    config.command("show")(config_show)
    config.command("check")(config_check)
    app.add_typer(config, name="config")


def up(  # noqa: PLR0913 (each is a flag of the command)
    *,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    port: PortOption = None,
    http_port: HttpPortOption = None,
    fleet: Annotated[int, typer.Option(min=0, max=5_000, help="Virtual stations to show, for a demonstration.")] = 0,
    address: AddressOption = None,
    postgres_url: PostgresOption = None,
    redis_url: RedisOption = None,
    stations_per_actor: Annotated[
        int | None, typer.Option(help="1: one Ray actor per station.", show_default="5000")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.", show_default="info")] = None,
    log_format: Annotated[str | None, typer.Option(help="json or console.", show_default="console")] = None,
    settings: SetOption = None,
) -> None:
    """Bring Narke up and keep it running until Ctrl-C."""
    loaded = _load(
        config,
        settings,
        ("data_dir", "--data-dir", data_dir),
        ("ocpp.port", "--port", port),
        ("http.port", "--http-port", http_port),
        ("ray.address", "--address", address),
        ("servers.postgres_url", "--postgres-url", postgres_url),
        ("servers.redis_url", "--redis-url", redis_url),
        ("actors.stations_per_actor", "--stations-per-actor", stations_per_actor),
        ("log.level", "--log-level", log_level),
        ("log.format", "--log-format", log_format),
    )
    from deploy.up import run  # noqa: PLC0415 (imports Ray)

    raise typer.Exit(run(loaded.settings, fleet=fleet))


def down(
    *,
    data_dir: DataDirOption = None,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait for the end.")] = DOWN_S_MAX,
) -> None:
    """Stop the Narke that runs on the data directory; nothing that was answered is lost."""
    console = Console()
    pid, birth = _running(folder_of(data_dir), console)
    if pid is None:
        return
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        console.print("Narke has just ended by itself.")
        return
    except PermissionError:
        fail(f"Narke (process {pid}) belongs to another user: run this as that user, or as root.")
    began = time.monotonic()
    with console.status(f"stopping Narke (process {pid})"):
        while is_alive(pid, birth) and time.monotonic() - began < timeout_s:
            time.sleep(_POLL_S)
    if is_alive(pid, birth):
        fail(
            f"Narke (process {pid}) was told to stop {timeout_s:g} s ago and still runs. Look into its log; "
            f"`kill -9 {pid}` ends it at once, its servers with it, and loses nothing that was answered."
        )
    console.print(f"Narke (process {pid}) stopped in {time.monotonic() - began:.1f} s.", highlight=False)


def _running(data_dir: Path, console: Console) -> tuple[int | None, int | None]:
    """Pid and birth of the Narke on a data directory; says so when there is none."""
    from deploy.servers.data_dir import holder_of  # noqa: PLC0415 (heavy)

    try:
        state = run_file.read(data_dir)
    except RunFileBroken as error:
        console.print(f"[yellow]{escape(str(error))}[/]", highlight=False)
        state = None
    if state is not None and state.running:
        return state.info.pid, state.info.pid_birth
    holder = holder_of(data_dir)
    if holder:  # it is starting and has not written its run file
        return holder, birth_of(holder)
    if state is not None:
        run_file.remove(data_dir)
        console.print(
            f"Narke (process {state.info.pid}) was not stopped in good order and is gone; removed its run file."
        )
        return None, None
    console.print(f"no Narke runs on {escape(str(data_dir))}.", highlight=False)
    return None, None


def doctor(  # noqa: PLR0913 (each is a flag of the command)
    *,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    port: PortOption = None,
    http_port: HttpPortOption = None,
    address: AddressOption = None,
    postgres_url: PostgresOption = None,
    redis_url: RedisOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at the machine, the servers, ports, Ray and the clock, and say what to do. Changes nothing."""
    loaded = _load(
        config,
        settings,
        ("data_dir", "--data-dir", data_dir),
        ("ocpp.port", "--port", port),
        ("http.port", "--http-port", http_port),
        ("ray.address", "--address", address),
        ("servers.postgres_url", "--postgres-url", postgres_url),
        ("servers.redis_url", "--redis-url", redis_url),
    )
    from deploy.doctor.examination import examine  # noqa: PLC0415 (imports the servers' drivers)
    from deploy.doctor.report import Status  # noqa: PLC0415 (heavy)

    if as_json:
        checks = list(examine(loaded.settings))
        typer.echo(json.dumps([_check_as_dict(check) for check in checks], indent=2))
    else:
        checks = _print_checks(examine(loaded.settings))
    raise typer.Exit(1 if any(check.status is Status.FAIL for check in checks) else 0)


def _check_as_dict(check: "Check") -> dict[str, str]:
    return {"name": check.name, "status": check.status.value, "found": check.found, "advice": check.advice}


def _print_checks(checks: Iterable["Check"]) -> list["Check"]:
    console = Console()
    seen = []
    for check in checks:
        seen.append(check)
        console.print(f"{_SIGNS[check.status]} {check.name}: {escape(check.found)}", highlight=False, soft_wrap=True)
        for line in check.advice.splitlines():
            console.print(f"       {escape(line)}", style="bold", highlight=False, soft_wrap=True)
    counts = {sign: sum(check.status == sign for check in seen) for sign in _SIGNS}
    console.print(f"\n{counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} in the way", highlight=False)
    return seen


def config_show(
    *,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the settings in force and where each came from; secrets are masked."""
    loaded = _load(config, settings, ("data_dir", "--data-dir", data_dir))
    from deploy.settings import Settings  # noqa: PLC0415 (heavy)
    from deploy.settings_catalogue import masked, settings_of, text_of  # noqa: PLC0415 (heavy)

    rows = [(setting.path, _value_at(loaded.settings, setting.path)) for setting in settings_of(Settings)]
    if as_json:
        values = {
            path: {"value": _plain(masked(path, value)), "origin": loaded.origins.get(path, "default")}
            for path, value in rows
        }
        file = str(loaded.config_file) if loaded.config_file else None
        typer.echo(json.dumps({"config_file": file, "settings": values}, indent=2))
        return
    from rich.table import Table  # noqa: PLC0415 (heavy)

    table = Table("setting", "value", "origin", box=None, header_style="bold")
    for path, value in rows:
        origin = loaded.origins.get(path, "default")
        table.add_row(
            path, escape(text_of(masked(path, value))), escape(origin), style="dim" if origin == "default" else ""
        )
    Console(soft_wrap=True).print(table, highlight=False)


def config_check(*, data_dir: DataDirOption = None, config: ConfigOption = None, settings: SetOption = None) -> None:
    """Judge the settings: exit status 0, or 2 with every problem named."""
    loaded = _load(config, settings, ("data_dir", "--data-dir", data_dir))
    file = loaded.config_file or "none"
    given = len(loaded.origins)
    Console().print(
        f"the settings are right: {given} given, the others are defaults; config file: {file}", highlight=False
    )


def _load(config: Path | None, assignments: list[str] | None, *flags: tuple[str, str, Any]) -> "Loaded":
    """Settings, or the end of the command with each problem on a line of stderr."""
    from deploy.settings import Flag, SettingsError, load  # noqa: PLC0415 (heavy)

    given = {path: Flag(name, value) for path, name, value in flags if value is not None}
    try:
        return load({**_assigned(assignments or []), **given}, config=config)
    except SettingsError as error:
        console = Console(stderr=True, soft_wrap=True)
        console.print("[red]Narke's settings cannot be used:[/]", highlight=False)
        for problem in error.problems:
            console.print(f"  {escape(problem)}", highlight=False)
        raise typer.Exit(_USAGE_ERROR) from None


def _assigned(assignments: list[str]) -> "dict[str, Flag]":
    """`--set` words as flags.

    Raises:
        SettingsError: A word has no `=`, or names no setting.
    """
    from deploy.settings import Flag, Settings, SettingsError  # noqa: PLC0415 (heavy)
    from deploy.settings_catalogue import setting_of, settings_of, similar_to  # noqa: PLC0415 (heavy)

    flags = {}
    for words in assignments:
        path, sign, text = words.partition("=")
        setting = setting_of(Settings, path)
        if not sign:
            raise SettingsError(f"--set {words}: expected NAME=VALUE, e.g. --set ocpp.host=0.0.0.0")
        if setting is None:
            known = [each.path for each in settings_of(Settings)]
            raise SettingsError(f"--set {words}: there is no such setting{similar_to(path, known)}")
        flags[path] = Flag(f"--set {path}", _value_of(text, setting.expected))
    return flags


def _value_of(text: str, expected: str) -> Any:
    if text.lower() == "none":
        return None
    if expected.startswith(("a list", "a table")):
        try:
            return json.loads(text)
        except ValueError:
            return text  # refused by its type, with all else
    return text


def _value_at(settings: "Settings", path: str) -> Any:
    value: Any = settings
    for key in path.split("."):
        value = getattr(value, key)
    return value


def _plain(value: Any) -> Any:
    """As JSON has it."""
    from deploy.settings_catalogue import text_of  # noqa: PLC0415 (heavy)

    return value if value is None or isinstance(value, bool | int | float | str | list | tuple) else text_of(value)


def folder_of(data_dir: Path | None) -> Path:
    """The data directory, without judging any other setting: what runs must be found whatever the settings say."""
    from deploy.settings import default_data_dir  # noqa: PLC0415 (heavy)

    return (data_dir or default_data_dir()).expanduser().absolute()


def fail(message: str) -> NoReturn:
    """Ends the command with exit status 1 and a line on stderr."""
    Console(stderr=True, soft_wrap=True).print(f"[red]narke:[/] {escape(message)}", highlight=False)
    raise typer.Exit(1)
