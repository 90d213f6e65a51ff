"""The courier: batches, order, redelivery, moves, bounds."""

import asyncio
from datetime import UTC, datetime

import pytest

from engine.model.envelopes import (
    Answered,
    Delivery,
    Done,
    Reported,
    Retry,
    RetryReason,
    Superseded,
)
from engine.model.provisioning import HeartbeatReported
from engine.model.sessions import SessionClosed, SessionOpened
from engine.ports import ActorGone, ActorUnavailable, Placement
from ingress.ocpp.batching import Courier
from ingress.ocpp.lanes import Parcel
from ingress.settings import OcppSettings

MOVED = Retry(RetryReason.MOVED)
UNAVAILABLE = Retry(RetryReason.UNAVAILABLE)


class Sender:
    def __init__(self):
        self.gone = False
        self.verdicts = []
        self.holds = 0

    def decided(self, parcel, verdict):
        self.verdicts.append((parcel.delivery.event, verdict))

    def hold(self):
        self.holds += 1

    def release(self):
        self.holds -= 1


class Office:
    """A courier with doubles around it."""

    def __init__(self, actors, now, **settings):
        self.actors = actors
        self.door = []
        self.now = now
        self.sender = Sender()
        values = {"batch_wait_ms": 0, "redelivery_wait_s_min": 0.001, "redelivery_wait_s_max": 0.002} | settings
        self.courier = Courier("i", actors, OcppSettings(**values), self.door.append)

    def submit(self, station, number, *, sender=None, size=100, event=None):
        lane = self.courier.open_lane(station)
        event = event or Reported("s", str(number), b"", HeartbeatReported())
        self.courier.submit(lane, Parcel(Delivery(station, self.now, event), sender or self.sender, size))
        self.courier.leave_lane(lane)

    def carried(self):
        """Per batch: (station, message id) of every delivery."""
        return [
            [(delivery.station, getattr(delivery.event, "message_id", None)) for delivery in batch.deliveries]
            for _, batch in self.actors.batches
        ]

    def order_of(self, station):
        """The decided message ids of a station, in order."""
        return [delivery.event.message_id for delivery in self.actors.decided if delivery.station == station]


@pytest.fixture
async def make_office(request):
    actors_type = type(request.getfixturevalue("actors"))
    offices = []

    def make(**settings):
        office = Office(actors_type(), datetime(2025, 5, 1, tzinfo=UTC), **settings)
        offices.append(office)
        return office

    yield make
    for office in offices:
        office.actors.gate.set()
        await office.courier.close()


@pytest.fixture
def office(make_office):
    return make_office()


def same_actor(actors, count):
    """Stations that live on one actor."""
    names = (f"CP{n}" for n in range(5_000))
    return [name for name in names if actors.placement(actors.unit_of(name)).actor == "stations-0"][:count]


async def test_what_arrives_in_one_turn_of_the_loop_goes_as_one_call(office):
    stations = same_actor(office.actors, 5)
    for number in range(3):
        for station in stations:
            office.submit(station, number)
    await office.courier.wait_idle()
    assert len(office.actors.batches) == 1
    actor, batch = office.actors.batches[0]
    assert actor == "stations-0"
    assert batch.ingress == "i"
    assert len(batch.deliveries) == 15
    assert {unit for unit, _ in batch.epochs} == {office.actors.unit_of(station) for station in stations}
    assert {epoch for _, epoch in batch.epochs} == {1}


async def test_a_message_to_an_idle_actor_waits_for_nobody(make_office):
    office = make_office(batch_wait_ms=1_000)
    (station,) = same_actor(office.actors, 1)
    office.submit(station, 1)
    for _ in range(5):
        await asyncio.sleep(0)
    assert office.carried() == [[(station, "1")]]


async def test_calls_to_one_actor_keep_their_distance_so_that_messages_find_company(make_office):
    office = make_office(batch_wait_ms=50)
    first, second, third = same_actor(office.actors, 3)
    office.submit(first, 1)
    await office.courier.wait_idle()
    office.submit(second, 2)
    for _ in range(5):
        await asyncio.sleep(0)
    office.submit(third, 3)
    await office.courier.wait_idle()
    assert office.carried() == [[(first, "1")], [(second, "2"), (third, "3")]]


