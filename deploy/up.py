"""`narke up`: servers, schema, Ray, actors and (if asked for) the demo fleet come up in order and go down in reverse.

Light to import: what needs Ray is imported once the servers run.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from rich.console import Console
from rich.markup import escape

from deploy import logs, run_file
from deploy.logs import open_log
from deploy.settings import Settings

if TYPE_CHECKING:
    from deploy.servers.local import LocalServers
    from deploy.system import System

log = structlog.get_logger()

METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
RUN_FILE_S = 1.0


def run(settings: Settings, *, fleet: int) -> int:
    """Runs Narke until SIGINT or SIGTERM; returns the exit status. `fleet`: stations of the demo; 0: none."""
    console = Console()
    from deploy import doors  # noqa: PLC0415 (heavy)
    from deploy.servers.data_dir import DataDir, DataDirLock  # noqa: PLC0415 (heavy)
    from deploy.servers.errors import ServerError  # noqa: PLC0415 (heavy)
    from deploy.servers.local import LocalServers  # noqa: PLC0415 (heavy)

    lock = DataDirLock(settings.data_dir)
    try:
        DataDir(settings.data_dir).prepare()
        lock.acquire()
        _configure_logs(settings, console)
        if settings.ray.address is None:  # in a cluster the doors may be on other machines
            doors.check(settings)
    except ServerError as error:
        return _failed(console, error)
    servers = LocalServers(settings, lock)
    try:
        _make_metrics_dir(settings.data_dir)
        return asyncio.run(_up(settings, servers, console, fleet))
    finally:
        with console.status("stopping PostgreSQL and Redis"):
            servers.stop()
        run_file.remove(settings.data_dir)
        lock.release()


def _configure_logs(settings: Settings, console: Console) -> None:
    """To stderr; to the data directory where a person looks at the terminal."""
    stream = open_log(settings.data_dir / "log" / "up.log") if console.is_terminal else None
    logs.configure(settings.log.level, settings.log.format, process="up", stream=stream)


def _failed(console: Console, error: BaseException) -> int:
    causes = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
    for cause in causes:
        console.print(f"[bold red]Narke cannot start:[/] {escape(str(cause))}", highlight=False, soft_wrap=True)
    return 1


def _make_metrics_dir(data_dir: Path) -> None:
    """An empty directory for the metrics of this node's processes, of which this is one."""
    folder = data_dir / "run" / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[METRICS_VARIABLE] = str(folder)  # noqa: TID251 (prometheus_client takes it from nowhere else)


async def _up(settings: Settings, servers: "LocalServers", console: Console, fleet: int) -> int:
    from actors import runtime  # noqa: PLC0415 (Ray, and after the metrics directory is set)

    stopped = asyncio.Event()
    try:
        with console.status("starting PostgreSQL, Redis and Ray"):
            settings, system = await _begin(settings, servers)
        servers.watch()
        with console.status("starting Narke"):
            await _start(settings, system)
    except Exception as error:
        log.debug("start failed", exc_info=True)
        runtime.shutdown()
        return _failed(console, error)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await _run(settings, servers, system, console, fleet, stopped)
    finally:
        with console.status("saying good-bye to stations"):
            await system.drain()
        with console.status("stopping Ray"):
            await asyncio.to_thread(runtime.shutdown)
    return 0


async def _begin(settings: Settings, servers: "LocalServers") -> tuple[Settings, "System"]:
    """Servers and Ray at the same time (a cluster is looked at first); returns complete settings and what is to run."""
    joins = settings.ray.address is not None
    ray = asyncio.create_task(asyncio.to_thread(_start_ray, settings))
    if joins:
        await ray
    started = asyncio.create_task(asyncio.to_thread(servers.start))
    await asyncio.sleep(0)  # both threads run: the imports below need not wait for them
    from deploy.system import System  # noqa: PLC0415 (heavy, and after the metrics directory is set)

    await asyncio.wait([ray, started])
    ray_folder, urls = await ray, await started
    own = settings.servers
    spread = not joins or None not in (own.postgres_url, own.redis_url)
    settings = settings.with_servers(postgres_url=urls.postgres_url, redis_url=urls.redis_url)
    return settings, System(settings, ray_folder, spread=spread)


async def _start(settings: Settings, system: "System") -> None:
    """The actors' processes import what they need while the database is prepared."""
    from deploy.first_start import prepare  # noqa: PLC0415 (heavy)

    await asyncio.to_thread(system.spawn)
    await prepare(settings)
    await system.start()


