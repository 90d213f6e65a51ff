"""The RPC session of one connection, without any I/O: text and times in, events and text out. 1.6J and 2.x part 4.

Two directions that never wait for each other:

- Their CALLs may be pipelined. Each becomes a `CallReceived`, which the shell answers with `answer` or `refuse`
  whenever it can; the frames leave in the order of the calls. While `full` the shell stops reading.
- Our CALLs queue; one is in flight. `receive` and `due` can end it but start no other: after them the shell calls
  `pump`, which gives the next frame to send.

`now` is the shell's monotonic clock in seconds.
"""

from collections import OrderedDict, deque
from struct import Struct
from typing import Any
from zlib import adler32, crc32

import msgspec

from engine.ocpp import frames
from engine.ocpp.errors import (
    DESCRIPTION_LENGTH_MAX,
    BadFrame,
    ErrorCode,
    LocalError,
    QueueFull,
    RemoteError,
    code_text,
)
from engine.ocpp.frames import Call, CallError, CallResult, CallResultError, Send
from engine.ocpp.versions import Version

_DIGEST = Struct("<III")
_LATE_CALLS_MAX = 8
"""Timed-out calls whose late answers are still recognised."""


class CallReceived(msgspec.Struct, frozen=True, gc=False):
    """The station calls. `digest`: 12 bytes over action and payload as received; `size`: of the frame, characters."""

    message_id: str
    action: str
    payload: dict[str, Any]
    digest: bytes
    size: int


class SendReceived(msgspec.Struct, frozen=True, gc=False):
    """The station tells something that wants no answer (2.1). Fields as of `CallReceived`."""

    message_id: str
    action: str
    payload: dict[str, Any]
    digest: bytes
    size: int


class ReplyReceived(msgspec.Struct, frozen=True, gc=False):
    """The station answered a call of ours. `elapsed_s`: since it was sent. `late`: it had timed out already."""

    command_id: str
    message_id: str
    action: str
    payload: dict[str, Any]
    elapsed_s: float
    late: bool = False


class ErrorReceived(msgspec.Struct, frozen=True, gc=False):
    """The station refused a call of ours, or answered it with something that is no answer (`unreadable`)."""

    command_id: str
    message_id: str
    action: str
    code: str
    description: str
    details: dict[str, Any]
    elapsed_s: float
    late: bool = False
    unreadable: bool = False


class AnswerRefused(msgspec.Struct, frozen=True, gc=False):
    """2.1 CALLRESULTERROR: the station could not read an answer of ours. For the log only."""

    message_id: str
    code: str
    description: str


class StrayAnswer(msgspec.Struct, frozen=True, gc=False):
    """An answer to nothing that we asked (or asked too long ago). For the log only; `code` of an error."""

    message_id: str
    code: str | None = None
    description: str = ""


class Repeated(msgspec.Struct, frozen=True, gc=False):
    """A CALL that came again while it is being handled: it gets the one answer. For the log only."""

    message_id: str
    action: str


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """No usable frame. `reply`: to be sent now; None: nothing, or the refusal waits behind older calls."""

    reason: str
    reply: str | None


class TimedOut(msgspec.Struct, frozen=True, gc=False):
    """A call of ours got no answer in time. `sent` False: it never left the queue."""

    command_id: str
    message_id: str
    action: str
    sent: bool


class Abandoned(msgspec.Struct, frozen=True, gc=False):
    """Our calls that the end of the connection left behind, by command id. `in_flight` may have been carried out."""

    in_flight: str | None
    queued: tuple[str, ...]


Event = CallReceived | SendReceived | ReplyReceived | ErrorReceived | AnswerRefused | StrayAnswer | Repeated | Malformed


class _TheirCall:
    """A call of the station's that is still owed an answer; `reply` once it is known."""

    __slots__ = ("digest", "message_id", "numeric_id", "reply")

    def __init__(self, message_id: str, digest: bytes, *, numeric_id: bool, reply: str | None = None) -> None:
        self.message_id = message_id
        self.digest = digest
        self.numeric_id = numeric_id
        self.reply = reply


