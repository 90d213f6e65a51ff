"""The recorder: turns the frames of one connection into `LoggedMessage`s. There is none where the log is off.

It reads the frames by itself, so that what is logged is what went over the wire, not what we made of it.
"""

import re
from collections import OrderedDict
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from engine.model.messages import Direction, LoggedMessage
from engine.ports import MessageLog
from engine.redaction import redacted

_OPEN_CALLS_MAX = 128
_KIND_OF_TYPE = {2: "call", 3: "result", 4: "error", 5: "error", 6: "send"}
_WITHOUT_SECRETS = frozenset({"Heartbeat", "MeterValues"})
"""Actions that have no place for a secret, and are most of all messages: looking for one costs 3 us."""
_Head = tuple[str, str | None, str | None, str]
"""Kind, message id, action and outcome of a frame."""
_INVALID: _Head = ("invalid", None, None, "invalid")

_PLAIN_CALL = re.compile(r'\[2,\s?"([^"\\]{1,36})",\s?"(\w{1,50})",\s?\{')
_PLAIN_RESULT = re.compile(r'\[3,\s?"([^"\\]{1,36})",\s?\{')
"""How nearly all frames begin. What begins otherwise is read whole."""

_ROUTINE = frozenset({"Heartbeat", "MeterValues"})
_ROUTINE_TRIGGERS = ('"MeterValuePeriodic"', '"MeterValueClock"')


class _OpenCall(NamedTuple):
    """A call without an answer. `text`: the frame, where it is not logged unless the answer is an error."""

    action: str
    at: datetime
    text: str | None


OpenCalls = OrderedDict[str, _OpenCall]
"""By message id."""


class Recorder:
    """Logs the frames of one session, both ways.

    Args:
        station: Identity.
        session: Session id.
        log: Where they go.
        sparse: Leave out what stations say again and again, heartbeats and meter values, and our answers to it: their
            content is kept elsewhere. What was answered by an error is logged.
    """

    def __init__(self, station: str, session: str, log: MessageLog, *, sparse: bool = False) -> None:
        self._station = station
        self._session = session
        self._log = log
        self._sparse = sparse
        self._theirs: OpenCalls = OrderedDict()
        self._ours: OpenCalls = OrderedDict()

    def received(self, text: str, at: datetime, *, readable: bool = True) -> None:
        """A frame of the station's. `readable`: it is one, by whoever read it all."""
        kind, message_id, action, outcome = (readable and _read_head(text)) or _read(text)
        if not readable:
            kind, outcome = _INVALID[0], _INVALID[3]
        withheld = self._sparse and readable and kind == "call" and _is_routine(action, text)
        if withheld and message_id is not None and action is not None:
            _remember(self._theirs, message_id, _OpenCall(action, at, text))
            return
        self._write(text, at, Direction.IN, (kind, message_id, action, outcome))

    def sent(self, text: str, at: datetime) -> None:
        """A frame of ours."""
        if self._sparse and self._answers_routine(text):
            return
        self._write(text, at, Direction.OUT, _read_head(text) or _read(text))

    def _answers_routine(self, text: str) -> bool:
        """Whether this is the good answer to a call that is not logged, told by its head; the call is over then."""
        if not text.startswith('[3,"'):
            return False
        message_id = text[4 : text.index('"', 4)]
        call = self._theirs.get(message_id)
        if call is None or call.text is None:
            return False
        del self._theirs[message_id]
        return True

    def _write(self, text: str, at: datetime, direction: Direction, head: _Head) -> None:
        kind, message_id, action, outcome = head
        latency_ms = None
        ours = direction is Direction.OUT
        if message_id is not None and kind in ("result", "error"):
            call = (self._theirs if ours else self._ours).pop(message_id, None)
            if call is not None:
                if call.text is not None and kind == "result":
                    return
                action = call.action
                latency_ms = round((at - call.at).total_seconds() * 1000, 3)
                if call.text is not None:
                    self._keep(call.text, call.at, Direction.IN, ("call", message_id, action, "ok"), None)
        elif message_id is not None and action is not None and kind == "call":
            _remember(self._ours if ours else self._theirs, message_id, _OpenCall(action, at, None))
        self._keep(text, at, direction, (kind, message_id, action, outcome), latency_ms)

    def _keep(self, text: str, at: datetime, direction: Direction, head: _Head, latency_ms: float | None) -> None:
        kind, message_id, action, outcome = head
        self._log.write(
            LoggedMessage(
                station=self._station,
                session=self._session,
                direction=direction,
                at=at,
                kind=kind,
                frame=text if action in _WITHOUT_SECRETS and "customData" not in text else redacted(text),
                message_id=message_id,
                action=action,
                outcome=outcome,
                latency_ms=latency_ms,
            )
        )


def _remember(calls: OpenCalls, message_id: str, call: _OpenCall) -> None:
    """One more waits for its answer; the oldest beyond the bound is forgotten."""
    calls[message_id] = call
    if len(calls) > _OPEN_CALLS_MAX:
        calls.popitem(last=False)


def _is_routine(action: str | None, text: str) -> bool:
    """Whether a call says only what stations say all the time, and what is kept in tables of its own."""
    if action in _ROUTINE:
        return True
    return action == "TransactionEvent" and '"Updated"' in text and any(mark in text for mark in _ROUTINE_TRIGGERS)


def _read_head(text: str) -> _Head | None:
    """What `_read` says of a sound frame, by its first characters alone; None: they do not tell."""
    if (call := _PLAIN_CALL.match(text)) is not None:
        return "call", call[1], call[2], "ok"
    if (result := _PLAIN_RESULT.match(text)) is not None:
        return "result", result[1], None, "ok"
    return None


def _read(text: str) -> _Head:
    """Kind, message id, action and outcome of a frame."""
    try:
        frame: Any = orjson.loads(text)
    except ValueError:
        return _INVALID
    if not isinstance(frame, list) or len(frame) < 2 or not isinstance(frame[0], int):
        return _INVALID
    kind = _KIND_OF_TYPE.get(frame[0])
    if kind is None or not isinstance(frame[1], str | int):
        return _INVALID
    third = frame[2] if len(frame) > 2 and isinstance(frame[2], str) else None
    if kind in ("call", "send"):
        return kind, str(frame[1]), third, "ok"
    return kind, str(frame[1]), None, "ok" if kind == "result" else third or "GenericError"
