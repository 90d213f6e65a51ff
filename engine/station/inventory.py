"""The inventory: what a station's state remembers of its device model, and how facts change it.

Only how far its reports are and for which firmware the whole model is known; the variables are in PostgreSQL.
"""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from engine.model.device_model import (
    ENDS,
    InventoryAsked,
    InventoryPlanned,
    ReportBase,
    ReportFollowed,
    ReportProgress,
    ReportStatus,
    VariablesRecorded,
)

REPORTS_OPEN_MAX = 4
"""The oldest beyond is forgotten: its parts are stored all the same, flagged as unasked."""


class Inventory(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is known of a station's device model.

    `reports`: that are under way, oldest first. `known`: the identity (checksum of vendor, model, firmware) whose whole
    model is in the tables; 0: none. `wanted`: the identity for which a report is planned or was asked for; 0: none.
    `ask_at`: when it will be asked for; None: not planned. `restart_awaited`: a value was written that is in force only
    after a restart.
    """

    reports: tuple[ReportProgress, ...] = ()
    known: int = 0
    wanted: int = 0
    ask_at: datetime | None = None
    restart_awaited: bool = False

    def find(self, request_id: int) -> ReportProgress | None:
        """A report that is under way."""
        return next((report for report in self.reports if report.request_id == request_id), None)

    @property
    def due_at(self) -> datetime | None:
        """When something is to be asked or given up; None: nothing."""
        moments = [report.due_at for report in self.reports if report.due_at is not None]
        if self.ask_at is not None:
            moments.append(self.ask_at)
        return min(moments, default=None)

    def after(self, fact: VariablesRecorded | ReportFollowed | InventoryPlanned | InventoryAsked) -> "Inventory":
        """With what the fact tells."""
        match fact:
            case VariablesRecorded():
                return self._learned(fact)
            case ReportFollowed():
                return self._with_report(fact.progress)
            case InventoryPlanned():
                return replace(self, ask_at=fact.due_at, wanted=fact.identity)
            case InventoryAsked():
                return replace(self, ask_at=None)

    def _learned(self, fact: VariablesRecorded) -> "Inventory":
        pending = any([entry.value_next is not None for entry in fact.entries])  # noqa: C419 (a list is faster for few)
        inventory = self if fact.progress is None else self._with_report(fact.progress)
        return replace(inventory, restart_awaited=True) if pending else inventory

    def _with_report(self, progress: ReportProgress) -> "Inventory":
        others = tuple(report for report in self.reports if report.request_id != progress.request_id)
        if progress.status not in ENDS:
            return replace(self, reports=(*others, progress)[-REPORTS_OPEN_MAX:])
        if progress.status is ReportStatus.COMPLETE and progress.kind == ReportBase.FULL:
            known = self.wanted or self.known
            return replace(self, reports=others, known=known, wanted=0, restart_awaited=False)
        return replace(self, reports=others)