async def test_a_few_messages_wait_for_the_call_under_way_and_go_together(office):
    first, second, third = same_actor(office.actors, 3)
    office.actors.gate.clear()
    office.submit(first, 1)
    await asyncio.sleep(0.01)
    office.submit(second, 2)
    await asyncio.sleep(0.01)
    office.submit(third, 3)
    await asyncio.sleep(0.01)
    office.actors.gate.set()
    await office.courier.wait_idle()
    assert office.carried() == [[(first, "1")], [(second, "2"), (third, "3")]]


async def test_many_messages_do_not_wait_for_the_call_under_way(office):
    first, *others = same_actor(office.actors, 301)
    office.actors.gate.clear()
    office.submit(first, 1)
    await asyncio.sleep(0.01)
    for station in others:
        office.submit(station, 2)
    await asyncio.sleep(0.01)
    assert [len(batch) for batch in office.carried()] == [1, 300]


async def test_every_delivery_gets_its_own_verdict(office):
    a, b = same_actor(office.actors, 2)
    office.actors.script.append(
        lambda batch: [Superseded() if each.station == a else Done() for each in batch.deliveries]
    )
    one, other = Sender(), Sender()
    office.submit(a, 1, sender=one)
    office.submit(b, 1, sender=other)
    office.submit(a, 2, sender=one)
    await office.courier.wait_idle()
    assert [type(verdict) for _, verdict in one.verdicts] == [Superseded, Superseded]
    assert [type(verdict) for _, verdict in other.verdicts] == [Done]


async def test_at_most_two_calls_are_under_way_and_the_rest_joins_the_next(office):
    first, *others = same_actor(office.actors, 601)
    office.actors.gate.clear()
    for wave in ([first], others[:300], others[300:]):
        for station in wave:
            office.submit(station, 1)
        await asyncio.sleep(0.01)
    assert len(office.actors.batches) == 2
    office.actors.gate.set()
    await office.courier.wait_idle()
    assert office.actors.in_flight_max == 2
    assert [len(batch.deliveries) for _, batch in office.actors.batches] == [1, 300, 300]


async def test_a_station_under_way_waits_though_a_second_call_is_free(office):
    (station,) = same_actor(office.actors, 1)
    office.actors.gate.clear()
    office.submit(station, 1)
    await office.actors.until(lambda: office.actors.batches)
    office.submit(station, 2)
    office.submit(station, 3)
    for _ in range(5):
        await asyncio.sleep(0)
    assert office.carried() == [[(station, "1")]]
    office.actors.gate.set()
    await office.courier.wait_idle()
    assert office.carried() == [[(station, "1")], [(station, "2"), (station, "3")]]


async def test_a_batch_is_bounded_by_number_and_keeps_the_order(make_office):
    office = make_office(batch_deliveries_max=4)
    a, b = same_actor(office.actors, 2)
    for number in range(6):
        office.submit(a, number)
    office.submit(b, 0)
    await office.courier.wait_idle()
    assert max(len(batch.deliveries) for _, batch in office.actors.batches) == 4
    assert office.order_of(a) == ["0", "1", "2", "3", "4", "5"]
    assert office.order_of(b) == ["0"]


async def test_a_batch_is_bounded_by_bytes_but_carries_at_least_one(make_office):
    office = make_office(batch_bytes_max=65_536)
    stations = same_actor(office.actors, 3)
    for station in stations:
        office.submit(station, 1, size=60_000)
    office.submit(stations[0], 2, size=1_000_000)
    await office.courier.wait_idle()
    assert [len(batch.deliveries) for _, batch in office.actors.batches] == [1, 1, 1, 1]


@pytest.mark.parametrize("error", [ActorUnavailable("restarting"), ActorGone("dead"), RuntimeError("a bug there")])
async def test_a_failed_call_is_repeated_in_order_with_what_came_meanwhile(office, error):
    (station,) = same_actor(office.actors, 1)
    office.actors.script.append(error)
    office.submit(station, 1)
    office.submit(station, 2)
    await office.actors.until(lambda: office.actors.batches)
    office.submit(station, 3)
    await office.courier.wait_idle()
    assert office.order_of(station) == ["1", "2", "3"]
    unit = office.actors.unit_of(station)
    assert office.actors.located == [(unit, Placement(unit=unit, actor="stations-0", epoch=1))]
    assert office.sender.holds == 0
    assert [event.message_id for event, _ in office.sender.verdicts] == ["1", "2", "3"]


