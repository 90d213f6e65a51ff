"""DER control: which controls a station has, what it runs of them, and its alarms. OCPP 2.1 block R.

    control    accepted or reported -> known -> cleared, its time over (R04.FR.22), or not reported any more -> gone
    alarm      raised -> (another control takes it over: the same alarm, R05.FR.03) -> ended

Reports come in parts, maybe before the answer to the request; parts of no known request are kept and flagged.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.der_control import (
    ClearDerControl,
    ControlsSuperseded,
    DerAlarmEnded,
    DerAlarmRaised,
    DerAlarmReported,
    DerControlInstalled,
    DerControlRan,
    DerControlRemoved,
    DerControlsReported,
    DerControlsSuperseded,
    DerControlType,
    DerFlag,
    DerNoted,
    DerRemovalReason,
    DerReportBegun,
    DerReportEnded,
    DerReportHeard,
    DerStartStopReported,
    GetDerControl,
    SetDerControl,
)
from engine.station.context import Context
from engine.station.der_memory import REPORT_S, REPORTED_IDS_MAX, KnownControl
from engine.station.effects import Effect, Record, Reply
from engine.station.state import StationState

DEFAULT_ONLY = frozenset({DerControlType.ENTER_SERVICE, DerControlType.GRADIENTS})
NOT_FOUND = "NotFound"
"""A station's word for: there is no such control."""
_TIMES = ("startTime", "duration")
_NOTED = Reply(DerNoted())


def objection_to_set(_state: StationState, command: SetDerControl, _context: Context) -> str | None:
    """Why a control must not be set: times are for scheduled controls, and those need both (DERCurveType)."""
    control = command.control
    said = [name for name in _TIMES if name in control.settings]
    if control.type in DEFAULT_ONLY and not control.is_default:
        return f"{control.type} is a default control only: say is_default true."
    if control.is_default and said:
        return f"A default control has no time, this one has a {said[0]}: leave it out, or say is_default false."
    if not control.is_default and len(said) < len(_TIMES):
        return "A scheduled control has a startTime and a duration: name both, or say is_default true."
    return None


def set_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """The station has the control; others may not count any more."""
    command = request.command
    assert isinstance(command, SetDerControl), command
    if outcome.result is not Result.ACCEPTED:
        return ()
    installed = Record(DerControlInstalled(control=command.control, at=context.now))
    if not isinstance(outcome.found, ControlsSuperseded):
        return (installed,)
    return installed, Record(DerControlsSuperseded(outcome.found.control_ids, context.now, by=command.control.id))


def clear_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """What fits is gone; also where the station says that there is nothing."""
    command = request.command
    assert isinstance(command, ClearDerControl), command
    fitting = [control for control in state.der.controls if _fits(command, control)]
    if outcome.result is Result.ACCEPTED:
        return _removed(fitting, DerRemovalReason.CLEARED, context.now)
    if outcome.status == NOT_FOUND:
        return _removed(fitting, DerRemovalReason.NOT_REPORTED, context.now)
    return ()


