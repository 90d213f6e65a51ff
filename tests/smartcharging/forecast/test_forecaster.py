"""Forecasts from histories of all kinds."""

from datetime import timedelta
from math import inf, nan
from zoneinfo import ZoneInfoNotFoundError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from smartcharging.forecast import Forecaster, ForecastSettings, Stay
from smartcharging.words import NeedSource
from tests.smartcharging.forecast.past import at, stay
from tests.smartcharging.sites import depot

WEEKDAYS = [day for day in range(-70, 0) if day % 7 < 5]


def forecaster(*history, **changes):
    return Forecaster(history, settings=ForecastSettings(**changes))


EIGHT, NINE = at(8), at(9)


def need(found, token="tag", now=NINE, arrived=EIGHT, delivered=0.0, station="CP-1", **claims):
    return found.need(token, station, "", arrived, now, delivered, **claims)


def leaves(found, **more):
    """Hours after arrival."""
    return (need(found, **more).departs_at_median - more.get("arrived", at(8))).total_seconds() / 3600


def test_without_history_the_default_counts():
    found = need(forecaster(stay_s_default=4 * 3600.0, energy_kwh_default=12.0), now=at(8))
    assert found.departs_at_median - at(8) == pytest.approx(timedelta(hours=4), abs=timedelta(minutes=30))
    assert (found.departure_source, found.energy_source) == (NeedSource.DEFAULT, NeedSource.DEFAULT)
    assert found.energy_kwh > 6.0


def test_the_site_says_its_defaults():
    site = depot(time_zone="Europe/Berlin", stay_s_default=60.0, energy_kwh_default=3.0)
    settings_ = ForecastSettings.of(site)
    assert (settings_.time_zone, settings_.stay_s_default, settings_.energy_kwh_default) == ("Europe/Berlin", 60.0, 3.0)
    assert settings_.departure_quantile == site.goals.departure_quantile
    assert ForecastSettings.of(depot()).stay_s_default == ForecastSettings().stay_s_default


def test_a_time_zone_that_does_not_exist_is_refused():
    with pytest.raises(ZoneInfoNotFoundError):
        forecaster(time_zone="Europe/Nowhere")


def test_levels_lean_on_the_next_one_where_they_have_seen_little():
    others = [stay(8, hours=3, days=day, station=f"CP-{day % 9 + 2}", token_key="other") for day in WEEKDAYS]
    own = [stay(8, hours=9, days=day, token_key="tag", station="CP-1") for day in WEEKDAYS]
    assert need(forecaster(*others)).departure_source is NeedSource.SITE
    assert leaves(forecaster(*others)) == pytest.approx(3, abs=0.3)
    once = leaves(forecaster(*others, own[-1]))
    often = leaves(forecaster(*others, *own))
    assert 2.9 < once <= often
    assert often == pytest.approx(9, abs=0.3)
    assert need(forecaster(*others, *own)).departure_source is NeedSource.TOKEN
    assert need(forecaster(*own), token=None).departure_source in {NeedSource.STATION, NeedSource.SITE}


def test_a_stranger_at_a_known_station_is_like_its_others():
    here = [stay(8, hours=9, days=day, station="CP-1") for day in WEEKDAYS]
    there = [stay(8, hours=1, days=day, station="CP-2") for day in WEEKDAYS]
    found = forecaster(*here, *there)
    assert leaves(found, token=None) > 8
    assert leaves(found, token=None, station="CP-2", now=at(8.1)) < 2


def test_mornings_are_not_evenings_and_weekdays_no_weekends():
    history = [stay(8, hours=9, days=day) for day in WEEKDAYS] + [stay(19, hours=2, days=day) for day in WEEKDAYS]
    history += [stay(8, hours=1, days=day) for day in range(-70, 0) if day % 7 > 4]
    found = forecaster(*history)
    assert leaves(found, token=None, now=at(8)) > 8
    assert leaves(found, token=None, arrived=at(19), now=at(19)) < 3
    assert leaves(found, token=None, arrived=at(8, days=5), now=at(8, days=5)) < 4


