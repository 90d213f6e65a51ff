"""Times as stations write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ocpp import times

TEN = datetime(2026, 5, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-01T10:00:00Z", TEN),
        ("2026-05-01T10:00:00", TEN),
        ("2026-05-01 10:00:00", TEN),
        ("2026-05-01T12:00:00+02:00", TEN),
        ("2026-05-01T12:00:00+0200", TEN),
        ("2026-05-01T13:00:00+03", TEN),
        ("2026-05-01t10:00:00z", TEN),
        (" 2026-05-01 11:00:00 +0100 ", TEN),
        ("2026-05-01T10:00:00 Z", TEN),
        ("2026-05-01T10:00:00.5Z", TEN + timedelta(milliseconds=500)),
        ("2026-05-01T10:00:00.123456789Z", TEN + timedelta(microseconds=123456)),
        ("2026-05-01T09:59:60Z", TEN - timedelta(seconds=1)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_stations_write_is_read_as_utc(text, expected):
    assert times.parse(text) == expected
    assert times.parse(text).tzinfo is UTC
    assert not times.is_nonsense(text)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "1714557600",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "\ud800",
        "2026-05-01T10:00:00\u0660",
    ],
)
def test_nonsense_is_no_time_and_known_as_nonsense(text):
    assert times.parse(text) is None
    assert times.is_nonsense(text)


@pytest.mark.parametrize("text", [None, ""])
def test_nothing_written_is_no_nonsense(text):
    assert times.parse(text) is None
    assert not times.is_nonsense(text)


def test_written_times_are_utc_with_three_decimals():
    eastern = timezone(timedelta(hours=-5))
    assert times.format(TEN) == "2026-05-01T10:00:00.000Z"
    assert times.format(datetime(2026, 5, 1, 5, 0, 0, 123999, tzinfo=eastern)) == "2026-05-01T10:00:00.123Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_we_write_is_read_back_to_the_millisecond(at):
    assert times.parse(times.format(at)) == at.replace(microsecond=at.microsecond // 1000 * 1000)


@given(st.text())
def test_any_text_is_a_time_or_none(text):
    assert times.parse(text) is None or times.parse(text).tzinfo is UTC
