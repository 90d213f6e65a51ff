"""Who hears what: facts of cars, caps, loads and drivers; and what makes the site be planned."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from engine.model.caps import CapHeard, CapReleased, CapSaved, CapSource, CapStep
from engine.model.charging_profiles import ChargingSchedule, RateUnit, SchedulePeriod
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.sites import Load, LoadKind, SiteRemoved
from engine.model.smart_charging import LimitImposed, LimitReported
from engine.model.transactions import TransactionOpened
from smartcharging.caps import CapKeeper
from smartcharging.cars import CarKeeper
from smartcharging.planning.ears import LATER, Ears
from smartcharging.planning.settings import PlannerSettings
from smartcharging.planning.turns import Turns
from tests.smartcharging.wire.fleet import site_of

NOW = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
LOAD = Load(load="house", node="grid", kind=LoadKind.METERED, station="METER", kw=5.0)
SITE = replace(site_of(2), loads=(LOAD,))


@pytest.fixture
def ears():
    turns = Turns(SITE.site, PlannerSettings())
    turns.began(NOW)
    made = Ears(SITE, ("CP0", "CP1", "METER"), CarKeeper(SITE), CapKeeper(SITE), turns, 0.5)
    made.limits_moved = False
    made.turns = turns
    return made


def cap(**fields):
    return CapSource(**{"site": "site", "source": "grid:x", "steps": (CapStep(NOW, 20.0),), **fields})


def meter(ears, kw, station="METER", seconds=0):
    at = NOW + timedelta(seconds=seconds)
    readings = (Reading(at, kw * 1000, "Power.Active.Import", "W"),)
    ears.hear(station, ReadingsRecorded(readings, at), at)


def test_a_transaction_at_an_evse_of_the_site_is_news_and_one_elsewhere_is_not(ears):
    ears.hear("NOBODY", TransactionOpened("1", NOW, NOW), NOW)
    assert not ears.turns.triggers
    ears.hear("CP0", TransactionOpened("1", NOW, NOW), NOW)
    assert list(ears.turns.triggers) == ["transaction"]


def test_a_load_that_rises_is_news_at_once_and_one_that_falls_in_a_while(ears):
    ears.loads_kw = {"grid": 5.0}
    meter(ears, 5.3)
    assert not ears.turns.triggers
    meter(ears, 9.0, seconds=1)
    assert ears.limits_moved
    assert ears.turns.due_at(NOW) <= NOW + timedelta(seconds=2)
    ears.turns.began(NOW)
    meter(ears, 1.0, seconds=2)
    assert ears.turns.due_at(NOW) >= NOW + LATER


def test_a_cap_is_news_and_the_heartbeat_of_one_that_lives_is_not(ears):
    assert ears.hear_operator(CapSaved(cap(heartbeat_s=60.0), "me", NOW))
    assert ears.turns.began(NOW) == "cap grid:x"
    assert ears.hear_operator(CapHeard("site", "grid:x", NOW + timedelta(seconds=30)))
    assert not ears.turns.triggers


def test_a_source_that_comes_back_is_news(ears):
    ears.hear_operator(CapSaved(cap(heartbeat_s=60.0, fallback_kw=5.0), "me", NOW))
    ears.turns.began(NOW)
    assert ears.hear_operator(CapHeard("site", "grid:x", NOW + timedelta(seconds=300)))
    assert list(ears.turns.triggers) == ["cap grid:x"]


def test_an_emergency_is_urgent_and_a_release_is_news(ears):
    ears.hear_operator(CapSaved(cap(emergency=True), "me", NOW))
    assert ears.turns.urgent
    ears.turns.urgent = False
    assert ears.hear_operator(CapReleased("site", "grid:x", "me", NOW))
    assert not ears.turns.urgent


def test_what_is_of_other_sites_or_not_for_it_changes_nothing(ears):
    assert not ears.hear_operator(CapSaved(cap(site="other"), "me", NOW))
    assert not ears.hear_operator(CapReleased("site", "nobody", "me", NOW))
    assert not ears.hear_operator(SiteRemoved("site", "me", NOW))
    assert not ears.turns.triggers


def test_a_limit_that_a_station_tells_of_is_a_cap(ears):
    schedule = ChargingSchedule(unit=RateUnit.W, periods=(SchedulePeriod(start_s=0, limit=4_000.0),), start_at=NOW)
    ears.hear("CP0", LimitImposed(LimitReported("EMS", 1, schedules=(schedule,)), NOW), NOW)
    assert ears.limits_moved
    assert list(ears.turns.triggers) == ["limit of the station"]
