"""What every reader of the journal promises, in memory and in Redis."""

import asyncio
from datetime import UTC, datetime

import pytest

from engine.model.authorization import Token, TokenRecord
from engine.model.codec import encode
from engine.model.facts import JournalEntry, OperatorEntry, StationFacts
from engine.model.ids import Unit
from engine.model.messages import Direction, LoggedMessage
from engine.model.provisioning import StationSeen
from engine.ports import JournalUnavailable, UnitCommit
from storage import keys
from storage.journal_memory import MemoryJournal, MemoryJournalReader, MemoryStore
from storage.journal_reader import BadEntry, entry_of

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
MESSAGE = LoggedMessage(station="CP", session="i:1:1", direction=Direction.IN, at=NOW, kind="call", frame="[2]")


async def write(journal, shard: int, count: int = 1) -> None:
    unit = Unit(shard=shard)
    await journal.claim(unit, 1)
    for second in range(count):
        facts = StationFacts(station="CP", facts=(StationSeen(at=NOW.replace(second=second)),))
        assert await journal.commit([UnitCommit(unit=unit, epoch=1, records=(facts,), states={})], NOW) == [None]


def seconds(entries) -> list[int]:
    return [entry.entry.records[0].facts[0].at.second for entry in entries]


async def test_positions_lead_through_a_stream_without_gap_or_repeat(world):
    await write(world.journal(), 1, 10)
    reader, position, seen = world.reader(), keys.START, []
    while batch := await reader.read({"s1": position}, 3):
        assert len(batch) <= 3
        seen += seconds(batch)
        position = batch[-1].id

    assert seen == list(range(10))
    assert await reader.read({"s1": position}, 3) == []


async def test_several_streams_are_read_at_once_each_under_its_name(world):
    await write(world.journal(), 1)
    await write(world.journal(), 2, 2)
    await world.book().save_tokens([TokenRecord(token=Token(value="T"))], NOW)

    read = await world.reader().read(dict.fromkeys(("operator", "s0", "s1", "s2"), keys.START), 100)

    kinds = {(entry.stream, type(entry.entry)) for entry in read}
    assert kinds == {("operator", OperatorEntry), ("s1", JournalEntry), ("s2", JournalEntry)}
    assert [entry.stream for entry in read].count("s2") == 2


async def test_streams_share_the_bound_so_that_none_starves(world):
    await write(world.journal(), 1, 10)
    await write(world.journal(), 2, 10)

    read = await world.reader().read({"s1": keys.START, "s2": keys.START}, 6)

    assert sorted(entry.stream for entry in read) == ["s1"] * 3 + ["s2"] * 3


async def test_a_bound_smaller_than_the_streams_still_makes_progress(world):
    await write(world.journal(), 1)
    await write(world.journal(), 2)

    assert len(await world.reader().read({"s1": keys.START, "s2": keys.START}, 1)) == 2


async def test_no_streams_are_nothing(world):
    assert await world.reader().read({}, 10) == []


async def test_a_waiting_read_returns_when_something_is_recorded(world):
    journal, reader = world.journal(), world.reader()
    waiting = asyncio.create_task(reader.read({"s1": keys.START, "s5": keys.START}, 10, block_ms=20_000))
    await asyncio.sleep(0)
    await write(journal, 5)

    assert [entry.stream for entry in await waiting] == ["s5"]


async def test_a_waiting_read_ends_empty_after_its_time(world):
    assert await world.reader().read({"s1": keys.START}, 10, block_ms=20) == []


async def test_a_waiting_read_of_zero_does_not_wait_for_ever(world):
    assert await world.reader().read({"s1": keys.START}, 10, block_ms=0) == []


async def test_trimming_forgets_up_to_and_including_an_entry_and_nothing_more(world):
    await write(world.journal(), 1, 5)
    reader = world.reader()
    entries = await reader.read({"s1": keys.START}, 10)

    assert await reader.trim({"s1": entries[2].id}) == 3
    assert seconds(await reader.read({"s1": keys.START}, 10)) == [3, 4]
    assert await reader.trim({"s1": entries[2].id}) == 0


async def test_a_stream_trimmed_empty_goes_on_behind_the_same_position(world):
    journal, reader = world.journal(), world.reader()
    await write(journal, 1, 2)
    last = (await reader.read({"s1": keys.START}, 10))[-1].id
    await reader.trim({"s1": last})
    await write(journal, 1, 1)

    assert len(await reader.read({"s1": last}, 10)) == 1


async def test_trimming_what_is_not_there_is_nothing(world):
    assert await world.reader().trim({"s1": "5-0"}) == 0


