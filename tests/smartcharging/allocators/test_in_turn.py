import numpy as np
from hypothesis import given

from smartcharging.allocators.in_turn import in_turn
from smartcharging.problem import Cause
from tests.smartcharging.trees import FEW, problem_of, random_problems


def test_all_get_their_floor_then_the_first_all_that_is_left():
    found = in_turn(problem_of([[1, 1, 1]], [40], max_a=[32, 20, 32]), np.array([1, 0, 2]))
    assert found.current_a.tolist() == [14.0, 20.0, 6.0]
    assert found.binding.tolist() == [0, Cause.OWN_MAX, 0]


def test_where_not_all_floors_fit_the_first_in_the_order_are_let_in():
    found = in_turn(problem_of([[1, 1, 1]], [13], priority=[9, 0, 0]), np.array([2, 1, 0]))
    assert found.current_a.tolist() == [0.0, 6.0, 7.0]
    assert found.binding.tolist() == [Cause.PAUSED, 0, 0]


def test_the_tightest_of_a_cars_rows_stops_it():
    found = in_turn(problem_of([[1, 1], [1, 0], [0.69, 0.69]], [100, 9, 100]), np.array([0, 1]))
    assert found.current_a.tolist() == [9.0, 32.0]
    assert found.binding.tolist() == [1, Cause.OWN_MAX]


@FEW
@given(random_problems())
def test_nobody_who_charges_could_have_a_step_more(problem):
    """Each is at its cap, or stopped by a row that those before it and the floors leave less than a step of."""
    count = len(problem.cars)
    found = in_turn(problem, np.arange(count))
    left = problem.limits[:, 0] - problem.rows.matrix @ found.current_a
    dense = problem.rows.matrix.toarray()
    for car in np.flatnonzero(found.binding >= 0):
        after = np.arange(count) > car
        taken_later = dense @ np.where(
            after, found.current_a - np.where(found.current_a > 0, problem.cars.floor_a, 0), 0.0
        )
        row = found.binding[car]
        assert left[row] + taken_later[row] < 0.1 * dense[row, car] + 1e-6
