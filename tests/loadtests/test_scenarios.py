"""The named scenarios, played with real stations against a real server, and what must hold after them."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from loadtests.behaviours import SlowReader
from loadtests.fleet import Fleet, FleetError, FleetOptions
from loadtests.fleet_result import FleetResult
from loadtests.invariants import OF_EVERY_FLEET, everybody_back, judged, p99_below
from loadtests.mix import Mix, mix_of
from loadtests.parameters import changed
from loadtests.scenario import Scenario
from loadtests.scenarios import (
    SCENARIOS,
    Blackout,
    FirmwareWave,
    FlappingCell,
    IngressRestart,
    MorningPeak,
    ReconnectStorm,
    SlowConsumers,
    SteadyDay,
)
from loadtests.station import Habits
from tests.loadtests.scripted import Csms, running
from tests.loadtests.test_link import QUICK

HABITS = Habits(first_charge_s_max=1e6, idle_s=(1e6, 1e6), reboot_s=0.01, patience=QUICK)


def options(csms, scenario, **changes):
    return replace(
        FleetOptions(stations=6, tokens=("TOKEN",), connect_s=0.0, habits=HABITS),
        url=csms.url,
        scenario=scenario,
        **changes,
    )


async def played(fleet, true):
    """Runs the fleet until something is true of its result."""
    async with running(fleet.run()) as task:
        while not true(fleet.result()) and not task.done():
            await asyncio.sleep(0.01)
        assert not task.done(), task.exception()
        return fleet.result()


def complete(name):
    def check(result):
        waves = [wave for wave in result.waves if wave["name"] == name]
        return bool(waves) and all(value is not None for value in waves[-1].values())

    return check


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_says_what_it_is_and_changes_habits_that_there_are(name):
    scenario = SCENARIOS[name]()
    assert len(type(scenario).__doc__) > 20
    changed(Habits(), scenario.habits())
    assert scenario.needs_s >= 0


async def test_a_reconnect_storm_drops_all_at_once_and_measures_until_all_are_back():
    async with Csms() as csms:
        result = await played(Fleet(options(csms, ReconnectStorm(at_s=0.3))), complete("reconnect storm"))
    assert len(csms.requests) == 12
    assert len(csms.all_of("BootNotification")) == 6  # coming back is no boot
    assert result.waves[1]["connected"] == 6
    assert "booted" not in result.waves[1]


async def test_a_reconnect_storm_after_a_loss_of_power_boots_and_reports():
    async with Csms() as csms:
        result = await played(Fleet(options(csms, ReconnectStorm(at_s=0.3, boot=True))), complete("reconnect storm"))
        assert len(csms.all_of("BootNotification")) == 12
    assert result.waves[1]["reported"] == 6


async def test_an_ingress_restart_drops_its_share():
    async with Csms() as csms:
        result = await played(Fleet(options(csms, IngressRestart(at_s=0.3, share=0.5))), complete("ingress restart"))
    assert result.waves[1]["stations"] == 3
    assert len(csms.requests) == 9


async def test_an_ingress_restart_kills_the_process_that_it_was_told():
    victim = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=subprocess.PIPE)
    try:
        async with Csms() as csms:
            await played(
                Fleet(options(csms, IngressRestart(at_s=0.1, pid=victim.pid))), lambda result: len(result.waves) == 2
            )
        assert await victim.wait() == -signal.SIGKILL
    finally:
        with contextlib.suppress(ProcessLookupError):
            victim.kill()
        await victim.communicate()


async def test_a_firmware_wave_updates_every_station_in_its_own_words():
    heard = []
    async with Csms() as csms:
        fleet = Fleet(options(csms, FirmwareWave(at_s=0.1, over_s=0.1)))
        for station in fleet.stations:
            station.link.obey = lambda action, payload, version=station.version: (
                heard.append((version, action, payload)) or {"status": "Accepted"}
            )
        await played(fleet, lambda _: len(heard) == 6)
    assert {action for _, action, _ in heard} == {"UpdateFirmware"}
    assert all(("firmware" in payload) == (version != "1.6") for version, _, payload in heard)


async def test_stations_that_know_no_firmware_boot_at_least():
    async with Csms() as csms:
        fleet = Fleet(options(csms, FirmwareWave(at_s=0.1, over_s=0.1)))
        for station in fleet.stations:
            station.link.obey = lambda *_: None
        result = await played(fleet, complete("firmware wave"))
        assert len(csms.all_of("BootNotification")) == 12
    assert result.events["firmware updates not understood"] == 6


async def test_a_flapping_cell_is_gone_and_back_several_times():
    scenario = FlappingCell(at_s=0.2, share=0.34, period_s=1.0, duty=0.5, times=2)
    async with Csms() as csms:
        await played(Fleet(options(csms, scenario)), complete("the radio cell is back for good"))
    assert len(csms.requests) == 6 + 2 * 3
    assert len(csms.all_of("BootNotification")) == 6


async def test_a_blackout_is_dark_for_its_time_and_all_boot_when_power_is_back():
    async with Csms() as csms:
        fleet = Fleet(options(csms, Blackout(at_s=0.3, share=0.5, off_s=0.5)))
        result = await played(fleet, complete("power is back"))
        assert len(csms.all_of("BootNotification")) == 9
    assert result.waves[1]["stations"] == result.waves[1]["reported"] == 3


async def test_the_morning_peak_sends_drivers_who_stay():
    async with Csms() as csms:
        fleet = Fleet(options(csms, MorningPeak(peak_s=0.2, spread_s=0.05, share=1.0)))
        result = await played(fleet, lambda result: result.charging == 6)
        assert len(csms.all_of("Authorize")) == 6
    assert result.transactions <= 6


async def test_slow_consumers_are_a_share_of_their_own_and_not_to_blame():
    async with Csms() as csms:
        fleet = Fleet(options(csms, SlowConsumers(share=0.5, frames_per_s=0.0, asks_per_s=50.0)))
        result = await played(fleet, lambda result: result.registered == 3 and len(csms.all_of("Heartbeat")) > 20)
    assert result.behaviours["SlowReader"]["stations"] == result.behaviours["good"]["stations"] == 3
    assert result.waves[0]["stations"] == 3
    assert isinstance(SlowConsumers().behaviour(0.05), SlowReader)
    assert SlowConsumers().behaviour(0.5) is None


def test_a_steady_day_passes_in_its_time():
    habits = changed(Habits(), SteadyDay(day_s=86_400.0).habits())
    assert (habits.speed, habits.meter_interval_s, habits.charge_s) == (1.0, 900.0, (1_800.0, 14_400.0))
    assert changed(Habits(), SteadyDay(day_s=60.0).habits()).meter_interval_s == pytest.approx(0.625)


def test_stations_arrive_evenly():
    assert [Scenario().arrival_s(rank, 10.0) for rank in (0.0, 0.5, 1.0)] == [0.0, 5.0, 10.0]


def test_a_run_too_short_for_its_scenario_is_refused():
    with pytest.raises(FleetError, match=r"needs 52 s with connecting and recovering.*--duration 52"):
        FleetOptions(duration_s=30.0, scenario=ReconnectStorm())
    FleetOptions(duration_s=52.0, scenario=ReconnectStorm())


def test_a_peak_without_tokens_is_refused():
    with pytest.raises(FleetError, match="--tokens"):
        FleetOptions(scenario=MorningPeak())


RESULT = FleetResult(
    stations=2, seconds=1.0, connected=2, messages=5, messages_per_second=5.0, transactions=0, energy_wh=0.0,
    p50_ms=1.0, p99_ms=20.0, actions={}, failures={}, events={}, registered=2,
    behaviours={"good": {"steady": True, "stations": 2, "connected": 2, "registered": 2, "events": {}}},
    waves=[
        {"name": "start", "stations": 2, "connected": 1, "all_connected_s": None},
        {"name": "storm", "stations": 2, "connected": 2, "all_connected_s": 3.0},
    ],
)  # fmt: skip


def with_events(**events):
    good = RESULT.behaviours["good"]
    return replace(RESULT, behaviours={"good": good | {"events": {key.replace("_", " "): 1 for key in events}}})


def test_a_good_run_holds_all():
    result = judged(RESULT, (*OF_EVERY_FLEET, everybody_back(5.0), p99_below(20.0)))
    assert result.violated == []
    assert len(result.invariants) == len(OF_EVERY_FLEET) + 2


@pytest.mark.parametrize(
    ("result", "violated"),
    [
        (replace(RESULT, failures={"Heartbeat: timeout": 2}), "every call of the stations was answered"),
        (
            replace(RESULT, behaviours={"good": RESULT.behaviours["good"] | {"connected": 1}}),
            "nobody is dead at the end",
        ),
        (with_events(queue_overflows=1), "no station had to give up a message"),
        (with_events(repeats_answered_differently=1), "a repeated start is the same transaction"),
        (
            replace(
                RESULT,
                behaviours={"good": RESULT.behaviours["good"] | {"events": {"let in, though it must not be": 1}}},
            ),
            "who must not come in was turned away",
        ),
    ],
)
def test_what_does_not_hold_is_named(result, violated):
    assert judged(result, OF_EVERY_FLEET).violated == [violated]


def test_who_is_back_too_late_or_never_is_named():
    assert not everybody_back(2.0)(RESULT).held
    assert "storm" in everybody_back(2.0)(RESULT).found
    never = replace(RESULT, waves=[RESULT.waves[0], RESULT.waves[1] | {"all_connected_s": None}])
    assert not everybody_back(1e9)(never).held
    assert not p99_below(19.0)(RESULT).held


def test_the_scenario_of_the_options_goes_before_that_of_the_mix():
    mix = mix_of({"scenario": {"name": "blackout"}})
    assert isinstance(FleetOptions(mix=mix).played, Blackout)
    assert isinstance(FleetOptions(mix=mix, scenario=SteadyDay()).played, SteadyDay)
    assert type(FleetOptions(mix=Mix()).played) is Scenario


async def test_a_fleet_of_a_mix_has_its_shares_and_tells_its_groups_apart():
    mix = mix_of(
        {
            "versions": {"2.1": 1, "1.6": 1},
            "behaviours": {"good": 4, "wrong_subprotocol": 2},
            "habits": [{"share": 1, "connectors": 2}, {"share": 1}],
        }
    )
    async with Csms() as csms:
        fleet = Fleet(options(csms, None, mix=mix))
        assert sorted(station.version for station in fleet.stations) == ["1.6"] * 3 + ["2.1"] * 3
        assert sorted(len(station.connectors) for station in fleet.stations) == [1, 1, 1, 2, 2, 2]
        result = await played(
            fleet, lambda result: result.registered == 4 and result.behaviours["wrong_subprotocol"]["events"]
        )
    assert result.behaviours["good"]["stations"] == 4
    assert result.connected == 4
    assert result.violated == []


def test_chance_deals_the_same_fleet_to_any_number_of_processes():
    mix = mix_of({"behaviours": {"good": 1, "silent": 1}, "versions": {"1.6": 1, "2.1": 1}})
    whole = FleetOptions(stations=20, mix=mix)

    def crew(processes):
        shared = replace(whole, processes=processes)
        fleets = [Fleet(shared, process=process) for process in range(processes)]
        return sorted(
            (station.identity, station.version, station.connectors[0].register_wh)
            for fleet in fleets
            for station in fleet.stations
        )

    assert crew(1) == crew(3)
    assert len(crew(1)) == 20


def test_many_stations_come_from_several_addresses_of_this_machine():
    many = FleetOptions(stations=50_000, processes=5, url="ws://127.0.0.1:9000/ocpp")
    assert {many.source_of(number) for number in (0, 19_999, 20_000, 49_999)} == {"127.0.0.2", "127.0.0.3", "127.0.0.4"}
    assert FleetOptions(stations=100).source_of(0) is None
    assert replace(many, url="ws://csms.example/ocpp").source_of(0) is None
    assert replace(many, url="ws://[::1]:9000/ocpp").source_of(0) is None
