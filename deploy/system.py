"""The system: every actor of Narke, brought up in order, watched, drained.

    directory, station actors -> projector, ingresses, HTTP, exporters     up
    ingresses, HTTP -> projector -> exporters                              down

On a cluster, what needs the data directory or one reader (HTTP, projector, directory) lives on the node of `narke up`;
ingresses are dealt out to the nodes, Ray spreads the station actors, and every other node has an exporter of metrics.

Import it after the metrics directory is set (`deploy.up`): prometheus_client looks for that when it is imported.
"""

import asyncio
import contextlib
import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import structlog

from actors import runtime
from actors.directory import STATION_PREFIX
from actors.router import DIRECTORY, ActorBook
from actors.runtime import ActorRef, MetricsDirs, Node, Spawn
from actors.session_reaper import SessionReaper
from deploy.settings import Settings
from deploy.supervisor import Supervisor
from deploy.wiring import http, ingress, projector, stations
from deploy.wiring.exporter import exporter_name, exporter_spec, targets_of
from deploy.wiring.parts import SystemClock, metrics_dir, postgres_url, router_of
from engine.ports import SeamError
from ingress.http.services import ScrapeTarget
from storage.postgres import open_pool
from storage.queries.reader import Queries

log = structlog.get_logger()

DRAIN_S = 2.5
CATCH_UP_S = 3.0
REAP_S = 2.0
NODES_S = 2.0


class System:
    """All actors of one Narke. Ray must be running.

    Args:
        settings: All, with the servers' URLs filled in.
        ray_folder: Where Ray keeps its temporary files.
        spread: Use all nodes of the cluster; False: the servers can be reached from this one only.
    """

    def __init__(self, settings: Settings, ray_folder: Path, *, spread: bool) -> None:
        actors, home = settings.actors, runtime.here()
        self._settings = settings
        self._ray_folder = ray_folder
        self._home = home
        self._spread = spread
        self._nodes = self._living()
        self._metrics = MetricsDirs(
            home, metrics_dir(settings), Path(tempfile.gettempdir()) / f"narke-metrics-{secrets.token_hex(4)}"
        )
        count = min(actors.station_actors or self._cores(), actors.shards)
        self._stations = () if actors.literal else tuple(f"stations-{number}" for number in range(count))
        self.ingresses = tuple(f"ingress-{number}" for number in range(actors.ingresses))
        self._refs: dict[str, ActorRef] = {}
        self._exporters: dict[str, ActorRef] = {}
        self._ingress_nodes: dict[str, str] = {}
        self._supervisor = Supervisor(self._refs)
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
        settings, home = self._settings, self._home
        where = None if self._spread else home
        at_home = {"node_id": home, "pinned": True}
        stations_arguments = (self._stations, settings, self._metrics, where)
        http_arguments = (settings, self.ingresses, self._ray_folder)
        self._spawn(Spawn(DIRECTORY, stations.directory, stations_arguments), **at_home)
        runtime.end(STATION_PREFIX)  # what a literal mode that was killed left on the cluster
        for name in self._stations:
            self._spawn(stations.station_spec(name, settings, self._metrics, where))
        self._spawn(Spawn("projector", projector.projector, (settings,)), **at_home)
        for name, node in zip(self.ingresses, cycle(self._nodes), strict=False):
            self._spawn_ingress(name, node)
        self._spawn(Spawn("http", http.http, http_arguments), **at_home)
        self._keep_exporters()

    async def start(self) -> None:
        """Returns when all answer. Schema and layout must be right.

        Raises:
            Exception: What kept an actor from starting, e.g. a port that is taken.
        """
        await self._wait_for(self._stations)  # the directory places units on those that live when it starts
        await self._wait_for(self._refs)
        await self._router.start()

    async def targets(self) -> tuple[ScrapeTarget, ...]:
        """What Prometheus has to scrape now."""
        return await targets_of(self._settings, self._home, self._book, self._ray_folder)

    async def watch(self) -> None:
        """Watches everybody, follows the cluster's nodes and closes orphaned sessions, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._supervisor.watch())
            group.create_task(self._follow_nodes())
            group.create_task(self._reap())

    async def drain(self) -> None:
        """Tells stations that the service restarts, and carries what was answered to PostgreSQL."""
        await asyncio.gather(*(self._quietly(name, "drain", DRAIN_S) for name in self.ingresses))
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

    def _living(self) -> tuple[Node, ...]:
        """The nodes to use, that of `narke up` first."""
        nodes = [node for node in runtime.nodes() if self._spread or node.id == self._home]
        return tuple(sorted(nodes, key=lambda node: node.id != self._home))

    def _cores(self) -> int:
        if self._settings.ray.address is None:
            return len(os.sched_getaffinity(0))
        return max(1, int(sum(node.cpus for node in self._nodes)))

    def _keep_exporters(self) -> None:
        """One for each node but ours; those of nodes that are gone are given up."""
        others = {exporter_name(node.id): node for node in self._living() if node.id != self._home}
        for name in self._exporters.keys() - others.keys():
            self._exporters.pop(name).kill()
        for name in others.keys() - self._exporters.keys():
            self._exporters[name] = runtime.spawn(exporter_spec(others[name], self._settings, self._metrics))

    def _spawn_ingress(self, name: str, node: Node) -> None:
        """Pinned, because Ray does not honour a mere wish for a node where an actor reserves no CPU."""
        cpus = self._settings.actors.actor_cpus
        self._spawn(Spawn(name, ingress.ingress, (name, self._settings), cpus=cpus), node_id=node.id, pinned=True)
        self._ingress_nodes[name] = node.id

    def _keep_ingresses(self) -> None:
        """Those of nodes that are gone go on where the fewest are."""
        living = self._living()
        for name in self.ingresses:
            if self._ingress_nodes[name] not in {node.id for node in living}:
                taken = Counter(self._ingress_nodes.values())
                self._refs[name].kill()
                with contextlib.suppress(runtime.NameTaken):  # it is on its way out: the next time
                    self._spawn_ingress(name, min(living, key=lambda node: taken[node.id]))
                    log.warning("an ingress moved: its node is gone", name=name, node=self._ingress_nodes[name])

    async def _follow_nodes(self) -> None:
        while self._spread:
            await asyncio.sleep(NODES_S)
            await asyncio.to_thread(self._keep_exporters)
            await asyncio.to_thread(self._keep_ingresses)

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
