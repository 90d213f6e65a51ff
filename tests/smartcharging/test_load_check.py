"""Loads, generation and batteries."""

from math import inf, nan

import pytest

from engine.model.sites import Battery, Load, LoadKind
from smartcharging.site_check import check
from tests.smartcharging.sites import changed, depot

HALL = Load(load="hall", node="board", kw=5.0)
METERED = Load(load="hall", node="board", kind=LoadKind.METERED, kw=9.0, station="METER-1")
STORE = Battery(battery="store", node="grid", capacity_kwh=50.0, charge_kw_max=25.0, discharge_kw_max=25.0)


def told(*loads: Load, batteries: tuple[Battery, ...] = ()) -> list[tuple[str, str, str]]:
    site = depot(loads=loads, batteries=batteries)
    return [(problem.severity.value, problem.node, problem.field) for problem in check(site)]


def test_sound_loads_and_batteries():
    pv = Load(load="pv", node="grid", kind=LoadKind.PROFILE, profile_kw=(0.0, 9.0), generation=True, kw_certain=1.0)
    assert told(HALL, changed(METERED, load="shop"), pv, batteries=(STORE,)) == []


def test_a_load_hangs_at_a_node_and_the_one_that_was_meant_is_named():
    (problem,) = check(depot(loads=(changed(HALL, node="bord"),)))
    assert (problem.node, problem.field) == ("hall", "node")
    assert "did you mean 'board'" in problem.todo


def test_ids_are_given_once():
    assert told(HALL, HALL) == [("error", "hall", "load")]
    assert told(batteries=(STORE, STORE)) == [("error", "store", "battery")]


@pytest.mark.parametrize("field", ["kw", "reserve_kw", "kw_certain"])
@pytest.mark.parametrize("value", [nan, inf, -0.1, 1e9])
def test_powers_are_numbers_and_positive(field, value):
    assert ("error", "hall", field) in told(changed(HALL, **{field: value}))


def test_who_feeds_is_told_how_to_say_so():
    (problem,) = check(depot(loads=(changed(HALL, kw=-5.0),)))
    assert "generation: true" in problem.todo


def test_a_profile_has_values():
    assert told(changed(HALL, kind=LoadKind.PROFILE)) == [("error", "hall", "profile_kw")]
    assert told(changed(HALL, profile_kw=(1.0,))) == [("error", "hall", "profile_kw")]
    profile = changed(HALL, kind=LoadKind.PROFILE, profile_kw=(1.0, nan, nan))
    assert told(profile) == [("error", "hall", "profile_kw[1]")]
    assert ("error", "hall", "profile_kw") in told(changed(profile, profile_kw=(1.0,) * 1_441))


@pytest.mark.parametrize("share", [(0.5, 0.5, 0.5), (0.0, 0.0, 0.0), (1.0, 0.01, 0.0)])
def test_shares_sum_to_one(share):
    assert told(changed(HALL, share=share)) == [("error", "hall", "share")]


@pytest.mark.parametrize("share", [(1.0, 0.0, 0.0), (0.333, 0.333, 0.333), (0.2, 0.3, 0.5)])
def test_shares_that_are_meant_to_sum_to_one(share):
    assert told(changed(HALL, share=share)) == []


@pytest.mark.parametrize("share", [(nan, 0.5, 0.5), (-0.5, 1.0, 0.5), (2.0, 0.0, 0.0)])
def test_shares_are_parts_of_one(share):
    assert ("error", "hall", "share") in told(changed(HALL, share=share))


def test_what_is_metered_has_a_meter():
    assert told(changed(METERED, station=None)) == [("error", "hall", "station")]
    assert told(changed(METERED, station="a:b")) == [("error", "hall", "station")]
    assert told(changed(METERED, evse=-1)) == [("error", "hall", "evse")]
    assert told(changed(HALL, station="METER-1")) == [("error", "hall", "station")]


@pytest.mark.parametrize("stale_s", [0.0, nan, -1.0, 1e6])
def test_news_of_a_meter_grow_stale(stale_s):
    assert told(changed(METERED, stale_s=stale_s)) == [("error", "hall", "stale_s")]


def test_a_meter_that_falls_silent_should_count_as_something():
    assert told(changed(METERED, kw=0.0)) == [("warning", "hall", "kw")]


def test_only_generation_is_certain():
    assert told(changed(HALL, kw_certain=1.0)) == [("error", "hall", "kw_certain")]
    assert told(changed(HALL, generation=True, kw_certain=6.0)) == [("error", "hall", "kw_certain")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"capacity_kwh": 0.0}, "capacity_kwh"),
        ({"capacity_kwh": nan}, "capacity_kwh"),
        ({"charge_kw_max": -1.0}, "charge_kw_max"),
        ({"discharge_kw_max": inf}, "discharge_kw_max"),
        ({"soc_percent": 101.0}, "soc_percent"),
        ({"soc_percent": 5.0}, "soc_percent"),
        ({"soc_percent_min": 96.0}, "soc_percent_min"),
        ({"soc_percent_max": -1.0}, "soc_percent_max"),
        ({"efficiency": 0.0}, "efficiency"),
        ({"efficiency": 92.0}, "efficiency"),
        ({"node": "nowhere"}, "node"),
    ],
)
def test_batteries_make_sense(changes, field):
    assert told(batteries=(changed(STORE, **changes),)) == [("error", "store", field)]


def test_there_are_so_many_at_most():
    loads = tuple(changed(HALL, load=f"l{number}", kw=0.0) for number in range(1_001))
    batteries = tuple(changed(STORE, battery=f"b{number}") for number in range(101))
    assert told(*loads, batteries=batteries) == [("error", "", "loads"), ("error", "", "batteries")]
