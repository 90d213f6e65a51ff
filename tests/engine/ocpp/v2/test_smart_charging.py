"""Smart charging in 2.0.1 and 2.1: what stations tell, what they are told, and what 2.0.1 cannot say."""

from datetime import UTC, datetime

import pytest

from engine.model.charging_profiles import ProfilePurpose, RateUnit, SchedulePeriod, ScheduleUpdate
from engine.model.commands import Result
from engine.model.smart_charging import (
    AcNeeds,
    ChargingNoted,
    ClearChargingProfile,
    CompositeSchedule,
    DcNeeds,
    DynamicUpdateAnswer,
    DynamicUpdatePulled,
    EvScheduleAnswer,
    GetChargingProfiles,
    GetCompositeSchedule,
    LimitReleaseReported,
    LimitReported,
    NeedsAnswer,
    NeedsVerdict,
    PriorityReported,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from engine.ocpp.catalogue import answer_payload, command_call, outcome_of, understand
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V201, V21 = Version.V201, Version.V21
BOTH = pytest.mark.parametrize("version", [V201, V21])
AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
TIME = "2026-11-21T10:00:00.000Z"
PERIODS = [{"startPeriod": 0, "limit": 16}]
SCHEDULE = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": PERIODS}
PROFILE = {
    "id": 3,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [SCHEDULE],
}


def report(version, action, payload):
    return understand(version, action, payload).report


@BOTH
@pytest.mark.parametrize(("tbc", "more"), [({}, False), ({"tbc": False}, False), ({"tbc": True}, True)])
def test_K09_FR_02_the_last_part_is_the_one_without_tbc(version, tbc, more):
    payload = {"requestId": 5, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [PROFILE], **tbc}
    told = report(version, "ReportChargingProfiles", payload)
    assert (told.request_id, told.evse, told.source, told.more) == (5, 1, "CSO", more)
    assert [each.id for each in told.profiles] == [3]
    assert answer_payload(version, "ReportChargingProfiles", ChargingNoted()) == {}


@BOTH
def test_K11_FR_03_a_limit_comes_with_its_schedules(version):
    payload = {
        "chargingLimit": {"chargingLimitSource": "EMS", "isGridCritical": True},
        "chargingSchedule": [SCHEDULE],
        "evseId": 2,
    }
    told = report(version, "NotifyChargingLimit", payload)
    assert (told.source, told.evse, told.grid_critical) == ("EMS", 2, True)
    assert told.schedules[0].periods == (SchedulePeriod(start_s=0, limit=16.0),)
    bare = {"chargingLimit": {"chargingLimitSource": "SO"}}
    assert report(version, "NotifyChargingLimit", bare) == LimitReported("SO")


def test_a_limit_of_2_1_may_be_local_generation_and_of_any_source():
    payload = {"chargingLimit": {"chargingLimitSource": "House", "isLocalGeneration": True}}
    assert report(V21, "NotifyChargingLimit", payload) == LimitReported("House", local_generation=True)


@BOTH
def test_K13_FR_02_a_release(version):
    assert report(version, "ClearedChargingLimit", {"chargingLimitSource": "EMS"}) == LimitReleaseReported("EMS")


@BOTH
def test_K15_FR_01_needs_on_AC_and_DC(version):
    ac = {"energyAmount": 10000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 400}
    dc = {"evMaxCurrent": 200, "evMaxVoltage": 400, "stateOfCharge": 40, "evEnergyCapacity": 60000}
    payload = {
        "evseId": 1,
        "maxScheduleTuples": 12,
        "chargingNeeds": {
            "requestedEnergyTransfer": "DC",
            "departureTime": TIME,
            "acChargingParameters": ac,
            "dcChargingParameters": dc,
        },
    }
    told = report(version, "NotifyEVChargingNeeds", payload)
    assert (told.evse, told.periods_max, told.needs.departure_at) == (1, 12, AT)
    assert told.needs.ac == AcNeeds(10_000.0, 6.0, 16.0, 400.0)
    assert told.needs.dc == DcNeeds(current_a_max=200.0, voltage_v_max=400.0, soc_percent=40, capacity_wh=60_000.0)
    assert told.needs.v2x is None


def test_Q01_FR_03_all_that_a_car_of_2_1_can_say_is_kept(sample):
    payload = sample(V21, "NotifyEVChargingNeeds", "Request", whole=True)
    told = report(V21, "NotifyEVChargingNeeds", payload)
    needs = payload["chargingNeeds"]
    said = [getattr(told.needs.v2x, name) for name in told.needs.v2x.__struct_fields__]
    assert None not in said
    assert len(said) == len(needs["v2xChargingParameters"])
    assert told.needs.der == needs["derChargingParameters"]
    assert told.needs.offer == needs["evEnergyOffer"]
    assert told.needs.control_mode == needs["controlMode"]
    assert told.at is not None


@pytest.mark.parametrize(
    ("verdict", "v201", "v21"),
    [
        (NeedsVerdict.ACCEPTED, "Accepted", "Accepted"),
        (NeedsVerdict.PROCESSING, "Processing", "Processing"),
        (NeedsVerdict.NO_PROFILE, "Rejected", "NoChargingProfile"),
        (NeedsVerdict.REFUSED, "Rejected", "Rejected"),
    ],
)
def test_K18_FR_04_no_profile_has_a_word_of_its_own_in_2_1(verdict, v201, v21):
    answer = NeedsAnswer(verdict)
    assert answer_payload(V201, "NotifyEVChargingNeeds", answer) == {"status": v201}
    assert answer_payload(V21, "NotifyEVChargingNeeds", answer) == {"status": v21}


@BOTH
def test_K15_FR_10_a_plan_of_a_car(version):
    payload = {"timeBase": TIME, "evseId": 1, "chargingSchedule": SCHEDULE}
    told = report(version, "NotifyEVChargingSchedule", payload)
    assert (told.evse, told.time_base_at, told.schedule.id, told.selected_id) == (1, AT, 1, None)
    assert answer_payload(version, "NotifyEVChargingSchedule", EvScheduleAnswer(within=True)) == {"status": "Accepted"}
    assert answer_payload(version, "NotifyEVChargingSchedule", EvScheduleAnswer(within=False)) == {"status": "Rejected"}


def test_K15_FR_21_the_schedule_that_a_car_selected():
    payload = {"timeBase": TIME, "evseId": 1, "chargingSchedule": SCHEDULE, "selectedChargingScheduleId": 4}
    assert report(V21, "NotifyEVChargingSchedule", payload).selected_id == 4


def test_K21_FR_05_priority_and_K28_FR_10_a_pull():
    told = report(V21, "NotifyPriorityCharging", {"transactionId": "t-1", "activated": True})
    assert told == PriorityReported("t-1", active=True)
    assert report(V21, "PullDynamicScheduleUpdate", {"chargingProfileId": 7}) == DynamicUpdatePulled(7)


def test_K28_FR_07_12_a_pull_is_answered_with_numbers_or_rejected():
    numbers = ScheduleUpdate(limit=16.0, setpoint_l2=-1.0)
    assert answer_payload(V21, "PullDynamicScheduleUpdate", DynamicUpdateAnswer(numbers)) == {
        "status": "Accepted",
        "scheduleUpdate": {"limit": 16.0, "setpoint_L2": -1.0},
    }
    assert answer_payload(V21, "PullDynamicScheduleUpdate", DynamicUpdateAnswer(None))["status"] == "Rejected"


@BOTH
def test_K10_FR_02_a_clear_names_something(version):
    with pytest.raises(NotExpressible, match=r"K10\.FR\.02"):
        command_call(version, ClearChargingProfile())
    criteria = ClearChargingProfile(evse=0, purpose=ProfilePurpose.TX_DEFAULT, stack_level=0)
    assert command_call(version, criteria)[1] == {
        "chargingProfileCriteria": {"evseId": 0, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 0}
    }
    assert command_call(version, ClearChargingProfile(profile_id=3))[1] == {"chargingProfileId": 3}


@BOTH
def test_K09_FR_03_a_report_is_asked_for_by_what_should_be_in_it(version):
    command = GetChargingProfiles(
        evse=1, profile_ids=(3, 4), purpose=ProfilePurpose.TX, stack_level=0, sources=("EMS",), request_id=5
    )
    assert command_call(version, command)[1] == {
        "requestId": 5,
        "evseId": 1,
        "chargingProfile": {
            "chargingProfilePurpose": "TxProfile",
            "stackLevel": 0,
            "chargingProfileId": [3, 4],
            "chargingLimitSource": ["EMS"],
        },
    }


def test_a_source_of_ones_own_is_of_2_1():
    command = GetChargingProfiles(sources=("House",), request_id=5)
    assert command_call(V21, command)[1]["chargingProfile"] == {"chargingLimitSource": ["House"]}
    with pytest.raises(NotExpressible, match="no limit source 'House'"):
        command_call(V201, command)


@BOTH
@pytest.mark.parametrize(
    ("status", "result"), [("Accepted", Result.ACCEPTED), ("NoProfiles", Result.ACCEPTED), ("Odd", None)]
)
def test_no_profiles_answers_the_question(version, status, result):
    if result is not None:
        assert outcome_of(version, "GetChargingProfiles", {"status": status}).result is result


@BOTH
def test_TC_066_a_composite_schedule_is_understood(version):
    assert command_call(version, GetCompositeSchedule(1, 600, RateUnit.W)) == (
        "GetCompositeSchedule",
        {"evseId": 1, "duration": 600, "chargingRateUnit": "W"},
    )
    schedule = {
        "evseId": 1,
        "duration": 600,
        "scheduleStart": TIME,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": -1}],
    }
    outcome = outcome_of(version, "GetCompositeSchedule", {"status": "Accepted", "schedule": schedule})
    assert outcome.found == CompositeSchedule(1, RateUnit.W, (SchedulePeriod(start_s=0, limit=-1.0),), AT, 600)
    assert outcome_of(version, "GetCompositeSchedule", {"status": "Rejected"}).found is None


def test_what_only_2_1_can_do_is_refused_with_advice():
    with pytest.raises(NotExpressible, match="SetChargingProfile"):
        command_call(V201, UpdateDynamicSchedule(1, ScheduleUpdate(limit=1.0)))
    with pytest.raises(NotExpressible, match="higher stack level"):
        command_call(V201, UsePriorityCharging("t-1", activate=True))
    assert command_call(V21, UsePriorityCharging("t-1", activate=False))[1] == {
        "transactionId": "t-1",
        "activate": False,
    }
