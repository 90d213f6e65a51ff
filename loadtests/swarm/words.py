"""What a station of the swarm says in each version, and how it answers commands. Raw JSON, a reading of our own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

Payload = dict[str, Any]
Call = tuple[str, Payload]

NOMINAL_V = 230.0
POWER_W = 11_000.0
PHASES = ("L1", "L2", "L3")


@dataclass
class Charge:
    """A car at a connector.

    Attributes:
        connector: From 1; in 2.x the EVSE.
        token: Who pays.
        transaction_id: As the CSMS (1.6) or the station (2.x) named it; None: 1.6, not named yet.
        register_wh: What the meter shows.
        sequence: Of the next event (2.x).
        remote_start_id: Of the command that began it (2.x); None: nobody commanded it, or 1.6.
        remote: A command began it.
    """

    connector: int
    token: str
    transaction_id: str | None = None
    register_wh: int = 0
    sequence: int = 0
    remote_start_id: int | None = None
    remote: bool = False


@dataclass(frozen=True)
class Answer:
    """A command's answer and what the station does about it.

    Attributes:
        payload: None: NotImplemented.
        start: A charge that begins now.
        stop: Transaction that ends now.
        deed: Something else: `reset` or `firmware`.
        message: What was triggered.
    """

    payload: Payload | None
    start: Charge | None = None
    stop: str | None = None
    deed: str | None = None
    message: str | None = None


@dataclass
class Place:
    """What the answer to a command depends on: the station's connectors and what goes on there."""

    connectors: int
    charges: dict[int, Charge] = field(default_factory=dict)

    def free(self, wanted: int | None = None) -> int | None:
        """A free connector, or the wanted one if it is free; None: none is."""
        among = range(1, self.connectors + 1) if wanted is None else (wanted,)
        return next((one for one in among if 1 <= one <= self.connectors and one not in self.charges), None)

    def has(self, transaction_id: str) -> bool:
        """The transaction runs here."""
        return any(charge.transaction_id == transaction_id for charge in self.charges.values())


class Words(Protocol):
    """A version's words."""

    version: str
    subprotocol: str
    names_transactions: bool

    def boot(self, identity: str, reason: str) -> Call:
        """BootNotification."""

    def status(self, connector: int, status: str) -> Call:
        """StatusNotification; status as 1.6 has it."""

    def authorize(self, token: str) -> Call:
        """Authorize."""

    def start(self, charge: Charge) -> Call:
        """A transaction begins."""

    def update(self, charge: Charge) -> Call:
        """Meter values of a transaction."""

    def stop(self, charge: Charge, reason: str) -> Call:
        """A transaction ends; reason: `Local`, `Remote` or `DeAuthorized`."""

    def meter_values(self, connector: int, register_wh: int) -> Call:
        """Meter values by the clock, without a transaction."""

    def firmware(self, status: str) -> Call:
        """FirmwareStatusNotification."""

    def accepts(self, reply: Payload) -> bool:
        """Whether Authorize or the start of a transaction was accepted."""

    def obey(self, action: str, payload: Payload, place: Place) -> Answer:
        """What the station answers to a command."""


HEARTBEAT: Call = ("Heartbeat", {})

_YES = Answer({"status": "Accepted"})
_NO = Answer({"status": "Rejected"})


