"""The processes that own stations: station actors, and the directory that places units on them."""

import contextlib
from collections.abc import Iterator

from actors import runtime
from actors.directory import SHARD_PREFIX, STATION_PREFIX, Directory
from actors.router import ActorBook, IngressRoutes
from actors.runtime import ActorRef, MetricsDirs, Spawn
from actors.station_actor import StationActor
from deploy import vat_directory
from deploy.settings import Settings
from deploy.wiring.parts import SystemClock, journal_of, prepare
from engine import quirk_files
from engine.model.authorization import TokenStatus
from engine.model.ids import Unit
from engine.model.provisioning import Registration
from engine.model.smart_charging import NeedsVerdict
from engine.ports import ActorGone
from engine.station.policy import AuthorizationPolicy, ChargingPolicy, Policy


def policy_of(settings: Settings) -> Policy:
    """The rules of the domain, from the settings."""
    actors = settings.actors
    return Policy(
        heartbeat_interval_s=actors.heartbeat_interval_s,
        boot_retry_s=actors.boot_retry_s,
        unknown_stations=Registration(actors.unknown_stations),
        unknown_tokens=TokenStatus(actors.unknown_tokens),
        data_vendors_accepted=frozenset(actors.data_transfer_vendors),
        authorization=authorization_of(settings),
        provisioning=settings.provisioning.policy,
        transactions=settings.transactions.policy,
        diagnostics=settings.diagnostics.policy,
        costs=settings.costs.policy,
        charging=ChargingPolicy(planned_needs=NeedsVerdict.PROCESSING if settings.planner.enabled else None),
        quirks=quirk_files.load(actors.quirks_file),
    )


def authorization_of(settings: Settings) -> AuthorizationPolicy:
    """The rules about tokens, local lists and payments, from the settings."""
    chosen = settings.authorization
    return AuthorizationPolicy(
        types_accepted=frozenset(chosen.types_accepted),
        master_group=chosen.master_group,
        cache_s=chosen.cache_s,
        transactions_max=chosen.transactions_max,
        per_group=chosen.transactions_per == "group",
        stop_invalid_s=chosen.stop_invalid_after_s if chosen.stop_invalid == "narke" else None,
        check_list_after_boot=chosen.check_list_after_boot,
        receipt_url=chosen.receipt_url,
        vat_companies=vat_directory.load(chosen.vat_directory),
    )


def station_actor(name: str, settings: Settings) -> StationActor:
    """The process of a station actor."""
    prepare(settings, name)
    ingresses = IngressRoutes(ActorBook())
    return StationActor(name, journal_of(settings), ingresses, SystemClock(), policy_of(settings), settings.actors)


SPREAD_CPUS = 0.001
"""What an actor of literal mode reserves at least: Ray does not spread actors that reserve nothing."""


def station_spec(name: str, settings: Settings, metrics: MetricsDirs) -> Spawn:
    """How a station actor runs; where is to be said, or Ray spreads them over all nodes."""
    return Spawn(name, station_actor, (name, settings), cpus=settings.actors.actor_cpus, metrics=metrics)


def directory(settings: Settings, metrics: MetricsDirs, node_id: str | None) -> Directory:
    """The directory's process. In shard mode it begins with the station actors that Ray knows, also when it comes back.

    `node_id`: where to spawn literal mode's actors; None: spread over all nodes.
    """
    prepare(settings, "directory")
    literal = settings.actors.literal

    def spawn_station(station: str) -> ActorRef:
        spec = station_spec(f"{STATION_PREFIX}{station}", settings, metrics)
        return runtime.spawn(spec._replace(cpus=spec.cpus or SPREAD_CPUS, node_id=node_id), adopt=True)

    return Directory(
        journal_of(settings),
        {} if literal else dict(_station_actors()),
        () if literal else tuple(Unit(shard) for shard in range(settings.actors.shards)),
        spawn_station,
        settings.actors.literal_stations_max,
        find=runtime.find,
    )


def _station_actors() -> Iterator[tuple[str, ActorRef]]:
    for name in runtime.names():
        if name.startswith(SHARD_PREFIX):
            with contextlib.suppress(ActorGone):  # it has just ended
                yield name, runtime.find(name)
