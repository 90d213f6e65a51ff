"""The station actor over a memory journal: answers after records, repeats, fencing, commands. No Ray."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from actors import station_actor as module
from actors import turn
from actors.settings import ActorSettings
from actors.station_actor import StationActor
from actors.taken import Taken
from engine.model.authorization import Token
from engine.model.codec import decode_batch_reply, decode_downlinks, decode_outcome, encode
from engine.model.commands import CommandReplied, CommandRequest, Outcome, Result
from engine.model.envelopes import (
    Answered,
    Batch,
    CloseSession,
    Delivery,
    Dispatch,
    Done,
    Failed,
    Reported,
    Retry,
    RetryReason,
)
from engine.model.facts import JournalEntry
from engine.model.ids import EvseRef, unit_of
from engine.model.provisioning import BootReported, HeartbeatReported, ResetKind, ResetStation
from engine.model.sessions import SessionOpened
from engine.model.transactions import Stage, TransactionOpened, TransactionReported
from engine.ports import ActorGone, Fenced, JournalUnavailable, Placement
from engine.station.policy import Policy
from storage.journal_memory import MemoryJournal, MemoryStore

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
MOVED, UNAVAILABLE = Retry(RetryReason.MOVED), Retry(RetryReason.UNAVAILABLE)
START = TransactionReported(stage=Stage.STARTED, at=NOW, evse=EvseRef(1, 1), token=Token("T"), meter_wh=100.0)


class Clock:
    def __init__(self):
        self.time = NOW

    def now(self):
        return self.time


class Ingresses:
    """Keeps what is sent; can be gone."""

    def __init__(self):
        self.sent = []
        self.gone = False
        self._grown = asyncio.Condition()

    async def have_sent(self, count):
        async with self._grown:
            await self._grown.wait_for(lambda: len(self.sent) >= count)

    async def send(self, ingress, downlinks):
        if self.gone:
            raise ActorGone(ingress)
        async with self._grown:
            self.sent.extend((ingress, downlink) for downlink in decode_downlinks(downlinks).downlinks)
            self._grown.notify_all()


class House:
    """A store, a clock, ingresses, and actors over them."""

    def __init__(self, **settings):
        self.store = MemoryStore()
        self.clock = Clock()
        self.ingresses = Ingresses()
        self.settings = ActorSettings(**settings)
        self.actors = []

    async def actor(self):
        journal = MemoryJournal(self.store, tenant="t")
        made = StationActor("stations-0", journal, self.ingresses, self.clock, Policy(), self.settings)
        await made.start()
        self.actors.append(made)
        return made

    def unit(self, station):
        return unit_of(station, self.settings.shards, literal=self.settings.literal)

    async def deliver(self, actor, *events, station="CP-1", epoch=1):
        deliveries = tuple(Delivery(station, self.clock.now(), event) for event in events)
        batch = Batch("i", ((self.unit(station), epoch),), deliveries)
        return list(decode_batch_reply(await actor.deliver(encode(batch))).verdicts)

    async def command(self, actor, request, epoch=1):
        unit = self.unit(request.station)
        placement = Placement(unit=unit, actor="stations-0", epoch=epoch)
        return decode_outcome(await actor.command(placement, encode(request)))

    def facts(self, station="CP-1"):
        stream = f"s{self.unit(station).shard}"
        entries = [each.entry for each in self.store.entries(stream)]
        assert all(isinstance(entry, JournalEntry) for entry in entries)
        return [
            fact for entry in entries for record in entry.records if record.station == station for fact in record.facts
        ]


@pytest.fixture
async def house():
    made = House()
    yield made
    await close(made)


async def close(house):
    for actor in house.actors:
        for task in actor._tasks:
            task.cancel()
        await asyncio.gather(*actor._tasks, return_exceptions=True)


def opened(session="i:a:1", at=NOW):
    return SessionOpened(session=session, ingress="i", version="1.6", address="127.0.0.1", at=at)


def reported(report, message_id="m1", session="i:a:1"):
    return Reported(session=session, message_id=message_id, digest=message_id.encode() * 4, report=report)


def reset(command_id="c1", seconds=30, station="CP-1"):
    deadline = NOW + timedelta(seconds=seconds)
    return CommandRequest(command_id, station, ResetStation(ResetKind.ON_IDLE), NOW, deadline)


BOOT = reported(BootReported("V", "M"), "boot")


async def connected(house):
    actor = await house.actor()
    await house.deliver(actor, opened(), BOOT)
    return actor


async def test_a_start_is_answered_with_the_number_that_was_recorded(house):
    actor = await connected(house)
    (verdict,) = await house.deliver(actor, reported(START))
    (fact,) = [fact for fact in house.facts() if isinstance(fact, TransactionOpened)]
    assert isinstance(verdict, Answered)
    assert verdict.answer.number == fact.number


async def test_a_repeat_gets_the_same_answer_and_is_not_recorded_again(house):
    actor = await connected(house)
    first = await house.deliver(actor, reported(START))
    count = len(house.facts())
    assert await house.deliver(actor, reported(START)) == first
    assert len(house.facts()) == count


async def test_a_repeat_is_recognised_by_the_actor_that_takes_over(house):
    actor = await connected(house)
    first = await house.deliver(actor, reported(START))
    heir = await house.actor()
    assert await house.deliver(heir, reported(START), epoch=2) == first
    assert sum(isinstance(fact, TransactionOpened) for fact in house.facts()) == 1


async def test_nothing_is_answered_while_the_journal_is_away(house):
    actor = await connected(house)
    house.store.unavailable = True
    assert await house.deliver(actor, reported(START)) == [UNAVAILABLE]
    house.store.unavailable = False
    (verdict,) = await house.deliver(actor, reported(START))
    assert isinstance(verdict, Answered)


async def test_a_commit_whose_reply_was_lost_is_found_again(house):
    actor = await connected(house)
    house.store.replies_lost = True
    assert await house.deliver(actor, reported(START)) == [UNAVAILABLE]
    house.store.replies_lost = False
    (verdict,) = await house.deliver(actor, reported(START))
    (fact,) = [fact for fact in house.facts() if isinstance(fact, TransactionOpened)]
    assert verdict.answer.number == fact.number


async def test_an_actor_that_lost_its_unit_answers_nothing(house):
    zombie = await connected(house)
    heir = await house.actor()
    await house.deliver(heir, reported(HeartbeatReported(), "h"), epoch=2)
    assert await house.deliver(zombie, reported(START)) == [MOVED]
    assert not any(isinstance(fact, TransactionOpened) for fact in house.facts())


async def test_a_unit_that_somebody_else_owns_is_not_taken(house):
    await house.deliver(await house.actor(), opened(), epoch=5)
    assert await house.deliver(await house.actor(), BOOT, epoch=4) == [MOVED]


async def test_calls_that_wait_together_are_committed_together(house):
    actor = await connected(house)
    before = len(house.store.entries(f"s{house.unit('CP-1').shard}"))
    verdicts = await asyncio.gather(*(house.deliver(actor, reported(START, f"m{n}")) for n in range(10)))
    assert all(isinstance(verdict, Answered) for (verdict,) in verdicts)
    assert len(house.store.entries(f"s{house.unit('CP-1').shard}")) - before <= 2


async def test_the_order_of_a_station_is_kept(house):
    actor = await connected(house)
    stop = TransactionReported(stage=Stage.ENDED, transaction_id="1", at=NOW, meter_wh=700.0)
    verdicts = await house.deliver(actor, reported(START, "a"), reported(stop, "b"))
    assert [verdict.answer.stage for verdict in verdicts] == [Stage.STARTED, Stage.ENDED]
    assert [type(fact).__name__ for fact in house.facts()[-2:]] == ["TransactionOpened", "TransactionEnded"]
    assert house.facts()[-1].energy_wh == 600.0


async def test_a_full_mailbox_takes_nothing():
    house = House(mailbox_deliveries_max=1)
    try:
        actor = await house.actor()
        assert await house.deliver(actor, opened(), BOOT) == [UNAVAILABLE, UNAVAILABLE]
    finally:
        await close(house)


async def test_a_bug_about_one_station_does_not_stop_the_others(house, monkeypatch):
    actor = await connected(house)
    await house.deliver(actor, opened(), station="CP-2")
    decide = turn.decide

    def buggy(state, item, context):
        if state.station == "CP-1":
            raise ZeroDivisionError
        return decide(state, item, context)

    monkeypatch.setattr(turn, "decide", buggy)
    mine, theirs = await asyncio.gather(
        house.deliver(actor, reported(START)), house.deliver(actor, reported(START), station="CP-2")
    )
    assert isinstance(mine[0], Failed)
    assert isinstance(theirs[0], Answered)


async def test_a_newer_connection_closes_the_older_one(house):
    actor = await connected(house)
    await house.deliver(actor, opened("i:a:2", NOW + timedelta(seconds=1)))
    await house.ingresses.have_sent(1)
    assert [type(downlink) for _, downlink in house.ingresses.sent] == [CloseSession]
    assert house.ingresses.sent[0][1].session == "i:a:1"


async def test_a_command_goes_out_and_its_outcome_comes_back(house):
    actor = await connected(house)
    asked = asyncio.create_task(house.command(actor, reset()))
    await house.ingresses.have_sent(1)
    (_, dispatch) = house.ingresses.sent[0]
    assert isinstance(dispatch, Dispatch)
    outcome = Outcome(Result.ACCEPTED, "Accepted")
    assert await house.deliver(actor, CommandReplied(dispatch.command_id, outcome)) == [Done()]
    assert await asked == outcome


async def test_a_command_to_a_station_without_connection_is_offline(house):
    outcome = await house.command(await house.actor(), reset())
    assert outcome.result is Result.OFFLINE


async def test_a_command_that_is_not_answered_times_out(house, monkeypatch):
    monkeypatch.setattr(module, "TICK_S", 0.01)
    actor = await connected(house)
    asked = asyncio.create_task(house.command(actor, reset(seconds=5)))
    await house.ingresses.have_sent(1)
    house.clock.time += timedelta(seconds=6)
    assert (await asked).result is Result.TIMED_OUT


async def test_a_command_for_an_ingress_that_is_gone_is_lost(house):
    actor = await connected(house)
    house.ingresses.gone = True
    assert (await house.command(actor, reset())).result is Result.LOST


async def test_an_heir_sends_open_commands_again(house):
    actor = await connected(house)
    asked = asyncio.create_task(house.command(actor, reset()))
    await house.ingresses.have_sent(1)
    heir = await house.actor()
    again = asyncio.create_task(house.command(heir, reset(), epoch=2))
    await house.ingresses.have_sent(2)
    assert {downlink.command_id for _, downlink in house.ingresses.sent} == {"c1"}
    outcome = Outcome(Result.ACCEPTED, "Accepted")
    await house.deliver(heir, CommandReplied("c1", outcome), epoch=2)
    assert await again == outcome
    asked.cancel()


async def test_a_command_to_an_actor_that_lost_its_unit_is_refused(house):
    zombie = await connected(house)
    await house.deliver(await house.actor(), reported(HeartbeatReported(), "h"), epoch=2)
    with pytest.raises(Fenced):
        await house.command(zombie, reset())


def moved(house, epoch, station="CP-1"):
    return (Placement(unit=house.unit(station), actor="stations-1", epoch=epoch),)


async def test_who_waits_where_a_unit_was_released_is_sent_to_the_new_owner(house):
    actor, heir = await connected(house), await house.actor()
    asked = asyncio.create_task(house.command(actor, reset()))
    await house.ingresses.have_sent(1)
    await actor.release(moved(house, 2))
    with pytest.raises(Fenced, match="stations-1"):
        await asked
    assert (await actor.health())["units"] == (await actor.health())["stations"] == 0
    again = asyncio.create_task(house.command(heir, reset(), epoch=2))
    await house.ingresses.have_sent(2)
    outcome = Outcome(Result.ACCEPTED, "Accepted")
    await house.deliver(heir, CommandReplied("c1", outcome), epoch=2)
    assert await again == outcome


async def test_a_release_that_is_out_of_date_takes_nothing_away(house):
    actor = await house.actor()
    await house.deliver(actor, opened(), epoch=3)
    await actor.release(moved(house, 2))
    (verdict,) = await house.deliver(actor, reported(START), epoch=3)
    assert isinstance(verdict, Answered)
    assert (await actor.health())["units"] == 1


async def test_a_release_leaves_other_units_alone(house):
    actor = await connected(house)
    other = next(f"CP-{number}" for number in range(2, 99) if house.unit(f"CP-{number}") != house.unit("CP-1"))
    await house.deliver(actor, opened(), station=other)
    asked = asyncio.create_task(house.command(actor, reset()))
    await house.ingresses.have_sent(1)
    await actor.release(moved(house, 2, other))
    outcome = Outcome(Result.ACCEPTED, "Accepted")
    await house.deliver(actor, CommandReplied("c1", outcome))
    assert await asked == outcome
    assert (await actor.health())["units"] == 1


async def test_what_is_under_way_at_a_release_is_decided_or_sent_back(house):
    actor = await connected(house)
    delivered = asyncio.create_task(house.deliver(actor, reported(START)))
    await asyncio.sleep(0)
    await actor.release(moved(house, 2))
    (verdict,) = await delivered
    heir = await house.actor()
    assert await house.deliver(heir, reported(START), epoch=2) == [verdict]
    assert sum(isinstance(fact, TransactionOpened) for fact in house.facts()) == 1


async def test_a_command_that_cannot_be_recorded_is_not_sent(house):
    actor = await connected(house)
    house.store.unavailable = True
    with pytest.raises(JournalUnavailable):
        await house.command(actor, reset())
    assert house.ingresses.sent == []


@pytest.mark.parametrize("stations_per_actor", [1, 2])
async def test_both_modes_do_the_same(stations_per_actor):
    house = House(stations_per_actor=stations_per_actor)
    try:
        actor = await connected(house)
        (verdict,) = await house.deliver(actor, reported(START))
        assert isinstance(verdict, Answered)
        heir = await house.actor()
        assert await house.deliver(heir, reported(START), epoch=2) == [verdict]
    finally:
        await close(house)


async def test_stations_beyond_the_bound_are_let_go_and_come_back():
    house = House(stations_per_actor=2)
    try:
        actor = await house.actor()
        for number in range(5):
            await house.deliver(actor, opened(), reported(START), station=f"CP-{number}")
        assert (await actor.health())["stations"] == 2
        first = await house.deliver(actor, reported(START), station="CP-0")
        assert first[0].answer.number is not None
        assert sum(isinstance(fact, TransactionOpened) for fact in house.facts("CP-0")) == 1
    finally:
        await close(house)


def many(house, *requests, epoch=1):
    units = {house.unit(request.station) for request in requests}
    placements = tuple(Placement(unit=unit, actor="stations-0", epoch=epoch) for unit in units)
    return placements, encode(tuple(requests))


async def test_many_commands_are_recorded_in_one_turn_and_sent(house):
    actor = await house.actor()
    names = [f"CP-{number}" for number in range(5)]
    for name in names:
        await house.deliver(actor, opened(f"i:{name}:1"), BOOT, station=name)
    house.clock.time += timedelta(seconds=5)
    told = await actor.submit_many(*many(house, *(reset(f"c-{name}", station=name) for name in names)))
    assert list(told) == [Taken.RECORDED] * 5
    await house.ingresses.have_sent(5)
    assert {downlink.command_id for _, downlink in house.ingresses.sent} == {f"c-{name}" for name in names}


async def test_of_many_commands_each_is_told_whether_its_unit_is_ours(house):
    first, second = await house.actor(), await house.actor()
    await house.deliver(second, opened(), BOOT, epoch=2)
    other = next(f"X-{n}" for n in range(100) if house.unit(f"X-{n}") != house.unit("CP-1"))
    told = await first.submit_many(*many(house, reset("c1"), reset("c2", station=other)))
    assert list(told) == [Taken.MOVED, Taken.RECORDED]


async def test_many_commands_are_not_taken_while_the_journal_is_away(house):
    actor = await connected(house)
    house.store.unavailable = True
    assert list(await actor.submit_many(*many(house, reset("c1"), reset("c2")))) == [Taken.UNAVAILABLE] * 2


async def test_many_commands_are_not_taken_by_a_full_mailbox():
    house = House(mailbox_deliveries_max=1)
    actor = await house.actor()
    assert list(await actor.submit_many(*many(house, reset("c1"), reset("c2")))) == [Taken.UNAVAILABLE] * 2
    await close(house)
