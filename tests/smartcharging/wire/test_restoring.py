"""After a restart: what the store knows counts, what it does not know counts as the outlet's maximum."""

from datetime import timedelta

import numpy as np
import pytest

from engine.model.charging_profiles import RateUnit
from engine.model.device_model import VariableEntry
from engine.model.provisioning import VariableRef
from engine.model.quirks import Make
from engine.model.smart_charging import ClearChargingProfile
from smartcharging.wire import KnownOrder, KnownProfile, KnownStation, SiteWire
from tests.smartcharging.wire.fleet import ACCEPTED, REJECTED, Bench, target


def planned():
    bench = Bench(2, 40.0, idle_a=6.0)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    bench.wait(60)
    return bench


def known(bench, number, **more):
    held = bench.stations[f"CP{number}"].profiles.values()
    fields = {
        "online": True,
        "version": "1.6",
        "make": Make("V", "M", "1"),
        "profiles": tuple(
            KnownProfile(evse=each.evse, profile=each.profile, installed_at=bench.now - timedelta(seconds=50))
            for each in held
        ),
    }
    return KnownStation(station=f"CP{number}", **{**fields, **more})


def restarted(bench, *stations, quarantined=None):
    bench.wire = SiteWire(bench.site, bench.network, bench.settings, name="second")
    bench.wire.restore(stations or [known(bench, 0), known(bench, 1)], bench.now, quarantined)
    return bench


def worst(bench, number=0):
    return float(bench.wire.worst(bench.now, np.array([30.0]))[f"e{number}"][0])


def test_what_stations_hold_is_known_again_and_nothing_is_sent():
    bench = restarted(planned())
    assert (worst(bench, 0), worst(bench, 1)) == (16.0, 6.0)
    bench.want(target(0, 16.0, bench.now))
    assert bench.run() == []


def test_leases_are_renewed_in_time_after_a_restart():
    bench = restarted(planned())
    bench.want(target(0, 16.0, bench.now))
    for _ in range(8):
        bench.pass_time(1800)
        assert bench.may_draw_a(0) == 16.0


def test_a_station_of_which_nothing_is_known_counts_with_its_outlets_maximum():
    bench = planned()
    restarted(bench, known(bench, 0))
    assert worst(bench, 1) == 32.0


def test_stations_of_other_sites_are_let_pass():
    bench = planned()
    restarted(bench, known(bench, 0), known(bench, 1), KnownStation(station="elsewhere"))
    assert set(bench.wire.abilities()) == {"CP0", "CP1"}


def raising(bench):
    bench.want(target(0, 30.0, bench.now))
    (order,) = bench.orders()
    return KnownOrder(order_id=order.order_id, command=order.command, sent_at=bench.now)


@pytest.mark.parametrize(("outcome", "after"), [(ACCEPTED, 30.0), (REJECTED, 16.0)])
def test_a_command_that_is_open_counts_until_it_is_settled(outcome, after):
    bench = planned()
    order = raising(bench)
    restarted(bench, known(bench, 0, orders=(order,)), known(bench, 1))
    assert worst(bench) == 30.0
    bench.want(target(0, 16.0, bench.now))
    assert bench.orders() == []  # it waits for the open one
    assert bench.wire.settled(order.order_id, outcome, bench.now)
    assert worst(bench) == after


def test_a_command_in_doubt_counts_until_another_is_accepted():
    bench = planned()
    order = raising(bench)
    doubted = KnownOrder(order_id=order.order_id, command=order.command, sent_at=bench.now, open=False)
    restarted(bench, known(bench, 0, orders=(doubted,)), known(bench, 1))
    assert worst(bench) == 30.0
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    assert worst(bench) == 16.0


def test_what_was_installed_before_the_last_boot_may_be_gone():
    bench = planned()
    restarted(bench, known(bench, 0, booted_at=bench.now - timedelta(seconds=10)), known(bench, 1))
    assert worst(bench) == 32.0
    bench.want(target(0, 16.0, bench.now))
    assert len(bench.run()) == 2
    assert worst(bench) == 16.0


def test_variables_are_known_again():
    bench = planned()
    ref = VariableRef(variable="ChargingScheduleAllowedChargingRateUnit")
    restarted(bench, known(bench, 0, variables=(VariableEntry(ref=ref, value="Power"),)), known(bench, 1))
    assert bench.wire.abilities()["CP0"].unit is RateUnit.W


def test_one_in_quarantine_stays_there():
    bench = restarted(planned(), quarantined={"e0": "did not listen", "x": "is not here"})
    assert bench.wire.quarantined() == {"e0": "did not listen"}
    assert worst(bench) == 32.0


def test_other_commands_that_are_open_hinder_nothing():
    bench = planned()
    clear = KnownOrder(order_id="c", command=ClearChargingProfile(profile_id=4), sent_at=bench.now)
    restarted(bench, known(bench, 0, orders=(clear,)), known(bench, 1))
    bench.want(target(0, 10.0, bench.now))
    assert len(bench.orders()) == 1
    assert bench.wire.settled("c", ACCEPTED, bench.now)


def test_an_offline_station_is_told_when_it_comes_back():
    bench = planned()
    restarted(bench, known(bench, 0, online=False, version=None), known(bench, 1))
    bench.want(target(0, 8.0, bench.now))
    assert bench.run() == []
