import numpy as np

from smartcharging.allocators.edf import EarliestDeadlineFirst
from tests.smartcharging.trees import problem_of


def test_who_departs_first_charges_first_and_the_unknown_last():
    problem = problem_of([[1, 1, 1]], [30], departs_s=[np.inf, 7200, 600], max_a=16)
    assert EarliestDeadlineFirst().allocate(problem).current_a.tolist() == [6.0, 8.0, 16.0]


def test_of_those_that_depart_together_the_first_to_arrive_is_first():
    problem = problem_of([[1, 1]], [20], departs_s=600, arrived_s=[-10, -20], max_a=16)
    assert EarliestDeadlineFirst().allocate(problem).current_a.tolist() == [6.0, 14.0]
