"""The directory places units on those that live, in epochs that only grow."""

import asyncio
import itertools

import pytest

from actors import directory as directory_module
from actors.directory import Directory
from engine.model.ids import Unit
from engine.ports import ActorUnavailable

UNITS = tuple(Unit(shard) for shard in range(32))


class Epochs:
    def __init__(self):
        self._epochs = itertools.count(1)

    async def next_epoch(self):
        return next(self._epochs)


class Process:
    """An actor as the directory sees it: it has a process id, or does not answer."""

    def __init__(self, pid):
        self.number = pid
        self.dead = False

    async def pid(self):
        if self.dead:
            raise ActorUnavailable("dead")
        return self.number


@pytest.fixture
def processes():
    return {"a": Process(1), "b": Process(2)}


@pytest.fixture
async def directory(processes, monkeypatch):
    monkeypatch.setattr(directory_module, "REVIVE_INTERVAL_S", 0.01)
    made = Directory(Epochs(), processes, UNITS, spawn_station=lambda _: None, literal_stations_max=0)
    await made.start()
    yield made
    made._reviver.cancel()


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
    back = await directory.changed_since(moved.version)
    assert {name: p.actor for name, p in back.placements.items()} == {n: p.actor for n, p in before.placements.items()}


async def test_a_restarted_actor_gets_all_its_units_anew(directory, processes):
    before = await directory.locate(UNITS[0])
    suspect = a_unit_of("a", before)
    processes["a"].number = 7
    after = await directory.locate(suspect.unit, suspect=suspect)
    theirs = [name for name, placement in before.placements.items() if placement.actor == "a"]
    assert all(after.placements[name].epoch > before.placements[name].epoch for name in theirs)


async def test_when_nobody_lives_that_is_said(directory, processes):
    suspect = a_unit_of("a", await directory.locate(UNITS[0]))
    processes["a"].dead = processes["b"].dead = True
    moved = await directory.locate(suspect.unit, suspect=suspect)
    with pytest.raises(ActorUnavailable, match="no station actor lives"):
        await directory.locate(suspect.unit, suspect=moved.placements[suspect.unit.name])


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
        literal._reviver.cancel()
