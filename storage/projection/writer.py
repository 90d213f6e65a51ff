"""Writes changes into the tables: COPY for volume, one upsert per table for the rest. Never opens a transaction."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from psycopg import AsyncConnection, sql

from engine.model.authorization import Token
from storage.partitions import Partition, partition_of
from storage.postgres_metrics import ROWS
from storage.projection import binary
from storage.projection.binary import Copied, Shape, Shapes
from storage.projection.changes import (
    Changes,
    NewEvent,
    RequestedCommand,
    SentCommand,
    SettledCommand,
    StationReport,
    TransactionKey,
)
from storage.projection.clean import json_of
from storage.projection.pending_rows import write_pending
from storage.projection.updates import write_progress, write_seen
from storage.projection.upserts import Column, Upsert
from storage.queries.listing import columns_of, reader_of
from storage.queries.rows import ConnectorRow, TokenRow, TransactionRow

TIME, NUMBER, REAL, FLAG, JSON = "timestamptz", "bigint", "double precision", "boolean", "jsonb"

KIND_OF_FIELD = {
    "evse": NUMBER,
    "connector": NUMBER,
    "number": NUMBER,
    "heartbeat_interval_s": NUMBER,
    "close_code": NUMBER,
    "last_sequence": NUMBER,
    "remote_start_id": NUMBER,
    "reservation_id": NUMBER,
    "phases_used": NUMBER,
    "cable_a_max": REAL,
    "status_at": TIME,
    "connected": FLAG,
    "offline": FLAG,
    "flags": "text[]",
    "command": JSON,
    "payload": JSON,
    "priority": NUMBER,
    "variables": JSON,
    "details": JSON,
}
"""SQL types of fields whose names do not tell (`*_at`, `*_wh`); all others are text."""

STATION_KEY = [Column("station")]
_DETAILS = TransactionRow.__struct_fields__.index("details")


def _columns(fields: Sequence[str]) -> list[Column]:
    return [Column(field, _kind(field)) for field in fields]


def _kind(field: str) -> str:
    if field in KIND_OF_FIELD:
        return KIND_OF_FIELD[field]
    if field.endswith("_at"):
        return TIME
    return REAL if field.endswith("_wh") else "text"


REPORTS = Upsert("stations", STATION_KEY, _columns(StationReport.__struct_fields__))
RECORDS = Upsert(
    "stations",
    STATION_KEY,
    [
        Column("registration"),
        Column("security_profile", NUMBER),
        Column("password_hash"),
        Column("message_log", FLAG),
        Column("note"),
        Column("password_hash_next"),
        Column("security_profile_next", NUMBER),
        Column("downgrade_allowed", FLAG),
        Column("certificate_name"),
        Column("assume_ocpp16", FLAG),
        Column("lenient_upgrade", FLAG),
        Column("recorded_at", TIME),
    ],
    fixed=[("registered", "true")],
)
CONNECTORS = Upsert(
    "connectors",
    [Column("station"), Column("evse", NUMBER), Column("connector", NUMBER)],
    _columns(ConnectorRow.__struct_fields__[3:]),
)
TRANSACTIONS = Upsert(
    "transactions",
    [Column("station"), Column("transaction_id")],
    [*_columns(TransactionRow.__struct_fields__[2:]), Column("token_key")],
)
REQUESTED = Upsert("commands", [Column("command_id")], _columns(RequestedCommand._fields))
SENT = Upsert(
    "commands",
    [Column("command_id")],
    _columns(SentCommand._fields),
    placeholders=[("kind", "'Unknown'"), ("requested_at", "sent.sent_at")],
)
SETTLED = Upsert(
    "commands",
    [Column("command_id")],
    _columns(SettledCommand._fields),
    placeholders=[("kind", "'Unknown'"), ("requested_at", "sent.settled_at")],
)
TOKENS = Upsert(
    "tokens",
    [Column("token_key")],
    [
        Column("token"),
        Column("type"),
        Column("blocked", FLAG),
        Column("expires_at", TIME),
        Column("token_group"),
        Column("note"),
        Column("saved_at", TIME),
        Column("places", "jsonb"),
        Column("hours", "jsonb"),
        Column("time_zone"),
        Column("credit", REAL),
        Column("concurrent_max", NUMBER),
        Column("in_local_list", FLAG),
        Column("priority", NUMBER),
        Column("language"),
        Column("language2"),
        Column("message"),
    ],
)
BAD_ENTRIES = Upsert("bad_entries", [Column("stream"), Column("entry_id")], [Column("reason"), Column("data", "bytea")])
POSITIONS = Upsert(
    "journal_positions", [Column("stream")], [Column("last_id")], fixed=[("updated_at", "clock_timestamp()")]
)


def _copy(table: str, fields: Sequence[str], form: str = "text") -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, ("tenant", *fields)))
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})").format(sql.Identifier(table), names, sql.SQL(form))


COPY_METER_VALUES = _copy("meter_values", binary.METER_VALUE_COLUMNS, "binary")
COPY_EXCHANGES = _copy("exchanges", binary.EXCHANGE_COLUMNS, "binary")
COPY_EVENTS = _copy("station_events", NewEvent._fields)

READ_STATIONS = sql.SQL("SELECT station, {} FROM stations WHERE tenant = %s AND station = ANY(%s)").format(
    columns_of(StationReport)
)
READ_TRANSACTIONS = sql.SQL(
    "SELECT {} FROM transactions WHERE tenant = %s"
    " AND (station, transaction_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
).format(columns_of(TransactionRow))


INSERT_SHAPE = (
    "INSERT INTO reading_shapes (shape, measurands, units, contexts, locations, phases)"
    " VALUES (%s, %s::text[], %s::text[], %s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING"
)

FIRST_DAY = date(2000, 1, 1)


class Volume(msgspec.Struct, frozen=True):
    """Rows of volume, ready for COPY. `shapes`: those that the meter values need."""

    meter_values: Copied
    exchanges: Copied
    shapes: list[Shape]


async def read_stations(
    connection: AsyncConnection[Any], tenant: str, stations: Iterable[str]
) -> dict[str, StationReport]:
    """What these stations reported, where there is a row."""
    wanted = list(stations)
    if not wanted:
        return {}
    cursor = await connection.execute(READ_STATIONS, [tenant, wanted])
    return {station: StationReport(*values) for station, *values in await cursor.fetchall()}


async def read_transactions(
    connection: AsyncConnection[Any], tenant: str, keys: Iterable[TransactionKey]
) -> dict[TransactionKey, TransactionRow]:
    """These transactions, where there is a row."""
    wanted = list(keys)
    if not wanted:
        return {}
    stations, transaction_ids = zip(*wanted, strict=True)
    async with connection.cursor(row_factory=reader_of(TransactionRow)) as rows:
        await rows.execute(READ_TRANSACTIONS, [tenant, list(stations), list(transaction_ids)])
        return {(row.station, row.transaction_id): row for row in await rows.fetchall()}


def volume_of(tenant: str, changes: Changes, shapes: Shapes) -> Volume:
    """The rows of volume as COPY takes them.

    Raises:
        struct.error: A number is too large for its column.
    """
    meter_values, used = binary.meter_values(tenant, changes.meter_values, shapes)
    return Volume(meter_values, binary.exchanges(tenant, changes.exchanges), used)


def partitions_of(changes: Changes, volume: Volume) -> set[Partition]:
    """The partitions that the new rows go to."""
    found = {partition_of("meter_values", _day(day)) for day in volume.meter_values.days}
    found |= {partition_of("exchanges", _day(day)) for day in volume.exchanges.days}
    return found | {partition_of("station_events", day) for day in {row.at for row in changes.events}}


def _day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


async def write_shapes(connection: AsyncConnection[Any], shapes: Iterable[Shape]) -> None:
    """Makes sure that the shapes are there."""
    for shape in shapes:
        words = (shape.measurands, shape.units, shape.contexts, shape.locations, shape.phases)
        await connection.execute(INSERT_SHAPE, [shape.id, *words])


async def write(connection: AsyncConnection[Any], tenant: str, changes: Changes, volume: Volume) -> None:
    """Writes all of it; the shapes must be there.

    Raises:
        psycopg.Error: PostgreSQL refuses a row or does not answer: the transaction cannot go on.
    """
    if changes.meter_values:
        await _copy_binary(connection, COPY_METER_VALUES, volume.meter_values)
    if changes.exchanges:
        await _copy_binary(connection, COPY_EXCHANGES, volume.exchanges)
    await _copy_rows(connection, COPY_EVENTS, tenant, changes.events)
    await _write_stations(connection, tenant, changes)
    await CONNECTORS.write(connection, tenant, [_values(row) for row in changes.connectors.values()])
    await _write_transactions(connection, tenant, changes)
    await REQUESTED.write(connection, tenant, [(key, *row) for key, row in changes.requested.items()])
    await SENT.write(connection, tenant, [(key, *row) for key, row in changes.sent.items()])
    await SETTLED.write(connection, tenant, [(key, *row) for key, row in changes.settled.items()])
    await _write_tokens(connection, tenant, changes)
    await write_pending(connection, tenant, changes.blocks)
    await BAD_ENTRIES.write(connection, tenant, changes.bad_entries)


def count(changes: Changes) -> None:
    """Tells the metrics, once it is committed."""
    for table in ("meter_values", "exchanges", "events", "connectors", "tokens"):
        ROWS.labels(table).inc(len(getattr(changes, table)))
    ROWS.labels("stations").inc(len(changes.stations.keys() | changes.seen.keys()))
    ROWS.labels("transactions").inc(len(changes.transactions) + len(changes.progress))
    ROWS.labels("commands").inc(len(changes.requested.keys() | changes.sent.keys() | changes.settled.keys()))


async def _copy_binary(connection: AsyncConnection[Any], statement: sql.Composed, rows: Copied) -> None:
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(rows.data)


async def _copy_rows(
    connection: AsyncConnection[Any], statement: sql.Composed, tenant: str, rows: Iterable[tuple[object, ...]]
) -> None:
    if not rows:
        return
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            await copy.write_row((tenant, *row))


async def _write_stations(connection: AsyncConnection[Any], tenant: str, changes: Changes) -> None:
    reports = [(station, *_values(report)) for station, report in changes.stations.items()]
    await REPORTS.write(connection, tenant, reports)
    await write_seen(connection, tenant, changes.seen)
    await RECORDS.write(
        connection,
        tenant,
        [
            (
                station,
                record.registration.value,
                record.security_profile,
                record.password_hash,
                record.message_log,
                record.note,
                record.password_hash_next,
                record.security_profile_next,
                record.downgrade_allowed,
                record.certificate_name,
                record.assume_ocpp16,
                record.lenient_upgrade,
                at,
            )
            for station, (record, at) in changes.records.items()
        ],
    )


async def _write_transactions(connection: AsyncConnection[Any], tenant: str, changes: Changes) -> None:
    rows = changes.transactions
    if not await write_progress(connection, tenant, changes.progress):
        rows = rows | changes.progress
    await TRANSACTIONS.write(connection, tenant, [_transaction(row) for row in rows.values()])


async def _write_tokens(connection: AsyncConnection[Any], tenant: str, changes: Changes) -> None:
    saved = [(key, *_token_values(row)) for key, row in changes.tokens.items() if row is not None]
    await TOKENS.write(connection, tenant, saved)
    removed = [key for key, row in changes.tokens.items() if row is None]
    if removed:
        await connection.execute("DELETE FROM tokens WHERE tenant = %s AND token_key = ANY(%s)", [tenant, removed])


def _token_values(row: TokenRow) -> tuple[object, ...]:
    """The lists as JSON."""
    return _values(msgspec.structs.replace(row, places=json_of(row.places), hours=json_of(row.hours)))


def _values(row: Any) -> tuple[object, ...]:
    return tuple(getattr(row, field) for field in row.__struct_fields__)


def _transaction(row: TransactionRow) -> tuple[object, ...]:
    *values, _flags = _values(row)
    if row.details is not None:
        values[_DETAILS] = json_of(row.details)
    return (*values, ",".join(row.flags), row.token and Token(value=row.token).key)
