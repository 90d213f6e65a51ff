"""The parts of the house, each made for a process of its own: the product's classes on simulated seams."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from actors.directory import STATION_PREFIX, Directory
from actors.projector import ProjectorActor
from actors.router import IngressRoutes
from actors.settings import ActorSettings
from actors.station_actor import StationActor
from deploy.simulation.chance import Chance
from deploy.simulation.ingress import Ingress
from deploy.simulation.postgres import ApplyFaults, Postgres, Reader, SimulatedProjection
from deploy.simulation.processes import WORLD, Network, Process, Reference
from deploy.simulation.redis import RedisClient, RedisServer
from engine.model.ids import Unit
from engine.ports import ActorGone, SeamError
from engine.station.decider import next_deadline
from engine.station.policy import Policy
from ingress.settings import OcppSettings
from storage import keys
from storage.arrivals import RedisArrivals
from storage.journal import RedisJournal
from storage.redis_settings import RedisSettings

TENANT: Final = "simulated"
SHARDS: Final = 4


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What parts stand on. `actors`: names in shard mode. `lag_s`: how far the projector is behind."""

    network: Network
    redis: RedisServer
    postgres: Postgres
    chance: Chance
    faults: ApplyFaults
    settings: ActorSettings
    redis_settings: RedisSettings
    actors: tuple[str, ...]
    literal: bool
    lag_s: float


class Parts:
    """Makes the parts. `reader`: of the projector that lives now."""

    def __init__(self, site: Site) -> None:
        self.site: Final = site
        self.reader: Reader | None = None

    def journal(self) -> RedisJournal:
        """The real journal, on the simulated Redis."""
        client: Any = RedisClient(self.site.redis)
        return RedisJournal(client, tenant=TENANT, settings=self.site.redis_settings)

    async def station_actor(self, process: Process) -> StationActor:
        """A station actor."""
        routes = IngressRoutes(self.site.network)  # type: ignore[arg-type]  # it has the one method that routes use
        actor = StationActor(process.name, self.journal(), routes, process.clock, Policy(), self.site.settings)
        assert process.life is not None, "an actor is made within its life"
        process.life.poll_due = lambda: _next_deadline_s(actor, process)
        await actor.start()
        return actor

    async def directory(self, process: Process) -> Directory:
        """The directory."""
        units = () if self.site.literal else tuple(Unit(shard) for shard in range(SHARDS))
        actors: dict[str, Any] = {name: Reference(name, self.site.network) for name in self.site.actors}
        directory = Directory(self.journal(), actors, units, self._spawn_station, 100, self._find)
        assert process.life is not None, "a directory is made within its life"
        process.life.poll_due = lambda: 0.0 if _has_to_look(directory) else None
        await _insisted(directory.start)
        return directory

    def _find(self, name: str) -> Any:
        if name not in self.site.network.processes:
            raise ActorGone(name)
        return Reference(name, self.site.network)

    def _spawn_station(self, station: str) -> Any:
        name = f"{STATION_PREFIX}{station}"
        if name in self.site.network.processes:
            return Reference(name, self.site.network)
        return WORLD.copy().run(self.site.network.add, name, self.station_actor)

    async def ingress(self, process: Process) -> Ingress:
        """An ingress."""
        client: Any = RedisClient(self.site.redis)
        arrivals = RedisArrivals(client, settings=self.site.redis_settings)
        made = Ingress(process, self.site.network, OcppSettings(), arrivals, SHARDS, literal=self.site.literal)
        await made.router.start()
        return made

    async def projector(self, process: Process) -> ProjectorActor:
        """The projector."""
        projection: Any = SimulatedProjection(TENANT, self.site.postgres, self.site.chance, process, self.site.faults)
        streams = (*(f"s{shard}" for shard in range(SHARDS)), keys.OPERATOR)
        self.reader = Reader(self.site.redis, process, self.site.lag_s)
        made = ProjectorActor(self.reader, projection, streams, process.clock)
        await made.start()
        return made


async def _insisted(start: Callable[[], Awaitable[None]]) -> None:
    """Ray starts an actor again that could not start."""
    while True:
        try:
            return await start()
        except SeamError:
            await asyncio.sleep(0.5)


def _next_deadline_s(actor: StationActor, process: Process) -> float | None:
    """Seconds until the actor's tick has something to do; None: no command is open."""
    hosted, policy = actor._turns.stations.values(), actor._policy  # noqa: SLF001 (idle time is to be free)
    deadlines = [deadline for each in hosted if (deadline := next_deadline(each.state, policy)) is not None]
    if not deadlines:
        return None
    return max(0.0, (min(deadlines) - process.clock.now()).total_seconds())


def _has_to_look(directory: Directory) -> bool:
    """Whether the directory waits for actors to come back, or has units to move."""
    return bool(directory._down) or directory._settled_for != directory._live  # noqa: SLF001 (as above)
