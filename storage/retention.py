"""Retention: partitions ahead of time, and an end to rows that are older than the settings say. Run it every hour."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import structlog
from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from storage.blocks.registry import TABLES, UNLISTED
from storage.blocks.table import Age
from storage.partitions import (
    Partition,
    drop_partition,
    existing_partitions,
    make_partitions,
    partitions_ahead,
)
from storage.postgres_metrics import PARTITIONS_DROPPED
from storage.postgres_settings import RetentionSettings

log = structlog.get_logger()

LOCK_TIMEOUT_MS = 2_000
COMMANDS_MAX = 10_000
"""Commands deleted in one go; the rest waits for the next hour."""


ROWS_MAX = 100_000
"""Rows of a block's table deleted in one go, likewise."""


class Kept(msgspec.Struct, frozen=True):
    """What a run did: partitions made, dropped, in use (left for the next run); commands and blocks' rows deleted."""

    made: tuple[str, ...]
    dropped: tuple[str, ...]
    busy: tuple[str, ...]
    commands: int
    rows: int = 0


async def keep_retention(pool: AsyncConnectionPool[Any], settings: RetentionSettings, now: datetime) -> Kept:
    """Makes partitions for today and two days more, drops those whose last row is older than the settings say.

    Raises:
        psycopg.Error: PostgreSQL does not answer or refuses; what was done stays done.
    """
    dropped, busy = [], []
    async with pool.connection() as connection:
        made = await make_partitions(connection, partitions_ahead(now))
        for partition in expired(await existing_partitions(connection), settings, now):
            try:
                await drop_partition(connection, partition, lock_timeout_ms=LOCK_TIMEOUT_MS)
            except psycopg.errors.LockNotAvailable:
                busy.append(partition.name)
                continue
            dropped.append(partition.name)
            PARTITIONS_DROPPED.labels(partition.table).inc()
        commands = await connection.execute(
            "DELETE FROM commands WHERE (tenant, command_id) IN (SELECT tenant, command_id FROM commands"
            " WHERE requested_at < %s AND settled_at IS NOT NULL LIMIT %s)",
            [now - timedelta(days=settings.commands_days), COMMANDS_MAX],
        )
        rows = await _delete_old_rows(connection, settings, now)
    kept = Kept(tuple(partition.name for partition in made), tuple(dropped), tuple(busy), commands.rowcount, rows)
    if made or dropped or busy or kept.commands or rows:
        log.info(
            "retention kept", made=kept.made, dropped=kept.dropped, busy=kept.busy, commands=kept.commands, rows=rows
        )
    return kept


async def _delete_old_rows(connection: AsyncConnection[Any], settings: RetentionSettings, now: datetime) -> int:
    """Deletes rows of blocks' tables that are older than the settings say; returns how many."""
    days = {Age.HISTORY: settings.history_days, Age.PRIVATE: settings.private_days, Age.VALUES: settings.values_days}
    deleted = 0
    for table in (*TABLES.values(), *UNLISTED):
        if table.ages_by is None:
            continue
        statement = sql.SQL("DELETE FROM {0} WHERE ctid IN (SELECT ctid FROM {0} WHERE {1} < %s LIMIT %s)").format(
            sql.Identifier(table.name), sql.Identifier(table.ages_by)
        )
        done = await connection.execute(statement, [now - timedelta(days=days[table.age]), ROWS_MAX])
        deleted += done.rowcount
    return deleted


def expired(existing: set[Partition], settings: RetentionSettings, now: datetime) -> list[Partition]:
    """The partitions of which every row is older than its table's setting, oldest first."""
    days: Mapping[str, int] = {
        "meter_values": settings.meter_values_days,
        "exchanges": settings.messages_days,
        "station_events": settings.events_days,
    }
    today = now.astimezone(UTC).date()
    return sorted(
        (partition for partition in existing if partition.end <= today - timedelta(days=days[partition.table])),
        key=lambda partition: (partition.first, partition.table),
    )
