"""One charging profile at a moment, and who prevails among several: cases from 1.6 section 3.13 and 2.1 block K."""

import math
from datetime import UTC, datetime

import pytest

from loadtests.charging_profiles import Answer, ProfileRefused, Rate, profile_from_wire

T0 = datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp()
DAY = 86_400


def iso(at):
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def wire(limits, *, id=1, stack=0, purpose="TxDefaultProfile", kind="Absolute", start=T0, **more):  # noqa: A002 (its name in OCPP)
    """`limits`: (startPeriod, limit) or (startPeriod, limit, phases)."""
    periods = [dict(zip(("startPeriod", "limit", "numberPhases"), each, strict=False)) for each in limits]
    schedule = {"id": 1, "chargingRateUnit": more.pop("unit", "A"), "chargingSchedulePeriod": periods}
    schedule |= {key: more.pop(key) for key in ("duration", "minChargingRate") if key in more}
    if kind in ("Absolute", "Recurring") and start is not None:
        schedule["startSchedule"] = iso(start)
    for key in ("validFrom", "validTo"):
        if key in more:
            more[key] = iso(more[key])
    return {
        "id": id, "stackLevel": stack, "chargingProfilePurpose": purpose, "chargingProfileKind": kind,
        "chargingSchedule": [schedule],
    } | more  # fmt: skip


def wire_16(*args, **more):
    profile = wire(*args, **more)
    schedule = profile.pop("chargingSchedule")[0]
    schedule.pop("id")
    return profile | {"chargingProfileId": profile.pop("id"), "chargingSchedule": schedule}


def profile(*args, evse=1, version="2.1", received=T0, **more):
    make = wire_16 if version == "1.6" else wire
    return profile_from_wire(version, evse, make(*args, **more), received)


def limit(answer):
    return None if answer.rate is None else answer.rate.limit


@pytest.mark.parametrize(
    ("after_s", "expected", "until_s"),
    [(-1, None, 0), (0, 6, 100), (99.9, 6, 100), (100, 8, 200), (399, 10, 400), (400, None, math.inf)],
)
def test_an_absolute_schedule_holds_from_its_start_to_its_duration(after_s, expected, until_s):
    answer = profile([(0, 6), (100, 8), (200, 10)], duration=400).at(T0 + after_s, T0 - 5_000)
    assert (limit(answer), answer.until - T0) == (expected, until_s)


def test_without_a_duration_the_last_period_has_no_end():
    assert profile([(0, 6), (100, 8)]).at(T0 + 10 * DAY, T0) == Answer(Rate(8.0, "A"), math.inf)


@pytest.mark.parametrize(
    ("after_s", "expected", "until_s"),
    [
        (-1, None, 0),
        (0, 6, 3600),
        (3600, 16, 7200),
        (7200, None, DAY),
        (DAY, 6, DAY + 3600),
        (9 * DAY + 3700, 16, 9 * DAY + 7200),
    ],
)
def test_a_daily_schedule_comes_back_and_leaves_a_gap(after_s, expected, until_s):
    daily = profile([(0, 6), (3600, 16)], kind="Recurring", recurrencyKind="Daily", duration=7200)
    answer = daily.at(T0 + after_s, T0)
    assert (limit(answer), answer.until - T0) == (expected, until_s)


def test_a_weekly_schedule_without_duration_lasts_its_week():
    weekly = profile([(0, 6), (DAY, 16)], kind="Recurring", recurrencyKind="Weekly")
    assert limit(weekly.at(T0 + 7 * DAY - 1, T0)) == 16
    assert limit(weekly.at(T0 + 7 * DAY, T0)) == 6
    assert weekly.at(T0 + 6 * DAY, T0).until == T0 + 7 * DAY


def test_a_recurring_duration_longer_than_its_period_is_cut_by_the_next_one():
    daily = profile([(0, 6), (3600, 16)], kind="Recurring", recurrencyKind="Daily", duration=3 * DAY)
    assert limit(daily.at(T0 + DAY + 5, T0)) == 6


def test_a_relative_schedule_begins_with_the_session():
    relative = profile([(0, 6), (600, 16)], kind="Relative")
    assert limit(relative.at(T0 + 1000, T0 + 500)) == 6
    assert limit(relative.at(T0 + 1000, T0 + 400)) == 16
    assert relative.at(T0 + 1000, T0 + 500).until == T0 + 1100


def test_validity_cuts_both_ends():
    one = profile([(0, 6)], validFrom=T0 + 10, validTo=T0 + 20)
    assert one.at(T0, T0) == Answer(None, T0 + 10)
    assert one.at(T0 + 10, T0) == Answer(Rate(6.0, "A"), T0 + 20)
    assert one.at(T0 + 20, T0) == Answer(None, math.inf)


def test_in_16_an_absolute_schedule_without_start_begins_when_it_is_received():
    assert limit(profile([(0, 6), (60, 9)], version="1.6", start=None, received=T0).at(T0 + 61, T0)) == 9
    with pytest.raises(ProfileRefused, match="InvalidSchedule"):
        profile([(0, 6)], start=None)


@pytest.mark.parametrize(
    ("version", "evse", "changes", "reason"),
    [
        ("2.1", 1, {"purpose": "ChargingStationMaxProfile"}, "InvalidProfile"),
        ("1.6", 1, {"purpose": "ChargePointMaxProfile"}, "InvalidProfile"),
        ("2.1", 0, {"purpose": "ChargingStationMaxProfile", "kind": "Relative"}, "InvalidProfile"),
        ("2.1", 0, {"purpose": "TxProfile"}, "InvalidProfile"),
        ("2.1", 0, {"purpose": "ChargingStationExternalConstraints"}, "UnsupportedPurpose"),
        ("2.0.1", 1, {"purpose": "PriorityCharging"}, "UnsupportedPurpose"),
        ("2.0.1", 1, {"kind": "Dynamic"}, "UnsupportedKind"),
        ("2.1", 1, {"kind": "Recurring"}, "InvalidSchedule"),
        ("2.1", 1, {"limits": [(1, 6)]}, "InvalidSchedule"),
        ("2.1", 1, {"limits": [(0, 6), (60, 7), (60, 8)]}, "InvalidSchedule"),
        ("2.1", 1, {"limits": [(each, 6) for each in range(25)]}, "InvalidSchedule"),
        ("2.1", 1, {"unit": "kW"}, "UnsupportedRateUnit"),
        ("2.1", 1, {"stack": 10}, "InvalidStackLevel"),
    ],
)
def test_what_the_specification_forbids_is_refused_with_its_reason(version, evse, changes, reason):
    limits = changes.pop("limits", [(0, 6)])
    with pytest.raises(ProfileRefused, match=reason):
        profile(limits, version=version, evse=evse, **changes)


def test_a_relative_schedule_has_no_start():
    bad = wire([(0, 6)], kind="Relative")
    bad["chargingSchedule"][0]["startSchedule"] = iso(T0)
    with pytest.raises(ProfileRefused, match="InvalidSchedule"):
        profile_from_wire("2.0.1", 1, bad, T0)


def test_a_dynamic_profile_takes_its_limit_from_updates():
    dynamic = profile([(0, 6)], kind="Dynamic")
    updated = dynamic.updated(11.5)
    assert limit(updated.at(T0 + 1, T0)) == 11.5
    assert updated.wire["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"] == 11.5
    assert limit(dynamic.at(T0 + 1, T0)) == 6
    assert dynamic.wire["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"] == 6
