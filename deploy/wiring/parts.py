"""Parts that several processes have."""

import gc
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from redis.asyncio import Redis

from actors.router import ActorBook, Router
from deploy import logs
from deploy.settings import Settings
from storage.authority.folder import Places
from storage.journal import RedisJournal
from storage.operator_book import RedisOperatorBook
from storage.redis_client import redis_client
from storage.site_book import RedisSiteBook
from storage.tariff_book import RedisTariffBook


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


def journal_of(settings: Settings, client: Redis | None = None) -> RedisJournal:
    """The journal; `client` None: with one of its own for as long as the process lives."""
    client = client or redis_client(settings.redis)
    return RedisJournal(client, tenant=settings.tenant, settings=settings.redis)


def book_of(settings: Settings, client: Redis | None = None) -> RedisOperatorBook:
    """The operator's book; `client` None: with one of its own for as long as the process lives."""
    client = client or redis_client(settings.redis)
    return RedisOperatorBook(client, tenant=settings.tenant, settings=settings.redis)


def tariff_book_of(settings: Settings, client: Redis | None = None) -> RedisTariffBook:
    """The operator's tariffs; `client` None: with one of its own for as long as the process lives."""
    client = client or redis_client(settings.redis)
    return RedisTariffBook(client, tenant=settings.tenant, settings=settings.redis)


def site_book_of(settings: Settings, client: Redis | None = None) -> RedisSiteBook:
    """The operator's sites; `client` None: with one of its own for as long as the process lives."""
    client = client or redis_client(settings.redis)
    return RedisSiteBook(client, tenant=settings.tenant, settings=settings.redis)


def router_of(settings: Settings, book: ActorBook) -> Router:
    """The way to the station actors."""
    return Router(book, shards=settings.actors.shards, literal=settings.actors.literal)


def certificate_places(settings: Settings) -> Places:
    """The folder of the local certificate authority, whether there is one in it or not."""
    return Places(settings.certificates.folder or settings.data_dir / "ca")


def metrics_dir(settings: Settings) -> Path:
    """Where the processes of a node keep their metrics for the exporter."""
    return settings.data_dir / "run" / "metrics"


def postgres_url(settings: Settings) -> str:
    """PostgreSQL's URL, which `deploy.up` filled in."""
    url = settings.servers.postgres_url
    assert url is not None
    return url.get_secret_value()


GARBAGE_THRESHOLDS = (50_000, 20, 20)
"""Of Python's collector of cycles. Nearly all of ours dies by its count of references, and what lives is large (10,000
connections, or the states of 5,000 stations): Python's own thresholds (700, 10, 10) cost a quarter of the CPU."""


def prepare(settings: Settings, process: str) -> None:
    """What each process does first: its logs go where the settings say, and its garbage is looked for less often."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    folder = settings.data_dir / "log"
    stream = logs.open_log(folder / f"{process}.log") if folder.is_dir() else None
    logs.configure(settings.log.level, settings.log.format, process=process, stream=stream)
