"""The car's physics."""

import math

import pytest

from loadtests.car import NOMINAL_V, RAMP_S, Car


def car(**changes):
    return Car(**({"battery_wh": 50_000, "soc": 0.3, "power_w_max": 11_000, "phases": 3} | changes))


def test_power_rises_until_the_ramp_is_over():
    one = car()
    powers = []
    for _ in range(6):
        powers.append(one.power_w(32))
        one.charge(RAMP_S / 5, 32)
    assert powers == sorted(powers)
    assert powers[0] == 0
    assert powers[-1] == 11_000


def test_power_falls_above_four_fifths():
    assert car(soc=0.95, charging_s=99).power_w(32) < car(soc=0.85, charging_s=99).power_w(32) < 11_000


@pytest.mark.parametrize("limit_a", [6, 7.5, 10, 16, 32])
@pytest.mark.parametrize("phases", [1, 3])
def test_never_draws_more_than_the_limit_allows_per_phase(limit_a, phases):
    one = car(phases=phases, power_w_max=22_000, charging_s=99)
    assert one.current_a(limit_a) <= limit_a
    assert one.power_w(limit_a) <= limit_a * NOMINAL_V * phases


def test_stops_below_six_amperes_and_ramps_anew():
    one = car(charging_s=99)
    assert one.power_w(5.9) == 0
    assert one.charge(600, 5.9) == 0
    assert one.soc == 0.3
    assert one.power_w(32) == 0


def test_energy_is_the_sum_and_what_the_battery_gained():
    one = car()
    total = sum(one.charge(seconds, 16) for seconds in (1, 10, 600, 37, 3600))
    assert total == pytest.approx((one.soc - 0.3) * 50_000)


def test_never_takes_more_than_the_battery_holds():
    one = car(soc=0.7)
    total = sum(one.charge(3600, 32) for _ in range(40))
    assert total <= 0.3 * 50_000 + 1e-6
    assert one.full
    assert one.power_w(32) == 0


def test_long_and_short_steps_agree():
    long, short = car(soc=0.75), car(soc=0.75)
    assert long.charge(3600, 32) == pytest.approx(sum(short.charge(1, 32) for _ in range(3600)), rel=0.02)


def test_no_time_no_energy():
    assert car().charge(0, 32) == 0


def test_a_sleepy_car_draws_nothing_for_a_while_after_a_pause():
    one = car(wake_s=30.0, ramp_s=0.0)
    one.charge(60, 16)
    assert one.power_w(16) == 11_000
    one.charge(10, 0)
    one.charge(0, 16)
    assert one.power_w(16) == 0
    assert one.charge(29, 16) == 0
    assert one.power_w(16) == 0
    assert one.charge(2, 16) > 0
    assert one.power_w(16) == 11_000


def test_a_car_that_never_drew_was_never_paused():
    one = car(wake_s=30.0, ramp_s=0.0)
    one.charge(60, 0)
    assert one.charge(10, 16) > 0


def test_some_never_wake_up():
    one = car(wake_s=math.inf)
    one.charge(60, 16)
    one.charge(1, 0)
    assert one.charge(86_400, 16) == 0
    assert one.asleep


def test_a_modest_car_draws_a_share_of_what_it_may():
    one = car(modesty=0.8, charging_s=99, phases=1, power_w_max=7_400)
    assert one.current_a(10) == pytest.approx(8)


def test_a_car_of_two_phases_has_its_power_from_two():
    one = car(phases=2, power_w_max=7_360, charging_s=99)
    assert one.current_a(32) == pytest.approx(16)
    assert one.power_w(10) == pytest.approx(4_600)
    assert one.power_w(10, phases=1) == pytest.approx(2_300)
