"""Monitoring: which monitors a station has, and the events they make. OCPP 2.1 N02 to N08, G01.

Monitors are known from three sources: what was set from here and accepted, what was cleared, and reports. A report of
all of them is the truth: what it does not have is gone. After a boot, and after another monitoring base, the numbers
may be others (N04.FR.19, N03): a report is asked for by itself where monitors are known.

The availability of connectors comes as events in 2.1 (G01): those are told to `availability` as well.
"""

from datetime import datetime, timedelta

from engine.model.availability import ConnectorStatus, ConnectorStatusReported
from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.ids import EvseRef
from engine.model.monitoring import (
    EventsRecorded,
    EventsReported,
    GetMonitoringReport,
    Monitor,
    MonitoringBase,
    MonitoringEvent,
    MonitoringReportAsked,
    MonitoringReportMissing,
    MonitoringReportPlanned,
    MonitoringSet,
    MonitorKind,
    MonitorResult,
    MonitorResults,
    MonitorsCleared,
    MonitorSetting,
    MonitorsGone,
    MonitorsRecorded,
    MonitorsReported,
    MonitorsSet,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetVariableMonitoring,
)
from engine.model.notices import NoticeAnswer
from engine.model.provisioning import BootReported, VariableRef
from engine.station import availability, commands, procedures
from engine.station.context import Context
from engine.station.diagnostics import GAP, REPEATED, RESTARTED
from engine.station.effects import Effect, Record, Reply
from engine.station.monitoring_memory import MonitorReport
from engine.station.procedures import Said
from engine.station.state import StationState, evolve

ASK_AFTER_S = 60.0
"""How long after a boot the monitors are asked for again: a station has enough to tell then."""
ASK_SOON_S = 5.0
"""How long after another monitoring base."""

_TAKEN = Reply(NoticeAnswer())
_STATUS_OF = {status.value.lower(): status for status in ConnectorStatus}
_AVAILABILITY = "availabilitystate"


def reported(state: StationState, report: MonitorsReported, context: Context) -> tuple[Effect, ...]:
    """Records a part of a report of monitors."""
    early = _asked_early(state, report.request_id, context)
    for effect in early:
        state = evolve(state, effect.fact)
    known = state.monitoring.report(report.request_id)
    gaps = known is None or (report.sequence > 0 and (known.gaps or report.sequence > known.part_next))
    fact = MonitorsRecorded(
        report=report,
        at=context.received_at,
        first=known is not None and known.whole and report.sequence == 0,
        complete=not report.more and not gaps,
        expected_by=_expected_by(context) if report.more else None,
        flags=(procedures.UNKNOWN_REQUEST,) if known is None else _oddities(known, report),
    )
    return *early, Record(fact), _TAKEN


def events_reported(state: StationState, report: EventsReported, context: Context) -> tuple[Effect, ...]:
    """Records events, and the statuses of connectors among them."""
    fact = EventsRecorded(report=report, number=state.monitoring.messages + 1, at=context.received_at)
    effects: tuple[Effect, ...] = (Record(fact),)
    for event in report.events:
        status = _status_of(event)
        if status is None:
            continue
        more = tuple(
            effect for effect in availability.reported(state, status, context) if not isinstance(effect, Reply)
        )
        for effect in more:
            if isinstance(effect, Record):
                state = evolve(state, effect.fact)
        effects = (*effects, *more)
    return *effects, _TAKEN


