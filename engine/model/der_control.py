"""DER control: how an inverter behaves towards the grid, and what it tells of it. OCPP 2.1 block R.

A control's settings are kept as OCPP writes them (curves, droops, limits): nobody here computes with them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from engine.model.word import Word


class DerControlType(StrEnum):
    """What a control controls (2.1 DERControlEnumType)."""

    ENTER_SERVICE = "EnterService"
    FREQ_DROOP = "FreqDroop"
    FREQ_WATT = "FreqWatt"
    FIXED_PF_ABSORB = "FixedPFAbsorb"
    FIXED_PF_INJECT = "FixedPFInject"
    FIXED_VAR = "FixedVar"
    GRADIENTS = "Gradients"
    HF_MUST_TRIP = "HFMustTrip"
    HF_MAY_TRIP = "HFMayTrip"
    HV_MUST_TRIP = "HVMustTrip"
    HV_MOM_CESS = "HVMomCess"
    HV_MAY_TRIP = "HVMayTrip"
    LIMIT_MAX_DISCHARGE = "LimitMaxDischarge"
    LF_MUST_TRIP = "LFMustTrip"
    LV_MUST_TRIP = "LVMustTrip"
    LV_MOM_CESS = "LVMomCess"
    LV_MAY_TRIP = "LVMayTrip"
    POWER_MONITORING_MUST_TRIP = "PowerMonitoringMustTrip"
    VOLT_VAR = "VoltVar"
    VOLT_WATT = "VoltWatt"
    WATT_PF = "WattPF"
    WATT_VAR = "WattVar"


class DerControl(Word, frozen=True, tag=False, kw_only=True):
    """A control. `is_default`: holds whenever no scheduled one of its type does (R04.FR.11).

    `settings`: of its type, with `priority` (0 is the highest) and, if scheduled, `startTime` and `duration` in s.
    `superseded`: the station has it, and another counts.
    """

    id: str
    type: DerControlType
    is_default: bool
    settings: dict[str, Any]
    superseded: bool = False


class SetDerControl(Word, frozen=True):
    """Command: install a control (R04)."""

    control: DerControl


class ClearDerControl(Word, frozen=True):
    """Command: remove the default controls, or the scheduled ones; of these all, those of a type, or that of an id."""

    is_default: bool
    type: DerControlType | None = None
    control_id: str | None = None


class GetDerControl(Word, frozen=True):
    """Command: report controls; `DerControlsReported` follows in parts. What is not said fits any."""

    is_default: bool | None = None
    type: DerControlType | None = None
    control_id: str | None = None
    request_id: int | None = None


class ControlsSuperseded(Word, frozen=True):
    """Found in an answer to SetDERControl: controls that do not count any more, because of the new one."""

    control_ids: tuple[str, ...] = ()


class DerControlsReported(Word, frozen=True):
    """Report: a part of what `GetDerControl` asked for. `more`: another part follows."""

    request_id: int
    controls: tuple[DerControl, ...] = ()
    more: bool = False


class DerAlarmReported(Word, frozen=True):
    """Report: the inverter deviates from its charging profile because of a control, or does so no more (R05)."""

    type: DerControlType
    ended: bool = False
    fault: str | None = None
    at: datetime | None = None
    info: str | None = None


class DerStartStopReported(Word, frozen=True):
    """Report: a scheduled control began or ended (R04.FR.20 to 22)."""

    control_id: str
    started: bool
    at: datetime | None = None
    superseded_ids: tuple[str, ...] = ()


class DerNoted(Word, frozen=True):
    """Answer: taken note of."""


class DerFlag(StrEnum):
    """What was odd; it was recorded and answered all the same."""

    UNKNOWN_REQUEST = "unknown_request"
    UNKNOWN_CONTROL = "unknown_control"
    NO_ALARM = "no_alarm"
    """The end of an alarm that was never told of."""
    INCOMPLETE = "incomplete"


class DerRemovalReason(StrEnum):
    """Why a control is not with the station any more."""

    CLEARED = "cleared"
    ENDED = "ended"
    """Its time is over (R04.FR.10)."""
    NOT_REPORTED = "not_reported"


class DerControlInstalled(Word, frozen=True):
    """Fact: the station has this control, because it accepted or reported it."""

    control: DerControl
    at: datetime
    reported: bool = False


class DerControlsSuperseded(Word, frozen=True):
    """Fact: these controls do not count any more."""

    control_ids: tuple[str, ...]
    at: datetime
    by: str | None = None


class DerControlRemoved(Word, frozen=True):
    """Fact: the station has it no more."""

    control_id: str
    reason: DerRemovalReason
    noted_at: datetime


class DerControlRan(Word, frozen=True):
    """Fact: a scheduled control began (`started`) or ended."""

    control_id: str
    started: bool
    at: datetime
    station_at: datetime | None = None
    superseded_ids: tuple[str, ...] = ()
    flags: tuple[DerFlag, ...] = ()


class DerReportBegun(Word, frozen=True):
    """Fact: a report of controls is awaited."""

    asked: GetDerControl
    at: datetime


class DerReportHeard(Word, frozen=True):
    """Fact: a part of a report came."""

    request_id: int
    control_ids: tuple[str, ...]
    more: bool
    at: datetime
    flags: tuple[DerFlag, ...] = ()


class DerReportEnded(Word, frozen=True):
    """Fact: nothing more is awaited of a report. INCOMPLETE: its last part never came."""

    request_id: int
    noted_at: datetime
    flags: tuple[DerFlag, ...] = ()


class DerAlarmRaised(Word, frozen=True):
    """Fact: the inverter deviates. `raised_at` names the alarm: another control may take it over (R05.FR.03)."""

    raised_at: datetime
    report: DerAlarmReported
    at: datetime


class DerAlarmEnded(Word, frozen=True):
    """Fact: it does so no more."""

    raised_at: datetime
    report: DerAlarmReported
    at: datetime
    flags: tuple[DerFlag, ...] = ()
