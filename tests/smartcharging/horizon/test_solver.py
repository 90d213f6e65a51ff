"""How HiGHS is run: its budget, what it refuses, large programs."""

import numpy as np
import pytest

from smartcharging.horizon import solver
from smartcharging.horizon.limits import Limits
from smartcharging.horizon.program import program
from smartcharging.horizon.solver import SolverError, SolverLateError, solve
from smartcharging.problem import cars_of
from tests.smartcharging.horizon.problems import optimum, problem_of, random_problem


def solved(problem, warm=None, time_s=None):
    made = program(problem)
    return solve(made, (Limits(problem, made),), warm, time_s)


def test_a_budget_that_is_over_is_told():
    with pytest.raises(SolverLateError, match="time"):
        solved(random_problem(3, cars=40, slots=40), time_s=1e-4)


def test_a_budget_that_suffices_changes_nothing():
    problem = random_problem(3)
    assert solved(problem, time_s=60.0).facts["objective"] == solved(problem).facts["objective"]


def test_a_program_that_highs_refuses_is_an_error_of_ours():
    problem = random_problem(3)
    made = program(problem)
    made.model.entries(np.array([10**6]), np.array([0]), 1.0)
    with pytest.raises((SolverError, ValueError)):
        solve(made, (Limits(problem, made),), None, None)


def test_an_infeasible_program_is_an_error():
    problem = random_problem(3)
    made = program(problem)
    made.model.entries(made.model.rows(1, 1e9, np.inf), np.array([0]), 1.0)
    with pytest.raises(SolverError, match="nfeasible"):
        solve(made, (Limits(problem, made),), None, None)


def test_large_programs_go_to_the_interior_point_method_with_the_same_optimum(monkeypatch):
    problem = random_problem(11, cars=10, slots=8)
    monkeypatch.setattr(solver, "SIMPLEX_COLUMNS_MAX", 10)
    assert solved(problem).facts["objective"] == pytest.approx(optimum(problem, program(problem)), rel=1e-6)


def test_rows_are_added_until_none_is_broken(monkeypatch):
    dice = np.random.default_rng(5)
    cars = cars_of([str(car) for car in range(8)], departs_s=3600.0, energy_kwh=30.0)
    problem = problem_of(cars, dice.uniform(20, 60, 40), dice.random((40, 8)))
    found = solved(problem)
    assert found.facts["rounds"] > 1
    assert found.facts["objective"] == pytest.approx(optimum(problem, program(problem)), rel=1e-6)
    monkeypatch.setattr(solver, "ROUNDS_MAX", 1)
    with pytest.raises(SolverLateError, match="rounds"):
        solved(problem)