class Words16:
    """OCPP 1.6J."""

    version = "1.6"
    subprotocol = "ocpp1.6"
    names_transactions = False

    def boot(self, identity: str, reason: str) -> Call:
        """1.6 section 4.2; the reason cannot be said."""
        del reason
        return "BootNotification", {
            "chargePointVendor": "Narke",
            "chargePointModel": "Swarm",
            "chargePointSerialNumber": identity[:25],
            "firmwareVersion": "1.0.0",
        }

    def status(self, connector: int, status: str) -> Call:
        """1.6 section 4.9."""
        return "StatusNotification", {
            "connectorId": connector,
            "errorCode": "NoError",
            "status": status,
            "timestamp": stamp(),
        }

    def authorize(self, token: str) -> Call:
        """1.6 section 4.1."""
        return "Authorize", {"idTag": token}

    def start(self, charge: Charge) -> Call:
        """1.6 section 4.8."""
        return "StartTransaction", {
            "connectorId": charge.connector,
            "idTag": charge.token,
            "meterStart": charge.register_wh,
            "timestamp": stamp(),
        }

    def update(self, charge: Charge) -> Call:
        """1.6 section 4.7."""
        action, payload = self._meter_values(charge.connector, charge.register_wh, POWER_W, "Sample.Periodic")
        payload["transactionId"] = int(charge.transaction_id or -1)
        return action, payload

    def stop(self, charge: Charge, reason: str) -> Call:
        """1.6 section 4.10."""
        return "StopTransaction", {
            "transactionId": int(charge.transaction_id or -1),
            "idTag": charge.token,
            "meterStop": charge.register_wh,
            "timestamp": stamp(),
            "reason": reason,
        }

    def meter_values(self, connector: int, register_wh: int) -> Call:
        """1.6 section 4.7."""
        return self._meter_values(connector, register_wh, 0.0, "Sample.Clock")

    def firmware(self, status: str) -> Call:
        """1.6 section 4.5."""
        return "FirmwareStatusNotification", {"status": status}

    def accepts(self, reply: Payload) -> bool:
        """IdTagInfo."""
        return _accepted(reply.get("idTagInfo"))

    def obey(self, action: str, payload: Payload, place: Place) -> Answer:
        """1.6 chapter 5."""
        match action:
            case "RemoteStartTransaction":
                return _started(place, payload.get("connectorId"), str(payload.get("idTag")), None)
            case "RemoteStopTransaction":
                return _stopped(place, str(payload.get("transactionId")))
            case "UnlockConnector":
                return Answer({"status": "Unlocked"})
            case "GetConfiguration":
                return Answer({"configurationKey": [], "unknownKey": list(payload.get("key", []))[:1000]})
            case "GetLocalListVersion":
                return Answer({"listVersion": 0})
            case "UpdateFirmware":
                return Answer({}, deed="firmware")
            case _:
                return _obeyed_alike(action, payload)

    @staticmethod
    def _meter_values(connector: int, register_wh: int, power_w: float, context: str) -> Call:
        sampled = [
            {"value": value, "context": context, "measurand": measurand, "unit": unit} | phase
            for measurand, value, unit, phase in _measured(register_wh, power_w)
        ]
        for sample in sampled:
            sample["value"] = str(sample["value"])
        return "MeterValues", {
            "connectorId": connector,
            "meterValue": [{"timestamp": stamp(), "sampledValue": sampled}],
        }


class Words2:
    """OCPP 2.0.1 and 2.1."""

    names_transactions = True

    def __init__(self, version: str) -> None:
        self.version = version
        self.subprotocol = f"ocpp{version}"

    def boot(self, identity: str, reason: str) -> Call:
        """2.1 B01."""
        station = {"vendorName": "Narke", "model": "Swarm", "serialNumber": identity[:25], "firmwareVersion": "1.0.0"}
        return "BootNotification", {"reason": reason, "chargingStation": station}

    def status(self, connector: int, status: str) -> Call:
        """2.1 G01; a cable in the socket is Occupied, whatever flows."""
        return "StatusNotification", {
            "timestamp": stamp(),
            "connectorStatus": status if status in {"Available", "Unavailable", "Faulted"} else "Occupied",
            "evseId": connector,
            "connectorId": 1,
        }

    def authorize(self, token: str) -> Call:
        """2.1 C01."""
        return "Authorize", {"idToken": _id_token(token)}

    def start(self, charge: Charge) -> Call:
        """2.1 E02, F02."""
        action, payload = self._event("Started", "RemoteStart" if charge.remote else "Authorized", charge, "Charging")
        payload["evse"] = {"id": charge.connector, "connectorId": 1}
        payload["idToken"] = _id_token(charge.token)
        if charge.remote_start_id is not None:
            payload["transactionInfo"]["remoteStartId"] = charge.remote_start_id
        return action, payload | self._meter_value(charge.register_wh, 0.0, "Transaction.Begin")

    def update(self, charge: Charge) -> Call:
        """2.1 J02."""
        action, payload = self._event("Updated", "MeterValuePeriodic", charge, "Charging")
        return action, payload | self._meter_value(charge.register_wh, POWER_W, "Sample.Periodic")

    def stop(self, charge: Charge, reason: str) -> Call:
        """2.1 E06, F03."""
        trigger = {"Remote": "RemoteStop", "DeAuthorized": "Deauthorized"}.get(reason, "StopAuthorized")
        action, payload = self._event("Ended", trigger, charge, "EVConnected")
        payload["transactionInfo"]["stoppedReason"] = reason
        return action, payload | self._meter_value(charge.register_wh, 0.0, "Transaction.End")

    def meter_values(self, connector: int, register_wh: int) -> Call:
        """2.1 J01."""
        return "MeterValues", {"evseId": connector} | self._meter_value(register_wh, 0.0, "Sample.Clock")

    def firmware(self, status: str) -> Call:
        """2.1 L01; the request has the number 1."""
        return "FirmwareStatusNotification", {"status": status, "requestId": 1}

    def accepts(self, reply: Payload) -> bool:
        """IdTokenInfo; a transaction's event need not bring one."""
        return "idTokenInfo" not in reply or _accepted(reply["idTokenInfo"])

    def obey(self, action: str, payload: Payload, place: Place) -> Answer:
        """2.1 part 2."""
        match action:
            case "RequestStartTransaction":
                token = str(payload.get("idToken", {}).get("idToken"))
                return _started(place, payload.get("evseId"), token, payload.get("remoteStartId"))
            case "RequestStopTransaction":
                return _stopped(place, str(payload.get("transactionId")))
            case "UnlockConnector":
                return Answer({"status": "Unlocked"})
            case "GetVariables":
                return Answer({"getVariableResult": [_unknown(one) for one in payload.get("getVariableData", [])]})
            case "SetVariables":
                return Answer({"setVariableResult": [_unknown(one) for one in payload.get("setVariableData", [])]})
            case "GetLocalListVersion":
                return Answer({"versionNumber": 0})
            case "GetBaseReport":
                return Answer({"status": "NotSupported"})
            case "GetTransactionStatus":
                running = place.has(str(payload.get("transactionId")))
                return Answer({"messagesInQueue": False, "ongoingIndicator": running})
            case "UpdateFirmware":
                return Answer({"status": "Accepted"}, deed="firmware")
            case _:
                return _obeyed_alike(action, payload)

    def _event(self, kind: str, trigger: str, charge: Charge, state: str) -> Call:
        payload: Payload = {
            "eventType": kind,
            "timestamp": stamp(),
            "triggerReason": trigger,
            "seqNo": charge.sequence,
            "transactionInfo": {"transactionId": charge.transaction_id, "chargingState": state},
        }
        charge.sequence += 1
        return "TransactionEvent", payload

    @staticmethod
    def _meter_value(register_wh: int, power_w: float, context: str) -> Payload:
        sampled = [
            {"value": value, "context": context, "measurand": measurand, "unitOfMeasure": {"unit": unit}} | phase
            for measurand, value, unit, phase in _measured(register_wh, power_w)
        ]
        return {"meterValue": [{"timestamp": stamp(), "sampledValue": sampled}]}


