"""What is going on at the stations of a site: their open transactions, and what their meters said over a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
from psycopg_pool import AsyncConnectionPool

from storage.queries.listing import reader_of

POWER = "Power.Active.Import"
CURRENT = "Current.Import"
MEASURED_MAX = 200_000
"""Means that one question brings at most; who asks for more takes longer slots."""

_MEASURED = f"""
SELECT station, evse, measurand, phase, slot, avg(value)
  FROM (
       SELECT station, evse, measurand, phase, value,
              floor(extract(epoch FROM received_at - %(since)s) / %(step_s)s)::int AS slot
         FROM meter_readings
        WHERE tenant = %(tenant)s AND station = ANY(%(stations)s)
          AND received_at >= %(since)s AND received_at < %(until)s
          AND measurand IN ('{POWER}', '{CURRENT}') AND evse > 0 AND value IS NOT NULL
       ) AS reading
 GROUP BY station, evse, measurand, phase, slot
 ORDER BY station, evse, slot
 LIMIT {MEASURED_MAX}
"""  # noqa: S608 (constants of this module)
_OPEN = """
SELECT station, evse, transaction_id, started_at, token, energy_wh, charging_state
  FROM transactions
 WHERE tenant = %s AND station = ANY(%s) AND ended_at IS NULL AND evse IS NOT NULL
 ORDER BY started_at
"""


class Measured(msgspec.Struct, frozen=True):
    """The mean of what a meter said within a slot. `value`: W of POWER, A of CURRENT. `phase` None: not said."""

    station: str
    evse: int
    measurand: str
    phase: str | None
    slot: int
    value: float


class OpenCharge(msgspec.Struct, frozen=True):
    """A transaction that goes on. `energy_wh`: so far."""

    station: str
    evse: int
    transaction_id: str
    started_at: datetime
    token: str | None = None
    energy_wh: float | None = None
    charging_state: str | None = None


class SiteReads(Protocol):
    """What `SiteReadings` tells. May raise `psycopg.OperationalError`."""

    async def measured(
        self, stations: Sequence[str], since: datetime, until: datetime, step_s: int
    ) -> Sequence[Measured]:
        """Power and currents at EVSEs, as means of slots of `step_s` from `since` on."""

    async def open_charges(self, stations: Sequence[str]) -> Sequence[OpenCharge]:
        """Transactions that go on, the oldest first."""


class SiteReadings:
    """One tenant's. Args: pool; tenant."""

    def __init__(self, pool: AsyncConnectionPool[Any], tenant: str) -> None:
        self._pool = pool
        self._tenant = tenant

    async def measured(
        self, stations: Sequence[str], since: datetime, until: datetime, step_s: int
    ) -> Sequence[Measured]:
        """Power and currents at EVSEs, as means of slots of `step_s` from `since` on; received within `until`.

        Raises:
            psycopg.Error: PostgreSQL does not answer.
        """
        values = {"tenant": self._tenant, "stations": list(stations), "since": since, "until": until, "step_s": step_s}
        return await self._rows(Measured, _MEASURED, values)

    async def open_charges(self, stations: Sequence[str]) -> Sequence[OpenCharge]:
        """Transactions that go on, the oldest first.

        Raises:
            psycopg.Error: PostgreSQL does not answer.
        """
        return await self._rows(OpenCharge, _OPEN, [self._tenant, list(stations)])

    async def _rows(self, row: Any, query: Any, values: Any) -> list[Any]:
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=reader_of(row)) as cursor,
        ):
            await cursor.execute(query, values)
            rows: list[Any] = await cursor.fetchall()
            return rows
