"""What PostgreSQL holds of sampled values: all SQL on them is here, and reads the public view `meter_readings`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import psycopg

from loadtests.audit.acknowledged import Value
from loadtests.audit.ledger import Moment, Sum, summed

ROWS_AT_ONCE = 10_000
NO_TIME = -1
NO_NUMBER = float("nan")
_QUERY = """
SELECT station, transaction_id, sampled_at, context, measurand, location, coalesce(phase, ''), unit, value
  FROM meter_readings WHERE tenant = %s AND station = ANY(%s)
"""


def stored_samples(connection: psycopg.Connection[Any], tenant: str, stations: Sequence[str]) -> dict[Moment, Sum]:
    """As `Ledger.samples`; a value that is no number counts as another one than any."""
    return summed(_values(connection, tenant, stations))


def _values(
    connection: psycopg.Connection[Any], tenant: str, stations: Sequence[str]
) -> Iterator[tuple[Moment, Value]]:
    with connection.transaction(), connection.cursor(name="audit") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        for row in cursor.execute(_QUERY, [tenant, list(stations)]):
            station, transaction_id, at, context, measurand, location, phase, unit, number = row
            at_ms = NO_TIME if at is None else stored_ms(at)
            known = NO_NUMBER if number is None else number
            value = Value(at_ms, context, measurand, location, phase, unit, known)
            yield Moment(station, transaction_id, at_ms, context), value


def stored_ms(at: datetime) -> int:
    """A time of PostgreSQL since 1970."""
    return round(at.timestamp() * 1000)
