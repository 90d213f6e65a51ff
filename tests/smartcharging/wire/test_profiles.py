"""Profiles keep every rule of OCPP in all versions, and allow no more than they were made for."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.charging_profiles import OperationMode, ProfileKind, ProfilePurpose, RateUnit
from engine.model.smart_charging import SetChargingProfile
from engine.ocpp.catalogue import command_call
from engine.ocpp.versions import Version
from engine.station.profile_rules import fault_of
from smartcharging.wire.capabilities import Ability
from smartcharging.wire.profiles import (
    ID_FIRST,
    MODES,
    Limits,
    Socket,
    backdated,
    build,
    gives,
    is_ours,
    profile_id,
    read,
    update_of,
)
from smartcharging.wire.steps import Steps, constant, grid_at
from tests.smartcharging.wire.fleet import START

AC = Socket(evse=1)
ONE = Socket(evse=1, phases=1, kw_per_a=0.23, phase_kw_per_a=0.23)
DC = Socket(evse=2, dc=True, kw_per_a=0.69)
PLAIN = Ability()
BEGIN_S = START.timestamp()
PURPOSES = (ProfilePurpose.TX, ProfilePurpose.TX_DEFAULT, ProfilePurpose.STATION_MAX)


def made(steps=None, purpose=ProfilePurpose.TX, socket=AC, unit=RateUnit.A, ability=PLAIN, **limits):
    fields = {"steps": steps or constant(16.0), **limits}
    if purpose is ProfilePurpose.TX:
        fields.setdefault("transaction_id", "7")
    return build(purpose, Limits(**fields), socket, unit, ability, START)


def evse_of(purpose, socket):
    return 0 if purpose is ProfilePurpose.STATION_MAX else socket.evse


@st.composite
def functions(draw):
    gaps = draw(st.lists(st.integers(1, 200_000), max_size=40))
    times, at = [0.0], BEGIN_S
    for gap in gaps:
        at += gap / draw(st.sampled_from([1, 3]))
        times.append(at)
    values = draw(st.lists(st.floats(0, 500), min_size=len(times), max_size=len(times)))
    return Steps(tuple(times), tuple(values))


@settings(max_examples=150, deadline=None)
@given(
    steps=functions(),
    purpose=st.sampled_from(PURPOSES),
    socket=st.sampled_from([AC, ONE, DC]),
    unit=st.sampled_from(list(RateUnit)),
    version=st.sampled_from(list(Version)),
    periods_max=st.sampled_from([None, 1, 2, 5, 24]),
    phases=st.sampled_from([1, 2, 3]),
)
def test_every_profile_is_one_that_its_version_takes_and_allows_no_more_than_wanted(  # noqa: PLR0913, PLR0917 (drawn)
    steps, purpose, socket, unit, version, periods_max, phases
):
    ability = Ability(version=version, periods_max=periods_max)
    profile = made(steps, purpose, socket, unit, ability, phases=phases)
    evse = evse_of(purpose, socket)
    assert fault_of(profile, evse) is None
    command_call(version, SetChargingProfile(evse=evse, profile=profile))
    assert len(profile.schedules[0].periods) <= (periods_max or 24)
    allowed = read(profile, socket, phases)
    for at_s in (BEGIN_S, *(each + shift for each in steps.times_s for shift in (-1, 0.6, 1)), BEGIN_S + 1e7):
        if at_s < BEGIN_S:
            continue
        around = max(steps.at(at_s - 0.6), steps.at(at_s + 0.6))  # starts are whole seconds
        assert allowed.at(at_s) <= around + 1e-6


@settings(deadline=None)
@given(
    value=st.floats(0, 80),
    give=st.floats(0, 80),
    mode=st.sampled_from([None, *OperationMode]),
    unit=st.sampled_from(list(RateUnit)),
)
def test_modes_say_only_what_they_may(value, give, mode, unit):
    if mode not in (None, *MODES):
        return
    profile = made(constant(value), unit=unit, mode=mode, give=constant(give), ability=Ability(version="2.1"))
    assert fault_of(profile, 1) is None
    command_call(Version.V21, SetChargingProfile(evse=1, profile=profile))


def test_the_last_period_has_no_end_and_the_first_begins_with_the_schedule():
    profile = made(Steps((0.0, BEGIN_S + 900, BEGIN_S + 3600), (16.0, 10.0, 12.0)))
    schedule = profile.schedules[0]
    assert [(each.start_s, each.limit) for each in schedule.periods] == [(0, 16.0), (900, 10.0), (3600, 12.0)]
    assert schedule.duration_s is None
    assert profile.valid_to is None
    assert schedule.start_at == START
    assert profile.kind is ProfileKind.ABSOLUTE


def test_limits_are_rounded_down_to_a_tenth():
    assert made(constant(16.09)).schedules[0].periods[0].limit == 16.0
    assert made(constant(16.1)).schedules[0].periods[0].limit == 16.1
    assert made(constant(0.3 - 1e-12)).schedules[0].periods[0].limit == 0.3


def test_too_many_periods_are_joined_and_the_lower_counts():
    steps = Steps((0.0, BEGIN_S + 900, BEGIN_S + 1800, BEGIN_S + 2700), (16.0, 15.0, 6.0, 20.0))
    profile = made(steps, ability=Ability(periods_max=3))
    assert [each.limit for each in profile.schedules[0].periods] == [15.0, 6.0, 20.0]


def test_one_period_is_the_least_of_all():
    profile = made(Steps((0.0, BEGIN_S + 900), (16.0, 7.0)), ability=Ability(periods_max=1))
    assert [each.limit for each in profile.schedules[0].periods] == [7.0]


def test_dc_says_no_phases_and_ac_says_those_of_its_outlet():
    assert made(socket=DC, unit=RateUnit.W).schedules[0].periods[0].phases is None
    assert made(socket=AC).schedules[0].periods[0].phases == 3
    assert made(socket=ONE).schedules[0].periods[0].phases == 1
    assert made(ability=Ability(phases_said=False)).schedules[0].periods[0].phases is None


def test_watts_are_of_all_phases():
    assert made(constant(10.0), unit=RateUnit.W, phases=3).schedules[0].periods[0].limit == 6900.0
    assert made(constant(10.0), unit=RateUnit.W, phases=1).schedules[0].periods[0].limit == 2300.0
    assert made(constant(100.0), socket=DC, unit=RateUnit.W).schedules[0].periods[0].limit == 69_000.0


def test_watts_may_all_flow_on_one_phase_where_nobody_knows_how_many_a_car_uses():
    profile = made(constant(10.0), unit=RateUnit.W, phases=3)
    assert read(profile, AC, None).values[0] == pytest.approx(30.0)
    assert read(profile, AC, 3).values[0] == pytest.approx(10.0)


def test_ids_are_fixed_by_evse_and_purpose_and_above_those_of_the_station():
    plain = Ability()
    ids = {profile_id(purpose, evse, plain) for purpose in PURPOSES for evse in range(1, 100)}
    assert len(ids) == 3 * 99
    assert min(ids) >= ID_FIRST
    high = Ability(external_id_max=9_000_000)
    assert profile_id(ProfilePurpose.TX, 1, high) > 9_000_000
    assert is_ours(profile_id(ProfilePurpose.TX, 1, high), ProfilePurpose.TX, 1, high)
    assert not is_ours(profile_id(ProfilePurpose.TX, 1, plain), ProfilePurpose.TX_DEFAULT, 1, plain)
    assert not is_ours(7, ProfilePurpose.TX, 1, plain)


def test_a_dynamic_profile_ends_and_falls_back_when_offline():
    until = START + timedelta(hours=1)
    profile = made(constant(12.0), dynamic_until=until, offline_s_max=900, ability=Ability(version="2.1"))
    assert fault_of(profile, 1) is None
    assert (profile.kind, profile.valid_to, profile.offline_s_max, profile.invalid_after_offline) == (
        ProfileKind.DYNAMIC, until, 900, True)  # fmt: skip
    allowed = read(profile, AC, None)
    assert allowed.at(BEGIN_S + 60) == 12.0
    assert allowed.at(until.timestamp()) == 0.0
    assert update_of(Limits(steps=constant(9.07)), AC, RateUnit.A).limit == 9.0


def test_a_default_that_ends_is_no_limit_afterwards():
    profile = replace(made(purpose=ProfilePurpose.TX_DEFAULT), valid_to=START + timedelta(hours=1))
    assert read(profile, AC, None).at(BEGIN_S + 3600) == float("inf")


def test_discharging_is_counted_apart():
    profile = made(
        constant(0.0), mode=OperationMode.CENTRAL_SETPOINT, give=constant(8.0), ability=Ability(version="2.1")
    )
    period = profile.schedules[0].periods[0]
    assert (period.limit, period.discharge_limit, period.setpoint) == (0.0, -8.0, -8.0)
    assert read(profile, AC, None).values[0] == 0.0
    assert gives(profile, AC, None).values[0] == 8.0


def test_schedules_begin_at_a_full_second_in_the_past():
    now = START + timedelta(seconds=3.7)
    assert backdated(now, 60) == START - timedelta(seconds=57)
    assert grid_at(now, 3600).start == now
