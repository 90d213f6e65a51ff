"""The words of OCPP 1.6J."""

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
_CONTEXT_OF_TRIGGER = {"Trigger": "Trigger", "MeterValueClock": "Sample.Clock"}


class Wording16:
    """OCPP 1.6J."""

    subprotocol = "ocpp1.6"
    names_transactions = False
    keeps_ids = True
    key_of_interval: ClassVar[dict[str, str]] = {"heartbeat": "HeartbeatInterval", "meter": "MeterValueSampleInterval"}

    def boot(self, identity: str, reason: str, firmware: str = "1.0.0") -> Call:
        """1.6 section 4.2; the reason cannot be said."""
        del reason
        return "BootNotification", {
            "chargePointVendor": "Narke",
            "chargePointModel": "Virtual 22",
            "chargePointSerialNumber": identity[:25],
            "firmwareVersion": firmware,
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
        payload: Payload = {
            "connectorId": charge.connector,
            "idTag": charge.token,
            "meterStart": meter.register_wh,
            "timestamp": stamp(moment.at),
        }
        if charge.reservation is not None:
            payload["reservationId"] = charge.reservation
        return "StartTransaction", payload

    def update(self, charge: Charge, meter: Meter, moment: Moment, trigger: str = "MeterValuePeriodic") -> Call:
        """1.6 section 4.7."""
        context = _CONTEXT_OF_TRIGGER.get(trigger, "Sample.Periodic")
        return self.meter_values(charge, charge.connector, meter, moment.at, context)

    def meter_values(
        self, charge: Charge | None, connector: int, meter: Meter, at: datetime, context: str = "Trigger"
    ) -> Call:
        """1.6 sections 4.7 and 5.17."""
        payload: Payload = {
            "connectorId": connector,
            "meterValue": [{"timestamp": stamp(at), "sampledValue": _sampled(meter, context)}],
        }
        if charge is not None and charge.id is not None:
            payload["transactionId"] = int(charge.id)
        return "MeterValues", payload

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
        return isinstance(info, dict) and not says_no(info)

    def group(self, reply: Payload) -> str | None:
        """ParentIdTag."""
        info = reply.get("idTagInfo")
        return info.get("parentIdTag") if isinstance(info, dict) else None

    def deauthorizes(self, reply: Payload) -> bool:
        """IdTagInfo."""
        return says_no(reply.get("idTagInfo"))


def _sampled(meter: Meter, context: str) -> list[Payload]:
    """A dictionary for each value, written out: this is what a fleet does most."""
    told = meter.measurands
    sampled: list[Payload] = []
    if ENERGY in told:
        register = str(meter.register_wh)
        sampled.append({"value": register, "context": context, "measurand": ENERGY, "unit": "Wh"})
    if POWER in told:
        sampled.append({"value": f"{meter.power_w:.1f}", "context": context, "measurand": POWER, "unit": "W"})
    if SOC in told and meter.soc_percent is not None:
        soc = f"{meter.soc_percent:.1f}"
        sampled.append({"value": soc, "context": context, "measurand": SOC, "unit": "Percent", "location": "EV"})
    if CURRENT in told:
        current = f"{meter.current_a:.2f}"
        sampled += [
            {"value": current, "context": context, "measurand": CURRENT, "unit": "A", "phase": phase}
            for phase in PHASES[: meter.phases]
        ]
    if VOLTAGE in told:
        voltage = f"{meter.voltage_v:.1f}"
        sampled += [
            {"value": voltage, "context": context, "measurand": VOLTAGE, "unit": "V", "phase": f"{phase}-N"}
            for phase in PHASES[: meter.phases]
        ]
    return sampled
