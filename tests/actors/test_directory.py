"""The directory places units on those that live, in epochs that only grow."""

import asyncio
import itertools

import pytest

from actors import directory as directory_module
from actors.directory import Directory
from actors.placement import owner
from engine.model.ids import Unit
from engine.ports import ActorGone, ActorUnavailable, JournalUnavailable
from tests.running import eventually

UNITS = tuple(Unit(shard) for shard in range(32))


class Epochs:
    def __init__(self, first=1):
        self._epochs = itertools.count(first)
        self.failures = 0

    async def next_epoch(self):
        if self.failures:
            self.failures -= 1
            raise JournalUnavailable("Redis is away")
        return next(self._epochs)


class Process:
    """An actor as the directory sees it: it has a process id, or does not answer; and it is told what it lost."""

    def __init__(self, pid):
        self.number = pid
        self.dead = self.gone = False
        self.released = []

    async def pid(self):
        if self.gone:
            raise ActorGone("ended")
        if self.dead:
            raise ActorUnavailable("dead")
        return self.number

    async def call(self, method, placements):
        assert method == "release"
        if self.dead:
            raise ActorUnavailable("dead")
        self.released += placements


class Ray:
    """Every actor by its name."""

    def __init__(self, **processes):
        self.processes = processes

    def find(self, name):
        if name not in self.processes:
            raise ActorGone(name)
        return self.processes[name]


@pytest.fixture
def processes():
    return {"a": Process(1), "b": Process(2)}


@pytest.fixture
def ray(processes):
    return Ray(**processes)


@pytest.fixture
async def directory(processes, ray, monkeypatch):
    monkeypatch.setattr(directory_module, "REVIVE_INTERVAL_S", 0.01)
    monkeypatch.setattr(directory_module, "MOVE_PAUSE_S", 0.0)
    made = Directory(Epochs(), dict(processes), UNITS, lambda _: None, literal_stations_max=0, find=ray.find)
    await made.start()
    yield made
    made._keeper.cancel()


def owners(table):
    return {name: placement.actor for name, placement in table.placements.items()}


async def settled(directory, *actors):
    """The table once every unit is with who should have it, and the tables on the way there."""
    wanted = {unit.name: owner(unit.name, actors) for unit in UNITS}
    table = await directory.locate(UNITS[0])
    tables = [table]
    while owners(table) != wanted:
        table = await directory.changed_since(table.version)
        tables.append(table)
    return tables


def a_unit_of(actor, table):
    return next(placement for placement in table.placements.values() if placement.actor == actor)


async def test_all_units_are_placed_at_the_start(directory):
    table = await directory.locate(UNITS[0])
    assert {placement.actor for placement in table.placements.values()} == {"a", "b"}
    assert len(table.placements) == len(UNITS)


async def test_the_units_of_a_dead_actor_go_to_the_survivors_in_a_higher_epoch(directory, processes):
    lost = a_unit_of("b", await directory.locate(UNITS[0]))
    processes["b"].dead = True
    table = await directory.locate(lost.unit, suspect=lost)
    assert {placement.actor for placement in table.placements.values()} == {"a"}
    assert table.placements[lost.unit.name].epoch > lost.epoch


async def test_a_suspect_that_lives_keeps_its_unit_in_a_higher_epoch(directory):
    suspect = a_unit_of("a", await directory.locate(UNITS[0]))
    other = next(p for p in (await directory.locate(UNITS[0])).placements.values() if p != suspect and p.actor == "a")
    table = await directory.locate(suspect.unit, suspect=suspect)
    assert table.placements[suspect.unit.name].actor == "a"
    assert table.placements[suspect.unit.name].epoch > suspect.epoch
    assert table.placements[other.unit.name] == other


async def test_a_suspicion_that_is_out_of_date_changes_nothing(directory, processes):
    suspect = a_unit_of("b", await directory.locate(UNITS[0]))
    processes["b"].dead = True
    moved = await directory.locate(suspect.unit, suspect=suspect)
    again = await directory.locate(suspect.unit, suspect=suspect)
    assert again.placements == moved.placements


