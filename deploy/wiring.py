"""Wiring: makes the parts of each Ray process and joins them. Nothing is decided here.

Each factory is called by `actors.runtime.Host` inside the process that it is for, at its start and after every restart.
`Settings` reach it complete: the URLs of Redis and PostgreSQL are filled in.
"""

import contextlib
import os
import secrets
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from actors import runtime
from actors.directory import Directory
from actors.gateway import Gateway
from actors.postgres_projection import PostgresProjection
from actors.projector import ProjectorActor
from actors.router import ActorBook, IngressRoutes, Router
from actors.runtime import ActorRef, Spawn
from actors.station_actor import StationActor
from deploy import logs
from deploy.settings import Settings
from engine.model.authorization import TokenStatus
from engine.model.ids import Unit
from engine.model.provisioning import Registration
from engine.ports import ActorUnavailable
from engine.station.policy import Policy
from ingress.http.app import create_app
from ingress.http.keys import ApiKeys
from ingress.http.server import HttpServer
from ingress.http.services import ScrapeTarget, Services
from ingress.ocpp.server import IngressServer
from storage.journal import RedisJournal
from storage.journal_reader import JournalReader
from storage.keys import MESSAGES, fact_streams
from storage.message_log import RedisMessageLog
from storage.operator_book import RedisOperatorBook
from storage.postgres import Pool, open_pool, ping
from storage.queries.reader import Queries
from storage.redis_client import redis_client, redis_link
from storage.redis_link import RedisLink

LOG_BYTES_MAX = 20_000_000


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present, aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 (this is the clock)


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562): milliseconds since 1970, then chance, so that newer ones sort later."""
    milliseconds = int(datetime.now(UTC).timestamp() * 1000)  # noqa: TID251 (a shell)
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


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


def journal_of(settings: Settings) -> RedisJournal:
    """The journal, with a client of its own."""
    return RedisJournal(redis_client(settings.redis), tenant=settings.tenant, settings=settings.redis)


def book_of(settings: Settings) -> RedisOperatorBook:
    """The operator's book, with a client of its own."""
    return RedisOperatorBook(redis_client(settings.redis), tenant=settings.tenant, settings=settings.redis)


def router_of(settings: Settings, book: ActorBook) -> Router:
    """The way to the station actors."""
    return Router(book, shards=settings.actors.shards, literal=settings.actors.literal)


def open_log(path: Path) -> TextIO:
    """Opens a process' log for appending; one that grew large is set aside first (one generation is kept)."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_suffix(".log.1"))
    return path.open("a", buffering=1, encoding="utf-8")


def _prepare(settings: Settings, process: str) -> None:
    """What each process does first: its logs go where the settings say."""
    folder = settings.data_dir / "log"
    stream = open_log(folder / f"{process}.log") if folder.is_dir() else None
    logs.configure(settings.log.level, settings.log.format, process=process, stream=stream)


def station_actor(name: str, settings: Settings) -> StationActor:
    """The process of a station actor."""
    _prepare(settings, name)
    ingresses = IngressRoutes(ActorBook())
    return StationActor(name, journal_of(settings), ingresses, SystemClock(), policy_of(settings), settings.actors)


def directory(names: tuple[str, ...], settings: Settings) -> Directory:
    """The directory's process. `names`: the station actors in shard mode, none in literal mode."""
    _prepare(settings, "directory")
    literal = settings.actors.literal

    def spawn_station(station: str) -> ActorRef:
        return runtime.spawn(station_spec(f"station-{station}", settings))

    return Directory(
        journal_of(settings),
        {name: runtime.find(name) for name in names},
        () if literal else tuple(Unit(shard) for shard in range(settings.actors.shards)),
        spawn_station,
        settings.actors.literal_stations_max,
    )


def projector(settings: Settings) -> ProjectorActor:
    """The projector's process."""
    _prepare(settings, "projector")
    streams = (*fact_streams(settings.actors.shards), MESSAGES)
    source = JournalReader(redis_client(settings.redis), settings.redis)
    return ProjectorActor(
        source, PostgresProjection(postgres_url(settings), settings.postgres, settings.tenant), streams, SystemClock()
    )


