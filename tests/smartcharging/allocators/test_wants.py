import numpy as np

from smartcharging.allocators.wants import start, wants_of
from smartcharging.problem import Cause
from tests.smartcharging.trees import problem_of


def test_a_car_asks_for_no_more_than_fills_it_within_the_slot_but_for_its_floor():
    problem = problem_of([[1, 1, 1]], [100], slot_s=900.0, kw_per_a=0.69, energy_kwh=[1.725, 0.1, 50])
    assert wants_of(problem).cap.tolist() == [10.0, 6.0, 32.0]
    assert wants_of(problem).why.tolist() == [Cause.ENOUGH, Cause.ENOUGH, Cause.OWN_MAX]


def test_who_has_enough_starts_later_or_cannot_reach_its_floor_does_not_ask():
    problem = problem_of([[1] * 4], [100], energy_kwh=[0, 9, 9, 9], starts_s=[0, 1, 0, 0], max_a=[32, 32, 5.9, 32])
    assert wants_of(problem).asking.tolist() == [False, False, False, True]
    assert wants_of(problem).floor.tolist() == [0, 0, 0, 6]


def test_a_car_that_takes_nothing_does_not_ask_even_without_a_floor():
    assert wants_of(problem_of([[1]], [10], floor_a=0, max_a=0)).asking.tolist() == [False]


def test_floors_and_caps_are_in_steps_within_the_cars_own():
    wants = wants_of(problem_of([[1, 1]], [100], floor_a=[6.05, 6], max_a=[16.39, 6]))
    assert wants.floor.tolist() == [6.1, 6.0]
    assert wants.cap.tolist() == [16.3, 6.0]


def test_those_that_wait_have_neither_floor_nor_cap_and_know_their_row():
    started = start(problem_of([[1, 1]], [6], priority=[0, 1]))
    assert started.floor.tolist() == [0, 6]
    assert started.cap.tolist() == [0, 32]
    assert started.facts() == {"waits_for_row": {0: 0}}
    assert started.reasons(np.array([-1, 0])).tolist() == [Cause.PAUSED, 0]


def test_nothing_is_told_where_nobody_waits():
    assert start(problem_of([[1, 1]], [60])).facts() == {}
