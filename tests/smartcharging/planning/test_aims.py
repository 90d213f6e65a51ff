"""What a plan is for: prices and CO2 by the slot, where a series reaches, else by the table of the site's goals."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from engine.model.sites import Goal, Goals, SeriesKind, SiteSeries, TimedPrice
from smartcharging.planning.aims import aims_of
from smartcharging.words import NodeLoad
from tests.smartcharging.wire.fleet import site_of

START = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)  # a Friday; 12:00 in Berlin
HOURS = np.full(6, 3_600.0)


def aims(goals, *series, start=START, slot_s=HOURS, loads=(), zone="Europe/Berlin"):
    site = replace(site_of(1), goals=goals, time_zone=zone)
    return aims_of(site, {told.kind: told for told in series}, start, slot_s, loads=loads, peak_kw=3.0)


def series(kind, *values, at=START, step_s=3_600):
    return SiteSeries(site="site", kind=kind, start_at=at, step_s=step_s, values=values)


def test_early_wants_nothing_else():
    told = aims(Goals(), series(SeriesKind.PRICE, 0.3, 0.1))
    assert not told.price.any()
    assert told.early_price > 0
    assert told.peak_kw == 3.0


def test_time_of_use_is_of_the_sites_own_time():
    prices = (TimedPrice(price=0.3), TimedPrice(price=0.1, from_s=14 * 3_600, to_s=16 * 3_600))
    assert aims(Goals(goal=Goal.COST, prices=prices)).price.tolist() == [0.3, 0.3, 0.1, 0.1, 0.3, 0.3]


def test_time_of_use_over_midnight_counts_for_the_day_it_begins():
    prices = (TimedPrice(price=0.1, from_s=22 * 3_600, to_s=6 * 3_600, weekdays=(5,)),)
    friday = aims(Goals(goal=Goal.COST, prices=prices), start=START + timedelta(hours=10)).price
    assert friday.tolist() == [0.1] * 6
    thursday = aims(Goals(goal=Goal.COST, prices=prices), start=START - timedelta(hours=12)).price
    assert not thursday.any()


def test_a_series_counts_where_it_reaches():
    goals = Goals(goal=Goal.COST, prices=(TimedPrice(price=0.5),))
    told = aims(goals, series(SeriesKind.PRICE, 0.1, 0.2, at=START + timedelta(hours=1)))
    assert told.price == pytest.approx([0.5, 0.1, 0.2, 0.5, 0.5, 0.5])


def test_negative_prices_are_prices():
    assert aims(Goals(goal=Goal.COST), series(SeriesKind.PRICE, *[-0.1] * 6)).price == pytest.approx([-0.1] * 6)


def test_co2_has_its_price_and_beside_money_where_it_has_one():
    grams = series(SeriesKind.CO2, *[100.0, 500.0] * 3)
    alone = aims(Goals(goal=Goal.CO2), grams).price
    assert alone[1] == pytest.approx(5 * alone[0])
    goals = Goals(goal=Goal.COST, prices=(TimedPrice(price=0.2),), co2_price_per_kg=0.1)
    assert aims(goals, grams).price == pytest.approx([0.21, 0.25] * 3)


def test_what_is_fed_in_and_what_draws_anyway_is_told():
    load = NodeLoad("grid", np.full((3, 6), 2.0))
    told = aims(Goals(export_price=0.05, demand_price=80.0), loads=[load, load])
    assert told.export_price.tolist() == [0.05] * 6
    assert told.base_kw.tolist() == [12.0] * 6
    assert told.demand_price == 80.0
