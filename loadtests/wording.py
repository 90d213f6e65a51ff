"""What a virtual station says in each OCPP version: raw payloads, a second reading of the rules.

A `Wording` turns what happens at a station into (action, payload) and reads the few replies a station must understand.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

Payload = dict[str, Any]
Call = tuple[str, Payload]


def stamp(at: datetime) -> str:
    """A time as OCPP writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Meter:
    """What the meter shows: register in Wh, power in W, current per phase in A, state of charge in percent.

    `soc_percent` is None when no car is there.
    """

    register_wh: int
    power_w: float = 0.0
    current_a: float = 0.0
    phases: int = 3
    soc_percent: float | None = None

    def at_rest(self) -> "Meter":
        """The same with the contactor open."""
        return replace(self, power_w=0.0, current_a=0.0)


@dataclass
class Charge:
    """One charge from plug to unplug.

    Attributes:
        connector: Number of the outlet; 2.x: of the EVSE.
        token: Who pays.
        id: The transaction's name, the station's own or (1.6) the CSMS' number; None: not known yet.
        state: Charging, SuspendedEV or SuspendedEVSE; EVConnected before.
        sequence: Of the next message (2.x).
        remote: Whether the CSMS started it; `remote_start_id` (2.x) is how.
        stop_reason: In the version's own words; None: not stopped.
    """

    connector: int
    token: str
    meter_start_wh: int
    id: str | None = None
    state: str = "EVConnected"
    sequence: int = 0
    remote: bool = False
    remote_start_id: int | None = None
    stop_reason: str | None = None


@dataclass(frozen=True)
class Moment:
    """When something happened, by the station's clock, and whether the station was offline then."""

    at: datetime
    offline: bool = False


class Wording(Protocol):
    """The words of one OCPP version."""

    subprotocol: str
    names_transactions: bool
    keeps_ids: bool
    """Whether a repeated message has the message id of the first attempt."""
    key_of_interval: ClassVar[dict[str, str]]
    """What the version calls `heartbeat` and `meter`, the two intervals that can be changed."""

    def boot(self, identity: str, reason: str) -> Call:
        """BootNotification."""

    def status_word(self, status: str) -> str:
        """What the version calls a status of 1.6."""

    def status(self, connector: int, status: str, at: datetime) -> Call:
        """StatusNotification; `status` in 1.6's words."""

    def authorize(self, token: str) -> Call:
        """Authorize."""

    def meter_values(self, charge: Charge | None, connector: int, meter: Meter, at: datetime) -> Call:
        """MeterValues that the CSMS asked for."""

    def start(self, charge: Charge, meter: Meter, moment: Moment) -> Call:
        """The transaction begins."""

    def update(self, charge: Charge, meter: Meter, moment: Moment, trigger: str = "MeterValuePeriodic") -> Call:
        """Meter values in the transaction; `trigger` as 2.x says it."""

    def stop(self, charge: Charge, meter: Meter, moment: Moment) -> Call:
        """The transaction ends."""

    def accepts(self, reply: Payload) -> bool:
        """Whether an Authorize was accepted."""

    def deauthorizes(self, reply: Payload) -> bool:
        """Whether the reply to a transaction message says that the token is not good; silence does not."""


def _says_no(info: object) -> bool:
    return isinstance(info, dict) and info.get("status") != "Accepted"


