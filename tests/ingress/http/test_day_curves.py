"""A site's day, made of what is known of it."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.model.caps import CapSource, CapStep, HeldCap
from engine.model.plans import Layer, LimitDecided, PlanStep, SitePlanned, Why
from engine.model.sites import (
    Goals,
    NodeKind,
    Outlet,
    SeriesKind,
    Site,
    SiteNode,
    SiteSeries,
    TimedLimit,
    TimedPrice,
    Wiring,
)
from ingress.http.day_curves import LONG_STEP_S, Day, day_of, span_of
from storage.queries.site_readings import CURRENT, POWER, Measured

ON = date(2026, 11, 21)
MIDNIGHT = datetime(2026, 11, 20, 23, tzinfo=UTC)  # of Berlin
NOW = MIDNIGHT + timedelta(hours=12)
NOON = 144


def evse(number, **outlet):
    given = {"station": f"ST-{number}", "evse": 1} | outlet
    return SiteNode(node=f"e{number}", kind=NodeKind.EVSE, parent="board", outlet=Outlet(**given))


def site_of(*evses, timed=(), **site):
    nodes = (
        SiteNode(node="grid", kind=NodeKind.GRID, limit_kw=50.0, timed=timed),
        SiteNode(node="board", kind=NodeKind.BOARD, parent="grid", limit_a=(63.0, 50.0, 40.0)),
        *(evses or (evse(1), evse(2, rotation="231"))),
    )
    return Site(**({"site": "garage", "nodes": nodes, "time_zone": "Europe/Berlin", "name": "Garage"} | site))


def decision(number=1, current_a=10.0, steps=(), **more):
    plan = tuple(PlanStep(NOW + timedelta(hours=hours), amperes) for hours, amperes in steps)
    return LimitDecided(
        site="garage", node=f"e{number}", station=f"ST-{number}", evse=1, at=NOW, current_a=current_a, why=Why.ROW,
        layer=Layer.HORIZON, allocator="narke", plan=plan, **more,
    )  # fmt: skip


def planned(hours, **more):
    given = {"cars": 1, "paused": 0, "changed": 0, "solve_ms": 1.0, "planned_kw": 5.0, "limit_kw": 50.0}
    return SitePlanned(
        site="garage", at=MIDNIGHT + timedelta(hours=hours), layer=Layer.HORIZON, allocator="narke", **(given | more)
    )


def made(node=None, **known):
    return day_of(Day(**({"site": site_of(), "on": ON, "now": NOW} | known)), node)


def test_before_now_is_measured_and_from_now_on_planned():
    readings = [Measured("ST-1", 1, POWER, None, slot, 6_900.0) for slot in range(100, 144)]
    day = made(
        measured=readings, decisions=[decision(steps=[(0, 10.0), (1, 16.0)], departs_at=NOW + timedelta(hours=2))]
    )
    (car,) = day.cars
    assert (day.slots, day.now_slot, car.label) == (288, NOON, "ST-1")
    assert (car.kw[99], car.kw[100], car.kw[143]) == (0.0, 6.9, 6.9)
    assert (car.kw[144], car.kw[156], car.kw[168]) == (6.9, 11.04, 0.0)


def test_a_short_hole_of_a_meter_is_as_before_and_a_long_one_is_nothing():
    day = made(measured=[Measured("ST-1", 1, POWER, None, slot, 1_000.0) for slot in (10, 13, 30)])
    kw = day.cars[0].kw
    assert (kw[9], kw[11], kw[12], kw[17], kw[18], kw[29], kw[30]) == (0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0)


def test_without_power_the_currents_tell():
    readings = [Measured("ST-1", 1, CURRENT, f"L{line}", 20, 10.0) for line in (1, 2, 3)]
    readings += [Measured("ST-2", 1, CURRENT, None, 20, 10.0)]
    assert [car.kw[20] for car in made(measured=readings).cars] == [pytest.approx(6.9), pytest.approx(6.9)]


def test_what_is_measured_after_now_or_elsewhere_is_left_out():
    readings = [Measured("ST-1", 1, POWER, None, 150, 1.0), Measured("ST-9", 1, POWER, None, 1, 1.0)]
    readings += [Measured("ST-1", 7, POWER, None, 1, 1.0), Measured("ST-1", 1, POWER, "L1", 1, 1.0)]
    assert made(measured=readings).cars == ()


def test_lines_follow_the_rotation_of_the_outlet_and_the_phases_of_the_car():
    readings = [Measured("ST-2", 1, CURRENT, "L1", 20, 16.0)]
    day = made(measured=readings, decisions=[decision(2, 16.0, [(0, 16.0)], phases=1), decision(1, 8.0, [(0, 8.0)])])
    assert day.phase_node == "board"
    assert [(each.line, each.limit_a[0]) for each in day.phases] == [("L1", 63.0), ("L2", 50.0), ("L3", 40.0)]
    assert [each.cars_a[20] for each in day.phases] == [0.0, 16.0, 0.0]
    assert [each.cars_a[200] for each in day.phases] == [8.0, 24.0, 8.0]


def test_the_limit_has_times_of_day_caps_and_in_the_past_what_the_planner_saw():
    timed = (TimedLimit(from_s=6 * 3600, to_s=8 * 3600, limit_kw=30.0),)
    cap = CapSource(
        site="garage",
        source="dso",
        steps=(CapStep(NOW + timedelta(hours=1), 11.0), CapStep(NOW + timedelta(hours=2), None)),
    )
    day = made(
        site=site_of(timed=timed),
        caps=[HeldCap(cap, NOW, NOW)],
        planned=[planned(3, limit_kw=20.0), planned(20, limit_kw=1.0)],
    )
    limit = day.limit_kw
    assert (limit[0], limit[36], limit[37], limit[72], limit[95], limit[96]) == (50, 20, 50, 30, 30, 50)
    assert (limit[155], limit[156], limit[167], limit[168], limit[240]) == (50, 11, 11, 50, 50)


def test_others_are_as_the_planner_saw_them_and_go_on_so():
    others = made(planned=[planned(1, unmanaged_kw=4.0), planned(2, unmanaged_kw=-3.0)]).others_kw
    assert (others[11], others[12], others[23], others[24], others[287]) == (0, 4, 4, -3, -3)


def test_prices_and_co2_are_shown_where_they_are_told():
    assert (made().price, made().co2) == ((), ())
    goals = Goals(prices=(TimedPrice(price=0.2), TimedPrice(price=0.4, from_s=18 * 3600, to_s=20 * 3600)))
    co2 = SiteSeries(site="garage", kind=SeriesKind.CO2, start_at=MIDNIGHT, step_s=3600, values=(100.0, 200.0))
    day = made(site=site_of(goals=goals), series={SeriesKind.CO2: co2})
    assert (day.price[0], day.price[216], day.price[240]) == (0.2, 0.4, 0.2)
    assert (day.co2[0], day.co2[12]) == (100.0, 200.0)
    assert math.isnan(day.co2[24])


@pytest.mark.parametrize(("on", "slots"), [(date(2026, 3, 29), 276), (date(2026, 10, 25), 300), (ON, 288)])
def test_days_when_clocks_change_are_shorter_or_longer(on, slots):
    assert made(on=on, now=NOW).slots == slots


def test_other_days_have_no_now():
    assert made(on=ON - timedelta(days=1)).now_slot is None
    tomorrow = made(on=ON + timedelta(days=1), decisions=[decision(current_a=10.0, steps=[(0, 10.0)])])
    assert tomorrow.now_slot is None
    assert tomorrow.cars[0].kw[0] == 6.9


def test_large_sites_have_longer_slots():
    assert span_of(site_of(*(evse(number) for number in range(1, 200))), ON).step_s == LONG_STEP_S


def test_lines_of_a_node_that_the_site_has_not_are_refused():
    with pytest.raises(ValueError, match="no node nowhere"):
        made("nowhere")
    assert made("grid").phase_node == "grid"


def test_a_site_without_limits_per_line_has_no_lines():
    nodes = (SiteNode(node="grid", kind=NodeKind.GRID), SiteNode(node="b", kind=NodeKind.BOARD, parent="grid"))
    day = made(site=Site(site="garage", nodes=nodes))
    assert (day.phases, day.phase_node, day.limit_kw, day.cars) == ((), "", (), ())


def test_between_phases_both_lines_carry_the_current():
    delta = site_of(evse(1, phases=1, rotation="12"), wiring=Wiring.DELTA, voltage_v=208.0)
    day = made(site=delta, measured=[Measured("ST-1", 1, CURRENT, "L1", 20, 16.0)])
    assert [each.cars_a[20] for each in day.phases] == [16.0, 16.0, 0.0]
