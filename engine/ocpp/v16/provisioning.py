"""Provisioning in 1.6: BootNotification, Heartbeat, Get- and ChangeConfiguration, Reset.

Sections 4.2, 4.6, 5.4, 5.8 and 5.14.
"""

import re
from typing import Any

import orjson

from engine.model.commands import Outcome, Result
from engine.model.configuration_keys import SECRET_KEYS, ref_of_key
from engine.model.envelopes import Answer
from engine.model.provisioning import (
    BootAnswer,
    BootReported,
    ChangePassword,
    GetVariables,
    HeartbeatAnswer,
    HeartbeatReported,
    ResetKind,
    ResetStation,
    SetNetworkProfile,
    SetVariables,
    VariableResult,
)
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v16.configuration_keys import key_of_ref
from engine.ocpp.versions import Version

BLOCK = "provisioning"

_TYPE_OF_RESET = {ResetKind.IMMEDIATE: "Hard", ResetKind.ON_IDLE: "Soft"}
_REDACTED = "(secret)"
_HEARTBEAT = HeartbeatReported()
_HEX_KEY = re.compile(r"(?:[0-9A-Fa-f]{2}){16,20}", re.ASCII)
_KEY_BYTES = range(16, 21)
"""Length of an AuthorizationKey (security whitepaper A00.FR.205); it is said in hexadecimal."""


def report_from_boot_notification(payload: Payload, _version: Version) -> BootReported:
    """An empty text counts as not said. The box's serial number (deprecated) stands in for the charge point's."""
    return BootReported(
        vendor=payload["chargePointVendor"],
        model=payload["chargePointModel"],
        serial_number=payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber") or None,
        firmware_version=payload.get("firmwareVersion") or None,
        iccid=payload.get("iccid") or None,
        imsi=payload.get("imsi") or None,
        meter_type=payload.get("meterType") or None,
        meter_serial_number=payload.get("meterSerialNumber") or None,
    )


def boot_notification_response(answer: Answer, _version: Version) -> Payload:
    """Registration, time and interval."""
    boot = expected(BootAnswer, answer, "BootNotification")
    return {
        "status": boot.registration.value,
        "currentTime": times.format(boot.now),
        "interval": boot.interval_s,
    }


def report_from_heartbeat(_payload: Payload, _version: Version) -> HeartbeatReported:
    """A heartbeat says nothing but itself."""
    return _HEARTBEAT


def heartbeat_response(answer: Answer, _version: Version) -> Payload:
    """The time."""
    return {"currentTime": times.format(expected(HeartbeatAnswer, answer, "Heartbeat").now)}


def get_configuration_from_get_variables(command: GetVariables, _version: Version) -> tuple[str, Payload]:
    """Named keys, or all."""
    if not command.variables:
        return "GetConfiguration", {}
    return "GetConfiguration", {"key": [key_of_ref(ref) for ref in command.variables]}


def outcome_from_get_configuration_response(payload: Payload, _version: Version) -> Outcome:
    """A result per key; keys that the station does not know get the 2.x word UnknownVariable. Secrets are taken out."""
    listed: list[dict[str, Any]] = [_without_secret(entry) for entry in payload.get("configurationKey") or ()]
    known = [
        VariableResult(
            ref=ref_of_key(entry["key"]),
            status="Accepted",
            value=entry.get("value"),
            readonly=entry.get("readonly"),
        )
        for entry in listed
    ]
    unknown = [VariableResult(ref=ref_of_key(key), status="UnknownVariable") for key in payload.get("unknownKey") or ()]
    shown = {**payload, "configurationKey": listed} if listed else payload
    return Outcome(result=Result.ACCEPTED, payload=orjson.dumps(shown), variables=(*known, *unknown))


def change_configuration_from_set_variables(command: SetVariables, _version: Version) -> tuple[str, Payload]:
    """One key and its value."""
    if len(command.settings) != 1:
        count = len(command.settings)
        raise NotExpressible(f"OCPP 1.6 sets exactly one key per message, not {count}; send one command per key")
    setting = command.settings[0]
    return "ChangeConfiguration", {"key": key_of_ref(setting.ref), "value": setting.value}


def change_configuration_from_change_password(command: ChangePassword, _version: Version) -> tuple[str, Payload]:
    """The key AuthorizationKey, in hexadecimal (security whitepaper A01, TC_073): digits as they are, a text's bytes.

    Raises:
        NotExpressible: It is neither 32 to 40 hexadecimal digits nor a text of 16 to 20 bytes.
    """
    written = command.password.encode(errors="surrogatepass")
    if _HEX_KEY.fullmatch(command.password):
        value = command.password
    elif len(written) in _KEY_BYTES:
        value = written.hex().upper()
    else:
        raise NotExpressible(
            "OCPP 1.6 holds 16 to 20 bytes in AuthorizationKey: use a password of so many characters, or 32 to 40 "
            "hexadecimal digits"
        )
    return "ChangeConfiguration", {"key": "AuthorizationKey", "value": value}


def set_network_profile_is_not_said(_command: SetNetworkProfile, _version: Version) -> tuple[str, Payload]:
    """Raises NotExpressible: 1.6 has no network profiles."""
    raise NotExpressible(
        "OCPP 1.6 has no network profiles: raise the security profile by set_variables SecurityProfile; addresses are "
        "vendors' own keys"
    )


def reset_from_reset_station(command: ResetStation, _version: Version) -> tuple[str, Payload]:
    """Hard or Soft, always of the whole station."""
    if command.evse is not None:
        raise NotExpressible("OCPP 1.6 cannot reset a single EVSE; reset the whole station (no evse)")
    kind = _TYPE_OF_RESET.get(command.kind)
    if kind is None:
        raise NotExpressible(f"OCPP 1.6 has no reset of kind {command.kind}; use Immediate (Hard) or OnIdle (Soft)")
    return "Reset", {"type": kind}


def _without_secret(entry: dict[str, Any]) -> dict[str, Any]:
    """A configuration key as the station gave it, but for the value of a secret one."""
    if entry["key"].lower() in SECRET_KEYS and "value" in entry:
        return {**entry, "value": _REDACTED}
    return entry


FROM_STATION = (
    StationCall(
        action="BootNotification",
        block=BLOCK,
        report=report_from_boot_notification,
        response=boot_notification_response,
    ),
    StationCall(action="Heartbeat", block=BLOCK, report=report_from_heartbeat, response=heartbeat_response),
)
FROM_CSMS = (
    CsmsCall(action="GetConfiguration", block=BLOCK, outcome=outcome_from_get_configuration_response),
    CsmsCall(action="ChangeConfiguration", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="Reset", block=BLOCK, outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=GetVariables, call=get_configuration_from_get_variables),
    CommandTranslator(command=SetVariables, call=change_configuration_from_set_variables),
    CommandTranslator(command=ResetStation, call=reset_from_reset_station),
    CommandTranslator(command=ChangePassword, call=change_configuration_from_change_password),
    CommandTranslator(command=SetNetworkProfile, call=set_network_profile_is_not_said),
)
