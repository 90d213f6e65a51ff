"""Every measurand, unit, phase, location and context of the three versions, in the normal form. 2.1 J, 1.6 7.43."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.metering import Reading
from engine.ocpp import schemas, units
from engine.ocpp.catalogue import understand
from engine.ocpp.versions import Version

NORMAL = {"Wh", "varh", "VAh", "W", "var", "VA", "A", "V", "Hz", "Percent", "Celsius", "RPM", "", "s"}
UNITS_21 = {
    "A": "A", "ASU": "ASU", "B": "B", "Celsius": "Celsius", "dB": "dB", "dBm": "dBm", "Deg": "Deg",
    "Fahrenheit": "Celsius", "Hz": "Hz", "mHz": "Hz", "K": "Celsius", "lx": "lx", "m": "m", "ms2": "ms2", "N": "N",
    "Ohm": "Ohm", "kPa": "kPa", "Percent": "Percent", "RH": "RH", "RPM": "RPM", "s": "s", "V": "V", "VA": "VA",
    "kVA": "VA", "VAh": "VAh", "kVAh": "VAh", "var": "var", "kvar": "var", "varh": "varh", "kvarh": "varh", "W": "W",
    "kW": "W", "Wh": "Wh", "kWh": "Wh",
}  # fmt: skip
"""2.1 appendix, StandardizedUnitsOfMeasure -> the normal unit."""


def words(version, name):
    """The words of an enumeration of MeterValues in the version's own schema."""
    schema = schemas.schemas_of(version, "request")["MeterValues"].document
    if version is Version.V16:
        sample = schema["properties"]["meterValue"]["items"]["properties"]["sampledValue"]["items"]["properties"]
        return sample[name].get("enum")
    kind = {"measurand": "Measurand", "phase": "Phase", "location": "Location", "context": "ReadingContext"}[name]
    return schema["definitions"][f"{kind}EnumType"]["enum"]


def read(version, **sample):
    if version is Version.V16:
        value = {"value": str(sample.pop("value", 1.5)), **sample}
        payload = {"connectorId": 1, "transactionId": 4}
    else:
        unit = {name: sample.pop(name) for name in ("unit", "multiplier") if name in sample}
        value = {"value": sample.pop("value", 1.5), **sample, **({"unitOfMeasure": unit} if unit else {})}
        payload = {"evseId": 1}
    payload["meterValue"] = [{"timestamp": "2026-11-21T10:00:00Z", "sampledValue": [value]}]
    understood = understand(version, "MeterValues", payload)
    assert understood.repairs == ()
    (reading,) = understood.report.readings
    return reading


@pytest.mark.parametrize("version", list(Version))
def test_J02_every_enumerated_word_is_kept(version):
    for name in ("measurand", "phase", "location", "context"):
        for word in words(version, name):
            reading = read(version, **{name: word})
            assert getattr(reading, name) == word
            assert reading.value == 1.5
            assert reading.unit in NORMAL


def test_every_unit_of_1_6_is_in_the_normal_form():
    for word in words(Version.V16, "unit"):
        assert read(Version.V16, unit=word).unit in NORMAL


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_every_standard_unit_of_2_1_has_its_normal_unit(version):
    for word, normal in UNITS_21.items():
        assert read(version, unit=word).unit == normal


@given(
    st.sampled_from(list(Version)).flatmap(
        lambda version: st.tuples(
            st.just(version),
            st.sampled_from(words(version, "measurand")),
            st.none() | st.sampled_from(words(version, "phase")),
            st.none() | st.sampled_from(words(version, "location")),
            st.none() | st.sampled_from(words(version, "context")),
        )
    ),
    st.none() | st.sampled_from(sorted(UNITS_21)),
    st.integers(-9, 9),
    st.floats(-1e12, 1e12),
)
def test_any_combination_of_words_becomes_a_finite_reading(said, unit, multiplier, value):
    version, measurand, phase, location, context = said
    sample = {"measurand": measurand, "phase": phase, "location": location, "context": context, "value": value}
    if version is not Version.V16:
        sample |= {"unit": unit, "multiplier": multiplier}
    reading = read(version, **{name: word for name, word in sample.items() if word is not None})
    assert isinstance(reading, Reading)
    assert reading.value is not None
    assert reading.at == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert (reading.measurand, reading.phase) == (measurand, phase)
    assert (reading.location, reading.context) == (location or "Outlet", context or "Sample.Periodic")


@pytest.mark.parametrize(
    ("value", "unit", "multiplier", "expected"),
    [
        (0.15005, "kWh", 0, (150.05, "Wh")),
        (15, "Wh", 1, (150.0, "Wh")),
        (50012, "mHz", 0, (50.012, "Hz")),
        (293.15, "K", 0, (20.0, "Celsius")),
        (68, "Fahrenheit", 0, (20.0, "Celsius")),
        (1, "kvarh", 3, (1e6, "varh")),
        (7, "dBm", 0, (7, "dBm")),
    ],
)
def test_units_and_multipliers_are_resolved(value, unit, multiplier, expected):
    assert units.normal(value, unit, multiplier, "Energy.Active.Import.Register") == expected


def test_the_same_reading_is_the_same_fact_in_all_versions():
    said = {"measurand": "Power.Active.Import", "unit": "kW", "value": 7.4, "phase": "L1"}
    readings = {read(version, **said) for version in Version}
    assert {(reading.value, reading.unit, reading.phase) for reading in readings} == {(7400.0, "W", "L1")}
