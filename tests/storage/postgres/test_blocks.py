"""The blocks' tables: what the declarations say is what PostgreSQL has, and both twins change and list them alike."""

from datetime import timedelta

import msgspec
import pytest

from engine.model.facts import JournalEntry, StationFacts
from engine.model.provisioning import StationSeen
from storage.blocks.registry import TABLES
from storage.blocks.table import Drop, Json, Put, Table
from storage.journal_reader import StreamEntry
from storage.projection import pending
from storage.queries import Page
from tests.storage.postgres.conftest import MemoryTwin
from tests.storage.postgres.stories import NOW, at


class ThingRow(msgspec.Struct, frozen=True):
    """A thing."""

    station: str
    number: int
    made_at: Json = None
    what: str | None = None
    weight: float | None = None
    good: bool | None = None
    details: Json = None


NAMED_ALWAYS: dict[str, set[str]] = {}
"""Columns that every change of a table names."""


@pytest.mark.integration
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
async def test_the_table_is_as_declared(pool, table):
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns"
            " WHERE table_name = %s",
            [table.name],
        )
        columns = {
            name: (kind, nullable == "YES" or default is not None)
            for name, kind, nullable, default in await cursor.fetchall()
        }
        cursor = await connection.execute(
            "SELECT a.attname FROM pg_index i JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place) ON true"
            " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number"
            " WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY k.place",
            [table.name],
        )
        primary_key = tuple(name for (name,) in await cursor.fetchall())
    written = {"timestamp with time zone": "timestamptz"}
    assert {name: written.get(kind, kind) for name, (kind, _) in columns.items() if name != "tenant"} == table.kinds()
    assert primary_key == ("tenant", *table.key)
    needed = {name for name, (_, spare) in columns.items() if not spare} - {"tenant", *table.key}
    assert needed <= NAMED_ALWAYS.get(table.name, set()), "a change that does not name these would be refused"


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_the_table_is_listed_by_what_it_has(table):
    fields = table.row.__struct_fields__
    assert {*table.key, *table.filters, *table.shown, *table.order} <= {*fields}
    assert table.row.__doc__
    assert table.about.endswith(".")


THINGS = Table(name="things", row=ThingRow, key=("station", "number"), about="Things.", filters=("station", "what"))
CREATE = (
    "CREATE TABLE things (tenant text, station text, number bigint, made_at jsonb, what text,"
    " weight double precision, good boolean, details jsonb, PRIMARY KEY (tenant, station, number))"
)
ALL = Page(limit=1000)


@pytest.fixture
async def tell(projection, monkeypatch):
    """Applies changes as if a fact of CP-1 had made them, one entry each; returns the projection."""
    if not isinstance(projection, MemoryTwin):
        async with projection._pool.connection() as connection:
            await connection.execute(CREATE)
    told = []
    monkeypatch.setattr(pending, "RULES", {StationSeen: (lambda _station, fact: told[int((fact.at - NOW).seconds)],)})
    await projection.positions()

    async def tell(*groups, together=True):
        entries = []
        for group in groups:
            fact = StationSeen(at=NOW + timedelta(seconds=len(told)))
            told.append(group)
            entry = JournalEntry(tenant="default", recorded_at=at(0), records=(StationFacts("CP-1", (fact,)),))
            entries.append(StreamEntry("s0", f"{len(told)}-0", entry))
        if together:
            await projection.apply(entries)
        else:
            for entry in entries:
                await projection.apply([entry])
        return projection

    return tell


def thing(number, **values):
    return Put(THINGS, ("CP-1", number), values)


@pytest.mark.parametrize("together", [True, False])
async def test_changes_add_up_whether_they_come_together_or_one_by_one(tell, together):
    projection = await tell(
        [thing(1, what="a", weight=1), thing(2, what="b\0", details={"x": [1, "\0"]})],
        [thing(1, good=True), thing(3, what="c")],
        [Drop(THINGS, {"station": "CP-1", "number": 2}), thing(1, what=None)],
        [thing(2, weight=2.5)],
        [Drop(THINGS, {"station": "CP-2"}), thing(3, details=[{"deep": None}])],
        together=together,
    )
    page = await projection.block(THINGS, {"station": "CP-1"}, ALL)
    assert page.rows == (
        ThingRow("CP-1", 1, weight=1.0, good=True),
        ThingRow("CP-1", 2, weight=2.5),
        ThingRow("CP-1", 3, what="c", details=[{"deep": None}]),
    )


async def test_all_rows_of_a_station_can_be_dropped_and_made_anew(tell):
    projection = await tell(
        [thing(number, what="old") for number in range(5)],
        [Drop(THINGS, {"station": "CP-1"}), thing(7, what="new")],
    )
    page = await projection.block(THINGS, {}, ALL)
    assert [(row.number, row.what) for row in page.rows] == [(7, "new")]


async def test_pages_follow_each_other_and_filters_hold(tell):
    projection = await tell([thing(number, what="odd" if number % 2 else "even") for number in range(7)])
    first = await projection.block(THINGS, {"what": "odd"}, Page(limit=2))
    second = await projection.block(THINGS, {"what": "odd"}, Page(limit=2, cursor=first.next))
    assert [row.number for row in (*first.rows, *second.rows)] == [1, 3, 5]
    assert second.next is None
