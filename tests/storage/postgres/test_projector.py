"""What only the real projector can show: rows that PostgreSQL refuses, rivals, lost connections."""

import asyncio
import secrets

import psycopg
import pytest

from engine.model import codec
from engine.model.authorization import Token, TokenRecord, TokenSaved
from engine.model.stations import StationRecord, StationRegistered
from engine.model.transactions import TransactionOpened
from storage.partitions import Partition, existing_partitions, partition_of
from storage.postgres import Pool, open_pool
from storage.postgres_settings import PostgresSettings
from storage.projection import PositionMoved, Projector
from storage.queries import MeterValueFilter, Page, Queries, TransactionFilter
from storage.restore import operator_records
from tests.storage.postgres.stories import (
    NOW,
    at,
    entry,
    message,
    operator_entry,
    readings,
    session_started,
    story_16,
)

pytestmark = pytest.mark.integration

TENANT = "default"


def refused_entry(entry_id: str) -> object:
    """An entry that msgpack can carry and a bigint cannot hold."""
    opened = TransactionOpened(transaction_id="big", number=2**63, started_at=at(0), received_at=at(0))
    return entry(entry_id, opened, readings(1, 666.0, transaction_id="big"))


async def values_of(pool: Pool, station: str = "CP-1") -> list[float | None]:
    rows = await Queries(pool, TENANT).meter_values(
        MeterValueFilter(station=station), Page(limit=1000, oldest_first=True)
    )
    return [row.value for row in rows.rows]


async def test_entries_that_postgresql_refuses_are_put_aside_alone(pool: Pool):
    long_name = secrets.token_hex(5000)  # a key of an index holds 2,700 bytes
    entries = [entry(f"{number}-0", readings(number, float(number))) for number in range(1, 20)]
    entries[4] = refused_entry("5-0")
    entries[11] = entry("12-0", readings(1, 666.0), session_started(1), station=long_name)
    projector = Projector(pool, TENANT)
    assert await projector.apply(entries) == {"s1": "19-0"}
    assert await values_of(pool) == [float(number) for number in range(1, 20) if number not in {5, 12}]
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT entry_id, reason, data FROM bad_entries ORDER BY entry_id")
        (twelfth, fifth) = await cursor.fetchall()
    assert (twelfth[0], fifth[0]) == ("12-0", "5-0")
    assert "index row requires" in twelfth[1]
    assert "out of range" in fifth[1]
    assert codec.decode_journal_entry(bytes(fifth[2])) == entries[4][2]
    transactions = await Queries(pool, TENANT).transactions(TransactionFilter(), Page())
    assert transactions.rows == ()


async def test_facts_before_and_after_a_refused_entry_fold_as_if_it_were_not_there(pool: Pool):
    entries = story_16()
    with_bad = [*entries[:3], refused_entry("1763719200002-5"), *entries[3:]]
    await Projector(pool, TENANT).apply(with_bad)
    detail = await Queries(pool, TENANT).transaction("CP-1", "7")
    assert detail is not None
    assert (detail.transaction.energy_wh, len(detail.meter_values)) == (1500.0, 2)


async def test_of_two_projectors_that_write_at_once_one_wins(pool: Pool):
    rivals = [Projector(pool, TENANT) for _ in range(2)]
    for rival in rivals:
        await rival.positions()
    begun = [entry("1-0", readings(1, 1.0))]
    await asyncio.gather(*(rival.apply(begun) for rival in rivals))
    batches = [[entry(f"{number}-0", *(readings(number, float(number)) for _ in range(50)))] for number in range(2, 6)]
    refused = 0
    for batch in batches:
        outcomes = await asyncio.gather(*(rival.apply(batch) for rival in rivals), return_exceptions=True)
        assert all(isinstance(outcome, dict | PositionMoved) for outcome in outcomes), outcomes
        refused += sum(isinstance(outcome, PositionMoved) for outcome in outcomes)
        for rival in rivals:
            await rival.positions()
    assert refused == len(batches)
    assert await values_of(pool) == [1.0] + [float(number) for number in range(2, 6) for _ in range(50)]


async def test_a_projector_whose_connection_is_cut_goes_on_where_it_was(pool: Pool, database: str):
    projector = Projector(pool, TENANT, lock_timeout_s=20)
    await projector.apply([entry("1-0", readings(1, 1.0))])
    blocker = await psycopg.AsyncConnection.connect(database)
    await blocker.execute("LOCK TABLE connectors IN ACCESS EXCLUSIVE MODE")
    batch = [entry(f"1763719200{number}-0", *step[2].records[0].facts) for number, step in enumerate(story_16(), 100)]
    applying = asyncio.create_task(projector.apply(batch))
    watch = await psycopg.AsyncConnection.connect(database, autocommit=True)
    while True:  # until it waits for the table in mid-transaction, its meter values written
        cursor = await watch.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND query LIKE 'INSERT INTO \"connectors\"%' AND datname = current_database()"
        )
        if await cursor.fetchone():
            break
    with pytest.raises(psycopg.OperationalError):
        await applying
    await blocker.rollback()
    assert await values_of(pool) == [1.0]
    await projector.apply(batch)
    assert await values_of(pool) == [1.0, 1400.0, 2100.0]
    await blocker.close()
    await watch.close()


