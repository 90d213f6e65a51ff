"""What stations are limited to by others, as caps."""

from datetime import UTC, datetime, timedelta
from math import nan

import pytest

from engine.model.caps import STEPS_MAX, CapDirection
from engine.model.charging_profiles import ChargingSchedule, RateUnit, SchedulePeriod
from engine.model.sites import Wiring
from engine.model.smart_charging import LimitImposed, LimitReported
from smartcharging.station_limits import caps_of
from tests.smartcharging.sites import depot, node, outlet

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def schedule(*limits, unit=RateUnit.W, **more):
    periods = tuple(SchedulePeriod(start_s=start_s, limit=limit) for start_s, limit in limits)
    return ChargingSchedule(unit=unit, periods=periods, **more)


def imposed(*schedules, evse=None, **more):
    return LimitImposed(LimitReported("EMS", evse, schedules=schedules, **more), NOW)


def steps(fact, site=None, station="CP-1"):
    (made,) = caps_of(site or depot(), station, fact)
    return made.cap.node, [(step.at, step.kw) for step in made.cap.steps]


def test_a_limit_in_watts_caps_the_stations_node():
    assert steps(imposed(schedule((0, 11_000.0), (600, 7_000.0)))) == ("CP-1", [(at(0), 11.0), (at(600), 7.0)])


def test_a_limit_of_an_evse_caps_that_evse():
    assert steps(imposed(schedule((0, 6_900.0)), evse=2)) == ("CP-1/2", [(at(0), 6.9)])


@pytest.mark.parametrize(
    ("site", "evse", "kw"),
    [
        (depot(), None, 16 * 0.69),
        (depot(node("CP-1/1", "evse", "CP-1", outlet=outlet(phases=1))), 1, 16 * 0.23),
        (depot(node("CP-1/1", "evse", "CP-1", outlet=outlet(dc=True))), 1, 16 * 0.69),
        (depot(wiring=Wiring.DELTA, voltage_v=208.0), None, 16 * 0.208 * 3**0.5),
    ],
)
def test_amperes_become_the_most_power_that_they_can_be(site, evse, kw):
    _, [(_, found)] = steps(imposed(schedule((0, 16.0), unit=RateUnit.A), evse=evse), site)
    assert found == pytest.approx(kw)


def test_of_several_schedules_the_least_counts_at_every_moment():
    fact = imposed(schedule((0, 10_000.0), (200, 2_000.0)), schedule((100, 5_000.0), duration_s=200))
    assert steps(fact)[1] == [(at(0), 10.0), (at(100), 5.0), (at(200), 2.0)]


def test_a_schedule_that_ends_caps_nothing_after_it():
    fact = imposed(schedule((0, 4_000.0), duration_s=60, start_at=at(-30)))
    assert steps(fact)[1] == [(at(-30), 4.0), (at(30), None)]


def test_a_station_without_a_node_of_its_own_is_capped_at_each_evse():
    site = depot(
        node("CP-1/1", "evse", "board", outlet=outlet()),
        node("CP-1/2", "evse", "board", outlet=outlet(evse=2)),
        without=("CP-1",),
    )
    made = caps_of(site, "CP-1", imposed(schedule((0, 9_000.0))))
    assert sorted(each.cap.node for each in made) == ["CP-1/1", "CP-1/2"]


def test_discharging_has_a_cap_of_its_own_direction():
    period = SchedulePeriod(start_s=0, limit=9_000.0, discharge_limit=-3_000.0)
    fact = imposed(ChargingSchedule(unit=RateUnit.W, periods=(period,)))
    made = {each.cap.direction: each.cap.steps[0].kw for each in caps_of(depot(), "CP-1", fact)}
    assert made == {CapDirection.IMPORT: 9.0, CapDirection.EXPORT: 3.0}


def test_what_limits_nothing_is_no_cap():
    assert caps_of(depot(), "CP-1", imposed()) == ()
    assert caps_of(depot(), "CP-1", imposed(schedule((0, 1.0)), local_generation=True)) == ()
    assert caps_of(depot(), "CP-9", imposed(schedule((0, 1.0)))) == ()
    assert caps_of(depot(), "CP-1", imposed(schedule((0, 1.0)), evse=7)) == ()


def test_what_is_critical_for_the_grid_is_an_emergency():
    (made,) = caps_of(depot(), "CP-1", imposed(schedule((0, 1.0)), grid_critical=True))
    assert made.cap.emergency


@pytest.mark.parametrize("limit", [nan, -10.0])
def test_a_limit_that_cannot_be_is_taken_as_nothing_and_said(limit):
    (made,) = caps_of(depot(), "CP-1", imposed(schedule((0, limit))))
    assert made.cap.steps[0].kw == 0.0
    assert made.repaired


def test_periods_out_of_order_are_left_out_and_said():
    (made,) = caps_of(depot(), "CP-1", imposed(schedule((0, 9_000.0), (60, 5_000.0), (30, 1_000.0))))
    assert [step.kw for step in made.cap.steps] == [9.0, 5.0]
    assert made.repaired


def test_of_endless_periods_the_least_of_the_last_ones_counts():
    limits = [(number, 10_000.0 - number) for number in range(STEPS_MAX + 5)]
    (made,) = caps_of(depot(), "CP-1", imposed(schedule(*limits)))
    assert len(made.cap.steps) == STEPS_MAX
    assert made.cap.steps[-1].kw == pytest.approx(min(limit for _, limit in limits) / 1000)
    assert made.repaired
