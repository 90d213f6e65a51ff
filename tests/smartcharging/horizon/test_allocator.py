"""The horizon's plans: optimal, within the limits, and such as people expect."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartcharging.horizon import Horizon
from smartcharging.horizon.program import program
from smartcharging.problem import Allocation, Cause, Problem, cars_of
from tests.smartcharging.horizon.problems import optimum, problem_of, random_problem, rows_of, store_of

HOUR_S = 3600.0
SEEDS = st.integers(0, 10**6)


def delivered_kwh(problem: Problem, found: Allocation):
    assert found.plan_a is not None
    return (problem.cars.kw_per_a[:, None] * found.plan_a * problem.slot_s / HOUR_S).sum(axis=1)


def assert_within(problem: Problem, found: Allocation):
    current = found.current_a
    limits = np.maximum(problem.limits[:, 0], 0)
    assert (problem.rows.matrix @ np.maximum(current, 0) <= limits + 1e-6).all()
    assert ((current == 0) | (current >= problem.cars.floor_a - 1e-9)).all()
    assert (current <= problem.cars.max_a + 1e-9).all()
    assert np.allclose(current * 10, np.round(current * 10), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.booleans())
def test_the_plan_is_the_optimum_that_another_solver_finds(seed, signs):
    problem = random_problem(seed, signs=signs)
    found = Horizon().plan(problem)
    assert found.facts["objective"] == pytest.approx(optimum(problem, program(problem)), rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.booleans(), st.sampled_from([0.0, 6.0, 6.05]))
def test_limits_floors_and_steps_are_kept(seed, signs, floor_a):
    problem = random_problem(seed, cars=12, floor_a=floor_a, signs=signs)
    assert_within(problem, Horizon().allocate(problem))


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 5))
def test_a_warm_start_finds_what_a_cold_one_finds(seed, gone):
    first = random_problem(seed, cars=10, slots=8)
    warm = Horizon()
    warm.allocate(first)
    kept = np.arange(10) != gone
    arrays = {name: value for name, value in msgspec.structs.asdict(first.cars).items() if name not in {"ids", "stays"}}
    moved = {name: value[kept] for name, value in arrays.items()}
    moved["arrived_s"] = moved["arrived_s"] - 300.0
    cars = cars_of([name for place, name in enumerate(first.cars.ids) if kept[place]], **moved)
    slot_s = np.full(8, 900.0)
    slot_s[0] = 600.0
    rows = rows_of(first.rows.matrix.toarray()[:, kept])
    second = msgspec.structs.replace(first, cars=cars, slot_s=slot_s, rows=rows)
    again, cold = warm.plan(second), Horizon().plan(second)
    assert again.facts["warm"] == 1
    assert cold.facts["warm"] == 0
    assert again.facts["objective"] == pytest.approx(cold.facts["objective"], rel=1e-6, abs=1e-6)


def test_warm_starts_save_iterations():
    problem = random_problem(7, cars=30, slots=24)
    horizon = Horizon()
    cold = horizon.plan(problem).facts["iterations"]
    assert horizon.plan(problem).facts["iterations"] < cold / 2


def test_a_car_alone_gets_its_most_at_once():
    problem = problem_of(cars_of(["a"], energy_kwh=20.0, departs_s=2 * HOUR_S), [40.0])
    found = Horizon().allocate(problem)
    assert found.current_a.tolist() == [32.0]
    assert found.binding.tolist() == [Cause.OWN_MAX]
    assert (found.layer, found.note) == ("horizon", None)


def test_who_leaves_first_is_served_first_and_both_get_all():
    cars = cars_of(["late", "soon"], energy_kwh=[11.0, 11.0], departs_s=[2 * HOUR_S, HOUR_S])
    problem = problem_of(cars, [16.0])
    found = Horizon().allocate(problem)
    assert found.current_a.tolist() == [0.0, 16.0]
    assert delivered_kwh(problem, found).round(2).tolist() == [11.0, 11.0]


def test_energy_is_charged_where_it_is_cheap():
    price = [0.4] * 4 + [0.1] * 12
    car = cars_of(["a"], energy_kwh=10.0, departs_s=8 * HOUR_S)
    found = Horizon().allocate(problem_of(car, [32.0], slots=32, price=price + [0.4] * 16))
    assert found.plan_a is not None
    assert found.current_a.tolist() == [0.0]
    assert found.binding.tolist() == [Cause.ENOUGH]
    assert found.plan_a[0, :4].sum() == 0
    assert found.plan_a[0, 4:16].sum() > 0


def test_a_kwh_that_is_needed_is_charged_whatever_its_price():
    car = cars_of(["a"], energy_kwh=22.0, departs_s=HOUR_S)
    assert Horizon().allocate(problem_of(car, [32.0], price=[0.9] * 4 + [0.1] * 4)).current_a.tolist() == [32.0]


def test_a_demand_charge_flattens_the_peak():
    cars = cars_of(["a"], energy_kwh=22.0, departs_s=12 * HOUR_S)
    free = Horizon().allocate(problem_of(cars, [32.0], slots=32))
    dear = Horizon().allocate(problem_of(cars, [32.0], slots=32, demand_price=5.0, peak_kw=2.0))
    assert free.current_a[0] == 32.0
    assert dear.plan_a is not None
    assert dear.current_a[0] * 0.69 < 6.0
    assert dear.plan_a.max() * 0.69 < 6.0


def test_rounding_makes_no_peak_that_was_not_planned():
    cars = cars_of(["a", "b"], energy_kwh=[3.0, 3.0], departs_s=8 * HOUR_S)
    found = Horizon().allocate(problem_of(cars, [64.0], slots=32, demand_price=50.0, peak_kw=5.0))
    assert found.current_a.sum() * 0.69 <= 5.0


def test_below_the_peak_so_far_a_demand_charge_costs_nothing():
    cars = cars_of(["a"], energy_kwh=20.0, departs_s=12 * HOUR_S)
    found = Horizon().allocate(problem_of(cars, [32.0], slots=32, demand_price=5.0, peak_kw=30.0, base_kw=5.0))
    assert found.current_a[0] == 32.0


def test_sun_that_is_worth_little_outside_is_used_inside():
    base = [0.0] * 8 + [-15.0] * 8
    car = cars_of(["a"], energy_kwh=8.0, departs_s=8 * HOUR_S)
    found = Horizon().allocate(problem_of(car, [32.0], slots=16, price=0.3, export_price=0.05, base_kw=base))
    assert found.plan_a is not None
    assert found.plan_a[0, :8].sum() == 0
    assert found.plan_a[0, 8:].sum() > 0


class TestChanges:
    def test_who_charges_goes_on_where_another_is_as_good(self):
        cars = cars_of(["a", "b"], energy_kwh=5.0, departs_s=6 * HOUR_S, current_a=[0.0, 16.0])
        assert Horizon().allocate(problem_of(cars, [16.0], slots=24, change_price=0.1)).current_a.tolist() == [
            0.0,
            16.0,
        ]

    def test_small_moves_are_not_made(self):
        cars = cars_of(["a", "b"], energy_kwh=50.0, departs_s=6 * HOUR_S, current_a=[15.5, 16.0])
        found = Horizon().allocate(problem_of(cars, [32.0], slots=24, change_price=5.0)).current_a
        assert found.tolist() == [15.5, 16.0]


class TestUnknownNeeds:
    def test_a_car_of_which_nothing_is_known_charges_where_there_is_room(self):
        found = Horizon().allocate(problem_of(cars_of(["a"]), [40.0]))
        assert found.current_a.tolist() == [32.0]

    def test_it_does_not_starve_beside_one_that_wants_much_and_has_time(self):
        cars = cars_of(["known", "unknown"], energy_kwh=[30.0, np.inf], departs_s=[8 * HOUR_S, np.inf])
        found = Horizon().allocate(problem_of(cars, [24.0], slots=32))
        assert found.current_a[1] >= 6.0

    def test_it_does_not_take_all_either(self):
        cars = cars_of(["known", "unknown"], energy_kwh=[22.0, np.inf], departs_s=[HOUR_S, np.inf])
        found = Horizon().allocate(problem_of(cars, [32.0], slots=32))
        assert found.current_a[0] >= 16.0

    def test_a_battery_that_is_full_bounds_it(self):
        problem = problem_of(cars_of(["a"], room_kwh=2.0), [40.0], slots=32)
        assert delivered_kwh(problem, Horizon().allocate(problem))[0] <= 8.0
        later = Horizon().plan(problem).plan_a
        assert later is not None
        assert (later[0, 1:] * 0.69 * 0.25).sum() <= 2.0


class TestTheOrderOfCars:
    def test_a_higher_priority_comes_first(self):
        cars = cars_of(["a", "b"], energy_kwh=30.0, departs_s=HOUR_S, priority=[0, 3])
        assert Horizon().allocate(problem_of(cars, [16.0], slots=4)).current_a.tolist() == [0.0, 16.0]

    def test_where_not_all_can_be_served_the_lack_falls_on_few(self):
        cars = cars_of(["small", "large"], energy_kwh=[5.0, 40.0], departs_s=HOUR_S)
        problem = problem_of(cars, [16.0], slots=4)
        assert delivered_kwh(problem, Horizon().allocate(problem))[0] == pytest.approx(5.0, abs=0.1)

    def test_a_car_that_starts_later_gets_nothing_now(self):
        cars = cars_of(["a"], energy_kwh=5.0, departs_s=4 * HOUR_S, starts_s=HOUR_S)
        found = Horizon().allocate(problem_of(cars, [32.0], slots=16))
        assert found.plan_a is not None
        assert found.plan_a[0, :4].sum() == 0
        assert found.plan_a[0, 4] > 0

    def test_a_departure_in_the_past_does_not_shut_a_car_out(self):
        cars = cars_of(["a"], energy_kwh=5.0, departs_s=0.0)
        assert Horizon().allocate(problem_of(cars, [32.0])).current_a.tolist() == [32.0]

    def test_a_car_that_has_its_energy_gets_nothing(self):
        found = Horizon().allocate(problem_of(cars_of(["a"], energy_kwh=0.0, departs_s=HOUR_S), [32.0]))
        assert found.current_a.tolist() == [0.0]


class TestDischarging:
    PRICE = (0.5,) * 8 + (0.05,) * 24

    def found(self, **fields):
        goals = {"unserved_price": 0.5, "exports": 100.0, "price": self.PRICE, "export_price": self.PRICE}
        goals |= {name: fields.pop(name) for name in tuple(fields) if name in goals}
        car = {"energy_kwh": 5.0, "departs_s": 8 * HOUR_S, "discharge_a": 16.0, "stored_kwh": 30.0} | fields
        problem = problem_of(cars_of(["a"], **car), [32.0], slots=32, **goals)
        return problem, Horizon().allocate(problem)

    def test_a_car_gives_while_energy_is_dear_and_leaves_with_what_it_wants(self):
        problem, found = self.found()
        assert found.current_a[0] < 0
        assert delivered_kwh(problem, found)[0] >= 5.0

    def test_it_never_gives_more_than_it_has(self):
        _, found = self.found(stored_kwh=1.0)
        assert found.plan_a is not None
        given = -np.minimum(found.plan_a[0], 0) * 0.69 * 0.25
        assert given[:8].sum() <= 1.0

    @pytest.mark.parametrize(
        "without", [{"discharge_a": 0.0}, {"exports": 0.0}, {"departs_s": np.inf}, {"stored_kwh": np.nan}]
    )
    def test_it_does_not_where_it_may_not(self, without):
        _, found = self.found(**without)
        assert (found.current_a >= 0).all()

    def test_nothing_goes_round_where_all_hours_cost_the_same(self):
        _, found = self.found(price=0.3, export_price=0.3)
        assert found.plan_a is not None
        assert found.plan_a.min() >= 0

    def test_nobody_charges_on_the_strength_of_what_another_gives(self):
        cars = cars_of(
            ["gives", "takes"], energy_kwh=[1.0, 40.0], departs_s=8 * HOUR_S, discharge_a=[32.0, 0.0], stored_kwh=40.0
        )
        found = Horizon().allocate(problem_of(cars, [16.0], slots=32, exports=100.0, price=self.PRICE))
        assert np.maximum(found.current_a, 0).sum() <= 16.0


class TestBatteries:
    def found(self, **goals):
        price = [0.5] * 8 + [0.05] * 24
        stores = goals.pop("stores", store_of())
        problem = problem_of(cars_of(["a"], energy_kwh=0.0), [20.0], slots=32, stores=stores, exports=20.0,
                             price=price, **goals)  # fmt: skip
        return Horizon().allocate(problem)

    def test_it_gives_where_energy_is_dear(self):
        found = self.found(base_kw=10.0)
        assert found.store_kw is not None
        assert found.store_kw[0] == pytest.approx(-5.0, abs=5.0)
        assert found.store_kw[0] < -0.5

    def test_an_empty_one_gives_nothing(self):
        found = self.found(stores=store_of(stored_kwh=0.0))
        assert found.store_kw is not None
        assert found.store_kw[0] >= 0

    def test_no_car_relies_on_it(self):
        cars = cars_of(["a", "b"], energy_kwh=40.0, departs_s=2 * HOUR_S)
        found = Horizon().allocate(problem_of(cars, [20.0], stores=store_of(), exports=20.0))
        assert found.current_a.sum() <= 20.0

    def test_what_it_draws_counts_with_the_cars(self):
        cars = cars_of(["a"], energy_kwh=40.0, departs_s=2 * HOUR_S)
        price = [0.01] * 2 + [5.0] * 6
        problem = problem_of(cars, [20.0], stores=store_of(stored_kwh=0.0), price=price, unserved_price=2.0)
        found = Horizon().allocate(problem)
        assert found.store_kw is not None
        assert found.current_a.sum() + max(found.store_kw[0], 0.0) <= 20.0 + 1e-6

    def test_one_without_cars_is_planned_too(self):
        problem = problem_of(cars_of([]), [20.0], np.zeros((1, 0)), stores=store_of(), price=[0.5] * 4 + [0.1] * 4)
        assert Horizon().allocate(problem).store_kw is not None


def test_no_cars_are_no_problem():
    found = Horizon().allocate(problem_of(cars_of([]), [20.0], np.zeros((1, 0))))
    assert (len(found.current_a), found.layer) == (0, "horizon")


def test_a_row_that_is_over_already_stops_those_on_it_alone():
    cars = cars_of(["a", "b"], energy_kwh=20.0, departs_s=HOUR_S)
    found = Horizon().allocate(problem_of(cars, [-5.0, 32.0], [[1, 0], [0, 1]]))
    assert found.current_a.tolist() == [0.0, 32.0]


def test_a_car_out_of_time_is_told_by_the_note():
    found = Horizon().allocate(problem_of(cars_of(["a"], energy_kwh=20.0), [32.0], time_s=1e-6))
    assert (found.layer, found.current_a.tolist()) == ("static", [0.0])
    assert "time" in str(found.note)


def test_of_cars_that_are_alike_all_charge_a_little_where_departures_are_guessed():
    cars = cars_of([str(car) for car in range(4)], energy_kwh=20.0, departs_s=4 * HOUR_S)
    guessed = msgspec.structs.replace(cars, stays=np.tile(np.linspace(1.0, 0.3, 16), (4, 1)))
    assert Horizon().plan(problem_of(guessed, [24.0], slots=16)).current_a.tolist() == [6.0] * 4


def test_a_guessed_plan_promises_more_for_later_than_there_is_room_for_and_nothing_more_now():
    cars = cars_of([str(car) for car in range(4)], energy_kwh=60.0, departs_s=4 * HOUR_S)
    guessed = msgspec.structs.replace(cars, stays=np.tile(np.linspace(1.0, 0.3, 16), (4, 1)))
    found = Horizon().plan(problem_of(guessed, [24.0], slots=16))
    assert found.current_a.sum() <= 24.0 + 1e-6
    assert found.plan_a[:, -1].sum() > 30.0
