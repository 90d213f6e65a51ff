"""The system: every actor of Narke, brought up in order, watched, drained.

    directory, station actors -> projector, ingresses, HTTP        up
    ingresses, HTTP -> projector                                   down

Import it after the metrics directory is set (`deploy.up`): prometheus_client looks for that when it is imported.
"""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from typing import Any

import structlog

from actors import runtime
from actors.router import DIRECTORY, ActorBook
from actors.runtime import ActorRef, Spawn
from actors.session_reaper import SessionReaper
from deploy.settings import Settings
from deploy.supervisor import Supervisor
from deploy.wiring import http, ingress, projector, stations
from deploy.wiring.parts import SystemClock, postgres_url, router_of
from engine.ports import SeamError
from storage.postgres import open_pool
from storage.queries.reader import Queries

log = structlog.get_logger()

DRAIN_S = 2.5
CATCH_UP_S = 3.0
REAP_S = 2.0


class System:
    """All actors of one Narke. Ray must be running."""

    def __init__(self, settings: Settings) -> None:
        actors = settings.actors
        cores = len(os.sched_getaffinity(0))
        count = min(actors.station_actors or cores, actors.shards)
        self._settings = settings
        self._stations = () if actors.literal else tuple(f"stations-{number}" for number in range(count))
        self.ingresses = tuple(f"ingress-{number}" for number in range(actors.ingresses))
        self._refs: dict[str, ActorRef] = {}
        self._supervisor = Supervisor(self._refs)
        self._router = router_of(settings, ActorBook())

    @property
    def pids(self) -> Mapping[str, int]:
        """Processes by name."""
        return self._supervisor.pids

    @property
    def healths(self) -> Mapping[str, Mapping[str, Any]]:
        """What each process last said of itself; absent: it does not answer."""
        return self._supervisor.healths

    async def start(self) -> None:
        """Brings everybody up; returns when all answer.

        Raises:
            Exception: What kept an actor from starting, e.g. a port that is taken.
        """
        settings, cpus = self._settings, self._settings.actors.actor_cpus
        self._spawn(*(stations.station_spec(name, settings) for name in self._stations))
        self._spawn(Spawn(DIRECTORY, stations.directory, (self._stations, settings)))
        self._spawn(Spawn("projector", projector.projector, (settings,)))
        self._spawn(*(Spawn(name, ingress.ingress, (name, settings), cpus=cpus) for name in self.ingresses))
        self._spawn(Spawn("http", http.http, (settings, self.ingresses)))
        await asyncio.gather(*(self._supervisor.wait_until_up(name) for name in self._refs))
        await self._router.start()

    async def watch(self) -> None:
        """Watches everybody and closes orphaned sessions, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._supervisor.watch())
            group.create_task(self._reap())

    async def drain(self) -> None:
        """Tells stations that the service restarts, and carries what was answered to PostgreSQL."""
        await asyncio.gather(*(self._quietly(name, "drain", DRAIN_S) for name in self.ingresses))
        await self._quietly("http", "stop")
        if not await self._quietly("projector", "caught_up", CATCH_UP_S):
            log.warning("not everything is in PostgreSQL yet; it is in Redis and will be carried at the next start")

    def _spawn(self, *specs: Spawn) -> None:
        for spec in specs:
            self._refs[spec.name] = runtime.spawn(spec)

    async def _quietly(self, name: str, method: str, *arguments: Any) -> Any:
        with contextlib.suppress(SeamError, TimeoutError):
            async with asyncio.timeout(DRAIN_S + CATCH_UP_S):
                return await self._refs[name].call(method, *arguments)
        return None

    async def _reap(self) -> None:
        settings = self._settings
        pool = await open_pool(postgres_url(settings), settings.postgres, name="sessions", wait=False)
        queries = Queries(pool, settings.tenant)
        reaper = SessionReaper(self._router, queries.connected_sessions, self._incarnations, SystemClock())
        try:
            while True:
                await asyncio.sleep(REAP_S)
                try:
                    await reaper.reap()
                except Exception as error:  # noqa: BLE001 (PostgreSQL is away, say: the next time will do)
                    log.debug("orphaned sessions could not be looked for", why=str(error))
        finally:
            await pool.close()

    async def _incarnations(self) -> frozenset[str] | None:
        living = set()
        for name in self.ingresses:
            try:
                async with asyncio.timeout(DRAIN_S):
                    health = await self._refs[name].call("health")
            except (SeamError, TimeoutError):
                return None
            living.add(f"{name}:{health['incarnation']}")
        return frozenset(living)
