"""Facts about stations: what they mean for what may be drawn, and for what is sent."""

from datetime import timedelta

import numpy as np
import pytest

from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
    ScheduleUpdate,
)
from engine.model.device_model import VariableEntry, VariableSource, VariablesRecorded
from engine.model.provisioning import BootReported, Registration, StationBooted, VariableRef
from engine.model.sessions import StationResponsive, StationUnresponsive
from engine.model.smart_charging import (
    ClearChargingProfile,
    DynamicScheduleUpdated,
    ProfileAdopted,
    ProfileInstalled,
    ProfileRemoved,
    RemovalReason,
)
from engine.model.transactions import TransactionEnded
from smartcharging.wire import NoticeKind, SiteWire
from smartcharging.wire.capabilities import Ability
from smartcharging.wire.profiles import profile_id
from tests.smartcharging.wire.fleet import Bench, booted, connected, copied, gone, target

NOW_S = np.array([60.0])


def worst(bench, number=0, wire=None):
    return float((wire or bench.wire).worst(bench.now, NOW_S)[f"e{number}"][0])


def planned(current_a=16.0, **more):
    bench = Bench(2, 60.0, idle_a=6.0, **more)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, current_a, bench.now))
    bench.run()
    return bench


def profile_of(limit, purpose=ProfilePurpose.TX_DEFAULT, name=5, stack_level=3, **more):
    return ChargingProfile(
        id=name,
        stack_level=stack_level,
        purpose=purpose,
        kind=ProfileKind.RELATIVE,
        schedules=(ChargingSchedule(unit=RateUnit.A, periods=(SchedulePeriod(start_s=0, limit=limit),)),),
        **more,
    )


def ended(bench, transaction="100"):
    return TransactionEnded(transaction_id=transaction, ended_at=bench.now, received_at=bench.now)


def test_the_end_of_its_transaction_takes_a_profile_away():
    bench = planned()
    assert worst(bench) == 16.0
    bench.wire.hear("CP0", ended(bench), bench.now)
    assert worst(bench) == 6.0


def test_the_end_of_another_transaction_changes_nothing():
    bench = planned()
    bench.wire.hear("CP0", ended(bench, "8"), bench.now)
    bench.wire.hear("CP9", ended(bench), bench.now)
    assert worst(bench) == 16.0


def test_a_yes_to_a_profile_whose_transaction_is_over_counts_for_nothing():
    bench = planned()
    bench.wait(60)
    bench.want(target(0, 24.0, bench.now))
    (order,) = bench.orders()
    bench.wire.hear("CP0", ended(bench), bench.now)
    assert worst(bench) == 24.0  # it is on its way
    bench.wire.settled(order.order_id, bench.stations["CP0"].do(order.command), bench.now)
    assert worst(bench) == 6.0


def test_news_of_what_we_know_changes_nothing():
    bench = planned()
    first = bench.sent[-1].command
    bench.wait(60)
    bench.want(target(0, 10.0, bench.now))
    (order,) = bench.orders()
    bench.wire.hear("CP0", ProfileInstalled(evse=1, profile=order.command.profile, at=bench.now), bench.now)
    assert worst(bench) == 10.0  # the station took it, though we were not told yet
    bench.wire.settled(order.order_id, bench.stations["CP0"].do(order.command), bench.now)
    bench.wire.hear("CP0", ProfileInstalled(evse=1, profile=first.profile, at=bench.now), bench.now)
    assert worst(bench) == 10.0  # old news
    assert bench.run() == []


def test_a_profile_of_ours_that_another_planner_set_counts():
    bench = planned()
    profile = copied(bench.sent[-1].command.profile, schedules=profile_of(22.0).schedules, kind=ProfileKind.RELATIVE)
    bench.wire.hear("CP0", ProfileInstalled(evse=1, profile=profile, at=bench.now), bench.now)
    assert worst(bench) == 22.0
    bench.wait(60)
    bench.run()
    assert worst(bench) == 16.0


@pytest.mark.parametrize("evse", [0, 1])
def test_a_profile_of_others_counts_at_its_most_and_is_cleared(evse):
    bench = planned()
    theirs = profile_of(29.0)
    bench.wire.hear("CP0", ProfileInstalled(evse=evse, profile=theirs, at=bench.now), bench.now)
    assert worst(bench) == 29.0
    assert NoticeKind.FOREIGN in [notice.kind for notice in bench.wire.notices(bench.now)]
    bench.wait(60)
    (order,) = bench.orders()
    assert order.command == ClearChargingProfile(profile_id=5)
    removed = ProfileRemoved(profile_id=5, evse=evse, reason=RemovalReason.CLEARED, noted_at=bench.now)
    bench.wire.hear("CP0", removed, bench.now)
    assert worst(bench) == 16.0


def test_many_profiles_of_others_are_bounded():
    bench = planned()
    for number in range(100):
        theirs = profile_of(10.0 + number % 20, name=number + 1)
        bench.wire.hear("CP0", ProfileInstalled(evse=1, profile=theirs, at=bench.now), bench.now)
    assert worst(bench) == 29.0
    assert len(bench.wire._state.evses["e0"].foreign) <= 16


def test_a_maximum_of_the_station_that_others_set_changes_nothing():
    bench = planned()
    theirs = profile_of(7.0, ProfilePurpose.STATION_MAX)
    bench.wire.hear("CP0", ProfileInstalled(evse=0, profile=theirs, at=bench.now), bench.now)
    assert worst(bench) == 16.0


