"""The words of OCPP 2.0.1 and 2.1."""

from datetime import datetime
from typing import ClassVar

from loadtests.wording.words import (
    CURRENT,
    ENERGY,
    POWER,
    SOC,
    VOLTAGE,
    Call,
    Charge,
    Meter,
    Moment,
    Payload,
    says_no,
    stamp,
)

PHASES = ("L1", "L2", "L3")
_STATUS_OF_16 = dict.fromkeys(("Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"), "Occupied")
_TRIGGER_OF_STOP_REASON = {
    "Remote": "RemoteStop",
    "DeAuthorized": "Deauthorized",
    "ImmediateReset": "ResetCommand",
    "PowerLoss": "AbnormalCondition",
    "EVDisconnected": "EVCommunicationLost",
}
_CONTEXT_OF_TRIGGER = {
    "MeterValuePeriodic": "Sample.Periodic",
    "MeterValueClock": "Sample.Clock",
    "Trigger": "Trigger",
}


class Wording2:
    """OCPP 2.0.1 and 2.1."""

    names_transactions = True
    keeps_ids = False
    key_of_interval: ClassVar[dict[str, str]] = {"heartbeat": "HeartbeatInterval", "meter": "TxUpdatedInterval"}

    def __init__(self, subprotocol: str) -> None:
        self.subprotocol = subprotocol

    def boot(self, identity: str, reason: str, firmware: str = "1.0.0") -> Call:
        """2.1 B01."""
        station = {
            "vendorName": "Narke",
            "model": "Virtual 22",
            "serialNumber": identity[:25],
            "firmwareVersion": firmware,
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
        return "Authorize", {"idToken": id_token(token)}

    def meter_values(
        self, charge: Charge | None, connector: int, meter: Meter, at: datetime, context: str = "Trigger"
    ) -> Call:
        """2.1 F06 and J01."""
        del charge
        return "MeterValues", {"evseId": connector, "meterValue": [_sampled(meter, at, context)]}

    def start(self, charge: Charge, meter: Meter, moment: Moment) -> Call:
        """2.1 E02, F01, H03."""
        trigger = "RemoteStart" if charge.remote else "Authorized"
        action, payload = self._event("Started", trigger, charge, moment)
        payload["meterValue"] = [_sampled(meter, moment.at, "Transaction.Begin")]
        payload["evse"] = {"id": charge.connector, "connectorId": 1}
        payload["idToken"] = id_token(charge.token)
        if charge.remote_start_id is not None:
            payload["transactionInfo"]["remoteStartId"] = charge.remote_start_id
        if charge.reservation is not None:
            payload["reservationId"] = charge.reservation
        return action, payload

    def update(self, charge: Charge, meter: Meter, moment: Moment, trigger: str = "MeterValuePeriodic") -> Call:
        """2.1 J02; F06 when the CSMS asked for it; E02 when the charging state changed."""
        action, payload = self._event("Updated", trigger, charge, moment)
        context = _CONTEXT_OF_TRIGGER.get(trigger, "Other")
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
            payload["idToken"] = id_token(charge.token)
        return action, payload

    def accepts(self, reply: Payload) -> bool:
        """IdTokenInfo."""
        info = reply.get("idTokenInfo")
        return isinstance(info, dict) and not says_no(info)

    def group(self, reply: Payload) -> str | None:
        """GroupIdToken."""
        info = reply.get("idTokenInfo")
        group = info.get("groupIdToken") if isinstance(info, dict) else None
        return group.get("idToken") if isinstance(group, dict) else None

    def deauthorizes(self, reply: Payload) -> bool:
        """IdTokenInfo."""
        return says_no(reply.get("idTokenInfo"))

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


def id_token(token: str) -> Payload:
    """A card."""
    return {"idToken": token, "type": "ISO14443"}


_WH = {"unit": "Wh"}
_W = {"unit": "W"}
_A = {"unit": "A"}
_V = {"unit": "V"}
_PERCENT = {"unit": "Percent"}


def _sampled(meter: Meter, at: datetime, context: str) -> Payload:
    """A dictionary for each value, written out: this is what a fleet does most. The units are shared, never changed."""
    told = meter.measurands
    sampled: list[Payload] = []
    if ENERGY in told:
        register = meter.register_wh
        sampled.append({"value": register, "context": context, "measurand": ENERGY, "unitOfMeasure": _WH})
    if POWER in told:
        power = round(meter.power_w, 1)
        sampled.append({"value": power, "context": context, "measurand": POWER, "unitOfMeasure": _W})
    if SOC in told and meter.soc_percent is not None:
        soc = round(meter.soc_percent, 1)
        sampled.append(
            {"value": soc, "context": context, "measurand": SOC, "location": "EV", "unitOfMeasure": _PERCENT}
        )
    if CURRENT in told:
        current = round(meter.current_a, 2)
        sampled += [
            {"value": current, "context": context, "measurand": CURRENT, "phase": phase, "unitOfMeasure": _A}
            for phase in PHASES[: meter.phases]
        ]
    if VOLTAGE in told:
        voltage = round(meter.voltage_v, 1)
        sampled += [
            {"value": voltage, "context": context, "measurand": VOLTAGE, "phase": f"{phase}-N", "unitOfMeasure": _V}
            for phase in PHASES[: meter.phases]
        ]
    if not sampled:
        sampled.append({"value": meter.register_wh, "context": context})
    return {"timestamp": stamp(at), "sampledValue": sampled}
