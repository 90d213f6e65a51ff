"""Actors on a real Ray: calls, errors, and life after kill -9."""

import asyncio
import contextlib
import os
import secrets
import signal

import pytest

from actors import runtime
from actors.runtime import Spawn
from engine.ports import ActorGone, ActorUnavailable, Fenced

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("ray_running")]


class Counter:
    def __init__(self, first):
        self.count = first
        self.started = False

    async def start(self):
        self.started = True

    async def add(self, more):
        self.count += more
        return self.count, self.started

    async def fence(self):
        raise Fenced("epoch 3 is older than 4")


def counter(first=0):
    name = f"counter-{secrets.token_hex(8)}"
    return runtime.spawn(Spawn(name=name, factory=Counter, arguments=(first,)))


async def test_the_object_is_started_before_its_first_call():
    assert await counter(5).call("add", 2) == (7, True)


async def test_what_a_method_raises_arrives_as_what_it_is():
    with pytest.raises(Fenced, match="epoch 3"):
        await counter().call("fence")


async def test_an_actor_is_found_by_its_name():
    ref = counter(1)
    await ref.call("add", 1)
    assert await runtime.find(ref.name).call("add", 1) == (3, True)


async def test_an_unknown_name_is_gone():
    with pytest.raises(ActorGone, match="nobody"):
        runtime.find("nobody")


async def test_an_ended_actor_is_gone():
    ref = counter()
    await ref.call("add", 1)
    ref.kill()
    with pytest.raises(ActorGone):
        await ref.call("add", 1)
    with pytest.raises(ActorGone):
        await ref.pid()


@pytest.mark.crash
async def test_a_killed_actor_comes_back_and_is_started_again():
    ref = counter(10)
    assert await ref.call("add", 1) == (11, True)
    before = await ref.pid()
    os.kill(before, signal.SIGKILL)
    answer = None
    while answer is None:
        with contextlib.suppress(ActorUnavailable):
            answer = await ref.call("add", 1)
        await asyncio.sleep(0.1)
    assert answer == (11, True)
    assert await ref.pid() != before


async def test_the_node_of_this_machine_is_among_the_nodes_and_stays():
    (node,) = runtime.nodes()
    assert (node.id, node.draining) == (runtime.here(), False)
    assert node.cpus >= 1


def test_a_ray_that_is_slow_to_start_is_started_again(monkeypatch):
    """Ray gives its servers 30 s and no setting for it; a busy machine cannot be arranged, so its answer is."""
    answers = [Exception("The current node timed out during startup."), Exception("timed out during startup"), "up"]

    def init(**_options):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(runtime.ray, "init", init)
    monkeypatch.setattr(runtime.ray, "shutdown", lambda: None)
    assert runtime._started({}) == "up"
    answers[:] = [ValueError("no such option")]
    with pytest.raises(ValueError, match="no such option"):
        runtime._started({})
