"""What every tariff book promises, in memory and in Redis: one value that actors read, and facts on their way."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.model.facts import OperatorEntry
from engine.model.ids import DEFAULT_TENANT
from engine.model.tariff_and_cost import AssignedTo, TariffAssigned, TariffRemoved, TariffSaved
from engine.model.tariffs import Price, PriceList, Tariff
from engine.ports import JournalUnavailable
from storage import keys
from storage.tariff_book import MemoryTariffBook, RedisTariffBook

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
DAY = Tariff(id="day", currency="EUR", energy=PriceList((Price(Decimal("0.40")),)))
NIGHT = Tariff(id="night", currency="EUR", energy=PriceList((Price(Decimal("0.25")),)))


@pytest.fixture
def tariff_book(world):
    """A book in this world; several share what they keep."""

    def make(**changes):
        if hasattr(world, "store"):
            return MemoryTariffBook(world.store, tenant=DEFAULT_TENANT, settings=world.settings(**changes))
        return RedisTariffBook(world.client(), tenant=DEFAULT_TENANT, settings=world.settings(**changes))

    return make


async def entries(world) -> list[OperatorEntry]:
    return [entry.entry for entry in await world.reader().read({keys.OPERATOR: keys.START}, 10_000)]


async def test_what_is_saved_and_assigned_is_what_station_actors_read(world, tariff_book):
    book = tariff_book()
    await book.save(DAY, NOW)
    await book.assign(AssignedTo.STATION, "CP-1", "day", NOW)

    found = await world.journal().tariffs()

    assert found == await book.book()
    assert found.of("CP-1", None, None) == DAY
    assert found.of("CP-2", None, None) is None
    assert [entry.facts for entry in await entries(world)] == [
        (TariffSaved(DAY, NOW),),
        (TariffAssigned(AssignedTo.STATION, "CP-1", "day", NOW),),
    ]


async def test_without_a_book_there_are_no_tariffs(world):
    assert not (await world.journal().tariffs()).tariffs


async def test_a_journal_sees_every_change(world, tariff_book):
    book, journal = tariff_book(), world.journal()
    await book.save(DAY, NOW)
    assert [*(await journal.tariffs()).tariffs] == ["day"]
    await book.save(NIGHT, NOW)
    assert [*(await journal.tariffs()).tariffs] == ["day", "night"]


async def test_whoever_had_a_tariff_that_is_removed_is_told_of_in_the_facts(world, tariff_book):
    book = tariff_book()
    await book.save(DAY, NOW)
    await book.assign(AssignedTo.DEFAULT, "", "day", NOW)

    assert await book.remove("day", NOW)
    assert not await book.remove("day", NOW)

    assert (await entries(world))[-1].facts == (
        TariffRemoved("day", NOW),
        TariffAssigned(AssignedTo.DEFAULT, "", None, NOW),
    )


async def test_what_cannot_be_done_leaves_no_trace(world, tariff_book):
    book = tariff_book()
    await book.save(DAY, NOW)
    with pytest.raises(ValueError, match="use another id"):
        await book.save(Tariff(id="day", currency="EUR"), NOW)
    with pytest.raises(ValueError, match="save it first"):
        await book.assign(AssignedTo.DEFAULT, "", "night", NOW)
    assert len(await entries(world)) == 1


async def test_changes_at_one_time_are_all_made(tariff_book):
    await tariff_book().save(DAY, NOW)
    books = [tariff_book() for _ in range(4)]
    names = [f"CP-{number}" for number in range(4)]
    await asyncio.gather(
        *(book.assign(AssignedTo.STATION, name, "day", NOW) for book, name in zip(books, names, strict=True))
    )
    assert sorted((await tariff_book().book()).stations) == names


async def test_a_full_stream_refuses(tariff_book):
    book = tariff_book(operator_stream_entries_max=1)
    await book.save(DAY, NOW)
    with pytest.raises(JournalUnavailable, match="full"):
        await book.save(NIGHT, NOW)
