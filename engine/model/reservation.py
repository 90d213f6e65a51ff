"""Reservations: a place that is kept for a token. OCPP 2.1 block H, 1.6 sections 5.2 and 5.13."""

from datetime import datetime
from enum import StrEnum

from engine.model.authorization import Token
from engine.model.ids import EvseRef
from engine.model.word import Word


class ReservationStatus(StrEnum):
    """How a reservation stands, in Narke's words.

    Those from FAULTED on are the station's own words for no (ReserveNowStatus).
    """

    ACTIVE = "Active"
    UNCERTAIN = "Uncertain"
    """The station did not answer; it may keep the place."""
    USED = "Used"
    EXPIRED = "Expired"
    CANCELLED = "Cancelled"
    REMOVED = "Removed"
    """The station gave it up: a fault, or it is out of service (2.1 H01.FR.16, H01.FR.17)."""
    NO_TRANSACTION = "NoTransaction"
    """The token came, and no transaction followed (2.1)."""
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    REJECTED = "Rejected"
    UNAVAILABLE = "Unavailable"
    FAILED = "Failed"
    """It was never made: the command failed otherwise."""


class ReserveNow(Word, frozen=True):
    """Command: keep a place for a token until `expires_at`.

    `request_id`: the reservation's id; None: Narke gives one. The id of one that the station has replaces it (2.1
    H01.FR.02). `evse` None: whichever is free, if the station can (1.6 ReserveConnectorZeroSupported, 2.x
    ReservationNonEvseSpecific). `connector_type`: 2.x, instead of an EVSE. `group`: its tokens may use it, too.
    `force`: send it although Narke sees that the place is taken.
    """

    token: Token
    expires_at: datetime
    evse: EvseRef | None = None
    connector_type: str | None = None
    group: str | None = None
    request_id: int | None = None
    force: bool = False


class CancelReservation(Word, frozen=True):
    """Command: give a reservation up."""

    reservation_id: int


class ReservationStatusReported(Word, frozen=True):
    """Report: ReservationStatusUpdate (2.x). `status`: EXPIRED, REMOVED or NO_TRANSACTION."""

    reservation_id: int
    status: ReservationStatus


class ReservationStatusAnswer(Word, frozen=True):
    """Answer to it: taken note of."""


class ReservationMade(Word, frozen=True):
    """Fact: the station keeps the place. `certain` False: it did not answer."""

    reservation_id: int
    token: Token
    expires_at: datetime
    command_id: str
    noted_at: datetime
    evse: EvseRef | None = None
    connector_type: str | None = None
    group: str | None = None
    certain: bool = True


class ReservationRefused(Word, frozen=True):
    """Fact: it does not. `status`: its own word, or FAILED. Of an id that it keeps another place for, that stays."""

    reservation_id: int
    token: Token
    expires_at: datetime
    command_id: str
    status: ReservationStatus
    noted_at: datetime
    evse: EvseRef | None = None
    connector_type: str | None = None
    detail: str | None = None


class ReservationEnded(Word, frozen=True):
    """Fact: it is over, as the station says. `unknown`: Narke had no such reservation, or it was over before."""

    reservation_id: int
    status: ReservationStatus
    at: datetime
    transaction_id: str | None = None
    unknown: bool = False


class ReservationLapsed(Word, frozen=True):
    """Fact: its time is over and the station said nothing of it (1.6 never does)."""

    reservation_id: int
    noted_at: datetime
