"""Monitoring: monitors on variables, reports of them, and the events they make. OCPP 2.1 block N, 2.x only."""

from datetime import datetime
from enum import StrEnum

from engine.model.provisioning import VariableRef
from engine.model.word import Word

SEVERITY_MAX = 9
"""0 danger, 1 hardware failure, 2 system failure, 3 critical, 4 error, 5 alert, 6 warning, 7 notice, 8, 9 debug."""


class MonitorType(StrEnum):
    """What a monitor watches for (2.1 MonitorEnumType). 2.1 alone knows the two targets."""

    UPPER_THRESHOLD = "UpperThreshold"
    LOWER_THRESHOLD = "LowerThreshold"
    DELTA = "Delta"
    PERIODIC = "Periodic"
    PERIODIC_CLOCK_ALIGNED = "PeriodicClockAligned"
    TARGET_DELTA = "TargetDelta"
    TARGET_DELTA_RELATIVE = "TargetDeltaRelative"


class MonitorKind(StrEnum):
    """Where a monitor, or an event, comes from (2.1 EventNotificationEnumType)."""

    HARD_WIRED_NOTIFICATION = "HardWiredNotification"
    HARD_WIRED_MONITOR = "HardWiredMonitor"
    PRECONFIGURED_MONITOR = "PreconfiguredMonitor"
    CUSTOM_MONITOR = "CustomMonitor"


class MonitoringBase(StrEnum):
    """Which monitors are active (2.1 MonitoringBaseEnumType)."""

    ALL = "All"
    FACTORY_DEFAULT = "FactoryDefault"
    HARD_WIRED_ONLY = "HardWiredOnly"


class MonitoringCriterion(StrEnum):
    """Which monitors a report shall have (2.1 MonitoringCriterionEnumType)."""

    THRESHOLDS = "ThresholdMonitoring"
    DELTAS = "DeltaMonitoring"
    PERIODIC = "PeriodicMonitoring"


class StreamParameters(Word, frozen=True):
    """When a stream is flushed: every `interval_s`, or at so many `values`; at least one (N11.FR.09)."""

    interval_s: int | None = None
    values: int | None = None


class MonitorSetting(Word, frozen=True):
    """A monitor to be set. `value`: threshold, change, or for the periodic ones seconds. `id`: replaces that monitor.

    `severity`: 0, the highest, to 9. `transaction`: only during one. `stream`: its values come as a stream (2.1).
    """

    ref: VariableRef
    type: MonitorType
    value: float
    severity: int
    id: int | None = None
    transaction: bool = False
    stream: StreamParameters | None = None


class SetVariableMonitoring(Word, frozen=True):
    """Command."""

    monitors: tuple[MonitorSetting, ...]


class ClearVariableMonitoring(Word, frozen=True):
    """Command: remove monitors."""

    ids: tuple[int, ...]


class GetMonitoringReport(Word, frozen=True):
    """Command: report the monitors of these variables and of these kinds; neither named: all."""

    refs: tuple[VariableRef, ...] = ()
    criteria: tuple[MonitoringCriterion, ...] = ()
    request_id: int | None = None


class SetMonitoringBase(Word, frozen=True):
    """Command: back to a set of monitors; all but ALL removes those that were set from here."""

    base: MonitoringBase


class SetMonitoringLevel(Word, frozen=True):
    """Command: report events of this severity and of lower numbers only."""

    severity: int


class MonitorResult(Word, frozen=True):
    """What a station said to one setting. `id`: the monitor's, once Accepted. `detail`: for people."""

    ref: VariableRef
    type: MonitorType
    severity: int
    status: str
    id: int | None = None
    detail: str | None = None


class MonitorResults(Word, frozen=True):
    """Found in an answer to SetVariableMonitoring."""

    results: tuple[MonitorResult, ...]


class MonitorsGone(Word, frozen=True):
    """Found in an answer to ClearVariableMonitoring: monitors that are no more, or never were."""

    ids: tuple[int, ...]


class Monitor(Word, frozen=True):
    """A monitor as it is. `kind` None: not said (2.0.1)."""

    id: int
    ref: VariableRef
    type: MonitorType
    value: float
    severity: int
    transaction: bool = False
    kind: MonitorKind | None = None
    stream: StreamParameters | None = None


class MonitorsReported(Word, frozen=True):
    """Report: a part of the monitors asked for. `more`: another part follows."""

    request_id: int
    sequence: int
    monitors: tuple[Monitor, ...] = ()
    more: bool = False
    generated_at: datetime | None = None


class MonitoringEvent(Word, frozen=True):
    """Something that a station noticed. `at`: its clock; None: it wrote no time. `cause`: the id of another event.

    `trigger`: Alerting, Delta or Periodic. `value`: of the variable then. `cleared`: back to normal. `severity`: 2.1.
    """

    event_id: int
    ref: VariableRef
    trigger: str
    value: str
    kind: MonitorKind
    at: datetime | None = None
    cause: int | None = None
    cleared: bool | None = None
    monitor_id: int | None = None
    severity: int | None = None
    transaction_id: str | None = None
    tech_code: str | None = None
    tech_info: str | None = None


class EventsReported(Word, frozen=True):
    """Report: events. `sequence`, `more`: of a report in several parts."""

    events: tuple[MonitoringEvent, ...]
    sequence: int = 0
    more: bool = False


class EventsRecorded(Word, frozen=True):
    """Fact: events came. `number`: counts the messages with events of a station."""

    report: EventsReported
    number: int
    at: datetime


class MonitorsSet(Word, frozen=True):
    """Fact: a station took these monitors."""

    monitors: tuple[Monitor, ...]
    noted_at: datetime


class MonitorsCleared(Word, frozen=True):
    """Fact: a station has these monitors no more. `all`: none at all is known now; a report should follow."""

    noted_at: datetime
    ids: tuple[int, ...] = ()
    all: bool = False


class MonitoringReportAsked(Word, frozen=True):
    """Fact: a report of monitors was asked for. `whole`: it will tell of all. `accepted`: see firmware.

    `empty`: the station has nothing to report.
    """

    request_id: int
    command_id: str
    noted_at: datetime
    accepted: bool | None
    whole: bool = False
    empty: bool = False
    answer: str = ""
    expected_by: datetime | None = None


class MonitorsRecorded(Word, frozen=True):
    """Fact: a part of a report came. `first`: of a whole report: what was known before is out of date.

    `complete`: it was the last part and none is missing. `flags`: what is odd about it.
    """

    report: MonitorsReported
    at: datetime
    first: bool = False
    complete: bool = False
    expected_by: datetime | None = None
    flags: tuple[str, ...] = ()


class MonitoringReportMissing(Word, frozen=True):
    """Fact: the rest of a report did not come in time."""

    request_id: int
    noted_at: datetime


class MonitoringReportPlanned(Word, frozen=True):
    """Fact: a report of monitors will be asked for at that time; None: it was asked for now."""

    due_at: datetime | None
    noted_at: datetime


class MonitoringSet(Word, frozen=True):
    """Fact: the station's monitoring base or level is this now. None: not changed by this."""

    noted_at: datetime
    base: MonitoringBase | None = None
    level: int | None = None
