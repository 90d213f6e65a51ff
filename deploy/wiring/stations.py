"""The processes that own stations: station actors, and the directory that places units on them."""

from actors import runtime
from actors.directory import STATION_PREFIX, Directory
from actors.router import ActorBook, IngressRoutes
from actors.runtime import ActorRef, MetricsDirs, Spawn
from actors.station_actor import StationActor
from deploy.settings import Settings
from deploy.wiring.parts import SystemClock, journal_of, prepare
from engine.model.authorization import TokenStatus
from engine.model.ids import Unit
from engine.model.provisioning import Registration
from engine.station.policy import Policy


def policy_of(settings: Settings) -> Policy:
    """The rules of the domain, from the settings."""
    actors = settings.actors
    return Policy(
        heartbeat_interval_s=actors.heartbeat_interval_s,
        boot_retry_s=actors.boot_retry_s,
        unknown_stations=Registration(actors.unknown_stations),
        unknown_tokens=TokenStatus(actors.unknown_tokens),
        data_vendors_accepted=frozenset(actors.data_transfer_vendors),
    )


def station_actor(name: str, settings: Settings) -> StationActor:
    """The process of a station actor."""
    prepare(settings, name)
    ingresses = IngressRoutes(ActorBook())
    return StationActor(name, journal_of(settings), ingresses, SystemClock(), policy_of(settings), settings.actors)


SPREAD_CPUS = 0.001
"""What a station actor reserves at least: Ray does not spread actors that reserve nothing."""


def station_spec(name: str, settings: Settings, metrics: MetricsDirs, node_id: str | None) -> Spawn:
    """How a station actor runs. `node_id`: where; None: spread over all nodes."""
    cpus = settings.actors.actor_cpus or SPREAD_CPUS
    return Spawn(name, station_actor, (name, settings), cpus=cpus, node_id=node_id, metrics=metrics)


def directory(names: tuple[str, ...], settings: Settings, metrics: MetricsDirs, node_id: str | None) -> Directory:
    """The directory's process.

    `names`: the station actors in shard mode, none in literal mode, where it spawns them itself; the others say how.
    """
    prepare(settings, "directory")
    literal = settings.actors.literal

    def spawn_station(station: str) -> ActorRef:
        return runtime.spawn(station_spec(f"{STATION_PREFIX}{station}", settings, metrics, node_id), adopt=True)

    return Directory(
        journal_of(settings),
        {name: runtime.find(name) for name in names},
        () if literal else tuple(Unit(shard) for shard in range(settings.actors.shards)),
        spawn_station,
        settings.actors.literal_stations_max,
    )