class _OurCall:
    """A call of ours, its frame ready. `sent_at`: None while queued."""

    __slots__ = ("action", "command_id", "due_at", "message_id", "sent_at", "text")

    def __init__(self, command_id: str, message_id: str, action: str, text: str, due_at: float) -> None:
        self.command_id = command_id
        self.message_id = message_id
        self.action = action
        self.text = text
        self.due_at = due_at
        self.sent_at: float | None = None


class Session:
    """One connection's conversation.

    Args:
        version: Of OCPP, as the handshake agreed.
        calls_open_max: Calls of the station that may wait for answers before `full` asks the shell to stop reading.
            What was read already is still taken, so nothing is lost.
        calls_queued_max: Calls of ours that may wait, the one in flight not counted.
    """

    def __init__(self, version: Version, *, calls_open_max: int = 8, calls_queued_max: int = 64) -> None:
        assert calls_open_max > 0, "calls_open_max is at least 1"
        assert calls_queued_max > 0, "calls_queued_max is at least 1"
        self.version = version
        self._calls_open_max = calls_open_max
        self._calls_queued_max = calls_queued_max
        self._theirs: deque[_TheirCall] = deque()
        self._in_flight: _OurCall | None = None
        self._queued: deque[_OurCall] = deque()
        self._late: OrderedDict[str, _OurCall] = OrderedDict()

    # Their side

    @property
    def full(self) -> bool:
        """So many calls wait for answers that the shell is to stop reading."""
        return len(self._theirs) >= self._calls_open_max

    @property
    def calls_open(self) -> int:
        """Calls of the station that wait for their answers to leave."""
        return len(self._theirs)

    def receive(self, text: str | bytes, now: float) -> list[Event]:
        """Takes one text message. Never raises; what is wrong becomes `Malformed`."""
        try:
            frame = frames.decode(text, self.version)
        except BadFrame as error:
            return self._bad_frame(error, now)
        if isinstance(frame, Call):  # nearly all are
            return self._call_received(frame, text)
        match frame:
            case CallResult():
                return [self._reply_received(frame, now)]
            case CallError():
                return [self._error_received(frame, now)]
            case Send():
                digest = _digest(text, frame.action)
                return [SendReceived(frame.message_id, frame.action, frame.payload, digest, len(text))]
            case CallResultError():
                return [AnswerRefused(frame.message_id, frame.code, frame.description)]

    def answer(self, message_id: str, payload: dict[str, Any]) -> list[str]:
        """Answers an open call; returns the frames that may leave now, in the order of the calls.

        Raises:
            LocalError: No such call waits for an answer, or the payload is no JSON.
        """
        call = self._unanswered(message_id)
        call.reply = frames.encode(CallResult(message_id, payload, call.numeric_id))
        return self._ready()

    def refuse(self, message_id: str, error: RemoteError) -> list[str]:
        """Answers an open call with a CALLERROR; returns the frames that may leave now, in the order of the calls.

        Raises:
            LocalError: No such call waits for an answer, or the details are no JSON.
        """
        call = self._unanswered(message_id)
        call.reply = self._call_error(message_id, error, numeric_id=call.numeric_id)
        return self._ready()

    def leave_unanswered(self, message_id: str) -> list[str]:
        """Answers an open call with silence; returns the frames that no longer wait for it.

        Raises:
            LocalError: No such call waits for an answer.
        """
        self._unanswered(message_id).reply = ""
        return self._ready()

    # Our side

    def call(
        self, command_id: str, message_id: str, action: str, payload: dict[str, Any], now: float, timeout_s: float
    ) -> list[str]:
        """Queues a call of ours; returns its frame if it may leave at once.

        Args:
            command_id: Names the call in all events about it.
            message_id: Unique for the station, 36 characters at most.
            action: OCPP action.
            payload: Accepted by the action's schema.
            now: Monotonic, s.
            timeout_s: Waiting in the queue included.

        Raises:
            QueueFull: `calls_queued_max` calls wait already.
            LocalError: The message id is empty or too long, or the payload is no JSON.
        """
        if not 0 < len(message_id) <= frames.MESSAGE_ID_LENGTH_MAX:
            raise LocalError(f"a message id has 1 to {frames.MESSAGE_ID_LENGTH_MAX} characters: {message_id!r}")
        if len(self._queued) >= self._calls_queued_max:
            raise QueueFull(f"{self._calls_queued_max} calls wait for this station already")
        text = frames.encode(Call(message_id, action, payload))
        self._queued.append(_OurCall(command_id, message_id, action, text, now + timeout_s))
        return self.pump(now)

    def pump(self, now: float) -> list[str]:
        """The next call of ours, if none is in flight; to be sent now."""
        if self._in_flight is not None or not self._queued:
            return []
        call = self._queued.popleft()
        call.sent_at = now
        self._in_flight = call
        return [call.text]

    @property
    def calls_waiting(self) -> int:
        """Calls of ours, queued and in flight."""
        return len(self._queued) + (self._in_flight is not None)

    @property
    def next_due(self) -> float | None:
        """When `due` is to be called, monotonic s; None: no call of ours waits."""
        times = [call.due_at for call in self._queued]
        if self._in_flight is not None:
            times.append(self._in_flight.due_at)
        return min(times, default=None)

    def due(self, now: float) -> list[TimedOut]:
        """Calls of ours whose time is over. The next one may go (`pump`); a late answer is still recognised."""
        overdue: list[TimedOut] = []
        call = self._in_flight
        if call is not None and call.due_at <= now:
            self._in_flight = None
            self._late[call.message_id] = call
            while len(self._late) > _LATE_CALLS_MAX:
                self._late.popitem(last=False)
            overdue.append(TimedOut(call.command_id, call.message_id, call.action, sent=True))
        for call in [call for call in self._queued if call.due_at <= now]:
            self._queued.remove(call)
            overdue.append(TimedOut(call.command_id, call.message_id, call.action, sent=False))
        return overdue

    def reject_result(self, message_id: str, error: RemoteError) -> list[str]:
        """Tells the station that its CALLRESULT could not be understood; [] before 2.1, which has no words for that."""
        if self.version is not Version.V21:
            return []
        code, description = code_text(error.code, self.version), error.description[:DESCRIPTION_LENGTH_MAX]
        return [frames.encode(CallResultError(message_id, code, description, error.details))]

    def close(self) -> Abandoned:
        """Ends the conversation; tells which calls of ours got no answer."""
        abandoned = Abandoned(
            self._in_flight.command_id if self._in_flight is not None else None,
            tuple(call.command_id for call in self._queued),
        )
        self._in_flight = None
        self._queued.clear()
        self._late.clear()
        self._theirs.clear()
        return abandoned

    # Inside

    def _call_received(self, frame: Call, text: str | bytes) -> list[Event]:
        """A new call, a repeat of an open one, or another one under an open one's id."""
        digest = _digest(text, frame.action)
        for open_call in self._theirs:
            if open_call.message_id != frame.message_id or not open_call.digest:
                continue
            if open_call.digest == digest:
                return [Repeated(frame.message_id, frame.action)]
            description = "a call with the same message id is being handled already"
            error = RemoteError(ErrorCode.RPC_FRAMEWORK_ERROR, description)
            reply = self._refuse_in_turn(frame.message_id, error, numeric_id=frame.numeric_id)
            return [Malformed(f"{frame.action} {frame.message_id}: {description}", reply)]
        self._theirs.append(_TheirCall(frame.message_id, digest, numeric_id=frame.numeric_id))
        return [CallReceived(frame.message_id, frame.action, frame.payload, digest, len(text))]

    def _reply_received(self, frame: CallResult, now: float) -> Event:
        """An answer: to the call in flight, to one that timed out, or to nothing."""
        call, late = self._asked(frame.message_id)
        if call is None:
            return StrayAnswer(frame.message_id)
        return ReplyReceived(call.command_id, call.message_id, call.action, frame.payload, _elapsed_s(call, now), late)

    def _error_received(self, frame: CallError, now: float, *, unreadable: bool = False) -> Event:
        """A refusal: of the call in flight, of one that timed out, or of nothing."""
        call, late = self._asked(frame.message_id)
        if call is None:
            return StrayAnswer(frame.message_id, frame.code, frame.description)
        return ErrorReceived(
            call.command_id,
            call.message_id,
            call.action,
            frame.code,
            frame.description,
            frame.details,
            _elapsed_s(call, now),
            late,
            unreadable,
        )

    def _asked(self, message_id: str) -> tuple[_OurCall | None, bool]:
        """The call of ours that an answer belongs to, taken out, and whether it had timed out."""
        call = self._in_flight
        if call is not None and call.message_id == message_id:
            self._in_flight = None
            return call, False
        return self._late.pop(message_id, None), True

    def _bad_frame(self, error: BadFrame, now: float) -> list[Event]:
        """What follows from a frame that cannot be read: silence, an error, or the end of a call of ours."""
        if error.code is ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED:
            return [Malformed(error.description, None)]
        if error.message_type == frames.CALL_RESULT and error.message_id is not None:
            failed = CallError(error.message_id, code_text(error.code, self.version), error.description)
            event = self._error_received(failed, now, unreadable=True)
            reply = self.reject_result(error.message_id, error) if isinstance(event, ErrorReceived) else []
            return [event, Malformed(error.description, "".join(reply) or None)]
        if error.message_type == frames.CALL and error.message_id is not None:
            reply_in_turn = self._refuse_in_turn(error.message_id, error, numeric_id=error.numeric_id)
            return [Malformed(f"CALL {error.message_id}: {error.description}", reply_in_turn)]
        if self.version is Version.V16 or error.message_type not in (None, frames.CALL):
            return [Malformed(error.description, None)]
        return [Malformed(error.description, self._call_error(frames.UNREADABLE_ID, error, numeric_id=False))]

    def _refuse_in_turn(self, message_id: str, error: RemoteError, *, numeric_id: bool) -> str | None:
        """Refuses a call for good, behind the answers to older calls; the frame if it may leave now."""
        reply = self._call_error(message_id, error, numeric_id=numeric_id)
        if not self._theirs:
            return reply
        self._theirs.append(_TheirCall(message_id, b"", numeric_id=numeric_id, reply=reply))
        return None

    def _call_error(self, message_id: str, error: RemoteError, *, numeric_id: bool) -> str:
        """A CALLERROR as this version spells it."""
        code, description = code_text(error.code, self.version), error.description[:DESCRIPTION_LENGTH_MAX]
        return frames.encode(CallError(message_id, code, description, error.details, numeric_id))

    def _unanswered(self, message_id: str) -> _TheirCall:
        """The oldest open call of that id without an answer."""
        for call in self._theirs:
            if call.message_id == message_id and call.reply is None:
                return call
        raise LocalError(f"no call with message id {message_id!r} waits for an answer")

    def _ready(self) -> list[str]:
        """The answers that no older call holds back."""
        ready: list[str] = []
        while self._theirs and (reply := self._theirs[0].reply) is not None:
            if reply:
                ready.append(reply)
            self._theirs.popleft()
        return ready


def _digest(text: str | bytes, action: str) -> bytes:
    """12 bytes that tell a repeat from another message under the same message id: two checksums and the length.

    Over the frame's text from its action on (from its start where the action is written with escapes), so a repeat is
    known when it is the same text, which is how stations repeat.
    """
    data = text.encode() if isinstance(text, str) else bytes(text)
    told = memoryview(data)[max(data.find(action.encode()), 0) :]
    return _DIGEST.pack(crc32(told), adler32(told), len(told))


def _elapsed_s(call: _OurCall, now: float) -> float:
    """Since the call was sent."""
    assert call.sent_at is not None, "an answer can only come to a call that was sent"
    return now - call.sent_at
