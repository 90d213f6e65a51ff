"""Availability: what connectors can do now. OCPP 2.1 block G."""

from datetime import datetime
from enum import StrEnum

from engine.model.ids import EvseRef
from engine.model.word import Word


class ConnectorStatus(StrEnum):
    """The words of all versions; 2.x uses AVAILABLE, OCCUPIED, RESERVED, UNAVAILABLE and FAULTED."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    OCCUPIED = "Occupied"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class ConnectorStatusReported(Word, frozen=True):
    """A connector (evse 0: the station itself) changed. `at`: the station's clock; None: not said."""

    evse: EvseRef
    status: ConnectorStatus
    at: datetime | None = None
    error_code: str | None = None
    """1.6 errorCode; NoError is None."""
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None


class ConnectorStatusAnswer(Word, frozen=True):
    """Taken note of."""


class ConnectorStatusChanged(Word, frozen=True):
    """Fact: what was reported, when it came in (our clock)."""

    report: ConnectorStatusReported
    received_at: datetime


class ChangeAvailability(Word, frozen=True):
    """Command: take a place in or out of service; it survives reboots. Evse 0: the whole station."""

    evse: EvseRef
    operative: bool


class AvailabilityWanted(Word, frozen=True):
    """Fact: what a station said to `ChangeAvailability`: Accepted, Scheduled (a transaction runs) or Rejected."""

    evse: EvseRef
    operative: bool
    status: str
    at: datetime


class AvailabilityReached(Word, frozen=True):
    """Fact: a connector of the place reported a status that shows that the change took effect."""

    evse: EvseRef
    operative: bool
    noted_at: datetime
