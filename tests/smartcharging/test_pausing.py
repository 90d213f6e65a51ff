import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcharging.maxmin import entries_of
from smartcharging.pausing import (
    NO_ROW,
    ROTATE_S,
    admit,
    floors_in_steps,
    in_steps,
    let_in,
    steps_down,
    waiting_order,
)
from tests.smartcharging.trees import MANY, over, problem_of, random_problems


def running(matrix, limits, **cars):
    return admit(problem_of(matrix, limits, **cars)).running.tolist()


def test_all_run_where_all_floors_fit():
    assert running([[1, 1, 1]], [18]) == [True] * 3


def test_the_lowest_priority_waits_first():
    assert running([[1, 1, 1]], [12], priority=[0, 2, 1]) == [False, True, True]


def test_a_higher_priority_takes_the_place_of_a_car_that_charges():
    assert running([[1, 1]], [6], priority=[0, 1], current_a=[6, 0], since_s=0) == [False, True]


def test_cars_on_other_branches_do_not_wait():
    matrix = [[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]
    found = admit(problem_of(matrix, [6, 12, 100], priority=[5, 5, 0, 0]))
    assert found.running.tolist() == [True, False, True, True]
    assert found.rows.tolist() == [NO_ROW, 0, NO_ROW, NO_ROW]


def test_those_that_charge_go_on_for_a_quarter_of_an_hour():
    assert running([[1, 1]], [6], current_a=[0, 6], since_s=[ROTATE_S - 1, 60]) == [False, True]
    assert running([[1, 1]], [6], current_a=[0, 6], since_s=[5000, 899]) == [False, True]


def test_then_they_make_room_for_those_that_waited_as_long_the_longest_first():
    assert running([[1, 1, 1]], [6], current_a=[6, 0, 0], since_s=[900, 901, 5000]) == [False, False, True]


def test_nobody_is_paused_for_one_that_has_not_waited_that_long():
    assert running([[1, 1]], [6], current_a=[6, 0], since_s=[9000, 899]) == [True, False]


def test_of_those_that_wait_alike_the_first_to_arrive_comes_first():
    assert running([[1, 1, 1]], [6], arrived_s=[-60, -600, -6]) == [False, True, False]


def test_a_car_without_a_floor_never_waits():
    assert running([[1, 1, 1]], [6], floor_a=[0, 6, 6]) == [True, True, False]
    assert running([[1, 1]], [-3], floor_a=[0, 6]) == [True, False]


def test_a_row_that_is_over_already_lets_nobody_in():
    assert running([[1, 1, 0], [0, 0, 1]], [-0.5, 6]) == [False, False, True]


def test_a_small_car_may_fit_where_a_large_one_did_not():
    matrix = [[1, 0, 1], [1, 1, 0]]
    assert running(matrix, [6, 100], priority=[1, 0, 2]) == [False, True, True]


def test_only_those_who_want_are_asked():
    problem = problem_of([[1, 1, 1]], [6], priority=[2, 1, 0])
    assert admit(problem, wanting=np.array([False, True, True])).running.tolist() == [False, True, False]


def test_an_order_of_ones_own_counts_instead():
    problem = problem_of([[1, 1, 1]], [12], priority=[2, 1, 0])
    assert admit(problem, order=np.array([2, 1, 0])).running.tolist() == [False, True, True]


def test_floors_that_fit_exactly_all_fit():
    assert running([[0.69] * 10], [0.69 * 6 * 10]) == [True] * 10


def one_by_one(matrix, limits, demand, order):
    room = limits + 1e-9 * np.maximum(np.abs(limits), 1.0)
    runs = np.ones(len(demand), dtype=bool)
    dense = np.maximum(matrix.toarray(), 0)
    for car in order:
        takes = dense[:, car] * demand[car]
        if (takes > room)[takes > 0].any():
            runs[car] = False
        else:
            room = room - takes
    return runs


@MANY
@given(random_problems(), st.randoms(use_true_random=False))
def test_many_at_a_time_is_exactly_one_by_one(problem, chance):
    demand = floors_in_steps(problem.cars.floor_a)
    order = list(range(len(demand)))
    chance.shuffle(order)
    matrix, limits = problem.rows.matrix, problem.limits[:, 0] / 3
    found = let_in(entries_of(matrix, limits, demand), demand, lambda: np.array(order)).running
    assert found.tolist() == one_by_one(matrix, limits, demand, order).tolist()


@MANY
@given(random_problems())
def test_who_waits_does_so_for_a_row_that_those_before_it_fill(problem):
    found = admit(problem)
    floors = np.where(found.running, problem.cars.floor_a, 0.0)
    assert over(problem, floors) <= 1e-9
    place = np.empty(len(floors), dtype=int)
    place[waiting_order(problem.cars)] = np.arange(len(floors))
    dense = problem.rows.matrix.toarray()
    for car in np.flatnonzero(~found.running):
        row = found.rows[car]
        before = np.where(place < place[car], floors, 0.0)
        assert dense[row] @ before + dense[row, car] * problem.cars.floor_a[car] > problem.limits[row, 0]


def test_floors_go_up_to_a_step_and_currents_down_to_one():
    assert floors_in_steps(np.array([0.0, 6.0, 4.35, 6.1])).tolist() == [0.0, 6.0, 4.4, 6.1]
    assert steps_down(np.array([0.05, 6.29, 6.3, 31.999999])).tolist() == [0.0, 6.2, 6.3, 31.9]


def test_what_is_short_of_a_step_by_the_noise_of_floats_is_that_step():
    assert steps_down(np.array([0.1 + 0.2, 6.3 - 1e-12])).tolist() == [0.3, 6.3]


def test_no_floor_is_negative_zero():
    assert str(floors_in_steps(np.zeros(1))[0]) == "0.0"


def rounded(matrix, limits, current_a, highest=32.0):
    problem = problem_of(matrix, limits)
    most = np.full(len(problem.cars), highest)
    return in_steps(entries_of(problem.rows.matrix, problem.limits[:, 0], most), np.array(current_a), most).tolist()


def test_what_rounding_leaves_goes_to_those_that_lost_most():
    assert rounded([[1, 1, 1]], [20.0], [6.66, 6.67, 6.67]) == [6.6, 6.7, 6.7]
    assert rounded([[1, 1, 1]], [20.05], [6.66, 6.67, 6.67]) == [6.6, 6.7, 6.7]


def test_nobody_gets_more_than_its_cap():
    assert rounded([[1, 1]], [100.0], [6.66, 6.67], highest=6.67) == pytest.approx([6.6, 6.6])


@MANY
@given(random_problems(), st.floats(0.0, 1.0))
def test_steps_keep_limits_and_are_never_a_step_away(problem, part):
    most = problem.cars.max_a
    bounded = np.maximum(problem.limits[:, 0], 0.0)
    used = problem.rows.matrix @ most
    with np.errstate(divide="ignore", invalid="ignore"):
        fits = np.nanmin(np.where(used > 0, bounded / used, np.inf), initial=1.0)
    current = most * min(fits, 1.0) * part
    found = in_steps(entries_of(problem.rows.matrix, problem.limits[:, 0], most), current, most)
    assert over(problem, found) <= 2e-9
    assert (np.abs(found - current) < 0.1 + 1e-9).all()
    assert found.tolist() == np.round(found, 1).tolist()
    assert (found <= most + 1e-9).all()
