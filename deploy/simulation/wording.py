"""What simulated stations say, as raw OCPP: payloads per version. Written by hand, so that no translator checks itself.

Every payload tells its own evidence: what must stand in the journal before the station may be answered.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

Payload = dict[str, Any]
Evidence = tuple[str, Any]
"""A trace that a message leaves in the journal: a boot's serial number, a meter's value, a status' moment."""

V16: Final = "1.6"
VERSIONS: Final = (V16, "2.0.1", "2.1")
TRIGGER_OF_STAGE: Final = {"Started": "Authorized", "Updated": "MeterValuePeriodic", "Ended": "StopAuthorized"}
CONTEXT_OF_STAGE: Final = {"Started": "Transaction.Begin", "Updated": "Sample.Periodic", "Ended": "Transaction.End"}
OCCUPIED: Final = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"})


class Wording(msgspec.Struct, frozen=True):
    """How one version says things. Times are the station's clock."""

    version: str

    @property
    def is_v16(self) -> bool:
        """1.6 has other messages than the rest."""
        return self.version == V16

    def boot(self, serial: str) -> tuple[str, Payload]:
        """The station has started."""
        if self.is_v16:
            said = {"chargePointVendor": "Narke", "chargePointModel": "Simulated", "chargePointSerialNumber": serial}
            return "BootNotification", said
        station = {"vendorName": "Narke", "model": "Simulated", "serialNumber": serial}
        return "BootNotification", {"reason": "PowerUp", "chargingStation": station}

    def status(self, connector: int, status: str, at: datetime) -> tuple[str, Payload]:
        """A connector's status; 2.x knows but occupied and available."""
        if self.is_v16:
            said = {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": written(at)}
            return "StatusNotification", said
        word = "Occupied" if status in OCCUPIED else status
        return "StatusNotification", {
            "timestamp": written(at),
            "connectorStatus": word,
            "evseId": connector,
            "connectorId": 1,
        }

    def authorize(self, token: str) -> tuple[str, Payload]:
        """A driver presents a token."""
        said: Payload = {"idTag": token} if self.is_v16 else {"idToken": {"idToken": token, "type": "ISO14443"}}
        return "Authorize", said

    def started_v16(self, connector: int, token: str, meter_wh: int, at: datetime) -> tuple[str, Payload]:
        """1.6: a transaction begins; the CSMS names it."""
        said = {"connectorId": connector, "idTag": token, "meterStart": meter_wh, "timestamp": written(at)}
        return "StartTransaction", said

    def updated_v16(self, connector: int, number: int, meter_wh: int, at: datetime) -> tuple[str, Payload]:
        """1.6: energy, power and state of charge."""
        sampled = [
            {"value": str(meter_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": "11.04", "measurand": "Power.Active.Import", "unit": "kW"},
            {"value": str(meter_wh % 100), "measurand": "SoC", "unit": "Percent"},
        ]
        values = [{"timestamp": written(at), "sampledValue": sampled}]
        return "MeterValues", {"connectorId": connector, "transactionId": number, "meterValue": values}

    def ended_v16(self, number: int, token: str, meter_wh: int, at: datetime, reason: str) -> tuple[str, Payload]:
        """1.6: the transaction is over."""
        said = {"transactionId": number, "meterStop": meter_wh, "timestamp": written(at), "reason": reason}
        return "StopTransaction", said | ({"idTag": token} if reason == "Local" else {})

    def event_v2(  # noqa: PLR0913, PLR0917 (what a transaction event is)
        self,
        stage: str,
        transaction_id: str,
        sequence: int,
        meter_wh: int,
        at: datetime,
        connector: int,
        token: str | None,
        *,
        offline: bool,
        reason: str = "Local",
    ) -> tuple[str, Payload]:
        """2.x: anything about a transaction; the station names it."""
        context = CONTEXT_OF_STAGE[stage]
        info: Payload = {"transactionId": transaction_id}
        if stage == "Ended":
            info["stoppedReason"] = reason
        else:
            info["chargingState"] = "Charging"
        sampled = [
            {"value": meter_wh, "context": context, "measurand": "Energy.Active.Import.Register"},
            {"value": 11.04, "context": context, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "kW"}},
            {"value": meter_wh % 100, "context": context, "measurand": "SoC"},
        ]
        said: Payload = {
            "eventType": stage,
            "timestamp": written(at),
            "triggerReason": TRIGGER_OF_STAGE[stage],
            "seqNo": sequence,
            "transactionInfo": info,
            "meterValue": [{"timestamp": written(at), "sampledValue": sampled}],
            "offline": offline,
        }
        if stage == "Started":
            said["evse"] = {"id": connector, "connectorId": 1}
            said["idToken"] = {"idToken": token, "type": "ISO14443"}
        return "TransactionEvent", said


def written(at: datetime) -> str:
    """A time on the wire."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


ANSWER_KEYS: Final[dict[str, frozenset[str]]] = {
    "BootNotification": frozenset({"currentTime", "interval", "status"}),
    "Heartbeat": frozenset({"currentTime"}),
    "StatusNotification": frozenset(),
    "Authorize": frozenset({"idTagInfo", "idTokenInfo"}),
    "StartTransaction": frozenset({"idTagInfo", "transactionId"}),
    "MeterValues": frozenset(),
    "StopTransaction": frozenset({"idTagInfo"}),
    "TransactionEvent": frozenset({"idTokenInfo"}),
}
"""By action, what an answer may hold: one that holds more belongs to another call."""

ANSWER_KEYS_NEEDED: Final[dict[str, frozenset[str]]] = {
    "BootNotification": frozenset({"currentTime", "interval", "status"}),
    "Heartbeat": frozenset({"currentTime"}),
    "StartTransaction": frozenset({"idTagInfo", "transactionId"}),
}
"""By action, what an answer must hold."""
