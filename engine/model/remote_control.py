"""Remote control: start, stop, unlock, trigger, and what should follow from them. OCPP 2.1 block F."""

from datetime import datetime
from enum import StrEnum

from engine.model.authorization import Token
from engine.model.charging_profiles import ChargingProfile
from engine.model.ids import EvseRef
from engine.model.word import Word


class RequestStart(Word, frozen=True):
    """Command. `evse` None: the station chooses (1.6; 2.x without evse). `remote_start_id`: 2.x only, given by us.

    `group`: the token's group, so that another of it may stop the transaction (2.x groupIdToken). `profile`: a TX
    profile for the transaction to come, which it cannot name yet (2.1 K05, 1.6 section 5.16.2).
    """

    token: Token
    evse: EvseRef | None = None
    remote_start_id: int | None = None
    group: Token | None = None
    profile: ChargingProfile | None = None


class RequestStop(Word, frozen=True):
    """Command. On 1.6 the id must be the number that we gave, as text."""

    transaction_id: str


class UnlockConnector(Word, frozen=True):
    """Command."""

    evse: EvseRef


class TriggerMessage(Word, frozen=True):
    """Command. `message`: OCPP's name of it; for StatusNotification 2.x demands evse and connector.

    `custom`: 2.1 only: the vendor's name of the message, with `message` CustomTrigger.
    """

    message: str
    evse: EvseRef | None = None
    custom: str | None = None


class FollowUp(StrEnum):
    """What must follow when a station accepted a command."""

    START = "start"
    """A transaction after a remote start; else the driver did not plug in (ConnectionTimeOut, EVConnectionTimeOut)."""
    STOP = "stop"
    """The end of the transaction."""
    BOOT = "boot"
    """A boot after a reset."""


class FollowUpAwaited(Word, frozen=True):
    """Fact: a station accepted a command from which something must follow.

    `due_at` None: whenever it comes (a reset that waits for the end of transactions). `token`: of a remote start, by
    `Token.key`.
    """

    command_id: str
    what: FollowUp
    noted_at: datetime
    due_at: datetime | None = None
    token: str | None = None
    evse: EvseRef | None = None
    remote_start_id: int | None = None
    transaction_id: str | None = None


class FollowUpCame(Word, frozen=True):
    """Fact: it followed. `transaction_id`: what the remote start started."""

    command_id: str
    what: FollowUp
    noted_at: datetime
    transaction_id: str | None = None


class FollowUpMissing(Word, frozen=True):
    """Fact: it did not follow in time."""

    command_id: str
    what: FollowUp
    noted_at: datetime