async def test_a_unit_that_moved_is_delivered_to_its_new_owner(office):
    (station,) = same_actor(office.actors, 1)
    unit = office.actors.unit_of(station)
    office.actors.script.append(lambda batch: [MOVED for _ in batch.deliveries])
    office.actors.locate_script.append(Placement(unit=unit, actor="stations-9", epoch=2))
    office.submit(station, 1)
    await office.courier.wait_idle()
    assert [(actor, batch.epochs) for actor, batch in office.actors.batches] == [
        ("stations-0", ((unit, 1),)),
        ("stations-9", ((unit, 2),)),
    ]


async def test_a_directory_that_fails_is_asked_again(office):
    (station,) = same_actor(office.actors, 1)
    unit = office.actors.unit_of(station)
    office.actors.script.append(ActorGone("dead"))
    office.actors.locate_script.extend(
        [ActorUnavailable("away"), RuntimeError("a bug"), Placement(unit=unit, actor="stations-9", epoch=2)]
    )
    office.submit(station, 1)
    await office.courier.wait_idle()
    assert office.actors.batches[-1][0] == "stations-9"
    assert len(office.actors.located) == 3


async def test_a_unit_nobody_has_heard_of_is_located_first(office):
    (station,) = same_actor(office.actors, 1)
    unit = office.actors.unit_of(station)
    placement = office.actors.placements.pop(unit)
    office.actors.locate_script.append(placement)
    office.submit(station, 1)
    office.submit(station, 2)
    await office.courier.wait_idle()
    assert office.actors.located == [(unit, None)]
    assert office.carried() == [[(station, "1"), (station, "2")]]


async def test_an_unavailable_journal_holds_the_station_and_asks_no_directory(office):
    (station,) = same_actor(office.actors, 1)
    held = []

    def unavailable(batch):
        held.append(office.sender.holds)
        return [UNAVAILABLE for _ in batch.deliveries]

    office.actors.script.extend([unavailable, unavailable])
    office.submit(station, 1)
    await office.courier.wait_idle()
    assert held == [0, 1]
    assert office.sender.holds == 0
    assert office.actors.located == []
    assert office.order_of(station) == ["1"]


async def test_only_what_is_undecided_is_delivered_again(office):
    a, b = same_actor(office.actors, 2)
    office.actors.script.append(
        lambda batch: [UNAVAILABLE if each.event.message_id == "2" else Done() for each in batch.deliveries]
    )
    for number in (1, 2, 3):
        office.submit(a, number)
    office.submit(b, 1)
    await office.courier.wait_idle()
    assert office.carried()[1:] == [[(a, "2")]]


async def test_superseded_is_not_believed_while_something_older_is_undecided(office):
    (station,) = same_actor(office.actors, 1)
    office.actors.script.append(lambda _: [UNAVAILABLE, Superseded()])
    office.submit(station, 1)
    office.submit(station, 2)
    await office.courier.wait_idle()
    assert [type(verdict) for _, verdict in office.sender.verdicts] == [Answered, Answered]


async def test_other_units_go_on_while_one_is_on_hold(office):
    stations = same_actor(office.actors, 30)
    first = stations[0]
    other = next(name for name in stations if office.actors.unit_of(name) != office.actors.unit_of(first))
    office.actors.script.append(ActorUnavailable("restarting"))
    office.actors.locate_script.extend([ActorUnavailable("away")] * 3)
    office.submit(first, 1)
    await office.actors.until(lambda: office.actors.batches)
    for _ in range(3):
        await asyncio.sleep(0)
    assert office.courier.units_held == 1
    office.submit(other, 1)
    await office.actors.until(lambda: office.order_of(other))
    assert office.order_of(first) == []
    await office.courier.wait_idle()
    assert office.order_of(first) == ["1"]
    assert office.courier.units_held == 0


async def test_an_actor_that_hangs_is_looked_for_after_a_while(make_office, eventually):
    office = make_office(deliver_timeout_s=0.05)
    (station,) = same_actor(office.actors, 1)
    office.actors.gate.clear()
    office.submit(station, 1)
    await eventually(lambda: office.actors.located)
    office.actors.gate.set()
    await office.courier.wait_idle()
    assert office.order_of(station) == ["1"]


