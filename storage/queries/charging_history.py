"""What cars did at stations before: stays that are over, for forecasts, and the last words of meters. Never writes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsRecorded
from storage.queries.listing import reader_of

STAYS_OF_STATION_MAX: Final = 200
STAYS_MAX: Final = 100_000
READINGS_OF_TRANSACTION_MAX: Final = 60
READINGS_BACK: Final = timedelta(minutes=10)
ASKED_BEFORE: Final = timedelta(minutes=30)
"""A driver may ask, and a car tell its needs, so long before its transaction begins."""

# Both times are by the clock of the station, or by ours where that is off. A transaction that Narke ended itself did
# not end then. Of what drivers and cars said the last word counts, the driver's before the car's.
_STAYS: Final = """
SELECT stay.station, stay.arrived_at, stay.departed_at, stay.energy_wh, stay.token_key,
       coalesce(asked.departs_at, said.departure_at) AS claimed_departs_at,
       coalesce(asked.energy_kwh, said.energy_wh / 1000.0) AS claimed_kwh,
       coalesce(stay.charging_state = 'Charging', false) AS still_taking
  FROM unnest(%(stations)s::text[]) AS place (station)
 CROSS JOIN LATERAL (
       SELECT transactions.*,
              CASE WHEN skewed THEN start_received_at ELSE started_at END AS arrived_at,
              CASE WHEN skewed THEN end_received_at ELSE ended_at END AS departed_at
         FROM (
              SELECT *, 'clock_skew' = ANY(flags) AND NOT offline AS skewed FROM transactions
               WHERE tenant = %(tenant)s AND station = place.station AND started_at >= %(since)s
                 AND ended_at IS NOT NULL AND stop_reason IS DISTINCT FROM 'Abandoned'
               ORDER BY started_at DESC
               LIMIT %(of_station)s
              ) AS transactions
       ) AS stay
  LEFT JOIN LATERAL (
       SELECT departs_at, energy_kwh FROM driver_requests
        WHERE tenant = %(tenant)s
          AND place IN (stay.station || '/' || stay.evse, 'token:' || stay.token, 'token:' || stay.token_key)
          AND asked_at >= stay.start_received_at - %(before)s AND asked_at < stay.end_received_at
        ORDER BY asked_at DESC
        LIMIT 1
       ) AS asked ON true
  LEFT JOIN LATERAL (
       SELECT departure_at, energy_wh FROM charging_needs
        WHERE tenant = %(tenant)s AND station = stay.station AND evse = stay.evse
          AND received_at >= stay.start_received_at - %(before)s AND received_at < stay.end_received_at
          AND (transaction_id IS NULL OR transaction_id = stay.transaction_id)
        ORDER BY received_at DESC
        LIMIT 1
       ) AS said ON true
 ORDER BY stay.departed_at DESC, stay.station, stay.transaction_id
 LIMIT %(limit)s
"""

_LAST: Final = """
SELECT station, transaction_id, received_at, sampled_at, evse, connector, value, measurand, unit, context, location,
       phase
  FROM (
       SELECT transaction_id AS id, station AS place, updated_at, start_received_at FROM transactions
        WHERE tenant = %(tenant)s AND station = ANY(%(stations)s) AND ended_at IS NULL
       ) AS going
 CROSS JOIN LATERAL (
       SELECT * FROM meter_readings
        WHERE tenant = %(tenant)s AND station = going.place AND transaction_id = going.id
          AND received_at <= going.updated_at
          AND received_at >= greatest(going.updated_at - %(back)s, going.start_received_at)
        ORDER BY received_at DESC, meter_readings.id DESC
        LIMIT %(most)s
       ) AS reading
 ORDER BY station, transaction_id, received_at, reading.id
"""


class PastStay(msgspec.Struct, frozen=True):
    """A stay that is over. `claimed_*`: what driver or car had said; None: nothing.

    `still_taking`: it was charging when it left.
    """

    station: str
    arrived_at: datetime
    departed_at: datetime
    energy_wh: float | None = None
    token_key: str | None = None
    claimed_departs_at: datetime | None = None
    claimed_kwh: float | None = None
    still_taking: bool = False


async def past_stays(
    pool: AsyncConnectionPool[Any], tenant: str, stations: Sequence[str], *, since: datetime, limit: int = STAYS_MAX
) -> list[PastStay]:
    """Stays that began since then, the newest first; at most `STAYS_OF_STATION_MAX` of each station.

    Args:
        pool: PostgreSQL.
        tenant: Whose.
        stations: Of one site, or of several.
        since: How far back.
        limit: How many in all.

    Raises:
        psycopg.Error: PostgreSQL does not answer.
    """
    values = {
        "tenant": tenant,
        "stations": list(stations),
        "since": since,
        "of_station": STAYS_OF_STATION_MAX,
        "before": ASKED_BEFORE,
        "limit": limit,
    }
    async with pool.connection() as connection, connection.cursor(row_factory=reader_of(PastStay)) as cursor:
        await cursor.execute(sql.SQL(_STAYS), values)
        found: list[PastStay] = await cursor.fetchall()
        return found


async def last_readings(
    pool: AsyncConnectionPool[Any], tenant: str, stations: Sequence[str]
) -> list[tuple[str, ReadingsRecorded]]:
    """What the meters of open transactions said last (of each some minutes, up to a bound), by station, oldest first.

    Raises:
        psycopg.Error: PostgreSQL does not answer.
    """
    values = {
        "tenant": tenant,
        "stations": list(stations),
        "back": READINGS_BACK,
        "most": READINGS_OF_TRANSACTION_MAX,
    }
    async with pool.connection() as connection:
        cursor = await connection.execute(sql.SQL(_LAST), values)
        rows = await cursor.fetchall()
    heard: dict[tuple[str, str, datetime, int | None, int | None], list[Reading]] = {}
    for station, transaction_id, received_at, sampled_at, evse, connector, *said in rows:
        value, measurand, unit, context, location, phase = said
        reading = Reading(sampled_at, value, measurand, unit, context, location, phase)
        heard.setdefault((station, transaction_id, received_at, evse, connector), []).append(reading)
    return [
        (station, ReadingsRecorded(tuple(readings), at, transaction_id, None if evse is None else EvseRef(evse, plug)))
        for (station, transaction_id, at, evse, plug), readings in heard.items()
    ]
