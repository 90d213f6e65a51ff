"""Monitoring: monitors on variables, reports of them, events. OCPP 2.1 block N.

Translates; never decides, never remembers.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from engine.model.commands import Outcome
from engine.model.envelopes import Answer
from engine.model.monitoring import (
    SEVERITY_MAX,
    ClearVariableMonitoring,
    EventsReported,
    GetMonitoringReport,
    Monitor,
    MonitoringEvent,
    MonitorKind,
    MonitorResult,
    MonitorResults,
    MonitorSetting,
    MonitorsGone,
    MonitorsReported,
    MonitorType,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetVariableMonitoring,
    StreamParameters,
)
from engine.model.notices import NoticeAnswer
from engine.model.provisioning import VariableRef
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import availability, diagnostics, entries, limits
from engine.ocpp.versions import Version

BLOCK = "diagnostics"
_TYPES_OF_21 = frozenset({MonitorType.TARGET_DELTA, MonitorType.TARGET_DELTA_RELATIVE})
_STREAMABLE = frozenset({MonitorType.PERIODIC, MonitorType.PERIODIC_CLOCK_ALIGNED, MonitorType.DELTA})
_GONE_WORDS = frozenset({"Accepted", "NotFound"})


def ref_from_names(component: Payload, variable: Payload | None) -> VariableRef:
    """What a ComponentType and a VariableType name; without a variable the component alone."""
    named = variable or {"name": ""}
    return VariableRef(
        variable=named["name"],
        component=component["name"],
        component_instance=component.get("instance") or None,
        variable_instance=named.get("instance") or None,
        evse=availability.evse_ref_from_evse(component.get("evse")),
    )


def component_from_ref(ref: VariableRef, version: Version) -> Payload:
    """A ComponentType.

    Raises:
        NotExpressible: It has no name, or one that is too long; there is no such EVSE.
    """
    component: Payload = {"name": limits.require_name(ref.component, "a component's name", version)}
    if ref.component_instance:
        component["instance"] = limits.require_name(ref.component_instance, "a component's instance", version)
    evse = availability.evse_from_evse_ref(ref.evse, version)
    if evse is not None:
        component["evse"] = evse
    return component


def variable_from_ref(ref: VariableRef, version: Version) -> Payload:
    """A VariableType. Raises NotExpressible: it has no name, or one that is too long."""
    variable: Payload = {"name": limits.require_name(ref.variable, "a variable's name", version)}
    if ref.variable_instance:
        variable["instance"] = limits.require_name(ref.variable_instance, "a variable's instance", version)
    return variable


def report_from_notify_monitoring_report(payload: Payload, _version: Version) -> MonitorsReported:
    """A part of the monitors asked for."""
    monitors = [_monitor(each, data) for data in payload.get("monitor") or () for each in data["variableMonitoring"]]
    return MonitorsReported(
        request_id=payload["requestId"],
        sequence=payload["seqNo"],
        monitors=tuple(monitors),
        more=payload.get("tbc") is True,
        generated_at=times.parse(payload["generatedAt"]),
    )


def report_from_notify_event(payload: Payload, _version: Version) -> EventsReported:
    """Events, in their order."""
    return EventsReported(
        events=tuple(_event(data) for data in payload["eventData"]),
        sequence=payload["seqNo"],
        more=payload.get("tbc") is True,
    )


def taken_note_of(answer: Answer, _version: Version) -> Payload:
    """Nothing to say (N07.FR.03)."""
    expected(NoticeAnswer, answer, "a message of monitoring")
    return {}


def set_variable_monitoring_from_command(command: SetVariableMonitoring, version: Version) -> tuple[str, Payload]:
    """Monitors to be set.

    Raises:
        NotExpressible: None is named, or this version cannot say one of them.
    """
    if not command.monitors:
        raise NotExpressible(f"OCPP {version} sets one monitor at least: name it")
    return "SetVariableMonitoring", {"setMonitoringData": [_setting(each, version) for each in command.monitors]}


def clear_variable_monitoring_from_command(command: ClearVariableMonitoring, version: Version) -> tuple[str, Payload]:
    """Monitors to be removed. Raises NotExpressible: none is named."""
    if not command.ids:
        raise NotExpressible(f"OCPP {version} clears one monitor at least: name it")
    return "ClearVariableMonitoring", {"id": list(command.ids)}


def get_monitoring_report_from_command(command: GetMonitoringReport, version: Version) -> tuple[str, Payload]:
    """Which monitors are there.

    Raises:
        NotExpressible: A name is missing or too long.
    """
    payload: Payload = {"requestId": command.request_id or 0}
    if command.criteria:
        payload["monitoringCriteria"] = [criterion.value for criterion in dict.fromkeys(command.criteria)]
    if command.refs:
        payload["componentVariable"] = [_component_variable(ref, version) for ref in command.refs]
    return "GetMonitoringReport", payload


def set_monitoring_base_from_command(command: SetMonitoringBase, _version: Version) -> tuple[str, Payload]:
    """A set of monitors."""
    return "SetMonitoringBase", {"monitoringBase": command.base.value}


def set_monitoring_level_from_command(command: SetMonitoringLevel, version: Version) -> tuple[str, Payload]:
    """The lowest severity that is reported. Raises NotExpressible: there is no such severity (N05.FR.02)."""
    return "SetMonitoringLevel", {"severity": _severity(command.severity, version)}


def outcome_from_set_variable_monitoring_response(payload: Payload, version: Version) -> Outcome:
    """A word for each monitor; a yes only where every one was taken."""
    read = entries.outcome_of_entries("setMonitoringResult")(payload, version)
    results = tuple(
        MonitorResult(
            ref=ref_from_names(result["component"], result["variable"]),
            type=MonitorType(result["type"]),
            severity=result["severity"],
            status=result["status"],
            id=result.get("id"),
            detail=outcomes.detail_of(result),
        )
        for result in payload["setMonitoringResult"]
    )
    return replace(read, found=MonitorResults(results))


def outcome_from_clear_variable_monitoring_response(payload: Payload, version: Version) -> Outcome:
    """A word for each monitor; NotFound is as good as removed, though it is told."""
    read = entries.outcome_of_entries("clearMonitoringResult")(payload, version)
    gone = tuple(result["id"] for result in payload["clearMonitoringResult"] if result["status"] in _GONE_WORDS)
    return replace(read, found=MonitorsGone(gone))


def _setting(setting: MonitorSetting, version: Version) -> Payload:
    """A SetMonitoringDataType. Raises NotExpressible."""
    if setting.type in _TYPES_OF_21 and version is not Version.V21:
        raise NotExpressible(f"OCPP {version} has no monitor of type {setting.type}: use a threshold or Delta")
    if setting.type is MonitorType.DELTA and setting.value < 0:
        raise NotExpressible("a monitor of type Delta has no negative value (N04.FR.14): give the size of the change")
    data: Payload = {
        "value": setting.value,
        "type": setting.type.value,
        "severity": _severity(setting.severity, version),
        "component": component_from_ref(setting.ref, version),
        "variable": variable_from_ref(setting.ref, version),
    }
    if setting.id is not None:
        data["id"] = setting.id
    if setting.transaction:
        data["transaction"] = True
    if setting.stream is not None:
        data["periodicEventStream"] = _stream(setting, setting.stream, version)
    return data


def _stream(setting: MonitorSetting, stream: StreamParameters, version: Version) -> Payload:
    """How the values of a monitor are sent together. Raises NotExpressible."""
    if version is not Version.V21:
        raise NotExpressible(f"OCPP {version} has no event streams: leave stream out, the values come as events")
    if setting.type not in _STREAMABLE:
        raise NotExpressible(f"a monitor of type {setting.type} has no event stream: use Periodic or Delta")
    return diagnostics.stream_parameters(stream.interval_s, stream.values)


def _severity(severity: int, version: Version) -> int:
    """The severity itself. Raises NotExpressible: there is none of that number."""
    if not 0 <= severity <= SEVERITY_MAX:
        raise NotExpressible(f"OCPP {version} has severities from 0 (danger) to {SEVERITY_MAX} (debug), not {severity}")
    return severity


def _component_variable(ref: VariableRef, version: Version) -> Payload:
    """A ComponentVariableType; without a variable all of the component (N02.FR.16). Raises NotExpressible."""
    data: Payload = {"component": component_from_ref(ref, version)}
    if ref.variable:
        data["variable"] = variable_from_ref(ref, version)
    return data


def _monitor(each: Payload, data: Payload) -> Monitor:
    """A VariableMonitoringType of a component and variable."""
    kind = each.get("eventNotificationType")
    return Monitor(
        id=each["id"],
        ref=ref_from_names(data["component"], data["variable"]),
        type=MonitorType(each["type"]),
        value=float(each["value"]),
        severity=each["severity"],
        transaction=each["transaction"],
        kind=None if kind is None else MonitorKind(kind),
    )


def _event(data: Payload) -> MonitoringEvent:
    """An EventDataType; empty texts count as not said."""
    return MonitoringEvent(
        event_id=data["eventId"],
        ref=ref_from_names(data["component"], data["variable"]),
        trigger=data["trigger"],
        value=data["actualValue"],
        kind=MonitorKind(data["eventNotificationType"]),
        at=times.parse(data["timestamp"]),
        cause=data.get("cause"),
        cleared=data.get("cleared"),
        monitor_id=data.get("variableMonitoringId"),
        severity=data.get("severity"),
        transaction_id=data.get("transactionId") or None,
        tech_code=data.get("techCode") or None,
        tech_info=data.get("techInfo") or None,
    )


_CALLS: dict[type, Callable[[Any, Version], tuple[str, Payload]]] = {
    SetVariableMonitoring: set_variable_monitoring_from_command,
    ClearVariableMonitoring: clear_variable_monitoring_from_command,
    GetMonitoringReport: get_monitoring_report_from_command,
    SetMonitoringBase: set_monitoring_base_from_command,
    SetMonitoringLevel: set_monitoring_level_from_command,
}

FROM_STATION = (
    StationCall(
        action="NotifyMonitoringReport",
        block=BLOCK,
        report=report_from_notify_monitoring_report,
        response=taken_note_of,
    ),
    StationCall(action="NotifyEvent", block=BLOCK, report=report_from_notify_event, response=taken_note_of),
)
FROM_CSMS = (
    CsmsCall(action="SetVariableMonitoring", block=BLOCK, outcome=outcome_from_set_variable_monitoring_response),
    CsmsCall(action="ClearVariableMonitoring", block=BLOCK, outcome=outcome_from_clear_variable_monitoring_response),
    CsmsCall(action="GetMonitoringReport", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="SetMonitoringBase", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="SetMonitoringLevel", block=BLOCK, outcome=outcomes.from_status_field),
)
COMMANDS = tuple(CommandTranslator(command=command, call=call) for command, call in _CALLS.items())
