"""Outlets: phases, rotations, currents and powers."""

from math import inf, nan

import pytest

from engine.model.sites import Wiring
from smartcharging.outlet_check import ROTATIONS
from smartcharging.site_check import check
from tests.smartcharging.sites import EVSE, changed, depot, outlet


def told(wiring: Wiring = Wiring.WYE, **fields) -> list[tuple[str, str]]:
    site = depot(changed(EVSE, outlet=outlet(**fields)), wiring=wiring)
    assert {problem.node for problem in check(site)} <= {"CP-1/1"}
    return [(problem.severity.value, problem.field) for problem in check(site)]


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("phases", [1, 2, 3])
def test_all_rotations_there_are(rotation, phases):
    assert told(rotation=rotation, phases=phases) == []


@pytest.mark.parametrize("rotation", ["", "12", "112", "124", "1234", "L1L2L3", "abc", "321 "])
def test_a_rotation_has_each_grid_phase_once(rotation):
    assert told(rotation=rotation) == [("error", "outlet.rotation")]


@pytest.mark.parametrize("phases", [0, 4, -1])
def test_there_are_three_phases(phases):
    assert told(phases=phases) == [("error", "outlet.phases")]


def test_a_delta_connects_between_two_phases_or_to_all():
    assert told(Wiring.DELTA, phases=1) == []
    assert told(Wiring.DELTA, phases=3) == []
    assert told(Wiring.DELTA, phases=2) == [("error", "outlet.phases")]


def test_the_wiring_of_a_node_above_counts():
    site = depot(changed(EVSE, outlet=outlet(phases=2), wiring=None))
    board = next(one for one in site.nodes if one.node == "board")
    site = depot(changed(board, wiring=Wiring.DELTA), changed(EVSE, outlet=outlet(phases=2)))
    assert [problem.field for problem in check(site)] == ["outlet.phases"]


@pytest.mark.parametrize("field", ["current_a_max", "current_a_min", "discharge_kw_max", "weight"])
@pytest.mark.parametrize("value", [nan, inf, -inf, -1.0, 1e9])
def test_numbers_are_numbers_within_reason(field, value):
    assert ("error", f"outlet.{field}") in told(**{field: value})


@pytest.mark.parametrize("field", ["current_a_max", "weight"])
def test_what_must_be_above_0(field):
    assert ("error", f"outlet.{field}") in told(**{field: 0.0})


def test_the_most_is_not_below_the_least():
    assert told(current_a_max=5.0) == [("error", "outlet.current_a_max")]


def test_cars_stop_below_6_A():
    assert told(current_a_min=5.0) == [("warning", "outlet.current_a_min")]


def test_DC_says_its_power_and_draws_from_three_phases():
    assert told(dc=True, power_kw_max=150.0, current_a_min=0.0) == []
    assert told(dc=True) == [("error", "outlet.power_kw_max")]
    assert told(dc=True, power_kw_max=0.0) == [("error", "outlet.power_kw_max")]
    assert told(dc=True, power_kw_max=nan) == [("error", "outlet.power_kw_max")]
    assert told(dc=True, power_kw_max=150.0, phases=1) == [("error", "outlet.phases")]


def test_AC_is_bounded_by_its_current():
    assert told(power_kw_max=11.0) == [("error", "outlet.power_kw_max")]


def test_priorities_are_small():
    assert told(priority=-1_000) == []
    assert told(priority=1_001) == [("error", "outlet.priority")]
