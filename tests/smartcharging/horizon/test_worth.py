"""What a kWh is worth to whom."""

import msgspec
import numpy as np
import pytest

from smartcharging.horizon.worth import SMALL_FIRST, SMALL_FIRST_UNSURE, worth
from smartcharging.problem import cars_of
from tests.smartcharging.horizon.problems import aims


def of(**fields):
    count = max(np.size(value) for value in fields.values())
    return worth(cars_of([str(car) for car in range(count)], **fields), aims(1, unserved_price=10.0))


def test_who_needs_little_is_worth_more_within_bounds():
    found = of(energy_kwh=[0.0, 1.0, 10.0, 1e6])
    assert (np.diff(found) < 0).all()
    assert found[0] == pytest.approx(10 * (1 + SMALL_FIRST))
    assert found[-1] == pytest.approx(10.0, rel=1e-3)


def test_it_counts_for_less_where_departures_are_guessed():
    cars = msgspec.structs.replace(cars_of(["a"], energy_kwh=0.0), stays=np.ones((1, 1)))
    assert worth(cars, aims(1, unserved_price=10.0))[0] == pytest.approx(10 * (1 + SMALL_FIRST_UNSURE))


def test_an_unknown_need_is_one_in_the_middle():
    found = of(energy_kwh=[1.0, np.inf, 100.0])
    assert found[0] > found[1] > found[2]


def test_weight_and_priority_count():
    found = of(energy_kwh=1e6, weight=[1.0, 3.0, 1.0], priority=[0, 0, 2])
    assert found / found[0] == pytest.approx([1.0, 3.0, 4.0])


def test_priorities_are_beside_each_other_and_bounded():
    assert of(energy_kwh=1.0, priority=[5, 6]) == pytest.approx(of(energy_kwh=1.0, priority=[-1, 0]))
    assert np.isfinite(of(energy_kwh=1.0, priority=[0, 10**9])).all()
