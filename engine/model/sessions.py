"""Sessions: a station's connection, who holds it and when it ended."""

from datetime import datetime

from engine.model.word import Word


class SessionOpened(Word, frozen=True):
    """A station connected and its handshake is complete.

    `session`: unique for ever, `<ingress>:<incarnation>:<n>`. `version`: 1.6, 2.0.1 or 2.1; shown, never decided on.
    `order`: of two connections the later has the higher one (`engine.ports.Arrivals`); 0: not known. `at`: the ingress'
    clock, for people: clocks of hosts differ, so nothing is ordered by it.
    """

    session: str
    ingress: str
    version: str
    address: str
    at: datetime
    order: int = 0


class SessionClosed(Word, frozen=True):
    """The connection is gone. `code`: WebSocket close code, 1006 for a lost connection."""

    session: str
    code: int
    reason: str
    at: datetime


class SessionStarted(Word, frozen=True):
    """Fact: this session is the station's now; any older one is not. `at`: the actor's clock; None: `opened.at`."""

    opened: SessionOpened
    at: datetime | None = None


class SessionEnded(Word, frozen=True):
    """Fact: the station's session ended."""

    closed: SessionClosed
