"""Metering in 1.6: MeterValues, and the readings that StopTransaction carries too. Sections 4.7 and 7.32 to 7.43.

MeterValues with a transactionId are news of that transaction; without, they are readings of the connector.
"""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from engine.model.envelopes import Answer
from engine.model.metering import ENERGY_REGISTER, Reading, ReadingsReported
from engine.model.transactions import Stage, TransactionReported
from engine.ocpp import times, units
from engine.ocpp.translation import Payload, StationCall
from engine.ocpp.v16.connectors import evse_ref_or_none
from engine.ocpp.versions import Version

BLOCK = "metering"

_SIGNED = "SignedData"


def report_from_meter_values(payload: Payload, _version: Version) -> TransactionReported | ReadingsReported:
    """Readings of a transaction or of a connector; of 0, the main meter."""
    evse = evse_ref_or_none(payload["connectorId"])
    readings = readings_from_meter_values(payload["meterValue"])
    transaction_id = payload.get("transactionId")
    if transaction_id is None:
        return ReadingsReported(evse=evse, readings=readings)
    return TransactionReported(
        stage=Stage.UPDATED,
        transaction_id=str(transaction_id),
        at=next((reading.at for reading in readings if reading.at is not None), None),
        evse=evse,
        readings=readings,
    )


def meter_values_response(_answer: Answer, _version: Version) -> Payload:
    """Nothing to say, be it about a transaction or not."""
    return {}


def readings_from_meter_values(meter_values: Iterable[dict[str, Any]]) -> tuple[Reading, ...]:
    """All sampled values in the order of the message, in normal form."""
    readings: list[Reading] = []
    for meter_value in meter_values:
        at = times.parse(meter_value["timestamp"])
        readings.extend([_reading(at, sample) for sample in meter_value["sampledValue"]])
    return tuple(readings)


def _reading(at: datetime | None, sample: dict[str, str]) -> Reading:
    """One sampled value, the defaults of section 7.43 filled in."""
    text = sample["value"]
    measurand = sample.get("measurand", ENERGY_REGISTER)
    unit = sample.get("unit")
    signed = sample.get("format") == _SIGNED
    number = None if signed else _number(text)
    value, unit = units.normal(number or 0.0, unit, 0, measurand)
    known = number is not None and math.isfinite(value)
    return Reading(
        at=at,
        value=value if known else None,
        measurand=measurand,
        unit=unit,
        context=sample.get("context", "Sample.Periodic"),
        location=sample.get("location", "Outlet"),
        phase=sample.get("phase"),
        raw=None if signed or (known and value == number) else text,
        signed=text if signed else None,
    )


def _number(text: str) -> float | None:
    """The number that a text says; None: none, or not a finite one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


FROM_STATION = (
    StationCall(action="MeterValues", block=BLOCK, report=report_from_meter_values, response=meter_values_response),
)
