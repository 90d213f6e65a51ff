"""What a station's state remembers of DER controls, and how facts change it. Part of the state; bounded.

The controls themselves are in PostgreSQL. Rests in Redis as arrays: fields are added at the end with a default.
"""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from engine.model.der_control import (
    DerAlarmEnded,
    DerAlarmRaised,
    DerControlInstalled,
    DerControlRemoved,
    DerControlType,
    DerReportBegun,
    DerReportEnded,
    DerReportHeard,
    GetDerControl,
)

CONTROLS_MAX = 96
"""The oldest beyond is forgotten: that it is not reported any more would not be noticed, no more."""
REPORTS_MAX = 4
REPORTED_IDS_MAX = 512
REPORT_S = 120.0
"""How long the next part of a report is waited for."""


class KnownControl(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A control that the station has."""

    id: str
    type: DerControlType
    is_default: bool
    at: datetime


class AwaitedControls(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A report of controls that was asked for. `ended`: it came, maybe before the answer to the request."""

    asked: GetDerControl
    began_at: datetime
    heard_at: datetime
    seen: tuple[str, ...] = ()
    ended: bool = False


class DerMemory(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is remembered of one station, oldest first. `alarm_at`: since when it deviates; None: it does not."""

    controls: tuple[KnownControl, ...] = ()
    reports: tuple[AwaitedControls, ...] = ()
    alarm_at: datetime | None = None

    def find(self, control_id: str) -> KnownControl | None:
        """A control by its id."""
        return next((control for control in self.controls if control.id == control_id), None)

    def report(self, request_id: int) -> AwaitedControls | None:
        """A report by its request."""
        return next((report for report in self.reports if report.asked.request_id == request_id), None)

    @property
    def due_at(self) -> datetime | None:
        """When a report is given up; None: none is awaited."""
        moments = [report.heard_at + timedelta(seconds=REPORT_S) for report in self.reports if not report.ended]
        return min(moments, default=None)

    def after(
        self,
        fact: DerControlInstalled
        | DerControlRemoved
        | DerReportBegun
        | DerReportHeard
        | DerReportEnded
        | DerAlarmRaised
        | DerAlarmEnded,
    ) -> "DerMemory":
        """With what the fact tells."""
        match fact:
            case DerControlInstalled():
                control = fact.control
                others = tuple(other for other in self.controls if other.id != control.id)
                known = KnownControl(control.id, control.type, control.is_default, fact.at)
                return replace(self, controls=(*others, known)[-CONTROLS_MAX:])
            case DerControlRemoved():
                return replace(self, controls=tuple(each for each in self.controls if each.id != fact.control_id))
            case DerAlarmRaised():
                return replace(self, alarm_at=fact.raised_at)
            case DerAlarmEnded():
                return replace(self, alarm_at=None)
            case DerReportBegun():
                begun = AwaitedControls(fact.asked, fact.at, fact.at)
                return replace(self, reports=(*self.reports, begun)[-REPORTS_MAX:])
            case DerReportHeard() | DerReportEnded():
                return replace(self, reports=tuple(_heard(report, fact) for report in self.reports))


def _heard(report: AwaitedControls, fact: DerReportHeard | DerReportEnded) -> AwaitedControls:
    if report.asked.request_id != fact.request_id:
        return report
    if isinstance(fact, DerReportEnded):
        return replace(report, ended=True, seen=())
    return replace(report, heard_at=fact.at, seen=(*report.seen, *fact.control_ids)[:REPORTED_IDS_MAX])
