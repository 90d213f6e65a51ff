import msgspec
import numpy as np
import pytest
from hypothesis import given
from scipy.sparse import csr_array

from smartcharging.problem import Stores
from smartcharging.problem_check import CARS, check_problem
from tests.smartcharging.trees import FEW, problem_of, random_problems

PROBLEM = problem_of([[1, 1], [1, 0]], [30, 16])
INF, NAN = np.inf, np.nan


def but(**changed):
    return msgspec.structs.replace(PROBLEM, **changed)


def cars(**changed):
    values = {name: np.asarray(value) for name, value in changed.items()}
    return but(cars=msgspec.structs.replace(PROBLEM.cars, **values))


def store(**changed):
    numbers = dict.fromkeys(
        ("charge_kw", "discharge_kw", "stored_kwh", "stored_kwh_min", "stored_kwh_max", "efficiency"), np.ones(1)
    )
    return but(stores=Stores(**({"ids": ("b",), "rows": csr_array((2, 1))} | numbers | changed)))


@FEW
@given(random_problems())
def test_problems_of_sites_pass(problem):
    check_problem(problem)


@pytest.mark.parametrize("name", sorted(CARS.keys() - {"measured_a", "stored_kwh", "priority"}))
def test_a_car_with_nan_is_refused_by_name(name):
    with pytest.raises(ValueError, match=rf"cars\.{name} of c1: nan"):
        check_problem(cars(**{name: [1.0, NAN]}))


def test_what_is_not_known_may_be_nan():
    check_problem(cars(measured_a=[NAN, 3.0], stored_kwh=[NAN, 0.0]))


def test_unknown_departures_energies_and_pasts_are_infinite():
    check_problem(cars(departs_s=[INF, 1.0], energy_kwh=[INF, 0.0], since_s=[INF, 0.0], room_kwh=[INF, 1.0]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("departs_s", -1.0),
        ("energy_kwh", -0.1),
        ("kw_per_a", 0.0),
        ("kw_per_a", INF),
        ("floor_a", -6.0),
        ("max_a", INF),
        ("max_a", -1.0),
        ("weight", 0.0),
        ("weight", -1.0),
        ("current_a", -INF),
        ("measured_a", INF),
        ("since_s", -1.0),
        ("discharge_a", -1.0),
        ("stored_kwh", -1.0),
        ("room_kwh", -1.0),
        ("starts_s", INF),
        ("arrived_s", INF),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_what_it_should_be(name, value):
    with pytest.raises(ValueError, match=rf"cars\.{name} of c0: {value}, want a finite number"):
        check_problem(cars(**{name: [value, 1.0]}))


def test_discharging_cars_may_have_a_negative_current():
    check_problem(cars(current_a=[-10.0, 0.0]))


@pytest.mark.parametrize(
    ("problem", "match"),
    [
        (but(limits=np.array([[NAN], [1.0]])), "limits of r0 in slot 0: nan"),
        (but(limits=np.array([[1.0], [-INF]])), "limits of r1 in slot 0: -inf"),
        (but(limits=np.ones((2, 3))), r"limits: shape \(2, 3\), want \(2, 1\)"),
        (but(exports=np.array([[0.0], [-1.0]])), "exports of r1 in slot 0: -1"),
        (but(slot_s=np.zeros(0)), "slot_s: want"),
        (but(slot_s=np.array([0.0])), "slot_s in slot 0: 0.0, want a finite number above 0"),
        (but(slot_s=np.array([INF])), "slot_s in slot 0: inf"),
        (but(time_s=0.0), "time_s: 0"),
        (but(time_s=NAN), "time_s: nan"),
        (cars(floor_a=[6.0]), r"cars\.floor_a: shape \(1,\), want \(2,\)"),
        (cars(priority=[0.5, 1.0]), "priority: float64, want int64"),
        (but(cars=msgspec.structs.replace(PROBLEM.cars, ids=("a", "a"))), "2 are called a"),
        (but(rows=msgspec.structs.replace(PROBLEM.rows, matrix=csr_array((2, 3)))), r"matrix is \(2, 3\)"),
        (but(rows=msgspec.structs.replace(PROBLEM.rows, units=("A", "W"))), "units W: want A or kW"),
        (but(rows=msgspec.structs.replace(PROBLEM.rows, nodes=("x",))), "1 nodes"),
        (
            but(rows=msgspec.structs.replace(PROBLEM.rows, matrix=csr_array(np.array([[1.0, 1.0], [NAN, 0.0]])))),
            "coefficient of r1 is not finite",
        ),
        (but(aims=msgspec.structs.replace(PROBLEM.aims, price=np.array([NAN]))), r"aims\.price in slot 0: nan"),
        (but(aims=msgspec.structs.replace(PROBLEM.aims, base_kw=np.ones(2))), r"aims\.base_kw: shape"),
        (but(aims=msgspec.structs.replace(PROBLEM.aims, unserved_price=-1.0)), r"aims\.unserved_price: -1"),
        (store(stored_kwh=np.array([NAN])), r"stores\.stored_kwh of b: nan"),
        (store(efficiency=np.zeros(1)), r"stores\.efficiency of b: 0"),
        (store(rows=csr_array((1, 1))), "stores: rows are"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(problem, match):
    with pytest.raises(ValueError, match=match):
        check_problem(problem)


def test_a_limit_that_others_are_over_already_and_none_at_all_are_fine():
    check_problem(but(limits=np.array([[-5.0], [INF]]), exports=np.array([[INF], [0.0]])))
    check_problem(store())


def test_at_most_eight_faults_are_told_and_the_rest_counted():
    bad = {name: [NAN, NAN] for name in sorted(CARS.keys() - {"measured_a", "stored_kwh", "priority"})}
    with pytest.raises(ValueError, match=r"and 1 others.*\(and 4 more\)"):
        check_problem(cars(**bad))
