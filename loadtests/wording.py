"""What a virtual station says in each OCPP version: raw payloads, a second reading of the rules.

A `Wording` turns what happens at a station into (action, payload) and reads the few replies a station must understand.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

Payload = dict[str, Any]
Call = tuple[str, Payload]


def stamp(at: datetime) -> str:
    """A time as OCPP writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Meter:
    """What the meter shows: register in Wh, power in W, current per phase in A, state of charge in percent."""

    register_wh: int
    power_w: float
    current_a: float
    phases: int
    soc_percent: float


@dataclass
class Charge:
    """One charge from plug to unplug. `id`: the transaction's name, the station's own or (1.6) the CSMS' number."""

    connector: int
    token: str
    meter_start_wh: int
    id: str | None = None
    sequence: int = 0
    remote_start_id: int | None = None
    stop_reason: str = "Local"
    readings: list[Payload] = field(default_factory=list)


class Wording(Protocol):
    """The words of one OCPP version."""

    subprotocol: str
    names_transactions: bool

    def boot(self, identity: str, reason: str) -> Call:
        """BootNotification."""

    def status(self, connector: int, status: str, at: datetime) -> Call:
        """StatusNotification; `status` in 1.6's words."""

    def authorize(self, token: str) -> Call:
        """Authorize."""

    def start(self, charge: Charge, meter: Meter, at: datetime) -> Call:
        """The transaction begins."""

    def update(self, charge: Charge, meter: Meter, at: datetime) -> Call:
        """Meter values in the transaction."""

    def stop(self, charge: Charge, meter: Meter, at: datetime) -> Call:
        """The transaction ends."""

    def accepts(self, reply: Payload) -> bool:
        """Whether an Authorize or a start was accepted."""


class Wording16:
    """OCPP 1.6J."""

    subprotocol = "ocpp1.6"
    names_transactions = False

    def boot(self, identity: str, reason: str) -> Call:
        """1.6 section 4.2; the reason cannot be said."""
        del reason
        return "BootNotification", {
            "chargePointVendor": "Narke",
            "chargePointModel": "Virtual 22",
            "chargePointSerialNumber": identity[:25],
            "firmwareVersion": "1.0.0",
        }

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

    def start(self, charge: Charge, meter: Meter, at: datetime) -> Call:
        """1.6 section 4.8."""
        return "StartTransaction", {
            "connectorId": charge.connector,
            "idTag": charge.token,
            "meterStart": meter.register_wh,
            "timestamp": stamp(at),
        }

    def update(self, charge: Charge, meter: Meter, at: datetime) -> Call:
        """1.6 section 4.7."""
        sampled = [
            {"value": str(meter.register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": f"{meter.power_w:.1f}", "measurand": "Power.Active.Import", "unit": "W"},
            {"value": f"{meter.soc_percent:.1f}", "measurand": "SoC", "unit": "Percent", "location": "EV"},
        ]
        sampled += [
            {"value": f"{meter.current_a:.2f}", "measurand": "Current.Import", "unit": "A", "phase": f"L{phase + 1}"}
            for phase in range(meter.phases)
        ]
        return "MeterValues", {
            "connectorId": charge.connector,
            "transactionId": int(charge.id or -1),
            "meterValue": [{"timestamp": stamp(at), "sampledValue": sampled}],
        }

    def stop(self, charge: Charge, meter: Meter, at: datetime) -> Call:
        """1.6 section 4.10."""
        return "StopTransaction", {
            "transactionId": int(charge.id or -1),
            "idTag": charge.token,
            "meterStop": meter.register_wh,
            "timestamp": stamp(at),
            "reason": charge.stop_reason,
        }

    def accepts(self, reply: Payload) -> bool:
        """IdTagInfo."""
        return bool(reply.get("idTagInfo", {}).get("status") == "Accepted")


_STATUS_OF_16 = {"Preparing": "Occupied", "Charging": "Occupied", "Finishing": "Occupied"}


class Wording2:
    """OCPP 2.0.1 and 2.1."""

    names_transactions = True

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

    def status(self, connector: int, status: str, at: datetime) -> Call:
        """2.1 G01."""
        return "StatusNotification", {
            "timestamp": stamp(at),
            "connectorStatus": _STATUS_OF_16.get(status, status),
            "evseId": connector,
            "connectorId": 1,
        }

    def authorize(self, token: str) -> Call:
        """2.1 C01."""
        return "Authorize", {"idToken": {"idToken": token, "type": "ISO14443"}}

    def start(self, charge: Charge, meter: Meter, at: datetime) -> Call:
        """2.1 E02."""
        trigger = "RemoteStart" if charge.remote_start_id is not None else "Authorized"
        action, payload = self._event("Started", trigger, charge, meter, at, "Transaction.Begin")
        payload["evse"] = {"id": charge.connector, "connectorId": 1}
        payload["idToken"] = {"idToken": charge.token, "type": "ISO14443"}
        if charge.remote_start_id is not None:
            payload["transactionInfo"]["remoteStartId"] = charge.remote_start_id
        return action, payload

    def update(self, charge: Charge, meter: Meter, at: datetime) -> Call:
        """2.1 J02."""
        return self._event("Updated", "MeterValuePeriodic", charge, meter, at, "Sample.Periodic")

    def stop(self, charge: Charge, meter: Meter, at: datetime) -> Call:
        """2.1 E06."""
        trigger = "RemoteStop" if charge.stop_reason == "Remote" else "StopAuthorized"
        action, payload = self._event("Ended", trigger, charge, meter, at, "Transaction.End")
        payload["transactionInfo"] |= {"stoppedReason": charge.stop_reason, "chargingState": "EVConnected"}
        return action, payload

    def accepts(self, reply: Payload) -> bool:
        """IdTokenInfo."""
        return bool(reply.get("idTokenInfo", {}).get("status") == "Accepted")

    def _event(self, kind: str, trigger: str, charge: Charge, meter: Meter, at: datetime, context: str) -> Call:
        sampled: list[Payload] = [
            {"value": meter.register_wh, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}},
            {"value": round(meter.power_w, 1), "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}},
            {"value": round(meter.soc_percent, 1), "measurand": "SoC", "unitOfMeasure": {"unit": "Percent"}},
        ]
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
        payload: Payload = {
            "eventType": kind,
            "timestamp": stamp(at),
            "triggerReason": trigger,
            "seqNo": charge.sequence,
            "transactionInfo": {"transactionId": charge.id, "chargingState": "Charging"},
            "meterValue": [{"timestamp": stamp(at), "sampledValue": sampled}],
        }
        charge.sequence += 1
        return "TransactionEvent", payload


WORDING_OF_VERSION: dict[str, Wording] = {
    "1.6": Wording16(),
    "2.0.1": Wording2("ocpp2.0.1"),
    "2.1": Wording2("ocpp2.1"),
}
