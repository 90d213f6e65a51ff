"""Metering in 1.6."""

from datetime import UTC, datetime

import pytest

from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsAnswer, ReadingsReported
from engine.model.transactions import Stage, TransactionAnswer, TransactionReported
from engine.ocpp import catalogue
from engine.ocpp.versions import Version

V16 = Version.V16
NOW = datetime(2026, 5, 1, 10, tzinfo=UTC)


def meter_values(*samples, **fields):
    meter_value = [{"timestamp": "2026-05-01T10:00:00Z", "sampledValue": list(samples)}]
    return {"connectorId": 1, "meterValue": meter_value, **fields}


def reading_of(sample):
    return catalogue.understand(V16, "MeterValues", meter_values(sample)).report.readings[0]


def test_readings_of_a_transaction_are_news_of_it():
    report = catalogue.understand(V16, "MeterValues", meter_values({"value": "10"}, transactionId=17)).report
    assert report == TransactionReported(
        stage=Stage.UPDATED,
        transaction_id="17",
        at=NOW,
        evse=EvseRef(evse=1, connector=1),
        readings=(Reading(at=NOW, value=10.0),),
    )
    assert catalogue.answer_payload(V16, "MeterValues", TransactionAnswer(stage=Stage.UPDATED)) == {}


def test_readings_of_no_transaction_belong_to_the_connector():
    payload = {**meter_values({"value": "10"}), "connectorId": 0}
    report = catalogue.understand(V16, "MeterValues", payload).report
    assert report == ReadingsReported(evse=EvseRef(evse=0), readings=(Reading(at=NOW, value=10.0),))
    assert catalogue.answer_payload(V16, "MeterValues", ReadingsAnswer()) == {}


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ({"value": "10"}, Reading(at=NOW, value=10.0)),
        ({"value": "10.50"}, Reading(at=NOW, value=10.5)),
        ({"value": "0.15005000000000002", "unit": "kWh"}, Reading(at=NOW, value=150.05, raw="0.15005000000000002")),
        (
            {"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW", "context": "Sample.Clock"},
            Reading(at=NOW, value=7400.0, measurand="Power.Active.Import", unit="W", context="Sample.Clock", raw="7.4"),
        ),
        (
            {"value": "32", "measurand": "Current.Import", "unit": "A", "phase": "L1", "location": "Inlet"},
            Reading(at=NOW, value=32.0, measurand="Current.Import", unit="A", phase="L1", location="Inlet"),
        ),
        (
            {"value": "21", "measurand": "Temperature", "unit": "Celcius"},
            Reading(at=NOW, value=21.0, measurand="Temperature", unit="Celsius"),
        ),
        ({"value": "50", "measurand": "Frequency"}, Reading(at=NOW, value=50.0, measurand="Frequency", unit="Hz")),
        ({"value": "80", "measurand": "SoC"}, Reading(at=NOW, value=80.0, measurand="SoC", unit="Percent")),
        ({"value": "OCMF|{}", "format": "SignedData"}, Reading(at=NOW, value=None, signed="OCMF|{}")),
        ({"value": '{"signed":1}', "unit": "kWh"}, Reading(at=NOW, value=None, raw='{"signed":1}')),
        ({"value": "nan"}, Reading(at=NOW, value=None, raw="nan")),
        ({"value": ""}, Reading(at=NOW, value=None, raw="")),
        ({"value": "1e308", "unit": "kWh"}, Reading(at=NOW, value=None, raw="1e308")),
    ],
)
def test_a_sample_gets_its_normal_form(sample, expected):
    assert reading_of(sample) == expected


def test_all_samples_of_all_times_are_kept_in_order():
    payload = {
        "connectorId": 1,
        "meterValue": [
            {"timestamp": "2026-05-01T10:00:00Z", "sampledValue": [{"value": "1"}, {"value": "2"}]},
            {"timestamp": "nonsense", "sampledValue": [{"value": "3"}]},
        ],
    }
    readings = catalogue.understand(V16, "MeterValues", payload).report.readings
    assert [(reading.at, reading.value) for reading in readings] == [(NOW, 1.0), (NOW, 2.0), (None, 3.0)]


def test_a_unit_nobody_knows_is_kept():
    reading = reading_of({"value": "5", "unit": "furlong"})
    assert (reading.value, reading.unit) == (5.0, "furlong")


def test_meter_values_without_any_value_are_answered_all_the_same():
    report, repaired = catalogue.understand(V16, "MeterValues", {"connectorId": 1, "meterValue": []})
    assert report.readings == ()
    assert len(repaired) == 1
