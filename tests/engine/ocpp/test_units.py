"""Units of readings in normal form."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ocpp import units

ENERGY = "Energy.Active.Import.Register"


@pytest.mark.parametrize(
    ("value", "unit", "multiplier", "measurand", "expected"),
    [
        (12.0, "Wh", 0, ENERGY, (12.0, "Wh")),
        (0.15005000000000002, "kWh", 0, ENERGY, (150.05, "Wh")),
        (1.5, "Wh", 3, ENERGY, (1500.0, "Wh")),
        (1.5, "kWh", -3, ENERGY, (1.5, "Wh")),
        (2.0, "MWh", 0, ENERGY, (2_000_000.0, "Wh")),
        (7.0, None, 0, ENERGY, (7.0, "Wh")),
        (7.0, None, 0, "Energy.Reactive.Import.Register", (7.0, "varh")),
        (7.0, None, 3, "Power.Active.Import", (7000.0, "W")),
        (7.0, None, 0, "Power.Offered", (7.0, "W")),
        (0.9, None, 0, "Power.Factor", (0.9, "")),
        (50.0, None, 0, "Frequency", (50.0, "Hz")),
        (50.0, "Hertz", 0, "Frequency", (50.0, "Hz")),
        (16.0, None, 0, "Current.Import", (16.0, "A")),
        (80.0, "%", 0, "SoC", (80.0, "Percent")),
        (20.0, "Celcius", 0, "Temperature", (20.0, "Celsius")),
        (293.15, "K", 0, "Temperature", (20.0, "Celsius")),
        (68.0, "Fahrenheit", 0, "Temperature", (20.0, "Celsius")),
        (3.0, "KVAR", 0, "Power.Reactive.Import", (3000.0, "var")),
        (3.0, "furlong", 2, "Length", (300.0, "furlong")),
        (3.0, None, 0, "Something.New", (3.0, "")),
        (3.0, "Wh", 400, ENERGY, (3.0, "Wh")),
        (1e308, "kWh", 0, ENERGY, (math.inf, "Wh")),
    ],
)
def test_every_unit_has_one_normal_form(value, unit, multiplier, measurand, expected):
    assert units.normal(value, unit, multiplier, measurand) == expected


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["kWh", "W", "K", "Fahrenheit", None]) | st.text(max_size=10),
    st.integers(-40, 40),
    st.text(),
)
def test_no_finite_value_becomes_no_number(value, unit, multiplier, measurand):
    assert not math.isnan(units.normal(value, unit, multiplier, measurand)[0])
