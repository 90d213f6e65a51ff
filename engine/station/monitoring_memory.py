"""What is remembered of monitoring: reports that were asked for, and whether a report should be asked for again."""

from datetime import datetime
from typing import Self, assert_never

import msgspec
from msgspec.structs import replace

from engine.model.monitoring import (
    EventsRecorded,
    MonitoringReportAsked,
    MonitoringReportMissing,
    MonitoringReportPlanned,
    MonitorsRecorded,
    MonitorsSet,
)
from engine.station import procedures
from engine.station.procedures import Procedure

REPORTS_MAX = 4

MonitoringFact = (
    MonitorsSet
    | MonitoringReportPlanned
    | MonitoringReportAsked
    | MonitorsRecorded
    | MonitoringReportMissing
    | EventsRecorded
)


class MonitorReport(Procedure, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A report. `whole`: of all monitors. `part_next`: the sequence number that should come. `gaps`: one is missing."""

    whole: bool = False
    part_next: int = 0
    gaps: bool = False


class Monitoring(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`known`: monitors of the station are known here, so a boot makes them worth asking for again (N04.FR.19).

    `ask_at`: when to ask; None: no need. `messages`: how many messages with events came, ever.
    """

    reports: tuple[MonitorReport, ...] = ()
    messages: int = 0
    known: bool = False
    ask_at: datetime | None = None

    def after(self, fact: MonitoringFact) -> Self:
        """After something became true."""
        match fact:
            case EventsRecorded():
                return replace(self, messages=fact.number)
            case MonitorsSet():
                return replace(self, known=True)
            case MonitoringReportPlanned():
                return replace(self, ask_at=fact.due_at)
            case MonitoringReportAsked():
                return self._asked(fact)
            case MonitorsRecorded():
                return self._told(fact)
            case MonitoringReportMissing():
                return replace(self, reports=procedures.silenced(self.reports, fact.request_id))
            case _:
                assert_never(fact)

    def report(self, request_id: int) -> MonitorReport | None:
        """The one of this number."""
        return procedures.find(self.reports, request_id)

    def _asked(self, fact: MonitoringReportAsked) -> Self:
        known = self.report(fact.request_id)
        ended = fact.accepted is False or fact.empty or (known is not None and known.ended)
        report = replace(
            known or MonitorReport(fact.request_id, whole=fact.whole),
            ended=ended,
            expected_by=None if ended else fact.expected_by,
        )
        return replace(self, reports=procedures.put(self.reports, report, REPORTS_MAX))

    def _told(self, fact: MonitorsRecorded) -> Self:
        part = fact.report
        report = self.report(part.request_id)
        if report is None:
            return replace(self, known=True)
        told = replace(
            report,
            ended=not part.more,
            part_next=part.sequence + 1,
            gaps=part.sequence > 0 and (report.gaps or part.sequence > report.part_next),
            expected_by=fact.expected_by,
        )
        return replace(self, known=True, reports=procedures.put(self.reports, told, REPORTS_MAX))
