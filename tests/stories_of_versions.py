"""Stories that stations of all versions can tell, and what a version cannot say of them.

A story is a list of beats. What happens in a beat happens at one time, and each family of versions says it in messages
of its own. Payloads are raw OCPP.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from engine.model.authorization import ClearCache, Token, TokenRecord
from engine.model.availability import ChangeAvailability
from engine.model.commands import Command
from engine.model.data_transfer import SendData
from engine.model.ids import EvseRef
from engine.model.metering import ENERGY_REGISTER
from engine.model.provisioning import (
    GetVariables,
    Registration,
    ResetKind,
    ResetStation,
    SetVariables,
    VariableRef,
    VariableSetting,
)
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.model.stations import StationRecord
from engine.station.policy import Policy

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BEAT = timedelta(minutes=1)

UNSAID = {
    "BootReported.reason": "1.6 does not tell why it boots",
    "BootReported.meter_type": "2.x tells of its meters by variables",
    "BootReported.meter_serial_number": "2.x tells of its meters by variables",
    "ConnectorStatusReported.status": "2.x has one word, Occupied, for 1.6's Preparing, Charging, Suspended, Finishing",
    "ConnectorStatusReported.error_code": "2.x tells of errors by NotifyEvent",
    "ConnectorStatusReported.info": "2.x tells of errors by NotifyEvent",
    "ConnectorStatusReported.vendor_id": "2.x tells of errors by NotifyEvent",
    "ConnectorStatusReported.vendor_error_code": "2.x tells of errors by NotifyEvent",
    "Outcome.payload": "the answer verbatim, and variables look different in each version",
    "Outcome.status": "1.6 answers GetConfiguration without a status",
    "Outcome.variables": "1.6 answers ChangeConfiguration by a status alone",
    "Reading.value": "a signed value of 1.6 has no number beside it",
    "Reading.signed": "1.6 puts signed data in place of the value, 2.x an object beside it",
    "ReadingsRecorded.evse.connector": "MeterValues of 2.x name an EVSE and no connector",
    "SessionOpened.version": "that is the one difference there must be",
    "Token.type": "1.6 does not type its tags",
    "TransactionEnded.gaps": "1.6 does not number its messages, so none can be missing",
    "TransactionEnded.offline": "1.6 does not tell that a message is late",
    "TransactionEnded.sequence": "1.6 does not number its messages",
    "TransactionEnded.trigger": "1.6 does not tell why it says something",
    "TransactionOpened.cable_a_max": "1.6 does not know the cable",
    "TransactionOpened.meter_location": "meterStart of 1.6 does not tell where the meter sits",
    "TransactionOpened.number": "only a transaction of 1.6 is named by us",
    "TransactionOpened.offline": "1.6 does not tell that a message is late",
    "TransactionOpened.phases_used": "1.6 does not tell the phases",
    "TransactionOpened.remote_start_id": "1.6 has no remote start ids",
    "TransactionOpened.sequence": "1.6 does not number its messages",
    "TransactionOpened.trigger": "1.6 does not tell why it says something",
    "TransactionUpdated.gaps": "1.6 does not number its messages, so none can be missing",
    "TransactionUpdated.sequence": "1.6 does not number its messages",
    "TransactionUpdated.trigger": "1.6 does not tell why it says something",
    "VariableEntry.mutability": "2.x tells what cannot be written in its reports",
    "VariableResult.readonly": "2.x tells what cannot be written in its reports",
}
"""Field of a word -> why the versions cannot agree on it."""


class Says(NamedTuple):
    """A station sends a CALL."""

    action: str
    payload: dict[str, Any]


class Told(NamedTuple):
    """We command a station, which answers with this payload; with a text, its code of a CALLERROR; None: not at all."""

    command: Command
    answer: dict[str, Any] | str | None


Step = Says | Told


class Beat(NamedTuple):
    """What happens at one time, in the words of each family of versions."""

    v16: tuple[Step, ...]
    v2: tuple[Step, ...]


class Story(NamedTuple):
    """Beats, and the entries of `UNSAID` without which the versions would not agree."""

    beats: tuple[Beat, ...]
    unsaid: tuple[str, ...] = ()
    policy: Policy = Policy()
    tokens: tuple[TokenRecord, ...] = (TokenRecord(Token("04A2B3C4")), TokenRecord(Token("LOST"), blocked=True))
    record: StationRecord | None = None


def alike(*steps: Step) -> Beat:
    """All versions say it with the same words."""
    return Beat(steps, steps)


def at(beat: int) -> str:
    """The station's clock at a beat, as stations write it."""
    return (NOON + beat * BEAT).strftime("%Y-%m-%dT%H:%M:%SZ")


