"""Sessions: a station's connection, who holds it and when it ended."""

from datetime import datetime

from engine.model.quirks import Quirks
from engine.model.word import Word


class SessionOpened(Word, frozen=True):
    """A station connected and its handshake is complete.

    `session`: unique for ever, `<ingress>:<incarnation>:<n>`. `version`: 1.6, 2.0.1 or 2.1; shown, never decided on.
    `quirks`: names in the station's record, see `engine.model.quirks.QuirkBook`.
    `order`: of two connections the later has the higher one (`engine.ports.Arrivals`); 0: not known. `at`: the ingress'
    clock, for people: clocks of hosts differ, so nothing is ordered by it.
    """

    session: str
    ingress: str
    version: str
    address: str
    at: datetime
    order: int = 0
    quirks: tuple[str, ...] = ()


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


class SilenceReported(Word, frozen=True):
    """Noticed by its ingress: the station answers pings perhaps, but has said nothing for `silent_s` seconds."""

    silent_s: float


class SpeechReported(Word, frozen=True):
    """Noticed by its ingress: the station speaks again after `silent_s` seconds of a silence that was reported."""

    silent_s: float


class SessionAnswer(Word, frozen=True):
    """What an ingress is told of a station whose session it opened.

    `heartbeat_s`: the interval that stations are told; 0: none. `booted`: it has booted here once.
    """

    heartbeat_s: int = 0
    booted: bool = True
    quirks: Quirks | None = None


class IdentityContested(Word, frozen=True):
    """Fact: connections of one identity push each other out again and again: two devices have it, or one cannot stay.

    `addresses`: hosts that the connections came from; one alone: perhaps one device, or several behind one router.
    `takeovers`: within `within_s` seconds.
    """

    addresses: tuple[str, ...]
    takeovers: int
    within_s: float
    at: datetime


class VersionChanged(Word, frozen=True):
    """Fact: the station speaks another version of OCPP than on its last connection, as after an update.

    `transactions_open`: those that were open then. They stay open under the names they have: a station that still knows
    them ends them under these, in its new version's words; those it forgot end as forgotten ones of any station do.
    """

    before: str
    after: str
    transactions_open: tuple[str, ...]
    at: datetime


class StationUnresponsive(Word, frozen=True):
    """Fact: the station is connected and says nothing. `at`: since when (our clock); noticed `silent_s` later."""

    session: str
    silent_s: float
    at: datetime


class StationResponsive(Word, frozen=True):
    """Fact: a station that was unresponsive is so no more. `silent_s`: how long it was.

    `ended`: it did not speak; its connection ended, or a newer one took over.
    """

    session: str
    silent_s: float
    at: datetime
    ended: bool = False
