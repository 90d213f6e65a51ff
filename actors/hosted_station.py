"""A station in its actor's memory: its state and the replies it was given, and how both rest in Redis.

A repeat is recognised by (message id, digest of action and payload): the recorded verdict is given again. Only
verdicts that recorded something are kept; all others are the same when decided anew. `REPLIES_MAX` is above the
number of calls that an ingress holds open for one station, so whatever can be redelivered is still known.
"""

import msgspec

from engine.model.envelopes import Answered, Done, Refused, Reported
from engine.model.ids import Unit
from engine.model.word import Word
from engine.station.state import StationState, fresh

REPLIES_MAX = 16


class RecordedReply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a message was answered."""

    message_id: str
    digest: bytes
    verdict: Answered | Refused | Done


class _Resting(Word, frozen=True):
    """The form in Redis. The replies are packed `RecordedReply`s: written with every message, read next to never."""

    state: StationState
    replies: tuple[msgspec.Raw, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Resting).decode
_decode_reply = msgspec.msgpack.Decoder(RecordedReply).decode


class HostedStation:
    """A station's state as of its last commit, or as of the turn under way.

    `replies`: packed `RecordedReply`s by message id and digest, the oldest first.
    """

    __slots__ = ("replies", "state", "unit")

    def __init__(self, unit: Unit, state: StationState) -> None:
        self.unit = unit
        self.state = state
        self.replies: dict[tuple[str, bytes], msgspec.Raw] = {}

    @classmethod
    def from_rest(cls, unit: Unit, station: str, resting: bytes | None) -> "HostedStation":
        """From Redis' bytes; None: a station that was never heard of.

        Raises:
            msgspec.MsgspecError: The bytes are not a station's state.
        """
        if resting is None:
            return cls(unit, fresh(station))
        rested = _decode(resting)
        hosted = cls(unit, rested.state)
        for packed in rested.replies:
            reply = _decode_reply(packed)
            hosted.replies[reply.message_id, reply.digest] = packed.copy()
        return hosted

    def to_rest(self) -> bytes:
        """The bytes for Redis."""
        return _encode(_Resting(self.state, tuple(self.replies.values())))

    def recorded(self, reported: Reported) -> Answered | Refused | Done | None:
        """What this very message was answered before; None: it is new."""
        if reported.message_id is None:
            return None
        packed = self.replies.get((reported.message_id, reported.digest))
        return None if packed is None else _decode_reply(packed).verdict

    def remember(self, reported: Reported, verdict: Answered | Refused | Done) -> None:
        """Keeps the verdict for a repeat; forgets the oldest beyond `REPLIES_MAX`."""
        if reported.message_id is None:
            return
        reply = RecordedReply(reported.message_id, reported.digest, verdict)
        self.replies[reported.message_id, reported.digest] = msgspec.Raw(_encode(reply))
        if len(self.replies) > REPLIES_MAX:
            del self.replies[next(iter(self.replies))]
