"""Limits that are numbers, that fit each other, and that leave something for cars."""

from math import inf, nan

import pytest

from engine.model.sites import Load, LoadKind, NodeKind, Site, SiteNode, TimedLimit, Wiring
from smartcharging.site_check import check
from tests.smartcharging.sites import BOARD, EVSE, GRID, OTHER, changed, depot, outlet


def told(*nodes, **more) -> list[tuple[str, str, str]]:
    return [(problem.severity.value, problem.node, problem.field) for problem in check(depot(*nodes, **more))]


@pytest.mark.parametrize("value", [nan, inf, -inf, -1.0, 1e9])
def test_limits_are_numbers_within_reason(value):
    assert ("error", "board", "limit_a L2") in told(changed(BOARD, limit_a=(10.0, value, 10.0)))
    assert ("error", "board", "limit_kw") in told(changed(BOARD, limit_kw=value))
    assert ("error", "board", "export_kw") in told(changed(BOARD, export_kw=value))
    timed = TimedLimit(limit_kw=value)
    assert ("error", "board", "timed[0].limit_kw") in told(changed(BOARD, timed=(timed,)))


def test_a_limit_below_what_one_car_needs_lets_none_charge():
    (problem,) = check(depot(changed(BOARD, limit_a=(40.0, 5.9, 40.0))))
    assert (problem.severity.value, problem.node, problem.field) == ("error", "board", "limit_a L2")
    assert problem.what == "5.9 A are less than the 6 A that one car below it needs"


def test_a_power_below_what_one_car_on_one_phase_needs_lets_none_charge():
    assert told(changed(BOARD, limit_kw=1.37)) == [("error", "board", "limit_kw")]
    assert told(changed(BOARD, limit_kw=1.38)) == []


def test_only_phases_that_an_EVSE_uses_need_the_least_current():
    single = outlet(phases=1, rotation="231")
    lame = changed(BOARD, limit_a=(0.5, 40.0, 0.5))
    assert told(lame, changed(EVSE, outlet=single), without=("CP-1/2",)) == []
    assert ("error", "board", "limit_a L1") in told(lame, changed(EVSE, outlet=single))


def test_a_car_between_two_phases_needs_both():
    between = changed(EVSE, outlet=outlet(phases=1, rotation="231"))
    lame = changed(BOARD, limit_a=(40.0, 40.0, 0.5))
    assert told(lame, between, without=("CP-1/2",), wiring=Wiring.DELTA) == [("error", "board", "limit_a L3")]


def test_a_limit_of_0_is_a_door_that_somebody_closed():
    assert told(changed(EVSE, limit_kw=0.0)) == [("warning", "CP-1/1", "limit_kw")]


def test_the_least_of_an_outlet_counts():
    assert told(changed(EVSE, outlet=outlet(current_a_min=8.0), limit_a=(7.0, 7.0, 7.0))) == [
        ("error", "CP-1/1", f"limit_a L{phase}") for phase in (1, 2, 3)
    ]


def test_a_limit_above_that_of_a_node_further_up_never_counts():
    (problem,) = check(depot(changed(EVSE, limit_a=(32.0, 64.0, 32.0))))
    assert (problem.severity.value, problem.node) == ("warning", "CP-1/1")
    assert problem.what == "more than a node above it has: L2 64 A above 40 A"
    assert told(changed(EVSE, limit_kw=28.0)) == [("warning", "CP-1/1", "limit_kw")]
    given = changed(GRID, export_kw=10.0)
    assert told(given, changed(BOARD, export_kw=10.5)) == [("warning", "board", "export_kw")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"from_s": -1},
        {"from_s": 86_400},
        {"to_s": 86_401},
        {"weekdays": (0,)},
        {"weekdays": (8,)},
        {"weekdays": (1, 1)},
    ],
)
def test_timed_limits_have_times_that_there_are(wrong):
    timed = TimedLimit(limit_kw=10.0, **wrong)
    ((severity, node, field),) = told(changed(BOARD, timed=(timed,)))
    assert (severity, node) == ("error", "board")
    assert field.startswith("timed[0].")


def test_timed_limits_over_midnight_on_some_days():
    assert told(changed(BOARD, timed=(TimedLimit(from_s=72_000, to_s=21_600, weekdays=(6, 7), limit_kw=10.0),))) == []


