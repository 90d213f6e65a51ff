"""The highest quarter of an hour of the month, as a mean."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from smartcharging.planning.peak import Peak

START = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)


def told(*figures, start=START, zone="UTC"):
    peak = Peak(ZoneInfo(zone))
    for minutes, kw in figures:
        peak.tell(kw, start + timedelta(minutes=minutes))
    return peak.kw


def test_a_quarter_counts_by_its_mean():
    assert told((0, 30.0), (5, 0.0), (10, 0.0), (15, 0.0)) == 0.0, "the quarter is not over"
    assert told((0, 30.0), (5, 0.0), (10, 0.0), (15, 0.0), (16, 0.0)) == pytest.approx(10.0)


def test_the_highest_of_all_counts():
    figures = [(minute, 20.0 if minute < 15 else 5.0) for minute in range(0, 60, 5)]
    assert told(*figures) == pytest.approx(20.0)


def test_what_nobody_told_counts_as_nothing():
    assert told((0, 50.0), (60, 50.0), (61, 0.0)) == 0.0


def test_a_clock_that_is_put_back_adds_nothing():
    assert told((20, 50.0), (0, 50.0), (1, 0.0), (16, 0.0)) <= 5.0


def test_a_new_month_by_the_sites_own_calendar_begins_anew():
    peak = Peak(ZoneInfo("Europe/Berlin"))
    before = datetime(2026, 5, 31, 21, 0, tzinfo=UTC)  # 23:00 in Berlin
    for minute in range(0, 40, 5):
        peak.tell(20.0, before + timedelta(minutes=minute))
    assert peak.kw == pytest.approx(20.0)
    peak.tell(5.0, before + timedelta(minutes=61))
    assert peak.kw == 0.0
