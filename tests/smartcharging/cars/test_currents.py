"""Currents per conductor and power, from whatever the meter says."""

from math import isnan, nan

import pytest

from engine.model.sites import Outlet, Wiring
from smartcharging.cars.currents import Supply, drawn
from smartcharging.cars.meters import NOTHING, Sample

ALL = (1, 2, 3)


def supply(wiring=Wiring.WYE, volt=230.0, **more):
    return Supply(Outlet(**({"station": "CP-1", "evse": 1} | more)), wiring, volt)


def sample(**more):
    return Sample(**({"at": None} | more))


def test_currents_by_phase_are_taken_as_they_are():
    found = drawn(sample(current_a=(10.0, 11.0, 12.0)), supply(), ALL)
    assert found.per_phase_a == (10.0, 11.0, 12.0)
    assert found.power_kw == pytest.approx(33 * 0.23)
    assert found.highest_a == 12.0
    assert found.by_phase


def test_the_meters_own_power_and_voltage_come_before_the_sites():
    found = drawn(sample(current_a=(10.0, 0.0, 0.0), volt=(220.0, 220.0, 220.0)), supply(), ALL)
    assert found.power_kw == pytest.approx(2.2)
    assert drawn(sample(current_a=(10.0, 0.0, 0.0), power_w=2100.0), supply(), ALL).power_kw == 2.1


def test_one_current_for_all_is_that_of_each_conductor_in_use():
    found = drawn(sample(whole_a=10.0), supply(), (1, 2))
    assert found.per_phase_a == (10.0, 10.0, 0.0)
    assert not found.by_phase


def test_power_by_phase_becomes_current_by_phase():
    found = drawn(sample(phase_w=(2300.0, 0.0, 0.0), power_w=2300.0), supply(), ALL)
    assert found.per_phase_a == pytest.approx((10.0, 0.0, 0.0))
    assert found.by_phase


@pytest.mark.parametrize(
    ("phases", "amps"), [((1,), (30.0, 0.0, 0.0)), ((1, 2), (15.0, 15.0, 0.0)), (ALL, (10.0,) * 3)]
)
def test_power_alone_is_spread_over_the_conductors_in_use(phases, amps):
    assert drawn(sample(power_w=6900.0), supply(), phases).per_phase_a == pytest.approx(amps)


def test_the_register_alone_is_better_than_nothing():
    assert drawn(sample(), supply(), ALL, register_kw=6.9).per_phase_a == pytest.approx((10.0,) * 3)
    assert drawn(sample(), supply(), ALL) is None


def test_an_outlet_with_one_conductor_has_one_current():
    assert drawn(sample(current_a=(10.0, nan, nan)), supply(phases=1), (1,)).per_phase_a == (10.0,)
    assert drawn(sample(power_w=2300.0), supply(phases=1), ALL).per_phase_a == pytest.approx((10.0,))


def test_conductors_that_the_meter_leaves_out_say_nothing_of_the_phases_in_use():
    found = drawn(sample(current_a=(10.0, nan, nan)), supply(), ALL)
    assert found.per_phase_a == (10.0, 0.0, 0.0)
    assert not found.by_phase


def test_the_batterys_current_is_not_the_grids():
    charger = supply(dc=True, power_kw_max=150.0)
    found = drawn(sample(whole_a=200.0, volt=(400.0, 400.0, 400.0)), charger, ALL)
    assert found.power_kw == 80.0
    assert found.highest_a == pytest.approx(80 / 0.69)
    assert drawn(sample(whole_a=200.0), charger, ALL) is None
    assert drawn(sample(power_w=69_000.0), charger, ALL).per_phase_a == pytest.approx((100.0,) * 3)


def test_between_phases_power_is_counted_with_their_voltage():
    delta = supply(Wiring.DELTA, 208.0, phases=1)
    assert drawn(sample(power_w=6656.0), delta, (1,)).per_phase_a == pytest.approx((32.0,))
    three = supply(Wiring.DELTA, 208.0)
    assert drawn(sample(current_a=(10.0, 10.0, 10.0)), three, ALL).power_kw == pytest.approx(10 * 0.208 * 3**0.5)


@pytest.mark.parametrize("volt", [0.0, 23.0, 2300.0, -230.0, nan])
def test_a_voltage_that_cannot_be_is_the_sites(volt):
    found = drawn(sample(current_a=(10.0, 0.0, 0.0), volt=(volt,) * 3), supply(), ALL)
    assert found.power_kw == pytest.approx(2.3)


def test_milliamperes_are_left_out_and_named():
    found = drawn(sample(current_a=(16_000.0, 10.0, 10.0)), supply(), ALL)
    assert found.per_phase_a == (0.0, 10.0, 10.0)
    assert not found.by_phase
    assert "16000" in found.odd[0]
    assert drawn(sample(whole_a=16_000.0), supply(), ALL) is None


def test_noise_below_zero_is_nothing_and_a_meter_wired_backwards_is_turned_round():
    found = drawn(sample(current_a=(-0.2, -10.0, 10.0)), supply(), ALL)
    assert found.per_phase_a == (0.0, 10.0, 10.0)
    assert len(found.odd) == 1


def test_a_car_that_gives_back_draws_less_than_nothing():
    found = drawn(sample(current_a=(-10.0, -10.0, -10.0)), supply(discharge_kw_max=7.0), ALL)
    assert found.highest_a == -10.0
    assert found.power_kw == pytest.approx(-6.9)
    assert found.odd == ()


def test_nothing_is_said_where_the_meter_says_nothing():
    assert drawn(sample(current_a=NOTHING, power_w=nan), supply(), ALL) is None
    assert not isnan(drawn(sample(power_w=0.0), supply(), ALL).highest_a)
