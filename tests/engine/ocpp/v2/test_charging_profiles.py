"""Charging profiles of 2.0.1 and 2.1: what goes out passes the schema and comes back as it was."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.charging_profiles import (
    NUMBERS,
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
    ScheduleUpdate,
    SignalPoint,
)
from engine.ocpp import schemas
from engine.ocpp.translation import NotExpressible
from engine.ocpp.v2.charging_profiles import payload_from_profile, payload_from_update, profile_from_payload
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
PLAIN = ChargingProfile(
    id=7,
    stack_level=2,
    purpose=ProfilePurpose.TX,
    kind=ProfileKind.RECURRING,
    recurrency=Recurrency.DAILY,
    valid_from=AT,
    valid_to=AT.replace(year=2027),
    transaction_id="t-1",
    schedules=(
        ChargingSchedule(
            unit=RateUnit.A,
            id=3,
            start_at=AT,
            duration_s=3600,
            rate_min=6.0,
            periods=(
                SchedulePeriod(start_s=0, limit=16.5, phases=1, phase_to_use=2),
                SchedulePeriod(start_s=60, limit=8.0),
            ),
        ),
    ),
)
RICH = replace(
    PLAIN,
    purpose=ProfilePurpose.PRIORITY,
    kind=ProfileKind.DYNAMIC,
    offline_s_max=600,
    invalid_after_offline=True,
    dynamic_interval_s=60,
    dynamic_at=AT,
    price_signature="x",
    schedules=(
        ChargingSchedule(
            unit=RateUnit.W,
            id=1,
            local_time=True,
            randomized_delay_s=30,
            limit_at_soc=LimitAtSoc(80, 11_000.0),
            power_tolerance=5.0,
            signature_id=1,
            digest="d",
            periods=(
                SchedulePeriod(
                    start_s=0,
                    operation_mode=OperationMode.LOCAL_FREQUENCY,
                    preconditioning=True,
                    evse_sleep=False,
                    v2x_baseline_w=0.0,
                    frequency_curve=(FrequencyPoint(49.8, -5000.0), FrequencyPoint(50.2, 5000.0)),
                    signal_curve=(SignalPoint(-1, -1000.0), SignalPoint(1, 1000.0)),
                    **dict.fromkeys(NUMBERS, -1.0),
                ),
            ),
        ),
    ),
)


def passes(version, profile):
    payload = payload_from_profile(profile, version)
    schemas.check(version, "SetChargingProfile", "request", {"evseId": 1, "chargingProfile": payload})
    return payload


@BOTH
def test_a_profile_comes_back_as_it_was(version):
    assert profile_from_payload(passes(version, PLAIN)) == PLAIN


def test_all_of_2_1_comes_back_as_it_was():
    assert profile_from_payload(passes(Version.V21, RICH)) == RICH


@pytest.mark.parametrize("whole", [False, True])
@BOTH
def test_any_profile_of_the_schema_is_understood_and_said_again(version, whole, sample):
    payload = sample(version, "SetChargingProfile", "Request", whole=whole)["chargingProfile"]
    again = passes(version, profile_from_payload(payload))
    assert profile_from_payload(again) == profile_from_payload(payload)
    if not whole:
        assert again == payload


@BOTH
def test_a_schedule_without_an_id_gets_the_profiles(version):
    nameless = replace(PLAIN, schedules=tuple(replace(PLAIN.schedules[0], id=None) for _ in range(2)))
    assert [each["id"] for each in payload_from_profile(nameless, version)["chargingSchedule"]] == [7, 8]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (replace(PLAIN, purpose=ProfilePurpose.PRIORITY), "no profiles for PriorityCharging"),
        (replace(PLAIN, kind=ProfileKind.DYNAMIC), "no Dynamic profiles"),
        (replace(PLAIN, offline_s_max=60), "cannot say offline_s_max of a profile"),
        (
            replace(PLAIN, schedules=(replace(PLAIN.schedules[0], local_time=True),)),
            "cannot say local_time of a schedule",
        ),
        (
            replace(
                PLAIN, schedules=(replace(PLAIN.schedules[0], periods=(SchedulePeriod(start_s=0, setpoint=1.0),)),)
            ),
            "cannot say setpoint of a period",
        ),
        (
            replace(PLAIN, schedules=(replace(PLAIN.schedules[0], periods=(SchedulePeriod(start_s=0),)),)),
            "wants a limit in each period",
        ),
        (
            replace(
                PLAIN,
                schedules=(
                    replace(
                        PLAIN.schedules[0],
                        periods=(SchedulePeriod(start_s=0, limit=1.0, operation_mode=OperationMode.EXTERNAL_LIMITS),),
                    ),
                ),
            ),
            "no operation mode ExternalLimits",
        ),
    ],
)
def test_what_2_0_1_cannot_say_is_refused_by_name(changed, words):
    with pytest.raises(NotExpressible, match=words):
        payload_from_profile(changed, Version.V201)


def test_charging_only_is_what_2_0_1_means_anyway():
    period = SchedulePeriod(start_s=0, limit=1.0, operation_mode=OperationMode.CHARGING_ONLY)
    changed = replace(PLAIN, schedules=(replace(PLAIN.schedules[0], periods=(period,)),))
    assert "operationMode" not in passes(Version.V201, changed)["chargingSchedule"][0]["chargingSchedulePeriod"][0]
    assert "operationMode" in passes(Version.V21, changed)["chargingSchedule"][0]["chargingSchedulePeriod"][0]


@BOTH
def test_a_transaction_id_that_is_too_long_is_refused(version):
    with pytest.raises(NotExpressible, match="36 characters in a transactionId"):
        payload_from_profile(replace(PLAIN, transaction_id="t" * 37), version)


@given(numbers=st.dictionaries(st.sampled_from(NUMBERS), st.integers(-1000, 0).map(float)))
def test_an_update_says_exactly_what_it_holds(numbers):
    payload = payload_from_update(ScheduleUpdate(**numbers))
    assert sorted(payload.values()) == sorted(numbers.values())
    schemas.check(Version.V21, "UpdateDynamicSchedule", "request", {"chargingProfileId": 1, "scheduleUpdate": payload})
