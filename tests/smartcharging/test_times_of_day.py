from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from engine.model.sites import TimedLimit
from smartcharging.times_of_day import shares, touched, window_of

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600


def hours(window, start, count, zone=BERLIN, slot_s=HOUR):
    flags = touched(window, start, np.full(count, float(slot_s)), zone)
    return np.flatnonzero(flags).tolist()


def test_a_window_is_of_the_clock_on_the_wall():
    summer, winter = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 1, 7, tzinfo=UTC)
    assert hours((7 * HOUR, 9 * HOUR, ()), summer, 24) == [5, 6]
    assert hours((7 * HOUR, 9 * HOUR, ()), winter, 24) == [6, 7]


def test_a_slot_that_is_touched_for_a_second_counts():
    start = datetime(2026, 1, 7, tzinfo=UTC)
    assert hours((7 * HOUR - 1, 7 * HOUR + 1, ()), start, 24) == [5, 6]
    assert hours((7 * HOUR, 8 * HOUR, ()), start, 24) == [6]


def test_over_midnight_belongs_to_the_day_it_begins_on():
    monday = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert hours((22 * HOUR, 2 * HOUR, (1,)), monday, 48) == [9, 10, 11, 12]
    tuesday_night = datetime(2026, 1, 6, 0, tzinfo=UTC)
    assert hours((22 * HOUR, 2 * HOUR, (1,)), tuesday_night, 12) == [0]


def test_a_whole_day_is_every_slot():
    assert hours(window_of(TimedLimit(limit_kw=5.0)), datetime(2026, 3, 29, tzinfo=UTC), 30) == list(range(30))


def test_weekdays_choose_days():
    sunday = datetime(2026, 1, 4, tzinfo=UTC)
    assert hours((0, 86_400, (1, 2)), sunday, 72) == list(range(23, 71))


def test_on_the_day_the_clock_goes_forward_the_window_is_shorter():
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)  # midnight in Berlin; at 02:00 (01:00 UTC) it becomes 03:00
    assert hours((1 * HOUR, 4 * HOUR, ()), start, 24) == [1, 2]


def test_on_the_day_the_clock_goes_back_the_window_is_longer():
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)  # midnight in Berlin; at 03:00 (01:00 UTC) it becomes 02:00
    assert hours((1 * HOUR, 4 * HOUR, ()), start, 24) == [1, 2, 3, 4]


def test_what_begins_or_ends_in_a_doubled_hour_is_taken_as_long_as_it_can_be():
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    half_past_two = 2 * HOUR + 1800
    assert hours((half_past_two, 5 * HOUR, ()), start, 12, slot_s=1800) == [5, 6, 7, 8, 9, 10, 11]
    assert hours((0, half_past_two, ()), start, 12, slot_s=1800) == [0, 1, 2, 3, 4, 5, 6]


def test_what_begins_in_the_missing_hour_begins_early_rather_than_late():
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert hours((2 * HOUR + 1800, 5 * HOUR, ()), start, 12, slot_s=1800) == [3, 4, 5, 6, 7]


def test_a_price_of_a_slot_is_known_by_the_part_that_a_window_covers():
    start = datetime(2026, 1, 7, 6, tzinfo=UTC)
    found = shares([(7 * HOUR + 900, 8 * HOUR, ()), (0, 86_400, ())], start, np.full(2, 3600.0), BERLIN)
    assert found == pytest.approx(np.array([[0.75, 0.0], [1.0, 1.0]]))
