import numpy as np
import pytest

from smartcharging.allocators.llf import LeastLaxityFirst, laxity_s
from tests.smartcharging.trees import problem_of


def test_laxity_is_the_time_that_is_left_when_charging_at_the_most():
    problem = problem_of([[1, 1]], [30], departs_s=[7200, 3600], energy_kwh=[22.08, 33.12])
    assert laxity_s(problem) == pytest.approx([3600, -1800])


def test_an_unknown_departure_is_infinitely_lax_and_an_unknown_energy_not_at_all():
    problem = problem_of([[1, 1, 1]], [30], departs_s=[np.inf, 3600, np.inf], energy_kwh=[5, np.inf, np.inf])
    assert laxity_s(problem).tolist() == [np.inf, 0.0, np.inf]


def test_who_can_wait_least_charges_first():
    problem = problem_of([[1, 1]], [20], departs_s=[3600, 7200], energy_kwh=[1.0, 44.0], max_a=32)
    assert LeastLaxityFirst().allocate(problem).current_a.tolist() == [6.0, 14.0]


def test_a_car_that_takes_nothing_is_no_problem():
    problem = problem_of([[1, 1]], [20], departs_s=3600, energy_kwh=5, max_a=[0, 32])
    assert LeastLaxityFirst().allocate(problem).current_a.tolist() == [0.0, 20.0]