MeterValue = tuple[dict[str, Any], dict[str, Any]]
"""A meterValue of 1.6 and of 2.x."""


def sampled(value: str, v16: dict[str, Any], v2: dict[str, Any], beat: int = 0, **both: str) -> MeterValue:
    """One value at a beat; `v16` and `v2`: what only those say of it."""
    of_v16, of_v2 = {"value": value, **both, **v16}, {"value": float(value), **both, **v2}
    return {"timestamp": at(beat), "sampledValue": [of_v16]}, {"timestamp": at(beat), "sampledValue": [of_v2]}


def reading(value: float, context: str, beat: int) -> MeterValue:
    """The energy register at a beat, in Wh."""
    unit = {"unit": "Wh"}
    return sampled(f"{value:.1f}", unit, {"unitOfMeasure": unit}, beat, context=context, measurand=ENERGY_REGISTER)


def metered(place: int, values: list[MeterValue]) -> Beat:
    """MeterValues outside any transaction."""
    v16, v2 = ([value[version] for value in values] for version in (0, 1))
    return Beat(
        (Says("MeterValues", {"connectorId": place, "meterValue": v16}),),
        (Says("MeterValues", {"evseId": place, "meterValue": v2}),),
    )


def event(stage: str, trigger: str, beat: int, sequence: int, **fields: Any) -> Says:
    """A TransactionEvent about transaction 1."""
    info = {"transactionId": "1"} | fields.pop("info", {})
    payload = {"eventType": stage, "timestamp": at(beat), "triggerReason": trigger, "seqNo": sequence}
    return Says("TransactionEvent", payload | {"transactionInfo": info} | fields)


def status(word: str, beat: int, place: int = 1, **fields: Any) -> Says:
    """StatusNotification of 1.6."""
    payload = {"connectorId": place, "status": word, "errorCode": "NoError", "timestamp": at(beat)}
    return Says("StatusNotification", payload | fields)


def status_v2(word: str, beat: int, place: int = 1) -> Says:
    payload = {"evseId": place, "connectorId": min(place, 1), "connectorStatus": word, "timestamp": at(beat)}
    return Says("StatusNotification", payload)


BOOT = Beat(
    (
        Says(
            "BootNotification",
            {
                "chargePointVendor": "Vattn",
                "chargePointModel": "Ray 22",
                "chargePointSerialNumber": "S-1",
                "firmwareVersion": "1.2.3",
                "iccid": "8949",
                "imsi": "262",
                "meterType": "MID",
                "meterSerialNumber": "M-1",
            },
        ),
    ),
    (
        Says(
            "BootNotification",
            {
                "reason": "PowerUp",
                "chargingStation": {
                    "vendorName": "Vattn",
                    "model": "Ray 22",
                    "serialNumber": "S-1",
                    "firmwareVersion": "1.2.3",
                    "modem": {"iccid": "8949", "imsi": "262"},
                },
            },
        ),
    ),
)
OF_BOOT = ("BootReported.reason", "BootReported.meter_type", "BootReported.meter_serial_number")

BEGIN, SAMPLE, END = (
    reading(1000.0, "Transaction.Begin", 1),
    reading(4000.0, "Sample.Periodic", 3),
    reading(8500.0, "Transaction.End", 5),
)
TAG = {"idToken": "04A2B3C4", "type": "ISO14443"}
PLACE = {"id": 1, "connectorId": 1}


