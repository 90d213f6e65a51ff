"""What the planner reads from PostgreSQL: where its stations stand, and what cars did before. See `PlannerReads`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from smartcharging.planning.settings import BY
from storage.postgres import Pool, open_pool
from storage.postgres_settings import PostgresSettings
from storage.queries.charging_history import PastStay, last_readings, past_stays
from storage.queries.station_stories import Stories, station_stories

log = structlog.get_logger()


class ReadsFailed(Exception):  # noqa: N818 (what happened)
    """PostgreSQL does not answer now; the message says why."""


class PlannerReads(Protocol):
    """What the planner asks of PostgreSQL. Every method raises `ReadsFailed`."""

    async def stories(self, stations: Sequence[str], meters: Sequence[str]) -> Stories:
        """What is true of stations now, told as facts, and up to where in the streams."""

    async def history(self, stations: Sequence[str], now: datetime) -> Sequence[PastStay]:
        """Stays that are over, for forecasts."""


class PostgresPlanner:
    """Implements `PlannerReads`. The pool opens at first use; PostgreSQL may be away.

    Args:
        url: Of PostgreSQL.
        settings: How it is used.
        tenant: Whose rows.
        history: How far back stays are looked for.
    """

    def __init__(self, url: str, settings: PostgresSettings, tenant: str, history: timedelta) -> None:
        self._history = history
        self._url = url
        self._settings = settings
        self._tenant = tenant
        self._pool: Pool | None = None

    async def stories(self, stations: Sequence[str], meters: Sequence[str]) -> Stories:
        """See `PlannerReads.stories`."""
        try:
            pool = await self._open()
            stories = await station_stories(pool, self._tenant, stations, by=BY, meters=meters)
            readings = await last_readings(pool, self._tenant, stations)
        except (psycopg.Error, PoolTimeout) as error:
            raise _failed(error) from error
        facts = {station: [*story] for station, story in stories.facts.items()}
        for station, fact in readings:
            facts.setdefault(station, []).append((fact, fact.received_at))
        return Stories(stories.positions, facts)

    async def history(self, stations: Sequence[str], now: datetime) -> Sequence[PastStay]:
        """See `PlannerReads.history`."""
        if not stations or not self._history:
            return ()
        try:
            pool = await self._open()
            return await past_stays(pool, self._tenant, stations, since=now - self._history)
        except (psycopg.Error, PoolTimeout) as error:
            raise _failed(error) from error

    async def _open(self) -> Pool:
        if self._pool is None:
            self._pool = await open_pool(self._url, self._settings, name="planner", wait=False)
        return self._pool


def _failed(error: Exception) -> ReadsFailed:
    return ReadsFailed(f"PostgreSQL does not answer: {' '.join(str(error).split())}")
