"""Energy from a register that may do anything."""

from datetime import timedelta
from math import inf, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as some

from smartcharging.cars.registers import Register
from tests.smartcharging.cars.meter import NOW, at


def register(*told, kw_max=22.0, start=1000.0):
    found = Register(kw_max)
    if start is not None:
        found.begin(start, at(0))
    odd = [words for seconds, wh in told if (words := found.tell(wh, at(seconds))) is not None]
    return found, odd


def test_energy_is_register_minus_start():
    found, odd = register((600, 2000.0), (1200, 4000.0))
    assert (found.energy_wh, odd) == (3000.0, [])


def test_without_a_start_the_first_reading_is_the_start():
    found, _ = register((600, 5000.0), (1200, 6000.0), start=None)
    assert found.energy_wh == 1000.0


def test_a_start_that_is_told_late_counts():
    found, _ = register((600, 5000.0), (1200, 6000.0), start=None)
    found.begin(4500.0, at(0))
    assert found.energy_wh == 1500.0
    found.begin(-3.0, at(0))
    found.begin(nan, at(0))
    assert found.energy_wh == 1500.0


def test_a_register_that_goes_back_is_counted_on_from_there():
    found, odd = register((600, 4000.0), (1200, 100.0), (1800, 1100.0))
    assert found.energy_wh == 4000.0
    assert len(odd) == 1
    assert "back" in odd[0]


def test_a_glitch_to_zero_costs_nothing():
    found, odd = register((600, 14_000.0), (660, 0.0), (720, 14_200.0), (780, 14_400.0), start=13_000.0)
    assert found.energy_wh == 1400.0
    assert len(odd) == 1


def test_a_glitch_upwards_costs_nothing():
    found, odd = register((600, 2000.0), (660, 9_999_999.0), (720, 2200.0), (780, 2400.0))
    assert found.energy_wh == 1400.0
    assert "jumped" in odd[0]


def test_a_jump_that_stays_is_left_out():
    found, odd = register((600, 2000.0), (660, 500_000.0), (1260, 502_000.0))
    assert found.energy_wh == 3000.0
    assert len(odd) == 1


def test_energy_of_a_long_silence_is_believed():
    found, odd = register((8 * 3600, 121_000.0))
    assert (found.energy_wh, odd) == (120_000.0, [])


def test_what_comes_out_of_order_is_passed_over():
    found, odd = register((600, 3000.0), (300, 2000.0), (1200, 4000.0))
    assert (found.energy_wh, odd) == (3000.0, [])


@pytest.mark.parametrize("wh", [nan, inf, -5.0])
def test_what_is_no_register_is_left_out(wh):
    found, _ = register((600, 2000.0), (660, wh), (720, 2200.0))
    assert found.energy_wh == 1200.0


def test_noise_of_a_register_is_no_way_back():
    found, odd = register((600, 2000.0), (660, 1995.0), (720, 2100.0))
    assert (found.energy_wh, odd) == (1100.0, [])


def test_power_is_the_mean_of_a_minute_or_more():
    found, _ = register((10, 1010.0))
    assert isnan(found.power_kw)
    found.tell(1100.0, at(60))
    assert found.power_kw == pytest.approx(6.0)


def test_the_power_of_hours_ago_is_not_that_of_now():
    found, _ = register((60, 1100.0), (20_000, 30_000.0))
    assert isnan(found.power_kw)


@given(some.lists(some.tuples(some.integers(0, 4000), some.floats(allow_nan=True)), max_size=40))
def test_energy_never_falls_and_never_exceeds_what_the_outlet_gives(told):
    found, begun, now, energy = Register(22.0), NOW, NOW, 0.0
    found.begin(0.0, begun)
    for wait_s, wh in told:
        now += timedelta(seconds=wait_s)
        found.tell(wh, now)
        assert found.energy_wh >= energy
        energy = found.energy_wh
    most = 1.3 * 22.0 * (now - begun).total_seconds() / 3.6 + 1500.0 * (len(told) + 1)
    assert energy <= most + 1e-6
