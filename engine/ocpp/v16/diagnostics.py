"""Diagnostics in 1.6: GetDiagnostics and, of the security whitepaper, GetLog. Sections 4.4, 5.8 (and L.1 there).

Translates; never decides, never remembers. Monitors, customer information, event streams and display messages came with
2.0.1: what is said instead stands here.
"""

from collections.abc import Callable
from typing import Any

import orjson
from msgspec.structs import replace

from engine.model.commands import Outcome, Result
from engine.model.diagnostics import (
    AdjustEventStream,
    CustomerInformation,
    GetEventStreams,
    GetLog,
    LogFile,
    LogKind,
    LogStatus,
    LogStatusReported,
)
from engine.model.display_message import ClearDisplayMessage, GetDisplayMessages, SetDisplayMessage
from engine.model.envelopes import Answer
from engine.model.monitoring import (
    ClearVariableMonitoring,
    GetMonitoringReport,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetVariableMonitoring,
)
from engine.model.notices import NoticeAnswer
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.versions import Version

BLOCK = "diagnostics"
_NO_DIAGNOSTICS = "The station has no diagnostics to upload: its answer names no file."
_OWN_WORDS = {"UploadFailed": LogStatus.UPLOAD_FAILURE}
"""Words of DiagnosticsStatusNotification that the later versions write otherwise."""

_MONITORING = "OCPP 1.6 has no monitors: its stations report by themselves, see StatusNotification and MeterValues"
_CUSTOMER = "OCPP 1.6 cannot ask what a station keeps of a customer: clear_cache and the local list are what it has"
_STREAMS = "OCPP 1.6 has no event streams: set MeterValueSampleInterval for frequent values"
_DISPLAY = "OCPP 1.6 has no display messages: use send_data with what the station's vendor offers"
_MISSING: dict[type, str] = {
    SetVariableMonitoring: _MONITORING,
    ClearVariableMonitoring: _MONITORING,
    GetMonitoringReport: _MONITORING,
    SetMonitoringBase: _MONITORING,
    SetMonitoringLevel: _MONITORING,
    CustomerInformation: _CUSTOMER,
    AdjustEventStream: _STREAMS,
    GetEventStreams: _STREAMS,
    SetDisplayMessage: _DISPLAY,
    GetDisplayMessages: _DISPLAY,
    ClearDisplayMessage: _DISPLAY,
}
"""Commands that 1.6 cannot say, and what to use instead."""


def report_from_status_notification(payload: Payload, _version: Version) -> LogStatusReported:
    """How far the upload is; GetLog's message says of which one."""
    written = payload["status"]
    status = _OWN_WORDS.get(written) or LogStatus(written)
    return LogStatusReported(status=status, request_id=payload.get("requestId"))


def status_notification_response(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(NoticeAnswer, answer, "DiagnosticsStatusNotification")
    return {}


def get_log_from_get_log(command: GetLog, _version: Version) -> tuple[str, Payload]:
    """GetDiagnostics, which every station with the firmware profile knows; for the security log GetLog.

    Raises:
        NotExpressible: The data collector's log, which is 2.1's.
    """
    payload: Payload = {}
    if command.retries is not None:
        payload["retries"] = command.retries
    if command.retry_interval_s is not None:
        payload["retryInterval"] = command.retry_interval_s
    oldest = None if command.oldest_at is None else times.format(command.oldest_at)
    latest = None if command.latest_at is None else times.format(command.latest_at)
    match command.kind:
        case LogKind.DIAGNOSTICS:
            payload |= _said(startTime=oldest, stopTime=latest)
            return "GetDiagnostics", {"location": command.location, **payload}
        case LogKind.SECURITY:
            log = {"remoteLocation": command.location, **_said(oldestTimestamp=oldest, latestTimestamp=latest)}
            request = {"log": log, "logType": command.kind.value, "requestId": command.request_id or 0}
            return "GetLog", {**request, **payload}
        case _:
            raise NotExpressible("OCPP 1.6 has no log of a data collector: ask for DiagnosticsLog or SecurityLog")


def outcome_from_get_diagnostics_response(payload: Payload, _version: Version) -> Outcome:
    """Without a file's name there is nothing to upload (section 5.8)."""
    name = payload.get("fileName")
    written = orjson.dumps(payload)
    if not name:
        return Outcome(Result.REFUSED, detail=_NO_DIAGNOSTICS, payload=written)
    return Outcome(Result.ACCEPTED, payload=written, found=LogFile(name))


def outcome_from_get_log_response(payload: Payload, version: Version) -> Outcome:
    """The status, and the file's name where the station gives one."""
    outcome = outcomes.from_status_field(payload, version)
    name = payload.get("filename")
    return replace(outcome, found=LogFile(name)) if name else outcome


def _said(**fields: str | None) -> Payload:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def _cannot(advice: str) -> Callable[[Any, Version], tuple[str, Payload]]:
    """A translator of what 1.6 has no words for."""

    def refuse(_command: Any, _version: Version) -> tuple[str, Payload]:
        raise NotExpressible(advice)

    return refuse


FROM_STATION = tuple(
    StationCall(
        action=action, block=BLOCK, report=report_from_status_notification, response=status_notification_response
    )
    for action in ("DiagnosticsStatusNotification", "LogStatusNotification")
)
FROM_CSMS = (
    CsmsCall(action="GetDiagnostics", block=BLOCK, outcome=outcome_from_get_diagnostics_response),
    CsmsCall(action="GetLog", block=BLOCK, outcome=outcome_from_get_log_response),
)
COMMANDS = (
    CommandTranslator(command=GetLog, call=get_log_from_get_log),
    *(CommandTranslator(command=command, call=_cannot(advice)) for command, advice in _MISSING.items()),
)
