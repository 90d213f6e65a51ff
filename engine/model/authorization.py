"""Authorization: tokens and what they may do. OCPP 2.1 block C."""

from datetime import datetime
from enum import StrEnum

from engine.model.word import Word


class Token(Word, frozen=True):
    """What a driver presents. `type`: 2.x idToken type (ISO14443, eMAID, NoAuthorization, ...); None: 1.6 idTag."""

    value: str
    type: str | None = None

    @property
    def key(self) -> str:
        """The name it is looked up by: without case (1.6 section 3.9) and without type, for real stations vary it."""
        return self.value.lower()


class TokenStatus(StrEnum):
    """The words of 1.6 and 2.x; what 1.6 cannot say becomes Invalid there."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    CONCURRENT_TX = "ConcurrentTx"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    NO_CREDIT = "NoCredit"
    UNKNOWN = "Unknown"


class TokenRecord(Word, frozen=True):
    """A token as the operator keeps it."""

    token: Token
    blocked: bool = False
    expires_at: datetime | None = None
    group: str | None = None
    """1.6 parentIdTag, 2.x groupIdToken."""
    note: str | None = None


class TokenVerdict(Word, frozen=True):
    """What a station is told of a token."""

    status: TokenStatus
    expires_at: datetime | None = None
    group: str | None = None


class TokenPresented(Word, frozen=True):
    """Report: Authorize."""

    token: Token


class TokenAnswer(Word, frozen=True):
    """Answer to Authorize."""

    verdict: TokenVerdict


class TokenChecked(Word, frozen=True):
    """Fact: a station asked and was told."""

    token: Token
    verdict: TokenVerdict
    at: datetime


class TokenSaved(Word, frozen=True):
    """Fact of the operator's: a token was added or changed."""

    record: TokenRecord
    at: datetime


class TokenRemoved(Word, frozen=True):
    """Fact of the operator's: a token is known no more."""

    token: Token
    at: datetime


class ClearCache(Word, frozen=True):
    """Command: the station forgets its authorization cache."""
