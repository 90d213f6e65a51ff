"""Provisioning: BootNotification, Heartbeat, GetVariables, SetVariables, Reset. OCPP 2.1 block B.

Translates; never decides, never remembers.
"""

from engine.model.commands import Outcome, Result
from engine.model.envelopes import Answer
from engine.model.ids import EvseRef
from engine.model.provisioning import (
    BootAnswer,
    BootReported,
    ChangePassword,
    GetVariables,
    HeartbeatAnswer,
    HeartbeatReported,
    ResetKind,
    ResetStation,
    SetVariables,
    VariableRef,
    VariableResult,
)
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import availability, entries, limits
from engine.ocpp.versions import Version

_HEARTBEAT = HeartbeatReported()
_SET_WORDS = frozenset({"Accepted", "RebootRequired"})
_SECRET_WORDS = ("password", "vpnkey", "simpin")
_REDACTED = "(secret)"
_ATTRIBUTES = frozenset({"Actual", "Target", "MinSet", "MaxSet"})
_PASSWORD_LENGTH_MIN = 16
"""Characters of a BasicAuthPassword (A00.FR.205); the longest is the version's (`limits`)."""


def report_from_boot_notification(payload: Payload, _version: Version) -> BootReported:
    """Who started; empty texts count as not said. Meters are variables in 2.x."""
    station = payload["chargingStation"]
    modem = station.get("modem") or {}
    return BootReported(
        vendor=station["vendorName"],
        model=station["model"],
        serial_number=station.get("serialNumber") or None,
        firmware_version=station.get("firmwareVersion") or None,
        iccid=modem.get("iccid") or None,
        imsi=modem.get("imsi") or None,
        reason=payload["reason"],
    )


def boot_notification_response(answer: Answer, _version: Version) -> Payload:
    """The registration, our clock and the interval in seconds."""
    boot = expected(BootAnswer, answer, "BootNotification")
    return {
        "currentTime": times.format(boot.now),
        "interval": boot.interval_s,
        "status": boot.registration.value,
    }


def report_from_heartbeat(_payload: Payload, _version: Version) -> HeartbeatReported:
    """It lives."""
    return _HEARTBEAT


def heartbeat_response(answer: Answer, _version: Version) -> Payload:
    """Our clock."""
    return {"currentTime": times.format(expected(HeartbeatAnswer, answer, "Heartbeat").now)}


def get_variables_from_get_variables(command: GetVariables, version: Version) -> tuple[str, Payload]:
    """Asks for each variable by name.

    Raises:
        NotExpressible: No variable is named, or one of them has no component.
    """
    if not command.variables:
        raise NotExpressible(
            f"OCPP {version} cannot ask for all variables in one message: name them, or send GetBaseReport"
        )
    return "GetVariables", {"getVariableData": [_variable_data(ref, version) for ref in command.variables]}


def set_variables_from_set_variables(command: SetVariables, version: Version) -> tuple[str, Payload]:
    """Writes each variable.

    Raises:
        NotExpressible: There is nothing to write, a variable has no component, or a value is too long.
    """
    if not command.settings:
        raise NotExpressible(f"OCPP {version} sets one variable at least: name it")
    length_max = limits.LIMITS_OF[version].attribute_value_length_max
    data = []
    for setting in command.settings:
        limits.require_length(setting.value, length_max, f"a value (of {setting.ref.variable})", version)
        data.append({**_variable_data(setting.ref, version), "attributeValue": setting.value})
    return "SetVariables", {"setVariableData": data}


def outcome_from_get_variables_response(payload: Payload, _version: Version) -> Outcome:
    """A value for each variable. A question is answered as soon as one value came. Secrets are taken out."""
    results = [_without_secret(result) for result in payload["getVariableResult"]]
    accepted = any(result["attributeStatus"] == "Accepted" for result in results)
    return _variables_outcome({**payload, "getVariableResult": results}, results, accepted=accepted)


def outcome_from_set_variables_response(payload: Payload, _version: Version) -> Outcome:
    """A word for each variable. A change is made only when every variable took its value."""
    results = payload["setVariableResult"]
    accepted = all(result["attributeStatus"] in _SET_WORDS for result in results)
    return _variables_outcome(payload, results, accepted=accepted)


def set_variables_from_change_password(command: ChangePassword, version: Version) -> tuple[str, Payload]:
    """SecurityCtrlr.BasicAuthPassword, as it is (A01, TC_A_09).

    Raises:
        NotExpressible: It is too short or too long.
    """
    length_max = limits.LIMITS_OF[version].password_length_max
    if not _PASSWORD_LENGTH_MIN <= len(command.password) <= length_max:
        raise NotExpressible(
            f"OCPP {version} has passwords of {_PASSWORD_LENGTH_MIN} to {length_max} characters, this one has "
            f"{len(command.password)}"
        )
    ref = VariableRef(component="SecurityCtrlr", variable="BasicAuthPassword")
    return "SetVariables", {"setVariableData": [{**_variable_data(ref, version), "attributeValue": command.password}]}


