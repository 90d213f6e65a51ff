from smartcharging.allocators.uncontrolled import Uncontrolled
from smartcharging.problem import Cause
from tests.smartcharging.trees import problem_of


def test_all_get_their_most_whatever_the_limits_and_it_says_so():
    allocator = Uncontrolled()
    found = allocator.allocate(problem_of([[1, 1, 1]], [5], max_a=[32, 16, 32], energy_kwh=[9, 9, 0]))
    assert found.current_a.tolist() == [32.0, 16.0, 0.0]
    assert found.binding.tolist() == [Cause.OWN_MAX, Cause.OWN_MAX, Cause.ENOUGH]
    assert allocator.breaks_limits
    assert found.note == "limits are not looked at"
