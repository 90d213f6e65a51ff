"""How much a past stay counts, and what it would have been today."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from smartcharging.forecast.kernels import Kernel, energies, stays
from smartcharging.forecast.pools import Pool, arrival_of, row_of
from tests.smartcharging.forecast.past import at, stay

UTC = ZoneInfo("UTC")
KERNEL = Kernel()
TODAY = arrival_of(at(8, days=14), UTC)


def of(*past, kind=stays, claimed=None):
    pool = Pool(100)
    for each in past:
        pool.add(row_of(each, UTC))
    return kind(pool.columns(), TODAY, claimed, KERNEL)


def test_who_came_at_that_time_counts_most():
    _, weights, _ = of(stay(8), stay(10), stay(20))
    assert weights[0] > weights[1] > weights[2]


def test_midnight_is_no_border():
    pool = Pool(10)
    pool.add(row_of(stay(23.9), UTC))
    _, weights, _ = stays(pool.columns(), arrival_of(at(0.1, days=14), UTC), None, KERNEL)
    assert weights[0] > 0.5


def test_weekends_tell_little_of_weekdays_and_old_stays_less_than_new_ones():
    _, weights, _ = of(stay(8, days=11), stay(8, days=12), stay(8, days=-100))
    assert weights[0] > 4 * weights[1]
    assert weights[0] > 1.5 * weights[2]


def test_who_came_later_stayed_about_as_much_less():
    values, _, _ = of(stay(9, hours=7))
    assert values[0] == pytest.approx((7 + KERNEL.clock) * 3600)


def test_who_said_the_same_counts_most_and_is_moved_to_what_is_said_now():
    said = [stay(8, hours=9, claimed_departs_at=at(8 + claimed)) for claimed in (4.0, 8.0)]
    values, weights, _ = of(*said, stay(8), claimed=4 * 3600.0)
    assert weights[0] > weights[1]
    assert weights[0] > weights[2] > 0
    assert values.tolist() == pytest.approx([9 * 3600, (9 - 4 * KERNEL.follow) * 3600, 8 * 3600])


def test_an_energy_that_is_not_known_counts_nothing():
    values, weights, _ = of(stay(energy_kwh=None), stay(energy_kwh=7.0), kind=energies)
    assert weights[0] == 0.0
    assert values[1] == 7.0
    assert np.isfinite(values).all()


def test_energies_follow_what_is_asked_for():
    values, weights, _ = of(
        stay(energy_kwh=10.0, claimed_kwh=20.0), stay(energy_kwh=10.0, claimed_kwh=5.0), kind=energies, claimed=20.0
    )
    assert values[0] == pytest.approx(10.0)
    assert values[1] > 10.0
    assert weights[0] > weights[1]


def test_a_car_that_left_while_it_was_charging_was_cut_off():
    *_, cut = of(stay(), stay(still_taking=True), kind=energies)
    assert cut.tolist() == [False, True]
