"""The killer: real processes die, and the time until another one is there is measured."""

import itertools
import subprocess
import sys
from threading import Lock
from time import monotonic

import psutil
import pytest

from loadtests.audit import killer as killer_module
from loadtests.audit.killer import Killer
from loadtests.audit.options import AuditError
from loadtests.audit.plan import Strike, Victim

SLEEPS = "import sys; print(1, flush=True); sys.stdin.read()"


class House:
    """Processes by name; whoever dies comes back with another pid when it is looked for, unless it is in `lost`."""

    def __init__(self):
        self.children = {}
        self.lost = set()
        self.looks = itertools.count()
        self._turn = Lock()

    def add(self, name):
        child = subprocess.Popen([sys.executable, "-c", SLEEPS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
        self.children[name] = child
        return child.pid

    @property
    def living(self):
        with self._turn:  # several are waited for at once, by threads
            for name, child in [*self.children.items()]:
                if child.poll() is not None and name not in self.lost:
                    self._end(child)
                    self.add(name)
            return {name: child.pid for name, child in self.children.items() if child.poll() is None}

    @property
    def processes(self):
        return {name: child.pid for name, child in self.children.items()}

    def is_ready(self):
        return next(self.looks) > 0

    def close(self):
        for child in self.children.values():
            child.kill()
            self._end(child)

    @staticmethod
    def _end(child):
        child.wait(10)
        child.stdin.close()
        child.stdout.close()


@pytest.fixture
def house():
    house = House()
    yield house
    house.close()


def strike(*victims):
    return Strike(0.0, tuple(Victim(kind, draw) for kind, draw in victims))


async def test_a_part_dies_and_its_way_back_is_timed(house):
    pid = house.add("redis")
    killer = Killer(house, None, 30, monotonic())
    await killer.carry_out([strike(("redis", 0))])
    [kill] = killer.kills
    assert (kill.name, kill.pid, kill.problem) == ("redis", pid, None)
    assert kill.back_s > 0
    assert not psutil.pid_exists(pid)
    assert killer.away == []


async def test_the_draw_chooses_among_those_of_a_kind(house):
    pids = [house.add(f"ingress-{number}") for number in range(3)]
    house.add("stations-0")
    killer = Killer(house, None, 30, monotonic())
    await killer.carry_out([strike(("ingress", 4), ("stations", 7))])
    assert {kill.name: kill.pid for kill in killer.kills} == {
        "ingress-1": pids[1],
        "stations-0": killer.kills[1].pid,
    }


async def test_a_part_that_does_not_come_back_is_a_problem_and_the_others_go_on(house):
    house.add("redis")
    house.add("postgres")
    house.lost.add("redis")
    killer = Killer(house, None, 0.5, monotonic())
    await killer.carry_out([strike(("redis", 0), ("postgres", 0))])
    redis, postgres = sorted(killer.kills, key=lambda kill: kill.name, reverse=True)
    assert redis.problem == "redis was not back within 0.5 s"
    assert postgres.back_s is not None


async def test_who_is_not_there_cannot_be_killed(house, monkeypatch):
    monkeypatch.setattr(killer_module, "THERE_S_MAX", 0.1)
    killer = Killer(house, None, 30, monotonic())
    await killer.carry_out([strike(("directory", 0))])
    [kill] = killer.kills
    assert (kill.pid, kill.back_s, kill.problem) == (0, None, None)


class Nodes:
    """Two nodes; the second can be killed."""

    def __init__(self, house):
        self.house, self.revived = house, []

    def kill(self, draw):
        del draw
        self.house.lost.add("stations-1")
        self.house.children["stations-1"].kill()
        self.house.children["stations-1"].wait()
        return 1, 4711

    def revive(self, number):
        self.revived.append(number)
        if len(self.revived) == 1:
            raise AuditError("a busy machine")
        self.house.lost.clear()

    def workers(self, number):
        return frozenset([self.house.children[f"stations-{number}"].pid])


async def test_a_node_dies_is_made_anew_and_back_when_it_has_actors_again(house, monkeypatch):
    monkeypatch.setattr(killer_module, "NODE_AWAY_S", 0.0)
    house.add("stations-0")
    house.add("stations-1")
    nodes = Nodes(house)
    killer = Killer(house, nodes, 30, monotonic())
    await killer.carry_out([strike(("node", 3))])
    [kill] = killer.kills
    assert (kill.name, kill.pid, kill.problem) == ("node-1", 4711, None)
    assert kill.back_s is not None
    assert nodes.revived == [1, 1], "it was tried again"
