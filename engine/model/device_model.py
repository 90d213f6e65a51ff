"""The device model: variables with what is known of them, and reports of them in many parts. OCPP 2.1 B06 to B08.

OCPP 1.6 says the same of its configuration keys in one answer (GetConfiguration, section 5.8).
"""

from datetime import datetime
from enum import StrEnum

from engine.model.provisioning import VariableRef
from engine.model.word import Word


class ReportBase(StrEnum):
    """Which variables a base report is about (2.1 B07.FR.07 to 09)."""

    CONFIGURATION = "ConfigurationInventory"
    FULL = "FullInventory"
    SUMMARY = "SummaryInventory"


class ComponentCriterion(StrEnum):
    """Components that are so; of several the station takes those that meet one (2.1 B08.FR.13)."""

    ACTIVE = "Active"
    AVAILABLE = "Available"
    ENABLED = "Enabled"
    PROBLEM = "Problem"


class ComponentVariable(Word, frozen=True):
    """What a custom report is about. `variable` None: all of the component. Instance, EVSE None: any (B08.FR.20-25)."""

    component: str
    variable: str | None = None
    component_instance: str | None = None
    variable_instance: str | None = None
    evse: int | None = None
    connector: int | None = None


class GetBaseReport(Word, frozen=True):
    """Command: report the device model. On 1.6 the configuration keys, which are one inventory (GetConfiguration)."""

    base: ReportBase = ReportBase.FULL
    request_id: int | None = None

    @property
    def slot(self) -> str:
        """One that waits is enough."""
        return f"report:{self.base}"


class GetReport(Word, frozen=True):
    """Command: report some of the device model. 2.x only; 1.6 reads keys by GetVariables."""

    variables: tuple[ComponentVariable, ...] = ()
    criteria: tuple[ComponentCriterion, ...] = ()
    request_id: int | None = None


class VariableEntry(Word, frozen=True):
    """What was learned of one attribute of a variable. None: not said.

    `value_next`: taken by the station, in force after its next restart (RebootRequired). `mutability`: ReadOnly,
    WriteOnly or ReadWrite. `data_type`: 2.x DataEnumType. `values`: the list of allowed ones, as it was written.
    `monitored`: whether it can be monitored. The value of a secret is never here.
    """

    ref: VariableRef
    value: str | None = None
    value_next: str | None = None
    mutability: str | None = None
    data_type: str | None = None
    unit: str | None = None
    limit_min: float | None = None
    limit_max: float | None = None
    elements_max: int | None = None
    values: str | None = None
    persistent: bool | None = None
    constant: bool | None = None
    monitored: bool | None = None


class VariablesReported(Word, frozen=True):
    """Report: a part of a report (NotifyReport). `more`: further parts follow (tbc). `generated_at`: their clock."""

    request_id: int
    sequence: int
    more: bool = False
    generated_at: datetime | None = None
    entries: tuple[VariableEntry, ...] = ()


class VariablesAnswer(Word, frozen=True):
    """Taken note of."""


class ReportStatus(StrEnum):
    """How far a report is."""

    ASKED = "Asked"
    """The station said yes, or nothing in time; no part came yet."""
    RECEIVING = "Receiving"
    COMPLETE = "Complete"
    INCOMPLETE = "Incomplete"
    """The last part came, or was waited for too long; some are missing."""
    EMPTY = "Empty"
    """Nothing matches (EmptyResultSet)."""
    REFUSED = "Refused"
    """The station said no."""
    OVERDUE = "Overdue"
    """The station said yes, and no part ever came."""


ENDS = frozenset(
    {
        ReportStatus.COMPLETE,
        ReportStatus.INCOMPLETE,
        ReportStatus.EMPTY,
        ReportStatus.REFUSED,
        ReportStatus.OVERDUE,
    }
)
"""Statuses after which no part is expected."""


class ReportFlag(StrEnum):
    """What was odd about a report; its variables were stored all the same."""

    UNASKED = "unasked"
    """No request of this id is known."""
    REPEATED = "repeated"
    """A part came twice."""
    AFTER_LAST = "after_last"
    """A part came after the one that said it was the last."""


class ReportProgress(Word, frozen=True):
    """How far the report of a request is. `kind`: a word of `ReportBase`, `Custom`, or '' where it is not known.

    `sequence_next`: the next part expected. `parts`: how many came. `missing`: sequence numbers of parts that did not
    come, at most the first 32. `began_at`: when the first part came (our clock). `due_at`: until when the next one is
    waited for. `last_heard`: the part that says it is the last was heard.
    """

    request_id: int
    status: ReportStatus
    kind: str = ""
    sequence_next: int = 0
    parts: int = 0
    missing: tuple[int, ...] = ()
    began_at: datetime | None = None
    due_at: datetime | None = None
    last_heard: bool = False
    flags: tuple[ReportFlag, ...] = ()


class VariableSource(StrEnum):
    """How variables were learned."""

    REPORT = "report"
    READ = "read"
    WRITTEN = "written"


class VariablesRecorded(Word, frozen=True):
    """Fact: this was learned of variables.

    `gone`: the station does not know these (any more). `replaces_before`: this completes an inventory of all there is:
    what was last heard of before then is gone. `progress`: of the report that it is a part of.
    """

    source: VariableSource
    at: datetime
    entries: tuple[VariableEntry, ...] = ()
    gone: tuple[VariableRef, ...] = ()
    replaces_before: datetime | None = None
    progress: ReportProgress | None = None


class ReportFollowed(Word, frozen=True):
    """Fact: what became of a request for a report, other than a part of it."""

    progress: ReportProgress
    noted_at: datetime


class InventoryPlanned(Word, frozen=True):
    """Fact: a base report is to be asked for at that time, because the station is new or has changed.

    `identity`: a checksum of vendor, model and firmware as the station booted with.
    """

    due_at: datetime
    identity: int
    noted_at: datetime


class InventoryAsked(Word, frozen=True):
    """Fact: the planned report was asked for."""

    noted_at: datetime