def _start_ray(settings: Settings) -> Path:
    """Starts or joins Ray; returns the folder of its temporary files."""
    from actors import runtime  # noqa: PLC0415 (Ray)

    ray = settings.ray
    folder = runtime.start(address=ray.address, namespace=ray.namespace, object_store_mb=ray.object_store_mb)
    if ray.address is not None:
        from deploy.cluster import judge  # noqa: PLC0415 (heavy)

        judge(settings)
    return folder


async def _run(
    settings: Settings, servers: "LocalServers", system: "System", console: Console, fleet: int, stopped: asyncio.Event
) -> None:
    from deploy.demo import run_demo, save_site, save_tokens  # noqa: PLC0415 (heavy)

    tell = _run_file_writer(settings, servers, system)
    await tell()
    watching = [asyncio.create_task(system.watch()), asyncio.create_task(_repeat(tell))]
    try:
        _greet(settings, console, fleet)
        if fleet:
            await save_tokens(settings)
            await save_site(settings, fleet)
            await run_demo(_ocpp_url(settings), fleet, console, stopped.wait)
        await stopped.wait()
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


def _run_file_writer(
    settings: Settings, servers: "LocalServers", system: "System"
) -> Callable[[], Coroutine[None, None, None]]:
    """What others need to find us, written again when a process or a node became another."""
    from ingress.http.keys import KEY_FILE  # noqa: PLC0415 (of the HTTP door)
    from ingress.http.services import ScrapeTarget  # noqa: PLC0415 (likewise)

    data_dir = settings.data_dir
    told: list[ScrapeTarget] = []
    started_at = datetime.now(UTC).isoformat(timespec="seconds")  # noqa: TID251 (a shell)
    written: dict[str, int] = {}

    async def write() -> None:
        await asyncio.to_thread(write_run_file)
        targets = list(await system.targets())
        if targets != told:
            groups = [msgspec.to_builtins(target) for target in targets]
            await asyncio.to_thread(run_file.write_prometheus_targets, data_dir, groups)
            told[:] = targets

    def write_run_file() -> None:
        processes = {**servers.pids, **system.pids}
        if processes == written:
            return
        info = run_file.RunInfo(
            pid=os.getpid(),
            started_at=started_at,
            http_url=f"http://{_http_place(settings)}",
            ocpp_url=_ocpp_url(settings),
            api_key_file=str(data_dir / KEY_FILE),
            data_dir=str(data_dir),
            version=version("narke"),
            processes=processes,
            prometheus_targets_file=str(data_dir / run_file.TARGETS_FILE),
        )
        run_file.write(data_dir, info)
        written.clear()
        written.update(processes)

    return write


async def _repeat(tell: Callable[[], Coroutine[None, None, None]]) -> None:
    while True:
        await asyncio.sleep(RUN_FILE_S)
        await tell()


def _http_place(settings: Settings) -> str:
    return f"{_reachable(settings.http.host)}:{settings.http.port}"


def _ocpp_url(settings: Settings) -> str:
    return f"ws://{_reachable(settings.ocpp.host)}:{settings.ocpp.port}/ocpp"


def _tls_lines(settings: Settings) -> list[tuple[str, Any]]:
    if not settings.ocpp.has_tls:
        return []
    return [("or with TLS", f"wss://{_reachable(settings.ocpp.host)}:{settings.ocpp.tls_port}/ocpp/<identity>")]


def _reachable(host: str) -> str:
    """An address to connect to, for one to listen on."""
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 (compared, not bound)


def _greet(settings: Settings, console: Console, fleet: int) -> None:
    lines: list[tuple[str, Any]] = [
        ("stations connect to", f"{_ocpp_url(settings)}/<identity>   (OCPP 1.6J, 2.0.1, 2.1)"),
        *_tls_lines(settings),
        ("REST and health", f"http://{_http_place(settings)}/api/v1/status, /healthz, /readyz, /metrics"),
        ("data, logs, API key", str(settings.data_dir)),
        ("try", "narke status, narke stations, narke transactions --follow (another terminal)"),
    ]
    if fleet:
        lines.append(("demo", f"{fleet} virtual stations charge, 30 times as fast as real ones"))
    console.print(f"\n[bold green]Narke {version('narke')} runs.[/] Ctrl-C ends it.", highlight=False)
    for name, value in lines:
        console.print(f"  [dim]{name:<20}[/] {value}", highlight=False, soft_wrap=True)
    console.print()
