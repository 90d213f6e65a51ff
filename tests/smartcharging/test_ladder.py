"""The rungs of the ladder, each forced."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartcharging.allocators import create
from smartcharging.allocators.max_min import MaxMin
from smartcharging.horizon import Horizon
from smartcharging.horizon.solver import SolverError, SolverLateError
from smartcharging.ladder import FAILURES, SHIFT_S_MAX, Narke
from smartcharging.problem import Allocation, Cause, cars_of
from smartcharging.rounding import is_within
from tests.smartcharging.horizon.problems import problem_of, random_problem

HOUR_S = 3600.0


class Faulty:
    """A horizon that works until it is told to fail."""

    def __init__(self, error: Exception | None = None):
        self.error = error
        self.inner = Horizon()

    def plan(self, problem):
        if self.error is not None:
            raise self.error
        return self.inner.plan(problem)


class Broken:
    name = "broken"

    def __init__(self, result=None):
        self.result = result

    def allocate(self, _problem):
        if self.result is None:
            raise ZeroDivisionError("no shares")
        return Allocation(
            current_a=np.asarray(self.result, dtype=float), binding=np.zeros(len(self.result), dtype=np.int64)
        )


def at(now_s, ids=("a", "b"), limit=32.0, **fields):
    """A problem some seconds after the cars came."""
    cars = cars_of(ids, arrived_s=-now_s, energy_kwh=12.0, departs_s=4 * HOUR_S - now_s, **fields)
    slot_s = np.full(16, 900.0)
    slot_s[0] = 900.0 - now_s % 900.0
    return problem_of(cars, [limit], slots=16, slot_s=slot_s)


def test_by_default_it_is_the_horizon():
    problem = at(0)
    found = Narke().allocate(problem)
    expected = Horizon().allocate(problem)
    assert (found.layer, found.note) == ("horizon", None)
    assert found.current_a.tolist() == expected.current_a.tolist()


def test_it_is_found_by_name():
    assert isinstance(create("narke"), Narke)
    assert isinstance(create("horizon"), Horizon)


class TestShifted:
    def test_a_late_solver_leaves_the_last_plan_moved_on(self):
        horizon = Faulty()
        narke = Narke(horizon)
        plan = narke.allocate(at(0)).plan_a
        horizon.error = SolverLateError("no optimum in time")
        found = narke.allocate(at(2700))
        assert found.layer == "shifted"
        assert "horizon late: no optimum in time" in str(found.note)
        assert "moved on by 2700 s" in str(found.note)
        assert plan is not None
        assert found.current_a == pytest.approx(plan[:, 3], abs=0.11)
        assert found.plan_a is not None
        assert found.plan_a.shape == (2, 16)
        assert found.plan_a[:, 1] == pytest.approx(plan[:, 4])

    def test_it_fits_into_what_the_limits_are_now(self):
        horizon = Faulty()
        narke = Narke(horizon)
        narke.allocate(at(0))
        horizon.error = RuntimeError("a fault")
        found = narke.allocate(at(300, limit=10.0))
        assert found.layer == "shifted"
        assert 0 < found.current_a.sum() <= 10.0
        assert "RuntimeError: a fault" in str(found.note)

    def test_a_car_that_came_since_gets_its_share(self):
        horizon = Faulty()
        narke = Narke(horizon)
        narke.allocate(at(0, limit=64.0))
        horizon.error = SolverError("broken")
        before = at(300, ids=("a", "b", "new"), limit=64.0)
        before.cars.arrived_s[2] = 0.0
        found = narke.allocate(before)
        assert found.current_a[2] >= 6.0
        assert "1 cars came since" in str(found.note)

    def test_a_car_that_has_its_energy_gets_no_more(self):
        horizon = Faulty()
        narke = Narke(horizon)
        narke.allocate(at(0))
        horizon.error = SolverError("broken")
        problem = at(300)
        problem.cars.energy_kwh[:] = 0.0
        assert narke.allocate(problem).current_a.tolist() == [0.0, 0.0]

    def test_an_old_plan_is_not_moved_on(self):
        horizon = Faulty()
        narke = Narke(horizon)
        narke.allocate(at(0))
        horizon.error = SolverError("broken")
        assert narke.allocate(at(SHIFT_S_MAX + 60)).layer == "real_time"


class TestRealTime:
    @pytest.mark.parametrize("kind", FAILURES)
    def test_whatever_the_solver_breaks_with_max_min_stands_in(self, kind):
        found = Narke(Faulty(kind("boom"))).allocate(at(0, limit=32.0))
        assert found.layer == "real_time"
        assert found.current_a.tolist() == [16.0, 16.0]
        assert found.note == f"horizon failed: {kind.__name__}: " + str(kind("boom"))

    def test_urgency_counts(self):
        cars = cars_of(["soon", "late"], energy_kwh=15.0, departs_s=[HOUR_S, 10 * HOUR_S])
        found = Narke(Faulty(SolverError("x"))).allocate(problem_of(cars, [30.0]))
        assert found.current_a[0] > found.current_a[1] + 5

    def test_a_budget_of_nothing_is_a_late_solver(self):
        cars = cars_of(["a"], energy_kwh=15.0, departs_s=HOUR_S)
        found = Narke().allocate(problem_of(cars, [30.0], time_s=1e-9))
        assert found.layer == "real_time"
        assert str(found.note).startswith("horizon late")
        assert found.current_a.tolist() == [30.0]


class TestStatic:
    def test_where_everything_breaks_stations_keep_their_share(self):
        found = Narke(Faulty(SolverError("x")), Broken()).allocate(at(0))
        assert found.layer == "static"
        assert found.current_a.tolist() == [0.0, 0.0]
        assert found.binding.tolist() == [Cause.STATIC, Cause.STATIC]
        assert found.note == "horizon failed: SolverError: x; real-time layer failed: ZeroDivisionError: no shares"

    def test_an_answer_of_another_size_is_none(self):
        found = Narke(Faulty(SolverError("x")), Broken([1.0])).allocate(at(0))
        assert found.layer == "static"
        assert "1 currents for 2 cars" in str(found.note)


class TestTheLastLook:
    def test_what_is_over_a_limit_is_cut_and_said(self):
        found = Narke(Faulty(SolverError("x")), Broken([32.0, 32.0])).allocate(at(0, limit=40.0))
        assert found.current_a.tolist() == [20.0, 20.0]
        assert "cut to the limits" in str(found.note)

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 10**6), st.booleans(), st.sampled_from([None, SolverError("x")]))
    def test_limits_are_kept_on_every_rung(self, seed, signs, error):
        horizon = Faulty()
        narke = Narke(horizon)
        for turn in range(3):
            problem = random_problem(seed + turn, cars=8, signs=signs)
            problem.cars.arrived_s[:] = -300.0 * turn
            found = narke.allocate(problem)
            assert is_within(problem, found.current_a), found.note
            horizon.error = error


def test_faults_of_a_problem_are_repaired_and_told():
    cars = cars_of(["a"], energy_kwh=np.nan, departs_s=-5.0)
    found = Narke().allocate(problem_of(cars, [32.0]))
    assert found.current_a.tolist() == [32.0]
    assert found.note == "1 of cars' departs_s below 0; 1 of cars' energy_kwh not a number"


def test_a_site_without_cars_is_planned():
    found = Narke().allocate(problem_of(cars_of([]), [20.0], np.zeros((1, 0))))
    assert (found.layer, len(found.current_a)) == ("horizon", 0)


def test_an_empty_site_needs_no_solver():
    found = Narke(Faulty(SolverError("x")), MaxMin()).allocate(problem_of(cars_of([]), [20.0], np.zeros((1, 0))))
    assert len(found.current_a) == 0
