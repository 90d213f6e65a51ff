"""The journal in memory, for tests and simulated time: behaves as `storage.journal` does, and can be made to fail.

All that several actors of one test share is a `MemoryStore`. Values are kept encoded, as in Redis, so that what does
not survive its journey fails here too. There is no waiting in it but that of a blocking read.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from engine.model.authorization import TransactionUse
from engine.model.codec import decode_station_record, decode_tariff_book, decode_token_record, decode_uses, encode
from engine.model.facts import JournalEntry
from engine.model.ids import Unit
from engine.model.tariff_and_cost import TariffBook
from engine.ports import Fenced, Fetched, JournalUnavailable, UnitCommit
from storage import keys
from storage.journal import TRANSACTION_NUMBER_MAX, numbers_spent
from storage.journal_reader import RawEntry, StreamEntry, entry_of
from storage.journal_scripts import fenced, full
from storage.redis_settings import RedisSettings


class MemoryStore:
    """What Redis would hold, and the ways in which it can fail.

    `unavailable`: nothing is read or written, everything raises `JournalUnavailable`.
    `replies_lost`: writes happen, but whoever made them gets `JournalUnavailable`.
    `epochs` and `streams` may be looked at; tests break things through them.
    """

    def __init__(self) -> None:
        self.unavailable = False
        self.replies_lost = False
        self.epochs: dict[Unit, int] = {}
        self.values: dict[bytes, bytes] = {}
        self.streams: dict[str, list[tuple[int, bytes]]] = {}
        self.transaction_number = 0
        self.epoch = 0
        self._last_ids: dict[str, int] = {}
        self._grown = asyncio.Event()

    def wipe(self) -> None:
        """Everything is gone, as on a Redis whose disk was replaced."""
        self.epochs.clear()
        self.values.clear()
        self.streams.clear()
        self.transaction_number = 0
        self.epoch = 0

    def check_available(self) -> None:
        """Before anything is read or written.

        Raises:
            JournalUnavailable: `unavailable` is set.
        """
        if self.unavailable:
            raise JournalUnavailable("the memory journal was made unavailable by its test")

    def check_reply(self) -> None:
        """After something was written.

        Raises:
            JournalUnavailable: `unavailable` or `replies_lost` is set.
        """
        if self.unavailable or self.replies_lost:
            raise JournalUnavailable("the memory journal's reply was lost by its test")

    def add(self, stream: str, entry: bytes, bound: int) -> None:
        """Puts an entry at the end of a stream.

        Raises:
            JournalUnavailable: The stream is full; nothing was added.
        """
        entries = self.streams.setdefault(stream, [])
        if len(entries) >= bound:
            raise full(stream, len(entries), bound)
        number = self._last_ids.get(stream, 0) + 1
        self._last_ids[stream] = number
        entries.append((number, entry))
        self._grown.set()
        self._grown = asyncio.Event()

    def entries(self, stream: str, after: str = keys.START) -> list[StreamEntry]:
        """Decoded entries of a stream behind a position."""
        position = _number(after)
        return [
            entry_of(stream, f"{number}-0", (keys.FIELD, entry))
            for number, entry in self.streams.get(stream, ())
            if number > position
        ]

    def last_id(self, stream: str) -> str:
        """The id of the newest entry that the stream ever had."""
        return f"{self._last_ids.get(stream, 0)}-0"

    async def grown(self) -> None:
        """Waits until any stream grows."""
        await self._grown.wait()


class MemoryJournal:
    """`engine.ports.Journal` in memory; one per actor, over a store that they share."""

    def __init__(self, store: MemoryStore, *, tenant: str, settings: RedisSettings | None = None) -> None:
        self._store: Final = store
        self._tenant: Final = tenant
        self._entries_max: Final = (settings or RedisSettings()).stream_entries_max

    async def claim(self, unit: Unit, epoch: int) -> None:
        """See `engine.ports.Journal.claim`."""
        if epoch < 0:
            raise ValueError(f"an epoch is 0 or more, not {epoch}")
        self._store.check_available()
        stored = self._store.epochs.get(unit)
        if stored is not None and stored > epoch:
            raise fenced(unit, epoch, stored)
        self._store.epochs[unit] = epoch
        self._store.check_reply()

    async def fetch(
        self, states: Sequence[tuple[Unit, str]], tokens: Sequence[str], stations: Sequence[str]
    ) -> Fetched:
        """See `engine.ports.Journal.fetch`."""
        self._store.check_available()
        values = self._store.values
        state_keys = {station: keys.state_key(unit.shard, station) for unit, station in states}
        token_keys = {key: keys.token_key(key) for key in tokens}
        record_keys = {station: keys.station_record_key(station) for station in stations}
        return Fetched(
            states={name: values[key] for name, key in state_keys.items() if key in values},
            tokens={name: decode_token_record(values[key]) for name, key in token_keys.items() if key in values},
            stations={name: decode_station_record(values[key]) for name, key in record_keys.items() if key in values},
        )

    async def tariffs(self) -> TariffBook:
        """See `engine.ports.Journal.tariffs`."""
        self._store.check_available()
        value = self._store.values.get(keys.TARIFFS)
        return TariffBook() if value is None else decode_tariff_book(value)

    async def planned(self, stations: Sequence[str]) -> frozenset[str]:
        """See `engine.ports.Journal.planned`. Where `MemorySiteBook` keeps it."""
        self._store.check_available()
        values = self._store.values
        return frozenset(name for name in stations if keys.SITE_STATIONS + b"\0" + name.encode() in values)

    async def uses(self, names: Sequence[str]) -> Mapping[str, tuple[TransactionUse, ...]]:
        """See `engine.ports.Journal.uses`."""
        self._store.check_available()
        found = {name: self._store.values.get(keys.use_key(name)) for name in names}
        return {name: decode_uses(value) for name, value in found.items() if value is not None}

    async def commit(
        self, commits: Sequence[UnitCommit], now: datetime
    ) -> Sequence[Fenced | JournalUnavailable | None]:
        """See `engine.ports.Journal.commit`. A unit may be in it once."""
        if len({commit.unit for commit in commits}) != len(commits):
            raise ValueError("a unit is twice in one commit: join its records and states into one UnitCommit")
        return [self._commit(commit, now) for commit in commits]

    async def reserve_transaction_numbers(self, count: int) -> range:
        """See `engine.ports.Journal.reserve_transaction_numbers`."""
        if count < 1:
            raise ValueError(f"at least one transaction number can be reserved, not {count}")
        self._store.check_available()
        last = self._store.transaction_number
        if last + count > TRANSACTION_NUMBER_MAX:
            raise numbers_spent(b"spent:%d" % last)
        self._store.transaction_number = last + count
        self._store.check_reply()
        return range(last + 1, last + count + 1)

    async def next_epoch(self) -> int:
        """See `engine.ports.Journal.next_epoch`."""
        self._store.check_available()
        self._store.epoch += 1
        self._store.check_reply()
        return self._store.epoch

    async def raise_transaction_numbers(self, taken: int) -> None:
        """No number up to `taken` is given from now on."""
        self._store.check_available()
        taken = min(taken, TRANSACTION_NUMBER_MAX)
        self._store.transaction_number = max(self._store.transaction_number, taken)
        self._store.check_reply()

    def _commit(self, commit: UnitCommit, now: datetime) -> Fenced | JournalUnavailable | None:
        try:
            self._store.check_available()
            stored = self._store.epochs.get(commit.unit)
            if stored != commit.epoch:
                return fenced(commit.unit, commit.epoch, stored)
            entry = encode(JournalEntry(tenant=self._tenant, recorded_at=now, records=commit.records))
            self._store.add(f"s{commit.unit.shard}", entry, self._entries_max)
            for station, state in commit.states.items():
                self._store.values[keys.state_key(commit.unit.shard, station)] = bytes(state)
            self._store.check_reply()
        except JournalUnavailable as error:
            return error
        return None


class MemoryJournalReader:
    """`storage.journal_reader.EntrySource` over a store."""

    def __init__(self, store: MemoryStore) -> None:
        self._store: Final = store

    async def read(
        self, positions: Mapping[str, str], count_max: int, block_ms: int | None = None
    ) -> list[StreamEntry]:
        """See `JournalReader.read`."""
        try:
            async with asyncio.timeout(None if block_ms is None else block_ms / 1000):
                while not (found := self._read(positions, count_max)) and positions and block_ms is not None:
                    await self._store.grown()
        except TimeoutError:
            return []
        return found

    async def read_raw(
        self, positions: Mapping[str, str], count_max: int, block_ms: int | None = None
    ) -> list[RawEntry]:
        """See `JournalReader.read_raw`."""
        found = await self.read(positions, count_max, block_ms)
        streams = self._store.streams
        rest = {(name, f"{number}-0"): data for name in positions for number, data in streams.get(name, ())}
        return [RawEntry(each.stream, each.id, rest[each.stream, each.id]) for each in found]

    async def trim(self, positions: Mapping[str, str]) -> int:
        """See `JournalReader.trim`."""
        self._store.check_available()
        removed = 0
        for stream, up_to_id in positions.items():
            entries = self._store.streams.get(stream, [])
            kept = [(number, entry) for number, entry in entries if number > _number(up_to_id)]
            self._store.streams[stream] = kept
            removed += len(entries) - len(kept)
        return removed

    async def lengths(self, streams: Iterable[str]) -> dict[str, int]:
        """See `JournalReader.lengths`."""
        self._store.check_available()
        return {stream: len(self._store.streams.get(stream, ())) for stream in streams}

    async def last_ids(self, streams: Iterable[str]) -> dict[str, str]:
        """See `JournalReader.last_ids`."""
        self._store.check_available()
        return {stream: self._store.last_id(stream) for stream in streams}

    def _read(self, positions: Mapping[str, str], count_max: int) -> list[StreamEntry]:
        self._store.check_available()
        each = max(1, count_max // max(1, len(positions)))
        return [
            entry for stream, position in positions.items() for entry in self._store.entries(stream, position)[:each]
        ]


def _number(entry_id: str) -> int:
    return int(entry_id.partition("-")[0])
