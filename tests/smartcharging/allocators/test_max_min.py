import numpy as np
import pytest
from hypothesis import given

from smartcharging.allocators.max_min import URGENCY_MAX, URGENCY_MIN, MaxMin, by_need
from smartcharging.problem import Cause
from tests.smartcharging.trees import FEW, board, evse, grid, problem_at, problem_of, random_problems, site_of


def current(problem, **made):
    return MaxMin(**made).allocate(problem).current_a.tolist()


def test_floors_first_then_what_is_left_by_weight():
    assert current(problem_of([[1, 1, 1]], [30], weight=[1, 1, 2])) == [9.0, 9.0, 12.0]


def test_rounding_leaves_less_than_a_step_unused_where_cars_load_rows_alike():
    found = MaxMin().allocate(problem_of([[1] * 7], [50.0])).current_a
    assert found.sum() == pytest.approx(50.0)
    assert min(found.tolist()) >= 7.1


def test_it_is_the_real_time_layer_and_says_which_row_bound():
    site = site_of(
        grid(limit_a=(100.0,) * 3), board("b", limit_a=(20.0,) * 3), evse("x", "b"), evse("y", "b"), evse("z", "grid")
    )
    problem = problem_at(site)
    found = MaxMin().allocate(problem)
    assert found.layer == "real_time"
    assert found.current_a.tolist() == [10.0, 10.0, 32.0]
    assert {problem.rows.nodes[row] for row in found.binding[:2]} == {"b"}
    assert found.binding[2] == Cause.OWN_MAX


def test_a_one_phase_car_does_not_take_from_other_phases():
    site = site_of(
        grid(limit_a=(20.0,) * 3),
        evse("three", "grid"),
        evse("one", "grid", phases=1),
        evse("two", "grid", phases=1, rotation="2"),
    )
    assert current(problem_at(site)) == [10.0, 10.0, 10.0]


def test_when_room_comes_back_those_that_waited_get_their_floor_before_others_get_more():
    paused = problem_of([[1, 1]], [14], current_a=[11, 0], since_s=[60, 60])
    assert current(paused) == [7.0, 7.0]


def test_weights_of_ones_own_count():
    problem = problem_of([[1, 1]], [30])
    assert current(problem, weigh=lambda _: np.array([1.0, 5.0])) == [9.0, 21.0]


def test_who_needs_more_of_its_time_weighs_more():
    problem = problem_of([[1, 1, 1]], [40], energy_kwh=[22.08, 11.04, 2.0], departs_s=[7200, 7200, 360_000])
    assert by_need(problem) == pytest.approx([0.5, 0.25, URGENCY_MIN])
    shares = current(problem, weigh=by_need)
    assert shares[0] > shares[1] > shares[2] >= 6


def test_what_is_unknown_weighs_as_the_median_of_the_others():
    problem = problem_of(
        [[1, 1, 1]], [40], energy_kwh=[22.08, np.inf, 5], departs_s=[7200, 7200, np.inf], weight=[1, 1, 2]
    )
    assert by_need(problem) == pytest.approx([0.5, 0.5, 1.0])
    assert by_need(problem_of([[1]], [40])) == pytest.approx([0.5])


@FEW
@given(random_problems())
def test_urgency_is_bounded_whatever_cars_need(problem):
    weights = by_need(problem) / problem.cars.weight
    assert (weights >= URGENCY_MIN * (1 - 1e-12)).all()
    assert (weights <= URGENCY_MAX * (1 + 1e-12)).all()


@FEW
@given(random_problems())
def test_the_same_problem_has_the_same_answer(problem):
    assert current(problem) == current(problem)
