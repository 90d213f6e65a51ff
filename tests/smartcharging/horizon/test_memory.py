"""What passed between two problems, told by the cars."""

import numpy as np
import pytest

from smartcharging.horizon.memory import passed, slot_at
from smartcharging.problem import cars_of


def test_time_is_told_by_those_who_stayed():
    before = cars_of(["a", "b"], arrived_s=[-100.0, -50.0])
    now = cars_of(["c", "b"], arrived_s=[-20.0, -350.0])
    found = passed(before, now)
    assert found.elapsed_s == 300.0
    assert found.place.tolist() == [-1, 1]


def test_a_car_in_the_place_of_another_is_new():
    before = cars_of(["a", "b"], arrived_s=[-1000.0, -50.0])
    now = cars_of(["a", "b"], arrived_s=[-60.0, -350.0])
    assert passed(before, now).place.tolist() == [-1, 1]


def test_without_a_common_car_nothing_is_known():
    found = passed(cars_of(["a"]), cars_of(["b"]))
    assert found.elapsed_s is None
    assert found.place.tolist() == [-1]


def test_time_that_runs_backwards_is_not_believed():
    found = passed(cars_of(["a"], arrived_s=-500.0), cars_of(["a"], arrived_s=-100.0))
    assert (found.elapsed_s, found.place.tolist()) == (None, [-1])


@pytest.mark.parametrize(
    ("elapsed_s", "expected"), [(0.0, [0, 1, 2]), (300.0, [0, 1, 2]), (900.0, [1, 2, -1]), (9000.0, [-1, -1, -1])]
)
def test_slots_are_found_again(elapsed_s, expected):
    now = np.array([900.0 - elapsed_s % 900.0, 900.0, 900.0])
    assert slot_at(np.full(3, 900.0), elapsed_s, 3, now).tolist() == expected
