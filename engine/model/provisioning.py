"""Provisioning: boot, heartbeat, variables (1.6: configuration keys) and reset. OCPP 2.1 block B."""

from datetime import datetime
from enum import StrEnum

from engine.model.ids import EvseRef
from engine.model.word import Word


class Registration(StrEnum):
    """What the CSMS thinks of a station (1.6 section 4.2, 2.1 B01 to B03)."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class BootReported(Word, frozen=True):
    """The station (re)started and tells who it is. None: not said."""

    vendor: str
    model: str
    serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None
    reason: str | None = None
    """2.x bootReason, e.g. PowerUp; 1.6 has none."""


class BootAnswer(Word, frozen=True):
    """`interval_s`: between heartbeats when accepted, else least wait before the next boot; 0: the station chooses."""

    registration: Registration
    interval_s: int
    now: datetime


class HeartbeatReported(Word, frozen=True):
    """The station lives."""


class HeartbeatAnswer(Word, frozen=True):
    """The time, which the station takes as its clock."""

    now: datetime


class StationBooted(Word, frozen=True):
    """Fact: a boot was answered."""

    boot: BootReported
    registration: Registration
    interval_s: int
    at: datetime


class StationSeen(Word, frozen=True):
    """Fact, written sparsely: the station was heard of at this time though nothing else was to be recorded."""

    at: datetime


class VariableRef(Word, frozen=True):
    """A variable of the 2.x device model. A 1.6 key without a counterpart has component ''."""

    variable: str
    component: str = ""
    component_instance: str | None = None
    variable_instance: str | None = None
    evse: EvseRef | None = None
    attribute: str | None = None
    """Actual, Target, MinSet or MaxSet; None means Actual."""

    @property
    def address(self) -> str:
        """Its one name, e.g. `connector@1.2.available#operational/actual`; names know no case (2.1 part 1, 4.1)."""
        place = "" if self.evse is None or self.evse.evse == 0 else f"@{self.evse.evse}"
        if place and self.evse is not None and self.evse.connector:
            place += f".{self.evse.connector}"
        component = self.component + (f"#{self.component_instance}" if self.component_instance else "")
        variable = self.variable + (f"#{self.variable_instance}" if self.variable_instance else "")
        return f"{component}{place}.{variable}/{self.attribute or 'Actual'}".lower()


class VariableSetting(Word, frozen=True):
    """A value to be written."""

    ref: VariableRef
    value: str


class VariableResult(Word, frozen=True):
    """What the station said of one variable; `status` is its own word, e.g. Accepted or RebootRequired."""

    ref: VariableRef
    status: str
    value: str | None = None
    readonly: bool | None = None


class GetVariables(Word, frozen=True):
    """Command. No variables: all of them (1.6 only; a 2.x station cannot express it)."""

    variables: tuple[VariableRef, ...] = ()


class SetVariables(Word, frozen=True):
    """Command. 1.6 sets one key per message: more than one setting is not expressible there."""

    settings: tuple[VariableSetting, ...]


class ResetKind(StrEnum):
    """1.6: Hard is IMMEDIATE, Soft is ON_IDLE. IMMEDIATE_AND_RESUME is 2.1 only (B13)."""

    IMMEDIATE = "Immediate"
    ON_IDLE = "OnIdle"
    IMMEDIATE_AND_RESUME = "ImmediateAndResume"


class ResetStation(Word, frozen=True):
    """Command. `evse` None: the whole station; 1.6 cannot reset a single EVSE."""

    kind: ResetKind
    evse: int | None = None