def test_who_has_stayed_long_will_stay_longer():
    history = [stay(8, hours=2, days=day) for day in WEEKDAYS] + [stay(8, hours=9, days=day) for day in WEEKDAYS[::2]]
    found = forecaster(*history)
    assert leaves(found, token=None, now=at(8)) < 4
    assert leaves(found, token=None, now=at(11)) == pytest.approx(9, abs=0.5)


def test_a_car_that_is_here_after_all_that_was_ever_seen_leaves_some_time_after_now():
    found = forecaster(*(stay(8, hours=2, days=day) for day in WEEKDAYS))
    for hours in (9, 30, 24 * 20):
        now = at(8 + hours)
        told = need(found, now=now)
        assert now < told.departs_at <= told.departs_at_median < now + timedelta(days=3)


def test_estimates_are_corrected_by_what_they_were_worth():
    late = [stay(8, hours=8, days=day, claimed_departs_at=at(13, day)) for day in WEEKDAYS]
    found = forecaster(*late)
    assert leaves(found, token=None, claimed_departs_at=at(13)) == pytest.approx(8, abs=0.3)
    honest = forecaster(*(stay(8, hours=5, days=day, claimed_departs_at=at(13, day)) for day in WEEKDAYS))
    assert leaves(honest, token=None, claimed_departs_at=at(13)) == pytest.approx(5, abs=0.3)


def test_an_estimate_counts_at_once_where_nothing_is_known():
    assert leaves(forecaster(), claimed_departs_at=at(13)) == pytest.approx(5, abs=0.3)


def test_a_driver_is_known_by_his_own_estimates():
    site = [stay(8, hours=5, days=day, claimed_departs_at=at(13, day), station=f"CP-{day % 9}") for day in WEEKDAYS]
    his = [stay(8, hours=9, days=day, claimed_departs_at=at(13, day), token_key="late") for day in WEEKDAYS[-10:]]
    found = forecaster(*site, *his)
    assert leaves(found, token="late", claimed_departs_at=at(13)) > 8
    assert leaves(found, token=None, station="CP-99", claimed_departs_at=at(13)) < 7


def test_energies_are_corrected_and_never_nothing():
    half = forecaster(*(stay(days=day, energy_kwh=10.0, claimed_kwh=20.0) for day in WEEKDAYS))
    assert need(half, claimed_kwh=20.0).energy_kwh == pytest.approx(10.0, abs=0.5)
    assert need(half, claimed_kwh=20.0, delivered=8.0).energy_kwh == pytest.approx(2.0, abs=0.5)
    assert 0 < need(half, claimed_kwh=20.0, delivered=30.0).energy_kwh < 20
    assert need(half).energy_source is not NeedSource.DEFAULT


NONSENSE = [
    stay(hours=0),
    stay(hours=-5),
    stay(hours=24 * 90),
]


@pytest.mark.parametrize("odd", NONSENSE)
def test_nothing_is_learned_from_stays_that_cannot_be(odd):
    found = forecaster()
    assert not found.learn(odd)
    assert found.learned == 0


@pytest.mark.parametrize("energy_kwh", [-5.0, nan, inf, 1e9])
def test_of_an_energy_that_cannot_be_the_stay_is_learned(energy_kwh):
    found = forecaster(*(stay(days=day, energy_kwh=energy_kwh) for day in WEEKDAYS))
    assert leaves(found) == pytest.approx(8, abs=0.3)
    assert need(found).energy_source is NeedSource.DEFAULT
    assert np.isfinite(need(found).energy_kwh)


@pytest.mark.parametrize("delivered", [nan, inf, -3.0])
def test_a_delivered_energy_that_cannot_be_is_none(delivered):
    assert need(forecaster(), delivered=delivered) == need(forecaster(), delivered=0.0)


def test_a_car_from_the_future_and_one_from_long_ago_have_a_departure():
    found = forecaster(*(stay(days=day) for day in WEEKDAYS))
    assert need(found, arrived=at(10), now=at(9)).departs_at > at(9)
    assert need(found, arrived=at(8, days=-365), now=at(9)).departs_at > at(9)


