import numpy as np
import pytest

from engine.model.sites import Load, LoadKind, TimedLimit, Wiring
from smartcharging.conductors import Outlets
from smartcharging.row_plan import plan_rows
from smartcharging.tree import Tree
from tests.smartcharging.trees import board, evse, grid, site_of

DELTA = {"wiring": Wiring.DELTA, "voltage_v": 208.0}


def plan_of(site, step=10.0):
    tree = Tree(site)
    return plan_rows(site, tree, Outlets(site, tree), step)


def sides(site, name="grid L1", step=10.0):
    return plan_of(site, step).names.count(name)


def between(turn, **outlet):
    return evse(f"e{turn}", "grid", phases=1, rotation=turn, **outlet)


def test_rows_go_node_by_node_phases_first():
    plan = plan_of(site_of(grid(), board("b"), evse("e", "b")))
    assert plan.names == ("grid L1", "grid L2", "grid L3", "grid kW", "b L1", "b L2", "b L3", "b kW", "e kW")
    assert plan.units == ("A", "A", "A", "kW") * 2 + ("kW",)
    assert plan.kw_row.tolist() == [3, 7, 8]


def test_an_evse_with_a_limit_in_amperes_at_some_time_has_rows_for_it():
    limited = evse("e", "grid")
    site = site_of(
        grid(),
        type(limited)(
            node="e", kind=limited.kind, parent="grid", outlet=limited.outlet, timed=(TimedLimit(limit_a=(6, 6, 6)),)
        ),
    )
    assert "e L2" in plan_of(site).names


def test_a_phase_has_only_the_sides_that_what_hangs_below_can_need():
    pair = (between("12"), between("31"))
    assert sides(site_of(grid(), between("12"), **DELTA)) == 1
    assert sides(site_of(grid(), between("23"), **DELTA)) == 1
    assert sides(site_of(grid(), *pair, **DELTA)) == 6
    assert sides(site_of(grid(), *pair, **DELTA), step=30.0) == 2
    assert sides(site_of(grid(), between("12"), evse("dc", "grid", dc=True), **DELTA)) == 3
    assert sides(site_of(grid(), evse("three", "grid"), **DELTA)) == 6
    assert sides(site_of(grid(), evse("three", "grid"))) == 1


def test_loads_and_what_feeds_or_discharges_need_more_sides():
    constant = Load(load="l", node="grid", kw=5.0)
    metered = Load(load="l", node="grid", kind=LoadKind.METERED)
    assert sides(site_of(grid(), between("12"), loads=(constant,), **DELTA)) == 3
    assert sides(site_of(grid(), between("12"), loads=(metered,), **DELTA)) == 12
    assert sides(site_of(grid(), between("12", discharge_kw_max=5.0), **DELTA)) == 36


def test_a_wye_board_below_a_delta_site_has_one_row_per_phase():
    site = site_of(grid(), board("w", wiring=Wiring.WYE), evse("e", "w"), between("12"), **DELTA)
    assert sides(site, "w L1") == 1
    assert sides(site) == 3


def test_a_site_without_evses_has_rows_without_columns():
    plan = plan_of(site_of(grid(limit_kw=5.0)))
    assert plan.matrix(np.zeros(0, np.int64), np.zeros((0, 4), complex)).shape == (4, 0)


def test_limits_are_put_into_the_rows_of_their_phase():
    plan = plan_of(site_of(grid(limit_a=(1, 2, 3), limit_kw=4), board("b")))
    found = plan.limits_of(lambda node: node.limit_a, lambda node: node.limit_kw)
    assert found.tolist() == [1, 2, 3, 4] + [np.inf] * 4


def test_matrices_carry_no_zeros():
    site = site_of(grid(), evse("e", "grid"))
    tree = Tree(site)
    outlets = Outlets(site, tree)
    found = plan_rows(site, tree, outlets, 10.0).matrix(np.array([0, 0]), outlets.tables[[0, 0], [1, 2]])
    assert found.toarray()[:3].tolist() == [[1, 0], [0, 1], [0, 0]]
    assert found.nnz == 6
    assert found.data == pytest.approx([1, 1, 0.23, 0.23, 0.23, 0.23])
