"""What profiles come to: by hand, and what holds for any of them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.charging_profiles import (
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    Recurrency,
    SchedulePeriod,
)
from engine.station.effective_limit import Circumstances, Installed, effective_limit, said_at
from tests.engine.station.charging import profile, tx_profile

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HERE = Circumstances(evse=1, now=AT, begun_at=AT, transaction_id="t-1")


def limit_a(*installed, asked=HERE):
    return effective_limit([Installed(evse, each) for evse, each in installed], asked).limit_a


def test_without_profiles_there_is_no_limit():
    assert limit_a() is None


def test_K08_FR_04_the_least_of_the_purposes_counts_and_is_named():
    found = effective_limit(
        [
            Installed(0, profile(1, ProfilePurpose.STATION_MAX, limits=(32.0,))),
            Installed(0, profile(2, ProfilePurpose.EXTERNAL, limits=(10.0,))),
            Installed(0, profile(3, limits=(16.0,))),
        ],
        HERE,
    )
    assert (found.limit_a, found.limit_w, found.phases) == (10.0, 6900.0, 3)
    assert found.by[0] == ("ChargingStationExternalConstraints", 2)


def test_K02_FR_04_a_transactions_profile_overrules_the_default():
    assert limit_a((0, profile(1, limits=(10.0,))), (1, tx_profile(2, limits=(20.0,)))) == 20.0
    other = tx_profile(2, transaction="t-2", limits=(20.0,))
    assert limit_a((0, profile(1, limits=(10.0,))), (1, other)) == 10.0


def test_K01_FR_17_the_highest_level_that_says_something_counts():
    low = profile(1, level=0, limits=(10.0,))
    high = profile(2, level=5, limits=(20.0,))
    assert limit_a((0, low), (0, high)) == 20.0
    over = replace(high, schedules=(replace(high.schedules[0], duration_s=60),))
    assert limit_a((0, low), (0, over), asked=replace(HERE, now=AT + timedelta(seconds=60))) == 10.0
    assert limit_a((0, low), (0, replace(high, valid_to=AT))) == 10.0
    assert limit_a((0, low), (0, replace(high, valid_from=AT + timedelta(seconds=1)))) == 10.0


def test_a_profile_of_another_EVSE_says_nothing():
    assert limit_a((2, profile(1))) is None


def test_K21_FR_04_priority_overrules_the_transactions_own():
    installed = ((0, profile(1, ProfilePurpose.PRIORITY, limits=(32.0,))), (1, tx_profile(2, limits=(6.0,))))
    assert limit_a(*installed) == 6.0
    assert limit_a(*installed, asked=replace(HERE, prioritized=True)) == 32.0


def test_local_generation_adds_to_the_stations_limit():
    installed = (
        (0, profile(1, ProfilePurpose.STATION_MAX, limits=(10.0,))),
        (0, profile(2, ProfilePurpose.LOCAL_GENERATION, limits=(5.0,))),
    )
    assert limit_a(*installed) == 15.0


def test_watts_are_shared_by_the_phases():
    watts = ChargingSchedule(unit=RateUnit.W, periods=(SchedulePeriod(start_s=0, limit=6900.0),))
    assert limit_a((0, profile(1, schedules=(watts,)))) == 10.0
    single = ChargingSchedule(unit=RateUnit.W, periods=(SchedulePeriod(start_s=0, limit=6900.0, phases=1),))
    assert limit_a((0, profile(1, schedules=(single,)))) == 30.0


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, 16.0), (59, 16.0), (60, 8.0), (119, 8.0), (120, None), (-1, None)]
)
def test_K01_FR_12_a_period_holds_until_the_next_or_the_end(seconds, expected):
    schedule = ChargingSchedule(
        unit=RateUnit.A,
        start_at=AT,
        duration_s=120,
        periods=(SchedulePeriod(start_s=0, limit=16.0), SchedulePeriod(start_s=60, limit=8.0)),
    )
    absolute = profile(1, kind=ProfileKind.ABSOLUTE, schedules=(schedule,))
    said = said_at(absolute, replace(HERE, now=AT + timedelta(seconds=seconds)))
    assert (None if said is None else said.limit) == expected


@pytest.mark.parametrize(
    ("recurrency", "days", "expected"),
    [(Recurrency.DAILY, 9, 16.0), (Recurrency.WEEKLY, 14, 16.0), (Recurrency.WEEKLY, 9, None)],
)
def test_recurring_schedules_begin_anew(recurrency, days, expected):
    schedule = ChargingSchedule(
        unit=RateUnit.A, start_at=AT, duration_s=3600, periods=(SchedulePeriod(start_s=0, limit=16.0),)
    )
    recurring = profile(1, kind=ProfileKind.RECURRING, recurrency=recurrency, schedules=(schedule,))
    assert limit_a((0, recurring), asked=replace(HERE, now=AT + timedelta(days=days))) == expected


def test_K01_FR_90_a_schedule_in_local_time_follows_the_clock_on_the_wall():
    schedule = ChargingSchedule(
        unit=RateUnit.A, start_at=AT, duration_s=3600, periods=(SchedulePeriod(start_s=0, limit=16.0),), local_time=True
    )
    daily = profile(1, kind=ProfileKind.RECURRING, recurrency=Recurrency.DAILY, schedules=(schedule,))
    berlin = replace(HERE, zone=ZoneInfo("Europe/Berlin"))
    winter, summer = datetime(2026, 12, 1, 9, 30, tzinfo=UTC), datetime(2027, 6, 1, 8, 30, tzinfo=UTC)
    assert limit_a((0, daily), asked=replace(berlin, now=winter)) == 16.0
    assert limit_a((0, daily), asked=replace(berlin, now=summer)) == 16.0
    assert limit_a((0, daily), asked=replace(berlin, now=summer + timedelta(hours=1))) is None


PURPOSES = [
    ProfilePurpose.STATION_MAX,
    ProfilePurpose.EXTERNAL,
    ProfilePurpose.TX_DEFAULT,
    ProfilePurpose.TX,
]
INSTALLED = st.builds(
    lambda number, purpose, level, limit, evse: Installed(
        evse,
        profile(number, purpose, level=level, limits=(limit,), transaction="t-1" if purpose is PURPOSES[3] else None),
    ),
    st.integers(1, 99),
    st.sampled_from(PURPOSES),
    st.integers(0, 3),
    st.integers(0, 63).map(float),
    st.sampled_from([0, 1]),
)


@settings(deadline=None)
@given(installed=st.lists(INSTALLED, max_size=8))
def test_no_purpose_allows_less_than_the_limit(installed):
    found = effective_limit(installed, HERE)
    for purpose in (ProfilePurpose.STATION_MAX, ProfilePurpose.EXTERNAL):
        alone = effective_limit([each for each in installed if each.profile.purpose is purpose], HERE).limit_a
        assert alone is None or (found.limit_a is not None and found.limit_a <= alone)


@settings(deadline=None)
@given(installed=st.lists(INSTALLED, max_size=8), level=st.integers(4, 9), limit=st.integers(0, 63).map(float))
def test_a_station_maximum_of_a_higher_level_is_never_exceeded(installed, level, limit):
    maximum = Installed(0, profile(100, ProfilePurpose.STATION_MAX, level=level, limits=(limit,)))
    assert effective_limit([*installed, maximum], HERE).limit_a <= limit
