"""The planner's ears: facts of the stations of its sites, and the operator's, from the streams as they are written.

It begins where a snapshot of PostgreSQL ends, so that nothing is heard twice and nothing is missed, whatever lay in
Redis in between. Of an entry only the names of its stations are decoded; what is none of ours stays as bytes.

The projector lets streams forget what PostgreSQL has, `KEPT_S` later. Who was away for longer may have missed something
and is told so (`Heard.is_behind`): then everything is to be restored from a snapshot.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from time import monotonic
from typing import NamedTuple, Protocol

import msgspec
import structlog

from engine.model.codec import decode_operator_entry
from engine.model.facts import Fact, OperatorFact
from engine.model.ids import Unit, unit_of
from storage import keys
from storage.journal_reader import RawEntry

log = structlog.get_logger()

KEPT_S = 30.0
"""How long streams keep what PostgreSQL has (`actors.projector`)."""
AWAY_S_MAX = 27.0
"""Between two reads that brought everything; more than that and something may have been forgotten."""
ENTRIES_MAX = 2_000
BLOCK_MS = 500

Place = tuple[int, int]
"""An entry's id as numbers, to be compared."""


class _Record(msgspec.Struct):
    station: str
    facts: msgspec.Raw


class _Peeked(msgspec.Struct):
    """A `JournalEntry` whose facts are not decoded."""

    recorded_at: datetime
    records: tuple[_Record, ...]


_peek = msgspec.msgpack.Decoder(_Peeked).decode
_facts = msgspec.msgpack.Decoder(tuple[Fact, ...]).decode


class RawSource(Protocol):
    """What is read from; `storage.journal_reader.JournalReader`, or its memory twin."""

    async def read_raw(self, positions: Mapping[str, str], count_max: int, block_ms: int | None) -> list[RawEntry]:
        """Entries behind the given positions, in order within each stream."""

    async def last_ids(self, streams: Iterable[str]) -> dict[str, str]:
        """The id of the newest entry that each stream ever had."""


class Listener(Protocol):
    """Who wants to hear of stations."""

    def hear(self, station: str, fact: Fact, at: datetime) -> None:
        """A fact about one of its stations; `at`: when it was recorded, our clock."""


class Heard(NamedTuple):
    """What one read brought. `facts`: how many were told to listeners. `newest_at`: when the last of all was recorded.

    `is_behind`: something may have been missed.
    """

    operator: tuple[OperatorFact, ...]
    facts: int
    entries: int
    newest_at: datetime | None
    is_behind: bool


class _Member(NamedTuple):
    """A listener and the place in each stream up to which it knows everything already."""

    listener: Listener
    since: dict[str, Place]


class Feed:
    """Reads the streams of all stations that somebody listens to, and the operator's.

    Args:
        source: The journal. Its blocking reads need a client of their own.
        shards: Number of shards of the system.
        tenant: Whose entries count.
    """

    def __init__(self, source: RawSource, *, shards: int) -> None:
        self._source = source
        self._shards = shards
        self._positions: dict[str, str] = {}
        self._members: dict[str, _Member] = {}
        self._complete_s: float | None = None
        """When the last read began that brought all there was."""

    @property
    def stations(self) -> frozenset[str]:
        """Whom somebody listens to."""
        return frozenset(self._members)

    def listener(self, station: str) -> Listener | None:
        """Who listens to a station."""
        member = self._members.get(station)
        return None if member is None else member.listener

    def begin(self, positions: Mapping[str, str]) -> None:
        """Forgets all listeners and hears the operator's stream from this position on."""
        self._members.clear()
        self._positions = {keys.OPERATOR: positions.get(keys.OPERATOR, keys.START)}
        self._complete_s = monotonic()

    def listen(
        self, listener: Listener, stations: Iterable[str], positions: Mapping[str, str], *, as_of_s: float
    ) -> None:
        """Tells a listener of these stations from now on, beginning behind these positions.

        Where the feed is further already it reads once more; others are not told twice.

        Args:
            listener: Who hears.
            stations: Of whom.
            positions: Up to where the listener knows everything, by stream; of one that is absent it knows nothing.
            as_of_s: When that was so, by `monotonic`.
        """
        self._complete_s = min(self._complete_s or as_of_s, as_of_s)
        since: dict[str, Place] = {}
        joining = list(stations)
        for stream in {self._stream_of(station) for station in joining}:
            known = positions.get(stream, keys.START)
            since[stream] = place_of(known)
            self._rewind(stream, known)
        # Only now: what is read once more was heard by everybody but these.
        self._members.update(dict.fromkeys(joining, _Member(listener, since)))

    def forget(self, stations: Iterable[str]) -> None:
        """Nobody listens to these any more."""
        for station in stations:
            self._members.pop(station, None)
        wanted = {self._stream_of(station) for station in self._members}
        for stream in self._positions.keys() - wanted - {keys.OPERATOR}:
            del self._positions[stream]

    async def read(self, block_ms: int = BLOCK_MS, *, operator_only: bool = False) -> Heard:
        """Waits for entries at most that long, and tells the listeners.

        Args:
            block_ms: How long.
            operator_only: What stations say is left for a later read.

        Raises:
            JournalUnavailable: Nothing was read.
        """
        began_s = monotonic()
        before_s, self._complete_s = self._complete_s, self._complete_s or began_s
        wanted = self._positions
        if operator_only:
            wanted = {keys.OPERATOR: self._positions.get(keys.OPERATOR, keys.START)}
        entries = await self._source.read_raw(wanted, ENTRIES_MAX, block_ms)
        share = max(1, ENTRIES_MAX // max(1, len(wanted)))
        most = max(Counter(entry.stream for entry in entries).values(), default=0)
        if not operator_only and most < share:  # no stream has more
            self._complete_s = monotonic()
        is_behind = before_s is not None and began_s - before_s > AWAY_S_MAX
        operator: list[OperatorFact] = []
        told, newest_at = 0, None
        for entry in entries:
            self._positions[entry.stream] = entry.id
            try:
                if entry.stream == keys.OPERATOR:
                    opened = decode_operator_entry(entry.data)
                    operator += opened.facts
                    newest_at = opened.recorded_at
                else:
                    count, newest_at = self._tell(entry)
                    told += count
            except msgspec.MsgspecError:
                log.exception("an entry cannot be read", stream=entry.stream, id=entry.id)
        return Heard(tuple(operator), told, len(entries), newest_at, is_behind)

    def _tell(self, entry: RawEntry) -> tuple[int, datetime]:
        """Tells whom it concerns; how many facts, and when they were recorded."""
        peeked = _peek(entry.data)
        told = 0
        for record in peeked.records:
            member = self._members.get(record.station)
            if member is None or place_of(entry.id) <= member.since.get(entry.stream, (0, 0)):
                continue
            for fact in _facts(record.facts):
                member.listener.hear(record.station, fact, peeked.recorded_at)
                told += 1
        return told, peeked.recorded_at

    def _rewind(self, stream: str, known: str) -> None:
        """Reads this stream from an earlier place on, or at all; all others know what they heard of it."""
        current = self._positions.get(stream)
        if current is None:
            self._positions[stream] = known
        elif place_of(known) < place_of(current):
            self._positions[stream] = known
            at = place_of(current)
            for since in {id(member.since): member.since for member in self._members.values()}.values():
                if stream in since:
                    since[stream] = max(since[stream], at)

    def _stream_of(self, station: str) -> str:
        unit: Unit = unit_of(station, self._shards, literal=False)
        return f"s{unit.shard}"


def place_of(entry_id: str) -> Place:
    """An id as numbers."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)
