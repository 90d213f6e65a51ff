"""How profiles work together: composite schedules and limits, cases from the specification and random ones."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.composite import CURRENT_A_MAX, Charging, composite_schedule, limit_of
from tests.loadtests.test_charging_profiles import DAY, T0, profile

TWO = (Charging(1), Charging(2))
MAX = {"purpose": "ChargingStationMaxProfile", "evse": 0}
TX = {"purpose": "TxProfile", "transactionId": "t"}


def composite(profiles, evse=1, duration_s=1000, now=T0, connectors=TWO):
    return [
        (each.start_s, round(each.current_a, 3))
        for each in composite_schedule(profiles, connectors, evse, now, duration_s)
    ]


CASES = {
    "nothing installed: what the hardware can do": ([], [(0, 32)]),
    "three periods, then no limit": (
        [profile([(0, 6), (100, 10), (200, 8)], duration=400)], [(0, 6), (100, 10), (200, 8), (400, 32)],
    ),
    "as in TC_072, with limits of ours: the higher stack level until its duration ends": (
        [
            profile([(0, 6), (100, 8), (200, 10)], duration=400),
            profile([(0, 7), (100, 9)], id=2, stack=1, duration=150),
        ],
        [(0, 7), (100, 9), (150, 8), (200, 10), (400, 32)],
    ),
    "the order of installation does not matter": (
        [profile([(0, 7)], id=2, stack=1, duration=150), profile([(0, 6)])], [(0, 7), (150, 6)],
    ),
    "a higher stack level without duration never gives way": (
        [profile([(0, 20)], id=2, stack=3), profile([(0, 6)])], [(0, 20)],
    ),
    "the station's maximum caps the default": (
        [profile([(0, 20)]), profile([(0, 32), (300, 10)], id=2, **MAX)], [(0, 20), (300, 10)],
    ),
    "a gap of the maximum leaves the default": (
        [profile([(0, 20)]), profile([(0, 10)], id=2, duration=300, **MAX)], [(0, 10), (300, 20)],
    ),
    "the transaction's own overrules the default, even upwards": (
        [profile([(0, 6)]), profile([(0, 16)], id=2, **TX)], [(0, 16)],
    ),
    "a gap of the transaction's own leaves the default": (
        [profile([(0, 6)]), profile([(0, 16)], id=2, duration=60, **TX)], [(0, 16), (60, 6)],
    ),
    "stack levels are compared within a purpose only": (
        [profile([(0, 6)], stack=9), profile([(0, 16)], id=2, stack=0, **TX)], [(0, 16)],
    ),
    "the station's default holds at each connector": ([profile([(0, 9)], evse=0)], [(0, 9)]),
    "at one stack level the connector's own default comes first": (
        [profile([(0, 9)], evse=0), profile([(0, 12)], id=2, evse=1)], [(0, 12)],
    ),
    "another connector's default is not ours": ([profile([(0, 9)], evse=2)], [(0, 32)]),
    "watts are over three phases": ([profile([(0, 6900)], unit="W")], [(0, 10)]),
    "watts on one phase": ([profile([(0, 3680, 1)], unit="W")], [(0, 16)]),
    "watts and amperes: the least": (
        [profile([(0, 11040)], unit="W"), profile([(0, 10)], id=2, **MAX)], [(0, 10)],
    ),
    "zero is a limit": ([profile([(0, 0), (500, 16)])], [(0, 0), (500, 16)]),
    "more than the hardware can do is what it can do": ([profile([(0, 80)])], [(0, 32)]),
    "what begins later leaves the time before without limit": (
        [profile([(0, 6)], start=T0 + 200)], [(0, 32), (200, 6)],
    ),
    "validity ends": ([profile([(0, 6)], validTo=T0 + 50)], [(0, 6), (50, 32)]),
    "local generation adds to the station's maximum": (
        [profile([(0, 10)], **MAX), profile([(0, 4)], id=2, evse=0, purpose="LocalGeneration", duration=60)],
        [(0, 14), (60, 10)],
    ),
    "local generation alone is no limit": (
        [profile([(0, 4)], evse=0, purpose="LocalGeneration")], [(0, 32)],
    ),
    "a priority profile waits for priority charging": (
        [profile([(0, 6)]), profile([(0, 30)], id=2, purpose="PriorityCharging")], [(0, 6)],
    ),
    "equal neighbours are one period": ([profile([(0, 6), (100, 6), (200, 8)])], [(0, 6), (200, 8)]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_composite_schedule_of_a_connector(case):
    profiles, expected = CASES[case]
    assert composite(profiles) == expected


def test_a_daily_gap_is_no_limit():
    daily = profile([(0, 6)], kind="Recurring", recurrencyKind="Daily", duration=DAY // 2)
    assert composite([daily], duration_s=2 * DAY) == [(0, 6), (DAY // 2, 32), (DAY, 6), (3 * DAY // 2, 32)]


def test_priority_charging_overrules_the_transaction_while_it_is_on():
    profiles = [profile([(0, 6)], **TX), profile([(0, 30)], id=2, purpose="PriorityCharging", duration=90)]
    assert composite(profiles, connectors=(Charging(1, T0, prioritized=True),)) == [(0, 30), (90, 6)]


def test_what_is_relative_runs_from_the_start_of_the_charge_or_of_the_schedule():
    relative = profile([(0, 6), (600, 16)], kind="Relative")
    assert composite([relative], connectors=(Charging(1, T0 - 500),)) == [(0, 6), (100, 16)]
    assert composite([relative]) == [(0, 6), (600, 16)]


def test_the_station_may_draw_what_its_connectors_may_together_within_its_maximum():
    assert composite([], evse=0) == [(0, 64)]
    assert composite([profile([(0, 10)]), profile([(0, 20)], id=2, evse=2)], evse=0) == [(0, 30)]
    profiles = [profile([(0, 10)]), profile([(0, 40), (300, 60)], id=2, **MAX)]
    assert composite(profiles, evse=0) == [(0, 40), (300, 42)]
    assert composite([profile([(0, 22_080)], unit="W", **MAX)], evse=0) == [(0, 32)]


@pytest.mark.parametrize(
    ("unit", "limit", "expected"),
    [("A", 40, [20, 20]), ("A", 11, [11, 0]), ("A", 5, [0, 0]), ("W", 9_660, [7, 7]), ("A", 200, [32, 32])],
)
def test_cars_share_the_station_evenly_and_the_last_to_come_waits(unit, limit, expected):
    charging = [Charging(1, T0 - 5), Charging(2, T0 - 2)]
    profiles = [profile([(0, limit)], unit=unit, **MAX)]
    assert [limit_of(profiles, each, T0, charging).limit.allowed_a for each in charging] == expected


def test_a_car_on_one_phase_takes_all_watts_there():
    limit = limit_of([profile([(0, 3_680)], unit="W")], Charging(1, T0, phases=1), T0).limit
    assert (limit.current_a, limit.phases) == (16, 1)


def test_one_phase_of_a_schedule_binds_a_car_of_three():
    limit = limit_of([profile([(0, 16, 1)])], Charging(1, T0), T0).limit
    assert (limit.current_a, limit.phases) == (16, 1)


def test_below_the_least_rate_that_makes_sense_nothing_is_drawn():
    def allowed_a(**more):
        return limit_of([profile([(0, 8)], **more)], Charging(1, T0), T0).limit.allowed_a

    assert allowed_a() == 8
    assert allowed_a(minChargingRate=8.1) == 0
    assert limit_of([profile([(0, 5.9)])], Charging(1, T0), T0).limit.allowed_a == 0


def test_an_answer_says_how_long_it_holds():
    profiles = [profile([(0, 6), (100, 8)]), profile([(0, 10)], id=2, duration=60, **MAX)]
    assert limit_of(profiles, Charging(1, T0), T0).until == T0 + 60
    assert limit_of(profiles, Charging(1, T0), T0 + 60).until == T0 + 100


PROFILES = st.builds(
    lambda purpose, stack, start, duration, limits, daily: profile(
        [(60 * place, limit) for place, limit in enumerate(limits)],
        stack=stack, start=T0 + start, id=stack, **purpose,
        **({} if duration is None else {"duration": duration}),
        **({"kind": "Recurring", "recurrencyKind": "Daily"} if daily else {}),
    ),
    st.sampled_from([MAX, TX, {}, {"evse": 0}]),
    st.integers(0, 9),
    st.integers(-DAY, 600),
    st.none() | st.integers(1, 900),
    st.lists(st.integers(0, 40), min_size=1, max_size=4),
    st.booleans(),
)  # fmt: skip


@given(st.lists(PROFILES, max_size=6), st.integers(0, 900))
def test_at_each_moment_the_composite_schedule_is_what_a_car_may_draw_then(profiles, after_s):
    connectors = (Charging(1, T0),)
    periods = composite_schedule(profiles, connectors, 1, T0, 901)
    told = [each for each in periods if each.start_s <= after_s][-1]
    asked = limit_of(profiles, connectors[0], T0 + after_s).limit
    assert (told.current_a, told.phases) == (asked.current_a, asked.phases)


@given(st.lists(PROFILES, max_size=6))
def test_a_composite_schedule_starts_at_zero_ascends_and_never_passes_the_hardware(profiles):
    periods = composite_schedule(profiles, TWO, 1, T0, 2 * DAY)
    starts = [each.start_s for each in periods]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert all(0 <= each.current_a <= CURRENT_A_MAX for each in periods)
    assert all(earlier[1:] != later[1:] for earlier, later in itertools.pairwise(periods))
