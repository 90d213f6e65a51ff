"""Connections to PostgreSQL: the pool, a ping, and what is wrong with a server.

Connections are in autocommit, in UTC, and checked before they are lent, so a restart of the server is noticed by nobody
who asks afterwards. Whoever needs a transaction opens one.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool

from storage.postgres_settings import PostgresSettings

VERSION_MIN = 15
PREPARE_THRESHOLD = 5
"""Runs of a statement after which psycopg prepares it."""

Pool = AsyncConnectionPool[Any]


class BadPostgresUrl(ValueError):  # noqa: N818 (says what it is)
    """The URL of PostgreSQL cannot be understood."""


def place_of_url(url: str) -> str:
    """Where a URL points, without its password: for messages to people.

    Raises:
        BadPostgresUrl: It is no URL of PostgreSQL.
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error as error:
        msg = "this is no URL of PostgreSQL; write postgresql://user:password@host:5432/database"
        raise BadPostgresUrl(msg) from error
    user, host, name = parts.get("user"), parts.get("host") or "the local socket", parts.get("dbname")
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"{host}{port}, database {name or user or 'of the user'}"


async def open_pool(url: str, settings: PostgresSettings, *, name: str, wait: bool = True) -> Pool:
    """Opens a pool of connections; `name` is shown in pg_stat_activity. Close it with `await pool.close()`.

    `wait` False: does not wait for the server; who asks later waits `connect_timeout_s`.

    Raises:
        psycopg_pool.PoolTimeout: The server does not answer within `connect_timeout_s`.
    """
    pool: Pool = AsyncConnectionPool(
        url,
        kwargs={
            "autocommit": True,
            "application_name": f"narke {name}",
            "connect_timeout": max(2, round(settings.connect_timeout_s)),
            "prepare_threshold": PREPARE_THRESHOLD if settings.prepared_statements else None,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
        min_size=1,
        max_size=settings.connections_max,
        timeout=settings.connect_timeout_s,
        configure=_configuration(settings),
        check=AsyncConnectionPool.check_connection,
        reconnect_timeout=0,
        name=name,
        open=False,
    )
    try:
        await pool.open(wait=wait, timeout=settings.connect_timeout_s)
    except BaseException:
        await pool.close()
        raise
    return pool


class _Configuration:
    """Sets what every connection of the pool has."""

    def __init__(self, timeout_ms: int) -> None:
        self._timeout_ms = timeout_ms

    async def __call__(self, connection: AsyncConnection[Any]) -> None:
        await connection.execute(
            "SELECT set_config('timezone', 'UTC', false), set_config('statement_timeout', %s, false)",
            [str(self._timeout_ms)],
        )


def _configuration(settings: PostgresSettings) -> _Configuration:
    return _Configuration(round(settings.query_timeout_s * 1000))


async def ping(pool: Pool, *, timeout_s: float = 2.0) -> None:
    """Returns when PostgreSQL has answered.

    Raises:
        TimeoutError: It has not in time.
        psycopg.Error: It cannot be reached or refuses.
    """
    async with asyncio.timeout(timeout_s), pool.connection(timeout=timeout_s) as connection:
        await connection.execute("SELECT 1")


async def check_server(url: str, *, timeout_s: float = 5.0) -> list[str]:
    """What is wrong with the server at `url` for Narke, in sentences that say what to do; empty: nothing."""
    try:
        place = place_of_url(url)
    except BadPostgresUrl as error:
        return [str(error)]
    try:
        async with asyncio.timeout(timeout_s):
            connection = await AsyncConnection.connect(url, autocommit=True, connect_timeout=max(2, round(timeout_s)))
            async with connection:
                return await _problems(connection, place)
    except TimeoutError:
        return [f"PostgreSQL at {place} did not answer within {timeout_s:g} s: is it running and reachable?"]
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        return [f"PostgreSQL at {place} cannot be used: {reason}"]


async def _problems(connection: AsyncConnection[Any], place: str) -> list[str]:
    cursor = await connection.execute(
        "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),"
        " pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on',"
        " coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), current_user"
    )
    row = await cursor.fetchone()
    assert row is not None
    version, encoding, in_recovery, read_only, may_create, user = row
    found: Sequence[tuple[bool, str]] = (
        (version < VERSION_MIN, f"is version {version}; Narke needs {VERSION_MIN} or newer: upgrade the server"),
        (encoding != "UTF8", f"has encoding {encoding}; make the database anew with ENCODING 'UTF8'"),
        (in_recovery, "is a standby and cannot be written; point the URL at the primary"),
        (read_only, "is read-only (default_transaction_read_only is on); switch that off for this user or database"),
        (not may_create, f"does not let {user} make tables; GRANT CREATE ON SCHEMA public TO {user}"),
    )
    return [f"PostgreSQL at {place} {sentence}" for wrong, sentence in found if wrong]
