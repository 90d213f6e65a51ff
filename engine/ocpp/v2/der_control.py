"""DER control: SetDERControl, GetDERControl, ClearDERControl and what stations tell of controls. OCPP 2.1 block R.

Translates; never decides, never remembers. The field that a control's settings stand in is named by its type.
"""

from engine.model.commands import Outcome
from engine.model.der_control import (
    ClearDerControl,
    ControlsSuperseded,
    DerAlarmReported,
    DerControl,
    DerControlsReported,
    DerControlType,
    DerNoted,
    DerStartStopReported,
    GetDerControl,
    SetDerControl,
)
from engine.model.envelopes import Answer
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import limits
from engine.ocpp.versions import Version

BLOCK = "der_control"
CONTROL_ID_LENGTH_MAX = 36

_FIELD_OF_TYPE = {
    DerControlType.ENTER_SERVICE: "enterService",
    DerControlType.FIXED_PF_ABSORB: "fixedPFAbsorb",
    DerControlType.FIXED_PF_INJECT: "fixedPFInject",
    DerControlType.FIXED_VAR: "fixedVar",
    DerControlType.FREQ_DROOP: "freqDroop",
    DerControlType.GRADIENTS: "gradient",
    DerControlType.LIMIT_MAX_DISCHARGE: "limitMaxDischarge",
}
"""Every other type is a curve."""
_CURVE = "curve"
_SETTINGS_IN_REPORT = {"fixedPFAbsorb": "fixedPF", "fixedPFInject": "fixedPF"}
"""Lists of a report whose entries call the settings otherwise than the list."""


def set_der_control_from_command(command: SetDerControl, version: Version) -> tuple[str, Payload]:
    """Installs a control.

    Raises:
        NotExpressible: 2.0.1 has none, or the id is too long.
    """
    _require_21(version)
    control = command.control
    return "SetDERControl", {
        "isDefault": control.is_default,
        "controlId": _control_id(control.id, version),
        "controlType": control.type.value,
        _FIELD_OF_TYPE.get(control.type, _CURVE): control.settings,
    }


def clear_der_control_from_command(command: ClearDerControl, version: Version) -> tuple[str, Payload]:
    """Removes controls.

    Raises:
        NotExpressible: 2.0.1 has none, or the id is too long.
    """
    _require_21(version)
    return "ClearDERControl", {"isDefault": command.is_default, **_which(command.type, command.control_id, version)}


def get_der_control_from_command(command: GetDerControl, version: Version) -> tuple[str, Payload]:
    """Asks for a report.

    Raises:
        NotExpressible: 2.0.1 has no controls, there is no request id, or the control's is too long.
    """
    _require_21(version)
    if command.request_id is None:
        raise NotExpressible(f"OCPP {version} reports controls under a requestId: give request_id")
    payload: Payload = {"requestId": command.request_id, **_which(command.type, command.control_id, version)}
    if command.is_default is not None:
        payload["isDefault"] = command.is_default
    return "GetDERControl", payload


def outcome_from_set_der_control_response(payload: Payload, version: Version) -> Outcome:
    """A status, and which controls do not count any more."""
    outcome = outcomes.from_status_field(payload, version)
    superseded = payload.get("supersededIds")
    if not superseded:
        return outcome
    found = ControlsSuperseded(tuple(superseded))
    return Outcome(outcome.result, outcome.status, outcome.detail, outcome.payload, found=found)


def report_from_report_der_control(payload: Payload, _version: Version) -> DerControlsReported:
    """One part of a report; `tbc` left out means the last."""
    controls = [_curve(entry) for entry in payload.get("curve") or ()]
    for kind, field in _FIELD_OF_TYPE.items():
        controls += [_control(kind, field, entry) for entry in payload.get(field) or ()]
    return DerControlsReported(
        request_id=payload["requestId"], controls=tuple(controls), more=payload.get("tbc") or False
    )


def report_from_notify_der_alarm(payload: Payload, _version: Version) -> DerAlarmReported:
    """An alarm, or its end."""
    return DerAlarmReported(
        type=DerControlType(payload["controlType"]),
        ended=payload.get("alarmEnded") or False,
        fault=payload.get("gridEventFault"),
        at=times.parse(payload["timestamp"]),
        info=payload.get("extraInfo") or None,
    )


def report_from_notify_der_start_stop(payload: Payload, _version: Version) -> DerStartStopReported:
    """A scheduled control began or ended."""
    return DerStartStopReported(
        control_id=payload["controlId"],
        started=payload["started"],
        at=times.parse(payload["timestamp"]),
        superseded_ids=tuple(payload.get("supersededIds") or ()),
    )


def noted_response(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(DerNoted, answer, "a message about DER control")
    return {}


def _curve(entry: Payload) -> DerControl:
    return DerControl(
        id=entry["id"],
        type=DerControlType(entry["curveType"]),
        is_default=entry["isDefault"],
        settings=entry["curve"],
        superseded=entry["isSuperseded"],
    )


def _control(kind: DerControlType, field: str, entry: Payload) -> DerControl:
    """EnterService and Gradients are default controls only and say nothing of that."""
    return DerControl(
        id=entry["id"],
        type=kind,
        is_default=entry.get("isDefault", True),
        settings=entry[_SETTINGS_IN_REPORT.get(field, field)],
        superseded=entry.get("isSuperseded", False),
    )


def _which(kind: DerControlType | None, control_id: str | None, version: Version) -> Payload:
    payload: Payload = {}
    if kind is not None:
        payload["controlType"] = kind.value
    if control_id is not None:
        payload["controlId"] = _control_id(control_id, version)
    return payload


def _control_id(control_id: str, version: Version) -> str:
    return limits.require_length(control_id, CONTROL_ID_LENGTH_MAX, "a controlId", version)


def _require_21(version: Version) -> None:
    """Raises NotExpressible."""
    if version is Version.V201:
        raise NotExpressible("OCPP 2.0.1 has no DER controls, 2.1 has: limit the station with a charging profile")


FROM_STATION_21 = (
    StationCall(action="ReportDERControl", block=BLOCK, report=report_from_report_der_control, response=noted_response),
    StationCall(action="NotifyDERAlarm", block=BLOCK, report=report_from_notify_der_alarm, response=noted_response),
    StationCall(
        action="NotifyDERStartStop", block=BLOCK, report=report_from_notify_der_start_stop, response=noted_response
    ),
)
FROM_CSMS_21 = (
    CsmsCall(action="SetDERControl", block=BLOCK, outcome=outcome_from_set_der_control_response),
    CsmsCall(action="GetDERControl", block=BLOCK, outcome=outcomes.reader_accepting("NotFound")),
    CsmsCall(action="ClearDERControl", block=BLOCK, outcome=outcomes.from_status_field),
)
"""NotFound answers the question of GetDERControl: there are no controls (R04.FR.30)."""
COMMANDS = (
    CommandTranslator(command=SetDerControl, call=set_der_control_from_command),
    CommandTranslator(command=GetDerControl, call=get_der_control_from_command),
    CommandTranslator(command=ClearDerControl, call=clear_der_control_from_command),
)
