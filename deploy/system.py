"""The system: every actor of Narke, brought up in order, watched, drained.

    directory, station actors -> projector, ingresses, HTTP, planners, exporters     up
    ingresses, HTTP -> projector -> exporters                              down

On a cluster, what needs the data directory or one reader (HTTP, projector, directory, planners) lives on the node of
`narke up`.
Every node has its share of station actors and ingresses, and every other node an exporter of metrics; all three follow
the nodes that join, are drained (`ray drain-node`) or die.

Import it after the metrics directory is set (`deploy.up`): prometheus_client looks for that when it is imported.
"""

import asyncio
import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import structlog

from actors import runtime
from actors.directory import SHARD_PREFIX, STATION_PREFIX
from actors.router import DIRECTORY, ActorBook
from actors.runtime import ActorRef, MetricsDirs, Node, Spawn
from actors.session_reaper import SessionReaper
from deploy import shares
from deploy.cluster import fit
from deploy.crew import Crew
from deploy.settings import Settings
from deploy.supervisor import Supervisor
from deploy.wiring import campaigns, http, ingress, planner, projector, stations
from deploy.wiring.exporter import exporter_name, exporter_spec, targets_of
from deploy.wiring.parts import SystemClock, metrics_dir, postgres_url, router_of
from engine.ports import SeamError
from ingress.http.services import ScrapeTarget
from storage.postgres import open_pool
from storage.queries.reader import Queries

log = structlog.get_logger()

ONE_EACH = (DIRECTORY, "projector", "campaigns", "http")
DRAIN_S = 2.5
CATCH_UP_S = 3.0
REAP_S = 2.0
NODES_S = 2.0
TELL_S_MAX = 5.0


