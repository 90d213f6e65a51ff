"""Several processes are one fleet: one identity each, figures added up, one end."""

import asyncio
import threading
from dataclasses import replace

import pytest
from rich.console import Console

from loadtests.behaviours import Silent
from loadtests.dashboard import dashboard_of, verdicts_of
from loadtests.fleet import Crew, FleetError, FleetOptions, live, run_fleet
from loadtests.scenarios import ReconnectStorm
from loadtests.station import Habits
from tests.loadtests.scripted import Csms
from tests.loadtests.test_link import QUICK

HABITS = Habits(meter_interval_s=0.1, charge_s=(5, 9), first_charge_s_max=0, patience=QUICK)
OPTIONS = FleetOptions(stations=7, tokens=("TOKEN",), connect_s=0.0, habits=HABITS, processes=2, duration_s=1.5)


@pytest.fixture
def csms():
    """A CSMS on a thread of its own, for the fleet keeps this one busy."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def do(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    server = Csms()
    do(server.__aenter__())
    yield server
    do(server.__aexit__(None, None, None))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def text_of(renderable):
    console = Console(width=160)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_all_stations_run_once_and_their_figures_are_added_up(csms):
    shown = []
    result = run_fleet(replace(OPTIONS, url=csms.url), lambda crew: shown.append(text_of(dashboard_of(crew))))
    assert {request.path.rpartition("/")[2] for request in csms.requests} == {f"DEMO-{n:04}" for n in range(1, 8)}
    assert len(csms.requests) == 7
    assert (result.stations, result.connected, result.registered, result.processes) == (7, 7, 7, 2)
    assert result.actions["BootNotification"] == result.latencies["BootNotification"]["count"] == 7
    assert result.messages == sum(result.actions.values()) <= len(csms.heard)
    assert result.waves[0]["reported"] == 7
    assert result.failures == {}
    assert result.violated == []
    assert result.cpu_us_per_message > 0
    assert result.pss_mib > 10
    assert "BootNotification" in shown[-1]
    assert "held" in text_of(verdicts_of(result))


def test_a_scenario_plays_in_all_of_them(csms):
    storm = ReconnectStorm(at_s=0.5)
    crew = Crew(replace(OPTIONS, url=csms.url, scenario=storm, duration_s=None))

    def stop_when_back(crew):
        if len(crew.result().waves) > 1 and crew.result().waves[1]["all_connected_s"] is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crew.run(stop_when_back)
    assert crew.result().waves[1]["stations"] == crew.result().waves[1]["connected"] == 7


def test_a_crew_that_reaches_nobody_says_where_and_why():
    options = replace(OPTIONS, url="ws://127.0.0.1:9/ocpp", connect_s_max=2.0, duration_s=30.0)
    with pytest.raises(FleetError, match=r"could connect to ws://127\.0\.0\.1:9/ocpp .*ConnectionRefused"):
        run_fleet(options)


def test_a_process_that_dies_is_told_and_ends_the_others(csms):
    crew = Crew(replace(OPTIONS, url=csms.url, duration_s=30.0))

    def kill_one(crew):
        if crew.result().connected:
            crew._processes[0].kill()

    with pytest.raises(FleetError, match="process 1 of the fleet died"):
        crew.run(kill_one)
    assert not any(process.is_alive() for process in crew._processes)


def test_nobody_can_observe_several_processes():
    with pytest.raises(FleetError, match="nobody can observe"):
        asyncio.run(live(OPTIONS))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"processes": 0}, "1 to 64 processes"),
        ({"processes": 8}, "a station for each at least, not 8 for 7 stations"),
        ({"processes": 65, "stations": 100}, "1 to 64"),
    ],
)
def test_a_number_of_processes_that_makes_no_sense_is_refused(changes, says):
    with pytest.raises(FleetError, match=says):
        replace(OPTIONS, **changes)


def test_a_behaviour_travels_to_other_processes(csms):
    mix = replace(OPTIONS.mix, behaviours=((1.0, ("silent", Silent())),))
    result = run_fleet(replace(OPTIONS, url=csms.url, mix=mix, duration_s=0.8))
    assert result.behaviours["silent"]["stations"] == 7