def start(tag: str = "04A2B3C4", **fields: Any) -> Beat:
    """A start at 1,000 Wh. `fields`: of StartTransaction."""
    v16 = {"connectorId": 1, "idTag": tag, "meterStart": 1000, "timestamp": at(1)} | fields
    token = {"idToken": tag, "type": "ISO14443"}
    return Beat(
        (
            Says("StartTransaction", v16),
            Says("MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": [BEGIN[0]]}),
        ),
        (event("Started", "Authorized", 1, 0, evse=PLACE, idToken=token, meterValue=[BEGIN[1]]),),
    )


START = start()
CHARGING = Beat(
    (status("Charging", 2),),
    (
        status_v2("Occupied", 2),
        event("Updated", "ChargingStateChanged", 2, 1, info={"chargingState": "Charging"}),
    ),
)
METERED = Beat(
    (Says("MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": [SAMPLE[0]]}),),
    (event("Updated", "MeterValuePeriodic", 3, 2, meterValue=[SAMPLE[1]]),),
)
SUSPENDED = Beat(
    (status("SuspendedEV", 4),),
    (
        status_v2("Occupied", 4),
        event("Updated", "ChargingStateChanged", 4, 3, info={"chargingState": "SuspendedEV"}),
    ),
)


def stop(beat: int = 5, reason: str | None = None, tag: str | None = "04A2B3C4") -> Beat:
    """The end at 8,500 Wh."""
    v16 = {"transactionId": 1, "meterStop": 8500, "timestamp": at(beat), "transactionData": [END[0]]}
    v2: dict[str, Any] = {"meterValue": [END[1]], "info": {}}
    if reason is not None:
        v16["reason"] = v2["info"]["stoppedReason"] = reason
    if tag is not None:
        v16["idTag"] = tag
        v2["idToken"] = {"idToken": tag, "type": "ISO14443"}
    trigger = "StopAuthorized" if tag else "EVCommunicationLost"
    return Beat((Says("StopTransaction", v16),), (event("Ended", trigger, beat, 4, **v2),))


OF_STATUS = ("ConnectorStatusReported.status",)
OF_START = (
    "Token.type",
    "TransactionOpened.meter_location",
    "TransactionOpened.number",
    "TransactionOpened.sequence",
    "TransactionOpened.trigger",
)
OF_UPDATE = ("TransactionUpdated.sequence", "TransactionUpdated.trigger")
OF_END = ("TransactionEnded.sequence", "TransactionEnded.trigger")

SIGNED = {"signedMeterData": "QUJD", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}
HEARTBEAT_INTERVAL = VariableRef(component="OCPPCommCtrlr", variable="HeartbeatInterval")
V2_HEARTBEAT_INTERVAL = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
HERE = EvseRef(1, 1)

