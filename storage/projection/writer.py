"""Writes changes into the tables: COPY for volume, one upsert per table for the rest. Never opens a transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import AsyncConnection, sql

from engine.model.authorization import Token
from storage.partitions import Partition, partition_of
from storage.postgres_metrics import ROWS
from storage.projection.changes import (
    Changes,
    Known,
    NewEvent,
    NewMessage,
    NewMeterValue,
    RequestedCommand,
    SettledCommand,
    StationReport,
)
from storage.projection.fold import Touched
from storage.projection.upserts import Column, Upsert
from storage.queries.listing import columns_of, reader_of
from storage.queries.rows import ConnectorRow, TransactionRow

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
    "seen_at": TIME,
    "status_at": TIME,
    "connected": FLAG,
    "offline": FLAG,
    "flags": "text[]",
    "command": JSON,
    "payload": JSON,
    "variables": JSON,
}
"""SQL types of fields whose names do not tell (`*_at`, `*_wh`); all others are text."""

STATION_KEY = [Column("station")]


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
    ],
)
BAD_ENTRIES = Upsert("bad_entries", [Column("stream"), Column("entry_id")], [Column("reason"), Column("data", "bytea")])
POSITIONS = Upsert(
    "journal_positions", [Column("stream")], [Column("last_id")], fixed=[("updated_at", "clock_timestamp()")]
)


def _copy(table: str, fields: Sequence[str]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, ("tenant", *fields)))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)


COPY_METER_VALUES = _copy("meter_values", NewMeterValue._fields)
COPY_MESSAGES = _copy("messages", NewMessage._fields)
COPY_EVENTS = _copy("station_events", NewEvent._fields)

READ_STATIONS = sql.SQL("SELECT station, {} FROM stations WHERE tenant = %s AND station = ANY(%s)").format(
    columns_of(StationReport)
)
READ_TRANSACTIONS = sql.SQL(
    "SELECT {} FROM transactions WHERE tenant = %s"
    " AND (station, transaction_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
).format(columns_of(TransactionRow))


async def read_known(connection: AsyncConnection[Any], tenant: str, touched: Touched) -> Known:
    """The rows that the entries touch, as they stand."""
    known = Known()
    if touched.stations:
        cursor = await connection.execute(READ_STATIONS, [tenant, list(touched.stations)])
        known.stations = {station: StationReport(*values) for station, *values in await cursor.fetchall()}
    if touched.transactions:
        stations, transaction_ids = zip(*touched.transactions, strict=True)
        async with connection.cursor(row_factory=reader_of(TransactionRow)) as rows:
            await rows.execute(READ_TRANSACTIONS, [tenant, list(stations), list(transaction_ids)])
            known.transactions = {(row.station, row.transaction_id): row for row in await rows.fetchall()}
    return known


def partitions_of(changes: Changes) -> set[Partition]:
    """The partitions that the new rows go to."""
    found = {partition_of("meter_values", day) for day in {row.received_at for row in changes.meter_values}}
    found |= {partition_of("messages", day) for day in {row.at for row in changes.messages}}
    return found | {partition_of("station_events", day) for day in {row.at for row in changes.events}}


async def write(connection: AsyncConnection[Any], tenant: str, changes: Changes) -> None:
    """Writes all of it.

    Raises:
        psycopg.Error: PostgreSQL refuses a row or does not answer: the transaction cannot go on.
    """
    await _copy_rows(connection, COPY_METER_VALUES, tenant, changes.meter_values)
    await _copy_rows(connection, COPY_MESSAGES, tenant, changes.messages)
    await _copy_rows(connection, COPY_EVENTS, tenant, changes.events)
    await _write_stations(connection, tenant, changes)
    await CONNECTORS.write(connection, tenant, [_values(row) for row in changes.connectors.values()])
    await TRANSACTIONS.write(connection, tenant, [_transaction(row) for row in changes.transactions.values()])
    await REQUESTED.write(connection, tenant, [(key, *row) for key, row in changes.requested.items()])
    await SETTLED.write(connection, tenant, [(key, *row) for key, row in changes.settled.items()])
    await _write_tokens(connection, tenant, changes)
    await BAD_ENTRIES.write(connection, tenant, changes.bad_entries)


def count(changes: Changes) -> None:
    """Tells the metrics, once it is committed."""
    for table in ("meter_values", "messages", "events", "stations", "connectors", "transactions", "tokens"):
        ROWS.labels(table).inc(len(getattr(changes, table)))
    ROWS.labels("commands").inc(len(changes.requested.keys() | changes.settled.keys()))


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
                at,
            )
            for station, (record, at) in changes.records.items()
        ],
    )


async def _write_tokens(connection: AsyncConnection[Any], tenant: str, changes: Changes) -> None:
    saved = [(key, *_values(row)) for key, row in changes.tokens.items() if row is not None]
    await TOKENS.write(connection, tenant, saved)
    removed = [key for key, row in changes.tokens.items() if row is None]
    if removed:
        await connection.execute("DELETE FROM tokens WHERE tenant = %s AND token_key = ANY(%s)", [tenant, removed])


def _values(row: Any) -> tuple[object, ...]:
    return tuple(getattr(row, field) for field in row.__struct_fields__)


def _transaction(row: TransactionRow) -> tuple[object, ...]:
    *values, _flags = _values(row)
    return (*values, ",".join(row.flags), row.token and Token(value=row.token).key)