async def test_lengths_and_last_ids_tell_how_far_the_reader_is_behind(world):
    await write(world.journal(), 1, 3)
    reader = world.reader()
    last = (await reader.read({"s1": keys.START}, 10))[-1].id
    await reader.trim({"s1": last})
    await write(world.journal(), 2, 2)

    assert await reader.lengths(("s1", "s2", "s3")) == {"s1": 0, "s2": 2, "s3": 0}
    last_ids = await reader.last_ids(("s1", "s3"))
    assert last_ids == {"s1": last, "s3": keys.START}


def test_the_streams_of_facts_are_the_operators_and_every_shards():
    assert keys.fact_streams(3) == ("operator", "s0", "s1", "s2")


@pytest.mark.parametrize(
    ("fields", "data", "word"),
    [
        ((b"e", b"\xc1"), b"\xc1", "DecodeError"),
        ((b"e", b""), b"", "DecodeError"),
        ((b"e", encode({"is": "Later", "x": 1})), encode({"is": "Later", "x": 1}), "ValidationError"),
        ((b"e", encode("\N{SNOWMAN}")[:-1]), encode("\N{SNOWMAN}")[:-1], "DecodeError"),
        ((b"f", b"x"), encode([b"f", b"x"]), "other fields"),
        ((b"e", b"x", b"f", b"y"), encode([b"e", b"x", b"f", b"y"]), "other fields"),
        ((b"e", b"\x91" * 100_000), b"\x91" * 100_000, ""),
    ],
)
@pytest.mark.parametrize("stream", ["s1", "operator", "messages"])
def test_what_cannot_be_decoded_is_kept_with_its_reason(stream, fields, data, word):
    entry = entry_of(stream, "7-0", fields).entry

    assert isinstance(entry, BadEntry)
    assert (entry.id, entry.data) == ("7-0", data)
    assert word in entry.reason


def test_messages_are_decoded_as_a_list():
    assert entry_of("messages", "1-0", (b"e", encode([MESSAGE]))).entry == [MESSAGE]


@pytest.mark.integration
async def test_a_bad_entry_does_not_hide_its_neighbours(redis_world):
    await write(redis_world.journal(), 1, 1)
    await redis_world.client().xadd(keys.stream_key("s1"), {"e": b"\xc1broken"})
    await write(redis_world.journal(), 1, 1)

    read = await redis_world.reader().read({"s1": keys.START}, 10)

    assert [type(entry.entry) for entry in read] == [JournalEntry, BadEntry, JournalEntry]
    assert read[1].entry == BadEntry(read[1].id, b"\xc1broken", read[1].entry.reason)


@pytest.mark.integration
async def test_a_read_blocks_longer_than_the_time_out_of_commands(redis_world):
    reader = redis_world.reader(command_timeout_s=0.1)
    waiting = asyncio.create_task(reader.read({"s1": keys.START}, 10, block_ms=10_000))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await write(redis_world.journal(), 1)

    assert len(await waiting) == 1


@pytest.mark.integration
async def test_a_blocked_read_ends_when_redis_dies(own_world, server):
    reader = own_world.reader()
    await reader.lengths(["s1"])
    waiting = asyncio.create_task(reader.read({"s1": keys.START}, 10, block_ms=30_000))
    client = own_world.client()
    while not any(other["cmd"].startswith("xread") for other in await client.client_list(_type="normal")):
        await asyncio.sleep(0)
    server.kill()

    with pytest.raises(JournalUnavailable):
        await waiting


async def test_the_memory_store_can_be_unavailable_and_can_lose_replies():
    store = MemoryStore()
    journal, reader = MemoryJournal(store, tenant="t"), MemoryJournalReader(store)
    unit = Unit(shard=1)
    await journal.claim(unit, 1)
    change = UnitCommit(unit=unit, epoch=1, records=(), states={"CP": b"1"})

    store.unavailable = True
    (refused,) = await journal.commit([change], NOW)
    for attempt in (journal.fetch([], [], []), journal.claim(unit, 2), reader.read({"s1": keys.START}, 1)):
        with pytest.raises(JournalUnavailable):
            await attempt
    store.unavailable = False
    assert isinstance(refused, JournalUnavailable)
    assert store.entries("s1") == []

    store.replies_lost = True
    (lost,) = await journal.commit([change], NOW)
    store.replies_lost = False
    assert isinstance(lost, JournalUnavailable)
    assert len(store.entries("s1")) == 1
    assert (await journal.fetch([(unit, "CP")], [], [])).states == {"CP": b"1"}
