"""Both servers as one thing: started in parallel, watched, stopped in order. Embedded, or the operator's own by URL.

What is embedded and dies is started again at once, on the same port and data, for as long as Narke runs.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import NamedTuple

import structlog
from pydantic import SecretStr

from deploy.servers.data_dir import DataDir, DataDirLock
from deploy.servers.embedded import EmbeddedServer
from deploy.servers.errors import OutsideServerUnfit, ServerError
from deploy.servers.identity import choose_identity
from deploy.servers.postgres import PostgresServer
from deploy.servers.redis import RedisServer
from deploy.settings import Settings
from storage import postgres as postgres_check
from storage import redis_client
from storage.redis_settings import RedisSettings

log = structlog.get_logger()

CHECK_S_MAX = 10.0
_QUICK_DEATH_S = 5.0
_WAIT_S_MAX = 5.0


class ServerUrls(NamedTuple):
    """Where the servers are, passwords included."""

    postgres_url: str
    redis_url: str


class LocalServers:
    """PostgreSQL and Redis of this Narke. Holds the lock of the data directory from `start` to `stop`.

    `lock`: given when the caller holds it already and keeps it after `stop`.
    """

    def __init__(self, settings: Settings, lock: DataDirLock | None = None) -> None:
        self.data_dir = DataDir(settings.data_dir)
        self._settings = settings
        self._lock = lock or DataDirLock(settings.data_dir)
        self._lock_is_ours = lock is None
        self._embedded: tuple[EmbeddedServer, ...] = ()
        self._restarts: dict[str, int] = {}
        self._watchers: list[threading.Thread] = []
        self._stopping = threading.Event()

    @property
    def restarts(self) -> Mapping[str, int]:
        """How often each embedded server was started again."""
        return dict(self._restarts)

    @property
    def pids(self) -> Mapping[str, int]:
        """Main processes of the embedded servers by name."""
        return {server.name: server.pid for server in self._embedded if server.alive()}

    def alive(self) -> Mapping[str, bool]:
        """By name of embedded server."""
        return {server.name: server.alive() for server in self._embedded}

    def start(self) -> ServerUrls:
        """Starts what is embedded and checks what is not; both in parallel. Blocks.

        Raises:
            ServerError: What is wrong, where, what to do; nothing is left running.
        """
        self._stopping.clear()
        self.data_dir.prepare()
        if not self._lock.held:
            self._lock.acquire()
        try:
            return self._start()
        except BaseException:  # also Ctrl-C: nothing may be left behind
            self.stop()
            raise

    def watch(self, on_restart: Callable[[str, int], None] | None = None) -> None:
        """From now on dead servers are started again, by threads of its own; `on_restart` hears name and new pid."""
        for server in self._embedded:
            watcher = threading.Thread(
                target=self._watch, args=(server, on_restart), name=f"narke-watch-{server.name}", daemon=True
            )
            self._watchers.append(watcher)
            watcher.start()

    def stop(self) -> None:
        """Stops what is embedded, PostgreSQL first (it follows Redis); a second call does nothing."""
        self._stopping.set()
        for server in self._embedded:
            server.stop()
        for watcher in self._watchers:
            watcher.join()
        self._embedded, self._watchers = (), []
        if self._lock_is_ours:
            self._lock.release()

    def _start(self) -> ServerUrls:
        servers = self._settings.servers
        embedded: list[EmbeddedServer] = []
        starts: list[Callable[[], str]] = []
        identity = None
        if servers.postgres_url is None or servers.redis_url is None:
            identity = choose_identity(self.data_dir.path)
        if servers.postgres_url is None:
            postgres = PostgresServer(self.data_dir, identity=identity, start_s_max=servers.start_s_max)
            embedded.append(postgres)
            starts.append(postgres.start)
        else:
            starts.append(partial(_checked_postgres, servers.postgres_url.get_secret_value()))
        if servers.redis_url is None:
            redis = RedisServer(self.data_dir, identity=identity, start_s_max=servers.start_s_max)
            embedded.append(redis)
            starts.append(redis.start)
        else:
            starts.append(partial(_checked_redis, self._settings.redis, servers.redis_url))
        self._embedded = tuple(embedded)
        self._restarts = {server.name: 0 for server in embedded}
        return ServerUrls(*self._all(starts))

    def _all(self, starts: list[Callable[[], str]]) -> list[str]:
        """Calls them in parallel; the first to fail ends the others."""
        with ThreadPoolExecutor(len(starts), thread_name_prefix="narke-start") as pool:
            pending = [pool.submit(start) for start in starts]
            try:
                for done in as_completed(pending):
                    done.result()
            except BaseException:
                for server in self._embedded:
                    server.stop()
                raise
        return [done.result() for done in pending]

    def _watch(self, server: EmbeddedServer, on_restart: Callable[[str, int], None] | None) -> None:
        wait_s = 0.0
        while True:
            started = time.monotonic()
            server.process.ended.wait()
            if self._stopping.wait(wait_s):
                return
            log.error(
                "server died, starting it again", server=server.name, pid=server.pid, status=server.process.status
            )
            try:
                server.restart()
            except ServerError as error:
                log.error("server does not start", server=server.name, reason=str(error))  # noqa: TRY400 (no traceback)
            else:
                self._restarts[server.name] += 1
                if server.alive() and on_restart is not None:
                    on_restart(server.name, server.pid)
            # One that dies as soon as it lives must not keep a core busy.
            quick = time.monotonic() - started < _QUICK_DEATH_S
            wait_s = min(max(0.1, wait_s * 2), _WAIT_S_MAX) if quick else 0.0


def _checked_postgres(url: str) -> str:
    problems = asyncio.run(postgres_check.check_server(url, timeout_s=CHECK_S_MAX))
    if problems:
        raise OutsideServerUnfit("\n".join(problems))
    return url


def _checked_redis(settings: RedisSettings, url: SecretStr) -> str:
    problems = asyncio.run(_redis_problems(settings.model_copy(update={"url": url})))
    if problems:
        raise OutsideServerUnfit("\n".join(problems))
    return url.get_secret_value()


async def _redis_problems(settings: RedisSettings) -> list[str]:
    client = redis_client.redis_client(settings)
    try:
        return await redis_client.check_server(client, settings)
    finally:
        await client.aclose()
