"""What PostgreSQL holds of stations and transactions: the audit's own reading of the tables.

Their layout is documented in storage/migrations/versions; sampled values are in `meter_values`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from loadtests.audit.meter_values import stored_ms

CONNECT_S_MAX = 10


@dataclass(frozen=True)
class StoredTransaction:
    """A row of `transactions`. Times in ms since 1970, the station's clock."""

    station: str
    transaction_id: str
    started_ms: int
    ended_ms: int | None
    meter_start_wh: float | None
    meter_stop_wh: float | None
    energy_wh: float | None
    token: str | None
    evse: int | None
    stop_reason: str | None
    last_sequence: int | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class StoredStation:
    """Of a row of `stations`: its connection."""

    station: str
    connected: bool
    session: str | None


_TRANSACTIONS = """
SELECT station, transaction_id, started_at, ended_at, meter_start_wh, meter_stop_wh, energy_wh, token, evse,
       stop_reason, last_sequence, flags
  FROM transactions WHERE tenant = %s AND station = ANY(%s)
"""
_STATIONS = "SELECT station, connected, session FROM stations WHERE tenant = %s AND station = ANY(%s)"
_TENANT = "SELECT tenant FROM stations WHERE station = ANY(%s) LIMIT 1"
_CONNECTED = "SELECT count(*) FROM stations WHERE tenant = %s AND station = ANY(%s) AND connected"
_BAD = "SELECT stream, entry_id, reason FROM bad_entries WHERE tenant = %s ORDER BY stream, entry_id"


def open_postgres(url: str) -> psycopg.Connection[Any]:
    """A connection that only reads.

    Raises:
        psycopg.OperationalError: It cannot be reached.
    """
    connection = psycopg.connect(url, connect_timeout=CONNECT_S_MAX, autocommit=True)
    connection.read_only = True
    return connection


def tenant_of(connection: psycopg.Connection[Any], stations: Sequence[str]) -> str:
    """The tenant that these stations belong to: it leads every key.

    Raises:
        LookupError: PostgreSQL knows none of them.
    """
    row = connection.execute(_TENANT, [list(stations)]).fetchone()
    if row is None:
        raise LookupError(f"PostgreSQL knows none of {len(stations)} stations ({stations[0]} and so on)")
    return str(row[0])


def transactions(
    connection: psycopg.Connection[Any], tenant: str, stations: Sequence[str]
) -> dict[tuple[str, str], StoredTransaction]:
    """By station and transaction."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        found = {}
        for row in cursor.execute(_TRANSACTIONS, [tenant, list(stations)]):
            started_ms, ended_ms = stored_ms(row[2]), None if row[3] is None else stored_ms(row[3])
            figures: tuple[Any, ...] = (started_ms, ended_ms, *row[4:-1], tuple(row[-1]))
            found[row[0], row[1]] = StoredTransaction(row[0], row[1], *figures)
        return found


def stations_of(
    connection: psycopg.Connection[Any], tenant: str, stations: Sequence[str]
) -> Mapping[str, StoredStation]:
    """By name."""
    with connection.cursor(row_factory=class_row(StoredStation)) as cursor:
        return {row.station: row for row in cursor.execute(_STATIONS, [tenant, list(stations)])}


def connected_count(connection: psycopg.Connection[Any], tenant: str, stations: Sequence[str]) -> int:
    """How many of them are connected, as PostgreSQL has it."""
    row = connection.execute(_CONNECTED, [tenant, list(stations)]).fetchone()
    assert row is not None
    return int(row[0])


def bad_entries(connection: psycopg.Connection[Any], tenant: str) -> list[tuple[str, str, str]]:
    """Entries of the journal that were put aside: stream, id, reason."""
    return connection.execute(_BAD, [tenant]).fetchall()
