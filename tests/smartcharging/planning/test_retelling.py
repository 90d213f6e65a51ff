"""What the stores tell as facts, as the wire wants it: the last of each counts, commands without an end stay."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
    ScheduleUpdate,
)
from engine.model.commands import CommandRequest, CommandRequested, CommandSent, CommandSettled, Outcome, Result
from engine.model.provisioning import BootReported, Registration, StationBooted
from engine.model.quirks import Make
from engine.model.sessions import SessionOpened, SessionStarted
from engine.model.smart_charging import DynamicScheduleUpdated, ProfileInstalled, SetChargingProfile
from smartcharging.planning.retelling import known_stations

NOW = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
SCHEDULE = ChargingSchedule(unit=RateUnit.A, periods=(SchedulePeriod(start_s=0, limit=6.0),), start_at=NOW)
PROFILE = ChargingProfile(
    id=1, stack_level=0, purpose=ProfilePurpose.TX, kind=ProfileKind.ABSOLUTE, schedules=(SCHEDULE,)
)


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def known(*facts):
    (station,) = known_stations({"CP": [(fact, NOW) for fact in facts]})
    return station


def request(name, seconds=0):
    return CommandRequest(name, "CP", SetChargingProfile(1, PROFILE), at(seconds), at(seconds + 30), "planner")


def test_of_nothing_nothing_is_known():
    station = known()
    assert (station.station, station.online, station.make, station.profiles) == ("CP", False, None, ())


def test_a_connected_station_is_online_in_its_version():
    station = known(SessionStarted(SessionOpened("s", "i", "2.1", "a", NOW)))
    assert (station.online, station.session, station.version) == (True, "s", "2.1")


def test_its_make_and_its_boot_are_told():
    station = known(StationBooted(BootReported("V", "M"), Registration.ACCEPTED, 0, at(5)))
    assert (station.make, station.booted_at) == (Make("V", "M", ""), at(5))


def test_a_profile_is_the_one_installed_last_with_its_last_numbers():
    numbers = ScheduleUpdate(limit=9.0)
    later = replace(PROFILE, stack_level=2)
    station = known(
        ProfileInstalled(1, PROFILE, NOW), ProfileInstalled(1, later, at(9)), DynamicScheduleUpdated(1, numbers, at(10))
    )
    (profile,) = station.profiles
    assert (profile.profile, profile.installed_at, profile.numbers) == (later, at(9), numbers)


def test_open_commands_are_open_and_uncertain_ones_in_doubt():
    station = known(
        CommandRequested(request("a")),
        CommandSent("a", "s", at(1), at(31)),
        CommandRequested(request("b")),
        CommandSettled("b", Outcome(Result.LOST), at(9)),
    )
    assert [(order.order_id, order.open, order.sent_at) for order in station.orders] == [
        ("a", True, at(1)),
        ("b", False, NOW),
    ]


def test_a_doubt_is_over_when_its_place_was_told_anew():
    lost = (CommandRequested(request("b")), CommandSettled("b", Outcome(Result.LOST), at(9)))
    assert known(*lost, ProfileInstalled(1, PROFILE, at(20))).orders, "it may have come after that"
    assert not known(*lost, ProfileInstalled(1, PROFILE, at(60))).orders
