"""Rules of charging profiles: each is broken alone, and the fault names what to do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    FrequencyPoint,
    LimitAtSoc,
    OperationMode,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    Recurrency,
    SchedulePeriod,
)
from engine.station.profile_rules import fault_at_start, fault_of

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
PERIOD = SchedulePeriod(start_s=0, limit=16.0)
SCHEDULE = ChargingSchedule(unit=RateUnit.A, periods=(PERIOD,), start_at=AT)
DEFAULT = ChargingProfile(
    id=1, stack_level=0, purpose=ProfilePurpose.TX_DEFAULT, kind=ProfileKind.ABSOLUTE, schedules=(SCHEDULE,)
)
TX = replace(DEFAULT, purpose=ProfilePurpose.TX, transaction_id="t-1")
STATION_MAX = replace(DEFAULT, purpose=ProfilePurpose.STATION_MAX)
RELATIVE = replace(SCHEDULE, start_at=None)


def scheduled(profile=DEFAULT, period=PERIOD, **changes):
    """The profile with its one schedule changed."""
    periods = changes.pop("periods", (period,))
    return replace(profile, schedules=(replace(profile.schedules[0], periods=periods, **changes),))


@pytest.mark.parametrize(
    ("profile", "evse"),
    [
        (DEFAULT, 0),
        (DEFAULT, 1),
        (TX, 1),
        (STATION_MAX, 0),
        (replace(DEFAULT, kind=ProfileKind.RECURRING, recurrency=Recurrency.DAILY), 0),
        (replace(DEFAULT, kind=ProfileKind.RELATIVE, schedules=(RELATIVE,)), 1),
        (replace(DEFAULT, kind=ProfileKind.DYNAMIC, schedules=(RELATIVE,), dynamic_interval_s=60), 1),
        (scheduled(period=SchedulePeriod(start_s=0, limit=6.123456, phases=1, phase_to_use=2)), 1),
        (scheduled(period=SchedulePeriod(start_s=0, setpoint=-5.0, operation_mode=OperationMode.CENTRAL_SETPOINT)), 1),
        (scheduled(period=SchedulePeriod(start_s=0, operation_mode=OperationMode.EXTERNAL_LIMITS)), 1),
    ],
)
def test_what_the_specification_allows_has_no_fault(profile, evse):
    assert fault_of(profile, evse) is None


@pytest.mark.parametrize(
    ("requirement", "profile", "evse"),
    [
        ("K01.FR.03", replace(TX, transaction_id=None), 1),
        ("K01.FR.16", TX, 0),
        ("K01.FR.22", replace(DEFAULT, purpose=ProfilePurpose.EXTERNAL), 0),
        ("K01.FR.31", scheduled(period=SchedulePeriod(start_s=5, limit=6.0)), 0),
        ("K01.FR.35", scheduled(periods=(PERIOD, SchedulePeriod(start_s=0, limit=8.0))), 0),
        ("K01.FR.35", scheduled(periods=(PERIOD, *(SchedulePeriod(start_s=s, limit=8.0) for s in (60, 30)))), 0),
        ("K01.FR.38", replace(STATION_MAX, kind=ProfileKind.RELATIVE, schedules=(RELATIVE,)), 0),
        ("K01.FR.40", replace(DEFAULT, schedules=(RELATIVE,)), 0),
        ("K01.FR.41", replace(DEFAULT, kind=ProfileKind.RELATIVE), 1),
        ("K01.FR.19", scheduled(period=SchedulePeriod(start_s=0, limit=6.0, phases=3, phase_to_use=1)), 1),
        ("K01.FR.19", scheduled(period=SchedulePeriod(start_s=0, limit=6.0, phase_to_use=1)), 1),
        ("K01.FR.70", scheduled(replace(DEFAULT, purpose=ProfilePurpose.PRIORITY), duration_s=60), 0),
        ("K01.FR.95", scheduled(STATION_MAX, randomized_delay_s=30), 0),
        ("K01.FR.122", replace(DEFAULT, dynamic_interval_s=30), 0),
        (
            "K28.FR.01",
            scheduled(
                replace(DEFAULT, kind=ProfileKind.DYNAMIC),
                periods=(PERIOD, SchedulePeriod(start_s=60, limit=8.0)),
                start_at=None,
            ),
            1,
        ),
        ("K28.FR.02", replace(DEFAULT, kind=ProfileKind.DYNAMIC), 1),
        ("Q08.FR.05", scheduled(period=SchedulePeriod(start_s=0, operation_mode=OperationMode.LOCAL_FREQUENCY)), 1),
        (
            "Q08.FR.02",
            scheduled(
                period=SchedulePeriod(
                    start_s=0,
                    operation_mode=OperationMode.LOCAL_FREQUENCY,
                    v2x_baseline_w=0.0,
                    frequency_curve=(FrequencyPoint(50.0, 0.0),),
                ),
                unit=RateUnit.W,
            ),
            1,
        ),
    ],
)
def test_a_broken_requirement_is_named(requirement, profile, evse):
    fault = fault_of(profile, evse)
    assert fault is not None
    assert requirement in fault


@pytest.mark.parametrize(
    ("words", "profile", "evse"),
    [
        ("at EVSE 0, not at 2", STATION_MAX, 2),
        ("There is no EVSE -1", DEFAULT, -1),
        ("A stack level is 0 or more", replace(DEFAULT, stack_level=-1), 0),
        ("Only a TxProfile names a transaction", replace(DEFAULT, transaction_id="t-1"), 0),
        ("say Daily or Weekly", replace(DEFAULT, kind=ProfileKind.RECURRING), 0),
        ("leave it out, or use kind Recurring", replace(DEFAULT, recurrency=Recurrency.WEEKLY), 0),
        ("1 to 3 schedules", replace(DEFAULT, schedules=()), 0),
        ("1 to 3 schedules", replace(DEFAULT, schedules=(SCHEDULE,) * 4), 0),
        ("give each its own", replace(TX, schedules=(SCHEDULE, SCHEDULE)), 1),
        ("1 to 1024 periods", scheduled(periods=()), 0),
        (
            "1 to 1024 periods",
            scheduled(periods=tuple(SchedulePeriod(start_s=n, limit=6.0) for n in range(1025))),
            0,
        ),
        ("valid_to is not after valid_from", replace(DEFAULT, valid_from=AT, valid_to=AT), 0),
        ("is no duration", scheduled(duration_s=0), 0),
        ("rate_min -1 is negative", scheduled(rate_min=-1.0), 0),
        ("0 to 100 %", scheduled(limit_at_soc=LimitAtSoc(101, 6.0)), 0),
        ("Period 1: limit -1 is negative", scheduled(period=SchedulePeriod(start_s=0, limit=-1.0)), 0),
        ("limit is no number", scheduled(period=SchedulePeriod(start_s=0, limit=float("nan"))), 0),
        ("more than 6 decimals", scheduled(period=SchedulePeriod(start_s=0, limit=6.1234567)), 0),
        ("phases 4", scheduled(period=SchedulePeriod(start_s=0, limit=6.0, phases=4)), 0),
        ("needs a limit", scheduled(period=SchedulePeriod(start_s=0)), 0),
        ("setpoint has no meaning in operation mode ChargingOnly", scheduled(period=replace(PERIOD, setpoint=1.0)), 0),
        (
            "needs a setpoint",
            scheduled(period=SchedulePeriod(start_s=0, operation_mode=OperationMode.CENTRAL_SETPOINT)),
            1,
        ),
        ("limit has no meaning in operation mode Idle", scheduled(period=replace(PERIOD, operation_mode="Idle")), 1),
        (
            "no operation mode Idle",
            scheduled(STATION_MAX, period=SchedulePeriod(start_s=0, operation_mode=OperationMode.IDLE)),
            0,
        ),
        (
            "discharge_limit 3 is positive",
            scheduled(
                period=SchedulePeriod(
                    start_s=0, setpoint=0.0, discharge_limit=3.0, operation_mode=OperationMode.CENTRAL_SETPOINT
                )
            ),
            1,
        ),
    ],
)
def test_a_fault_says_what_is_wrong(words, profile, evse):
    assert words in (fault_of(profile, evse) or "nothing")


def test_the_fault_of_a_later_schedule_names_it():
    second = replace(SCHEDULE, id=2, periods=())
    assert fault_of(replace(TX, schedules=(replace(SCHEDULE, id=1), second)), 1).startswith("Schedule 2: ")


def test_F01_FR_11_the_profile_of_a_remote_start_has_no_transaction():
    assert fault_at_start(replace(TX, transaction_id=None), 1) is None
    assert fault_at_start(replace(TX, transaction_id=None), None) is None
    assert "F01.FR.11" in fault_at_start(TX, 1)


def test_K05_FR_02_the_profile_of_a_remote_start_is_a_TxProfile():
    assert "K05.FR.02" in fault_at_start(DEFAULT, 1)


def test_the_profile_of_a_remote_start_keeps_the_other_rules():
    start = replace(TX, transaction_id=None)
    assert "K01.FR.31" in fault_at_start(scheduled(start, period=SchedulePeriod(start_s=1, limit=6.0)), 1)
    assert "K01.FR.34" in fault_at_start(replace(start, schedules=(SCHEDULE, SCHEDULE)), 1)


@given(starts=st.lists(st.integers(0, 2**31), min_size=1, max_size=30, unique=True).map(sorted))
def test_any_ascending_periods_from_zero_are_allowed(starts):
    periods = tuple(SchedulePeriod(start_s=start - starts[0], limit=6.0) for start in starts)
    assert fault_of(scheduled(periods=periods), 1) is None


@given(limit=st.integers(0, 10**12).map(lambda number: number / 10**6))
def test_any_limit_of_six_decimals_is_allowed(limit):
    assert fault_of(scheduled(period=SchedulePeriod(start_s=0, limit=limit)), 1) is None


def test_valid_from_before_valid_to_is_allowed():
    assert fault_of(replace(DEFAULT, valid_from=AT, valid_to=AT + timedelta(seconds=1)), 0) is None
