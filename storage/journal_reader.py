"""The journal read back, in order, by the projector: what waits in the streams, and room made behind what is projected.

Positions are kept by the reader's caller (in PostgreSQL, with the rows). Reading changes nothing; only `trim` forgets.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from engine.model.codec import decode_journal_entry, decode_logged_messages, decode_operator_entry
from engine.model.facts import JournalEntry, OperatorEntry
from engine.model.messages import LoggedMessage
from storage import journal_metrics, keys
from storage.redis_client import redis_link
from storage.redis_link import unavailable
from storage.redis_settings import RedisSettings


class BadEntry(NamedTuple):
    """An entry that is none of ours or of a version we do not know. Keep `data` aside, go on behind `id`."""

    id: str
    data: bytes
    reason: str


Entry = JournalEntry | OperatorEntry | list[LoggedMessage] | BadEntry


class StreamEntry(NamedTuple):
    """An entry of a stream. `stream`: logical name, as in `storage.keys`. `id`: the position once it is projected."""

    stream: str
    id: str
    entry: Entry


class RawEntry(NamedTuple):
    """An entry as it rests in its stream. `stream`, `id`: as in `StreamEntry`. `data`: msgpack."""

    stream: str
    id: str
    data: bytes


class EntrySource(Protocol):
    """What a projector reads from; implemented by `JournalReader` and `storage.journal_memory.MemoryJournalReader`."""

    async def read(self, positions: Mapping[str, str], count_max: int, block_ms: int | None) -> list[StreamEntry]:
        """Entries behind the given positions, in order within each stream."""

    async def trim(self, positions: Mapping[str, str]) -> int:
        """Forgets entries up to and including an id, by stream; how many went."""

    async def lengths(self, streams: Iterable[str]) -> dict[str, int]:
        """How many entries wait in each stream."""

    async def last_ids(self, streams: Iterable[str]) -> dict[str, str]:
        """The id of the newest entry that each stream ever had."""


class JournalReader:
    """`EntrySource` in Redis. Give it a client of its own: a blocking read holds its connection."""

    def __init__(self, client: Redis, settings: RedisSettings) -> None:
        self._link: Final = redis_link(client, settings)

    async def read(
        self, positions: Mapping[str, str], count_max: int, block_ms: int | None = None
    ) -> list[StreamEntry]:
        """Entries behind the given positions, in order within each stream.

        `positions`: id of the last projected entry (`keys.START` before the first) by the stream's logical name.
        `count_max`: bound of the answer, shared evenly by the streams, at least one entry for each.
        `block_ms`: how long to wait where there is nothing; None: not at all.

        Raises:
            JournalUnavailable: Nothing was read.
        """
        return [
            entry_of(stream, entry_id, fields)
            for stream, entry_id, fields in await self._read(positions, count_max, block_ms)
        ]

    async def read_raw(
        self, positions: Mapping[str, str], count_max: int, block_ms: int | None = None
    ) -> list[RawEntry]:
        """As `read`, without decoding: for who looks at a few records of each entry. Foreign entries are left out.

        Raises:
            JournalUnavailable: Nothing was read.
        """
        return [
            RawEntry(stream, entry_id, fields[1])
            for stream, entry_id, fields in await self._read(positions, count_max, block_ms)
            if len(fields) == 2 and fields[0] == keys.FIELD
        ]

    async def _read(
        self, positions: Mapping[str, str], count_max: int, block_ms: int | None
    ) -> list[tuple[str, str, Sequence[bytes]]]:
        """Stream, id and fields of the entries behind the positions."""
        if not positions:
            return []
        name_of_key = {keys.stream_key(stream): stream for stream in positions}
        command = [b"XREAD", b"COUNT", b"%d" % max(1, count_max // len(positions))]
        if block_ms is not None:
            # BLOCK 0 would mean for ever.
            command += [b"BLOCK", b"%d" % max(1, block_ms)]
        command += [b"STREAMS", *name_of_key, *(position.encode() for position in positions.values())]
        reply = await self._link.command(*command, extra_s=(block_ms or 0) / 1000)
        return [
            (name_of_key[key], entry_id.decode(), fields)
            for key, entries in reply or ()
            for entry_id, fields in entries
        ]

    async def trim(self, positions: Mapping[str, str]) -> int:
        """Forgets entries up to and including an id, by stream; how many went. One round trip.

        Raises:
            JournalUnavailable: It is unknown whether they went; trim again.
        """
        commands = [
            (b"XTRIM", keys.stream_key(stream), b"MINID", b"=", _next_id(up_to_id).encode())
            for stream, up_to_id in positions.items()
        ]
        replies = await self._link.round_trip(commands)
        for reply in replies:
            if isinstance(reply, ResponseError):
                raise unavailable(reply, self._link.place) from reply
        return sum(replies)

    async def lengths(self, streams: Iterable[str]) -> dict[str, int]:
        """How many entries wait in each stream; also tells the metrics.

        Raises:
            JournalUnavailable: Unknown.
        """
        names = list(streams)
        replies = await self._link.round_trip([(b"XLEN", keys.stream_key(name)) for name in names])
        for name, reply in zip(names, replies, strict=True):
            if isinstance(reply, ResponseError):
                raise unavailable(reply, self._link.place) from reply
            journal_metrics.STREAM_ENTRIES.labels(name).set(reply)
        return dict(zip(names, replies, strict=True))

    async def last_ids(self, streams: Iterable[str]) -> dict[str, str]:
        """The id of the newest entry that each stream ever had, `keys.START` where it had none.

        A position beyond it tells that this Redis is not the one that was projected.

        Raises:
            JournalUnavailable: Unknown.
        """
        names = list(streams)
        replies = await self._link.round_trip([(b"XINFO", b"STREAM", keys.stream_key(name)) for name in names])
        return {name: self._last_id(reply) for name, reply in zip(names, replies, strict=True)}

    def _last_id(self, reply: Sequence[bytes] | ResponseError) -> str:
        if isinstance(reply, ResponseError):
            if "no such key" in str(reply):
                return keys.START
            raise unavailable(reply, self._link.place) from reply
        return reply[reply.index(b"last-generated-id") + 1].decode()


def entry_of(stream: str, entry_id: str, fields: Sequence[bytes]) -> StreamEntry:
    """Decodes an entry; `fields`: names and values by turns. What cannot be decoded becomes a `BadEntry`."""
    if len(fields) != 2 or fields[0] != keys.FIELD:
        raw, reason = msgspec.msgpack.encode(list(fields)), "the entry has other fields than 'e'"
    else:
        raw = fields[1]
        try:
            return StreamEntry(stream, entry_id, _decoded(stream, raw))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
    journal_metrics.BAD_ENTRIES.inc()
    return StreamEntry(stream, entry_id, BadEntry(entry_id, raw, reason))


def _decoded(stream: str, raw: bytes) -> Entry:
    if stream in (keys.OPERATOR, keys.PLANS):
        return decode_operator_entry(raw)
    if stream == keys.MESSAGES:
        return decode_logged_messages(raw)
    return decode_journal_entry(raw)


def _next_id(entry_id: str) -> str:
    """The smallest id beyond an id."""
    milliseconds, _, sequence = entry_id.partition("-")
    return f"{milliseconds}-{int(sequence) + 1}"
