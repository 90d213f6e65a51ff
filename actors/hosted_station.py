"""A station in its actor's memory: its state and the replies it was given, and how both rest in Redis.

A repeat is recognised by (message id, digest of action and payload): the recorded verdict is given again. Only
verdicts that recorded something are kept; all others are the same when decided anew. `REPLIES_MAX` is above the
number of calls that an ingress holds open for one station, so whatever can be redelivered is still known.
"""

from collections.abc import Iterator
from datetime import datetime
from struct import Struct

import msgspec

from engine.model.availability import ConnectorStatusAnswer
from engine.model.envelopes import Answered, Done, Refused, Reported
from engine.model.ids import Unit
from engine.model.metering import ReadingsAnswer
from engine.model.notices import NoticeAnswer
from engine.model.transactions import Stage, TransactionAnswer
from engine.model.word import Word
from engine.station.decider import next_deadline
from engine.station.policy import Policy
from engine.station.state import StationState, fresh

REPLIES_MAX = 16
_LENGTH = Struct("<I")


Recorded = Answered | Refused | Done

_COMMON: tuple[Recorded, ...] = (
    Answered(TransactionAnswer(stage=Stage.UPDATED)),
    Answered(ReadingsAnswer()),
    Answered(ConnectorStatusAnswer()),
    Answered(NoticeAnswer()),
)
"""Verdicts that are nearly all; they rest as their position here. Only ever added to, at the end."""


class RecordedReply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a message was answered. `verdict`: itself, or its position in `_COMMON`."""

    message_id: str
    digest: bytes
    verdict: Recorded | int


class _Resting(Word, frozen=True):
    """The form in Redis. `replies`: see `HostedStation`."""

    state: StationState
    replies: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Resting).decode
_decode_reply = msgspec.msgpack.Decoder(RecordedReply).decode


class HostedStation:
    """A station's state as of its last commit, or as of the turn under way.

    `replies`: `RecordedReply`s, the oldest first, each packed behind its length. One piece of memory: a
    turn touches thousands of stations, and what costs is how many places of memory each of them has.
    """

    __slots__ = ("_asked", "_count", "_due", "replies", "state", "unit")

    def __init__(self, unit: Unit, state: StationState, replies: bytes = b"") -> None:
        self.unit = unit
        self.state = state
        self.replies = replies
        self._count = sum(1 for _ in self._packed())
        self._asked: StationState | None = None
        self._due: datetime | None = None

    @classmethod
    def from_rest(cls, unit: Unit, station: str, resting: bytes | None) -> "HostedStation":
        """From Redis' bytes; None: a station that was never heard of.

        Raises:
            msgspec.MsgspecError: The bytes are not a station's state.
        """
        if resting is None:
            return cls(unit, fresh(station))
        rested = _decode(resting)
        return cls(unit, rested.state, rested.replies)

    def to_rest(self) -> bytes:
        """The bytes for Redis."""
        return _encode(_Resting(self.state, self.replies))

    def due_at(self, policy: Policy) -> datetime | None:
        """See `engine.station.decider.next_deadline`; asked of each state once, for the policy stays."""
        if self._asked is not self.state:
            self._asked, self._due = self.state, next_deadline(self.state, policy)
        return self._due

    def recorded(self, reported: Reported) -> Recorded | None:
        """What this very message was answered before; None: it is new."""
        if reported.digest not in self.replies:
            return None
        for packed in self._packed():
            reply = _decode_reply(packed)
            if (reply.message_id, reply.digest) == (reported.message_id, reported.digest):
                return _COMMON[reply.verdict] if isinstance(reply.verdict, int) else reply.verdict
        return None

    def remember(self, reported: Reported, verdict: Recorded) -> None:
        """Keeps the verdict for a repeat; forgets the oldest beyond `REPLIES_MAX`."""
        if reported.message_id is None:
            return
        rests = _COMMON.index(verdict) if verdict in _COMMON else verdict
        packed = _encode(RecordedReply(reported.message_id, reported.digest, rests))
        kept = self.replies
        if self._count < REPLIES_MAX:
            self._count += 1
        else:
            kept = kept[_LENGTH.size + _LENGTH.unpack_from(kept)[0] :]
        self.replies = kept + _LENGTH.pack(len(packed)) + packed

    def _packed(self) -> Iterator[bytes]:
        """The packed replies, the oldest first."""
        at = 0
        while at < len(self.replies):
            begins = at + _LENGTH.size
            at = begins + _LENGTH.unpack_from(self.replies, at)[0]
            yield self.replies[begins:at]
