"""What stands in a site's program."""

import numpy as np
import pytest

from smartcharging.horizon.program import CHANGE_SHARE, STAYING_MIN, program
from smartcharging.horizon.staying import staying
from smartcharging.problem import cars_of
from tests.smartcharging.horizon.problems import problem_of, store_of

HOUR_S = 3600.0


def test_a_car_has_columns_where_it_is_likely_to_be_and_nowhere_else():
    cars = cars_of(["soon", "late", "full"], energy_kwh=[5.0, 5.0, 0.0], departs_s=[HOUR_S, 20 * HOUR_S, HOUR_S])
    problem = problem_of(cars, [64.0], slots=96)
    made = program(problem)
    likely = staying(cars, problem.slot_s) >= STAYING_MIN
    table = made.draw.table(np.ones(made.model.column_count), (3, 96)) > 0
    assert (table[:2] == likely[:2]).all()
    assert table[0].sum() < table[1].sum()
    assert not table[2].any()


def test_a_car_that_starts_within_a_slot_starts_with_the_next():
    made = program(problem_of(cars_of(["a"], energy_kwh=5.0, departs_s=2 * HOUR_S, starts_s=1000.0), [32.0]))
    assert made.draw.slot.min() == 2


def test_no_car_is_planned_for_more_than_it_wants_or_takes():
    cars = cars_of(["wants", "takes"], energy_kwh=[5.0, 50.0], departs_s=HOUR_S, room_kwh=[20.0, 7.0])
    made = program(problem_of(cars, [64.0]))
    _, upper = made.model.row_bounds
    assert upper[made.energy_row].tolist() == [5.0, 7.0]
    row = made.model.matrix.toarray()[made.energy_row[0], made.draw.number[made.draw.item == 0]]
    assert row == pytest.approx(0.69 * 0.25)


def test_the_later_the_cheaper_the_promise():
    made = program(problem_of(cars_of(["a"], energy_kwh=5.0, departs_s=HOUR_S), [32.0]))
    cost = made.model.cost[made.draw.number]
    assert (cost < 0).all()
    assert (np.diff(cost) > 0).all()


def test_change_costs_count_for_now_alone():
    cars = cars_of(["a"], energy_kwh=5.0, departs_s=HOUR_S, current_a=10.0)
    still, moving = (program(problem_of(cars, [32.0], change_price=price)) for price in (0.0, 2.0))
    assert moving.model.column_count == still.model.column_count + 2
    assert moving.model.cost[-2:].tolist() == [2.0 * CHANGE_SHARE] * 2
    lower, upper = moving.model.row_bounds
    assert (lower[-1], upper[-1]) == (10.0, 10.0)


@pytest.mark.parametrize(("demand_price", "peak_kw", "rows"), [(0.0, 0.0, 0), (5.0, 10.0, 8), (5.0, 1000.0, 0)])
def test_a_demand_charge_looks_at_slots_that_can_make_a_peak(demand_price, peak_kw, rows):
    cars = cars_of(["a"], energy_kwh=5.0, departs_s=8 * HOUR_S)
    made = program(problem_of(cars, [32.0], demand_price=demand_price, peak_kw=peak_kw))
    assert made.model.row_count == 1 + rows


def test_discharging_needs_a_departure_and_ends_with_it():
    fields = {"energy_kwh": 5.0, "discharge_a": 16.0, "stored_kwh": 10.0}
    assert not len(program(problem_of(cars_of(["a"], **fields), [32.0])).give.item)
    given = program(problem_of(cars_of(["a"], departs_s=HOUR_S, **fields), [32.0])).give
    assert given.slot.tolist() == [0, 1, 2, 3]


def test_a_battery_stays_within_its_bounds_and_one_outside_may_come_back():
    cars = cars_of(["a"], energy_kwh=5.0, departs_s=HOUR_S)
    made = program(problem_of(cars, [32.0], stores=store_of(stored_kwh=1.0, stored_kwh_min=2.0)))
    assert (len(made.store_draw.item), len(made.store_give.item)) == (8, 8)
    lower, upper = made.model.column_bounds
    levels = slice(int(made.store_give.number[-1]) + 1, int(made.store_give.number[-1]) + 9)
    assert set(lower[levels]) == {1.0}
    assert set(upper[levels]) == {10.0}