def report_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A report follows (or came before this answer), or there is nothing to report."""
    command = request.command
    assert isinstance(command, GetDerControl), command
    if outcome.result is not Result.ACCEPTED:
        return ()
    if outcome.status == NOT_FOUND:
        fitting = [control for control in state.der.controls if _fits(command, control)]
        return _removed(fitting, DerRemovalReason.NOT_REPORTED, context.now)
    if state.der.report(command.request_id or 0) is not None:
        return ()
    return (Record(DerReportBegun(asked=command, at=context.now)),)


def controls_reported(state: StationState, report: DerControlsReported, context: Context) -> tuple[Effect, ...]:
    """Keeps what a part of a report tells; after the last, what was not in it is gone."""
    at = context.received_at
    effects: list[Effect] = []
    known = state.der.report(report.request_id)
    asked = None if known is None or known.ended else known.asked
    if known is None:
        asked = _asked_for(state, report.request_id)
        if asked is not None:
            effects.append(Record(DerReportBegun(asked=asked, at=at)))
    effects += [Record(DerControlInstalled(control=each, at=at, reported=True)) for each in report.controls]
    ids = tuple(each.id for each in report.controls)[:REPORTED_IDS_MAX]
    flags = () if asked is not None else (DerFlag.UNKNOWN_REQUEST,)
    effects.append(Record(DerReportHeard(report.request_id, ids, report.more, at, flags)))
    if asked is not None and not report.more:
        seen = (*(() if known is None else known.seen), *ids)
        began_at = at if known is None else known.began_at
        effects += _missing(state, asked, seen, began_at, at)
        effects.append(Record(DerReportEnded(report.request_id, at)))
    return *effects, _NOTED


def start_stop_reported(state: StationState, report: DerStartStopReported, context: Context) -> tuple[Effect, ...]:
    """A scheduled control began, or is over and so deleted (R04.FR.10)."""
    at = context.received_at
    known = state.der.find(report.control_id)
    ran = DerControlRan(
        control_id=report.control_id,
        started=report.started,
        at=at,
        station_at=report.at,
        superseded_ids=report.superseded_ids,
        flags=() if known is not None else (DerFlag.UNKNOWN_CONTROL,),
    )
    effects: list[Effect] = [Record(ran)]
    if report.superseded_ids:
        effects.append(Record(DerControlsSuperseded(report.superseded_ids, at, by=report.control_id)))
    if not report.started and known is not None and not known.is_default:
        effects += _removed([known], DerRemovalReason.ENDED, at)
    return *effects, _NOTED


def alarm_reported(state: StationState, report: DerAlarmReported, context: Context) -> tuple[Effect, ...]:
    """The inverter deviates, because of another control perhaps, or no more."""
    at = context.received_at
    raised_at = state.der.alarm_at
    if not report.ended:
        return Record(DerAlarmRaised(raised_at=raised_at or at, report=report, at=at)), _NOTED
    flags = () if raised_at is not None else (DerFlag.NO_ALARM,)
    return Record(DerAlarmEnded(raised_at=raised_at or at, report=report, at=at, flags=flags)), _NOTED


def due_at(state: StationState) -> datetime | None:
    """When a report is given up."""
    return state.der.due_at


def ring(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Gives up reports whose last part did not come."""
    return tuple(
        Record(DerReportEnded(report.asked.request_id or 0, context.now, (DerFlag.INCOMPLETE,)))
        for report in state.der.reports
        if not report.ended and report.heard_at + timedelta(seconds=REPORT_S) <= context.now
    )


def _asked_for(state: StationState, request_id: int) -> GetDerControl | None:
    """The request, where its answer has not come yet."""
    sent = state.queue.sent
    command = None if sent is None else sent.request.command
    return command if isinstance(command, GetDerControl) and command.request_id == request_id else None


def _missing(
    state: StationState, asked: GetDerControl, seen: tuple[str, ...], began_at: datetime, at: datetime
) -> tuple[Effect, ...]:
    """What fits the request, was there before it, and was not reported."""
    if len(seen) >= REPORTED_IDS_MAX:
        return ()
    gone = [each for each in state.der.controls if _fits(asked, each) and each.id not in seen and each.at <= began_at]
    return _removed(gone, DerRemovalReason.NOT_REPORTED, at)


def _fits(asked: GetDerControl | ClearDerControl, control: KnownControl) -> bool:
    """R04.FR.30: what is not said fits any."""
    fits = [
        asked.is_default is None or control.is_default is asked.is_default,
        asked.type is None or control.type is asked.type,
        asked.control_id is None or control.id == asked.control_id,
    ]
    return all(fits)


def _removed(those: Iterable[KnownControl], reason: DerRemovalReason, at: datetime) -> tuple[Effect, ...]:
    return tuple(Record(DerControlRemoved(control.id, reason, at)) for control in those)
