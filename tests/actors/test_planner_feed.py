"""The feed tells listeners of their stations, each fact once, wherever a snapshot ended; it knows when it was away."""

from datetime import UTC, datetime, timedelta

import pytest

from actors import planner_feed as module
from actors.planner_feed import Feed, place_of
from engine.model.facts import StationFacts
from engine.model.ids import unit_of
from engine.model.provisioning import StationSeen
from engine.model.sites import DriverAsked, DriverRequest
from engine.ports import JournalUnavailable, UnitCommit
from storage import keys
from storage.journal_memory import MemoryJournal, MemoryJournalReader, MemoryStore
from storage.site_book_memory import MemorySiteBook

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
SHARDS = 8


class Listener:
    def __init__(self):
        self.heard = []

    def hear(self, station, fact, at):
        self.heard.append((station, int((fact.at - NOW).total_seconds())))
        assert at == NOW


class House:
    def __init__(self):
        self.store = MemoryStore()
        self.journal = MemoryJournal(self.store, tenant="t")
        self.feed = Feed(MemoryJournalReader(self.store), shards=SHARDS)
        self.feed.begin({})
        self.claimed = set()

    def stream(self, station):
        return f"s{unit_of(station, SHARDS, literal=False).shard}"

    async def record(self, station, *seconds):
        unit = unit_of(station, SHARDS, literal=False)
        if unit not in self.claimed:
            self.claimed.add(unit)
            await self.journal.claim(unit, 1)
        facts = tuple(StationSeen(NOW + timedelta(seconds=second)) for second in seconds)
        await self.journal.commit(
            [UnitCommit(unit=unit, epoch=1, records=(StationFacts(station, facts),), states={})], NOW
        )

    def listen(self, *stations, positions=None):
        listener = Listener()
        self.feed.listen(listener, stations, positions or {}, as_of_s=module.monotonic())
        return listener

    async def read(self):
        return await self.feed.read(block_ms=1)


@pytest.fixture
def house():
    return House()


async def test_it_tells_of_the_stations_that_somebody_listens_to_and_of_no_others(house):
    listener = house.listen("CP-1")
    await house.record("CP-1", 1, 2)
    await house.record("CP-2", 3)
    heard = await house.read()
    assert listener.heard == [("CP-1", 1), ("CP-1", 2)]
    assert (heard.facts, heard.newest_at) == (2, NOW)
    assert not heard.is_behind


async def test_it_begins_behind_the_snapshot(house):
    await house.record("CP-1", 1)
    known = {house.stream("CP-1"): house.store.last_id(house.stream("CP-1"))}
    await house.record("CP-1", 2)
    listener = house.listen("CP-1", positions=known)
    await house.read()
    assert listener.heard == [("CP-1", 2)]


async def test_of_a_stream_that_no_snapshot_knows_everything_is_told(house):
    await house.record("CP-1", 1)
    listener = house.listen("CP-1")
    await house.read()
    assert listener.heard == [("CP-1", 1)]


async def test_a_late_listener_hears_what_it_missed_and_the_others_hear_nothing_twice(house):
    same_shard = [name for name in (f"X-{n}" for n in range(200)) if house.stream(name) == house.stream("CP-1")]
    other = same_shard[0]
    first = house.listen("CP-1")
    await house.record("CP-1", 1)
    await house.record(other, 2)
    await house.read()
    second = house.listen(other)
    await house.record("CP-1", 3)
    await house.read()
    await house.read()
    assert first.heard == [("CP-1", 1), ("CP-1", 3)]
    assert second.heard == [(other, 2)]


async def test_a_late_listener_of_many_stations_hears_what_it_missed_of_each(house):
    streams = {house.stream(name): name for name in (f"X-{n}" for n in range(200))}
    everywhere, late = tuple(streams.values()), tuple(f"LATE-{n}" for n in range(40))
    first = house.listen(*everywhere)
    for second, name in enumerate(late):
        await house.record(name, second)
    await house.record(everywhere[0], 99)
    await house.read()
    following = house.listen(*late)
    await house.read()
    assert sorted(following.heard) == sorted((name, second) for second, name in enumerate(late))
    assert first.heard == [(everywhere[0], 99)]


async def test_a_listener_that_is_ahead_of_the_feed_hears_nothing_twice(house):
    await house.record("CP-1", 1)
    ahead = {house.stream("CP-1"): house.store.last_id(house.stream("CP-1"))}
    house.feed.begin({})
    first = house.listen("CP-1", positions=ahead)
    house.feed.listen(Listener(), ["OTHER"], {}, as_of_s=module.monotonic())
    await house.read()
    assert first.heard == []


async def test_who_is_forgotten_is_told_nothing_more(house):
    listener = house.listen("CP-1")
    house.feed.forget(["CP-1"])
    await house.record("CP-1", 1)
    await house.read()
    assert listener.heard == []
    assert house.feed.stations == frozenset()
    assert house.feed.listener("CP-1") is None


async def test_it_hears_the_operator_without_any_station(house):
    book = MemorySiteBook(house.store, tenant="t")
    request = DriverRequest(station="CP-1", evse=1, energy_kwh=5.0)
    await book.ask(request, "me", NOW)
    heard = await house.read()
    assert heard.operator == (DriverAsked(request, "me", NOW),)
    assert (await house.read()).operator == ()


async def test_an_entry_that_cannot_be_read_stops_nothing(house):
    listener = house.listen("CP-1")
    house.store.add(house.stream("CP-1"), b"\xc1 no msgpack", 100)
    house.store.add(keys.OPERATOR, b"\xc1", 100)
    await house.record("CP-1", 1)
    await house.read()
    assert listener.heard == [("CP-1", 1)]


async def test_it_says_that_it_was_away_for_too_long(house, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    house.feed.begin({})
    assert not (await house.read()).is_behind
    now[0] += module.AWAY_S_MAX + 1
    assert (await house.read()).is_behind
    assert not (await house.read()).is_behind


async def test_a_flood_that_is_never_read_to_its_end_counts_as_away(house, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    monkeypatch.setattr(module, "ENTRIES_MAX", 2)
    house.feed.begin({})
    house.listen("CP-1")
    for second in range(40):
        await house.record("CP-1", second)
    behind = []
    for _ in range(10):
        now[0] += module.AWAY_S_MAX / 4
        behind.append((await house.read()).is_behind)
    assert behind[0] is False
    assert behind[-1] is True


async def test_without_redis_it_says_so_and_goes_on_afterwards(house):
    listener = house.listen("CP-1")
    await house.record("CP-1", 1)
    house.store.unavailable = True
    with pytest.raises(JournalUnavailable):
        await house.read()
    house.store.unavailable = False
    await house.read()
    assert listener.heard == [("CP-1", 1)]


async def test_what_stations_say_can_wait_while_the_operator_is_heard(house):
    listener = house.listen("CP-1")
    await house.record("CP-1", 1)
    heard = await house.feed.read(block_ms=1, operator_only=True)
    assert (heard.facts, listener.heard) == (0, [])
    await house.read()
    assert listener.heard == [("CP-1", 1)]


async def test_who_hears_the_operator_alone_for_too_long_is_behind(house, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    house.feed.begin({})
    house.listen("CP-1")
    for _ in range(3):
        now[0] += module.AWAY_S_MAX / 2
        heard = await house.feed.read(block_ms=1, operator_only=True)
    assert heard.is_behind


@pytest.mark.parametrize(("entry_id", "place"), [("0-0", (0, 0)), ("17-3", (17, 3)), ("17", (17, 0))])
def test_ids_are_compared_as_numbers(entry_id, place):
    assert place_of(entry_id) == place
