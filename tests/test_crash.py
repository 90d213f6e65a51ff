"""kill -9 of each part in mid-transaction: all comes back, and PostgreSQL holds what was answered, each exactly once.

One Narke for all; each test has stations of its own. At the moment of a kill

- one station of each version stands in each step of its story: its call is sent, and cannot be answered, because the
  part is stopped (SIGSTOP) until it is killed;
- a crowd sends meter values in closed loop, which hits the part at any moment of its work.
"""

import asyncio
import itertools
import json
import os
import signal

import pytest

from tests.running import eventually
from tests.stations import STEPS, SUBPROTOCOLS, Teller, assert_kept, exchange, open_socket

pytestmark = [pytest.mark.crash, pytest.mark.timeout(240)]

CROWD = 21
BEFORE, AFTER = 5, 5
"""Meter values of each of the crowd that are answered before the kill and after the part is back."""
PACE_S = 0.02
BACK_S = 60
names = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def _driver(narke):
    narke.cli("tokens", "add", "DRIVER")


@pytest.fixture
async def tellers(narke):
    """Makes stations, of the three versions in turn, and sends them home at the end."""
    made = []

    def make(word, count):
        versions = itertools.islice(itertools.cycle(SUBPROTOCOLS), count)
        new = [Teller(narke, f"{word}-{next(names):04}", version) for version in versions]
        made.extend(new)
        return new

    yield make
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:  # of a test that failed half-way
        if task.get_coro().__qualname__.startswith(("Crowd.", "Teller.")):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    await asyncio.gather(*(teller.close() for teller in made))


class Crowd:
    """Stations that send meter values in closed loop."""

    def __init__(self, tellers):
        self.tellers = tellers("CROWD", CROWD)
        self._until = asyncio.Event()
        self._tasks = []

    async def start(self):
        await asyncio.gather(*(teller.tell("boot", "authorize", "start") for teller in self.tellers))
        self._tasks = [asyncio.create_task(self._charge(teller)) for teller in self.tellers]
        await self.gone_on(BEFORE)

    async def gone_on(self, count):
        """Until each had this many more meter values answered."""
        goals = [(teller, len(teller.readings) + count) for teller in self.tellers]
        await eventually(lambda: self._failed() or all(len(each.readings) >= goal for each, goal in goals), 60)

    async def finish(self):
        self._until.set()
        await asyncio.gather(*self._tasks)

    def _failed(self):
        for task in self._tasks:
            if task.done():
                task.result()
        return False

    async def _charge(self, teller):
        while not self._until.is_set():
            await teller.meter()
            await asyncio.sleep(PACE_S)
        await teller.stop()


async def _stories_in_every_step(tellers):
    """Stations of each version before each step; by step."""
    stories = [(step, teller) for step in STEPS for teller in tellers("STEP", len(SUBPROTOCOLS))]
    await asyncio.gather(*(teller.tell(*STEPS[: STEPS.index(step)]) for step, teller in stories))
    for _, teller in stories:
        await teller.connect()
        teller.sent.clear()
    return stories


async def _killed_in_every_step(narke, stories, parts):
    """Kills the parts while each station waits for the answer to its step; each then tells its story to the end."""
    pids = {part: narke.processes[part] for part in parts}
    for pid in pids.values():
        os.kill(pid, signal.SIGSTOP)
    telling = [asyncio.create_task(teller.tell(*STEPS[STEPS.index(step) :])) for step, teller in stories]
    await asyncio.gather(*(teller.sent.wait() for _, teller in stories))
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    return pids, telling


async def _all_back(narke, pids):
    for part, pid in pids.items():
        await asyncio.to_thread(narke.wait_until_back, part, pid)


@pytest.mark.parametrize(
    "parts",
    [
        ("ingress-0",),
        ("stations-0",),
        ("stations-0", "stations-1"),
        ("directory",),
        ("projector",),
        ("http",),
        ("redis",),
        ("postgres",),
        ("ingress-0", "stations-0", "directory", "projector", "http", "redis", "postgres"),
    ],
    ids=lambda parts: "+".join(parts) if len(parts) < 3 else "nearly-all",
)
async def test_a_part_that_is_killed_loses_nothing_and_doubles_nothing(narke, tellers, parts):
    crowd = Crowd(tellers)
    await crowd.start()
    stories = await _stories_in_every_step(tellers)
    pids, telling = await _killed_in_every_step(narke, stories, parts)
    await _all_back(narke, pids)
    await crowd.gone_on(AFTER)
    await crowd.finish()
    await asyncio.gather(*telling)
    await asyncio.to_thread(assert_kept, narke, [*crowd.tellers, *(teller for _, teller in stories)])


async def test_sessions_of_a_killed_ingress_whose_stations_stay_away_end(narke, tellers):
    stays, returns = tellers("AWAY", 2)
    for teller in (stays, returns):
        await teller.tell("boot", "authorize", "start")
    query = "SELECT connected FROM stations WHERE station = %s"
    narke.wait_for_rows(f"{query} AND connected", stays.identity)
    pid = narke.kill("ingress-0")
    await returns.meter()
    await asyncio.to_thread(narke.wait_until_back, "ingress-0", pid)
    [row] = await asyncio.to_thread(
        narke.wait_for_rows,
        "SELECT close_code, disconnected_at FROM stations WHERE station = %s AND NOT connected",
        stays.identity,
    )
    assert row["close_code"] == 1006
    assert narke.sql(query, returns.identity) == [{"connected": True}]
    for teller in (stays, returns):
        await teller.stop()
    await asyncio.to_thread(assert_kept, narke, [stays, returns])


async def test_without_redis_nothing_is_answered_and_the_sockets_stay_open(narke):
    async with open_socket(narke, "PATIENT", "ocpp1.6") as socket:
        assert (await exchange(socket, [2, "1", "Heartbeat", {}]))[0] == 3
        pid = narke.processes["redis"]
        os.kill(pid, signal.SIGSTOP)
        data = {"vendorId": "org.example", "data": "while Redis stands still"}
        await socket.send(json.dumps([2, "2", "DataTransfer", data]))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 3)
        os.kill(pid, signal.SIGKILL)
        assert json.loads(await asyncio.wait_for(socket.recv(), BACK_S)) == [3, "2", {"status": "UnknownVendorId"}]
        await asyncio.to_thread(narke.wait_until_back, "redis", pid)
    [event] = await asyncio.to_thread(
        narke.wait_for_rows,
        "SELECT data FROM station_events WHERE station = 'PATIENT' AND kind = 'data_transfer'",
    )
    assert event["data"]["data"] == "while Redis stands still"
