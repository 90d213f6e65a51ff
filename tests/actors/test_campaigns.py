"""Campaigns over the twins: every station once, no faster than allowed, and on after any crash."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from actors.campaigns import CampaignRunner, ReadsFailed
from engine.model.campaigns import CampaignChanged, CampaignStarted, CampaignState
from engine.model.provisioning import ResetKind, ResetStation
from engine.ports import ActorUnavailable
from storage.journal_memory import MemoryStore
from storage.operator_book_memory import MemoryOperatorBook
from storage.queries.rows import CampaignProgress

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
COMMAND = ResetStation(ResetKind.ON_IDLE)


class World:
    """PostgreSQL, the gateway and the clock, as a campaign sees them."""

    def __init__(self, stations, **campaign):
        self.at = START
        self.book = MemoryOperatorBook(MemoryStore(), tenant="default")
        names = tuple(f"CP-{number}" for number in range(stations))
        given = {"rate_per_s": 10.0, "deadline_s": 60.0, "created_at": START} | campaign
        self.campaign = CampaignStarted("c", COMMAND, names, **given)
        self.states = ["c"]
        self.requests = []
        self.on_the_record = set()
        self.settled = {}
        self.unreachable = set()
        self.down = False

    def now(self):
        return self.at

    async def submit(self, request):
        if request.station in self.unreachable:
            raise ActorUnavailable(request.station)
        self.requests.append(request)
        self.on_the_record.add(request.command_id)

    async def running(self):
        if self.down:
            raise ReadsFailed("down")
        over = await self.book.campaign("c") is None
        return () if over else tuple(self.states)

    async def progress(self, _campaign_id):
        return CampaignProgress(recorded=len(self.on_the_record), settled=dict(Counter(self.settled.values())))

    async def on_record(self, _campaign_id):
        return frozenset(self.on_the_record)

    def runner(self):
        return CampaignRunner(self, self.book, self, self)

    async def run(self, runner, seconds, step_s=0.25):
        for _ in range(int(seconds / step_s)):
            self.at += timedelta(seconds=step_s)
            await runner.step()


@pytest.fixture
async def world():
    world = World(40)
    await world.book.start_campaign(world.campaign, START)
    return world


async def test_every_station_gets_its_command_once_and_no_faster_than_allowed(world):
    runner = world.runner()
    await world.run(runner, 2)
    assert 15 <= len(world.requests) <= 21
    await world.run(runner, 10)
    assert sorted(request.station for request in world.requests) == sorted(world.campaign.stations)
    assert len({request.command_id for request in world.requests}) == 40
    first = world.requests[0]
    assert (first.command, first.by, first.priority) == (COMMAND, "campaign c", -10)
    assert first.deadline_at - first.requested_at == timedelta(seconds=60)


async def test_a_runner_that_was_killed_goes_on_with_what_is_left(world):
    await world.run(world.runner(), 2)
    before = len(world.requests)
    assert 0 < before < 40
    await world.run(world.runner(), 10)
    assert Counter(request.station for request in world.requests).most_common(1)[0][1] == 1
    assert len(world.requests) == 40


async def test_what_the_projection_does_not_show_yet_is_the_same_command_again(world):
    await world.run(world.runner(), 2)
    told = {request.command_id: request.station for request in world.requests}
    world.on_the_record.clear()
    await world.run(world.runner(), 10)
    assert all(told.get(request.command_id, request.station) == request.station for request in world.requests)


async def test_a_station_that_cannot_be_reached_is_tried_again(world):
    world.unreachable = {"CP-3"}
    runner = world.runner()
    await world.run(runner, 10)
    assert len(world.requests) == 39
    world.unreachable = set()
    await world.run(runner, 2)
    assert len(world.requests) == 40


async def test_a_campaign_is_done_when_all_its_commands_are_settled(world):
    runner = world.runner()
    await world.run(runner, 10)
    assert await world.book.campaign("c") is not None
    world.settled = dict.fromkeys(world.on_the_record, "accepted")
    await world.run(runner, 1)
    assert await world.book.campaign("c") is None
    assert (await runner.health())["running"] == 0


async def test_commands_that_never_came_onto_the_record_are_sent_again(world):
    runner = world.runner()
    await world.run(runner, 6)
    lost = sorted(world.on_the_record)[:5]
    world.on_the_record -= set(lost)
    await world.run(runner, 10)
    assert set(lost) <= world.on_the_record


async def test_a_paused_campaign_sends_nothing_and_goes_on_later(world):
    runner = world.runner()
    await world.run(runner, 1)
    sent = len(world.requests)
    world.states = []
    await world.run(runner, 5)
    assert len(world.requests) == sent
    world.states = ["c"]
    await world.run(runner, 10)
    assert len(world.requests) == 40


async def test_a_stopped_campaign_is_forgotten(world):
    await world.book.change_campaign(CampaignChanged("c", CampaignState.STOPPED, START), START)
    await world.run(world.runner(), 2)
    assert world.requests == []


async def test_without_postgres_it_waits(world):
    world.down = True
    with pytest.raises(ReadsFailed):
        await world.runner().step()
    assert world.requests == []
