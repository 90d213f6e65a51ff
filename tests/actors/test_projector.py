"""The projector carries in order, remembers where it is, and waits when one end is away."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from actors import projector as module
from actors.projector import ProjectionFailed, ProjectorActor
from engine.model.caps import CapSaved, CapSource, CapStep
from engine.model.facts import OperatorEntry, StationFacts
from engine.model.ids import Unit
from engine.model.provisioning import StationSeen
from engine.ports import UnitCommit
from storage.journal_memory import MemoryJournal, MemoryJournalReader, MemoryStore
from storage.journal_reader import StreamEntry

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
STREAMS = ("operator", "s0", "s1")


class Clock:
    def now(self):
        return NOW


class Rows:
    """A projection that keeps what it is given, and can fail."""

    def __init__(self):
        self.entries = []
        self.at = {}
        self.failing = False
        self.fails_after_writing = False
        self.retention_kept = 0

    async def positions(self):
        self._check()
        return dict(self.at)

    async def apply(self, entries):
        self._check()
        for entry in entries:
            self.entries.append(entry)
            self.at[entry.stream] = entry.id
        if self.fails_after_writing:
            self.fails_after_writing = False
            raise ProjectionFailed("the connection broke at COMMIT")

    async def keep_retention(self, now):
        self.retention_kept += now == NOW

    def _check(self):
        if self.failing:
            raise ProjectionFailed("PostgreSQL is away")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name in ("PACE_S", "PACE_S_MAX", "TRIM_S", "RETRY_S_MIN", "RETRY_S_MAX"):
        monkeypatch.setattr(module, name, 0.001)
    monkeypatch.setattr(module, "BLOCK_MS", 5)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
async def projector(store):
    rows = Rows()
    made = ProjectorActor(MemoryJournalReader(store), rows, STREAMS, Clock())
    made.rows = rows
    yield made
    if made._running:
        made._running.cancel()
        await asyncio.gather(made._running, return_exceptions=True)


async def record(store, shard, count):
    journal = MemoryJournal(store, tenant="t")
    await journal.claim(Unit(shard), 1)
    for number in range(count):
        fact = StationFacts("CP", (StationSeen(NOW + timedelta(seconds=number)),))
        await journal.commit([UnitCommit(unit=Unit(shard), epoch=1, records=(fact,), states={})], NOW)


def carried(projector, stream):
    return [entry.entry.records[0].facts[0].at for entry in projector.rows.entries if entry.stream == stream]


async def test_everything_is_carried_once_and_in_order(projector, store):
    await record(store, 0, 5)
    await record(store, 1, 5)
    await projector.start()
    assert await projector.caught_up(10)
    for stream in ("s0", "s1"):
        assert carried(projector, stream) == [NOW + timedelta(seconds=number) for number in range(5)]


async def test_streams_forget_what_was_carried(projector, store):
    await record(store, 0, 5)
    await projector.start()
    assert await projector.caught_up(10)
    await record(store, 0, 1)
    while store.entries("s0"):
        await asyncio.sleep(0.001)
    assert len(projector.rows.entries) == 6


async def test_it_goes_on_from_the_positions_that_were_committed(projector, store):
    await record(store, 0, 5)
    projector.rows.at = {"s0": store.entries("s0")[2].id}
    await projector.start()
    assert await projector.caught_up(10)
    assert carried(projector, "s0") == [NOW + timedelta(seconds=number) for number in (3, 4)]


async def test_a_failure_after_the_commit_doubles_nothing(projector, store):
    projector.rows.fails_after_writing = True
    await record(store, 0, 5)
    await projector.start()
    assert await projector.caught_up(10)
    assert len(carried(projector, "s0")) == 5


async def test_it_waits_for_postgres_and_says_so(projector, store):
    projector.rows.failing = True
    await record(store, 0, 3)
    await projector.start()
    while (await projector.health())["failure"] != "PostgreSQL is away":
        await asyncio.sleep(0.001)
    assert len(store.entries("s0")) == 3
    projector.rows.failing = False
    assert await projector.caught_up(10)
    assert (await projector.health())["failure"] == ""
    assert len(carried(projector, "s0")) == 3


async def test_it_waits_for_redis(projector, store):
    await projector.start()
    store.unavailable = True
    while not (await projector.health())["failure"]:
        await asyncio.sleep(0.001)
    store.unavailable = False
    await record(store, 0, 1)
    while not projector.rows.entries:
        await asyncio.sleep(0.001)
    assert len(projector.rows.entries) == 1


async def test_partitions_are_kept_at_the_start(projector):
    await projector.start()
    assert await projector.caught_up(10)
    assert projector.rows.retention_kept == 1


async def test_while_more_waits_in_a_stream_it_does_not_rest(projector, store, monkeypatch):
    monkeypatch.setattr(module, "PACE_S", 3_600.0)
    monkeypatch.setattr(module, "PACE_S_MAX", 3_600.0)
    monkeypatch.setattr(module, "ENTRIES_MAX", len(STREAMS))  # one entry of each stream at a time
    await record(store, 0, 5)
    await projector.start()
    assert await projector.caught_up(10)
    assert len(carried(projector, "s0")) == 5


async def test_the_longer_a_write_takes_the_more_it_waits_for_company(projector, store, monkeypatch):
    rests = []
    monkeypatch.setattr(module, "PACE_S", 0.2)
    monkeypatch.setattr(module, "PACE_S_MAX", 1.0)
    clock = iter([10.0, 10.01, 20.0, 20.1, 30.0, 33.0])
    monkeypatch.setattr(module, "monotonic", lambda: next(clock))

    async def rest(seconds):
        rests.append(round(seconds, 6))

    monkeypatch.setattr(module.asyncio, "sleep", rest)
    projector._kept_at = projector._trimmed_at = float("inf")
    monkeypatch.setattr(projector, "_keep_retention", projector.health)
    monkeypatch.setattr(projector, "_trim", projector.health)
    await projector._load_positions()
    for _ in range(3):
        await record(store, 0, 1)
        await projector._step()
    assert rests == [0.19, 0.4, -2.0]


async def test_streams_keep_for_a_while_what_others_may_read(store, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    monkeypatch.setattr(module, "TRIM_S", 2.0)
    made = ProjectorActor(MemoryJournalReader(store), Rows(), STREAMS, Clock(), kept_s=5.0)
    await record(store, 0, 2)
    await made._load_positions()
    await made._step()
    await record(store, 0, 1)
    now[0] += 3.0
    await made._step()
    assert len(store.entries("s0")) == 3
    now[0] += 2.0
    await made._step()
    assert len(store.entries("s0")) == 1, "the third was carried 2 s ago only"
    now[0] += 3.0
    await made._step()
    assert store.entries("s0") == []


async def test_rows_wait_while_stations_are_told_of_an_emergency_but_not_again_and_again(projector, monkeypatch):
    now, rests = [1_000.0], []
    monkeypatch.setattr(module, "monotonic", lambda: now[0])

    async def rest(seconds):
        rests.append(seconds)

    async def read(*_):
        return [StreamEntry("operator", f"{int(now[0])}-0", OperatorEntry("t", NOW, (saved,)))]

    monkeypatch.setattr(module.asyncio, "sleep", rest)
    monkeypatch.setattr(projector._source, "read", read)
    monkeypatch.setattr(projector, "_trim", projector.health)
    waits = []
    for emergency, passed_s in ((False, 0.0), (True, 0.0), (True, 20.0), (True, module.EMERGENCY_EVERY_S)):
        now[0] += passed_s
        cap = CapSource(site="depot", source="grid", steps=(CapStep(NOW, 10.0),), emergency=emergency)
        saved = CapSaved(cap, "me", NOW)
        await projector._step()
        waits.append(rests[-1] == module.EMERGENCY_REST_S)
    assert waits == [False, True, False, True]
    assert len(projector.rows.entries) == 4, "what was read is written first"
