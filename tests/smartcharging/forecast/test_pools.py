"""Memory of stays, bounded."""

from math import isnan
from zoneinfo import ZoneInfo

import numpy as np

from smartcharging.forecast.pools import Column, Pool, arrival_of, row_of
from tests.smartcharging.forecast.past import at, stay

BERLIN = ZoneInfo("Europe/Berlin")


def test_an_arrival_is_seen_by_the_clock_on_the_wall():
    assert arrival_of(at(8), BERLIN)[:2] == (10 * 3600, 0.0)
    assert arrival_of(at(23), BERLIN)[:2] == (3600, 0.0)
    assert arrival_of(at(8, days=5), BERLIN).weekend == 1.0


def test_what_cannot_be_true_is_not_remembered():
    row = row_of(stay(energy_kwh=-4.0, claimed_departs_at=at(7), claimed_kwh=0.0), BERLIN)
    assert row[Column.STAY_S] == 8 * 3600
    assert all(isnan(row[column]) for column in (Column.ENERGY_KWH, Column.CLAIMED_S, Column.CLAIMED_KWH))


def test_the_oldest_makes_room_for_the_newest():
    pool = Pool(10)
    for number in range(25):
        pool.add((float(number),) * len(Column))
        assert len(pool) == min(number + 1, 10)
        kept = sorted(pool.columns()[Column.STAY_S].tolist())
        assert kept == [float(each) for each in range(max(0, number - 9), number + 1)]


def test_a_room_of_one_holds_the_last():
    pool = Pool(1)
    for number in range(3):
        pool.add((float(number),) * len(Column))
    assert np.array_equal(pool.columns()[Column.DAY], [2.0])


def test_a_site_with_many_stays_remembers_weeks_all_the_same():
    pool = Pool(100, days=21.0)
    for number in range(50_000):
        pool.add((0.0, 0.0, number / 500, *[0.0] * (len(Column) - 3)))
    days = pool.columns()[Column.DAY]
    assert 50 <= len(pool) <= 100
    assert days.max() - days.min() > 15
    assert days.max() > 98
    assert len({int(day) for day in days.tolist()}) >= 15


def test_a_site_that_becomes_quiet_remembers_every_stay_again():
    pool = Pool(100, days=21.0)
    for number in range(20_000):
        pool.add((0.0, 0.0, number / 500, *[0.0] * (len(Column) - 3)))
    for number in range(5_000):
        pool.add((0.0, 0.0, 40.0 + number, *[0.0] * (len(Column) - 3)))
    assert pool.columns()[Column.DAY].tolist().count(5039.0) == 1
    assert pool._stride == 1


def test_stays_of_one_moment_do_not_end_its_learning():
    pool = Pool(10, days=21.0)
    for _ in range(100_000):
        pool.add((0.0,) * len(Column))
    assert 5 <= len(pool) <= 10
    for number in range(5_000):
        pool.add((0.0, 0.0, 10.0 * number, *[0.0] * (len(Column) - 3)))
    assert pool.columns()[Column.DAY].max() > 40_000
