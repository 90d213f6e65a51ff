"""Smart charging in 1.6, and what it cannot say."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.authorization import Token
from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    OperationMode,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    Recurrency,
    SchedulePeriod,
    ScheduleUpdate,
)
from engine.model.commands import Result
from engine.model.ids import EvseRef
from engine.model.remote_control import RequestStart
from engine.model.smart_charging import (
    ClearChargingProfile,
    CompositeSchedule,
    GetChargingProfiles,
    GetCompositeSchedule,
    SetChargingProfile,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from engine.ocpp.catalogue import command_call, outcome_of
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
TIME = "2026-11-21T10:00:00.000Z"
SCHEDULE = ChargingSchedule(
    unit=RateUnit.A,
    start_at=AT,
    duration_s=86_400,
    rate_min=6.0,
    periods=(SchedulePeriod(start_s=0, limit=10.3, phases=1), SchedulePeriod(start_s=3600, limit=16.0)),
)
PROFILE = ChargingProfile(
    id=1,
    stack_level=2,
    purpose=ProfilePurpose.STATION_MAX,
    kind=ProfileKind.RECURRING,
    recurrency=Recurrency.DAILY,
    schedules=(SCHEDULE,),
    valid_from=AT,
    valid_to=AT,
)


def said(command):
    return command_call(Version.V16, command)


def with_period(**fields):
    return replace(PROFILE, schedules=(replace(SCHEDULE, periods=(SchedulePeriod(start_s=0, **fields),)),))


def test_TC_056_a_profile_is_said_in_words_of_1_6():
    assert said(SetChargingProfile(0, PROFILE)) == (
        "SetChargingProfile",
        {
            "connectorId": 0,
            "csChargingProfiles": {
                "chargingProfileId": 1,
                "stackLevel": 2,
                "chargingProfilePurpose": "ChargePointMaxProfile",
                "chargingProfileKind": "Recurring",
                "recurrencyKind": "Daily",
                "validFrom": TIME,
                "validTo": TIME,
                "chargingSchedule": {
                    "duration": 86_400,
                    "startSchedule": TIME,
                    "chargingRateUnit": "A",
                    "minChargingRate": 6.0,
                    "chargingSchedulePeriod": [
                        {"startPeriod": 0, "limit": 10.3, "numberPhases": 1},
                        {"startPeriod": 3600, "limit": 16.0},
                    ],
                },
            },
        },
    )


def test_TC_057_a_transaction_is_named_by_its_number():
    profile = replace(PROFILE, purpose=ProfilePurpose.TX, transaction_id="42")
    assert said(SetChargingProfile(1, profile))[1]["csChargingProfiles"]["transactionId"] == 42
    with pytest.raises(NotExpressible, match="by number; 'abc' is none"):
        said(SetChargingProfile(1, replace(profile, transaction_id="abc")))


def test_TC_059_a_remote_start_carries_a_profile():
    profile = replace(PROFILE, purpose=ProfilePurpose.TX)
    payload = said(RequestStart(token=Token("04AB"), evse=EvseRef(1), profile=profile))[1]
    assert payload["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"
    assert "transactionId" not in payload["chargingProfile"]


@given(tenths=st.integers(0, 10**9))
def test_any_limit_of_one_decimal_passes_the_schema(tenths):
    limit = tenths / 10
    payload = said(SetChargingProfile(0, with_period(limit=limit)))[1]
    assert payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == limit


@pytest.mark.parametrize("limit", [10.15, 0.01, 6.000001])
def test_a_limit_of_more_decimals_is_refused_with_the_nearest(limit):
    with pytest.raises(NotExpressible, match=f"use {round(limit, 1):g}"):
        said(SetChargingProfile(0, with_period(limit=limit)))


def test_the_noise_of_binary_fractions_is_no_decimal():
    payload = said(SetChargingProfile(0, with_period(limit=0.1 + 0.2)))[1]
    assert payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 0.3


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (replace(PROFILE, purpose=ProfilePurpose.PRIORITY), "no profiles for PriorityCharging"),
        (replace(PROFILE, purpose=ProfilePurpose.EXTERNAL), "no profiles for ChargingStationExternalConstraints"),
        (replace(PROFILE, kind=ProfileKind.DYNAMIC), "no profiles of kind Dynamic"),
        (replace(PROFILE, schedules=(SCHEDULE, SCHEDULE)), "one schedule in a profile"),
        (replace(PROFILE, offline_s_max=60), "offline_s_max of a profile"),
        (replace(PROFILE, schedules=(replace(SCHEDULE, local_time=True),)), "local_time of a schedule"),
        (with_period(limit=6.0, phase_to_use=1, phases=1), "phase_to_use of a period"),
        (with_period(), "a limit in each period"),
        (with_period(operation_mode=OperationMode.IDLE), "no operation mode Idle"),
    ],
)
def test_what_is_newer_is_refused_by_name(profile, words):
    with pytest.raises(NotExpressible, match=words):
        said(SetChargingProfile(0, profile))


def test_TC_067_a_clear_may_name_an_id_some_criteria_or_nothing():
    assert said(ClearChargingProfile(profile_id=3)) == ("ClearChargingProfile", {"id": 3})
    criteria = ClearChargingProfile(evse=0, purpose=ProfilePurpose.STATION_MAX, stack_level=0)
    expected = {"connectorId": 0, "chargingProfilePurpose": "ChargePointMaxProfile", "stackLevel": 0}
    assert said(criteria)[1] == expected
    assert said(ClearChargingProfile())[1] == {}


def test_nothing_to_clear_is_a_no():
    assert outcome_of(Version.V16, "ClearChargingProfile", {"status": "Unknown"}).result is Result.REFUSED


def test_TC_066_a_composite_schedule_is_understood():
    assert said(GetCompositeSchedule(1, 600, RateUnit.A))[1] == {
        "connectorId": 1,
        "duration": 600,
        "chargingRateUnit": "A",
    }
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": -1}], "duration": 600}
    answer = {"status": "Accepted", "connectorId": 1, "scheduleStart": TIME, "chargingSchedule": schedule}
    found = outcome_of(Version.V16, "GetCompositeSchedule", answer).found
    assert found == CompositeSchedule(1, RateUnit.A, (SchedulePeriod(start_s=0, limit=-1.0),), AT, 600)


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, {"status": "Accepted"}])
def test_an_answer_without_a_schedule_tells_none(answer):
    assert outcome_of(Version.V16, "GetCompositeSchedule", answer).found is None


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (GetChargingProfiles(), "GetCompositeSchedule"),
        (UpdateDynamicSchedule(1, ScheduleUpdate(limit=1.0)), "SetChargingProfile"),
        (UsePriorityCharging("1", activate=True), "higher stack level"),
    ],
)
def test_what_1_6_does_not_have_is_refused_with_advice(command, advice):
    with pytest.raises(NotExpressible, match=advice):
        said(command)
