"""What real stations do that the specification does not say: each quirk a name, what is different, and its source.

A quirk that changes words is a function of (action, payload); the few that change what a station does are asked for by
name where they do it. What real stations do to their connections is in `loadtests.behaviours`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from loadtests.wording import Call, Payload
from loadtests.wording.words import ENERGY

ALL = ("1.6", "2.0.1", "2.1")
NEWER = ("2.0.1", "2.1")
_NOTES = "docs/virtual-stations.md, field notes"
SIGNED_BYTES = 1_300


@dataclass(frozen=True)
class Quirk:
    """One habit of some stacks.

    Attributes:
        what: What is different.
        source: Where it was seen.
        versions: That it can be switched on for; elsewhere it changes nothing.
        rewrite: Changes a message; None: the words stay.
        after: What is said after a message; None: nothing more.
    """

    what: str
    source: str
    versions: tuple[str, ...] = ALL
    rewrite: Callable[[Call], Call] | None = None
    after: Callable[[Call], tuple[Call, ...]] | None = None


def spoken(quirks: tuple[Quirk, ...], call: Call) -> Call:
    """A message as a station with these quirks says it."""
    for quirk in quirks:
        if quirk.rewrite is not None:
            call = quirk.rewrite(call)
    return call


def afterthoughts(quirks: tuple[Quirk, ...], call: Call) -> list[Call]:
    """What such a station says after it."""
    return [more for quirk in quirks if quirk.after is not None for more in quirk.after(call)]


def quirks_of(names: tuple[str, ...], version: str) -> tuple[Quirk, ...]:
    """Those of these names that a version can have.

    Raises:
        ValueError: There is no such quirk.
    """
    unknown = [each for each in names if each not in QUIRKS]
    if unknown:
        raise ValueError(f"there is no quirk {unknown[0]!r}; expected one of {', '.join(QUIRKS)}")
    return tuple(QUIRKS[each] for each in names if version in QUIRKS[each].versions)


def _event(call: Call, kind: str | None = None) -> Payload | None:
    action, payload = call
    if action != "TransactionEvent" or kind not in (None, payload["eventType"]):
        return None
    return payload


def _sequence_zero(call: Call) -> Call:
    return call if _event(call) is None else (call[0], call[1] | {"seqNo": 0})


def _second_end(call: Call) -> tuple[Call, ...]:
    ended = _event(call, "Ended")
    return () if ended is None else ((call[0], ended | {"seqNo": ended["seqNo"] + 1}),)


def _authorize_local(call: Call) -> Call:
    action, payload = call
    if action != "Authorize":
        return call
    return action, {"idToken": payload["idToken"] | {"type": "Local"}}


def _values_after_stop(call: Call) -> tuple[Call, ...]:
    """1.6: the same register once more, with the transaction's number."""
    action, payload = call
    if action != "StopTransaction":
        return ()
    value = {"value": str(payload["meterStop"]), "measurand": ENERGY, "unit": "Wh"}
    values: Payload = {"meterValue": [{"timestamp": payload["timestamp"], "sampledValue": [value]}]}
    return (("MeterValues", {"connectorId": 1, "transactionId": payload["transactionId"]} | values),)


def _evse_alone(call: Call) -> Call:
    payload = _event(call)
    if payload is None or "evse" not in payload:
        return call
    return call[0], payload | {"evse": {"id": payload["evse"]["id"]}}


def _no_values(call: Call) -> Call:
    payload = _event(call)
    if payload is None:
        return call
    return call[0], {key: value for key, value in payload.items() if key != "meterValue"}


def _values_beside(call: Call) -> Call:
    payload = _event(call, "Updated")
    if payload is None or payload["triggerReason"] != "MeterValuePeriodic" or "meterValue" not in payload:
        return call
    return "MeterValues", {"evseId": 1, "meterValue": payload["meterValue"]}


def _status_of_nothing(call: Call) -> tuple[Call, ...]:
    action, payload = call
    if action != "StatusNotification" or payload.get("evseId") == 0:
        return ()
    return ((action, payload | {"evseId": 0, "connectorId": 0}),)


def _two_statuses(call: Call) -> tuple[Call, ...]:
    """Available again before it is Preparing, both with one time; arrival breaks the tie."""
    return (call,) if call[0] == "StatusNotification" else ()


def _empty_strings(call: Call) -> Call:
    action, payload = call
    if action == "StatusNotification" and "errorCode" in payload:
        return action, payload | {"info": "", "vendorId": "", "vendorErrorCode": ""}
    if action != "BootNotification":
        return call
    if "chargingStation" in payload:
        return action, payload | {"chargingStation": payload["chargingStation"] | {"serialNumber": ""}}
    return action, payload | {"iccid": "", "imsi": "", "meterType": ""}


def _mixed_energy(call: Call) -> Call:
    """Every other register in kWh, with what binary fractions leave; the others in Wh without a unit."""
    action, payload = call
    if "meterValue" not in payload:
        return call
    values = [
        each | {"sampledValue": [_energy_in(one) for one in each["sampledValue"]]} for each in payload["meterValue"]
    ]
    return action, payload | {"meterValue": values}