class IngressProcess:
    """An ingress and what runs around it. `incarnation` tells this process' sessions from its forebears'."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._router = router_of(settings, ActorBook())
        self._log = RedisMessageLog(redis_client(settings.redis), settings.redis)
        self._incarnation = secrets.token_hex(4)
        self._server = IngressServer(
            settings.ocpp, name, self._incarnation, self._router, book_of(settings), self._log, SystemClock()
        )

    async def start(self) -> None:
        """Listens."""
        await self._router.start()
        self._log.start()
        await self._server.start()

    async def receive_downlinks(self, downlinks: bytes) -> None:
        """From station actors to stations."""
        await self._server.receive_downlinks(downlinks)

    async def drain(self, grace_s: float) -> None:
        """Answers what is open and says good-bye to the stations."""
        await self._server.drain(grace_s)
        await self._log.stop()

    async def health(self) -> dict[str, Any]:
        """For people, readiness, and whoever closes orphaned sessions."""
        return {**self._server.health(), "incarnation": self._incarnation}


def ingress(name: str, settings: Settings) -> IngressProcess:
    """An ingress' process."""
    _prepare(settings, name)
    return IngressProcess(name, settings)


class HttpProcess:
    """The HTTP door and what it asks."""

    def __init__(self, settings: Settings, ingresses: tuple[str, ...]) -> None:
        self._settings = settings
        self._ingresses = ingresses
        self._book = ActorBook()
        self._router = router_of(settings, self._book)
        self._server: HttpServer | None = None

    async def start(self) -> None:
        """Listens. PostgreSQL may be away: then reads fail until it is back."""
        settings = self._settings
        await self._router.start()
        pool = await open_pool(postgres_url(settings), settings.postgres, name="http", wait=False)
        redis = redis_link(redis_client(settings.redis), settings.redis)
        services = Services(
            queries=Queries(pool, settings.tenant),
            gateway=Gateway(self._router, SystemClock()),
            book=book_of(settings),
            keys=ApiKeys(settings.data_dir),
            clock=SystemClock(),
            ids=new_id,
            settings=settings.http,
            health={
                "journal": lambda: _ping_redis(redis),
                "postgres": lambda: _ping_postgres(pool),
                "directory": self._directory,
                "projector": self._projector,
                "ingress": self._ingress,
            },
            targets=self._targets,
            metrics_dir=metrics_dir(settings),
            command_deadline_s=settings.actors.command_deadline_s,
            version=version("narke"),
        )
        self._server = HttpServer(create_app(services), settings.http.host, settings.http.port)
        await self._server.start()

    async def health(self) -> dict[str, Any]:
        """Listens, or this would not answer."""
        return {}

    async def stop(self) -> None:
        """Ends running requests and closes."""
        if self._server is not None:
            await self._server.stop()

    async def _directory(self) -> str:
        health = await self._book.call("directory", "health")
        if not health["version"]:
            raise ActorUnavailable("no unit is placed yet")
        down = health["actors_down"]
        return f"{health['units']} units placed" + (f"; down: {', '.join(down)}" if down else "")

    async def _projector(self) -> str:
        health = await self._book.call("projector", "health")
        if health["failure"]:
            raise ActorUnavailable(str(health["failure"]))
        return "carries the journal to PostgreSQL"

    async def _ingress(self) -> str:
        healths = [await self._book.call(name, "health") for name in self._ingresses]
        return f"{sum(health['connections'] for health in healths)} connections"

    async def _targets(self) -> tuple[ScrapeTarget, ...]:
        http = self._settings.http
        return (ScrapeTarget((f"{http.host}:{http.port}",), {"job": "narke"}),)


async def _ping_redis(link: RedisLink) -> str:
    await link.command(b"PING")
    return f"Redis at {link.place} answers"


async def _ping_postgres(pool: Pool) -> str:
    await ping(pool)
    return "PostgreSQL answers"


def http(settings: Settings, ingresses: tuple[str, ...]) -> HttpProcess:
    """The HTTP door's process."""
    _prepare(settings, "http")
    return HttpProcess(settings, ingresses)


def metrics_dir(settings: Settings) -> Path:
    """Where the processes of a node keep their metrics for the exporter."""
    return settings.data_dir / "run" / "metrics"


def postgres_url(settings: Settings) -> str:
    """PostgreSQL's URL, which `deploy.up` filled in."""
    url = settings.servers.postgres_url
    assert url is not None
    return url.get_secret_value()


def station_spec(name: str, settings: Settings) -> Spawn:
    """How a station actor runs."""
    return Spawn(name, station_actor, (name, settings), cpus=settings.actors.actor_cpus)
