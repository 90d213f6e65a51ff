"""Actors come to nodes that join, leave nodes that are drained, and are given up with nodes that die."""

import asyncio

import pytest

from actors.runtime import NameTaken, Spawn
from deploy import crew as crew_module
from deploy.crew import Crew
from tests.running import eventually


class Ray:
    """Actors by name, and on which node each was put."""

    def __init__(self, monkeypatch):
        self.on = {}
        self.taken = set()
        self.killed = []
        monkeypatch.setattr(crew_module.runtime, "spawn", self.spawn)

    def spawn(self, spec):
        assert spec.pinned
        if spec.name in self.on or spec.name in self.taken:
            raise NameTaken(spec.name)
        self.on[spec.name] = spec.node_id
        return Ref(spec.name, self)


class Ref:
    def __init__(self, name, ray):
        self.name = name
        self._ray = ray

    def kill(self):
        self._ray.on.pop(self.name)
        self._ray.killed.append(self.name)


class Town:
    """A crew, and the world around it."""

    def __init__(self, ray):
        self.ray = ray
        self.refs = {}
        self.slow = asyncio.Event()
        self.slow.set()
        self.broken = set()
        self.may_leave = True
        self.crew = Crew("x-", self.spec, self.refs, self.wait_until_up, self.farewell)

    def spec(self, name):
        return Spawn(name, Town, ())

    async def wait_until_up(self, name):
        await self.slow.wait()
        if self.ray.on[name] in self.broken:
            raise OSError("no such module there")

    async def farewell(self, _name):
        return self.may_leave

    async def keep(self, shares, *more_living):
        await self.crew.keep(frozenset(shares) | {*more_living}, shares)
        await asyncio.sleep(0)

    async def kept(self, shares, *more_living):
        """Rounds until all is as it should be."""
        async with asyncio.timeout(5):
            while self.counts() != {node: share for node, share in shares.items() if share}:
                await self.keep(shares, *more_living)
        await eventually(lambda: set(self.crew.staying) == set(self.ray.on), 5)

    def counts(self):
        nodes = [*self.ray.on.values()]
        return {node: nodes.count(node) for node in nodes}


@pytest.fixture
async def town(monkeypatch):
    town = Town(Ray(monkeypatch))
    yield town
    await town.crew.close()


@pytest.fixture
async def begun(town):
    town.crew.begin({"a": 2, "b": 1})
    await town.crew.arrive()
    return town


async def test_the_first_ones_are_put_on_the_nodes_by_turns(begun):
    assert begun.ray.on == {"x-0": "a", "x-1": "b", "x-2": "a"}
    assert begun.crew.staying == ("x-0", "x-1", "x-2")
    assert begun.refs.keys() == begun.ray.on.keys()


async def test_what_keeps_one_of_the_first_from_starting_is_told(town):
    town.broken.add("b")
    town.crew.begin({"a": 1, "b": 1})
    with pytest.raises(OSError, match="no such module"):
        await town.crew.arrive()


async def test_nothing_happens_where_all_is_as_it_should_be(begun):
    before = dict(begun.ray.on)
    for _ in range(3):
        await begun.keep({"a": 2, "b": 1})
    assert (begun.ray.on, begun.ray.killed) == (before, [])


async def test_actors_come_to_a_node_that_joins(begun):
    await begun.kept({"a": 2, "b": 1, "c": 2})
    assert begun.ray.killed == []


async def test_who_comes_does_not_count_before_it_is_up(begun):
    begun.slow.clear()
    await begun.keep({"a": 2, "b": 1, "c": 1})
    assert begun.ray.on["x-3"] == "c"
    assert "x-3" in begun.crew.names
    assert "x-3" not in begun.crew.staying
    begun.slow.set()
    await eventually(lambda: "x-3" in begun.crew.staying)


async def test_those_of_a_node_that_died_are_given_up_at_once(begun):
    await begun.keep({"a": 2})
    assert begun.ray.killed == ["x-1"]
    assert begun.refs.keys() == {"x-0", "x-2"}


async def test_a_name_that_is_free_again_is_used_again(begun):
    await begun.keep({"a": 2})
    await begun.kept({"a": 2, "d": 1})
    assert begun.ray.on["x-1"] == "d"


async def test_a_name_that_is_not_free_yet_is_waited_for(begun):
    begun.ray.taken.add("x-3")
    await begun.keep({"a": 2, "b": 2})
    assert begun.counts() == {"a": 2, "b": 1}
    begun.ray.taken.clear()
    await begun.kept({"a": 2, "b": 2})


async def test_a_node_that_is_drained_keeps_who_has_not_said_good_bye(begun):
    begun.may_leave = False
    for _ in range(3):
        await begun.keep({"a": 2}, "b")
    assert begun.crew.staying == ("x-0", "x-2")
    assert begun.ray.killed == []
    begun.may_leave = True
    await begun.keep({"a": 2}, "b")
    assert begun.ray.killed == ["x-1"]


async def test_nobody_leaves_before_those_who_come_are_there(begun):
    begun.slow.clear()
    for _ in range(3):
        await begun.keep({"a": 2, "c": 1}, "b")
    assert begun.ray.killed == []
    begun.slow.set()
    await begun.kept({"a": 2, "c": 1}, "b")


async def test_the_youngest_of_a_node_leave_first(begun):
    await begun.kept({"a": 1, "b": 1})
    assert begun.ray.killed == ["x-2"]


async def test_a_node_where_nothing_starts_is_left_alone_for_a_while(begun, monkeypatch):
    monkeypatch.setattr(crew_module, "RETRY_S", 0.2)
    begun.broken.add("c")
    await begun.keep({"a": 2, "b": 1, "c": 1})
    await eventually(lambda: begun.ray.killed == ["x-3"])
    await begun.keep({"a": 2, "b": 1, "c": 1})
    assert "c" not in begun.counts()
    begun.broken.clear()
    await begun.kept({"a": 2, "b": 1, "c": 1})


async def test_who_does_not_come_in_time_is_given_up(begun, monkeypatch):
    monkeypatch.setattr(crew_module, "COME_S_MAX", 0.01)
    begun.slow.clear()
    await begun.keep({"a": 2, "b": 1, "c": 1})
    await eventually(lambda: begun.ray.killed == ["x-3"])
    assert begun.refs.keys() == {"x-0", "x-1", "x-2"}


async def test_a_node_that_dies_while_its_actor_comes_is_given_up_too(begun):
    begun.slow.clear()
    await begun.keep({"a": 2, "b": 1, "c": 1})
    await begun.keep({"a": 2, "b": 1})
    assert begun.ray.killed == ["x-3"]
    begun.slow.set()
    await begun.kept({"a": 2, "b": 1})
