"""The figures of the status page."""

from datetime import UTC, datetime, time
from typing import Any

from psycopg_pool import AsyncConnectionPool

from storage.queries.rows import Counts

BY_WORD = """
SELECT 'version', coalesce(version, ''), count(*)
  FROM stations WHERE tenant = %(tenant)s AND connected GROUP BY version
UNION ALL
SELECT 'connector', status, count(*) FROM connectors WHERE tenant = %(tenant)s GROUP BY status
"""

FIGURES = """
SELECT
  (SELECT count(*) FROM stations WHERE tenant = %(tenant)s),
  (SELECT count(*) FROM transactions WHERE tenant = %(tenant)s AND ended_at IS NULL),
  (SELECT count(*) FROM transactions WHERE tenant = %(tenant)s AND started_at >= %(day)s),
  (SELECT count(*) FROM transactions WHERE tenant = %(tenant)s AND end_received_at >= %(day)s),
  (SELECT coalesce(sum(energy_wh), 0) FROM transactions WHERE tenant = %(tenant)s AND end_received_at >= %(day)s),
  (SELECT coalesce(sum(energy_wh), 0) FROM transactions WHERE tenant = %(tenant)s AND ended_at IS NULL),
  (SELECT count(*) FROM tokens WHERE tenant = %(tenant)s),
  (SELECT count(*) FROM commands WHERE tenant = %(tenant)s AND settled_at IS NULL),
  (SELECT count(*) FROM bad_entries WHERE tenant = %(tenant)s)
"""


def day_of(now: datetime) -> datetime:
    """The beginning of the UTC day."""
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


async def counts_of(pool: AsyncConnectionPool[Any], tenant: str, now: datetime) -> Counts:
    """Reads the figures in one transaction, so that they fit each other."""
    values = {"tenant": tenant, "day": day_of(now)}
    words: dict[str, dict[str, int]] = {"version": {}, "connector": {}}
    async with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        await cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await cursor.execute(BY_WORD, values)
        for group, word, count in await cursor.fetchall():
            words[group][word] = count
        await cursor.execute(FIGURES, values)
        figures = await cursor.fetchone()
    assert figures is not None
    stations, is_open, started, ended, energy_ended, energy_open, tokens, commands, bad = figures
    return Counts(
        stations=stations,
        stations_connected=sum(words["version"].values()),
        stations_connected_by_version=words["version"],
        connectors_by_status=words["connector"],
        transactions_open=is_open,
        transactions_started_today=started,
        transactions_ended_today=ended,
        energy_ended_today_wh=energy_ended,
        energy_open_wh=energy_open,
        tokens=tokens,
        commands_open=commands,
        bad_entries=bad,
    )
