"""The message log in memory, for tests and simulated time: the twin of `storage.message_log` over a `MemoryStore`."""

from typing import Final

from engine.model.codec import encode
from engine.model.messages import LoggedMessage
from engine.ports import JournalUnavailable
from storage import keys
from storage.journal_memory import MemoryStore
from storage.message_log import MessageBuffer
from storage.redis_settings import RedisSettings


class MemoryMessageLog:
    """`engine.ports.MessageLog` over a store. Hands over at once; what the store does not take waits, bounded."""

    def __init__(self, store: MemoryStore, settings: RedisSettings | None = None) -> None:
        self._store: Final = store
        self._settings: Final = settings or RedisSettings()
        self._buffer: Final = MessageBuffer(self._settings)
        self._unsent: list[LoggedMessage] = []

    def write(self, message: LoggedMessage) -> None:
        """See `engine.ports.MessageLog.write`."""
        self._buffer.add(message)
        self.flush()

    def start(self) -> None:
        """There is no task to start."""

    async def stop(self) -> None:
        """Hands over what is left."""
        self.flush()

    def flush(self) -> None:
        """Hands over as much as the store takes now."""
        while self._unsent or len(self._buffer):
            self._unsent = self._unsent or self._buffer.take(self._settings.message_flush_max)
            try:
                self._store.check_available()
                self._store.add(keys.MESSAGES, encode(self._unsent), self._settings.message_stream_entries_max)
            except JournalUnavailable:
                return
            self._unsent = []
