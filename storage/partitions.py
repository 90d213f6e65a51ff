"""Partitions by time: their names and bounds, and how they are made and dropped.

A partition is made beside its table and then attached: that disturbs neither readers nor writers (CREATE TABLE ...
PARTITION OF would lock them out).
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from psycopg import AsyncConnection, sql

ADVISORY_CLASS = 0x6E61726B  # "nark": one maker of partitions at a time


class Span(StrEnum):
    """How much time one partition holds, in UTC."""

    DAY = "day"
    MONTH = "month"


SPAN_OF_TABLE = {"meter_values": Span.DAY, "exchanges": Span.DAY, "station_events": Span.MONTH}
DAYS_AHEAD = 2

INSERT_ONLY = "autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0.5"
"""Storage parameters of partitions: their rows are never changed and go with the table. A vacuum after every fifth of
growth would write each page to the log of changes once more, only to mark it as visible to all; rows that grow old
(200 million transactions) are frozen all the same. Statistics are renewed as the table doubles."""


class Partition(NamedTuple):
    """The part of `table` that begins on the day `first`."""

    table: str
    first: date

    @property
    def name(self) -> str:
        """E.g. meter_values_20261121, station_events_202611."""
        span = SPAN_OF_TABLE[self.table]
        return f"{self.table}_{self.first:%Y%m%d}" if span is Span.DAY else f"{self.table}_{self.first:%Y%m}"

    @property
    def end(self) -> date:
        """The day after its last one."""
        if SPAN_OF_TABLE[self.table] is Span.DAY:
            return self.first + timedelta(days=1)
        return (self.first + timedelta(days=32)).replace(day=1)


def partition_of(table: str, moment: datetime | date) -> Partition:
    """The partition that a row of this time belongs to."""
    day = moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
    return Partition(table, day if SPAN_OF_TABLE[table] is Span.DAY else day.replace(day=1))


def partition_named(name: str) -> Partition | None:
    """The partition of this name; None: it is not named as ours are."""
    match = re.fullmatch(r"(\w+)_(\d{4})(\d{2})(\d{2})?", name)
    if match is None or match[1] not in SPAN_OF_TABLE or (match[4] is None) != (SPAN_OF_TABLE[match[1]] is Span.MONTH):
        return None
    return Partition(match[1], date(int(match[2]), int(match[3]), int(match[4] or 1)))


def partitions_ahead(now: datetime) -> set[Partition]:
    """What should exist at `now`: today's and those of the next two days."""
    days = [now + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)]
    return {partition_of(table, day) for table in SPAN_OF_TABLE for day in days}


async def existing_partitions(connection: AsyncConnection[Any]) -> set[Partition]:
    """All attached partitions."""
    cursor = await connection.execute(
        "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
        " WHERE inhparent = ANY(ARRAY(SELECT to_regclass(name) FROM unnest(%s::text[]) AS name))",
        [list(SPAN_OF_TABLE)],
    )
    found = {partition_named(name) for (name,) in await cursor.fetchall()}
    return {partition for partition in found if partition is not None}


async def make_partitions(connection: AsyncConnection[Any], wanted: Iterable[Partition]) -> list[Partition]:
    """Makes those that do not exist, in one transaction (or the one that is open). Returns what it made."""
    if not await _missing(connection, wanted := sorted(set(wanted))):
        return []
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [ADVISORY_CLASS])
        missing = await _missing(connection, wanted)
        for partition in missing:
            await _make(connection, partition)
    return missing


async def _missing(connection: AsyncConnection[Any], wanted: Sequence[Partition]) -> list[Partition]:
    if not wanted:
        return []
    # Not by to_regclass: its cache does not see what another has just committed.
    cursor = await connection.execute(
        "SELECT relname FROM pg_class WHERE relname = ANY(%s)"
        " AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'meter_values'::regclass)",
        [[partition.name for partition in wanted]],
    )
    names = {name for (name,) in await cursor.fetchall()}
    return [partition for partition in wanted if partition.name not in names]


async def _make(connection: AsyncConnection[Any], partition: Partition) -> None:
    names = {
        "table": sql.Identifier(partition.table),
        "name": sql.Identifier(partition.name),
        "how": sql.SQL(INSERT_ONLY),
        "first": sql.Literal(datetime.combine(partition.first, time(), UTC).isoformat()),
        "end": sql.Literal(datetime.combine(partition.end, time(), UTC).isoformat()),
    }
    for statement in (
        "CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE) WITH ({how})",
        "ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})",
    ):
        await connection.execute(sql.SQL(statement).format(**names))


async def drop_partition(connection: AsyncConnection[Any], partition: Partition, *, lock_timeout_ms: int) -> None:
    """Drops it with all its rows. Readers and writers of the table wait for a moment.

    Raises:
        psycopg.errors.LockNotAvailable: Somebody reads for longer than `lock_timeout_ms`: try again later.
    """
    async with connection.transaction():
        await connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{lock_timeout_ms}ms"])
        await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(partition.name)))
