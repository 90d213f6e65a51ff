from smartcharging.allocators.fcfs import FirstComeFirstServed
from tests.smartcharging.trees import problem_of


def test_who_arrived_first_charges_first():
    problem = problem_of([[1, 1, 1]], [30], arrived_s=[-60, -600, -6], max_a=16)
    assert FirstComeFirstServed().allocate(problem).current_a.tolist() == [8.0, 16.0, 6.0]
