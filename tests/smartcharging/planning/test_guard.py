"""Whatever an allocator answers, what comes out keeps the limits, and says what was wrong."""

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.sparse import csr_array

from smartcharging.allocators.max_min import MaxMin
from smartcharging.planning.guard import fault_of, guarded, nothing
from smartcharging.problem import Aims, Allocation, Cause, Problem, Rows, cars_of


def problem(limit=20.0, cars=2, **arrays):
    names = [f"e{number}" for number in range(cars)]
    rows = Rows(csr_array(np.ones((1, cars))), ("grid L1",), ("A",), ("grid",))
    flat = np.zeros(1)
    return Problem(
        rows=rows,
        limits=np.array([[limit]]),
        exports=np.zeros((1, 1)),
        slot_s=np.array([900.0]),
        cars=cars_of(names, **arrays),
        aims=Aims(price=flat, export_price=flat, base_kw=flat),
    )


def allocation(*current_a, binding=None):
    binding = [Cause.ENOUGH] * len(current_a) if binding is None else binding
    return Allocation(current_a=np.array(current_a, dtype=float), binding=np.array(binding, dtype=np.int64))


class Says:
    name = "somebody's"

    def __init__(self, answer):
        self.answer = answer

    def allocate(self, _problem):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def kept(asked, answer):
    found = guarded(asked, Says(answer), MaxMin())
    assert fault_of(asked, found.allocation) is None
    return found


def test_a_good_answer_is_left_as_it_is():
    answer = allocation(8.0, 12.0)
    found = kept(problem(), answer)
    assert found.allocation is answer
    assert found.repaired is None


def test_too_much_is_cut_and_said():
    found = kept(problem(), allocation(32.0, 32.0))
    assert found.allocation.current_a.sum() <= 20.0 + 1e-6
    assert "grid L1 would carry 64.00 of 20.00 A" in found.repaired
    assert "cut down" in found.allocation.note


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (RuntimeError("solver"), "failed"),
        (allocation(1.0), "currents for 2 cars"),
        (allocation(np.nan, 6.0), "not all of them numbers"),
        (allocation(np.inf, 6.0), "not all of them numbers"),
        (allocation(8.0, 8.0, binding=[0]), "currents for 2 cars"),
    ],
)
def test_what_is_no_answer_is_replaced_by_the_real_time_layer(answer, word):
    found = kept(problem(), answer)
    assert word in found.repaired
    assert found.allocation.current_a.sum() == pytest.approx(20.0, abs=0.2)


def test_nobody_gets_less_than_he_needs_or_more_than_he_takes():
    assert "less than its least" in kept(problem(), allocation(3.0, 8.0)).repaired
    assert "takes 10.0 A" in kept(problem(max_a=10.0), allocation(16.0, 0.0)).repaired


@pytest.mark.parametrize("limit", [0.0, -5.0])
def test_where_nothing_is_left_everybody_gets_nothing(limit):
    assert not kept(problem(limit=limit), allocation(6.0, 6.0)).allocation.current_a.any()


def test_nothing_always_keeps_the_limits():
    asked = problem(limit=-3.0)
    assert fault_of(asked, nothing(asked)) is None


def test_giving_back_more_than_may_flow_up_is_a_fault():
    asked = problem(discharge_a=16.0)
    assert "would feed" in fault_of(asked, allocation(-10.0, 0.0))
    assert fault_of(replace(asked, exports=np.array([[12.0]])), allocation(-10.0, 0.0)) is None
