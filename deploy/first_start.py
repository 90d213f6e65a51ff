"""What must be right before the first process starts: schema, layout, records of the operator, the first API key."""

import asyncio

import structlog
from redis.asyncio import Redis

from deploy.settings import Settings
from deploy.wiring.parts import SystemClock, book_of, journal_of, postgres_url, site_book_of
from ingress.http.keys import ensure_first_key
from storage.layout import fix_layout
from storage.postgres import Pool, open_pool
from storage.redis_client import redis_client, redis_link
from storage.restore import operator_records, site_records
from storage.schema import migrate

log = structlog.get_logger()


async def prepare(settings: Settings) -> None:
    """Makes it right.

    Raises:
        SchemaNewer, SchemaBusy, LayoutDiffers, BadKeyFile: With what to do.
        JournalUnavailable, psycopg.Error: A server does not answer.
    """
    if await asyncio.to_thread(migrate, postgres_url(settings)):
        log.info("database schema brought up to date")
    pool = await open_pool(postgres_url(settings), settings.postgres, name="start")
    redis = redis_client(settings.redis)
    try:
        actors = settings.actors
        if await fix_layout(redis_link(redis, settings.redis), actors.shards, literal=actors.literal):
            await _restore(settings, pool, redis)
            await _restore_sites(settings, pool, redis)
        await journal_of(settings, redis).raise_transaction_numbers(await _numbers_taken(settings, pool))
    finally:
        await pool.close()
        await redis.aclose()
    ensure_first_key(settings.data_dir, SystemClock().now())


async def _restore(settings: Settings, pool: Pool, redis: Redis) -> None:
    """Redis is new: brings back what PostgreSQL knows of tokens and stations."""
    records = await operator_records(pool, settings.tenant)
    if not (records.tokens or records.stations):
        return
    book, now = book_of(settings, redis), SystemClock().now()
    await book.save_tokens(records.tokens, now)
    for record in records.stations:
        await book.save_station(record, now)
    log.warning(
        "this Redis is new: tokens and stations were restored from PostgreSQL",
        tokens=len(records.tokens),
        stations=len(records.stations),
    )


async def _restore_sites(settings: Settings, pool: Pool, redis: Redis) -> None:
    """Redis is new: brings back what PostgreSQL knows of sites, caps and prices."""
    records = await site_records(pool, settings.tenant)
    book = site_book_of(settings, redis)
    for site in records.sites:
        await book.restore(site)
    for held, by in records.caps:
        await book.save_cap(held.cap, by, held.saved_at)
        await book.hear_cap(held.cap.site, held.cap.source, held.heard_at)
    for series, by in records.series:
        await book.save_series(series, by, SystemClock().now())
    if records.sites:
        log.warning(
            "this Redis is new: sites were restored from PostgreSQL",
            sites=len(records.sites),
            caps=len(records.caps),
            series=len(records.series),
        )


async def _numbers_taken(settings: Settings, pool: Pool) -> int:
    """The highest number that a 1.6 transaction has; a Redis restored from an older copy must not give it again."""
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT max(number) FROM transactions WHERE tenant = %s", [settings.tenant])
        row = await cursor.fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0
