"""Commands of smart charging that must not be sent now, each with its reason."""

import pytest
from msgspec.structs import replace

from engine.model.charging_profiles import (
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
    ScheduleUpdate,
)
from engine.model.device_model import VariableEntry, VariableSource, VariablesRecorded
from engine.model.provisioning import BootReported, VariableRef
from engine.model.sessions import SessionOpened
from engine.model.smart_charging import (
    AcNeeds,
    ClearChargingProfile,
    EvNeeds,
    GetChargingProfiles,
    GetCompositeSchedule,
    NeedsReported,
    ProfilesReported,
    SetChargingProfile,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from engine.station.state import evolve
from tests.engine.station.charging import ask, end, profile, start, tell, tx_profile

NEEDS = EvNeeds(energy_transfer="AC_three_phase", ac=AcNeeds(10_000.0, 6.0, 16.0, 400.0))


@pytest.fixture
def station(make_actor):
    """A station of 2.x, accepted, with nothing to wait for."""
    actor = make_actor()
    actor.take(SessionOpened(session="i:1:1", ingress="i", version="2.0.1", address="10.0.0.9", at=actor.now))
    actor.says(BootReported(vendor="Acme", model="Two"))
    actor.wait(10)
    return actor


def learn(actor, variable, value, component="SmartChargingCtrlr"):
    entry = VariableEntry(VariableRef(variable, component), value=value)
    fact = VariablesRecorded(source=VariableSource.READ, at=actor.now, entries=(entry,))
    actor.state = evolve(actor.state, fact)


def test_K01_FR_09_a_TxProfile_needs_an_active_transaction(station):
    assert "No transaction 't-1' runs" in ask(station, SetChargingProfile(1, tx_profile()))
    start(station)
    assert ask(station, SetChargingProfile(1, tx_profile()), "d") is None


def test_K01_FR_33_not_one_that_has_ended(station):
    start(station)
    end(station)
    assert "K01.FR.33" in ask(station, SetChargingProfile(1, tx_profile()))


def test_a_TxProfile_is_set_where_its_transaction_is(station):
    start(station, evse=2)
    assert "is at EVSE 2, not at 1" in ask(station, SetChargingProfile(1, tx_profile()))


def test_K01_FR_06_a_second_id_at_one_place_purpose_and_level_is_objected_to(station):
    tell(station, SetChargingProfile(1, profile(1)))
    assert "Profile 1 is a TxDefaultProfile of stack level 0 at EVSE 1 already (K01.FR.06)" in ask(
        station, SetChargingProfile(1, profile(2)), "d"
    )
    assert ask(station, SetChargingProfile(1, profile(1)), "same id") is None


def test_K01_FR_06_not_where_their_times_of_validity_differ(station):
    tell(station, SetChargingProfile(1, profile(1, valid_to=station.now)))
    assert ask(station, SetChargingProfile(1, profile(2, valid_from=station.now)), "d") is None


def test_K01_FR_06_another_level_place_or_purpose_is_free(station):
    tell(station, SetChargingProfile(1, profile(1)), command_id="1")
    tell(station, SetChargingProfile(1, profile(2, level=1)), command_id="2")
    tell(station, SetChargingProfile(2, profile(3)), command_id="3")
    start(station)
    assert ask(station, SetChargingProfile(1, tx_profile(4)), "4") is None


@pytest.mark.parametrize(("first", "second", "rule"), [(1, 0, "K01.FR.52"), (0, 1, "K01.FR.53")])
def test_a_default_of_the_station_and_one_of_an_EVSE_need_different_levels(station, first, second, rule):
    tell(station, SetChargingProfile(first, profile(1)))
    assert rule in ask(station, SetChargingProfile(second, profile(2)), "d")


def test_K01_FR_39_a_transaction_has_one_profile_of_a_level(station):
    start(station)
    tell(station, SetChargingProfile(1, tx_profile(1)))
    assert "K01.FR.39" in ask(station, SetChargingProfile(1, tx_profile(2)), "d")
    assert ask(station, SetChargingProfile(1, tx_profile(2, level=1)), "e") is None


def test_on_1_6_a_second_id_replaces_and_is_not_objected_to(actor):
    actor.take(SessionOpened(session="i:1:2", ingress="i", version="1.6", address="10.0.0.9", at=actor.wait(1)))
    actor.wait(10)
    tell(actor, SetChargingProfile(1, profile(1)))
    assert ask(actor, SetChargingProfile(1, profile(2)), "d") is None


def test_K01_FR_05_an_external_constraint_is_not_replaced(station):
    station.says(ProfilesReported(1, 0, "EMS", (profile(7, ProfilePurpose.EXTERNAL),)))
    assert "K01.FR.05" in ask(station, SetChargingProfile(0, profile(7)))


def schedules(*lengths):
    return tuple(
        ChargingSchedule(
            unit=RateUnit.A,
            periods=tuple(SchedulePeriod(start_s=60 * place, limit=6.0) for place in range(length)),
            id=number,
        )
        for number, length in enumerate(lengths)
    )


def test_K01_FR_34_several_schedules_are_for_a_car_that_told_its_needs(station):
    start(station)
    command = SetChargingProfile(1, tx_profile(schedules=schedules(2, 2)))
    assert "K01.FR.34" in ask(station, command)
    station.says(NeedsReported(1, NEEDS))
    assert ask(station, command, "d") is None


def test_K15_FR_07_no_more_periods_than_the_car_takes(station):
    start(station)
    station.says(NeedsReported(1, NEEDS, periods_max=3))
    assert "K15.FR.07" in ask(station, SetChargingProfile(1, tx_profile(schedules=schedules(4))))
    assert ask(station, SetChargingProfile(1, tx_profile(schedules=schedules(3))), "d") is None


def test_needs_of_an_earlier_transaction_say_nothing(station):
    start(station)
    station.says(NeedsReported(1, NEEDS, periods_max=3))
    end(station)
    start(station, "t-2")
    assert ask(station, SetChargingProfile(1, tx_profile(transaction="t-2", schedules=schedules(4)))) is None


WATTS = profile(1, schedules=(ChargingSchedule(unit=RateUnit.W, periods=(SchedulePeriod(start_s=0, limit=6000.0),)),))


@pytest.mark.parametrize(
    ("learned", "allowed", "refused", "words"),
    [
        (("ProfileStackLevel", "3"), profile(1, level=3), profile(1, level=4), "levels 0 to 3"),
        (("PeriodsPerSchedule", "2"), profile(1, limits=(6.0,) * 2), profile(1, limits=(6.0,) * 3), "2 periods"),
        (("RateUnit", "A"), profile(1), WATTS, "in A (K01.FR.26), not in W"),
        (("ChargingScheduleAllowedChargingRateUnit", "Current", ""), profile(1), WATTS, "in A (K01.FR.26), not in W"),
        (("MaxExternalConstraintsId", "100"), profile(101), profile(100), "K01.FR.80"),
    ],
)
def test_what_the_device_model_says_is_heeded(station, learned, allowed, refused, words):
    assert ask(station, SetChargingProfile(1, refused), "before") is None
    learn(station, *learned)
    assert words in ask(station, SetChargingProfile(1, refused), "after")
    assert ask(station, SetChargingProfile(1, allowed), "allowed") is None


@pytest.mark.parametrize("value", ["", "many", "9" * 30])
def test_nonsense_in_the_device_model_bounds_nothing(station, value):
    learn(station, "ProfileStackLevel", value)
    assert ask(station, SetChargingProfile(1, profile(1, level=99))) is None


def test_rules_that_need_no_station_are_kept(station):
    broken = replace(profile(1), kind=ProfileKind.ABSOLUTE)
    assert "K01.FR.40" in ask(station, SetChargingProfile(0, broken))


@pytest.mark.parametrize("purpose", [ProfilePurpose.EXTERNAL, ProfilePurpose.LOCAL_GENERATION])
def test_K10_FR_06_what_is_not_ours_is_not_cleared(station, purpose):
    assert "K10.FR.06" in ask(station, ClearChargingProfile(purpose=purpose))


def test_a_composite_schedule_has_a_duration_and_a_place(station):
    assert "is no duration" in ask(station, GetCompositeSchedule(1, 0))
    assert "There is no EVSE -1" in ask(station, GetCompositeSchedule(-1, 60), "d")


def test_a_report_is_asked_for_with_few_ids(station):
    assert "ask for 64 at most" in ask(station, GetChargingProfiles(profile_ids=tuple(range(65))))


def test_K28_FR_11_only_dynamic_profiles_are_updated(station):
    tell(station, SetChargingProfile(1, profile(1)))
    assert "K28.FR.11" in ask(station, UpdateDynamicSchedule(1, ScheduleUpdate(limit=6.0)), "d")
    assert ask(station, UpdateDynamicSchedule(2, ScheduleUpdate(limit=6.0)), "unknown: the station decides") is None


@pytest.mark.parametrize("update", [ScheduleUpdate(), ScheduleUpdate(limit=float("inf"))])
def test_an_update_says_numbers(station, update):
    assert ask(station, UpdateDynamicSchedule(1, update)) is not None


def test_K21_FR_02_priority_is_for_a_transaction_that_runs(station):
    assert "No transaction" in ask(station, UsePriorityCharging("t-1", activate=True))
    start(station)
    assert ask(station, UsePriorityCharging("t-1", activate=True), "d") is None
