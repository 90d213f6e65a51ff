import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from smartcharging.maxmin import entries_of, fill, levels_of
from smartcharging.problem import Cause
from tests.smartcharging.trees import MANY, random_problems

LOOSE = 1e-7
"""Relative: levels and fullness, by floats."""


def sparse(rows):
    return csr_array(np.array(rows, dtype=float))


def share(rows, limits, floor=0.0, cap=32.0, weight=1.0):
    matrix = sparse(rows)
    count = matrix.shape[1]
    arrays = [np.broadcast_to(np.asarray(each, dtype=float), (count,)).copy() for each in (floor, cap, weight)]
    return fill(matrix, np.asarray(limits, dtype=float), *arrays)


def unproven(matrix, limits, floor, cap, weight, rates):
    """Cars for which the answer is no proof: not at their cap, and on no full row where nobody has a higher level."""
    levels = levels_of(rates, floor, weight)
    dense = matrix.toarray()
    used = dense @ rates
    bounds = np.where(np.isfinite(limits), limits, 1e12)
    full = used >= bounds - LOOSE * np.maximum(np.abs(bounds), 1.0)
    faults = []
    for car in range(len(rates)):
        if rates[car] >= cap[car] - LOOSE:
            continue
        rows = np.flatnonzero(full & (dense[:, car] > 0))
        rises = [(levels[(dense[row] > 0) & (rates > floor + LOOSE)]).max(initial=0.0) for row in rows]
        if not any(levels[car] >= rise - LOOSE * max(rise, 1.0) for rise in rises):
            faults.append(car)
    return faults


@st.composite
def fillings(draw):
    """Arrays of `fill` on a random site, floors that fit."""
    problem = draw(random_problems())
    matrix, limits = problem.rows.matrix, problem.limits[:, 0]
    floor, weight = problem.cars.floor_a, problem.cars.weight
    used = matrix @ floor
    with np.errstate(divide="ignore", invalid="ignore"):
        fits = np.nanmin(np.where(used > 0, limits / used, np.inf), initial=1.0)
    return matrix, limits, floor * min(fits, 1.0), np.maximum(problem.cars.max_a, floor), weight


@MANY
@given(fillings())
def test_the_answer_proves_itself_on_random_trees(filling):
    matrix, limits, floor, cap, weight = filling
    rates, _ = fill(matrix, limits, floor, cap, weight)
    assert (matrix @ rates <= np.maximum(limits, matrix @ floor)).all()
    assert (matrix.toarray() @ rates <= np.maximum(limits, matrix @ floor) * (1 + 1e-15)).all()
    assert (rates >= floor).all()
    assert (rates <= cap).all()
    assert unproven(matrix, limits, floor, cap, weight, rates) == []


@MANY
@given(fillings())
def test_what_binds_a_car_is_a_full_row_that_it_loads_or_its_own_cap(filling):
    matrix, limits, floor, cap, weight = filling
    rates, binding = fill(matrix, limits, floor, cap, weight)
    dense = matrix.toarray()
    for car, row in enumerate(binding.tolist()):
        if row == Cause.OWN_MAX:
            assert rates[car] == pytest.approx(cap[car])
        else:
            assert dense[row, car] > 0
            assert (dense @ rates)[row] == pytest.approx(limits[row], rel=1e-6, abs=1e-6)


@MANY
@given(fillings())
def test_the_lowest_level_is_the_highest_that_all_can_have_together(filling):
    """Against HiGHS: maximise the level that every car has or is at its cap below."""
    matrix, limits, floor, cap, weight = filling
    rates, _ = fill(matrix, limits, floor, cap, weight)
    bounded = np.isfinite(limits)
    count = len(floor)
    held = np.hstack([matrix.toarray()[bounded], np.zeros((int(bounded.sum()), 1))])
    risen = np.hstack([-np.eye(count), weight[:, None]])  # floor + weight * level <= x, for those that can
    target = cap - floor > 1e-9
    solved = linprog(
        np.append(np.zeros(count), -1.0),
        A_ub=np.vstack([held, risen[target]]),
        b_ub=np.concatenate([limits[bounded], -floor[target]]),
        bounds=[
            *zip(floor, np.full(count, None), strict=True),
            (0, float(np.min(((cap - floor) / weight)[target], initial=1e3))),
        ],
    )
    assert solved.status == 0
    levels = levels_of(rates, floor, weight)[target]
    assert float(np.min(levels, initial=1e3)) == pytest.approx(min(-solved.fun, 1e3), rel=1e-5, abs=1e-5)


