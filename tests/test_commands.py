"""Commands end to end: one at a time, waiting for stations, taken back; a campaign whose runner is killed."""

import asyncio
import contextlib
import json
from collections import Counter

import pytest

from tests.running import Narke, eventually
from tests.stations import cli, open_socket

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

STATIONS = 40
BOOT = {"chargePointVendor": "Tests", "chargePointModel": "Commanded"}


@pytest.fixture(scope="module")
def narke(tmp_path_factory):
    narke = Narke(tmp_path_factory.mktemp("narke"))
    narke.start()
    yield narke
    narke.stop()


class Obedient:
    """A 1.6 station that boots, comes back when it is thrown out, and answers what it is asked."""

    def __init__(self, narke, identity):
        self.narke = narke
        self.identity = identity
        self.asked = []
        self.booted = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._task = asyncio.create_task(self._live())

    async def _live(self):
        while True:
            with contextlib.suppress(OSError, EOFError, Exception):
                async with open_socket(self.narke, self.identity, "ocpp1.6") as socket:
                    await socket.send(json.dumps([2, "boot", "BootNotification", BOOT]))
                    async for text in socket:
                        await self._hear(socket, json.loads(text))
            await asyncio.sleep(0.2)

    async def _hear(self, socket, frame):
        if frame[0] == 3:
            self.booted.set()
        elif frame[0] == 2:
            self.asked.append((frame[1], frame[2]))
            await self.may_answer.wait()
            await socket.send(json.dumps([3, frame[1], {"status": "Accepted"}]))

    async def end(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def taken(done):
    return json.loads(done.stdout)["command_id"]


async def test_a_station_gets_one_command_at_a_time_and_what_waits_can_be_taken_back(narke):
    station = Obedient(narke, "QUEUE")
    await station.booted.wait()
    station.may_answer.clear()
    send = ("send", "QUEUE", "clear_cache", "--no-wait", "--json")
    first, second, third = [taken(await cli(narke, *send)) for _ in range(3)]
    await eventually(lambda: len(station.asked) == 1)
    await asyncio.to_thread(narke.wait_for_rows, "SELECT 1 FROM commands WHERE command_id = %s", third)
    await cli(narke, "command", "cancel", second)
    refused = await cli(narke, "command", "cancel", first, check=False)
    assert refused.returncode == 4
    assert "with the station already" in refused.stderr
    assert len(station.asked) == 1
    station.may_answer.set()
    rows = await asyncio.to_thread(
        narke.wait_for_rows,
        "SELECT command_id, result, sent_at FROM commands WHERE station = 'QUEUE' AND settled_at IS NOT NULL",
        count=3,
    )
    results = {row["command_id"]: row["result"] for row in rows}
    assert results == {first: "accepted", second: "cancelled", third: "accepted"}
    assert next(row["sent_at"] for row in rows if row["command_id"] == second) is None
    assert len(station.asked) == 2
    await station.end()


async def test_a_command_waits_for_a_station_that_is_away_whatever_is_killed(narke):
    station = Obedient(narke, "AWAY")
    await station.booted.wait()
    await station.end()
    await asyncio.to_thread(
        narke.wait_for_rows, "SELECT 1 FROM stations WHERE station = 'AWAY' AND NOT connected", seconds=60
    )
    offline = await cli(narke, "send", "AWAY", "clear_cache", check=False)
    assert offline.returncode == 4
    waiting = taken(
        await cli(narke, "send", "AWAY", "clear_cache", "--no-wait", "--wait-for-station", "--deadline", 600, "--json")
    )
    pids = {name: narke.kill(name) for name in ("stations-0", "stations-1")}
    for name, pid in pids.items():
        await asyncio.to_thread(narke.wait_until_back, name, pid)
    back = Obedient(narke, "AWAY")
    [row] = await asyncio.to_thread(
        narke.wait_for_rows,
        "SELECT result FROM commands WHERE command_id = %s AND settled_at IS NOT NULL",
        waiting,
        seconds=60,
    )
    assert row["result"] == "accepted"
    assert len(back.asked) == 1
    await back.end()


async def test_a_campaign_reaches_every_station_once_though_its_runner_is_killed(narke):
    stations = [Obedient(narke, f"BULK-{number:02d}") for number in range(STATIONS)]
    await asyncio.gather(*(station.booted.wait() for station in stations))
    await asyncio.to_thread(
        narke.wait_for_rows, "SELECT 1 FROM stations WHERE station LIKE 'BULK-%%' AND connected", count=STATIONS
    )
    started = await cli(narke, "campaign", "start", "clear_cache", "--search", "BULK-", "--rate", 8, "--json")
    campaign = json.loads(started.stdout)
    assert campaign["stations"] == STATIONS
    await eventually(lambda: sum(len(station.asked) for station in stations) >= 5, 60)
    pid = narke.kill("campaigns")
    await asyncio.to_thread(narke.wait_until_back, "campaigns", pid)
    query = "SELECT state FROM campaigns WHERE campaign_id = %s AND state = 'done'"
    await asyncio.to_thread(narke.wait_for_rows, query, campaign["campaign_id"], seconds=90)
    assert Counter(len(station.asked) for station in stations) == {1: STATIONS}
    shown = await cli(narke, "campaign", "show", campaign["campaign_id"], "--json")
    assert json.loads(shown.stdout)["progress"] == {
        "recorded": STATIONS,
        "sent": STATIONS,
        "settled": {"accepted": STATIONS},
    }
    await asyncio.gather(*(station.end() for station in stations))