async def test_a_projector_that_was_cancelled_goes_on_where_it_was(pool: Pool, database: str):
    projector = Projector(pool, TENANT)
    await projector.apply([entry("1-0", readings(1, 1.0))])
    batch = [entry("2-0", readings(2, 2.0))]
    async with await psycopg.AsyncConnection.connect(database) as other:
        await other.execute("SELECT * FROM journal_positions FOR UPDATE")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await projector.apply(batch)
    await Projector(pool, TENANT).apply(batch)  # as if the cancelled one had been committed
    assert await projector.apply(batch) == {"s1": "2-0"}
    assert await values_of(pool) == [1.0, 2.0]


async def test_who_waits_for_a_lock_gives_up_in_time_and_can_go_on(pool: Pool, database: str):
    projector = Projector(pool, TENANT, lock_timeout_s=0.05)
    await projector.apply([entry("1-0", readings(1, 1.0))])
    async with await psycopg.AsyncConnection.connect(database) as other:
        await other.execute("SELECT * FROM journal_positions FOR UPDATE")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await projector.apply([entry("2-0", readings(2, 2.0))])
    await projector.apply([entry("2-0", readings(2, 2.0))])
    assert await values_of(pool) == [1.0, 2.0]


async def test_a_row_goes_to_the_partition_of_its_utc_day(pool: Pool):
    midnight = 14 * 3600  # after 10:00
    facts = (readings(midnight - 0.000001, 1.0), readings(midnight, 2.0), readings(-400 * 86_400, 3.0))
    await Projector(pool, TENANT).apply([entry("1-0", *facts)])
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT tableoid::regclass::text, readings[1] FROM meter_values ORDER BY readings"
        )
        assert await cursor.fetchall() == [
            ("meter_values_20261121", 1.0),
            ("meter_values_20261122", 2.0),
            ("meter_values_20251017", 3.0),
        ]
        made = await existing_partitions(connection)
    assert {partition.first.isoformat() for partition in made} == {"2026-11-21", "2026-11-22", "2025-10-17"}


async def test_projectors_that_need_the_same_partition_at_once_both_get_it(pool: Pool):
    first, second = Projector(pool, TENANT), Projector(pool, TENANT)
    await asyncio.gather(
        first.apply([entry("1-0", readings(1, 1.0), stream="s1")]),
        second.apply([entry("1-0", readings(1, 2.0), stream="s2")]),
    )
    assert sorted(value or 0 for value in await values_of(pool)) == [1.0, 2.0]


async def test_partitions_of_a_year_end_follow_each_other():
    december = partition_of("station_events", at(35 * 86_400))
    assert (december.name, december.end.isoformat()) == ("station_events_202612", "2027-01-01")
    day = Partition("exchanges", december.end)
    assert (day.name, day.end.isoformat()) == ("exchanges_20270101", "2027-01-02")


async def test_tenants_do_not_see_each_other(pool: Pool):
    await Projector(pool, TENANT).apply([entry("1-0", session_started(0), readings(1, 1.0))])
    other = Queries(pool, "other")
    assert await other.station("CP-1") is None
    assert await other.connected_sessions() == []
    assert (await other.counts(NOW)).stations == 0
    assert await Projector(pool, "other").positions() == {}


async def test_what_the_operator_keeps_can_be_restored_in_full(pool: Pool):
    tokens = [
        TokenRecord(token=Token(value="B"), blocked=True),
        TokenRecord(token=Token(value="a", type="eMAID"), expires_at=NOW, group="g", note="n"),
    ]
    stations = [
        StationRecord(
            station="CP-1",
            security_profile=1,
            password_hash="$argon2id$x",
            message_log=False,
            note="n",
            password_hash_next="$sha256$y",
            security_profile_next=3,
            downgrade_allowed=True,
            certificate_name="SN-1",
            assume_ocpp16=True,
            lenient_upgrade=True,
        ),
        StationRecord(station="CP-0"),
    ]
    facts = [TokenSaved(record=record, at=NOW) for record in tokens]
    registered = [StationRegistered(record=record, at=NOW) for record in stations]
    await Projector(pool, TENANT).apply(
        [operator_entry("1-0", *facts, *registered), entry("1-0", session_started(0), station="CP-7")]
    )
    records = await operator_records(pool, TENANT)
    assert records.tokens == tokens[::-1]
    assert records.stations == stations[::-1]


async def test_whole_numbers_among_fractions_are_taken(pool: Pool):
    facts = [
        TransactionOpened(transaction_id=str(number), started_at=at(0), received_at=at(0), meter_start_wh=value)
        for number, value in enumerate([1, 2.5, None])
    ]
    await Projector(pool, TENANT).apply([entry("1-0", *facts)])
    rows = (await Queries(pool, TENANT).transactions(TransactionFilter(), Page(oldest_first=True))).rows
    assert [row.meter_start_wh for row in rows] == [1.0, 2.5, None]


async def test_a_pool_without_prepared_statements_works_as_well(database: str):
    pool = await open_pool(database, PostgresSettings(prepared_statements=False), name="tests")
    projector = Projector(pool, TENANT)
    for number in range(1, 9):
        await projector.apply([entry(f"{number}-0", readings(number, float(number)))])
    assert len(await values_of(pool)) == 8
    async with pool.connection() as connection:
        assert await (await connection.execute("SELECT count(*) FROM pg_prepared_statements")).fetchone() == (0,)
    await pool.close()


async def test_messages_are_volume_too(pool: Pool):
    log = [message(number / 1000) for number in range(2_000)]
    await Projector(pool, TENANT).apply([("messages", "1-0", log)])
    async with pool.connection() as connection:
        assert await (await connection.execute("SELECT count(*), count(DISTINCT id) FROM messages")).fetchone() == (
            2000,
            2000,
        )
