"""The device model: reports in many parts, and values read and written. OCPP 2.1 B05 to B08, 1.6 sections 5.3 and 5.8.

    asked ----- first part ----> receiving ----- last part, none missing ----> complete
      |  no part in time           |   last part or time over, some missing -> incomplete
      '--------> overdue           '-- a late part that was missing fills the gap

Parts may come before the answer to the request, twice, with gaps, or for a request that nobody made: their variables
are stored in any case, and the report is flagged. A complete full inventory replaces what it does not name.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.device_model import (
    GetBaseReport,
    GetReport,
    InventoryAsked,
    ReportBase,
    ReportFlag,
    ReportFollowed,
    ReportProgress,
    ReportStatus,
    VariableEntry,
    VariablesAnswer,
    VariableSource,
    VariablesRecorded,
    VariablesReported,
)
from engine.model.provisioning import GetVariables, SetVariables, VariableRef, VariableResult
from engine.redaction import is_secret_variable
from engine.station import commands
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.state import StationState

CUSTOM = "Custom"
MISSING_MAX = 32
SEQUENCE_MAX = 100_000
"""A station that claims to be further is taken to be at this part."""
UNKNOWN_WORDS = frozenset({"UnknownComponent", "UnknownVariable"})
UNSETTLED = frozenset({Result.TIMED_OUT, Result.LOST})
ANSWERED = frozenset({Result.ACCEPTED, Result.REFUSED, Result.FAILED})

_TAKEN = Reply(VariablesAnswer())


def reported(state: StationState, report: VariablesReported, context: Context) -> tuple[Effect, ...]:
    """Records a part, whoever asked for it."""
    progress = _after_part(_progress_of(state, report), report, context)
    whole = progress.status is ReportStatus.COMPLETE and progress.kind == ReportBase.FULL
    fact = VariablesRecorded(
        source=VariableSource.REPORT,
        at=context.received_at,
        entries=report.entries,
        replaces_before=progress.began_at if whole else None,
        progress=progress,
    )
    return Record(fact), _TAKEN


def report_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """What the answer to a request for a report means; 1.6 brings the variables with it."""
    command = request.command
    assert isinstance(command, GetBaseReport | GetReport), command
    kind = command.base.value if isinstance(command, GetBaseReport) else CUSTOM
    request_id = command.request_id or 0
    if outcome.result is Result.ACCEPTED and outcome.variables:
        return _answered_at_once(request_id, kind, outcome, context)
    known = state.inventory.find(request_id)
    status = _status_after(outcome)
    if status is None or (known is not None and known.parts and status is ReportStatus.ASKED):
        return ()
    due_at = _next_part_by(context) if status is ReportStatus.ASKED else None
    progress = known or ReportProgress(request_id=request_id, status=status, kind=kind)
    progress = replace(progress, status=status, due_at=due_at, kind=kind)
    return (Record(ReportFollowed(progress=progress, noted_at=context.now)),)


def read_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """The values that were read; of 1.6 without names: all there are."""
    if not outcome.variables:
        return ()
    command = request.command
    assert isinstance(command, GetVariables), command
    whole = not command.variables and outcome.result is Result.ACCEPTED
    gone = tuple(result.ref for result in outcome.variables if result.status in UNKNOWN_WORDS)
    fact = VariablesRecorded(
        source=VariableSource.READ,
        at=context.now,
        entries=_entries_read(outcome.variables),
        gone=gone,
        replaces_before=context.now if whole else None,
    )
    return (Record(fact),) if fact.entries or fact.gone else ()


def written_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """The values that the station took, now or at its next restart."""
    command = request.command
    assert isinstance(command, SetVariables), command
    if outcome.result not in ANSWERED:
        return ()
    entries = tuple(
        entry
        for setting, status in zip(command.settings, _words_of(command, outcome), strict=True)
        for entry in _written(setting.ref, setting.value, status)
    )
    if not entries:
        return ()
    return (Record(VariablesRecorded(source=VariableSource.WRITTEN, at=context.now, entries=entries)),)


def due_at(state: StationState) -> datetime | None:
    """When a planned report is to be asked for, or an overdue part given up."""
    return state.inventory.due_at


def ring(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Asks for the planned report, gives up what is overdue."""
    effects: list[Effect] = []
    for report in state.inventory.reports:
        if report.due_at is not None and report.due_at <= context.now:
            status = ReportStatus.INCOMPLETE if report.parts else ReportStatus.OVERDUE
            over = replace(report, status=status, due_at=None)
            effects.append(Record(ReportFollowed(progress=over, noted_at=context.now)))
    ask_at = state.inventory.ask_at
    if ask_at is not None and ask_at <= context.now:
        effects.append(Record(InventoryAsked(noted_at=context.now)))
        effects += commands.issue(state, context, GetBaseReport(), f"inventory:{ask_at:%Y%m%dT%H%M%S}")
    return tuple(effects)


