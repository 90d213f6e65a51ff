"""Literal mode, one Ray actor for each station: the same story, and one actor's death is nobody else's business."""

import asyncio
import os
import signal

import psutil
import pytest

from tests.running import Narke
from tests.stations import STEPS, SUBPROTOCOLS, Teller, assert_kept

pytestmark = [pytest.mark.crash, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def narke(tmp_path_factory):
    running = Narke(tmp_path_factory.mktemp("narke"), actors__stations_per_actor=1)
    running.start()
    running.cli("tokens", "add", "DRIVER")
    yield running
    running.stop()


def _actors(narke):
    """Pids of station actors: the processes that Ray calls so."""
    family = psutil.Process(narke.process.pid).children(recursive=True)
    return {process.pid for process in family if "".join(process.cmdline()).startswith("ray::StationActor")}


async def test_each_station_has_an_actor_of_its_own_that_can_die_alone(narke):
    owner_of, tellers = {}, []
    for version in SUBPROTOCOLS:
        teller = Teller(narke, f"LITERAL-{version}", version)
        before = _actors(narke)
        await teller.tell("boot", "authorize", "start", "meter")
        [owner_of[teller.identity]] = _actors(narke) - before
        tellers.append(teller)
    victim, *others = tellers
    os.kill(owner_of[victim.identity], signal.SIGSTOP)
    victim.sent.clear()
    waiting = asyncio.create_task(victim.meter())
    await victim.sent.wait()
    for teller in others:
        await teller.tell("meter", "meter")
    assert not waiting.done()
    os.kill(owner_of[victim.identity], signal.SIGKILL)
    await waiting
    await asyncio.gather(*(teller.tell("meter", "stop") for teller in tellers))
    await asyncio.to_thread(assert_kept, narke, tellers)
    alive = _actors(narke)
    assert {owner_of[teller.identity] for teller in others} <= alive
    assert owner_of[victim.identity] not in alive
    await asyncio.gather(*(teller.close() for teller in tellers))


async def test_a_killed_directory_loses_nothing_and_takes_nobody_along(narke):
    tellers = [Teller(narke, f"FOUND-{version}", version) for version in SUBPROTOCOLS]
    await asyncio.gather(*(teller.tell("boot", "start", "meter") for teller in tellers))
    theirs = _actors(narke)
    pid = narke.kill("directory")
    newcomer = Teller(narke, "NEWCOMER", "1.6")
    await newcomer.tell(*STEPS)
    await asyncio.to_thread(narke.wait_until_back, "directory", pid)
    await asyncio.gather(*(teller.tell("meter", "stop") for teller in tellers))
    await asyncio.to_thread(assert_kept, narke, [*tellers, newcomer])
    assert theirs <= _actors(narke)
    await asyncio.gather(*(teller.close() for teller in (*tellers, newcomer)))
