"""Array literals say what was meant, and what the projector remembers stays bounded and is forgotten in time."""

import psycopg
import pytest

from engine.model.availability import ConnectorStatus
from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.transactions import TransactionUpdated
from storage.postgres import Pool
from storage.projection import PositionMoved, Projector, remembered
from storage.projection.changes import Changes
from storage.projection.remembered import Remembered
from storage.projection.updates import numbers, texts
from storage.queries import MeterValueFilter, Page, Queries
from storage.queries.rows import TransactionRow
from tests.storage.postgres.stories import at, entry, readings, status, story_16, theirs

ODD = ["", "NULL", "null", 'a"b', "a\\b", "{", "}", "a,b", " a ", "ü\n\t", "'", None]


def row(transaction_id: str, **fields: object) -> TransactionRow:
    given = {"started_at": at(0), "start_received_at": at(0), "updated_at": at(0)} | fields
    return TransactionRow("CP-1", transaction_id, **given)


@pytest.mark.integration
async def test_literals_are_read_as_they_were_meant(pool: Pool):
    figures = [0, -1, 2**62, None]
    doubles = [0.1, -1.5e-300, 1e300, float("inf"), 2.0, None]
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT %s::text[], %s::bigint[], %s::double precision[]", [texts(ODD), numbers(figures), numbers(doubles)]
        )
        assert await cursor.fetchone() == (ODD, figures, doubles)


def news(transaction_id: str, seconds: float) -> TransactionUpdated:
    return TransactionUpdated(
        transaction_id=transaction_id, at=theirs(seconds), received_at=at(seconds), meter_last_wh=float(seconds)
    )


def reading(seconds: float, unit: str, **fields: object) -> ReadingsRecorded:
    return ReadingsRecorded(readings=(Reading(at=None, value=seconds, unit=unit),), received_at=at(seconds), **fields)


async def values_of(pool: Pool) -> list[tuple[float | None, str]]:
    rows = await Queries(pool, "default").meter_values(MeterValueFilter(station="CP-1"), Page(oldest_first=True))
    return [(row.value, row.unit) for row in rows.rows]


@pytest.mark.integration
async def test_stations_and_transactions_of_odd_names_go_on(pool: Pool):
    projector, names = Projector(pool, "default"), [name for name in ODD if name]
    for number, seconds in enumerate((80, 140, 200), 1):
        entries = [entry(f"{number}-{n}", news(f"T{name}", seconds), station=name) for n, name in enumerate(names)]
        await projector.apply(entries)
    queries = Queries(pool, "default")
    for name in names:
        detail = await queries.transaction(name, f"T{name}")
        station = await queries.station(name)
        assert detail is not None
        assert station is not None
        assert (detail.transaction.meter_last_wh, station.station.seen_at) == (200.0, at(200))


@pytest.mark.integration
async def test_a_row_that_somebody_removed_is_written_whole_again(pool: Pool):
    projector = Projector(pool, "default")
    await projector.apply(story_16()[:4])
    async with pool.connection() as connection:
        await connection.execute("DELETE FROM transactions")
        await connection.execute("DELETE FROM stations")
    await projector.apply(story_16()[4:5])
    detail = await Queries(pool, "default").transaction("CP-1", "7")
    assert detail is not None
    assert (detail.transaction.energy_wh, detail.transaction.token) == (1100.0, "04A1B2C3")
    station = await Queries(pool, "default").station("CP-1")
    assert station is not None
    assert station.station.seen_at == at(140)


@pytest.mark.integration
async def test_what_is_remembered_is_what_another_projector_left(pool: Pool):
    first, second = Projector(pool, "default"), Projector(pool, "default")
    await first.apply(story_16()[:4])
    await second.positions()
    await second.apply([entry("1763719300000-0", news("7", 300), stream="s1")])
    with pytest.raises(PositionMoved):
        await first.apply([entry("1763719300001-0", readings(310, 1.0), stream="s1")])
    await first.positions()
    await first.apply([entry("1763719300001-0", readings(310, 1.0), stream="s1")])
    detail = await Queries(pool, "default").transaction("CP-1", "7")
    assert detail is not None
    assert (detail.transaction.meter_last_wh, detail.transaction.updated_at) == (300.0, at(310))


@pytest.mark.integration
async def test_the_kinds_of_readings_are_written_again_when_a_write_was_undone(pool: Pool, database: str):
    projector = Projector(pool, "default", lock_timeout_s=0.05)
    batch = [entry("1-0", reading(1, "new"), status(1, ConnectorStatus.AVAILABLE))]
    async with await psycopg.AsyncConnection.connect(database) as other:
        await other.execute("LOCK TABLE connectors IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await projector.apply(batch)
    await projector.apply(batch)
    assert await values_of(pool) == [(1.0, "new")]


@pytest.mark.integration
async def test_the_kinds_of_readings_are_there_though_an_entry_beside_them_is_refused(pool: Pool):
    refused = reading(2, "new", evse=EvseRef(2**63))
    await Projector(pool, "default").apply(
        [entry("1-0", refused), entry("2-0", reading(3, "new")), entry("3-0", reading(4, "newer"))]
    )
    assert await values_of(pool) == [(3.0, "new"), (4.0, "newer")]
    assert (await Queries(pool, "default").counts(at(5))).bad_entries == 1


def test_open_transactions_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(remembered, "TRANSACTIONS_MAX", 2)
    memory = Remembered()
    keys = [("CP-1", name) for name in "abc"]
    memory.learn(Changes(transactions={key: row(key[1]) for key in keys}))
    assert set(memory.transactions_among(keys)) == {keys[1], keys[2]}
    memory.learn(Changes(progress={keys[1]: row("b", updated_at=at(9))}))
    memory.learn(Changes(transactions={keys[0]: row("a")}))
    assert set(memory.transactions_among(keys)) == {keys[0], keys[1]}  # the one that was longest without news went
    assert memory.transactions_among(keys)[keys[1]].updated_at == at(9)
    memory.learn(Changes(transactions={keys[1]: row("b", ended_at=at(10))}))
    assert set(memory.transactions_among(keys)) == {keys[0]}
    memory.forget()
    assert memory.transactions_among(keys) == {}
