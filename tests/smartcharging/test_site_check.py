"""The site as a whole, its goals, and how problems read."""

from math import inf, nan

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.model.sites import (
    Battery,
    Goal,
    Goals,
    Load,
    LoadKind,
    NodeKind,
    Outlet,
    Site,
    SiteNode,
    TimedLimit,
    TimedPrice,
    Wiring,
)
from smartcharging.site_check import check
from smartcharging.site_problems import Severity, errors_of
from tests.smartcharging.sites import changed, depot


def told(**fields) -> list[tuple[str, str]]:
    return [(problem.severity.value, problem.field) for problem in check(changed(depot(), **fields))]


def told_of(**goals) -> list[tuple[str, str]]:
    return told(goals=Goals(**goals))


@pytest.mark.parametrize("name", ["", " depot", "a/b", "a\x00", "x" * 65])
def test_a_site_has_a_name_that_can_be_asked_for(name):
    assert told(site=name) == [("error", "site")]


def test_names_may_be_in_any_language():
    assert told(site="Betriebshof-Süd", name="Betriebshof Süd, Halle 3") == []


@pytest.mark.parametrize(
    "zone", ["", "Europe/Berlni", "/etc/passwd", "../../etc/passwd", "Mars", "Europe", "x" * 5_000]
)
def test_there_must_be_such_a_time_zone(zone):
    assert told(time_zone=zone) == [("error", "time_zone")]


def test_the_time_zone_that_was_meant_is_named():
    (problem,) = check(changed(depot(), time_zone="Europe/Berlni"))
    assert "'Europe/Berlin'" in problem.todo


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€"])
def test_currencies_are_those_of_ISO_4217(currency):
    assert told(currency=currency) == [("error", "currency")]


@pytest.mark.parametrize("value", [nan, inf, 0.0, -230.0, 20_000.0])
def test_voltages(value):
    assert ("error", "voltage_v") in told(voltage_v=value)


@pytest.mark.parametrize("value", [nan, -1.0, inf])
def test_defaults_are_numbers(value):
    assert told(idle_a=value) == [("error", "idle_a")]
    assert told(energy_kwh_default=value) == [("error", "energy_kwh_default")]
    assert told(stay_s_default=value) == [("error", "stay_s_default")]


def test_an_idle_current_that_no_car_can_use_is_odd():
    assert told(idle_a=3.0) == [("warning", "idle_a")]
    assert told(idle_a=0.0) == []
    assert told(idle_a=6.0) == []


def test_allocators_are_those_there_are():
    site = changed(depot(), allocator="max-mni")
    assert check(site) == (), "any will do where nobody knows them"
    (problem,) = check(site, lambda: ("narke", "max-min"))
    assert problem.field == "allocator"
    assert "did you mean 'max-min'" in problem.todo
    assert check(changed(site, allocator="narke"), lambda: ("narke", "max-min")) == ()


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_prices_are_numbers(value):
    for field in ("export_price", "demand_price", "co2_price_per_kg", "unserved_price", "change_price"):
        assert ("error", f"goals.{field}") in told_of(**{field: value})
    assert ("error", "goals.prices[0].price") in told_of(prices=(TimedPrice(price=value),))
    assert ("error", "goals.departure_quantile") in told_of(departure_quantile=value)


def test_energy_may_cost_less_than_nothing():
    assert told_of(prices=(TimedPrice(price=-0.05),), export_price=-0.1, goal=Goal.COST) == []


def test_prices_have_times_that_there_are():
    assert told_of(prices=(TimedPrice(price=0.3, from_s=90_000),)) == [("error", "goals.prices[0].from")]


def test_energy_that_is_missing_is_dear():
    assert told_of(unserved_price=0.0) == [("error", "goals.unserved_price")]
    assert told_of(unserved_price=0.3, prices=(TimedPrice(price=0.3),)) == [("warning", "goals.unserved_price")]


def test_who_wants_it_cheap_says_what_it_costs():
    assert told_of(goal=Goal.COST) == [("warning", "goals.prices")]


@pytest.mark.parametrize("quantile", [0.0, 1.0, -0.1])
def test_quantiles(quantile):
    assert told_of(departure_quantile=quantile) == [("error", "goals.departure_quantile")]


def test_all_problems_are_told_at_once_errors_first():
    found = check(changed(depot(), idle_a=3.0, currency="x", voltage_v=0.0))
    assert [problem.severity for problem in found] == [Severity.ERROR, Severity.ERROR, Severity.WARNING]
    assert errors_of(found) == found[:2]


NAMES = st.sampled_from(["grid", "a", "b", "c", "d", "", " ", "a/b", "x" * 99, "\0"])
ANY = st.floats() | st.sampled_from([0.0, -1.0, 5.0, 6.0, 63.0])
ANYS = st.tuples(ANY, ANY, ANY)
DAYS = st.lists(st.integers(-1, 9), max_size=3).map(tuple)
SECONDS = st.integers(-1, 90_000)
TIMED = st.builds(
    TimedLimit, from_s=SECONDS, to_s=SECONDS, weekdays=DAYS, limit_a=st.none() | ANYS, limit_kw=st.none() | ANY
)
OUTLETS = st.builds(
    Outlet, station=NAMES, evse=st.integers(-1, 3), phases=st.integers(-1, 5), rotation=st.text("1234", max_size=4),
    current_a_max=ANY, current_a_min=ANY, dc=st.booleans(), power_kw_max=st.none() | ANY, discharge_kw_max=ANY,
    weight=ANY, priority=st.integers(),
)  # fmt: skip
NODES = st.builds(
    SiteNode, node=NAMES, kind=st.sampled_from(NodeKind), parent=st.none() | NAMES, limit_a=st.none() | ANYS,
    limit_kw=st.none() | ANY, export_kw=st.none() | ANY, timed=st.lists(TIMED, max_size=2).map(tuple),
    station=st.none() | NAMES, outlet=st.none() | OUTLETS, wiring=st.none() | st.sampled_from(Wiring),
)  # fmt: skip
LOADS = st.builds(
    Load, load=NAMES, node=NAMES, kind=st.sampled_from(LoadKind), kw=ANY,
    profile_kw=st.lists(ANY, max_size=2).map(tuple), station=st.none() | NAMES, evse=st.integers(-1, 2), stale_s=ANY,
    share=ANYS, reserve_kw=ANY,
    generation=st.booleans(), kw_certain=ANY,
)  # fmt: skip
BATTERIES = st.builds(
    Battery, battery=NAMES, node=NAMES, capacity_kwh=ANY, charge_kw_max=ANY, discharge_kw_max=ANY, soc_percent=ANY,
    soc_percent_min=ANY, soc_percent_max=ANY, efficiency=ANY,
)  # fmt: skip
SITES = st.builds(
    Site, site=NAMES, nodes=st.lists(NODES, max_size=8).map(tuple), time_zone=NAMES, currency=NAMES, voltage_v=ANY,
    wiring=st.sampled_from(Wiring), loads=st.lists(LOADS, max_size=2).map(tuple), idle_a=st.none() | ANY,
    batteries=st.lists(BATTERIES, max_size=2).map(tuple), energy_kwh_default=st.none() | ANY,
    stay_s_default=st.none() | ANY,
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(site=SITES)
def test_whatever_stands_in_a_site_is_told_and_never_breaks_the_check(site: Site):
    for problem in check(site):
        assert problem.what
        assert problem.todo