async def test_an_actor_that_comes_back_gets_its_units_back(directory, processes):
    before = await directory.locate(UNITS[0])
    suspect = a_unit_of("b", before)
    processes["b"].dead = True
    moved = await directory.locate(suspect.unit, suspect=suspect)
    processes["b"].dead, processes["b"].number = False, 3
    *_, back = await settled(directory, "a", "b")
    assert owners(back) == owners(before)
    assert all(
        back.placements[name].epoch > moved.placements[name].epoch for name, who in owners(back).items() if who == "b"
    )


async def test_a_restarted_actor_gets_all_its_units_anew(directory, processes):
    before = await directory.locate(UNITS[0])
    suspect = a_unit_of("a", before)
    processes["a"].number = 7
    after = await directory.locate(suspect.unit, suspect=suspect)
    theirs = [name for name, placement in before.placements.items() if placement.actor == "a"]
    assert all(after.placements[name].epoch > before.placements[name].epoch for name in theirs)


async def test_when_nobody_lives_that_is_said_until_somebody_does(directory, processes):
    suspect = a_unit_of("a", await directory.locate(UNITS[0]))
    processes["a"].dead = processes["b"].dead = True
    for _ in range(2):
        with pytest.raises(ActorUnavailable, match="no station actor lives"):
            await directory.locate(suspect.unit, suspect=suspect)
    processes["b"].dead, processes["b"].number = False, 3
    *_, table = await settled(directory, "b")
    assert all(placement.epoch > suspect.epoch for placement in table.placements.values())


async def test_who_waits_for_a_change_is_told(directory):
    table = await directory.locate(UNITS[0])
    waiting = asyncio.create_task(directory.changed_since(table.version))
    suspect = a_unit_of("a", table)
    await asyncio.sleep(0)
    await directory.locate(suspect.unit, suspect=suspect)
    assert (await waiting).version > table.version


async def test_in_literal_mode_each_station_gets_an_actor_until_the_bound():
    spawned = []

    def spawn(station):
        spawned.append(station)
        return Process(len(spawned))

    literal = Directory(Epochs(), {}, (), spawn, literal_stations_max=2)
    await literal.start()
    try:
        for station in ("CP-1", "CP-2", "CP-1"):
            unit = Unit(5, station)
            assert (await literal.locate(unit)).placements[unit.name].actor == f"station-{station}"
        assert spawned == ["CP-1", "CP-2"]
        with pytest.raises(ActorUnavailable, match="literal_stations_max"):
            await literal.locate(Unit(5, "CP-3"))
    finally:
        literal._keeper.cancel()


async def test_who_joins_takes_its_share_and_no_other_unit_moves(directory, ray):
    before = await directory.locate(UNITS[0])
    ray.processes["c"] = Process(3)
    assert await directory.host(("a", "b", "c")) == frozenset()
    *_, after = await settled(directory, "a", "b", "c")
    moved = {name for name in owners(before) if owners(after)[name] != owners(before)[name]}
    assert moved == {name for name, actor in owners(after).items() if actor == "c"} != set()
    assert {name for name in owners(before) if after.placements[name].epoch > before.placements[name].epoch} == moved


async def test_units_move_to_who_joins_a_few_at_a_time(directory, ray):
    ray.processes["c"] = Process(3)
    await directory.host(("a", "b", "c"))
    tables = await settled(directory, "a", "b", "c")
    for one, next_one in itertools.pairwise(tables):
        moved = [name for name in owners(one) if owners(one)[name] != owners(next_one)[name]]
        assert 0 < len(moved) <= directory_module.MOVE_UNITS


async def test_an_old_owner_is_told_what_went_to_whom(directory, ray, processes):
    before = await directory.locate(UNITS[0])
    ray.processes["c"] = Process(3)
    await directory.host(("a", "b", "c"))
    *_, after = await settled(directory, "a", "b", "c")
    moved = {name for name, actor in owners(after).items() if actor == "c"}
    await eventually(lambda: len(processes["a"].released) + len(processes["b"].released) == len(moved))
    for name in ("a", "b"):
        told = {placement.unit.name: placement for placement in processes[name].released}
        assert told == {each: after.placements[each] for each in moved if owners(before)[each] == name}


