"""Updates of the few columns that change with nearly every message, for any number of rows in one statement.

Columns travel as array literals: psycopg would make an object of each value first, which costs more than the update.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection, sql

from storage.projection.binary import micros
from storage.projection.changes import TransactionKey
from storage.queries.rows import TransactionRow

MOMENT = "timestamptz '2000-01-01 00:00:00+00' + sent.{} * interval '1 microsecond'"
"""Of a column of `micros`."""

UPDATE_SEEN = sql.SQL(
    "UPDATE stations SET seen_at = greatest(stations.seen_at, {moment})"
    " FROM unnest(%s::text[], %s::bigint[]) AS sent (station, seen)"
    " WHERE stations.tenant = %s AND stations.station = sent.station"
).format(moment=sql.SQL(MOMENT.format("seen")))

INSERT_SEEN = sql.SQL(
    "INSERT INTO stations (tenant, station, seen_at)"
    " SELECT %s, sent.station, {moment} FROM unnest(%s::text[], %s::bigint[]) AS sent (station, seen)"
    " ON CONFLICT (tenant, station) DO NOTHING"
).format(moment=sql.SQL(MOMENT.format("seen")))

UPDATE_PROGRESS = sql.SQL(
    "UPDATE transactions SET updated_at = {moment}, meter_last_wh = sent.meter_last_wh, energy_wh = sent.energy_wh,"
    " charging_state = sent.charging_state, last_sequence = sent.last_sequence"
    " FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::double precision[], %s::double precision[], %s::text[],"
    " %s::bigint[])"
    " AS sent (station, transaction_id, updated, meter_last_wh, energy_wh, charging_state, last_sequence)"
    " WHERE transactions.tenant = %s AND transactions.station = sent.station"
    " AND transactions.transaction_id = sent.transaction_id"
).format(moment=sql.SQL(MOMENT.format("updated")))


async def write_seen(connection: AsyncConnection[Any], tenant: str, seen: Mapping[str, datetime | None]) -> None:
    """When stations were last heard of; a station without a row gets one."""
    if not seen:
        return
    stations = texts(seen)
    moments = numbers([None if at is None else micros(at) for at in seen.values()])
    cursor = await connection.execute(UPDATE_SEEN, [stations, moments, tenant])
    if cursor.rowcount < len(seen):
        await connection.execute(INSERT_SEEN, [tenant, stations, moments])


async def write_progress(
    connection: AsyncConnection[Any], tenant: str, rows: Mapping[TransactionKey, TransactionRow]
) -> bool:
    """How far transactions are; False: a row was not there, so all of them must be written whole."""
    if not rows:
        return True
    progress = rows.values()
    cursor = await connection.execute(
        UPDATE_PROGRESS,
        [
            texts([row.station for row in progress]),
            texts([row.transaction_id for row in progress]),
            numbers([micros(row.updated_at) for row in progress]),
            numbers([row.meter_last_wh for row in progress]),
            numbers([row.energy_wh for row in progress]),
            texts([row.charging_state for row in progress]),
            numbers([row.last_sequence for row in progress]),
            tenant,
        ],
    )
    return cursor.rowcount == len(rows)


def texts(values: Iterable[str | None]) -> str:
    """An array of texts as a literal."""
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def numbers(values: Sequence[float | None]) -> str:
    """An array of numbers as a literal: whole ones, or the shortest text that gives the same double again."""
    return "{" + ",".join(["NULL" if value is None else repr(value) for value in values]) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'
