"""Decisions go out in order and in batches; while Redis is away they wait, and the oldest make room."""

import asyncio
from datetime import UTC, datetime
from itertools import chain

import pytest

from actors import planner_telling as module
from actors.planner_telling import Telling
from engine.model.plans import AlertKind, SiteAlertCleared
from engine.ports import JournalUnavailable

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class Book:
    def __init__(self):
        self.batches = []
        self.away = False
        self.tried = 0

    async def tell(self, facts, now):
        assert now == NOW
        self.tried += 1
        if self.away:
            raise JournalUnavailable("Redis is away")
        self.batches.append([fact.node for fact in facts])


class Clock:
    def now(self):
        return NOW


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.001)


@pytest.fixture
async def house():
    book = Book()
    telling = Telling(book, Clock())
    running = asyncio.create_task(telling.run())
    yield book, telling
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def facts(count, begin=0):
    return [SiteAlertCleared("depot", AlertKind.OVERLOAD, str(begin + number), NOW) for number in range(count)]


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_they_go_out_in_order_and_in_batches(house, monkeypatch):
    monkeypatch.setattr(module, "TELL_MAX", 4)
    book, telling = house
    telling.record(facts(10))
    await until(lambda: not len(telling))
    assert [len(batch) for batch in book.batches] == [4, 4, 2]
    assert list(chain(*book.batches)) == [str(number) for number in range(10)]


async def test_while_redis_is_away_they_wait(house):
    book, telling = house
    book.away = True
    telling.record(facts(3))
    await until(lambda: book.tried > 3)
    telling.record(facts(2, begin=3))
    book.away = False
    await until(lambda: not len(telling))
    assert list(chain(*book.batches)) == ["0", "1", "2", "3", "4"]


async def test_the_oldest_make_room(monkeypatch):
    monkeypatch.setattr(module, "FACTS_MAX", 10)
    telling = Telling(Book(), Clock())
    telling.record(facts(100))
    assert len(telling) == 10
