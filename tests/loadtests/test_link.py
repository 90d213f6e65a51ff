"""One station's connection, against a real WebSocket server."""

import asyncio
import base64
import random

import pytest

from loadtests.link import Link, Malformed, Patience, Peer, Refused
from loadtests.statistics import Statistics
from tests.loadtests.scripted import SILENCE, Csms, Error, Hangup, running

QUICK = Patience(answer_s_max=5.0, backoff_s_min=0.001, backoff_s_max=0.01, retry_s=0.001)


def link_to(url, handler=lambda *_: None, patience=QUICK, password=None, statistics=None):
    peer = Peer(url, "ST 1", password)
    return Link(peer, "ocpp1.6", handler, random.Random(1), statistics or Statistics(), patience)


async def test_a_reply_comes_back_and_is_counted():
    async with Csms() as csms:
        link = link_to(csms.url)
        async with running(link.run()):
            await link.up()
            assert await link.ask("Authorize", {"idTag": "A"}) == {"idTagInfo": {"status": "Accepted"}}
    assert csms.requests[0].path == "/ocpp/ST%201"
    assert link._statistics.actions == {"Authorize": 1}
    assert link._statistics.connections.total() == 0


async def test_a_lost_connection_fails_the_call_and_is_made_again():
    async with Csms() as csms:
        csms.answers["Authorize"] = [Hangup()]
        link = link_to(csms.url)
        async with running(link.run()):
            await link.up()
            with pytest.raises(ConnectionError):
                await link.ask("Authorize", {"idTag": "A"})
            await link.up()
            assert await link.ask("Authorize", {"idTag": "A"})
    assert len(csms.requests) == 2


async def test_nobody_can_ask_without_a_connection():
    with pytest.raises(ConnectionError):
        await link_to("ws://127.0.0.1:9").ask("Heartbeat", {})


async def test_dropping_fails_the_call_in_flight_at_once():
    async with Csms() as csms:
        csms.answers["Heartbeat"] = [SILENCE]
        link = link_to(csms.url)
        async with running(link.run()):
            await link.up()
            asking = asyncio.create_task(link.ask("Heartbeat", {}))
            await csms.until_heard("Heartbeat")
            link.drop()
            assert not link.is_up
            with pytest.raises(ConnectionError):
                await asking


async def test_a_callerror_is_refused_and_counted_by_its_code():
    async with Csms() as csms:
        csms.answers["Heartbeat"] = [Error("SecurityError", "go away")]
        link = link_to(csms.url)
        async with running(link.run()):
            await link.up()
            with pytest.raises(Refused, match="SecurityError: go away"):
                await link.ask("Heartbeat", {})
    assert link._statistics.failures == {"Heartbeat: SecurityError: go away": 1}


async def test_no_answer_is_a_timeout_and_the_link_goes_on():
    async with Csms() as csms:
        csms.answers["Heartbeat"] = [SILENCE]
        link = link_to(csms.url, patience=Patience(answer_s_max=0.05))
        async with running(link.run()):
            await link.up()
            with pytest.raises(TimeoutError):
                await link.ask("Heartbeat", {})
            link.patience = QUICK
            assert await link.ask("Heartbeat", {})
    assert link._statistics.failures == {"Heartbeat: timeout": 1}


async def test_basic_auth_goes_with_the_handshake():
    async with Csms() as csms:
        link = link_to(csms.url, password="päss:word")
        async with running(link.run()):
            await link.up()
    expected = base64.b64encode("ST 1:päss:word".encode()).decode()
    assert csms.requests[0].headers["Authorization"] == f"Basic {expected}"


async def test_a_csms_without_our_version_never_counts_as_connected():
    async with Csms(subprotocols=None) as csms:
        statistics = Statistics()
        link = link_to(csms.url, statistics=statistics)
        async with running(link.run()):
            await csms.until(lambda: len(csms.requests) >= 2)
    assert statistics.connections_opened == 0
    assert "does not speak ocpp1.6" in statistics.last_connection_error


