"""Sessions: a station's connection, who holds it and when it ended."""

from datetime import datetime

from engine.model.word import Word


class SessionOpened(Word, frozen=True):
    """A station connected and its handshake is complete.

    `session`: unique for ever, `<ingress>:<incarnation>:<n>`. `version`: 1.6, 2.0.1 or 2.1; shown, never decided on.
    """

    session: str
    ingress: str
    version: str
    address: str
    at: datetime


class SessionClosed(Word, frozen=True):
    """The connection is gone. `code`: WebSocket close code, 1006 for a lost connection."""

    session: str
    code: int
    reason: str
    at: datetime


class SessionStarted(Word, frozen=True):
    """Fact: this session is the station's now; any older one is not."""

    opened: SessionOpened


class SessionEnded(Word, frozen=True):
    """Fact: the station's session ended."""

    closed: SessionClosed
