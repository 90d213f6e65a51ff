"""Raw messages: the frames as they went over the wire, for people who look for a fault."""

from datetime import datetime
from enum import StrEnum

from engine.model.word import Word


class Direction(StrEnum):
    """Seen from the CSMS."""

    IN = "in"
    OUT = "out"


class LoggedMessage(Word, frozen=True):
    """One frame.

    `kind`: call, result, error, send or invalid. `action`: None where unknown (an answer to nothing). `outcome`: ok
    or the error code. `latency_ms`: of an answer, since its call. `frame`: the text, secrets redacted.
    """

    station: str
    session: str
    direction: Direction
    at: datetime
    kind: str
    frame: str
    message_id: str | None = None
    action: str | None = None
    outcome: str = "ok"
    latency_ms: float | None = None
