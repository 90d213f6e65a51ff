"""What is read from a message's readings, in all the ways in which stations write it."""

from math import inf, isnan, nan

import pytest

from smartcharging.cars.meters import samples_of
from tests.smartcharging.cars.meter import at, currents, reading


def only(*readings):
    (sample,) = samples_of(readings)
    return sample


def test_currents_by_phase_are_told_apart_with_or_without_neutral():
    assert only(*currents(10.0, 11.0, 12.0)).current_a == (10.0, 11.0, 12.0)
    assert only(reading(7.0, "Current.Import", "L2-N")).current_a[1] == 7.0


def test_the_neutral_is_no_phase():
    assert all(map(isnan, only(reading(7.0, "Current.Import", "N")).current_a))


def test_power_is_the_whole_or_the_sum_of_its_phases():
    assert only(reading(7000.0, "Power.Active.Import")).power_w == 7000.0
    phases = [reading(1000.0 * number, "Power.Active.Import", f"L{number}") for number in (1, 2, 3)]
    assert only(*phases).power_w == 6000.0
    assert only(reading(7000.0, "Power.Active.Import"), *phases).power_w == 7000.0


def test_what_is_fed_back_is_taken_off():
    assert only(reading(100.0, "Power.Active.Import"), reading(5000.0, "Power.Active.Export")).power_w == -4900.0
    assert only(reading(5000.0, "Power.Active.Export")).power_w == -5000.0


def test_a_voltage_between_phases_is_one_to_neutral():
    assert only(reading(400.0, "Voltage", "L1-L2")).volt[0] == pytest.approx(230.9, abs=0.1)
    assert only(reading(231.0, "Voltage")).volt == (231.0, 231.0, 231.0)


def test_the_outlet_comes_before_the_inlet():
    inlet = reading(100.0, "Power.Active.Import", location="Inlet")
    outlet = reading(90.0, "Power.Active.Import")
    assert only(inlet, outlet).power_w == 90.0
    assert only(inlet).power_w == 100.0
    assert isnan(only(reading(80.0, "Power.Active.Import", location="EV")).power_w)


def test_the_charge_counts_wherever_it_is_told():
    assert only(reading(55.0, "SoC", location="EV")).soc_percent == 55.0


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e9, None])
def test_what_is_no_current_is_left_out_and_named(value):
    sample = only(reading(value, "Current.Import", "L1", raw="x"), reading(5.0, "Current.Import", "L2"))
    assert isnan(sample.current_a[0])
    assert sample.current_a[1] == 5.0
    assert len(sample.odd) == 1


def test_the_moments_of_a_message_are_told_apart():
    samples = list(samples_of((*currents(5.0, 0.0, 0.0, seconds=0), *currents(6.0, 0.0, 0.0, seconds=60))))
    assert [(sample.at, sample.current_a[0]) for sample in samples] == [(at(0), 5.0), (at(60), 6.0)]


def test_what_planners_do_not_look_at_is_passed_over():
    sample = only(reading(nan, "Temperature"), reading(50.0, "Frequency"))
    assert sample.odd == ()
