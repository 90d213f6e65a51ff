"""Local authorization lists: what a station may decide by itself. OCPP 2.1 block D, 1.6 sections 3.5, 5.10 and 5.15.

Only the CSMS changes a list (2.1 D01.FR.09). Each change has a version higher than all before it.
"""

from datetime import datetime
from enum import StrEnum

from engine.model.authorization import Token, TokenVerdict
from engine.model.word import Word

VERSION_UNSUPPORTED = -1
"""1.6: the station has no local lists."""
VERSION_EMPTY = 0
"""No list (2.1 D02.FR.02)."""


class ListState(StrEnum):
    """How the list at a station stands."""

    IN_SYNC = "in_sync"
    """The station has what Narke last sent, whole."""
    SYNCING = "syncing"
    """More of it is to be sent."""
    STALE = "stale"
    """It has another version than Narke believed, or refused a change, or did not answer: to be sent again."""
    UNSUPPORTED = "unsupported"
    """It has no local lists."""


class ListEntry(Word, frozen=True):
    """A token of a list. `verdict` None: it is taken out (2.1 D01.FR.17)."""

    token: Token
    verdict: TokenVerdict | None = None


class SendLocalList(Word, frozen=True):
    """Command: replace the list (`full`) or change it. `version`: 1 or more, higher than the station's (D01.FR.18).

    `total`: how many entries the station has after it; None: not known. `more`: more of the same change follows.
    """

    version: int
    entries: tuple[ListEntry, ...] = ()
    full: bool = False
    total: int | None = None
    more: bool = False


class GetLocalListVersion(Word, frozen=True):
    """Command: which version the station has."""


class ListVersion(Word, frozen=True):
    """Found in an answer: the version of the station's list; 0: it has none, -1: it cannot have any (1.6)."""

    version: int


class LocalListUpdated(Word, frozen=True):
    """Fact: the station took a change in."""

    version: int
    full: bool
    entries: tuple[ListEntry, ...]
    noted_at: datetime
    total: int | None = None
    state: ListState = ListState.IN_SYNC


class LocalListRefused(Word, frozen=True):
    """Fact: it did not, or nobody knows. `status`: its own word, or how the command ended."""

    version: int
    full: bool
    status: str
    noted_at: datetime
    state: ListState = ListState.STALE
    detail: str | None = None


class LocalListChecked(Word, frozen=True):
    """Fact: the station told its version. `known`: whether that is the one Narke believes it has."""

    version: int
    known: bool
    state: ListState
    noted_at: datetime


class LocalListDoubted(Word, frozen=True):
    """Fact: the station restarted and may have lost its list; it is asked for its version at `ask_at`."""

    ask_at: datetime
    noted_at: datetime


class LocalListAsked(Word, frozen=True):
    """Fact: it is asked."""

    noted_at: datetime