def _energy_in(sampled: Payload) -> Payload:
    if sampled.get("measurand") != ENERGY:
        return sampled
    register, text = float(sampled["value"]), isinstance(sampled["value"], str)
    plain = {key: value for key, value in sampled.items() if key not in ("unit", "unitOfMeasure")}
    if int(register) % 2:
        return plain
    kwh = register * 0.001
    return plain | ({"value": str(kwh), "unit": "kWh"} if text else {"value": kwh, "unitOfMeasure": {"unit": "kWh"}})


def _signed(call: Call) -> Call:
    """1.6: one more value, a signed record as a JSON string."""
    action, payload = call
    if action != "MeterValues":
        return call
    record = json.dumps({"FV": "1.0", "VI": "Narke", "PG": "T1", "SD": "30" * (SIGNED_BYTES // 2)})
    signed = {"value": record, "format": "SignedData", "measurand": ENERGY}
    first, *rest = payload["meterValue"]
    return action, payload | {"meterValue": [first | {"sampledValue": [*first["sampledValue"], signed]}, *rest]}


def _start_zero(call: Call) -> Call:
    action, payload = call
    return (action, payload | {"meterStart": 0}) if action == "StartTransaction" else call


def _never_offline(call: Call) -> Call:
    payload = _event(call)
    if payload is None or "offline" not in payload:
        return call
    return call[0], {key: value for key, value in payload.items() if key != "offline"}


def _availability_event(call: Call) -> Call:
    """2.1 part 0 annex G: NotifyEvent of AvailabilityState instead of StatusNotification."""
    action, payload = call
    if action != "StatusNotification":
        return call
    evse = {"id": payload["evseId"], "connectorId": payload["connectorId"]}
    event: Payload = {
        "eventId": 0,
        "timestamp": payload["timestamp"],
        "trigger": "Delta",
        "actualValue": payload["connectorStatus"],
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": evse},
        "variable": {"name": "AvailabilityState"},
    }
    return "NotifyEvent", {"generatedAt": payload["timestamp"], "seqNo": 0, "eventData": [event]}


QUIRKS: dict[str, Quirk] = {
    "ignores_pending": Quirk("goes on after Pending with status and heartbeats and never boots again", _NOTES + " 2"),
    "sequence_always_zero": Quirk("seqNo is 0 in every event", _NOTES + " 3", NEWER, _sequence_zero),
    "ends_twice": Quirk("two Ended events with two numbers", _NOTES + " 4", NEWER, after=_second_end),
    "authorizes_as_local": Quirk(
        "authorises a token with type Local, then starts with it as ISO14443", _NOTES + " 5", NEWER, _authorize_local
    ),
    "values_after_stop": Quirk(
        "MeterValues for a transaction right after its StopTransaction", _NOTES + " 6", ("1.6",),
        after=_values_after_stop,
    ),
    "evse_without_connector": Quirk("evse has no connectorId", _NOTES + " 7", NEWER, _evse_alone),
    "no_values_in_events": Quirk("no meterValue in any event", _NOTES + " 7", NEWER, _no_values),
    "values_beside_events": Quirk(
        "MeterValues instead of TransactionEvent Updated", _NOTES + " 8", NEWER, _values_beside
    ),
    "status_of_evse_zero": Quirk(
        "tells each status of EVSE 0, connector 0 too", _NOTES + " 8", NEWER, after=_status_of_nothing
    ),
    "statuses_twice": Quirk("two StatusNotifications with one timestamp", _NOTES + " 8", after=_two_statuses),
    "triggers_before_answer": Quirk(
        "triggered messages arrive before the answer to TriggerMessage", _NOTES + " 9"
    ),
    "empty_strings": Quirk("empty strings for optional fields", _NOTES + " 10", rewrite=_empty_strings),
    "rejects_some_profiles": Quirk(
        "one of 50 SetChargingProfile and UpdateDynamicSchedule is rejected without a reason", _NOTES + " 16"
    ),
    "negative_limits": Quirk("-1 for no limit in composite schedules", _NOTES + " 10"),
    "mixed_energy_units": Quirk(
        "energy now in kWh with float noise, now in Wh without a unit", _NOTES + " 11", rewrite=_mixed_energy
    ),
    "signed_value_in_string": Quirk(
        "a signed record of 1.3 kB as JSON in a value", _NOTES + " 11", ("1.6",), _signed
    ),
    "meter_start_zero": Quirk("meterStart is 0 in every transaction", _NOTES + " 11", ("1.6",), _start_zero),
    "never_says_offline": Quirk(
        "events that happened offline do not say so when they come late", _NOTES + " 13", NEWER, _never_offline
    ),
    "message_ids_repeat": Quirk("message ids begin anew at each boot", _NOTES + " 14"),
    "error_details_as_string": Quirk("errorDetails is a string", _NOTES + " 15"),
    "error_spellings_mixed": Quirk("error codes are spelled as the other version does", _NOTES + " 15"),
    "availability_as_event": Quirk(
        "NotifyEvent(AvailabilityState) instead of StatusNotification", "2.1 part 0 annex G", ("2.1",),
        _availability_event,
    ),
}  # fmt: skip
"""By name, as `Habits.quirks` has them."""
