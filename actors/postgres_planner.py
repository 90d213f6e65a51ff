"""What the planner reads from PostgreSQL: where its stations stand, and what cars did before. See `PlannerReads`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from actors.planner_outbox import BY
from storage.postgres import Pool, open_pool
from storage.postgres_settings import PostgresSettings
from storage.queries.station_stories import Stories, station_stories

log = structlog.get_logger()


class ReadsFailed(Exception):  # noqa: N818 (what happened)
    """PostgreSQL does not answer now; the message says why."""


class PlannerReads(Protocol):
    """What the planner asks of PostgreSQL. Every method raises `ReadsFailed`."""

    async def stories(self, stations: Sequence[str], meters: Sequence[str]) -> Stories:
        """What is true of stations now, told as facts, and up to where in the streams."""


class PostgresPlanner:
    """Implements `PlannerReads`. The pool opens at first use; PostgreSQL may be away."""

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
            return await station_stories(pool, self._tenant, stations, by=BY, meters=meters)
        except (psycopg.Error, PoolTimeout) as error:
            raise ReadsFailed(f"PostgreSQL does not answer: {' '.join(str(error).split())}") from error

    async def _open(self) -> Pool:
        if self._pool is None:
            self._pool = await open_pool(self._url, self._settings, name="planner", wait=False)
        return self._pool
