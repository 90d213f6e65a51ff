"""kill -9 of PostgreSQL in the middle of writing: every entry is there exactly once afterwards."""

import asyncio
import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from storage.postgres import open_pool
from storage.postgres_settings import PostgresSettings
from storage.projection import Projector
from storage.queries import Queries
from storage.schema import migrate
from tests.storage.postgres.conftest import PROGRAMS_OF_SERVER, Server
from tests.storage.postgres.stories import StreamEntry, entry, readings, story_16

pytestmark = [pytest.mark.integration, pytest.mark.crash]

MOMENTS = ['COPY "meter_values"', 'INSERT INTO "transactions"', 'INSERT INTO "journal_positions"', "COMMIT"]


@pytest.fixture
def own_server() -> Iterator[Server]:
    server = Server(PROGRAMS_OF_SERVER["embedded"])
    try:
        server.start()
        migrate(server.url())
        yield server
    finally:
        server.stop()


def batch_of(number: int) -> list[StreamEntry]:
    """A whole session of a station of its own, and 3,000 readings beside."""
    station = f"CP-{number}"
    stream = f"s{number}"
    volume = [
        entry(
            f"1763719300000-{index}", *(readings(index, float(index)) for _ in range(30)), station="VOLUME", stream="s0"
        )
        for index in range(number * 100, number * 100 + 100)
    ]
    return [*story_16(station=station, stream=stream), *volume]


async def kill_in(server: Server, moment: str, applying: "asyncio.Task[object]") -> None:
    """Waits until the projector's backend runs that statement (or is done), then kills."""
    async with await psycopg.AsyncConnection.connect(server.url(), autocommit=True) as watch:
        while not applying.done():
            cursor = await watch.execute(
                "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'narke%%' AND query LIKE %s", [moment + "%"]
            )
            if await cursor.fetchone():
                break
        server.kill()


async def test_every_entry_is_there_exactly_once_after_kills(own_server: Server):
    pool = await open_pool(own_server.url(), PostgresSettings(connect_timeout_s=20), name="crash")
    projector = Projector(pool, "default")
    lost = 0
    for number, moment in enumerate(MOMENTS, 1):
        batch = batch_of(number)
        applying: asyncio.Task[object] = asyncio.create_task(projector.apply(batch))
        with contextlib.suppress(psycopg.OperationalError):  # the watcher's connection dies with the server
            await kill_in(own_server, moment, applying)
        try:
            await applying
        except psycopg.OperationalError:
            lost += 1
        own_server.start()
        await projector.apply(batch)
    assert lost > 0

    positions = await projector.positions()
    assert positions == {"s0": "1763719300000-499", **{f"s{number}": "1763719200006-0" for number in range(1, 5)}}
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT value, count(*) FROM meter_readings WHERE station = 'VOLUME' GROUP BY value ORDER BY value"
        )
        assert await cursor.fetchall() == [(float(index), 30) for index in range(100, 500)]
    for number in range(1, 5):
        detail = await Queries(pool, "default").transaction(f"CP-{number}", "7")
        assert detail is not None
        assert (detail.transaction.energy_wh, len(detail.meter_values)) == (1500.0, 2)
    await pool.close()