async def test_verdicts_that_do_not_fit_are_no_verdicts(office):
    (station,) = same_actor(office.actors, 1)
    office.actors.script.append(lambda _: [])
    office.submit(station, 1)
    await office.courier.wait_idle()
    assert len(office.actors.batches) == 2
    assert len(office.sender.verdicts) == 1


async def test_calls_of_a_station_that_is_gone_are_tried_once_but_its_end_until_it_is_heard(office):
    (station,) = same_actor(office.actors, 1)
    office.actors.script.extend([ActorUnavailable("1"), ActorUnavailable("2")])
    office.sender.gone = True
    office.submit(station, 1)
    office.submit(station, 0, event=SessionClosed("s", 1006, "", office.now))
    await office.courier.wait_idle()
    assert office.carried()[0] == [(station, "1"), (station, None)]
    assert office.carried()[1:] == [[(station, None)]] * 2
    assert len(office.actors.of(SessionClosed)) == 1


async def test_a_session_that_no_actor_can_know_is_withdrawn(office):
    (station,) = same_actor(office.actors, 1)
    opened = SessionOpened("s", "i", "1.6", "", office.now)
    lane = office.courier.open_lane(station)
    office.submit(station, 0, event=opened)
    office.submit(station, 1)
    assert office.courier.withdraw(lane, office.sender)
    office.courier.leave_lane(lane)
    await office.courier.wait_idle()
    for _ in range(3):
        await asyncio.sleep(0)
    assert office.actors.batches == []
    assert office.courier.waiting == 0
    assert office.courier._lanes == {}


async def test_a_session_that_an_actor_may_know_is_not_withdrawn(office, eventually):
    (station,) = same_actor(office.actors, 1)
    office.actors.script.append(ActorUnavailable("perhaps taken"))
    office.actors.locate_script.extend([ActorUnavailable("away")] * 2)
    lane = office.courier.open_lane(station)
    office.submit(station, 0, event=SessionOpened("s", "i", "1.6", "", office.now))
    assert office.courier.waiting == 1
    await office.actors.until(lambda: office.actors.batches)
    assert not office.courier.withdraw(lane, office.sender)
    await eventually(lambda: office.courier.units_held)
    assert not office.courier.withdraw(lane, office.sender)
    await office.courier.wait_idle()
    assert not office.courier.withdraw(lane, office.sender)


@pytest.mark.parametrize("settings", [{"queue_deliveries_max": 10}, {"queue_bytes_max": 1_048_576}])
async def test_the_door_closes_when_too_much_waits_and_opens_at_half(make_office, settings):
    office = make_office(batch_deliveries_max=2, **settings)
    office.actors.gate.clear()
    for number, station in enumerate(same_actor(office.actors, 10)):
        assert office.door == []
        office.submit(station, number, size=105_000)
    assert office.door == [True]
    assert office.courier.closed_door
    office.actors.gate.set()
    await office.courier.wait_idle()
    assert office.door == [True, False]
    assert len(office.actors.decided) == 10


async def test_nothing_is_kept_about_stations_with_nothing_to_say(office):
    for station in same_actor(office.actors, 20):
        office.submit(station, 1)
    await office.courier.wait_idle()
    for _ in range(3):
        await asyncio.sleep(0)
    courier = office.courier
    assert (courier._lanes, courier._holds, courier._tasks) == ({}, {}, set())
    assert courier._outboxes.keys() == {"stations-0"}, "one per actor"
    assert (courier.waiting, courier._bytes) == (0, 0)


async def test_order_survives_failures_of_every_kind(make_office):
    office = make_office(batch_deliveries_max=7)
    stations = [f"CP{n}" for n in range(20)]
    steps = [
        ActorUnavailable("x"),
        lambda batch: [MOVED for _ in batch.deliveries],
        lambda batch: [UNAVAILABLE for _ in batch.deliveries],
        ActorGone("x"),
        RuntimeError("x"),
    ]
    for number in range(40):
        for station in stations[number % 3 :: 2]:
            office.submit(station, number)
        if number % 4 == 0:
            office.actors.script.append(steps[number // 4 % len(steps)])
            await asyncio.sleep(0)
    await office.courier.wait_idle()
    for station in stations:
        order = [int(number) for number in office.order_of(station)]
        assert order == sorted(set(order))
        assert len(order) > 10
    assert len(office.sender.verdicts) == len(office.actors.decided)
