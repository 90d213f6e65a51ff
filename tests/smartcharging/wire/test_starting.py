"""The first profile of a remote start: what the station's default allows, and no more."""

import pytest

from engine.model.authorization import Token
from engine.model.charging_profiles import ProfilePurpose
from engine.model.ids import EvseRef
from engine.model.remote_control import RequestStart
from engine.ocpp.catalogue import command_call
from engine.ocpp.versions import Version
from engine.station.profile_rules import fault_at_start
from tests.smartcharging.wire.fleet import Bench, booted, gone


@pytest.mark.parametrize("version", list(Version))
def test_it_is_one_that_a_start_may_carry_in_each_version(version):
    bench = Bench(2, 60.0, version=version, idle_a=6.0)
    bench.run()
    profile = bench.wire.start_profile("CP0", 1, bench.now)
    assert fault_at_start(profile, 1) is None
    assert profile.schedules[0].periods[0].limit == 6.0
    assert profile.schedules[0].periods[-1].limit == 30.0  # its share, once nobody plans
    start = RequestStart(token=Token("A1", "ISO14443"), evse=EvseRef(1), remote_start_id=1, profile=profile)
    command_call(version, start)


def test_where_the_station_chooses_its_only_outlet_is_meant():
    bench = Bench(1)
    bench.run()
    assert bench.wire.start_profile("CP0", None, bench.now) == bench.wire.start_profile("CP0", 1, bench.now)


def test_there_is_none_where_it_would_not_be_safe_or_possible():
    bench = Bench(3, idle_a=6.0)
    assert bench.wire.start_profile("CP0", 1, bench.now) is None  # its default is not known
    bench.run()
    assert bench.wire.start_profile("elsewhere", 1, bench.now) is None
    assert bench.wire.start_profile("CP0", 7, bench.now) is None
    gone(bench.wire, "CP0", bench.now)
    assert bench.wire.start_profile("CP0", 1, bench.now) is None
    booted(bench.wire, "CP1", bench.now)
    assert bench.wire.start_profile("CP1", 1, bench.now) is None
    bench.stations["CP2"].refuses = {ProfilePurpose.TX}
    assert bench.wire.start_profile("CP2", 1, bench.now) is not None
