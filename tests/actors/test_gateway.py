"""The gateway and the router: a command finds its actor, whatever moves, and never more than once."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from actors import gateway as module
from actors.directory import Table
from actors.gateway import Gateway
from actors.router import Router
from actors.taken import Taken
from engine.model.codec import decode_command_requests, encode
from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.ids import Unit
from engine.model.provisioning import ResetKind, ResetStation
from engine.ports import ActorGone, ActorUnavailable, Fenced, JournalUnavailable, Placement

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ACCEPTED = Outcome(Result.ACCEPTED, "Accepted")
REQUEST = CommandRequest("c1", "CP-1", ResetStation(ResetKind.ON_IDLE), NOW, NOW + timedelta(seconds=5))


class Clock:
    """Every look at it takes a while."""

    def __init__(self):
        self.time = NOW

    def now(self):
        self.time += timedelta(milliseconds=500)
        return self.time


class Book:
    """The directory and the actors behind it, as `ActorBook` reaches them; `answers` are given one by one."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []
        self.version = 0
        self.directory_away = 0

    async def call(self, name, method, *arguments):
        if name == "directory":
            if self.directory_away:
                self.directory_away -= 1
                raise ActorGone("no directory")
            unit, suspect = arguments
            self.version += 1
            actor = "a" if suspect is None else "b"
            return Table(self.version, {unit.name: Placement(unit=unit, actor=actor, epoch=self.version)})
        self.calls.append((name, method, arguments))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0)


def gateway_over(book):
    return Gateway(Router(book, shards=8, literal=False), Clock())


async def test_the_outcome_comes_from_the_owner():
    book = Book(encode(ACCEPTED))
    assert await gateway_over(book).command(REQUEST) == ACCEPTED
    assert [name for name, _, _ in book.calls] == ["a"]


@pytest.mark.parametrize("failure", [Fenced("moved"), ActorGone("dead"), ActorUnavailable("restarting")])
async def test_a_command_follows_its_unit_to_the_new_owner(failure):
    book = Book(failure, encode(ACCEPTED))
    assert await gateway_over(book).command(REQUEST) == ACCEPTED
    (first, _, before), (second, _, after) = book.calls
    assert (first, second) == ("a", "b")
    assert after[0].epoch > before[0].epoch
    assert before[1] == after[1], "the same command id, so that it is not done twice"


async def test_a_journal_that_is_away_is_waited_for_at_the_same_owner():
    book = Book(JournalUnavailable("Redis is away"), encode(ACCEPTED))
    assert await gateway_over(book).command(REQUEST) == ACCEPTED
    assert [name for name, _, _ in book.calls] == ["a", "a"]


async def test_a_directory_that_is_away_is_asked_again():
    book = Book(encode(ACCEPTED))
    book.directory_away = 2
    assert await gateway_over(book).command(REQUEST) == ACCEPTED


async def test_after_the_deadline_it_is_said_that_the_fate_is_unknown():
    book = Book(*[ActorUnavailable("restarting")] * 100)
    with pytest.raises(ActorUnavailable, match="CP-1 was taken is unknown"):
        await gateway_over(book).command(REQUEST)


async def test_a_table_that_is_not_newer_changes_nothing():
    book = Book()
    router = Router(book, shards=8, literal=False)
    unit = router.unit_of("CP-1")
    assert router.placement(unit) is None
    first = await router.locate(unit)
    assert router.placement(unit) == first
    second = await router.locate(unit, suspect=first)
    assert (second.actor, second.epoch) == ("b", 2)


class Fleet:
    """A directory that places every unit, and actors that take commands; `refusals` are answered first."""

    def __init__(self, owners=("a",), refusals=()):
        self.owners = owners
        self.refusals = list(refusals)
        self.taken = []
        self.calls = []
        self.version = 0

    def owner(self, shard):
        return self.owners[shard % len(self.owners)]

    async def call(self, name, method, *arguments):
        if name == "directory":
            self.version += 1
            units = (Unit(shard) for shard in range(8))
            table = {
                unit.name: Placement(unit=unit, actor=self.owner(unit.shard), epoch=self.version) for unit in units
            }
            return Table(self.version, table)
        assert method == "submit_many"
        placements, encoded = arguments
        requests = decode_command_requests(encoded)
        self.calls.append((name, len(requests)))
        assert {placement.actor for placement in placements} == {name}
        answer = self.refusals.pop(0) if self.refusals else Taken.RECORDED
        if isinstance(answer, Exception):
            raise answer
        if answer == Taken.RECORDED:
            self.taken += [(name, request.command_id) for request in requests]
        return bytes([answer] * len(requests))


def requests(count):
    return [msgspec.structs.replace(REQUEST, command_id=f"c{n}", station=f"CP-{n}") for n in range(count)]


async def test_many_commands_are_one_call_to_each_actor():
    fleet = Fleet(owners=("a", "b"))
    assert await gateway_over(fleet).submit_many(requests(100)) == []
    assert sorted(name for name, _ in fleet.calls) == ["a", "b"]
    assert {command for _, command in fleet.taken} == {f"c{n}" for n in range(100)}


async def test_a_call_carries_no_more_than_a_turn_bears(monkeypatch):
    monkeypatch.setattr(module, "MANY_MAX", 30)
    fleet = Fleet()
    assert await gateway_over(fleet).submit_many(requests(100)) == []
    assert [count for _, count in fleet.calls] == [30, 30, 30, 10]


@pytest.mark.parametrize("refusal", [Taken.MOVED, Taken.UNAVAILABLE, ActorGone("dead"), ActorUnavailable("restarts")])
async def test_many_commands_are_tried_again_at_once(refusal):
    fleet = Fleet(refusals=[refusal])
    assert await gateway_over(fleet).submit_many(requests(10)) == []
    assert len(fleet.taken) == 10


async def test_what_nobody_takes_comes_back_and_the_others_are_on_record():
    fleet = Fleet(owners=("a", "b"))
    gateway = gateway_over(fleet)
    fleet_call = fleet.call

    async def call(name, method, *arguments):
        if name == "b":
            raise ActorUnavailable("restarting")
        return await fleet_call(name, method, *arguments)

    fleet.call = call
    left = await gateway.submit_many(requests(100))
    assert {request.command_id for request in left}.isdisjoint(command for _, command in fleet.taken)
    assert len(left) + len(fleet.taken) == 100
    assert left


async def test_without_a_directory_all_comes_back():
    book = Book()
    book.directory_away = 1_000
    assert await gateway_over(book).submit_many(requests(3)) == requests(3)


async def test_nothing_is_one_call_less():
    assert await gateway_over(Fleet()).submit_many([]) == []
