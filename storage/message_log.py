"""Raw messages on their way to the projector: buffered in the process, handed to Redis in batches, never waited for.

When Redis is away or its stream is full the buffer fills to its bound; then the oldest messages go, counted in
`narke_message_log_dropped_total` and told once a minute. A batch whose reply was lost is sent again: a message may
appear twice rather than be missed.
"""

import asyncio
from collections import deque
from typing import Final

import structlog
from redis.asyncio import Redis

from engine.model.codec import encode
from engine.model.messages import LoggedMessage
from engine.ports import JournalUnavailable
from storage import journal_metrics, keys
from storage.journal_scripts import RECORD, RECORDED, full
from storage.redis_client import redis_link
from storage.redis_settings import RedisSettings

REPORT_INTERVAL_S: Final = 60.0
RETRY_INTERVAL_S: Final = 1.0

BATCH_BYTES_MAX: Final = 256 * 1024
"""Most text of one stream entry, unless a single message is longer."""

log = structlog.get_logger()


class MessageBuffer:
    """Messages that wait, bounded in number and text; the oldest go first. `dropped`: how many went, ever."""

    def __init__(self, settings: RedisSettings) -> None:
        self._messages: Final[deque[LoggedMessage]] = deque()
        self._bytes = 0
        self._messages_max: Final = settings.message_buffer_max
        self._bytes_max: Final = settings.message_buffer_bytes_max
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: LoggedMessage) -> None:
        """Appends; makes room at the other end."""
        self._messages.append(message)
        self._bytes += len(message.frame)
        while len(self._messages) > self._messages_max or self._bytes > self._bytes_max:
            self._pop()
            self.dropped += 1
            journal_metrics.DROPPED_AT_BOUND.inc()

    def take(self, count_max: int) -> list[LoggedMessage]:
        """Removes and returns the oldest messages, as many as one stream entry should hold."""
        taken: list[LoggedMessage] = []
        size = 0
        while self._messages and len(taken) < count_max:
            size += len(self._messages[0].frame)
            if taken and size > BATCH_BYTES_MAX:
                break
            taken.append(self._pop())
        return taken

    def clear(self) -> int:
        """Forgets all; how many went."""
        count = len(self._messages)
        self._messages.clear()
        self._bytes = 0
        return count

    def _pop(self) -> LoggedMessage:
        message = self._messages.popleft()
        self._bytes -= len(message.frame)
        return message


class RedisMessageLog:
    """`engine.ports.MessageLog` into Redis. Between `start()` and `stop()` a task hands over what was written."""

    def __init__(self, client: Redis, settings: RedisSettings) -> None:
        self._link: Final = redis_link(client, settings)
        self._settings: Final = settings
        self._buffer: Final = MessageBuffer(settings)
        self._unsent: list[LoggedMessage] = []
        """The batch being sent, or sent without reply."""
        self._some: Final = asyncio.Event()
        self._enough: Final = asyncio.Event()
        self._stopping: Final = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._told = 0
        self._tell_at = 0.0

    def write(self, message: LoggedMessage) -> None:
        """See `engine.ports.MessageLog.write`."""
        self._buffer.add(message)
        self._some.set()
        if len(self._buffer) >= self._settings.message_flush_max:
            self._enough.set()

    def start(self) -> None:
        """Begins to hand over. Call it inside the loop; a stopped log can be started again."""
        if self._task is None:
            self._stopping.clear()
            self._task = asyncio.create_task(self._run(), name="message log")

    async def stop(self) -> None:
        """Hands over what is left, unless Redis is in trouble, and ends the task. Takes two time-outs at most."""
        if self._task is None:
            return
        self._stopping.set()
        self._some.set()
        self._enough.set()
        await self._task
        self._task = None
        lost = len(self._unsent) + self._buffer.clear()
        self._unsent = []
        journal_metrics.MESSAGES_BUFFERED.set(0)
        if lost:
            journal_metrics.DROPPED_AT_STOP.inc(lost)
            log.warning("message log stopped with messages that Redis did not take", dropped=lost)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await self._some.wait()
            await _wait(self._enough, self._settings.message_flush_interval_ms / 1000)
            trouble = await self._hand_over()
            self._tell(trouble)
            if trouble is not None:
                await _wait(self._stopping, RETRY_INTERVAL_S)
        if self._unsent or len(self._buffer):
            await self._hand_over()

    async def _hand_over(self) -> JournalUnavailable | None:
        """Sends until nothing is left; what Redis does not take stays. Returns why it does not."""
        self._some.clear()
        self._enough.clear()
        trouble = None
        while trouble is None and (self._unsent or len(self._buffer)):
            self._unsent = self._unsent or self._buffer.take(self._settings.message_flush_max)
            try:
                await self._send(self._unsent)
            except JournalUnavailable as error:
                trouble = error
                self._some.set()
            except ValueError as error:
                # Text that is no Unicode (a lone surrogate): it would keep everything behind it waiting for ever.
                self._drop_unsent(error)
            else:
                self._unsent = []
        journal_metrics.MESSAGES_BUFFERED.set(len(self._unsent) + len(self._buffer))
        return trouble

    async def _send(self, messages: list[LoggedMessage]) -> None:
        bound = self._settings.message_stream_entries_max
        stream = keys.stream_key(keys.MESSAGES)
        reply = await self._link.run_one(RECORD, [stream], [b"%d" % bound, encode(messages)])
        if reply != RECORDED:
            raise full(keys.MESSAGES, int(reply.partition(b":")[2]), bound)
        journal_metrics.MESSAGES_WRITTEN.inc(len(messages))

    def _drop_unsent(self, error: ValueError) -> None:
        journal_metrics.DROPPED_UNSPEAKABLE.inc(len(self._unsent))
        log.error("raw messages dropped: they cannot be encoded", dropped=len(self._unsent), reason=str(error))
        self._unsent = []

    def _tell(self, trouble: JournalUnavailable | None) -> None:
        """Says what was dropped since it was last said, once a minute at most."""
        now = asyncio.get_running_loop().time()
        if self._buffer.dropped > self._told and now >= self._tell_at:
            dropped = self._buffer.dropped - self._told
            log.warning("raw messages dropped: the buffer is full", dropped=dropped, reason=str(trouble or "a burst"))
            self._told = self._buffer.dropped
            self._tell_at = now + REPORT_INTERVAL_S


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set or the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
