"""What a problem must not hold is repaired and named."""

import msgspec
import numpy as np

from smartcharging.horizon import Horizon
from smartcharging.horizon.sound import sound
from smartcharging.problem import cars_of
from tests.smartcharging.horizon.problems import problem_of, random_problem


def test_a_sound_problem_is_left_as_it_is():
    problem = random_problem(1)
    assert sound(problem) == (problem, ())


def test_each_fault_is_named_and_mended():
    cars = cars_of(
        ["a", "b"], energy_kwh=[np.nan, -3.0], departs_s=[-5.0, 60.0], max_a=[np.inf, 16.0], weight=[np.nan, 1.0]
    )
    limits = np.full((1, 8), 32.0)
    limits[0, 2] = np.nan
    mended, repairs = sound(problem_of(cars, limits))
    assert repairs == (
        "1 of cars' departs_s below 0",
        "1 of cars' energy_kwh not a number",
        "1 of cars' energy_kwh below 0",
        "1 of cars' max_a infinite",
        "1 of cars' weight not a number",
        "1 of limits not a number",
    )
    assert mended.cars.energy_kwh.tolist() == [np.inf, 0.0]
    assert mended.cars.departs_s.tolist() == [0.0, 60.0]
    assert mended.cars.max_a.tolist() == [0.0, 16.0]
    assert mended.limits[0, 2] == 0.0
    assert mended.limits[0, 1] == 32.0


def test_limits_may_be_negative_or_infinite():
    problem = problem_of(cars_of(["a"]), [-3.0, np.inf], np.ones((2, 1)))
    assert sound(problem).repairs == ()


def test_a_price_that_is_no_number_does_not_stop_a_plan():
    problem = problem_of(cars_of(["a"], energy_kwh=5.0, departs_s=3600.0), [32.0], price=[np.nan] * 8)
    bad = msgspec.structs.replace(problem, limits=np.where(np.arange(8) == 5, np.nan, problem.limits))
    found = Horizon().allocate(bad)
    assert found.current_a[0] > 0
    assert found.plan_a is not None
    assert found.plan_a[0, 5] == 0