async def test_calls_of_the_csms_are_answered_whatever_they_are():
    def handler(action, _payload):
        if action == "Reset":
            raise Malformed("Reset cannot be read")
        return {"status": "Accepted"} if action == "ClearCache" else None

    async with Csms() as csms:
        link = link_to(csms.url, handler)
        async with running(link.run()):
            await link.up()
            await csms.until(lambda: csms.sockets)
            assert await csms.call("ClearCache", {}) == {"status": "Accepted"}
            assert (await csms.call("Strange", {}))[2] == "NotImplemented"
            assert (await csms.call("Reset", {}))[2] == "ProtocolError"


@pytest.mark.parametrize("frame", ["", "{", "[]", "[3]", "[9,1,2,3]", '[3,"unknown",{}]', "null", "[2,1,2,3]"])
async def test_frames_of_no_sense_are_counted_and_survived(frame):
    async with Csms() as csms:
        statistics = Statistics()
        link = link_to(csms.url, statistics=statistics)
        async with running(link.run()):
            await link.up()
            await csms.until(lambda: csms.sockets)
            await csms.sockets[0].send(frame)
            await link.ask("Heartbeat", {})
    assert statistics.events["frames not understood"] + statistics.events["replies to nothing"] == 1


def test_back_off_doubles_and_is_bounded():
    chance, patience = random.Random(1), Patience(backoff_s_min=0.5, backoff_s_max=20)
    assert 0.25 <= patience.backoff_s(0, chance) <= 0.5
    assert 2 <= patience.backoff_s(3, chance) <= 4
    assert all(10 <= patience.backoff_s(failures, chance) <= 20 for failures in (6, 100, 5_000))


def test_ids_of_two_runs_differ_though_the_seed_is_the_same():
    first, second = link_to("ws://x"), link_to("ws://x")
    assert first.new_id() != second.new_id()
    assert len(first.new_id()) <= 36


class Book:
    def __init__(self):
        self.told = []

    def on_answered(self, identity, action, payload, reply):
        self.told.append((identity, action, payload, reply))


async def test_an_observer_is_told_of_each_call_that_got_its_reply_and_of_no_other():
    async with Csms() as csms:
        csms.answers["Heartbeat"] = [Error()]
        book = Book()
        link = Link(
            Peer(csms.url, "ST"), "ocpp1.6", lambda *_: None, random.Random(1), Statistics(), QUICK, observer=book
        )
        async with running(link.run()):
            await link.up()
            with pytest.raises(Refused):
                await link.ask("Heartbeat", {})
            await link.ask("Authorize", {"idTag": "A"})
    assert book.told == [("ST", "Authorize", {"idTag": "A"}, {"idTagInfo": {"status": "Accepted"}})]


async def test_a_link_that_stays_away_is_down_at_once_and_comes_back_after_its_time():
    async with Csms() as csms:
        link, ups = link_to(csms.url), []
        link.on_up = ups.append
        async with running(link.run()):
            await link.up()
            began = asyncio.get_running_loop().time()
            link.stay_away(0.2)
            assert not link.is_up
            await link.up()
            assert asyncio.get_running_loop().time() - began >= 0.2
    assert ups == ["ST 1", "ST 1"]


async def test_a_link_told_to_stay_away_while_it_connects_does():
    async with Csms() as csms:
        link = link_to(csms.url)
        link.on_up = lambda _: len(csms.sockets) == 1 and link.stay_away(0.1)
        async with running(link.run()):
            await csms.until(lambda: len(csms.requests) == 2)
            await link.up()
            assert await link.ask("Heartbeat", {})


async def test_a_station_can_be_told_by_a_scenario_what_the_csms_would_say():
    assert link_to("ws://x", lambda action, payload: {"heard": [action, payload]}).obey("Reset", {"type": "Soft"}) == {
        "heard": ["Reset", {"type": "Soft"}]
    }


def test_without_jitter_the_back_off_is_exact():
    patience = Patience(backoff_s_min=1.0, backoff_s_max=16.0, jitter=False)
    assert [patience.backoff_s(failures, random.Random(1)) for failures in range(6)] == [1, 2, 4, 8, 16, 16]
