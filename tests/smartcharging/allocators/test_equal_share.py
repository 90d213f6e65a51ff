from smartcharging.allocators.equal_share import EqualShare
from smartcharging.problem import Cause
from tests.smartcharging.trees import problem_of


def test_each_row_parts_what_is_above_the_floors_among_its_cars():
    found = EqualShare().allocate(problem_of([[1, 1, 1], [1, 1, 0]], [30, 16]))
    assert found.current_a.tolist() == [8.0, 8.0, 10.0]
    assert found.binding.tolist() == [1, 1, 0]


def test_what_a_car_cannot_use_stays_unused():
    found = EqualShare().allocate(problem_of([[1, 1]], [30], max_a=[8, 32]))
    assert found.current_a.tolist() == [8.0, 15.0]
    assert found.binding.tolist() == [Cause.OWN_MAX, 0]


def test_weights_do_not_count_but_pausing_does():
    found = EqualShare().allocate(problem_of([[1, 1, 1]], [14], weight=[1, 9, 1], priority=[0, 1, 1]))
    assert found.current_a.tolist() == [0.0, 7.0, 7.0]
    assert found.binding.tolist() == [Cause.PAUSED, 0, 0]
