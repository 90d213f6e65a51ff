"""Metering: MeterValues, and the readings that transaction events carry. OCPP 2.1 block J.

Translates; never decides, never remembers. This is the hot path: nothing is sent as often as sampled values.
"""

from datetime import datetime
from math import isfinite

import orjson

from engine.model.envelopes import Answer
from engine.model.ids import EvseRef
from engine.model.metering import ENERGY_REGISTER, Reading, ReadingsAnswer, ReadingsReported
from engine.ocpp import times, units
from engine.ocpp.answers import expected
from engine.ocpp.translation import Payload, StationCall
from engine.ocpp.versions import Version

_CONTEXT_DEFAULT = "Sample.Periodic"
_LOCATION_DEFAULT = "Outlet"
_NO_UNIT: Payload = {}


def readings_from_meter_values(meter_values: list[Payload] | None) -> tuple[Reading, ...]:
    """All sampled values in the order of the message; empty where the station sent none.

    Defaults are filled in (part 2, SampledValueType): what is not said is the import energy register, sampled
    periodically at the outlet.
    """
    if not meter_values:
        return ()
    readings: list[Reading] = []
    for meter_value in meter_values:
        at = times.parse(meter_value["timestamp"])
        readings += [_reading(sampled, at) for sampled in meter_value["sampledValue"]]
    return tuple(readings)


def _reading(sampled: Payload, at: datetime | None) -> Reading:
    """One sampled value in normal form; empty texts count as not said."""
    written = sampled["value"]
    measurand = sampled.get("measurand") or ENERGY_REGISTER
    unit_of_measure = sampled.get("unitOfMeasure") or _NO_UNIT
    value, unit = units.normal(
        written, unit_of_measure.get("unit") or None, unit_of_measure.get("multiplier") or 0, measurand
    )
    signed = sampled.get("signedMeterValue")
    return Reading(
        at=at,
        value=float(value) if isfinite(value) else None,
        measurand=measurand,
        unit=unit,
        context=sampled.get("context") or _CONTEXT_DEFAULT,
        location=sampled.get("location") or _LOCATION_DEFAULT,
        phase=sampled.get("phase") or None,
        raw=None if value == written else repr(written),
        signed=None if signed is None else orjson.dumps(signed).decode(),
    )


def report_from_meter_values(payload: Payload, _version: Version) -> ReadingsReported:
    """Readings of an EVSE (0: the main meter). 2.x names no transaction here; whether one runs is not known here."""
    return ReadingsReported(
        evse=EvseRef(evse=payload["evseId"]),
        readings=readings_from_meter_values(payload["meterValue"]),
    )


def meter_values_response(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(ReadingsAnswer, answer, "MeterValues")
    return {}


FROM_STATION = (
    StationCall(
        action="MeterValues", block="metering", report=report_from_meter_values, response=meter_values_response
    ),
)
