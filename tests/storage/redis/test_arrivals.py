"""In which order connections came: one counter for all ingresses, in a real Redis."""

import asyncio
import contextlib

import pytest

from engine.ports import JournalUnavailable
from storage import keys
from storage.arrivals import RedisArrivals
from storage.redis_client import redis_client
from storage.redis_settings import RedisSettings

pytestmark = pytest.mark.integration


@pytest.fixture
async def arrivals_of(server):
    """Makes the counters of several ingresses."""
    clients = []

    def make():
        settings = RedisSettings(url=server.url)
        clients.append(redis_client(settings))
        return RedisArrivals(clients[-1], settings=settings), clients[-1]

    yield make
    for client in clients:
        await client.aclose()


async def test_numbers_rise_whoever_draws_them(arrivals_of):
    (one, _), (other, _) = arrivals_of(), arrivals_of()
    drawn = [await each.number() for each in (one, other, one, other) for _ in range(50)]
    assert drawn == sorted({*drawn})


async def test_numbers_drawn_at_the_same_time_differ(arrivals_of):
    counters = [arrivals_of()[0] for _ in range(4)]
    drawn = await asyncio.gather(*[counter.number() for counter in counters for _ in range(100)])
    assert len({*drawn}) == 400


async def test_they_rise_while_the_clock_of_redis_stands_behind(arrivals_of):
    one, client = arrivals_of()
    ahead = await one.number() + 10**12
    await client.set(keys.ARRIVALS, ahead)
    assert [await one.number() for _ in range(3)] == [ahead + 1, ahead + 2, ahead + 3]


async def test_they_rise_when_the_counter_is_lost(arrivals_of):
    one, client = arrivals_of()
    before = await one.number()
    await client.flushall()
    assert await one.number() > before


async def test_they_rise_over_a_crash_of_redis(arrivals_of, server):
    one, _ = arrivals_of()
    before = await one.number()
    server.kill()
    server.start()
    with contextlib.suppress(JournalUnavailable):  # where it has not noticed yet that its connection is gone
        assert await one.number() > before
    assert await one.number() > before


async def test_those_who_draw_at_once_get_different_numbers_in_few_round_trips(arrivals_of, monkeypatch):
    one, _ = arrivals_of()
    made = []
    run = one._link.run

    async def counted(script, calls):
        made.append(len(calls))
        return await run(script, calls)

    monkeypatch.setattr(one._link, "run", counted)
    numbers = await asyncio.gather(*(one.number() for _ in range(1_100)))
    assert numbers == sorted(set(numbers))
    assert made == [500, 500, 100]


async def test_without_redis_there_is_none(arrivals_of, server):
    one, _ = arrivals_of()
    server.kill()
    with pytest.raises(JournalUnavailable):
        await one.number()