def test_memory_is_bounded():
    found = forecaster(tokens_max=5, stations_max=4, sites_max=2, stays_of_site_max=8, curves_max=3)
    for number in range(100):
        token = f"tag{number}"
        found.learn(stay(days=-100 + number, token_key=token, station=f"CP-{number}", site=f"s{number}"))
        need(found, token=token)
    assert (len(found._tokens), len(found._stations), len(found._sites), len(found._curves)) == (5, 4, 2, 3)


def test_new_stays_are_felt_after_some_of_them():
    found = forecaster(*(stay(8, hours=3, days=day) for day in WEEKDAYS), stale_after=4)
    before = need(found, token=None)
    for day in (-3, -2):
        found.learn(stay(8, hours=9, days=day))
    assert need(found, token=None) == before
    for day in WEEKDAYS:
        found.learn(stay(8, hours=9, days=day))
    assert need(found, token=None) != before


def test_the_order_of_a_history_does_not_matter():
    history = [stay(8 + number % 5, hours=2 + number % 7, days=day) for number, day in enumerate(WEEKDAYS)]
    assert need(forecaster(*history)) == need(forecaster(*reversed(history)))


def test_energies_of_cars_that_were_cut_off_are_not_taken_for_what_they_want():
    had = [stay(days=day, energy_kwh=8.0 + day % 7, still_taking=day % 7 < 3) for day in WEEKDAYS]
    blind = [stay(days=day, energy_kwh=8.0 + day % 7) for day in WEEKDAYS]
    assert need(forecaster(*had)).energy_kwh > need(forecaster(*blind)).energy_kwh


def test_sites_are_told_apart():
    found = forecaster(
        *(stay(hours=2, days=day, site="a") for day in WEEKDAYS),
        *(stay(hours=9, days=day, site="b") for day in WEEKDAYS),
    )
    by_site = [found.need(None, "CP-1", site, at(8), at(8), 0.0).departs_at_median for site in ("a", "b")]
    assert by_site[0] < at(11) < at(16) < by_site[1]


def test_the_curve_says_the_same_as_the_need():
    found = forecaster(*(stay(8, hours=2 + day % 6, days=day) for day in WEEKDAYS))
    curve = found.stay_curve("tag", "CP-1", "", at(8))
    assert at(8) + timedelta(seconds=curve.quantile(0.5, 3600.0)) == need(found).departs_at_median
    here = curve.alive(3600.0, np.array([0.0, 3600.0, 7 * 3600.0]))
    assert here[0] == pytest.approx(1.0)
    assert here[0] > here[1] > here[2]
    assert found.energy_curve("tag", "CP-1", "", at(8)).quantile(0.5) == pytest.approx(10.0, abs=1.0)


stays_of_all_kinds = some.builds(
    Stay,
    station=some.sampled_from(["CP-1", "CP-2"]),
    arrived_at=some.floats(-2000, 8).map(at),
    departed_at=some.floats(-2000, 2000).map(at),
    energy_kwh=some.one_of(some.none(), some.floats(allow_nan=True)),
    token_key=some.sampled_from([None, "tag", "other"]),
    claimed_departs_at=some.one_of(some.none(), some.floats(-2000, 2000).map(at)),
    claimed_kwh=some.one_of(some.none(), some.floats(allow_nan=True)),
)


@settings(max_examples=60, deadline=None)
@given(
    some.lists(stays_of_all_kinds, max_size=30),
    some.floats(0, 300),
    some.floats(allow_nan=True),
    some.one_of(some.none(), some.floats(-100, 300).map(at)),
    some.one_of(some.none(), some.floats(allow_nan=True)),
)
def test_whatever_was_learned_the_need_is_sound(history, hours, delivered, claimed_at, claimed_kwh):
    now = at(8 + hours)
    found = need(
        forecaster(*history), now=now, delivered=delivered, claimed_departs_at=claimed_at, claimed_kwh=claimed_kwh
    )
    assert 0 < found.energy_kwh < inf
    assert now - timedelta(seconds=1) <= found.departs_at <= found.departs_at_median <= now + timedelta(days=400)
