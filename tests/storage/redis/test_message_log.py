"""Raw messages reach the stream, or are dropped with a count and a word."""

import asyncio
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from engine.model.messages import Direction, LoggedMessage
from storage import journal_metrics, keys
from storage.journal_memory import MemoryJournalReader, MemoryStore
from storage.message_log import MessageBuffer, RedisMessageLog
from storage.message_log_memory import MemoryMessageLog
from storage.redis_settings import RedisSettings

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)


def message(number: int, frame: str | None = None) -> LoggedMessage:
    text = frame if frame is not None else f"[2,{number}]"
    return LoggedMessage(station="CP", session="i:1:1", direction=Direction.OUT, at=NOW, kind="call", frame=text)


async def batches(reader) -> list[list[LoggedMessage]]:
    return [entry.entry for entry in await reader.read({keys.MESSAGES: keys.START}, 10_000)]


def redis_log(world, **changes) -> RedisMessageLog:
    return RedisMessageLog(world.client(**changes), world.settings(**changes))


def dropped_at_bound() -> float:
    return journal_metrics.DROPPED_AT_BOUND._value.get()


def test_a_full_buffer_drops_the_oldest_and_counts_them():
    before = dropped_at_bound()
    buffer = MessageBuffer(RedisSettings(message_buffer_max=3))
    for number in range(5):
        buffer.add(message(number))

    assert buffer.dropped == 2
    assert dropped_at_bound() - before == 2
    assert buffer.take(10) == [message(2), message(3), message(4)]


def test_the_buffer_is_bounded_in_text_too():
    buffer = MessageBuffer(RedisSettings(message_buffer_bytes_max=1024))
    for number in range(3):
        buffer.add(message(number, "x" * 500))

    assert (len(buffer), buffer.dropped) == (2, 1)
    assert buffer.clear() == 2
    buffer.add(message(9, "y" * 1000))
    assert (len(buffer), buffer.dropped) == (1, 1)


def test_a_message_larger_than_the_whole_buffer_is_dropped():
    buffer = MessageBuffer(RedisSettings(message_buffer_bytes_max=1024))
    buffer.add(message(1, "x" * 2000))

    assert (len(buffer), buffer.dropped) == (0, 1)


def test_a_batch_is_bounded_in_count_and_text_but_never_empty():
    buffer = MessageBuffer(RedisSettings())
    for number in range(4):
        buffer.add(message(number, "x" * 200_000))
    buffer.add(message(4, "x" * 1_000_000))

    assert [len(buffer.take(2)) for _ in range(5)] == [1, 1, 1, 1, 1]
    assert buffer.take(2) == []


async def test_the_memory_log_hands_over_at_once_and_keeps_what_is_not_taken():
    store = MemoryStore()
    log = MemoryMessageLog(store)
    log.start()
    log.write(message(1))
    store.unavailable = True
    log.write(message(2))
    log.write(message(3))
    store.unavailable = False
    await log.stop()

    found = [message for batch in await batches(MemoryJournalReader(store)) for message in batch]
    assert found == [message(1), message(2), message(3)]


async def test_the_memory_log_is_bounded():
    store = MemoryStore()
    log = MemoryMessageLog(
        store, RedisSettings(message_stream_entries_max=1, message_flush_max=1, message_buffer_max=2)
    )
    for number in range(10):
        log.write(message(number))

    assert await batches(MemoryJournalReader(store)) == [[message(0)]]


@pytest.mark.integration
async def test_messages_arrive_in_order_and_in_batches(redis_world):
    log = redis_log(redis_world, message_flush_max=50)
    log.start()
    for number in range(120):
        log.write(message(number))
    await log.stop()

    found = await batches(redis_world.reader())
    assert [len(batch) for batch in found] == [50, 50, 20]
    assert [message for batch in found for message in batch] == [message(number) for number in range(120)]


@pytest.mark.integration
async def test_a_running_log_needs_no_stop_to_hand_over(redis_world):
    log = redis_log(redis_world, message_flush_interval_ms=1)
    log.start()
    log.write(message(1))
    (entry,) = await redis_world.reader().read({keys.MESSAGES: keys.START}, 10, block_ms=20_000)
    log.write(message(2))
    (second,) = await redis_world.reader().read({keys.MESSAGES: entry.id}, 10, block_ms=20_000)
    await log.stop()

    assert (entry.entry, second.entry) == ([message(1)], [message(2)])


@pytest.mark.integration
async def test_enough_messages_do_not_wait_for_the_interval(redis_world):
    log = redis_log(redis_world, message_flush_interval_ms=10_000, message_flush_max=2)
    log.start()
    await asyncio.sleep(0)
    log.write(message(1))
    log.write(message(2))
    read = await redis_world.reader().read({keys.MESSAGES: keys.START}, 10, block_ms=5_000)
    await log.stop()

    assert [entry.entry for entry in read] == [[message(1), message(2)]]


@pytest.mark.integration
async def test_stopping_an_unstarted_or_stopped_log_is_nothing_and_it_can_start_again(redis_world):
    log = redis_log(redis_world)
    await log.stop()
    log.start()
    log.start()
    await log.stop()
    await log.stop()
    log.write(message(1))
    log.start()
    await log.stop()

    assert await batches(redis_world.reader()) == [[message(1)]]


@pytest.mark.integration
async def test_a_full_stream_fills_the_buffer_and_the_rest_is_dropped_with_a_word(redis_world):
    log = redis_log(redis_world, message_stream_entries_max=1, message_flush_max=2, message_buffer_max=4)
    log.start()
    log.write(message(0))
    log.write(message(1))
    await redis_world.reader().read({keys.MESSAGES: keys.START}, 10, block_ms=20_000)
    with capture_logs() as said:
        for number in range(2, 12):
            log.write(message(number))
        await log.stop()

    assert await batches(redis_world.reader()) == [[message(0), message(1)]]
    events = {line["event"]: line["dropped"] for line in said}
    assert events == {
        "raw messages dropped: the buffer is full": 6,
        "message log stopped with messages that Redis did not take": 4,
    }


@pytest.mark.integration
async def test_messages_wait_for_a_redis_that_comes_back(own_world, server, monkeypatch):
    monkeypatch.setattr("storage.message_log.RETRY_INTERVAL_S", 0.02)
    log = redis_log(own_world, message_flush_interval_ms=1)
    server.stop()
    log.start()
    log.write(message(1))
    await asyncio.sleep(0.1)
    log.write(message(2))
    await asyncio.to_thread(server.start)
    read = await own_world.reader().read({keys.MESSAGES: keys.START}, 10, block_ms=20_000)
    await log.stop()

    assert read[0].entry[0] == message(1)
    assert [message for batch in await batches(own_world.reader()) for message in batch] == [message(1), message(2)]


@pytest.mark.integration
async def test_text_that_is_no_unicode_does_not_stop_the_log(redis_world):
    log = redis_log(redis_world, message_flush_max=1)
    log.start()
    with capture_logs() as said:
        log.write(message(1, "\ud800"))
        log.write(message(2))
        await log.stop()

    assert await batches(redis_world.reader()) == [[message(2)]]
    assert [line["event"] for line in said] == ["raw messages dropped: they cannot be encoded"]