WORDS_OF_VERSION: dict[str, Words] = {"1.6": Words16(), "2.0.1": Words2("2.0.1"), "2.1": Words2("2.1")}


def stamp() -> str:
    """Now, as OCPP writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _measured(register_wh: int, power_w: float) -> list[tuple[str, float, str, dict[str, str]]]:
    """Measurand, value, unit, phase: five values as a three-phase AC station sends them."""
    current_a = round(power_w / NOMINAL_V / len(PHASES), 2)
    return [
        ("Energy.Active.Import.Register", register_wh, "Wh", {}),
        ("Power.Active.Import", power_w, "W", {}),
        *(("Current.Import", current_a, "A", {"phase": phase}) for phase in PHASES),
    ]


def _id_token(token: str) -> Payload:
    return {"idToken": token, "type": "ISO14443"}


def _accepted(info: object) -> bool:
    return isinstance(info, dict) and info.get("status") == "Accepted"


def _unknown(asked: Payload) -> Payload:
    """The swarm has no device model (2.1 B05, B06)."""
    return {
        "attributeStatus": "UnknownComponent",
        "component": asked.get("component"),
        "variable": asked.get("variable"),
    }


def _started(place: Place, wanted: object, token: str, remote_start_id: object) -> Answer:
    connector = place.free(wanted if isinstance(wanted, int) else None)
    if connector is None:
        return _NO
    started = remote_start_id if isinstance(remote_start_id, int) else None
    return Answer({"status": "Accepted"}, start=Charge(connector, token, remote_start_id=started, remote=True))


def _stopped(place: Place, transaction_id: str) -> Answer:
    return Answer({"status": "Accepted"}, stop=transaction_id) if place.has(transaction_id) else _NO


def _obeyed_alike(action: str, payload: Payload) -> Answer:
    """What all versions answer alike."""
    match action:
        case "Reset":
            return Answer({"status": "Accepted"}, deed="reset")
        case "TriggerMessage":
            wanted = str(payload.get("requestedMessage"))
            known = wanted in {"BootNotification", "Heartbeat", "StatusNotification", "MeterValues"}
            return Answer({"status": "Accepted"}, message=wanted) if known else Answer({"status": "NotImplemented"})
        case "ChangeAvailability" | "ClearCache" | "SetChargingProfile" | "ClearChargingProfile" | "SendLocalList":
            return _YES
        case "ChangeConfiguration":
            return Answer({"status": "NotSupported"})
        case "DataTransfer":
            return Answer({"status": "UnknownVendorId"})
        case _:
            return Answer(None)