async def test_an_old_owner_that_does_not_listen_holds_nobody_up(directory, ray, processes):
    async def refuse(*_):
        raise ActorUnavailable("busy")

    processes["a"].call = processes["b"].call = refuse
    ray.processes["c"] = Process(3)
    await directory.host(("a", "b", "c"))
    assert set(owners((await settled(directory, "a", "b", "c"))[-1]).values()) == {"a", "b", "c"}


async def test_who_is_to_leave_is_kept_until_it_owns_nothing(directory, processes):
    assert await directory.host(("a",)) == {"b"}
    await settled(directory, "a")
    assert await directory.host(("a",)) == frozenset()
    assert {placement.unit.name for placement in processes["b"].released} != set()
    assert (await directory.health())["units_by_actor"] == {"a": len(UNITS)}


async def test_who_is_gone_for_good_is_waited_for_no_more(directory, processes):
    processes["b"].gone = True
    await directory.host(("a",))
    await settled(directory, "a")
    await eventually(lambda: directory._down == set())
    assert (await directory.health())["actors_down"] == []
    assert processes["b"].released == []


async def test_the_units_of_who_is_gone_for_good_move_at_once(directory, processes):
    processes["b"].gone = True
    await directory.host(("a",))
    assert len(await settled(directory, "a")) == 2


async def test_who_was_to_leave_may_stay(directory):
    before = await directory.locate(UNITS[0])
    await directory.host(("a",))
    await directory.host(("a", "b"))
    assert owners((await settled(directory, "a", "b"))[-1]) == owners(before)


async def test_said_again_the_set_changes_nothing(directory):
    before = await directory.locate(UNITS[0])
    assert await directory.host(("b", "a")) == frozenset()
    await asyncio.sleep(0.05)
    assert await directory.locate(UNITS[0]) == before


async def test_a_name_that_ray_does_not_know_is_left_out_until_it_does(directory, ray):
    await directory.host(("a", "b", "c"))
    assert set(owners(await directory.locate(UNITS[0])).values()) == {"a", "b"}
    ray.processes["c"] = Process(3)
    await directory.host(("a", "b", "c"))
    assert set(owners((await settled(directory, "a", "b", "c"))[-1]).values()) == {"a", "b", "c"}


async def test_another_actor_under_the_name_of_an_ended_one_is_found(directory, processes, ray):
    lost = a_unit_of("b", await directory.locate(UNITS[0]))
    processes["b"].gone = True
    moved = await directory.locate(lost.unit, suspect=lost)
    assert set(owners(moved).values()) == {"a"}
    ray.processes["b"] = Process(9)
    assert set(owners((await settled(directory, "a", "b"))[-1]).values()) == {"a", "b"}


async def test_a_node_that_dies_takes_all_its_actors_out_of_the_table_at_once(directory, processes, ray):
    ray.processes["c"] = Process(3)
    await directory.host(("a", "b", "c"))
    *_, table = await settled(directory, "a", "b", "c")
    suspect = a_unit_of("b", table)
    processes["b"].dead = ray.processes["c"].dead = True
    assert set(owners(await directory.locate(suspect.unit, suspect=suspect)).values()) == {"a"}


async def test_a_handoff_goes_on_when_redis_is_back(processes, ray, monkeypatch):
    monkeypatch.setattr(directory_module, "REVIVE_INTERVAL_S", 0.01)
    epochs = Epochs()
    made = Directory(epochs, dict(processes), UNITS, lambda _: None, literal_stations_max=0, find=ray.find)
    await made.start()
    try:
        epochs.failures = 3
        ray.processes["c"] = Process(3)
        await made.host(("a", "b", "c"))
        await settled(made, "a", "b", "c")
    finally:
        made._keeper.cancel()


async def test_the_table_of_a_directory_that_came_after_is_taken_for_another(directory, processes, ray):
    """Also when both have placed equally often."""
    table = await directory.locate(UNITS[0])
    next_one = Directory(Epochs(2), dict(processes), UNITS, lambda _: None, literal_stations_max=0, find=ray.find)
    await next_one.start()
    try:
        assert (await next_one.changed_since(table.version)).version > table.version
    finally:
        next_one._keeper.cancel()