def test_equal_cars_share_equally():
    assert share([[1, 1, 1]], [30])[0] == pytest.approx([10, 10, 10])


def test_what_one_cannot_take_goes_to_the_others():
    assert share([[1, 1, 1]], [30], cap=[4, 32, 32])[0] == pytest.approx([4, 13, 13])


def test_weights_count_above_the_floor():
    assert share([[1, 1]], [30], floor=6, weight=[1, 2])[0] == pytest.approx([12, 18])


def test_a_narrow_row_below_leaves_more_for_the_others_above():
    assert share([[1, 1, 1], [1, 1, 0]], [30, 8])[0] == pytest.approx([4, 4, 22])


def test_unbalanced_phases_are_filled_each_for_itself():
    three_and_one = [[1, 1, 0], [1, 0, 1], [1, 0, 0]]
    assert share(three_and_one, [20, 32, 32])[0] == pytest.approx([10, 10, 22])


def test_a_limit_is_met_to_the_last_digit_that_sums_can_have():
    rates, _ = share([[1] * 7], [0.7])
    assert rates.sum() <= 0.7
    assert rates.sum() == pytest.approx(0.7)


def test_where_floors_do_not_fit_those_on_the_row_get_them_and_no_more():
    rates, binding = share([[1, 1, 0], [0, 0, 1]], [10, 20], floor=6)
    assert rates == pytest.approx([6, 6, 20])
    assert binding.tolist() == [0, 0, 1]


def test_a_row_without_room_or_over_already_gives_nothing():
    assert share([[1, 1]], [0])[0].tolist() == [0, 0]
    assert share([[1, 1]], [-5])[0].tolist() == [0, 0]


def test_no_limits_give_everybody_their_cap():
    rates, binding = share([[1, 1]], [np.inf], cap=[5, 7])
    assert rates.tolist() == [5, 7]
    assert binding.tolist() == [Cause.OWN_MAX] * 2


def test_a_cap_below_the_floor_counts_as_the_floor():
    assert share([[1, 1]], [30], floor=6, cap=[0, 32])[0] == pytest.approx([6, 24])


def test_nobody_is_no_problem():
    rates, binding = fill(csr_array((3, 0)), np.ones(3), np.zeros(0), np.zeros(0), np.zeros(0))
    assert (rates.shape, binding.shape) == ((0,), (0,))


def test_none_relies_on_a_car_that_relieves_a_row():
    assert share([[1, -1]], [10])[0] == pytest.approx([10, 32])


def test_rows_that_cannot_fill_up_are_left_out():
    matrix = sparse([[1, 1, 0], [0, 1, 1], [1, 1, 1]])
    entries = entries_of(matrix, np.array([100.0, 20.0, np.inf]), np.full(3, 16.0))
    assert entries.numbers.tolist() == [1]
    assert entries.cars.tolist() == [1, 2]
    assert entries.carried(np.array([1.0, 2.0, 3.0])).tolist() == [5.0]


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"limits": [np.nan]}, "limit of row 0 is NaN"),
        ({"floor": [0, np.nan]}, "floor of car 1"),
        ({"cap": [np.inf, 1]}, "cap of car 0"),
        ({"weight": [1, np.nan]}, "weight of car 1"),
        ({"weight": [1, 0]}, "weight of car 1 is not above 0"),
        ({"weight": [-1, 1]}, "weight of car 0 is not above 0"),
    ],
)
def test_what_is_no_number_is_refused(changed, match):
    with pytest.raises(ValueError, match=match):
        share([[1, 1]], **({"limits": [10]} | changed))