def _progress_of(state: StationState, report: VariablesReported) -> ReportProgress:
    """What is known of the report that this is a part of; the answer to the request may still be on its way."""
    known = state.inventory.find(report.request_id)
    if known is not None:
        return known
    for command in state.queue.open:
        asked = command.request.command
        if isinstance(asked, GetBaseReport | GetReport) and asked.request_id == report.request_id:
            kind = asked.base.value if isinstance(asked, GetBaseReport) else CUSTOM
            return ReportProgress(request_id=report.request_id, status=ReportStatus.RECEIVING, kind=kind)
    flags = (ReportFlag.UNASKED,)
    return ReportProgress(request_id=report.request_id, status=ReportStatus.RECEIVING, flags=flags)


def _after_part(progress: ReportProgress, report: VariablesReported, context: Context) -> ReportProgress:
    sequence = min(max(report.sequence, 0), SEQUENCE_MAX)
    missing, flags = progress.missing, progress.flags
    if sequence in missing:
        missing = tuple(number for number in missing if number != sequence)
    elif sequence < progress.sequence_next:
        flags = _with(flags, ReportFlag.REPEATED)
    elif progress.last_heard:
        flags = _with(flags, ReportFlag.AFTER_LAST)
    else:
        skipped = range(progress.sequence_next, min(sequence, progress.sequence_next + MISSING_MAX))
        missing = (*missing, *skipped)[:MISSING_MAX]
    last_heard = progress.last_heard or not report.more
    status = ReportStatus.COMPLETE if last_heard and not missing else ReportStatus.RECEIVING
    over = status is ReportStatus.COMPLETE
    return replace(
        progress,
        status=status,
        sequence_next=max(progress.sequence_next, sequence + 1),
        parts=progress.parts + 1,
        missing=missing,
        began_at=progress.began_at or context.received_at,
        due_at=None if over else _next_part_by(context),
        last_heard=last_heard,
        flags=flags,
    )


def _next_part_by(context: Context) -> datetime:
    """Until when the next part is waited for."""
    return context.now + timedelta(seconds=context.policy.provisioning.report_part_s)


def _with(flags: tuple[ReportFlag, ...], flag: ReportFlag) -> tuple[ReportFlag, ...]:
    return flags if flag in flags else (*flags, flag)


def _status_after(outcome: Outcome) -> ReportStatus | None:
    """None: the request never reached the station."""
    if outcome.status == "EmptyResultSet":
        return ReportStatus.EMPTY
    if outcome.result is Result.ACCEPTED or outcome.result in UNSETTLED:
        return ReportStatus.ASKED
    return ReportStatus.REFUSED if outcome.result in ANSWERED else None


def _answered_at_once(request_id: int, kind: str, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """1.6: the inventory is the answer."""
    progress = ReportProgress(
        request_id=request_id,
        status=ReportStatus.COMPLETE,
        kind=kind,
        sequence_next=1,
        parts=1,
        began_at=context.now,
        last_heard=True,
    )
    fact = VariablesRecorded(
        source=VariableSource.REPORT,
        at=context.now,
        entries=_entries_read(outcome.variables),
        replaces_before=context.now if kind == ReportBase.FULL else None,
        progress=progress,
    )
    return (Record(fact),)


def _entries_read(results: tuple[VariableResult, ...]) -> tuple[VariableEntry, ...]:
    return tuple(
        VariableEntry(
            ref=result.ref,
            value=None if is_secret_variable(result.ref.component, result.ref.variable) else result.value,
            mutability=None if result.readonly is None else ("ReadOnly" if result.readonly else "ReadWrite"),
        )
        for result in results
        if result.status == "Accepted"
    )


def _words_of(command: SetVariables, outcome: Outcome) -> list[str | None]:
    """The station's word on each setting: by name; by place where names differ and all are there; 1.6 has one."""
    results = outcome.variables
    if not results:
        return [outcome.status if len(command.settings) == 1 else None] * len(command.settings)
    told = {result.ref.address: result.status for result in results}
    if len(results) != len(command.settings):
        return [told.get(setting.ref.address) for setting in command.settings]
    pairs = zip(command.settings, results, strict=True)
    return [told.get(setting.ref.address, result.status) for setting, result in pairs]


def _written(ref: VariableRef, value: str, status: str | None) -> tuple[VariableEntry, ...]:
    """What is known of a variable after a write; a secret is only known to be there."""
    if is_secret_variable(ref.component, ref.variable):
        return ()
    if status == "Accepted":
        return (VariableEntry(ref=ref, value=value),)
    return (VariableEntry(ref=ref, value_next=value),) if status == "RebootRequired" else ()
