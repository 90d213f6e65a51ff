"""The supervisor watches whoever there is, and forgets who left."""

import asyncio

import pytest

from deploy import supervisor as supervisor_module
from deploy.supervisor import Supervisor
from engine.ports import ActorUnavailable
from tests.running import eventually


class Actor:
    def __init__(self, pid):
        self.number = pid
        self.away = False

    async def look(self):
        if self.away:
            raise ActorUnavailable("restarting")
        return self.number, {"number": self.number}


@pytest.fixture
def actors():
    return {"a": Actor(1)}


@pytest.fixture
async def supervisor(actors, monkeypatch):
    monkeypatch.setattr(supervisor_module, "INTERVAL_S", 0.01)
    made = Supervisor(actors)
    watching = asyncio.create_task(made.watch())
    yield made
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_who_joins_is_watched_and_who_leaves_is_forgotten(supervisor, actors):
    actors["b"] = Actor(2)
    await eventually(lambda: supervisor.pids == {"a": 1, "b": 2}, 5)
    del actors["a"]
    await eventually(lambda: supervisor.pids == {"b": 2} and supervisor.healths == {"b": {"number": 2}}, 5)


async def test_another_of_the_same_name_is_watched_too(supervisor, actors):
    await eventually(lambda: supervisor.pids == {"a": 1}, 5)
    del actors["a"]
    await eventually(lambda: supervisor.pids == {}, 5)
    actors["a"] = Actor(3)
    await eventually(lambda: supervisor.pids == {"a": 3}, 5)


async def test_one_that_does_not_answer_has_no_health_until_it_does(supervisor, actors):
    await eventually(lambda: "a" in supervisor.healths, 5)
    actors["a"].away = True
    await eventually(lambda: supervisor.healths == {}, 5)
    assert supervisor.pids == {"a": 1}, "as far as is known"
    actors["a"].away, actors["a"].number = False, 7
    await eventually(lambda: supervisor.pids == {"a": 7} and "a" in supervisor.healths, 5)