def test_a_default_that_was_cleared_is_unknown_and_told_again():
    bench = planned()
    default = next(iter(held for held in bench.stations["CP1"].profiles.values()))
    removed = ProfileRemoved(
        profile_id=default.profile.id, evse=1, reason=RemovalReason.CLEARED, noted_at=bench.now)  # fmt: skip
    bench.wire.hear("CP1", removed, bench.now)
    assert worst(bench, 1) == 32.0
    bench.wait(60)
    bench.run()
    assert worst(bench, 1) == 6.0


def test_only_an_accepted_boot_makes_doubt():
    bench = planned()
    fact = StationBooted(BootReported("V", "M", firmware_version="1"), Registration.PENDING, 60, bench.now)
    bench.wire.hear("CP0", fact, bench.now)
    assert worst(bench) == 16.0
    booted(bench.wire, "CP0", bench.now)
    assert worst(bench) == 32.0


def test_an_older_session_that_ends_changes_nothing():
    bench = planned()
    connected(bench.wire, "CP0", bench.now, session="new")
    gone(bench.wire, "CP0", bench.now, session="s")
    assert bench.wire.abilities()["CP0"].online
    gone(bench.wire, "CP0", bench.now, session="new")
    assert not bench.wire.abilities()["CP0"].online


def test_a_silent_station_is_not_told_anything_until_it_speaks():
    bench = planned()
    bench.wire.hear("CP0", StationUnresponsive(session="s", silent_s=60.0, at=bench.now), bench.now)
    bench.want(target(0, 10.0, bench.now))
    bench.wait(60)
    assert bench.run() == []
    bench.wire.hear("CP0", StationResponsive(session="s", silent_s=90.0, at=bench.now), bench.now)
    assert len(bench.run()) == 1


def variables(**values):
    entries = tuple(
        VariableEntry(ref=VariableRef(component="SmartChargingCtrlr", variable=name), value=value)
        for name, value in values.items()
    )
    return VariablesRecorded(source=VariableSource.REPORT, at=Bench(1).now, entries=entries)


def test_variables_of_a_report_are_learned():
    bench = planned()
    bench.wire.hear("CP0", variables(PeriodsPerSchedule="1", RateUnit="W"), bench.now)
    ability = bench.wire.abilities()["CP0"].ability
    assert (ability.periods_max, ability.units) == (1, (RateUnit.W,))
    bench.want(target(0, 10.0, bench.now))
    bench.wait(60)
    bench.run()
    profile = bench.sent[-1].command.profile
    assert profile.schedules[0].unit is RateUnit.W
    assert len(profile.schedules[0].periods) == 1


def test_another_version_is_another_station():
    bench = planned()
    bench.wire.hear("CP0", variables(PeriodsPerSchedule="1"), bench.now)
    connected(bench.wire, "CP0", bench.now, version="2.0.1", session="x")
    assert bench.wire.abilities()["CP0"].ability == Ability(version="2.0.1")


def test_the_profile_of_a_remote_start_is_that_of_the_transaction_it_starts():
    bench = Bench(1, 60.0, idle_a=6.0)
    bench.run()
    profile = bench.wire.start_profile("CP0", 1, bench.now)
    assert profile.id == profile_id(ProfilePurpose.TX, 1, Ability())
    bench.wire.hear("CP0", ProfileInstalled(evse=1, profile=profile, at=bench.now, remote_start_id=3), bench.now)
    adopted = ProfileAdopted(profile_id=profile.id, evse=1, transaction_id="100", noted_at=bench.now)
    bench.wire.hear("CP0", adopted, bench.now)
    assert worst(bench) == 6.0
    bench.wire.hear("CP0", ended(bench), bench.now)
    assert worst(bench) == 6.0


def test_after_a_long_absence_a_dynamic_profile_is_told_again():
    bench = Bench(1, 60.0, version="2.1", idle_a=6.0)
    station = bench.wire._state.stations["CP0"]
    station.told = copied(station.told, dynamic=True, offline=True)
    bench.wire._state.reckon(station)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    for away_s, again in ((60, 0), (1200, 1)):
        gone(bench.wire, "CP0", bench.now)
        bench.wait(away_s)
        connected(bench.wire, "CP0", bench.now, version="2.1")
        assert len(bench.run()) == again


def test_numbers_that_others_gave_our_dynamic_profile_count():
    bench = Bench(1, 60.0, version="2.1", idle_a=6.0)
    station = bench.wire._state.stations["CP0"]
    station.told = copied(station.told, dynamic=True)
    bench.wire._state.reckon(station)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    (order,) = bench.run()
    name = order.command.profile.id
    bench.wire.hear(
        "CP0", DynamicScheduleUpdated(profile_id=name, update=ScheduleUpdate(limit=28.0), at=bench.now), bench.now
    )
    assert worst(bench) == 28.0
    bench.wait(60)
    bench.run()
    assert worst(bench) == 16.0


def test_facts_of_other_stations_are_let_pass():
    bench = planned()
    connected(bench.wire, "elsewhere", bench.now)
    assert isinstance(bench.wire, SiteWire)
    assert "elsewhere" not in bench.wire.abilities()
    bench.wait(timedelta(hours=1).total_seconds())
