"""What each behaviour does on a real connection."""

import asyncio
import contextlib
import json
import random
from dataclasses import fields

import pytest

from loadtests.behaviour import GOOD, Behaviour
from loadtests.behaviours import (
    BAD_FRAMES,
    BEHAVIOURS,
    BadRadio,
    DuplicateSender,
    Flapping,
    HalfOpen,
    IdentityWar,
    Malformed,
    NoJitter,
    OfflineThenFlood,
    Pipelining,
    Silent,
    SlowAnswerer,
    SlowReader,
    WrongPassword,
    WrongSubprotocol,
)
from loadtests.link import Link, Peer, Refused
from loadtests.outbox import Outbox
from loadtests.parameters import changed
from loadtests.station import Habits
from loadtests.statistics import Statistics
from tests.loadtests.rough import Rough
from tests.loadtests.scripted import running
from tests.loadtests.test_link import QUICK


def link_to(csms, behaviour, password=None, handler=lambda *_: {"status": "Accepted"}):
    return Link(
        Peer(csms.url, "ST", password),
        "ocpp1.6",
        handler,
        random.Random(1),
        Statistics(),
        QUICK,
        behaviour=behaviour,
    )


@contextlib.asynccontextmanager
async def behaving(behaviour, **csms_options):
    async with Rough(**csms_options) as csms:
        link = link_to(csms, behaviour)
        async with running(link.run()):
            yield csms, link


def events(link):
    return link._statistics.events


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_says_what_it_is_and_changes_habits_that_there_are(name):
    behaviour = BEHAVIOURS[name]()
    assert len(type(behaviour).__doc__) > 20
    assert set(behaviour.habits()) <= {field.name for field in fields(Habits)}
    changed(Habits(), behaviour.habits())


async def test_the_good_one_says_everything_once_and_answers_at_once():
    async with behaving(GOOD) as (csms, link):
        await link.up()
        await link.ask("Heartbeat", {})
        await csms.until(lambda: csms.sockets)
        command = await csms.command("ClearCache", {})
        await csms.until(lambda: command in csms.replies)
        assert len(csms.calls("Heartbeat")) == 1


async def test_flapping_loses_its_connection_without_goodbye_and_comes_back():
    async with behaving(Flapping(period_s=0.1, duty=0.5)) as (csms, link):
        await csms.until(lambda: len(csms.closed) >= 2)
        assert {code for _, code in csms.closed} == {1006}
        await link.up()


async def test_offline_then_flood_tells_what_it_queued_in_order():
    async with Rough() as csms:
        link = link_to(csms, OfflineThenFlood(online_s=0.05, offline_s=0.2))
        outbox = Outbox(link, link._statistics, keeps_ids=True)
        async with running(link.run()), running(outbox.run()):
            outbox.open()
            await csms.until(lambda: csms.closed)
            for number in range(20):
                outbox.tell(lambda number=number: ("Authorize", {"idTag": str(number)}))
            assert csms.calls("Authorize") == []
            await csms.until(lambda: len(csms.calls("Authorize")) == 20)
        assert [payload["idTag"] for _, payload in csms.calls("Authorize")] == [str(number) for number in range(20)]


async def test_the_silent_one_answers_no_command_and_speaks_itself():
    async with behaving(Silent()) as (csms, link):
        await link.up()
        await csms.until(lambda: csms.sockets)
        await csms.command("ClearCache", {})
        await link.ask("Heartbeat", {})
        await link.ask("Heartbeat", {})
        assert csms.replies == {}
        assert events(link)["commands ClearCache"] == 1


async def test_the_slow_answerer_answers_late():
    async with behaving(SlowAnswerer(delay_s=0.1)) as (csms, link):
        await link.up()
        await csms.until(lambda: csms.sockets)
        began = asyncio.get_running_loop().time()
        command = await csms.command("ClearCache", {})
        await csms.until(lambda: command in csms.replies)
        assert asyncio.get_running_loop().time() - began >= 0.1


async def test_a_bad_radio_obeys_and_loses_some_answers():
    chance = random.Random(1)
    delays = [BadRadio(delay_s=1.0, share=0.1).answer_delay_s(chance) for _ in range(2_000)]
    assert 100 < delays.count(None) < 300
    assert all(0 < each <= 1.0 for each in delays if each is not None)
    async with behaving(BadRadio(share=1.0)) as (csms, link):
        await link.up()
        await csms.until(lambda: csms.sockets)
        await csms.command("ClearCache", {})
        await link.ask("Heartbeat", {})
        assert csms.replies == {}
        assert events(link)["commands ClearCache"] == 1


async def test_the_duplicate_sender_says_it_twice_with_one_id_and_once_with_another():
    async with behaving(DuplicateSender()) as (csms, link):
        await link.up()
        await link.ask("Heartbeat", {})
        await csms.until(lambda: len(csms.calls("Heartbeat")) == 3)
        first, second, third = (message_id for message_id, _ in csms.calls("Heartbeat"))
        assert first == second != third
        while events(link)["asides answered"] < 2:
            await asyncio.sleep(0.001)
        assert events(link)["replies to nothing"] == 0


async def test_two_answers_to_one_start_are_noticed():
    async with behaving(DuplicateSender()) as (_, link):
        await link.up()
        await link.ask("StartTransaction", {})  # this CSMS gives each copy a number of its own
        while events(link)["repeats answered differently"] < 2:
            await asyncio.sleep(0.001)


