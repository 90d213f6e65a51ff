"""Limits that cars can follow: floors, steps, rows, little lost and little changed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartcharging.problem import Cause, cars_of
from smartcharging.rounding import STEADY_A, causes, fitted, is_within, round_down, settle
from tests.smartcharging.horizon.problems import problem_of, random_problem

SEEDS = st.integers(0, 10**6)
NOWHERE = 1e9


def cars(count, **fields):
    return cars_of([str(car) for car in range(count)], **fields)


class TestRoundDown:
    @settings(max_examples=100, deadline=None)
    @given(SEEDS, st.booleans(), st.sampled_from([0.0, 6.0, 6.05, 13.0]))
    def test_whatever_is_asked_for_what_comes_out_can_be_followed(self, seed, signs, floor_a):
        problem = random_problem(seed, cars=10, signs=signs, floor_a=floor_a)
        asked = np.random.default_rng(seed).uniform(-20, 60, 10)
        asked[0], asked[1] = np.nan, np.inf
        found = round_down(problem, asked)
        assert is_within(problem, found)
        assert np.allclose(found * 10, np.round(found * 10), atol=1e-6)

    @settings(max_examples=50, deadline=None)
    @given(SEEDS)
    def test_in_a_tree_it_is_never_more_than_asked_for(self, seed):
        problem = random_problem(seed)
        asked = np.random.default_rng(seed).uniform(0, 40, 6)
        assert (round_down(problem, asked) <= asked + 1e-5).all()

    def test_steps_are_down_but_for_the_dust_of_floats(self):
        found = round_down(problem_of(cars(3), [NOWHERE]), np.array([10.19, 10.2, 10.2 - 1e-9]))
        assert found.tolist() == [10.1, 10.2, 10.2]

    def test_below_the_floor_is_nothing(self):
        assert round_down(problem_of(cars(2), [NOWHERE]), np.array([5.99, 6.0])).tolist() == [0.0, 6.0]

    def test_what_is_over_is_taken_from_all_on_the_row_by_the_same_share(self):
        problem = problem_of(cars(3), [20.0, NOWHERE], [[1, 1, 0], [1, 1, 1]])
        assert round_down(problem, np.array([30.0, 10.0, 30.0])).tolist() == [15.0, 0.0, 30.0]

    def test_hundreds_of_rows_that_are_over_are_no_problem(self):
        problem = problem_of(cars(300), np.full(300, 10.0), np.eye(300))
        assert set(round_down(problem, np.full(300, 20.0)).tolist()) == {10.0}

    def test_a_row_without_room_stops_those_on_it_alone(self):
        problem = problem_of(cars(2), [-5.0, 40.0], [[1, 0], [1, 1]])
        assert round_down(problem, np.array([16.0, 16.0])).tolist() == [0.0, 16.0]

    def test_a_limit_that_is_no_number_lets_nobody_charge(self):
        assert round_down(problem_of(cars(1), [np.nan]), np.array([16.0])).tolist() == [0.0]

    def test_discharging_is_cut_to_what_is_allowed_and_makes_no_room(self):
        problem = problem_of(cars(2, discharge_a=[10.0, 0.0]), [16.0], exports=8.0)
        assert round_down(problem, np.array([-30.0, 32.0])).tolist() == [-8.0, 16.0]


class TestSettle:
    def highest(self, count, value=32.0):
        return np.full(count, value)

    def test_what_a_car_below_its_floor_cannot_use_goes_to_the_next(self):
        problem = problem_of(cars(2), [16.0])
        found = settle(problem, np.array([13.0, 3.0]), self.highest(2))
        assert found.current_a.tolist() == [16.0, 0.0]
        assert found.binding.tolist() == [0, Cause.PAUSED]

    def test_a_car_below_its_floor_gets_it_where_there_is_room(self):
        found = settle(problem_of(cars(2), [20.0]), np.array([13.0, 3.0]), np.array([13.0, 3.0]))
        assert found.current_a.tolist() == [13.0, 6.0]

    def test_of_those_below_the_floor_who_charges_already_goes_on(self):
        problem = problem_of(cars(3, current_a=[0.0, 0.0, 6.0]), [9.0])
        found = settle(problem, np.array([4.0, 3.0, 2.0]), self.highest(3, 6.0))
        assert found.current_a.tolist() == [0.0, 0.0, 6.0]

    def test_a_limit_that_would_hardly_move_stays(self):
        held = [16.0, 10.0]
        problem = problem_of(cars(2, current_a=held), [26.0])
        wanted = np.array([16.0 - STEADY_A / 2, 10.0 + STEADY_A / 2])
        assert settle(problem, wanted, wanted + STEADY_A).current_a.tolist() == held

    def test_room_that_is_less_than_a_message_is_worth_is_left(self):
        problem = problem_of(cars(1, current_a=16.0), [16.5])
        assert settle(problem, np.array([16.0]), self.highest(1)).current_a.tolist() == [16.0]
        problem = problem_of(cars(1, current_a=16.0), [17.0])
        assert settle(problem, np.array([16.0]), self.highest(1)).current_a.tolist() == [17.0]

    def test_nobody_is_filled_beyond_what_it_may_have(self):
        found = settle(problem_of(cars(1), [NOWHERE]), np.array([10.0]), np.array([12.34]))
        assert found.current_a.tolist() == [12.4]
        assert found.binding.tolist() == [Cause.ENOUGH]

    def test_who_may_have_nothing_gets_nothing(self):
        found = settle(problem_of(cars(1), [NOWHERE]), np.zeros(1), np.zeros(1))
        assert found.current_a.tolist() == [0.0]
        assert found.binding.tolist() == [Cause.ENOUGH]

    @settings(max_examples=100, deadline=None)
    @given(SEEDS, st.booleans(), st.sampled_from([0.0, 6.0, 6.05]))
    def test_it_keeps_the_rows_and_leaves_no_room_that_is_wanted(self, seed, signs, floor_a):
        problem = random_problem(seed, cars=10, signs=signs, floor_a=floor_a)
        wanted = fitted(problem, np.random.default_rng(seed).uniform(0, 20, 10))
        found = settle(problem, wanted, problem.cars.max_a)
        assert is_within(problem, found.current_a)
        if not signs:
            enough = (found.binding == Cause.ENOUGH) & (found.current_a > 0)
            still = np.abs(found.current_a - problem.cars.current_a) < 1e-6
            assert not (enough & ~still).any()


class TestCauses:
    def test_a_car_at_its_most_is_kept_by_itself(self):
        assert causes(problem_of(cars(1), [40.0]), np.array([32.0]), np.array([32.0])).tolist() == [Cause.OWN_MAX]

    def test_the_tightest_row_is_named(self):
        problem = problem_of(cars(2), [NOWHERE, 20.05, 20.0], [[1, 1], [1, 0], [0, 1]])
        assert causes(problem, np.array([20.0, 20.0]), np.array([20.0, 20.0])).tolist() == [1, 2]

    def test_a_car_on_no_row_has_enough(self):
        problem = problem_of(cars(1), [10.0], [[0]])
        assert causes(problem, np.array([10.0]), np.array([10.0])).tolist() == [Cause.ENOUGH]

    def test_who_waits_for_a_row_without_being_planned_is_told_the_row(self):
        problem = problem_of(cars(2), [20.0])
        assert causes(problem, np.array([16.0, 0.0]), np.array([16.0, 0.0])).tolist()[1] == 0


def test_fitting_takes_the_same_share_from_all():
    problem = problem_of(cars(2, discharge_a=4.0), [20.0])
    assert fitted(problem, np.array([30.0, 10.0])) == pytest.approx([15.0, 5.0])
    assert fitted(problem, np.array([-9.0, 10.0])) == pytest.approx([-4.0, 10.0])


def test_what_cannot_be_followed_is_recognised():
    problem = problem_of(cars(2, discharge_a=4.0), [20.0], exports=3.0)
    assert is_within(problem, np.array([10.0, 10.0]))
    for bad in ([10.0, 10.1], [5.0, 0.0], [np.nan, 0.0], [-4.0, 0.0], [33.0, 0.0], [-5.0, 0.0]):
        assert not is_within(problem, np.array(bad)), bad
