"""Authorization: tokens and what they may do. OCPP 2.1 block C."""

from datetime import datetime
from enum import StrEnum

from engine.model.certificates import ContractEvidence, ContractStatus
from engine.model.tariffs import Tariff
from engine.model.word import Word


class AdditionalInfo(Word, frozen=True):
    """What is said beside a token (2.x additionalInfo), e.g. CardLast4Digits of a payment card (2.1 C18.FR.04)."""

    type: str
    value: str


class Token(Word, frozen=True):
    """What a driver presents. `type`: 2.x idToken type (ISO14443, eMAID, NoAuthorization, ...); None: 1.6 idTag."""

    value: str
    type: str | None = None
    additional: tuple[AdditionalInfo, ...] = ()

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
    NOT_ALLOWED_TYPE_EVSE = "NotAllowedTypeEVSE"
    NOT_AT_THIS_LOCATION = "NotAtThisLocation"
    NOT_AT_THIS_TIME = "NotAtThisTime"
    UNKNOWN = "Unknown"


class TokenRecord(Word, frozen=True):
    """A token as the operator keeps it.

    `places`: where it may charge, `STATION` or `STATION:EVSE`, `*` in STATION stands for any text; empty: everywhere.
    `hours`: when it may, e.g. `Mo-Fr 08:00-18:00`, by the clock of `time_zone` (IANA name); empty: always.
    `credit`: of a prepaid card (2.1 C17), money in the operator's currency; None: it is none.
    `concurrent_max`: transactions at once; None: as the policy says. `in_local_list`: None: as the settings say.
    `priority`: 2.x chargingPriority, -9 to 9. `message`: shown to the driver (2.x personalMessage).
    """

    token: Token
    blocked: bool = False
    expires_at: datetime | None = None
    group: str | None = None
    """1.6 parentIdTag, 2.x groupIdToken."""
    note: str | None = None
    places: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()
    time_zone: str = "UTC"
    credit: float | None = None
    concurrent_max: int | None = None
    in_local_list: bool | None = None
    priority: int | None = None
    language: str | None = None
    language2: str | None = None
    message: str | None = None


class TokenVerdict(Word, frozen=True):
    """What a station is told of a token.

    `expires_at`: until when it may be remembered. `cache_until`: the same for 2.x alone, where it differs (a prepaid
    card must not stay in a cache, 2.1 C17.FR.01). `evses`: the only ones allowed at this station (2.x); empty: all.
    `cost_max`: how much may be spent (2.1 C17.FR.03).
    """

    status: TokenStatus
    expires_at: datetime | None = None
    group: str | None = None
    cache_until: datetime | None = None
    evses: tuple[int, ...] = ()
    cost_max: float | None = None
    priority: int | None = None
    language: str | None = None
    language2: str | None = None
    message: str | None = None


class TokenPresented(Word, frozen=True):
    """Report: Authorize.

    `contract`: what a car showed with it (2.1 C07). `certificate_status`: what the ingress found out about that before
    anything is decided; None: no certificate came with it.
    """

    token: Token
    contract: ContractEvidence | None = None
    certificate_status: ContractStatus | None = None


class TokenAnswer(Word, frozen=True):
    """Answer to Authorize. `certificate_status`: of the contract certificate, where one came with it.

    `tariff`: the driver's own, for a station that reckons costs itself (2.1 I08.FR.01).
    """

    verdict: TokenVerdict
    certificate_status: ContractStatus | None = None
    tariff: Tariff | None = None


class TokenChecked(Word, frozen=True):
    """Fact: a station asked and was told. `unknown`: the operator has no record of it."""

    token: Token
    verdict: TokenVerdict
    at: datetime
    unknown: bool = False


class StopPlanned(Word, frozen=True):
    """Fact: a transaction runs on a token that is not accepted; Narke stops it then, unless it has ended."""

    transaction_id: str
    stop_at: datetime
    noted_at: datetime


class StopDropped(Word, frozen=True):
    """Fact: that stop is not planned any more: it was asked for, the transaction is over, or its token is accepted."""

    transaction_id: str
    noted_at: datetime


class TransactionUse(Word, frozen=True):
    """An open transaction of a token or of its group, somewhere."""

    station: str
    transaction_id: str


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
