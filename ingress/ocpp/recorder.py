"""The recorder: turns the frames of one connection into `LoggedMessage`s. There is none where the log is off.

It reads the frames by itself, so that what is logged is what went over the wire, not what we made of it.
"""

import re
from collections import OrderedDict
from datetime import datetime
from typing import Any

import orjson

from engine.model.messages import Direction, LoggedMessage
from engine.ports import MessageLog
from engine.redaction import redacted

_OPEN_CALLS_MAX = 128
_KIND_OF_TYPE = {2: "call", 3: "result", 4: "error", 5: "error", 6: "send"}
_WITHOUT_SECRETS = frozenset({"Heartbeat", "MeterValues"})
"""Actions that have no place for a secret, and are most of all messages: looking for one costs 3 us."""
_INVALID: tuple[str, str | None, str | None, str] = ("invalid", None, None, "invalid")

_PLAIN_CALL = re.compile(r'\[2,\s?"([^"\\]{1,36})",\s?"(\w{1,50})",\s?\{')
_PLAIN_RESULT = re.compile(r'\[3,\s?"([^"\\]{1,36})",\s?\{')
"""How nearly all frames begin. What begins otherwise is read whole."""

OpenCalls = OrderedDict[str, tuple[str, datetime]]
"""Calls without an answer: message id -> action and time."""


class Recorder:
    """Logs the frames of one session, both ways.

    Args:
        station: Identity.
        session: Session id.
        log: Where they go.
    """

    def __init__(self, station: str, session: str, log: MessageLog) -> None:
        self._station = station
        self._session = session
        self._log = log
        self._theirs: OpenCalls = OrderedDict()
        self._ours: OpenCalls = OrderedDict()

    def received(self, text: str, at: datetime, *, readable: bool = True) -> None:
        """A frame of the station's. `readable`: it is one, by whoever read it all."""
        self._write(text, at, Direction.IN, calls=self._theirs, answered=self._ours, readable=readable)

    def sent(self, text: str, at: datetime) -> None:
        """A frame of ours."""
        self._write(text, at, Direction.OUT, calls=self._ours, answered=self._theirs, readable=True)

    def _write(
        self, text: str, at: datetime, direction: Direction, *, calls: OpenCalls, answered: OpenCalls, readable: bool
    ) -> None:
        kind, message_id, action, outcome = (readable and _read_head(text)) or _read(text)
        latency_ms = None
        if message_id is not None and kind in ("result", "error"):
            action, called_at = answered.pop(message_id, (None, None))
            if called_at is not None:
                latency_ms = round((at - called_at).total_seconds() * 1000, 3)
        elif message_id is not None and action is not None and kind == "call":
            calls[message_id] = (action, at)
            if len(calls) > _OPEN_CALLS_MAX:
                calls.popitem(last=False)
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


def _read_head(text: str) -> tuple[str, str | None, str | None, str] | None:
    """What `_read` says of a sound frame, by its first characters alone; None: they do not tell."""
    if (call := _PLAIN_CALL.match(text)) is not None:
        return "call", call[1], call[2], "ok"
    if (result := _PLAIN_RESULT.match(text)) is not None:
        return "result", result[1], None, "ok"
    return None


def _read(text: str) -> tuple[str, str | None, str | None, str]:
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
