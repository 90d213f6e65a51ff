"""Lookups: together, one round trip at a time, and each hears of its own."""

import asyncio

import pytest

from engine.model.stations import StationRecord
from engine.ports import JournalUnavailable
from ingress.ocpp.lookups import Lookups


class Book:
    def __init__(self):
        self.asked = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error = None

    async def look_up(self, stations):
        self.asked.append(list(stations))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return {station: StationRecord(station) for station in stations if station != "nobody"}


async def test_those_who_ask_at_once_go_together_and_later_ones_with_the_next():
    book = Book()
    lookups = Lookups(book)
    book.gate.clear()
    first = [asyncio.create_task(lookups.find(f"A{number}")) for number in range(3)]
    while not book.asked:
        await asyncio.sleep(0)
    later = [asyncio.create_task(lookups.find(name)) for name in ("B", "nobody", "B")]
    await asyncio.sleep(0)
    assert book.asked == [["A0", "A1", "A2"]]
    book.gate.set()
    assert [record.station for record in await asyncio.gather(*first)] == ["A0", "A1", "A2"]
    assert await asyncio.gather(*later) == [StationRecord("B"), None, StationRecord("B")]
    assert book.asked == [["A0", "A1", "A2"], ["B", "nobody"]]
    assert await lookups.find("C") == StationRecord("C")


async def test_not_more_than_500_go_together():
    book = Book()
    lookups = Lookups(book)
    await asyncio.gather(*(lookups.find(str(number)) for number in range(1_100)))
    assert [len(asked) for asked in book.asked] == [500, 500, 100]


@pytest.mark.parametrize("error", [JournalUnavailable("away"), OSError("gone"), RuntimeError("a bug")])
async def test_a_failure_is_told_to_all_who_asked_and_not_to_the_next(error):
    book = Book()
    lookups = Lookups(book)
    book.error = error
    found = await asyncio.gather(lookups.find("A"), lookups.find("B"), return_exceptions=True)
    assert [type(one) for one in found] == [type(error)] * 2
    book.error = None
    assert await lookups.find("A") == StationRecord("A")


async def test_one_who_gives_up_takes_nobody_along():
    book = Book()
    lookups = Lookups(book)
    book.gate.clear()
    one, other = (asyncio.create_task(lookups.find("A")) for _ in range(2))
    while not book.asked:
        await asyncio.sleep(0)
    one.cancel()
    book.gate.set()
    assert await other == StationRecord("A")