def reset_from_reset_station(command: ResetStation, version: Version) -> tuple[str, Payload]:
    """The whole station, or one EVSE.

    Raises:
        NotExpressible: This version does not know the kind of reset, or there is no such EVSE.
    """
    if command.kind not in limits.LIMITS_OF[version].reset_kinds:
        raise NotExpressible(
            f"OCPP {version} has no reset of kind {command.kind}: "
            f"use {ResetKind.IMMEDIATE} or {ResetKind.ON_IDLE} (2.1 has it, B13)"
        )
    payload: Payload = {"type": command.kind.value}
    evse = availability.evse_from_evse_ref(EvseRef(evse=command.evse or 0), version)
    if evse is not None:
        payload["evseId"] = evse["id"]
    return "Reset", payload


def _variable_data(ref: VariableRef, version: Version) -> Payload:
    """One entry of getVariableData or, with a value, setVariableData. Raises NotExpressible."""
    if not ref.component:
        raise NotExpressible(
            f"OCPP {version} finds a variable by component and name, {ref.variable!r} has no component: name it"
        )
    component: Payload = {"name": limits.require_name(ref.component, "a component's name", version)}
    if ref.component_instance:
        component["instance"] = limits.require_name(ref.component_instance, "a component's instance", version)
    evse = availability.evse_from_evse_ref(ref.evse, version)
    if evse is not None:
        component["evse"] = evse
    variable: Payload = {"name": limits.require_name(ref.variable, "a variable's name", version)}
    if ref.variable_instance:
        variable["instance"] = limits.require_name(ref.variable_instance, "a variable's instance", version)
    data: Payload = {"component": component, "variable": variable}
    if ref.attribute is not None:
        if ref.attribute not in _ATTRIBUTES:
            raise NotExpressible(
                f"OCPP {version} has no attribute {ref.attribute!r}: use one of {', '.join(sorted(_ATTRIBUTES))}"
            )
        data["attributeType"] = ref.attribute
    return data


def _without_secret(result: Payload) -> Payload:
    """A result without the value of a secret: those are write-only, yet some stations give them out."""
    name = result["variable"]["name"].lower()
    if "attributeValue" in result and any(word in name for word in _SECRET_WORDS):
        return {**result, "attributeValue": _REDACTED}
    return result


def _variables_outcome(payload: Payload, results: list[Payload], *, accepted: bool) -> Outcome:
    """All results as words; `status` where they agree, `detail` names those that are not simply accepted."""
    variables = tuple(_variable_result(result) for result in results)
    others = [_wording(result) for result in results if result["attributeStatus"] not in _SET_WORDS]
    read = outcomes.from_status(None, payload, entries.detail_of_others(len(results), others))
    return Outcome(
        result=Result.ACCEPTED if accepted else Result.REFUSED,
        status=entries.one_word(variable.status for variable in variables),
        detail=read.detail,
        payload=read.payload,
        variables=variables,
    )


def _wording(result: Payload) -> str:
    """One result for people, e.g. `OCPPCommCtrlr.HeartbeatInterval: Rejected (ReadOnly)`."""
    name = f"{result['component']['name']}.{result['variable']['name']}"
    reason = outcomes.detail_of({"statusInfo": result.get("attributeStatusInfo")})
    return f"{name}: {result['attributeStatus']}" + (f" ({reason})" if reason else "")


def _variable_result(result: Payload) -> VariableResult:
    """One result. `Actual` is what an absent attribute means, so it is None: one name for one thing."""
    component, variable = result["component"], result["variable"]
    attribute = result.get("attributeType")
    ref = VariableRef(
        variable=variable["name"],
        component=component["name"],
        component_instance=component.get("instance") or None,
        variable_instance=variable.get("instance") or None,
        evse=availability.evse_ref_from_evse(component.get("evse")),
        attribute=None if attribute == "Actual" else attribute,
    )
    return VariableResult(ref=ref, status=result["attributeStatus"], value=result.get("attributeValue"))


FROM_STATION = (
    StationCall(
        action="BootNotification",
        block="provisioning",
        report=report_from_boot_notification,
        response=boot_notification_response,
    ),
    StationCall(action="Heartbeat", block="provisioning", report=report_from_heartbeat, response=heartbeat_response),
)
FROM_CSMS = (
    CsmsCall(action="GetVariables", block="provisioning", outcome=outcome_from_get_variables_response),
    CsmsCall(action="SetVariables", block="provisioning", outcome=outcome_from_set_variables_response),
    CsmsCall(action="Reset", block="provisioning", outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=GetVariables, call=get_variables_from_get_variables),
    CommandTranslator(command=SetVariables, call=set_variables_from_set_variables),
    CommandTranslator(command=ResetStation, call=reset_from_reset_station),
    CommandTranslator(command=ChangePassword, call=set_variables_from_change_password),
)
