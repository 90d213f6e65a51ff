"""The way to named actors, also when another has the name of one that is dead."""

import pytest

from actors import router as router_module
from actors.directory import Table
from actors.router import ActorBook, Router
from engine.model.ids import Unit
from engine.ports import ActorGone, ActorUnavailable, Placement

UNIT = Unit(3)


class Named:
    """Actors by name; each answers with its number, and counts what it was asked."""

    def __init__(self, monkeypatch):
        self.living = {}
        self.lookups = 0
        monkeypatch.setattr(router_module.runtime, "find", self._find)

    def start(self, name, answer):
        self.living[name] = Hosted(name, answer)
        return self.living[name]

    def _find(self, name):
        self.lookups += 1
        if name not in self.living:
            raise ActorGone(f"there is no actor {name}")
        return self.living[name]


class Hosted:
    def __init__(self, name, answer):
        self.name = name
        self.answer = answer
        self.failure = None
        self.asked = []

    async def call(self, method, *arguments):
        self.asked.append((method, *arguments))
        if self.failure is not None:
            raise self.failure
        return self.answer


@pytest.fixture
def named(monkeypatch):
    return Named(monkeypatch)


async def test_a_handle_is_looked_up_once(named):
    named.start("a", 1)
    book = ActorBook()
    assert [await book.call("a", "pid") for _ in range(3)] == [1, 1, 1]
    assert named.lookups == 1


async def test_another_actor_under_the_name_of_a_dead_one_answers_at_once(named):
    first = named.start("a", 1)
    book = ActorBook()
    await book.call("a", "pid")
    first.failure = ActorGone("dead")
    named.start("a", 2)
    assert await book.call("a", "deliver", b"batch") == 2
    assert named.living["a"].asked == [("deliver", b"batch")]


async def test_one_that_is_gone_and_has_no_heir_is_gone(named):
    first = named.start("a", 1)
    book = ActorBook()
    await book.call("a", "pid")
    first.failure = ActorGone("dead")
    del named.living["a"]
    with pytest.raises(ActorGone, match="no actor a"):
        await book.call("a", "pid")


async def test_one_that_dies_at_its_first_call_is_asked_once(named):
    named.start("a", 1).failure = ActorGone("dead")
    book = ActorBook()
    with pytest.raises(ActorGone):
        await book.call("a", "pid")
    assert len(named.living["a"].asked) == 1


async def test_one_that_does_not_answer_is_not_asked_again(named):
    actor = named.start("a", 1)
    book = ActorBook()
    await book.call("a", "pid")
    actor.failure = ActorUnavailable("restarting")
    with pytest.raises(ActorUnavailable):
        await book.call("a", "pid")
    assert (len(actor.asked), named.lookups) == (2, 1)


async def test_the_table_of_a_directory_that_began_anew_is_taken(named):
    """Whatever its version: what it says is what there is."""
    directory = named.start("directory", Table(9, {UNIT.name: Placement(unit=UNIT, actor="a", epoch=9)}))
    router = Router(ActorBook(), shards=8, literal=False)
    assert (await router.locate(UNIT)).actor == "a"
    directory.answer = Table(4, {UNIT.name: Placement(unit=UNIT, actor="b", epoch=4)})
    assert (await router.locate(UNIT)).actor == "b"


async def test_a_unit_that_the_directory_does_not_know_is_nobodys(named):
    named.start("directory", Table(0, {}))
    with pytest.raises(ActorUnavailable, match="s3"):
        await Router(ActorBook(), shards=8, literal=False).locate(UNIT)


@pytest.mark.usefixtures("named")
async def test_without_a_directory_it_is_asked_again_later():
    with pytest.raises(ActorUnavailable):
        await Router(ActorBook(), shards=8, literal=False).locate(UNIT)