class System:
    """All actors of one Narke. Ray must be running.

    Args:
        settings: All, with the servers' URLs filled in.
        ray_folder: Where Ray keeps its temporary files.
        spread: Use all nodes of the cluster; False: the servers can be reached from this one only.
    """

    def __init__(self, settings: Settings, ray_folder: Path, *, spread: bool) -> None:
        home = runtime.here()
        self._settings = settings
        self._ray_folder = ray_folder
        self._home = home
        self._spread = spread
        self._metrics = MetricsDirs(
            home, metrics_dir(settings), Path(tempfile.gettempdir()) / f"narke-metrics-{secrets.token_hex(4)}"
        )
        self._refs: dict[str, ActorRef] = {}
        self._exporters: dict[str, ActorRef] = {}
        self._supervisor = Supervisor(self._refs)
        self._stations = Crew(
            SHARD_PREFIX, self._station_spec, self._refs, self._supervisor.wait_until_up, self._owns_nothing
        )
        self._ingresses = Crew(
            "ingress-", self._ingress_spec, self._refs, self._supervisor.wait_until_up, self._has_said_good_bye
        )
        self._owning: frozenset[str] | None = None
        """Station actors that still own units though they are to leave, as the directory last said; None: not known."""
        self._unfit: tuple[str, ...] = ()
        self._book = ActorBook()
        self._router = router_of(settings, self._book)

    @property
    def pids(self) -> Mapping[str, int]:
        """Processes by name."""
        return self._supervisor.pids

    @property
    def healths(self) -> Mapping[str, Mapping[str, Any]]:
        """What each process last said of itself; absent: it does not answer."""
        return self._supervisor.healths

    def spawn(self) -> None:
        """Makes the actors' processes, which begin with their imports. They touch neither Redis nor PostgreSQL yet.

        Raises:
            NameTaken: Another Narke runs in our namespace.
        """
        settings = self._settings
        at_home = {"node_id": self._home, "pinned": True}
        usable = self._usable()
        workers = self._workers(usable)
        directory_arguments = (settings, self._metrics, None if self._spread else self._home)
        self._spawn(Spawn(DIRECTORY, stations.directory, directory_arguments), **at_home)
        runtime.end(STATION_PREFIX)  # what a literal mode that was killed left on the cluster
        self._stations.begin(self._shares_of_stations(workers))
        self._spawn(Spawn("projector", projector.projector, (settings,)), **at_home)
        self._spawn(Spawn("campaigns", campaigns.campaigns, (settings,)), **at_home)
        for name in planner.planner_names(settings):
            self._spawn(Spawn(name, planner.planner, (name, settings)), **at_home)
        self._ingresses.begin(shares.ingresses(settings.actors, workers))
        self._spawn(Spawn("http", http.http, (settings, self._ingresses.names, self._ray_folder)), **at_home)
        self._hire_exporters(usable)

    async def start(self) -> None:
        """Returns when all answer. Schema and layout must be right.

        Raises:
            Exception: What kept an actor from starting, e.g. a port that is taken.
        """
        await self._stations.arrive()  # the directory places units on those that live when it starts
        one_each = (*ONE_EACH, *planner.planner_names(self._settings))
        await asyncio.gather(self._ingresses.arrive(), self._wait_for(one_each))
        await self._router.start()

    async def targets(self) -> tuple[ScrapeTarget, ...]:
        """What Prometheus has to scrape now."""
        return await targets_of(self._settings, self._home, self._book, self._ray_folder)

    async def watch(self) -> None:
        """Watches everybody, follows the cluster's nodes and closes orphaned sessions, for ever."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._supervisor.watch())
                group.create_task(self._follow_nodes())
                group.create_task(self._reap())
        finally:
            await asyncio.gather(self._stations.close(), self._ingresses.close())

    async def drain(self) -> None:
        """Tells stations that the service restarts, and carries what was answered to PostgreSQL."""
        await asyncio.gather(*(self._quietly(name, "drain", DRAIN_S) for name in self._ingresses.names))
        await self._quietly("http", "stop")
        if not await self._quietly("projector", "caught_up", CATCH_UP_S):
            log.warning("not everything is in PostgreSQL yet; it is in Redis and will be carried at the next start")
        await asyncio.to_thread(runtime.end, STATION_PREFIX)
        await asyncio.gather(*(self._quietly(name, "stop") for name in self._exporters))

    async def _wait_for(self, names: Iterable[str]) -> None:
        await asyncio.gather(*(self._supervisor.wait_until_up(name) for name in names))

    def _spawn(self, spec: Spawn, **where: Any) -> None:
        self._refs[spec.name] = runtime.spawn(spec._replace(metrics=self._metrics, **where))

    async def _quietly(self, name: str, method: str, *arguments: Any) -> Any:
        ref = self._refs.get(name) or self._exporters[name]
        with contextlib.suppress(SeamError, TimeoutError):
            async with asyncio.timeout(DRAIN_S + CATCH_UP_S):
                return await ref.call(method, *arguments)
        return None

    # The cluster's nodes

    def _usable(self) -> tuple[Node, ...]:
        """The living nodes that can be used, that of `narke up` among them. Blocks."""
        if not self._spread:
            return tuple(node for node in runtime.nodes() if node.id == self._home)
        usable, problems = fit(self._settings, runtime.nodes(), self._home)
        if problems != self._unfit:
            self._unfit = problems
            for problem in problems:
                log.error("a node of the cluster is not used", why=problem)
        return usable

    def _workers(self, usable: Iterable[Node]) -> list[Node]:
        return shares.workers([*usable], self._home)

    def _shares_of_stations(self, workers: list[Node]) -> dict[str, int]:
        own_ray = self._settings.ray.address is None  # it has been told of two CPUs at least
        cores = {self._home: len(os.sched_getaffinity(0))} if own_ray else {}
        return shares.station_actors(self._settings.actors, workers, cores)

    async def _follow_nodes(self) -> None:
        while self._spread:
            await asyncio.sleep(NODES_S)
            try:
                await self._follow(await asyncio.to_thread(self._usable))
            except Exception as error:  # noqa: BLE001 (Ray's head is busy, say: the next time will do)
                log.warning("the cluster's nodes could not be followed", why=repr(error))

    async def _follow(self, usable: tuple[Node, ...]) -> None:
        """One round: actors come to nodes and leave them, and whoever must know hears who there is."""
        living = frozenset(node.id for node in usable)
        workers = self._workers(usable)
        await asyncio.to_thread(self._hire_exporters, usable)
        await self._ingresses.keep(living, shares.ingresses(self._settings.actors, workers))
        await self._tell("http", "has_ingresses", self._ingresses.staying)
        await self._stations.keep(living, self._shares_of_stations(workers))
        self._owning = None
        if self._stations.staying:
            self._owning = await self._tell(DIRECTORY, "host", self._stations.staying)
        await self._dismiss_exporters(usable)

    async def _tell(self, name: str, method: str, *arguments: Any) -> Any:
        """What an actor answers; None: it does not, and is told again in the next round."""
        with contextlib.suppress(SeamError, TimeoutError):
            async with asyncio.timeout(TELL_S_MAX):
                return await self._refs[name].call(method, *arguments)
        return None

    def _station_spec(self, name: str) -> Spawn:
        return stations.station_spec(name, self._settings, self._metrics)

    async def _owns_nothing(self, name: str) -> bool:
        """A station actor is kept until all of its units are somebody else's."""
        return self._owning is not None and name not in self._owning

    def _ingress_spec(self, name: str) -> Spawn:
        cpus = self._settings.actors.actor_cpus
        return Spawn(name, ingress.ingress, (name, self._settings), cpus=cpus, metrics=self._metrics)

    async def _has_said_good_bye(self, name: str) -> bool:
        """An ingress tells its stations that the service restarts; they come back to another."""
        await self._quietly(name, "drain", DRAIN_S)
        return True

    def _hire_exporters(self, usable: Iterable[Node]) -> None:
        """One for each node but ours. Blocks."""
        for node in usable:
            name = exporter_name(node.id)
            if node.id != self._home and not node.draining and name not in self._exporters:
                self._exporters[name] = runtime.spawn(exporter_spec(node, self._settings, self._metrics))

    async def _dismiss_exporters(self, usable: Iterable[Node]) -> None:
        """Those of nodes that are gone, and of nodes that are to leave once nobody else of ours is there."""
        taken = self._stations.nodes | self._ingresses.nodes
        wanted = {exporter_name(node.id) for node in usable if not node.draining or node.id in taken}
        for name in self._exporters.keys() - wanted:
            await self._quietly(name, "stop")
            await asyncio.to_thread(self._exporters.pop(name).kill)

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
        for name in self._ingresses.names:
            try:
                async with asyncio.timeout(DRAIN_S):
                    health = await self._refs[name].call("health")
            except (SeamError, TimeoutError, KeyError):  # KeyError: it left this very moment
                return None
            living.add(f"{name}:{health['incarnation']}")
        return frozenset(living)