async def test_the_slow_reader_asks_and_hardly_reads():
    async with behaving(SlowReader(frames_per_s=0.0, asks_per_s=1_000.0)) as (csms, link):
        await csms.until(lambda: len(csms.calls("Heartbeat")) >= 20)
        assert events(link)["asides answered"] == 0


@pytest.mark.parametrize("behaviour", [WrongSubprotocol(), WrongPassword()])
async def test_who_must_not_come_in_knocks_again_and_that_is_no_failure(behaviour):
    async with behaving(behaviour, admits=lambda request: "Authorization" not in request.headers) as (csms, link):
        await csms.until(lambda: len(csms.requests) >= 3)
        assert not link.is_up
        assert sum(count for name, count in events(link).items() if name.startswith("turned away")) >= 2
        assert not any(name.startswith("connection:") for name in events(link))
        assert link._statistics.last_connection_error is None


async def test_who_is_let_in_though_it_must_not_be_is_counted():
    async with behaving(WrongPassword()) as (_, link):
        await link.up()
        assert events(link)["let in, though it must not be"] == 1


@pytest.mark.parametrize("kind", BAD_FRAMES)
async def test_a_malformed_frame_goes_out_between_good_ones(kind):
    async with behaving(Malformed(every_s=0.01, kinds=(kind,))) as (csms, link):
        await csms.until(lambda: len(csms.frames) >= 2)
        assert await link.ask("Heartbeat", {})
        assert events(link)[f"bad frames sent: {kind}"] >= 2
        assert {type(frame) for _, frame in csms.frames[:2]} <= {str, bytes}
        if kind == "binary":
            assert any(isinstance(frame, bytes) for _, frame in csms.frames)


def test_malformed_frames_are_as_bad_as_they_are_said_to_be():
    made = {kind: make("1") for kind, make in BAD_FRAMES.items()}
    for kind in ("bad_json",):
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(made[kind])
    assert len(made["oversized"]) > 2**20
    assert made["deep_nesting"].count("[") > 1_000
    with pytest.raises(ValueError, match="kinds are some of"):
        Malformed(kinds=("rude",))


async def test_an_identity_war_goes_on():
    async with behaving(IdentityWar(every_s=0.05)) as (csms, link):
        await csms.until(lambda: len(csms.requests) >= 4)
        assert {request.path.rpartition("/")[2] for request in csms.requests} == {"ST"}
        assert link._statistics.connections.total() <= 1  # the rival is not one of ours
        assert events(link)["rivals connected"] >= 2


async def test_half_open_leaves_its_old_connection_open_and_makes_a_new_one():
    async with behaving(HalfOpen(every_s=0.1, open_s=60.0)) as (csms, link):
        await csms.until(lambda: len(csms.sockets) >= 3)
        await link.up()
        assert csms.closed == []
        assert link._statistics.connections.total() == 1


async def test_pipelining_has_so_many_calls_open_at_once_in_order():
    async with Rough(answers=False) as csms:
        link = link_to(csms, Pipelining(depth=3))
        outbox = Outbox(link, link._statistics, keeps_ids=False, depth=3)
        async with running(link.run()), running(outbox.run()):
            outbox.open()
            for number in range(5):
                outbox.tell(lambda number=number: ("Authorize", {"idTag": str(number)}))
            await csms.until(lambda: len(csms.calls("Authorize")) == 3)
            await asyncio.sleep(0.02)
            assert [payload["idTag"] for _, payload in csms.calls("Authorize")] == ["0", "1", "2"]
            assert len(outbox) == 5


@pytest.mark.parametrize("depth", [0, 9])
def test_a_pipeline_has_its_bounds(depth):
    with pytest.raises(ValueError, match="1 to 8"):
        Pipelining(depth=depth)


def test_without_jitter_all_come_back_after_the_same_time():
    patience = changed(Habits(), NoJitter().habits()).patience
    waits = {seed: [patience.backoff_s(n, random.Random(seed)) for n in range(6)] for seed in (1, 2)}
    assert waits[1] == waits[2] == [1, 2, 4, 8, 16, 16]


async def test_a_refused_copy_is_not_a_failure_of_the_station():
    class Grumpy(Rough):
        async def _answer(self, socket, frame):
            _, message_id, *_ = json.loads(frame)
            await socket.send(json.dumps([4, message_id, "InternalError", "", {}]))

    async with Grumpy() as csms:
        link = link_to(csms, DuplicateSender())
        async with running(link.run()):
            await link.up()
            with pytest.raises(Refused):
                await link.ask("Heartbeat", {})
            while not events(link)["asides refused: InternalError"]:
                await asyncio.sleep(0.001)
        assert link._statistics.failures == {"Heartbeat: InternalError": 1}


async def test_a_behaviour_that_breaks_ends_the_link_and_is_told():
    class Broken(Behaviour):
        def while_running(self, _line, _chance):
            async def work():
                raise RuntimeError("a fault of ours")

            return work()

    async with Rough() as csms:
        with pytest.raises(ExceptionGroup) as caught:
            await link_to(csms, Broken()).run()
    assert caught.group_contains(RuntimeError, match="a fault of ours")
