"""Metering between wire and words: defaults, units and what real stations write."""

from datetime import UTC, datetime

import orjson
import pytest

from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsReported
from engine.ocpp.v2 import metering
from engine.ocpp.versions import Version

AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
TIMESTAMP = "2026-05-01T10:00:00Z"


def reading(**sampled):
    (only,) = metering.readings_from_meter_values([{"timestamp": TIMESTAMP, "sampledValue": [sampled]}])
    return only


def test_a_bare_value_is_the_import_register_in_wh_sampled_periodically_at_the_outlet():
    assert reading(value=1500) == Reading(
        at=AT,
        value=1500.0,
        measurand="Energy.Active.Import.Register",
        unit="Wh",
        context="Sample.Periodic",
        location="Outlet",
    )


def test_what_is_said_is_kept():
    said = reading(
        value=16.5,
        measurand="Current.Import",
        context="Transaction.Begin",
        location="Inlet",
        phase="L2",
        unitOfMeasure={"unit": "A"},
    )
    assert said == Reading(
        at=AT,
        value=16.5,
        measurand="Current.Import",
        unit="A",
        context="Transaction.Begin",
        location="Inlet",
        phase="L2",
    )


@pytest.mark.parametrize(
    ("value", "unit_of_measure", "expected", "unit", "raw"),
    [
        (0.15005000000000002, {"unit": "kWh"}, 150.05, "Wh", "0.15005000000000002"),
        (0.15005000000000002, {"unit": "Wh", "multiplier": 3}, 150.05, "Wh", "0.15005000000000002"),
        (12, {"unit": "kWh", "multiplier": 3}, 12_000_000.0, "Wh", "12"),
        (12, {"multiplier": 3}, 12_000.0, "Wh", "12"),
        (12_000, {"unit": "kWh", "multiplier": -3}, 12_000.0, "Wh", None),
        (7, {"unit": "Wh", "multiplier": 0}, 7.0, "Wh", None),
        (7, {"unit": "", "multiplier": 0}, 7.0, "Wh", None),
        (7, {}, 7.0, "Wh", None),
        (0, {"unit": "kWh"}, 0.0, "Wh", None),
    ],
)
def test_energy_ends_in_wh_however_it_was_written(value, unit_of_measure, expected, unit, raw):
    said = reading(value=value, unitOfMeasure=unit_of_measure)
    assert (said.value, said.unit, said.raw) == (pytest.approx(expected), unit, raw)


@pytest.mark.parametrize(
    ("measurand", "unit"),
    [
        ("Voltage", "V"),
        ("Current.Import", "A"),
        ("Power.Active.Import", "W"),
        ("SoC", "Percent"),
        ("Energy.Reactive.Import.Register", "varh"),
    ],
)
def test_a_unit_that_is_not_said_is_the_measurand_s_own(measurand, unit):
    assert reading(value=1, measurand=measurand).unit == unit


def test_a_unit_nobody_knows_is_kept():
    said = reading(value=3, measurand="Display.ChargingComplete", unitOfMeasure={"unit": "ASU"})
    assert (said.value, said.unit, said.raw) == (3.0, "ASU", None)


def test_a_value_beyond_all_numbers_is_none_and_kept_as_written():
    said = reading(value=1e300, unitOfMeasure={"unit": "kWh", "multiplier": 30})
    assert (said.value, said.raw) == (None, "1e+300")


def test_the_signed_value_is_kept_verbatim_beside_the_number():
    signed = {
        "signedMeterData": "T0NNRnx7fQ==",
        "signingMethod": "",
        "encodingMethod": "OCMF",
        "publicKey": "",
        "customData": {"vendorId": "ü"},
    }
    said = reading(value=5, signedMeterValue=signed)
    assert said.value == 5.0
    assert orjson.loads(said.signed) == signed
    assert list(orjson.loads(said.signed)) == list(signed)


def test_readings_keep_the_order_of_the_message_and_each_its_time():
    meter_values = [
        {"timestamp": "2026-05-01T12:00:00+02:00", "sampledValue": [{"value": 1}, {"value": 2}]},
        {"timestamp": "", "sampledValue": [{"value": 3}]},
    ]
    readings = metering.readings_from_meter_values(meter_values)
    assert [(each.at, each.value) for each in readings] == [(AT, 1.0), (AT, 2.0), (None, 3.0)]


@pytest.mark.parametrize("nothing", [None, [], [{"timestamp": TIMESTAMP, "sampledValue": []}]])
def test_a_message_without_values_has_no_readings(nothing):
    assert metering.readings_from_meter_values(nothing) == ()


@pytest.mark.parametrize("evse_id", [0, 2])
def test_meter_values_are_an_evse_s_or_those_of_the_main_meter(evse_id):
    payload = {"evseId": evse_id, "meterValue": [{"timestamp": TIMESTAMP, "sampledValue": [{"value": 1}]}]}
    expected = ReadingsReported(evse=EvseRef(evse=evse_id), readings=(Reading(at=AT, value=1.0),))
    assert metering.report_from_meter_values(payload, Version.V201) == expected
