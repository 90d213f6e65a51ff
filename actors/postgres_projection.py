"""PostgreSQL as the projector's other end: its errors become `ProjectionFailed`, its pool opens at first use."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import psycopg
from psycopg_pool import PoolTimeout

from actors.projector import ProjectionFailed
from storage.journal_reader import StreamEntry
from storage.postgres import Pool, open_pool
from storage.postgres_settings import PostgresSettings
from storage.projection.entries import PositionMoved
from storage.projection.projector import Projector
from storage.retention import keep_retention


class PostgresProjection:
    """Implements `actors.projector.Projection`."""

    def __init__(self, url: str, settings: PostgresSettings, tenant: str) -> None:
        self._url = url
        self._settings = settings
        self._tenant = tenant
        self._pool: Pool | None = None
        self._projector: Projector | None = None

    async def positions(self) -> Mapping[str, str]:
        """See `Projection.positions`."""
        try:
            if self._pool is None:
                self._pool = await open_pool(self._url, self._settings, name="projector")
                self._projector = Projector(self._pool, self._tenant, lock_timeout_s=self._settings.lock_timeout_s)
            assert self._projector is not None
            return await self._projector.positions()
        except (psycopg.Error, PoolTimeout) as error:
            raise ProjectionFailed(_text(error)) from error

    async def apply(self, entries: Sequence[StreamEntry]) -> None:
        """See `Projection.apply`."""
        assert self._projector is not None
        try:
            await self._projector.apply(entries)
        except (psycopg.Error, PoolTimeout, PositionMoved) as error:
            raise ProjectionFailed(_text(error)) from error

    async def keep_retention(self, now: datetime) -> None:
        """See `Projection.keep_retention`."""
        assert self._pool is not None
        try:
            await keep_retention(self._pool, self._settings.retention, now)
        except (psycopg.Error, PoolTimeout) as error:
            raise ProjectionFailed(_text(error)) from error


def _text(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