STORIES = {
    "provisioning: boot and heartbeats": Story(
        (BOOT, alike(Says("Heartbeat", {})), *(alike() for _ in range(5)), alike(Says("Heartbeat", {}))), OF_BOOT
    ),
    "provisioning: a station that was never accepted": Story(
        (BOOT,), OF_BOOT, record=StationRecord("CP-1", Registration.REJECTED)
    ),
    "provisioning: a station that never boots": Story((*(alike() for _ in range(6)), alike(Says("Heartbeat", {})))),
    "availability: shared words": Story(
        (
            Beat((status("Available", 0),), (status_v2("Available", 0),)),
            Beat((status("Reserved", 1),), (status_v2("Reserved", 1),)),
            Beat((status("Unavailable", 2, 2),), (status_v2("Unavailable", 2, 2),)),
            Beat((status("Unavailable", 3, 0),), (status_v2("Unavailable", 3, 0),)),
        )
    ),
    "availability: a fault": Story(
        (
            Beat(
                (
                    status(
                        "Faulted",
                        0,
                        errorCode="GroundFailure",
                        info="RCD",
                        vendorId="org.vattn",
                        vendorErrorCode="E7",
                    ),
                ),
                (status_v2("Faulted", 0),),
            ),
        ),
        (
            "ConnectorStatusReported.error_code",
            "ConnectorStatusReported.info",
            "ConnectorStatusReported.vendor_id",
            "ConnectorStatusReported.vendor_error_code",
        ),
    ),
    "availability: occupied": Story((Beat((status("Preparing", 0),), (status_v2("Occupied", 0),)),), OF_STATUS),
    "authorization: known, blocked and unknown tokens": Story(
        tuple(
            Beat(
                (Says("Authorize", {"idTag": tag}),),
                (Says("Authorize", {"idToken": {"idToken": tag, "type": "ISO14443"}}),),
            )
            for tag in ("04A2B3C4", "04a2b3c4", "LOST", "STRANGER")
        ),
        ("Token.type",),
    ),
    "transactions: from plug to plug": Story(
        (BOOT, START, CHARGING, METERED, SUSPENDED, stop()), OF_BOOT + OF_START + OF_STATUS + OF_UPDATE + OF_END
    ),
    "transactions: stopped by the driver's car": Story(
        (alike(), START, alike(), METERED, alike(), stop(reason="EVDisconnected", tag=None)),
        (*OF_START, *OF_UPDATE, *OF_END, "TransactionUpdated.gaps", "TransactionEnded.gaps"),
    ),
    "transactions: a blocked token is recorded all the same": Story((alike(), start("LOST")), OF_START),
    "transactions: a start that nobody heard": Story(
        (
            *(alike() for _ in range(3)),
            Beat(METERED.v16, (event("Updated", "MeterValuePeriodic", 3, 2, evse=PLACE, meterValue=[SAMPLE[1]]),)),
            alike(),
            stop(reason="Remote", tag=None),
        ),
        (*OF_UPDATE, *OF_END, "TransactionEnded.gaps"),
    ),
    "transactions: a start that is told twice": Story(
        (alike(), START, alike(), alike(), Beat(START.v16[:1], START.v2)), OF_START
    ),
    "transactions: reserved, started from afar, told late": Story(
        (
            alike(Told(RequestStart(Token("04A2B3C4"), HERE), {"status": "Accepted"})),
            Beat(
                start(reservationId=7).v16,
                (
                    event(
                        "Started",
                        "RemoteStart",
                        1,
                        0,
                        evse=PLACE,
                        idToken=TAG,
                        meterValue=[BEGIN[1]],
                        info={"remoteStartId": 1},
                        reservationId=7,
                        numberOfPhasesUsed=3,
                        cableMaxCurrent=32,
                        offline=True,
                    ),
                ),
            ),
            *(alike() for _ in range(3)),
            Beat(stop().v16, (event("Ended", "StopAuthorized", 5, 4, meterValue=[END[1]], idToken=TAG, offline=True),)),
        ),
        (
            *OF_START,
            *OF_END,
            "TransactionOpened.cable_a_max",
            "TransactionOpened.offline",
            "TransactionOpened.phases_used",
            "TransactionOpened.remote_start_id",
            "TransactionEnded.gaps",
            "TransactionEnded.offline",
        ),
    ),
    "metering: outside transactions": Story(
        (
            metered(0, [reading(7.0, "Sample.Clock", 0)]),
            metered(2, [reading(8.0, "Sample.Clock", 1)]),
        ),
        ("ReadingsRecorded.evse.connector",),
    ),
    "metering: other measurands, defaults and units": Story(
        (
            metered(
                0,
                [
                    sampled("12.5", {"unit": "kWh"}, {"unitOfMeasure": {"unit": "kWh"}}),
                    sampled("16.0", {"unit": "A"}, {}, measurand="Current.Import", phase="L1"),
                    sampled("11.0", {"unit": "kW"}, {"unitOfMeasure": {"unit": "kW"}}, measurand="Power.Active.Import"),
                    sampled("80.0", {"unit": "Percent"}, {}, measurand="SoC", location="EV"),
                    sampled(
                        "40.5", {"unit": "Celcius"}, {"unitOfMeasure": {"unit": "Celsius"}}, measurand="Temperature"
                    ),
                ],
            ),
        ),
    ),
    "metering: a signed value": Story(
        (metered(0, [sampled("12.5", {"value": "QUJD", "format": "SignedData"}, {"signedMeterValue": SIGNED})]),),
        ("Reading.value", "Reading.signed"),
    ),
    "data transfer: from the station": Story(
        (
            alike(Says("DataTransfer", {"vendorId": "org.vattn", "messageId": "hello", "data": "you"})),
            alike(Says("DataTransfer", {"vendorId": "org.stranger"})),
        ),
        policy=Policy(data_vendors_accepted=frozenset({"org.vattn"})),
    ),
    "data transfer: to the station": Story(
        (
            alike(Told(SendData("org.vattn", "hello", orjson.dumps("you")), {"status": "Accepted", "data": "me"})),
            alike(Told(SendData("org.stranger"), {"status": "UnknownVendorId"})),
        )
    ),
    "notices": Story(
        (
            alike(Says("SecurityEventNotification", {"type": "TamperDetectionActivated", "timestamp": at(0)})),
            alike(Says("FirmwareStatusNotification", {"status": "Installed"})),
        )
    ),
    "remote control: start and stop": Story(
        (
            alike(Told(RequestStart(Token("04A2B3C4"), HERE), {"status": "Accepted"})),
            alike(Told(RequestStart(Token("04A2B3C4")), {"status": "Rejected"})),
            alike(Told(RequestStop("1"), {"status": "Accepted"})),
            alike(Told(RequestStop("2"), {"status": "Rejected"})),
        )
    ),
    "remote control: unlock and trigger": Story(
        (
            alike(Told(UnlockConnector(HERE), {"status": "Unlocked"})),
            alike(Told(UnlockConnector(HERE), {"status": "UnlockFailed"})),
            alike(Told(TriggerMessage("StatusNotification", HERE), {"status": "Accepted"})),
            alike(Told(TriggerMessage("Heartbeat"), {"status": "NotImplemented"})),
        )
    ),
    "remote control: an accepted station is not asked to boot": Story(
        (BOOT, alike(Told(TriggerMessage("BootNotification"), None))), OF_BOOT
    ),
    "remote control: a station that errs": Story((alike(Told(UnlockConnector(HERE), "InternalError")),)),
    "provisioning: resets": Story(
        (
            Beat(
                (Told(ResetStation(ResetKind.ON_IDLE), {"status": "Accepted"}),),
                (Told(ResetStation(ResetKind.ON_IDLE), {"status": "Accepted"}),),
            ),
            alike(Told(ResetStation(ResetKind.IMMEDIATE), {"status": "Rejected"})),
        )
    ),
    "availability: in and out of service": Story(
        (
            alike(Told(ChangeAvailability(HERE, operative=False), {"status": "Scheduled"})),
            alike(Told(ChangeAvailability(EvseRef(0), operative=True), {"status": "Accepted"})),
            alike(Told(ChangeAvailability(HERE, operative=True), {"status": "Rejected"})),
        )
    ),
    "authorization: the cache is cleared": Story((alike(Told(ClearCache(), {"status": "Accepted"})),)),
    "provisioning: a variable is read": Story(
        (
            Beat(
                (
                    Told(
                        GetVariables((HEARTBEAT_INTERVAL,)),
                        {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]},
                    ),
                ),
                (
                    Told(
                        GetVariables((HEARTBEAT_INTERVAL,)),
                        {
                            "getVariableResult": [
                                V2_HEARTBEAT_INTERVAL | {"attributeStatus": "Accepted", "attributeValue": "300"}
                            ]
                        },
                    ),
                ),
            ),
        ),
        ("Outcome.payload", "Outcome.status", "VariableEntry.mutability", "VariableResult.readonly"),
    ),
    "provisioning: a variable is written": Story(
        (
            Beat(
                (Told(SetVariables((VariableSetting(HEARTBEAT_INTERVAL, "60"),)), {"status": "RebootRequired"}),),
                (
                    Told(
                        SetVariables((VariableSetting(HEARTBEAT_INTERVAL, "60"),)),
                        {"setVariableResult": [V2_HEARTBEAT_INTERVAL | {"attributeStatus": "RebootRequired"}]},
                    ),
                ),
            ),
        ),
        ("Outcome.payload", "Outcome.variables"),
    ),
}
