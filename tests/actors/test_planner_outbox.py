"""Orders become commands on record: urgent ones first, many at once, tried again until their deadline."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from actors import planner_outbox as module
from actors.planner_outbox import PRIORITY, PRIORITY_URGENT, Outbox
from engine.model.authorization import ClearCache
from engine.model.commands import Result
from smartcharging.words import Order

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.time = NOW

    def now(self):
        return self.time


class Gateway:
    """Keeps what it is given; stations in `away` are not taken."""

    def __init__(self):
        self.batches = []
        self.away = set()
        self.failure = None
        self.taken = asyncio.Condition()

    async def submit_many(self, requests):
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        async with self.taken:
            self.batches.append(requests)
            self.taken.notify_all()
        return [request for request in requests if request.station in self.away]

    async def has(self, count):
        async with self.taken:
            await self.taken.wait_for(lambda: sum(map(len, self.batches)) >= count)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.001)


@pytest.fixture
async def house():
    made = House()
    yield made
    made.running.cancel()
    await asyncio.gather(made.running, return_exceptions=True)


class House:
    def __init__(self):
        self.gateway, self.clock = Gateway(), Clock()
        self.outbox = Outbox(self.gateway, self.clock)
        self.running = asyncio.create_task(self.outbox.run())
        self.lost = []

    def hand(self, *stations, urgent=False, site="depot"):
        orders = [
            Order(order_id=f"{site}:{station}", station=station, command=ClearCache(), urgent=urgent, deadline_s=30.0)
            for station in stations
        ]
        return self.outbox.hand_over(site, orders, lambda *lost: self.lost.append(lost))


async def test_an_order_is_a_command_of_its_own_name(house):
    assert house.hand("CP-1") == 1
    await house.gateway.has(1)
    (request,) = house.gateway.batches[0]
    assert (request.command_id, request.station, request.by) == ("depot:CP-1", "CP-1", "planner")
    assert (request.priority, request.waits) == (PRIORITY, False)
    assert request.deadline_at == NOW + timedelta(seconds=30)


async def test_the_urgent_go_first(house):
    house.hand("CP-1", "CP-2")
    house.hand("CP-3", urgent=True)
    await house.gateway.has(3)
    first = house.gateway.batches[0]
    assert [request.station for request in first] == ["CP-3", "CP-1", "CP-2"]
    assert first[0].priority == PRIORITY_URGENT


async def test_a_batch_is_bounded(house, monkeypatch):
    monkeypatch.setattr(module, "BATCH_MAX", 10)
    house.hand(*(f"CP-{number}" for number in range(25)))
    await house.gateway.has(25)
    assert [len(batch) for batch in house.gateway.batches] == [10, 10, 5]


async def test_what_is_not_taken_is_tried_again_under_the_same_name(house):
    house.gateway.away.add("CP-1")
    house.hand("CP-1", "CP-2")
    await house.gateway.has(4)
    house.gateway.away.clear()
    await house.outbox.nothing_left("other")
    while len(house.outbox):
        await asyncio.sleep(0)
    names = [request.command_id for batch in house.gateway.batches for request in batch]
    assert set(names) == {"depot:CP-1", "depot:CP-2"}
    assert names.count("depot:CP-2") == 1


async def test_a_gateway_that_breaks_loses_nothing(house):
    house.gateway.failure = RuntimeError("a bug")
    house.hand("CP-1")
    await house.gateway.has(1)
    assert house.lost == []


async def test_after_its_deadline_an_order_is_lost_and_its_site_hears_of_it(house):
    house.gateway.away.add("CP-1")
    house.hand("CP-1")
    await house.gateway.has(1)
    house.clock.time += timedelta(seconds=31)
    while not house.lost:
        await asyncio.sleep(0.001)
    ((order_id, outcome, at),) = house.lost
    assert (order_id, outcome.result, at) == ("depot:CP-1", Result.LOST, house.clock.time)
    assert len(house.outbox) == 0


async def test_a_site_that_is_planned_no_more_sends_nothing_more(house):
    house.gateway.away.update(["CP-1", "X-1"])
    house.hand("CP-1")
    house.hand("X-1", site="other")
    await house.gateway.has(2)
    await house.outbox.nothing_left("depot")
    before = len(house.gateway.batches)
    house.gateway.away.clear()
    await house.gateway.has(sum(map(len, house.gateway.batches)) + 1)
    later = [request.station for batch in house.gateway.batches[before:] for request in batch]
    assert set(later) == {"X-1"}
    assert house.lost == []