def set_settled(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """Monitors that a station took."""
    del state
    command = request.command
    assert isinstance(command, SetVariableMonitoring)
    if not isinstance(outcome.found, MonitorResults):
        return ()
    left = list(command.monitors)
    taken: list[Monitor] = []
    for result in outcome.found.results:
        setting = next((each for each in left if _same(each, result)), None)
        if setting is None:
            continue
        left.remove(setting)
        number = setting.id if result.id is None else result.id
        if result.status == "Accepted" and number is not None:
            taken.append(_monitor(setting, number))
    return (Record(MonitorsSet(tuple(taken), context.now)),) if taken else ()


def clear_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """Monitors that are no more."""
    del state, request
    if not isinstance(outcome.found, MonitorsGone) or not outcome.found.ids:
        return ()
    return (Record(MonitorsCleared(context.now, outcome.found.ids)),)


def report_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A report was promised, or there is nothing to report."""
    del state
    said = procedures.said(outcome)
    if said is None:
        return ()
    fact = _asked(request, context, said)
    if fact.empty and fact.whole:
        return Record(fact), Record(MonitorsCleared(context.now, all=True))
    return (Record(fact),)


def base_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """Another set of monitors is active: which, a report has to tell."""
    del state
    command = request.command
    assert isinstance(command, SetMonitoringBase)
    if outcome.result is not Result.ACCEPTED:
        return ()
    planned = Record(MonitoringReportPlanned(context.now + timedelta(seconds=ASK_SOON_S), context.now))
    chosen = Record(MonitoringSet(context.now, base=command.base))
    if command.base is MonitoringBase.ALL:
        return chosen, planned
    return chosen, Record(MonitorsCleared(context.now, all=True)), planned


def level_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """Events of other severities come from now on."""
    del state
    command = request.command
    assert isinstance(command, SetMonitoringLevel)
    if outcome.result is not Result.ACCEPTED:
        return ()
    return (Record(MonitoringSet(context.now, level=command.severity)),)


def booted(state: StationState, _report: BootReported, context: Context) -> tuple[MonitoringReportPlanned, ...]:
    """After a boot the numbers of monitors may be others (N04.FR.19)."""
    if not state.monitoring.known:
        return ()
    return (MonitoringReportPlanned(context.now + timedelta(seconds=ASK_AFTER_S), context.now),)


def due_at(state: StationState) -> datetime | None:
    """When a report should be asked for, or its next part should have come."""
    moments = (state.monitoring.ask_at, procedures.due_at(state.monitoring.reports))
    return min((at for at in moments if at is not None), default=None)


def rung(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Asks for a report; tells of those whose rest did not come."""
    late = procedures.overdue(state.monitoring.reports, context.now)
    effects: tuple[Effect, ...] = tuple(
        Record(MonitoringReportMissing(known.request_id, context.now)) for known in late
    )
    ask_at = state.monitoring.ask_at
    if ask_at is None or ask_at > context.now:
        return effects
    asked = commands.issue(state, context, GetMonitoringReport(), f"monitors:{ask_at.isoformat()}")
    return *effects, Record(MonitoringReportPlanned(None, context.now)), *asked


def _oddities(known: MonitorReport, report: MonitorsReported) -> tuple[str, ...]:
    """What is odd about a part."""
    if report.sequence == 0:
        return (RESTARTED,) if known.part_next > 0 else ()
    flags: tuple[str, ...] = (procedures.AFTER_END,) if known.ended else ()
    if report.sequence > known.part_next:
        return (*flags, GAP)
    return (*flags, REPEATED) if report.sequence < known.part_next else flags


def _status_of(event: MonitoringEvent) -> ConnectorStatusReported | None:
    """The status that an event tells; None: it is about something else.

    Of an EVSE as a whole none is taken: its connectors have their own.
    """
    ref = event.ref
    status = _STATUS_OF.get(event.value.strip().lower())
    if status is None or ref.variable.lower() != _AVAILABILITY:
        return None
    component = ref.component.lower()
    if component == "connector" and ref.evse is not None and ref.evse.connector is not None:
        return ConnectorStatusReported(ref.evse, status, event.at, info=event.tech_info)
    if component == "chargingstation" and ref.evse is None:
        return ConnectorStatusReported(EvseRef(0), status, event.at, info=event.tech_info)
    return None


def _same(setting: MonitorSetting, result: MonitorResult) -> bool:
    """Whether a result is about a setting (N04.FR.02); the order of results is the station's."""
    return (_place(setting.ref), setting.type, setting.severity) == (_place(result.ref), result.type, result.severity)


def _place(ref: VariableRef) -> tuple[object, ...]:
    """A variable's full name, the same for every way to leave something out."""
    evse = None if ref.evse == EvseRef(0) else ref.evse
    return ref.component, ref.component_instance or None, ref.variable, ref.variable_instance or None, evse


def _monitor(setting: MonitorSetting, number: int) -> Monitor:
    """A setting that was accepted; all of those are custom ones (N04.FR.15)."""
    return Monitor(
        id=number,
        ref=setting.ref,
        type=setting.type,
        value=setting.value,
        severity=setting.severity,
        transaction=setting.transaction,
        kind=MonitorKind.CUSTOM_MONITOR,
        stream=setting.stream,
    )


def _expected_by(context: Context) -> datetime:
    return procedures.expected_by(context.now, context.policy.diagnostics.report_silence_s)


def _asked_early(state: StationState, request_id: int, context: Context) -> tuple[Record, ...]:
    """The report that a part is of which came before the answer to the command."""
    request = procedures.sent_request(state.queue, GetMonitoringReport, request_id)
    if request is None or state.monitoring.report(request_id) is not None:
        return ()
    return (Record(_asked(request, context, Said())),)


def _asked(request: CommandRequest, context: Context, said: Said) -> MonitoringReportAsked:
    command = request.command
    assert isinstance(command, GetMonitoringReport)
    return MonitoringReportAsked(
        request_id=command.request_id or 0,
        command_id=request.command_id,
        noted_at=context.now,
        accepted=said.accepted,
        whole=not command.refs and not command.criteria,
        empty=said.answer == "EmptyResultSet",
        answer=said.answer,
        expected_by=_expected_by(context),
    )