class Wording16:
    """OCPP 1.6J."""

    subprotocol = "ocpp1.6"
    names_transactions = False
    keeps_ids = True
    key_of_interval: ClassVar[dict[str, str]] = {"heartbeat": "HeartbeatInterval", "meter": "MeterValueSampleInterval"}

    def boot(self, identity: str, reason: str) -> Call:
        """1.6 section 4.2; the reason cannot be said."""
        del reason
        return "BootNotification", {
            "chargePointVendor": "Narke",
            "chargePointModel": "Virtual 22",
            "chargePointSerialNumber": identity[:25],
            "firmwareVersion": "1.0.0",
        }

    def status_word(self, status: str) -> str:
        """Its own."""
        return status

    def status(self, connector: int, status: str, at: datetime) -> Call:
        """1.6 section 4.9."""
        return "StatusNotification", {
            "connectorId": connector,
            "errorCode": "NoError",
            "status": status,
            "timestamp": stamp(at),
        }

    def authorize(self, token: str) -> Call:
        """1.6 section 4.1."""
        return "Authorize", {"idTag": token}

    def start(self, charge: Charge, meter: Meter, moment: Moment) -> Call:
        """1.6 section 4.8."""
        return "StartTransaction", {
            "connectorId": charge.connector,
            "idTag": charge.token,
            "meterStart": meter.register_wh,
            "timestamp": stamp(moment.at),
        }

    def update(self, charge: Charge, meter: Meter, moment: Moment, trigger: str = "MeterValuePeriodic") -> Call:
        """1.6 section 4.7."""
        context = "Trigger" if trigger == "Trigger" else "Sample.Periodic"
        return self._values(charge, charge.connector, meter, moment.at, context)

    def meter_values(self, charge: Charge | None, connector: int, meter: Meter, at: datetime) -> Call:
        """1.6 sections 4.7 and 5.17."""
        return self._values(charge, connector, meter, at, "Trigger")

    def stop(self, charge: Charge, meter: Meter, moment: Moment) -> Call:
        """1.6 section 4.10; -1 where the CSMS never gave a number."""
        return "StopTransaction", {
            "transactionId": int(charge.id or -1),
            "idTag": charge.token,
            "meterStop": meter.register_wh,
            "timestamp": stamp(moment.at),
            "reason": charge.stop_reason or "Local",
        }

    def accepts(self, reply: Payload) -> bool:
        """IdTagInfo."""
        info = reply.get("idTagInfo")
        return isinstance(info, dict) and not _says_no(info)

    def deauthorizes(self, reply: Payload) -> bool:
        """IdTagInfo."""
        return _says_no(reply.get("idTagInfo"))

    def _values(self, charge: Charge | None, connector: int, meter: Meter, at: datetime, context: str) -> Call:
        sampled = [
            {"value": str(meter.register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": f"{meter.power_w:.1f}", "measurand": "Power.Active.Import", "unit": "W"},
        ]
        if meter.soc_percent is not None:
            sampled.append(
                {"value": f"{meter.soc_percent:.1f}", "measurand": "SoC", "unit": "Percent", "location": "EV"}
            )
        sampled += [
            {"value": f"{meter.current_a:.2f}", "measurand": "Current.Import", "unit": "A", "phase": f"L{phase + 1}"}
            for phase in range(meter.phases)
        ]
        for value in sampled:
            value["context"] = context
        payload: Payload = {
            "connectorId": connector,
            "meterValue": [{"timestamp": stamp(at), "sampledValue": sampled}],
        }
        if charge is not None and charge.id is not None:
            payload["transactionId"] = int(charge.id)
        return "MeterValues", payload


_STATUS_OF_16 = dict.fromkeys(("Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"), "Occupied")
_TRIGGER_OF_STOP_REASON = {
    "Remote": "RemoteStop",
    "DeAuthorized": "Deauthorized",
    "ImmediateReset": "ResetCommand",
}


class Wording2:
    """OCPP 2.0.1 and 2.1."""

    names_transactions = True
    keeps_ids = False
    key_of_interval: ClassVar[dict[str, str]] = {"heartbeat": "HeartbeatInterval", "meter": "TxUpdatedInterval"}

    def __init__(self, subprotocol: str) -> None:
        self.subprotocol = subprotocol

    def boot(self, identity: str, reason: str) -> Call:
        """2.1 B01."""
        station = {
            "vendorName": "Narke",
            "model": "Virtual 22",
            "serialNumber": identity[:25],
            "firmwareVersion": "1.0.0",
        }
        return "BootNotification", {"reason": reason, "chargingStation": station}

    def status_word(self, status: str) -> str:
        """A cable in the socket is Occupied, whatever flows."""
        return _STATUS_OF_16.get(status, status)

    def status(self, connector: int, status: str, at: datetime) -> Call:
        """2.1 G01."""
        return "StatusNotification", {
            "timestamp": stamp(at),
            "connectorStatus": self.status_word(status),
            "evseId": connector,
            "connectorId": 1,
        }

    def authorize(self, token: str) -> Call:
        """2.1 C01."""
        return "Authorize", {"idToken": _id_token(token)}

    def meter_values(self, charge: Charge | None, connector: int, meter: Meter, at: datetime) -> Call:
        """2.1 F06 and J01."""
        del charge
        return "MeterValues", {"evseId": connector, "meterValue": [_sampled(meter, at, "Trigger")]}

    def start(self, charge: Charge, meter: Meter, moment: Moment) -> Call:
        """2.1 E02, F01."""
        trigger = "RemoteStart" if charge.remote else "Authorized"
        action, payload = self._event("Started", trigger, charge, moment)
        payload["meterValue"] = [_sampled(meter, moment.at, "Transaction.Begin")]
        payload["evse"] = {"id": charge.connector, "connectorId": 1}
        payload["idToken"] = _id_token(charge.token)
        if charge.remote_start_id is not None:
            payload["transactionInfo"]["remoteStartId"] = charge.remote_start_id
        return action, payload

    def update(self, charge: Charge, meter: Meter, moment: Moment, trigger: str = "MeterValuePeriodic") -> Call:
        """2.1 J02; F06 when the CSMS asked for it; E02 when the charging state changed."""
        action, payload = self._event("Updated", trigger, charge, moment)
        context = {"MeterValuePeriodic": "Sample.Periodic", "Trigger": "Trigger"}.get(trigger, "Other")
        payload["meterValue"] = [_sampled(meter, moment.at, context)]
        return action, payload

    def stop(self, charge: Charge, meter: Meter, moment: Moment) -> Call:
        """2.1 E06, E07; who stops locally shows the token."""
        reason = charge.stop_reason or "Local"
        charge.state = "EVConnected"
        action, payload = self._event("Ended", _TRIGGER_OF_STOP_REASON.get(reason, "StopAuthorized"), charge, moment)
        payload["transactionInfo"]["stoppedReason"] = reason
        payload["meterValue"] = [_sampled(meter, moment.at, "Transaction.End")]
        if reason == "Local":
            payload["idToken"] = _id_token(charge.token)
        return action, payload

    def accepts(self, reply: Payload) -> bool:
        """IdTokenInfo."""
        info = reply.get("idTokenInfo")
        return isinstance(info, dict) and not _says_no(info)

    def deauthorizes(self, reply: Payload) -> bool:
        """IdTokenInfo."""
        return _says_no(reply.get("idTokenInfo"))

    def _event(self, kind: str, trigger: str, charge: Charge, moment: Moment) -> Call:
        payload: Payload = {
            "eventType": kind,
            "timestamp": stamp(moment.at),
            "triggerReason": trigger,
            "seqNo": charge.sequence,
            "transactionInfo": {"transactionId": charge.id, "chargingState": charge.state},
        }
        if moment.offline:
            payload["offline"] = True
        charge.sequence += 1
        return "TransactionEvent", payload


def _id_token(token: str) -> Payload:
    return {"idToken": token, "type": "ISO14443"}


def _sampled(meter: Meter, at: datetime, context: str) -> Payload:
    sampled: list[Payload] = [
        {"value": meter.register_wh, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}},
        {"value": round(meter.power_w, 1), "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}},
    ]
    if meter.soc_percent is not None:
        soc = {"value": round(meter.soc_percent, 1), "measurand": "SoC", "location": "EV"}
        sampled.append(soc | {"unitOfMeasure": {"unit": "Percent"}})
    sampled += [
        {
            "value": round(meter.current_a, 2),
            "measurand": "Current.Import",
            "phase": f"L{phase + 1}",
            "unitOfMeasure": {"unit": "A"},
        }
        for phase in range(meter.phases)
    ]
    for value in sampled:
        value["context"] = context
    return {"timestamp": stamp(at), "sampledValue": sampled}


WORDING_OF_VERSION: dict[str, Wording] = {
    "1.6": Wording16(),
    "2.0.1": Wording2("ocpp2.0.1"),
    "2.1": Wording2("ocpp2.1"),
}
