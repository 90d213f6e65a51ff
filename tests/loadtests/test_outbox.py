"""What must not be lost is not lost, not doubled and in order."""

import asyncio
import contextlib
import random

import pytest

from loadtests.link import Link, Peer
from loadtests.outbox import MESSAGES_MAX, Outbox
from loadtests.statistics import Statistics
from tests.loadtests.scripted import SILENCE, Csms, Error, Hangup, running
from tests.loadtests.test_link import QUICK


@contextlib.asynccontextmanager
async def outbox_to(csms, *, keeps_ids=True):
    link = Link(Peer(csms.url, "ST"), "ocpp1.6", lambda *_: None, random.Random(1), Statistics(), QUICK)
    outbox = Outbox(link, link._statistics, keeps_ids=keeps_ids)
    async with running(link.run()), running(outbox.run()):
        yield outbox


def authorize(token):
    return lambda: ("Authorize", {"idTag": token})


def tokens(csms):
    return [payload["idTag"] for payload in csms.all_of("Authorize")]


async def test_messages_go_in_order_once_the_gate_is_open():
    async with Csms() as csms, outbox_to(csms) as outbox:
        for token in "ABC":
            outbox.tell(authorize(token))
        await outbox._link.up()
        assert csms.heard == []
        outbox.open()
        await outbox.drained()
        await csms.until_heard("Authorize", 3)
        assert tokens(csms) == ["A", "B", "C"]


@pytest.mark.parametrize("keeps_ids", [True, False])
async def test_a_repeat_says_the_same_and_keeps_its_id_where_the_version_allows(keeps_ids):
    said = []
    async with Csms() as csms, outbox_to(csms, keeps_ids=keeps_ids) as outbox:
        csms.answers["Authorize"] = [Hangup(), Hangup()]
        outbox.open()
        outbox.tell(lambda: ("Authorize", {"idTag": f"{said.append(1)}{len(said)}"}))
        outbox.tell(authorize("later"))
        await csms.until_heard("Authorize", 4)
        assert tokens(csms) == ["None1"] * 3 + ["later"]
        ids = {message_id for _, _, message_id in csms.heard[:3]}
        assert len(ids) == (1 if keeps_ids else 3)


async def test_a_message_without_answer_is_repeated():
    async with Csms() as csms, outbox_to(csms) as outbox:
        csms.answers["Authorize"] = [SILENCE]
        outbox._link.patience = type(QUICK)(answer_s_max=0.05, backoff_s_min=0.001, retry_s=0.001)
        outbox.open()
        outbox.tell(authorize("A"))
        await outbox.drained()
        await csms.until_heard("Authorize", 2)
        assert tokens(csms) == ["A", "A"]


async def test_a_refused_message_is_tried_as_often_as_said_and_then_makes_way():
    answered = []
    async with Csms() as csms, outbox_to(csms) as outbox:
        csms.answers["Authorize"] = [Error(), Error(), Error()]
        outbox.open()
        outbox.tell(authorize("A"), answered.append, attempts_max=3)
        outbox.tell(authorize("B"), answered.append)
        await outbox.drained()
        await csms.until_heard("Authorize", 4)
        assert tokens(csms) == ["A", "A", "A", "B"]
        assert answered == [{"idTagInfo": {"status": "Accepted"}}]


async def test_a_full_queue_spares_what_is_vital_and_what_is_in_flight():
    async with Csms() as csms, outbox_to(csms) as outbox:
        outbox.tell(authorize("first"))
        outbox.tell(authorize("vital"), vital=True)
        for number in range(MESSAGES_MAX + 5):
            outbox.tell(authorize(f"{number}"))
        assert len(outbox) == MESSAGES_MAX
        assert [message.words()[1]["idTag"] for message in outbox._messages][:3] == ["first", "vital", "7"]
        await asyncio.sleep(0)


async def test_several_go_out_at_once_but_nothing_overtakes_a_start_whose_number_is_needed():
    async with Csms() as csms:
        link = Link(Peer(csms.url, "ST"), "ocpp1.6", lambda *_: None, random.Random(1), Statistics(), QUICK)
        link._turn = asyncio.Semaphore(4)
        outbox = Outbox(link, link._statistics, keeps_ids=True, depth=4)
        csms.answers["Authorize"] = [SILENCE, SILENCE]
        async with running(link.run()), running(outbox.run()):
            outbox.open()
            outbox.tell(authorize("A"))
            outbox.tell(authorize("start"), vital=True)
            outbox.tell(authorize("after"))
            await csms.until_heard("Authorize", 2)
            await asyncio.sleep(0.02)
            assert tokens(csms) == ["A", "start"]
            link.drop()  # both are told again, in order, and then the rest
            await outbox.drained()
            await csms.until_heard("Authorize", 5)
            assert tokens(csms) == ["A", "start", "A", "start", "after"]


async def test_a_closed_outbox_is_not_waited_for_and_keeps_its_messages():
    async with Csms() as csms, outbox_to(csms) as outbox:
        outbox.open()
        outbox.close()
        outbox.tell(authorize("A"))
        await outbox.drained()
        assert len(outbox) == 1
        outbox.open()
        await outbox.drained()
        assert len(outbox) == 0