def test_a_timed_limit_limits_something():
    assert told(changed(BOARD, timed=(TimedLimit(),))) == [("error", "board", "timed[0]")]


def test_a_timed_limit_only_lowers():
    assert told(changed(BOARD, timed=(TimedLimit(limit_kw=27.0),))) == [("warning", "board", "timed[0]")]
    assert told(changed(BOARD, timed=(TimedLimit(limit_kw=26.0, limit_a=(90.0, 90.0, 90.0)),))) == []


def test_a_timed_limit_below_what_one_car_needs_is_odd_but_0_is_plain():
    assert told(changed(BOARD, timed=(TimedLimit(limit_kw=1.0),))) == [("warning", "board", "timed[0]")]
    assert told(changed(BOARD, timed=(TimedLimit(limit_kw=0.0),))) == []


def test_there_are_so_many_timed_limits_at_most():
    timed = tuple(TimedLimit(from_s=number, limit_kw=10.0) for number in range(65))
    assert told(changed(BOARD, timed=timed)) == [("error", "board", "timed")]


def test_loads_above_a_limit_are_told_by_how_much():
    load = Load(load="hall", node="board", kw=30.0)
    (problem,) = check(depot(loads=(load,)))
    assert (problem.severity.value, problem.node) == ("warning", "board")
    assert "by L1 3.5 A, L2 3.5 A, L3 3.5 A, 3.0 kW" in problem.what


def test_loads_add_up_on_the_way_to_the_root_and_by_phase():
    grid = changed(GRID, limit_a=(63.0, 63.0, 63.0))
    loads = (
        Load(load="a", node="board", kw=8.0, share=(1.0, 0.0, 0.0)),
        Load(load="b", node="grid", kw=9.0, share=(1.0, 0.0, 0.0)),
    )
    (problem,) = check(depot(grid, loads=loads))
    assert (problem.node, "by L1 10.9 A" in problem.what) == ("grid", True)


def test_a_profile_counts_with_its_least_and_generation_not_at_all():
    profile = Load(load="p", node="board", kind=LoadKind.PROFILE, profile_kw=(100.0, 1.0))
    pv = Load(load="pv", node="board", kw=100.0, generation=True)
    assert told(loads=(profile, pv)) == []


def test_loads_in_a_delta():
    load = Load(load="hall", node="board", kw=14.0, kind=LoadKind.CONSTANT)
    site = depot(loads=(load,), wiring=Wiring.DELTA, voltage_v=208.0)
    assert check(site) == (), "38.9 A of 40 A"
    site = depot(loads=(changed(load, kw=14.6),), wiring=Wiring.DELTA, voltage_v=208.0)
    assert [problem.node for problem in check(site)] == ["board"]


def test_a_node_whose_limits_are_nonsense_is_told_of_once():
    found = told(changed(BOARD, limit_a=(nan, nan, nan)), changed(OTHER, limit_a=(30.0, 30.0, 30.0)))
    assert found == [("error", "board", f"limit_a L{phase}") for phase in (1, 2, 3)]


def test_what_EVSEs_may_draw_before_they_are_planned_should_fit():
    tight = changed(BOARD, limit_a=(11.0, 12.0, 40.0))
    (problem,) = check(depot(tight, idle_a=6.0))
    assert (problem.severity.value, problem.node) == ("warning", "board")
    assert "comes to 12 A on L1, above 11 A" in problem.what
    assert check(depot(tight, idle_a=0.0)) == ()
    assert check(depot(tight)) == ()


def test_idle_currents_count_on_the_phases_that_they_use():
    tight = changed(BOARD, limit_a=(6.0, 6.0, 40.0))
    one, two = outlet(phases=1), outlet(evse=2, phases=1, rotation="231")
    assert check(depot(tight, changed(EVSE, outlet=one), changed(OTHER, outlet=two), idle_a=6.0)) == ()


def test_a_site_without_voltage_is_told_so_and_nothing_of_its_loads():
    root = SiteNode(node="grid", kind=NodeKind.GRID, limit_a=(63.0,) * 3)
    site = Site(site="s", nodes=(root,), voltage_v=0.0, loads=(Load(load="l", node="grid", kw=100.0),))
    assert {problem.field for problem in check(site)} & {"loads", "voltage_v"} == {"voltage_v"}
