"""Where and when a token may charge, as the operator writes it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.token_limits import allowed_evses, hours_of, is_open, place_of, zone_of

SATURDAY = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["8:00-9:00", "Mo 25:00-26:00", "Xx 08:00-09:00", "08:00", "", "24:01-24:02", "08:60-09:00"]
)
def test_what_are_no_hours_is_said(text):
    with pytest.raises(ValueError, match="are no hours"):
        hours_of(text)


@pytest.mark.parametrize("text", ["", ":1", "CP-1:0", "CP-1:x", "a" * 49])
def test_what_is_no_place_is_said(text):
    with pytest.raises(ValueError, match="is no place"):
        place_of(text)


@pytest.mark.parametrize("text", ["Nowhere/City", "", "../../etc/passwd"])
def test_what_is_no_time_zone_is_said(text):
    with pytest.raises(ValueError, match="time zone"):
        zone_of(text)


@pytest.mark.parametrize(
    ("hours", "minute", "open_"),
    [
        ("08:00-18:00", 8 * 60, True),
        ("08:00-18:00", 18 * 60, False),
        ("Sa 08:00-18:00", 600, True),
        ("Su-Tu 08:00-18:00", 600, False),
        ("Fr-Mo 08:00-18:00", 600, True),
        ("Sa,Su 22:00-06:00", 5 * 60, False),
        ("Fr 22:00-06:00", 5 * 60, True),
        ("Fr 22:00-06:00", 6 * 60, False),
        ("Sa 00:00-24:00", 23 * 60 + 59, True),
        ("10:00-10:00", 0, True),
    ],
)
def test_hours_have_days_and_may_pass_midnight(hours, minute, open_):
    assert is_open((hours,), "UTC", SATURDAY.replace(hour=minute // 60, minute=minute % 60)) is open_


def test_hours_that_cannot_be_read_any_more_are_closed():
    assert not is_open(("whatever",), "UTC", SATURDAY)
    assert not is_open(("00:00-24:00",), "Nowhere/City", SATURDAY)


@pytest.mark.parametrize(
    ("places", "evses"),
    [
        ((), ()),
        (("CP-1",), ()),
        (("CP-*",), ()),
        (("*",), ()),
        (("CP-?",), None),
        (("CP-[12]",), None),
        (("cp-1",), None),
        (("CP-2", "CP-1:3", "C*:1"), (1, 3)),
        (("CP-1:3", "CP-1"), ()),
        (("::",), None),
    ],
)
def test_places_name_stations_and_evses(places, evses):
    assert allowed_evses(places, "CP-1") == evses


@given(st.lists(st.text(max_size=12), max_size=4), st.text(max_size=12))
def test_any_texts_are_judged(texts, zone):
    allowed_evses(texts, "CP-1")
    is_open(texts, zone, SATURDAY)
