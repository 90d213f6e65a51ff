import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcharging.phasors import arc_of, facets, polygon_rows
from tests.smartcharging.trees import MANY

LEAD, LAG = np.exp(1j * np.pi / 6), np.exp(-1j * np.pi / 6)


@st.composite
def constraints(draw):
    cars = draw(st.integers(1, 5))
    rows = draw(st.integers(1, 3))
    angles = draw(st.lists(st.floats(-180, 180), min_size=cars * rows, max_size=cars * rows))
    sizes = draw(st.lists(st.sampled_from((0.0, 0.25, 1.0, 1.7)), min_size=cars * rows, max_size=cars * rows))
    return (np.array(sizes) * np.exp(1j * np.radians(angles))).reshape(rows, cars)


@MANY
@given(constraints(), st.floats(1, 45), st.lists(st.floats(0, 50), min_size=5, max_size=5))
def test_what_the_rows_allow_is_within_the_circle(matrix, step, currents):
    limits = np.full(len(matrix), 40.0)
    rows = polygon_rows(matrix, limits, step)
    x = np.array(currents[: matrix.shape[1]])
    worst = max(float(np.max((rows.matrix @ x) / rows.limits)), 1e-9)
    assert (np.abs(matrix @ (x / worst)) <= limits * (1 + 1e-9)).all()


@MANY
@given(constraints(), st.lists(st.floats(0, 50), min_size=5, max_size=5))
def test_what_they_forbid_of_the_circle_is_four_thousandths_at_ten_degrees(matrix, currents):
    rows = polygon_rows(matrix, np.full(len(matrix), 40.0), 10)
    x = np.array(currents[: matrix.shape[1]])
    longest = float(np.max(np.abs(matrix @ x)))
    inside = x / max(longest / 40.0, 1e-9) * np.cos(np.radians(5))
    assert (rows.matrix @ inside <= rows.limits * (1 + 1e-9)).all()


@MANY
@given(constraints(), st.lists(st.floats(-50, 50), min_size=5, max_size=5))
def test_signed_rows_hold_cars_that_discharge_too(matrix, currents):
    rows = polygon_rows(matrix, np.full(len(matrix), 40.0), 10, signed=True)
    x = np.array(currents[: matrix.shape[1]])
    worst = max(float(np.max((rows.matrix @ x) / rows.limits)), 1e-9)
    assert (np.abs(matrix @ (x / worst)) <= 40.0 * (1 + 1e-9)).all()


def test_cars_of_a_delta_network_have_no_negative_coefficients():
    rows = polygon_rows(np.array([[LEAD, LAG, 1.0]]), np.array([80.0]))
    assert rows.matrix.shape == (6, 3)
    assert rows.matrix.min() > 0.5


def test_a_single_angle_is_one_exact_row():
    rows = polygon_rows(np.array([[2 * LEAD, LEAD, 0.0]]), np.array([80.0]))
    assert rows.matrix == pytest.approx(np.array([[2.0, 1.0, 0.0]]))
    assert rows.limits.tolist() == [80.0]


def test_the_ends_of_an_arc_are_corners_so_that_one_kind_of_car_alone_loses_nothing():
    rows = polygon_rows(np.array([[LEAD, LAG]]), np.array([80.0]))
    assert rows.matrix.max(axis=0) == pytest.approx([1.0, 1.0])


def test_each_row_says_which_constraint_it_belongs_to():
    rows = polygon_rows(np.array([[1.0, 1.0], [LEAD, LAG], [0.0, 0.0]]), np.array([10.0, 20.0, np.inf]))
    assert rows.constraints.tolist() == [0, 1, 1, 1, 1, 1, 1, 2]
    assert rows.limits.tolist() == [10.0] + [20.0] * 6 + [np.inf]


@pytest.mark.parametrize(
    ("degrees", "first", "last"),
    [
        ((10, -20), -20, 10),
        ((170, -170), 170, 190),
        ((0,), 0, 0),
        ((), 0, 0),
        ((0, 180), -180, 180),
        ((0, 120, 240), -180, 180),
    ],
)
def test_the_smallest_arc_is_found_across_the_turn(degrees, first, last):
    found = np.degrees(arc_of(np.radians(degrees)))
    turns = round((found[0] - first) / 360) * 360
    assert found - turns == pytest.approx([first, last])


def test_an_arc_of_a_full_turn_has_sides_all_round():
    sides = facets(-np.pi, np.pi, 10)
    assert len(sides.angles) == 36
    assert sides.stretch == pytest.approx(1 / np.cos(np.radians(5)))


@pytest.mark.parametrize("step", [0.0, -10.0, 91.0, float("nan")])
def test_a_step_that_makes_no_polygon_is_refused(step):
    with pytest.raises(ValueError, match="degrees"):
        facets(0, 1, step)


@pytest.mark.parametrize(
    ("matrix", "limits"),
    [
        (np.ones((2, 2), complex), np.ones(3)),
        (np.array([[np.nan + 0j]]), np.ones(1)),
        (np.ones((1, 1), complex), np.array([-1.0])),
        (np.ones((1, 1), complex), np.array([np.nan])),
    ],
)
def test_constraints_that_make_no_sense_are_refused(matrix, limits):
    with pytest.raises(ValueError, match=r"fit|finite"):
        polygon_rows(matrix, limits)
