"""A fleet's options, its numbers, its end."""

import asyncio
import io
import resource
from dataclasses import replace

import pytest
from rich.console import Console
from websockets.frames import CloseCode

from loadtests.fleet import Fleet, FleetError, FleetOptions, live, run_fleet
from loadtests.mix import mix_of
from loadtests.station import Habits
from loadtests.table import ROWS_MAX, table_of
from tests.loadtests.scripted import Csms, running
from tests.loadtests.test_link import QUICK

HABITS = Habits(
    meter_interval_s=0.01, charge_s=(0.03, 0.05), idle_s=(0, 0.01), first_charge_s_max=0, speed=1000, patience=QUICK
)
OPTIONS = FleetOptions(stations=6, tokens=("TOKEN",), connect_s=0.0, habits=HABITS)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"versions": ("1.5", "1.6")}, r"unknown OCPP version 1\.5: use 1\.6, 2\.0\.1, 2\.1"),
        ({"versions": ()}, "at least one OCPP version"),
        ({"stations": 0}, "at least one station, not 0"),
        ({"url": "http://127.0.0.1/ocpp"}, "must begin with ws:// or wss://"),
        ({"url": "ws:///ocpp"}, "names no host"),
        ({"url": "ws://host:port/ocpp"}, "cannot be read"),
        ({"url": "ws://me:secret@host/ocpp"}, "an option of its own"),
        ({"duration_s": 0}, "more than 0 s"),
        ({"connect_s": -1}, "must not be negative"),
        ({"tokens": ("T" * 21,)}, "1 to 20 characters"),
        ({"prefix": "A:B"}, "without a colon"),
        ({"prefix": "P" * 50}, "at most 48 characters"),
        ({"habits": Habits(connectors=0)}, "at least one connector"),
        ({"habits": Habits(charge_s=(5, 1))}, "charge_s must be two times"),
        ({"habits": Habits(speed=0)}, "more than 0"),
    ],
)
def test_options_that_cannot_be_met_are_refused_with_a_clear_word(changes, says):
    with pytest.raises(FleetError, match=says):
        replace(OPTIONS, **changes)


def test_too_many_stations_for_the_open_files_are_refused_before_the_start(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    with pytest.raises(FleetError, match=r"5000 stations need 5200 open files .* run at most 3896"):
        FleetOptions(stations=5000)


def test_more_sockets_than_files_says_how_many_processes_would_do(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    with pytest.raises(FleetError, match=r"run at most 3896, or share them out by --processes 3"):
        FleetOptions(stations=10_000)
    with pytest.raises(
        FleetError, match=r"5000 stations in each of 2 processes .* run at most 7792, or .* --processes 3"
    ):
        FleetOptions(stations=10_000, processes=2)
    FleetOptions(stations=10_000, processes=3)


def test_a_process_that_may_open_hardly_a_file_says_so(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    with pytest.raises(FleetError, match="may open 64 files, too few for any station"):
        FleetOptions(stations=1)


def test_wrong_passwords_need_right_ones():
    mix = mix_of({"behaviours": {"wrong_password": 1, "good": 1}})
    with pytest.raises(FleetError, match="give the right --password"):
        FleetOptions(mix=mix)
    FleetOptions(mix=mix, password="s3cret-s3cret-s3")


def test_a_long_token_is_fine_without_16():
    FleetOptions(versions=("2.1",), tokens=("T" * 200,))


async def test_a_run_ends_with_its_duration_and_true_numbers():
    async with Csms() as csms:
        shown = []
        result = await live(replace(OPTIONS, url=csms.url, duration_s=0.6), lambda fleet: shown.append(fleet.seconds))
        heard = [action for action, _, _ in csms.heard]
    assert shown
    assert result.stations == result.connected == 6
    assert result.actions["BootNotification"] == 6
    assert result.messages == sum(result.actions.values()) <= len(heard)
    assert result.transactions > 0
    assert result.energy_wh > 0
    assert 0 < result.p50_ms <= result.p99_ms
    assert result.failures == {}
    assert {socket.subprotocol for socket in csms.sockets} == {"ocpp1.6", "ocpp2.0.1", "ocpp2.1"}
    assert csms.requests[0].path.endswith("/DEMO-0001")
    assert {socket.close_code for socket in csms.sockets} == {CloseCode.GOING_AWAY}


async def test_a_cancelled_fleet_leaves_no_task_and_keeps_its_result():
    async with Csms() as csms:
        fleet = Fleet(replace(OPTIONS, url=csms.url))
        async with running(fleet.run()):
            await csms.until(lambda: csms.all_of("StopTransaction"))
        theirs = ("Station.", "Link.", "Outbox.", "Fleet.")
        assert [task for task in asyncio.all_tasks() if task.get_coro().__qualname__.startswith(theirs)] == []
        assert fleet.result().connected == 6
        assert fleet.statistics.charging == 0


async def test_a_fleet_that_reaches_nobody_says_where_and_why_and_stops():
    options = replace(OPTIONS, url="ws://127.0.0.1:9/ocpp", connect_s_max=0.2)
    with pytest.raises(
        FleetError, match=r"not one of 6 stations could connect to ws://127\.0\.0\.1:9/ocpp .*ConnectionRefused"
    ):
        await live(options)


async def test_a_fault_in_one_station_ends_the_run_and_is_told():
    async with Csms() as csms:
        fleet = Fleet(replace(OPTIONS, url=csms.url))

        async def broken():
            raise RuntimeError("a fault of ours")

        fleet.stations[3].run = broken
        with pytest.raises(RuntimeError, match="a fault of ours"):
            await fleet.run()


def test_run_fleet_tells_its_error():
    with pytest.raises(FleetError, match="connect"):
        run_fleet(replace(OPTIONS, url="ws://127.0.0.1:9/ocpp", connect_s_max=0.1))


async def test_the_table_shows_connectors_and_totals():
    async with Csms() as csms:
        fleet = Fleet(replace(OPTIONS, stations=ROWS_MAX + 5, url=csms.url, habits=replace(HABITS, charge_s=(99, 99))))
        async with running(fleet.run()):
            await csms.until(lambda: csms.all_of("MeterValues"))
            console = Console(file=io.StringIO(), width=160)
            console.print(table_of(fleet))
            text = console.file.getvalue()
    assert "DEMO-0001" in text
    assert "and 5 more" in text
    assert f"/{ROWS_MAX + 5} connected" in text


def test_the_same_seed_gives_the_same_fleet_and_another_does_not():
    def registers(seed):
        return [each.connectors[0].register_wh for each in Fleet(replace(OPTIONS, seed=seed)).stations]

    assert registers(5) == registers(5) != registers(6)
