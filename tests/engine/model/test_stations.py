"""The two steps in which a station's password and security profile change, and what is accepted between them."""

import pytest

from engine.model.codec import decode_station_record, encode
from engine.model.stations import StationRecord


def test_a_record_of_before_these_fields_is_read():
    old = StationRecord("CP-1", security_profile=1, password_hash="h", note="n")
    assert b"next" not in encode(old)
    assert decode_station_record(encode(old)) == old


def test_the_next_password_becomes_the_only_one():
    record = StationRecord("CP-1", password_hash="old").with_password_next("new")
    assert (record.password_hash, record.password_hash_next) == ("old", "new")
    assert record.with_password_taken() == StationRecord("CP-1", password_hash="new")
    assert record.without_password_next() == StationRecord("CP-1", password_hash="old")


def test_where_no_password_is_next_none_is_lost():
    record = StationRecord("CP-1", password_hash="only")
    assert record.with_password_taken() == record
    assert record.without_password_next() == record


@pytest.mark.parametrize(
    ("present", "following", "shown", "after"),
    [
        (1, 2, 2, (2, None)),
        (1, 2, 1, (1, 2)),
        (1, 3, 2, (2, 3)),
        (1, 2, 3, (3, None)),
        (0, 1, 1, (1, None)),
        (0, None, 2, (0, None)),
        (2, None, 3, (3, None)),
        (3, 2, 2, (2, None)),
        (3, 2, 3, (3, 2)),
        (3, None, 2, (3, None)),
    ],
)
def test_a_profile_that_was_shown_is_the_record_s_unless_it_is_lower(present, following, shown, after):
    record = StationRecord(
        "CP-1", security_profile=present, security_profile_next=following, downgrade_allowed=present == 3
    ).with_profile_shown(shown)
    assert (record.security_profile, record.security_profile_next) == after


@pytest.mark.parametrize(("present", "following"), [(1, 1), (2, 1), (3, 1), (3, 2), (1, 4), (1, -1)])
def test_A00_FR_005_a_station_is_not_told_a_lower_profile(present, following):
    with pytest.raises(ValueError, match="security profile"):
        StationRecord("CP-1", security_profile=present).with_profile_next(following)


def test_A05_FR_08_from_3_to_2_where_it_is_allowed():
    record = StationRecord("CP-1", security_profile=3, downgrade_allowed=True)
    assert record.with_profile_next(2).security_profile_next == 2
    with pytest.raises(ValueError, match="3 to 2"):
        record.with_profile_next(1)


def test_a_next_profile_can_be_given_up():
    record = StationRecord("CP-1", security_profile=1)
    assert record.with_profile_next(3).without_profile_next() == record


@pytest.mark.parametrize(
    ("record", "upgrades", "accepted"),
    [
        (StationRecord("A"), False, {0, 1, 2, 3}),
        (StationRecord("A", security_profile=1), False, {1}),
        (StationRecord("A", security_profile=1), True, {1, 2, 3}),
        (StationRecord("A", security_profile=1, security_profile_next=2), False, {1, 2}),
        (StationRecord("A", security_profile=3, downgrade_allowed=True), False, {2, 3}),
        (StationRecord("A", security_profile=2, downgrade_allowed=True), False, {2}),
    ],
)
def test_the_profiles_that_a_record_accepts(record, upgrades, accepted):
    assert record.profiles_accepted(upgrades=upgrades) == accepted
