"""Diagnostics: uploads of logs, and what a station keeps of a customer. OCPP 2.1 N01, N09, N10; 1.6 section 4.4.

    asked -- Uploading ---- Uploaded ------------------------------------------------------------ ended
      |          '--------- UploadFailure, BadMessage, PermissionDenied, NotSupportedOperation -- ended, or once more
      |-- refused (Rejected, no file name on 1.6, CALLERROR) ------------------------------------ ended
      |-- a newer request accepted with AcceptedCanceled, or on 1.6, which has no word for it --- ended: cancelled
      '-- nothing heard for `DiagnosticsPolicy.log_silence_s` ---------- stalled, told once

What a station tells of a customer is personal data. It comes in parts, which are put together on pages of PAGE_MAX
characters, so that nothing is lost however long it is, and little is in memory. Whom it is about stands in the command.
"""

from datetime import datetime

from engine.model.commands import CommandRequest, Outcome
from engine.model.diagnostics import (
    CustomerInformation,
    CustomerInformationAsked,
    CustomerInformationMissing,
    CustomerInformationRecorded,
    CustomerInformationReported,
    GetLog,
    LogAsked,
    LogEnded,
    LogFile,
    LogStatus,
    LogStatusRecorded,
    LogStatusReported,
)
from engine.model.notices import NoticeAnswer
from engine.station import procedures
from engine.station.context import Context
from engine.station.diagnostics_memory import LOG_ENDS, LOG_FAILURES, CustomerReport, Upload
from engine.station.effects import Effect, Record, Reply
from engine.station.procedures import Said, Steps
from engine.station.state import StationState, evolve

PAGE_MAX = 8192
"""Characters of a report about a customer that are kept on one page."""
GAP = "gap"
"""Flag: a part before this one is missing."""
RESTARTED = "restarted"
"""Flag: the report began anew."""
REPEATED = "repeated"
"""Flag: the part had come before."""

_TAKEN = Reply(NoticeAnswer())

UPLOAD = Steps(
    rank={LogStatus.UPLOADING: 1, **dict.fromkeys(LOG_ENDS, 2)},
    ends=LOG_ENDS,
    failures=LOG_FAILURES,
    again=frozenset({LogStatus.UPLOADING}),
)


def log_reported(state: StationState, report: LogStatusReported, context: Context) -> tuple[Effect, ...]:
    """Records how far an upload is, and which one that is."""
    early = _log_asked_early(state, report.request_id, context)
    for effect in early:
        state = evolve(state, effect.fact)
    status = report.status
    upload = _meant(state, report)
    idle = status is LogStatus.IDLE
    if upload is None:
        flags = _unknown(report.request_id, idle=idle)
    else:
        flags = () if status is LogStatus.ACCEPTED_CANCELED else UPLOAD.flags(upload, status)
    counts = upload is not None and not idle and not upload.cancelled
    fact = LogStatusRecorded(
        status=status,
        number=state.diagnostics.statuses + 1,
        at=context.received_at,
        request_id=upload.request_id if upload is not None and counts else None,
        said_id=report.request_id,
        expected_by=None if status in LOG_ENDS else _log_expected_by(context),
        detail=report.detail,
        flags=flags,
    )
    return *early, Record(fact), _TAKEN


