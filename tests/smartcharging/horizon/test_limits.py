"""Limits that are added as they are broken."""

import msgspec
import numpy as np

from smartcharging.horizon.limits import ALL_ROWS_MAX, Limits
from smartcharging.horizon.program import program
from smartcharging.problem import cars_of
from tests.smartcharging.horizon.problems import problem_of


def limits_of(limits, matrix, cars=2, **fields):
    problem = problem_of(cars_of([str(car) for car in range(cars)], departs_s=3600.0, energy_kwh=9.0), limits, matrix,
                         slots=4, **fields)  # fmt: skip
    made = program(problem)
    return Limits(problem, made), made


def test_rows_that_cannot_be_broken_are_left_out():
    found, _ = limits_of([64.0, 63.9, np.inf], np.ones((3, 2)))
    assert found.kept.tolist() == [1]


def test_few_rows_are_put_in_at_once():
    found, _ = limits_of([10.0, 20.0], np.ones((2, 2)))
    row, slot = found.first(None)
    assert len(row) == 8
    assert sorted(set(zip(row.tolist(), slot.tolist(), strict=True))) == [(r, s) for r in (0, 1) for s in range(4)]


def test_of_many_the_worst_of_each_slot_come_first_and_those_that_bound_before():
    count = ALL_ROWS_MAX + 4
    limits = np.linspace(20.0, 10.0, count)
    found, _ = limits_of(limits, np.ones((count, 2)))
    remembered = np.zeros((count, 4), dtype=bool)
    remembered[3, 1] = True
    row, slot = found.first(remembered)
    assert sorted(zip(row.tolist(), slot.tolist(), strict=True)) == [
        (3, 1), (count - 1, 0), (count - 1, 1), (count - 1, 2), (count - 1, 3)]  # fmt: skip


def test_broken_rows_are_found_once():
    count = ALL_ROWS_MAX + 1
    found, made = limits_of(np.full(count, 10.0), np.ones((count, 2)))
    found.first(None)
    values = np.zeros(made.model.column_count)
    assert len(found.broken(values)[0]) == 0
    values[made.draw.number] = 8.0
    row, slot = found.broken(values)
    assert set(slot.tolist()) == {0, 1, 2, 3}
    assert len(row) > 0


def test_coefficients_stand_where_the_columns_are():
    found, made = limits_of([10.0], np.array([[1.0, 2.0]]))
    found.first(None)
    upper, lines = found.rows(np.array([0]), np.array([2]))
    assert upper.tolist() == [10.0]
    there = made.draw.slot == 2
    assert lines.toarray()[0, made.draw.number[there]].tolist() == [1.0, 2.0]
    assert lines.nnz == 2


def test_a_limit_below_zero_counts_as_zero():
    found, _ = limits_of([-4.0], np.ones((1, 2)))
    found.first(None)
    assert found.rows(np.array([0]), np.array([0]))[0].tolist() == [0.0]


def test_later_slots_count_a_car_by_how_likely_it_is_there_and_the_first_in_full():
    stays = np.array([[1.0, 0.5, 0.5, 0.001], [1.0, 1.0, 0.8, 0.8]])
    cars = msgspec.structs.replace(cars_of(["0", "1"], departs_s=3600.0, energy_kwh=90.0), stays=stays)
    problem = problem_of(cars, [10.0], np.ones((1, 2)), slots=4)
    made = program(problem)
    found = Limits(problem, made)
    values = np.zeros(made.model.column_count)
    values[made.draw.number] = 10.0
    assert found.load(values)[0].tolist() == [20.0, 15.0, 13.0, 8.0]  # who is as good as gone has no column
    found.first(None)
    _, lines = found.rows(np.array([0]), np.array([1]))
    there = made.draw.slot == 1
    assert lines.toarray()[0, made.draw.number[there]].tolist() == [0.5, 1.0]


def test_who_does_not_know_counts_everybody_in_full():
    found, made = limits_of([10.0], np.ones((1, 2)))
    values = np.zeros(made.model.column_count)
    values[made.draw.number] = 10.0
    assert found.load(values)[0].tolist() == [20.0] * 4
