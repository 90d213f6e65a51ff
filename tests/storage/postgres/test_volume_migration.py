"""Revision r0002: rows of the older layout say the same afterwards, under the ids that they had."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from storage import schema
from storage.postgres import open_pool
from storage.postgres_settings import PostgresSettings
from storage.projection import Projector
from storage.queries import MessageFilter, MeterValueFilter, Page, Queries
from storage.queries.paging import cursor_of
from tests.storage.postgres.stories import at, entry, message, readings, theirs

pytestmark = pytest.mark.integration

OLD_READINGS = [
    # id, station, received_at, sampled_at, transaction_id, value, measurand, unit, phase, raw, signed
    (1, "A", at(1), theirs(1), "7", 1.5, "Energy", "Wh", None, None, None),
    (2, "A", at(1), theirs(1), "7", None, "Voltage", "V", "L1", "x", None),
    (3, "A", at(1), theirs(2), "7", 3.0, "Energy", "Wh", None, None, '{"a":1}'),
    (4, "B", at(1), None, None, 4.0, "Energy", "Wh", None, None, None),
    (5, "A", at(1), theirs(1), "7", 5.0, "Energy", "Wh", None, None, None),
    (6, "A", at(86_400), theirs(1), "7", 6.0, "Energy", "Wh", None, None, None),
]


def migrate_to_first(url: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "r0001")


def fill(url: str) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET timezone = 'Asia/Kolkata'")
        for table, day in (("meter_values", 21), ("meter_values", 22), ("messages", 21)):
            cursor.execute(
                f"CREATE TABLE {table}_202611{day} PARTITION OF {table}"
                f" FOR VALUES FROM ('2026-11-{day} 00:00:00+00') TO ('2026-11-{day + 1} 00:00:00+00')"
            )
        for number, station, received_at, sampled_at, transaction_id, *told in OLD_READINGS:
            cursor.execute(
                "INSERT INTO meter_values (tenant, id, station, received_at, sampled_at, evse, connector,"
                " transaction_id, value, measurand, unit, phase, raw, signed, context, location)"
                " VALUES ('default', %s, %s, %s, %s, 1, NULL, %s, %s, %s, %s, %s, %s, %s, 'Sample.Periodic', 'Outlet')",
                [number, station, received_at, sampled_at, transaction_id, *told],
            )
        for number in range(1, 4):
            cursor.execute(
                "INSERT INTO messages"
                " VALUES ('default', %s, 'A', 's', 'in', %s, 'call', %s, 'Heartbeat', 'ok', NULL, %s)",
                [number, at(number), f"m{number}", f"frame {number}"],
            )
        cursor.execute("SELECT setval('meter_value_ids', 6), setval('message_ids', 3)")


async def all_readings(queries: Queries, station: str, **page: Any) -> list[Any]:
    wanted = MeterValueFilter(station=station)
    return list((await queries.meter_values(wanted, Page(oldest_first=True, **page))).rows)


async def test_older_rows_stay_readable_and_new_ones_follow_them(empty_database: str):
    migrate_to_first(empty_database)
    fill(empty_database)
    assert schema.migrate(empty_database) is True

    pool = await open_pool(empty_database, PostgresSettings(), name="tests")
    queries = Queries(pool, "default")
    await Projector(pool, "default").apply(
        [entry("1-0", readings(86_401, 7.0, 8.0), station="A"), ("messages", "1-0", [message(4, station="A")])]
    )
    rows = [*await all_readings(queries, "A"), *await all_readings(queries, "B")]
    old = {row.id: row for row in rows if row.id <= 6}
    for number, station, received_at, sampled_at, transaction_id, *told in OLD_READINGS:
        row = old[number]
        assert (row.station, row.received_at, row.at) == (station, received_at, sampled_at)
        assert (row.transaction_id, row.evse, row.connector) == (transaction_id, 1, None)
        assert [row.value, row.measurand, row.unit, row.phase, row.raw, row.signed] == told
    assert [row.value for row in await all_readings(queries, "A")] == [1.5, None, 3.0, 5.0, 6.0, 7.0, 8.0]
    assert len({row.id for row in rows}) == len(rows) == 8

    cursor = cursor_of("meter_values", (at(1), 3))  # given before
    assert [row.value for row in await all_readings(queries, "A", cursor=cursor)] == [5.0, 6.0, 7.0, 8.0]
    frames = (await queries.messages(MessageFilter(), Page(oldest_first=True))).rows
    assert [row.frame for row in frames] == ["frame 1", "frame 2", "frame 3", "[2]"]
    assert [row.id for row in frames[:3]] == [1, 2, 3]
    assert frames[3].id > 3
    followed = (
        await queries.messages(MessageFilter(), Page(oldest_first=True, cursor=cursor_of("messages", (2,))))
    ).rows
    assert [row.frame for row in followed] == ["frame 3", "[2]"]
    await pool.close()


def test_nothing_of_the_older_layout_is_left(empty_database: str):
    migrate_to_first(empty_database)
    fill(empty_database)
    schema.migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        names = {
            name
            for (name,) in connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            )
        }
        (sampled_at,) = connection.execute("SELECT min(sampled_at) FROM meter_readings").fetchone() or (None,)
    assert {name for name in names if name.startswith("old_")} == set()
    assert {"meter_values_20261121", "meter_values_20261122", "exchanges_20261121"} <= names
    assert sampled_at == datetime(2026, 11, 21, 9, 58, 31, tzinfo=UTC)