def log_settled(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """A request for a log was answered, or not answered: follows it, and ends those whose place it took."""
    said = procedures.said(outcome)
    if said is None:
        return ()
    file_name = outcome.found.name if isinstance(outcome.found, LogFile) else None
    fact = _log_asked(request, context, said, file_name)
    effects: tuple[Effect, ...] = (Record(fact),)
    if said.accepted and outcome.status in ("AcceptedCanceled", None):
        for known in procedures.others_under_way(state.diagnostics.uploads, fact.request_id):
            if outcome.status is not None or known.kind is fact.kind:
                effects = (*effects, Record(LogEnded(known.request_id, context.now)))
    return effects


def customer_reported(state: StationState, report: CustomerInformationReported, context: Context) -> tuple[Effect, ...]:
    """Puts a part of a report about a customer to those before it."""
    early = _customer_asked_early(state, report.request_id, context)
    for effect in early:
        state = evolve(state, effect.fact)
    known = state.diagnostics.customer(report.request_id)
    page, text, flags = _continued(known, report)
    gaps = known is None or (report.sequence > 0 and (known.gaps or report.sequence > known.part_next))
    fact = CustomerInformationRecorded(
        request_id=report.request_id,
        sequence=report.sequence,
        page=page,
        text=text,
        at=context.received_at,
        more=report.more,
        complete=not report.more and not gaps,
        expected_by=_report_expected_by(context) if report.more else None,
        flags=flags,
    )
    return *early, Record(fact), _TAKEN


def customer_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A question about a customer was answered, or not answered."""
    del state
    said = procedures.said(outcome)
    if said is None:
        return ()
    return (Record(_customer_asked(request, context, said)),)


def due_at(state: StationState) -> datetime | None:
    """When news of an upload, or the next part of a report, should have come."""
    return procedures.due_at((*state.diagnostics.uploads, *state.diagnostics.customers))


def rung(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Tells of uploads and reports that nothing more was heard of."""
    uploads = procedures.overdue(state.diagnostics.uploads, context.now)
    customers = procedures.overdue(state.diagnostics.customers, context.now)
    return (
        *(Record(LogEnded(known.request_id, context.now, stalled=True)) for known in uploads),
        *(Record(CustomerInformationMissing(known.request_id, context.now)) for known in customers),
    )


def _unknown(request_id: int | None, *, idle: bool) -> tuple[str, ...]:
    if request_id is not None:
        return (procedures.UNKNOWN_REQUEST,)
    return () if idle else (procedures.UNSOLICITED,)


def _meant(state: StationState, report: LogStatusReported) -> Upload | None:
    """The upload that a status is about.

    Without a number: the youngest under way, or the last one where the station repeats itself or tries again.
    """
    upload = state.diagnostics.upload(report.request_id)
    if upload is not None or report.request_id is not None or not state.diagnostics.uploads:
        return upload
    last = state.diagnostics.uploads[-1]
    goes_on = last.status == report.status or (last.status in LOG_FAILURES and report.status in UPLOAD.again)
    return last if goes_on and not last.cancelled else None


def _continued(known: CustomerReport | None, report: CustomerInformationReported) -> tuple[int, str, tuple[str, ...]]:
    """The page that a part is on, the text on it, and what is odd."""
    if known is None:
        return report.sequence, report.text, (procedures.UNKNOWN_REQUEST,)
    if report.sequence == 0:
        return 0, report.text, (RESTARTED,) if known.part_next > 0 else ()
    flags: tuple[str, ...] = (procedures.AFTER_END,) if known.ended else ()
    if report.sequence > known.part_next:
        flags = (*flags, GAP)
    elif report.sequence < known.part_next:
        if known.text.endswith(report.text):
            return known.page, known.text, (*flags, REPEATED)
        flags = (*flags, procedures.OUT_OF_ORDER)
    if known.ended or len(known.text) + len(report.text) > PAGE_MAX:
        return known.page + 1, report.text, flags
    return known.page, known.text + report.text, flags


def _log_expected_by(context: Context) -> datetime:
    return procedures.expected_by(context.now, context.policy.diagnostics.log_silence_s)


def _report_expected_by(context: Context) -> datetime:
    return procedures.expected_by(context.now, context.policy.diagnostics.report_silence_s)


def _log_asked_early(state: StationState, request_id: int | None, context: Context) -> tuple[Record, ...]:
    """The upload that a status is about which came before the answer to the command."""
    request = procedures.sent_request(state.queue, GetLog, request_id)
    if request is None or state.diagnostics.upload(request_id) is not None:
        return ()
    return (Record(_log_asked(request, context, Said(), None)),)


def _log_asked(request: CommandRequest, context: Context, said: Said, file_name: str | None) -> LogAsked:
    command = request.command
    assert isinstance(command, GetLog)
    return LogAsked(
        request_id=command.request_id or 0,
        command_id=request.command_id,
        kind=command.kind,
        location=command.location,
        noted_at=context.now,
        accepted=said.accepted,
        answer=said.answer,
        file_name=file_name,
        oldest_at=command.oldest_at,
        latest_at=command.latest_at,
        expected_by=_log_expected_by(context),
    )


def _customer_asked_early(state: StationState, request_id: int, context: Context) -> tuple[Record, ...]:
    request = procedures.sent_request(state.queue, CustomerInformation, request_id)
    if request is None or state.diagnostics.customer(request_id) is not None:
        return ()
    return (Record(_customer_asked(request, context, Said())),)


def _customer_asked(request: CommandRequest, context: Context, said: Said) -> CustomerInformationAsked:
    command = request.command
    assert isinstance(command, CustomerInformation)
    return CustomerInformationAsked(
        request_id=command.request_id or 0,
        command_id=request.command_id,
        report=command.report,
        clear=command.clear,
        noted_at=context.now,
        accepted=said.accepted,
        answer=said.answer,
        expected_by=_report_expected_by(context),
    )
