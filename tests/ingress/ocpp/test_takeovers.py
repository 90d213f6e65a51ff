"""A thousand stations whose connections are dead and do not know it: each comes again, and the new one is its own."""

import asyncio
import gc
from collections import Counter
from pathlib import Path

import pytest

from engine.model.provisioning import StationBooted
from engine.model.sessions import SessionEnded, SessionStarted
from engine.ports import JournalUnavailable
from ingress.ocpp.connection import Connection
from ingress.ocpp.session import StationSession
from tests.ingress.ocpp.house import OPEN, Raw


async def opened(house, ingress, stations):
    """A connection per station, each known to the actor."""
    raws = [Raw(station) for station in stations]
    for start in range(0, len(raws), 100):
        await asyncio.gather(*[raw.open(house.ingresses[ingress].port) for raw in raws[start : start + 100]])
    return raws


def open_files():
    return len([*Path("/proc/self/fd").iterdir()])


async def settled(predicate):
    """Waits until it holds; looks seldom, for there is much to look at."""
    while not predicate():
        await asyncio.sleep(0.05)


def living(kind):
    """How many there are, of this test or of others before it."""
    gc.collect()
    return sum(type(each) is kind for each in gc.get_objects())


@pytest.mark.timeout(180)  # a thousand of each: 5 s on an idle machine, much more on a busy one
@pytest.mark.parametrize("other", ["one", "two"], ids=["at-the-same-ingress", "at-another-ingress"])
async def test_a_thousand_half_open_connections_are_taken_over(make_house, eventually, other):
    house = await make_house()
    left_over = living(Connection), living(StationSession)
    stations = [f"CP-{number}" for number in range(1_000)]
    sockets_before = open_files()
    old = await opened(house, "one", stations)  # nobody reads from them any more, nobody closes them
    await eventually(lambda: len(house.actor._turns.stations) == 1_000)

    new = await opened(house, other, stations)
    await settled(lambda: all(house.session_order(station) > 1_000 for station in stations))
    mine = {station: house.session_of(station) for station in stations}

    for raw in old[:500]:  # while their sockets are being closed
        raw.boot()
    await settled(lambda: house.sockets == 1_000)
    for raw in old[500:]:  # and after
        raw.boot()
        raw.boot()
    answers = []
    for start in range(0, 1_000, 100):
        answers += await asyncio.gather(*[raw.ask("1") for raw in new[start : start + 100]])

    assert [answer[:2] for answer in answers] == [[3, "1"]] * 1_000, "the new ones are untouched"
    assert not [station for station, fact in house.facts() if isinstance(fact, StationBooted)], (
        "old ones decide nothing"
    )
    ended = {fact.closed.session for _, fact in house.facts() if isinstance(fact, SessionEnded)}
    assert not ended & {*mine.values()}
    assert {station: house.session_of(station) for station in stations} == mine
    started = Counter(station for station, fact in house.facts() if isinstance(fact, SessionStarted))
    assert set(started.values()) == {2}
    assert house.connections == 1_000

    for raw in old:
        raw.close()
    await settled(lambda: open_files() <= sockets_before + 2 * 1_000)
    assert living(Connection) <= left_over[0] + 1_000
    assert living(StationSession) <= left_over[1] + 1_000
    assert sum(len(ingress._courier._lanes) for ingress in house.ingresses.values()) == 1_000
    for raw in new:
        raw.close()
    await eventually(lambda: house.sockets == 0)
    await settled(lambda: open_files() <= sockets_before)
    for ingress in house.ingresses.values():
        await ingress._courier.wait_idle()
    assert living(Connection) <= left_over[0]
    assert living(StationSession) <= left_over[1]


async def test_frames_that_wait_in_a_frozen_connection_are_not_decided(make_house, eventually):
    """A station's process is stopped with frames on the wire; another of its name came; the frames arrive then."""
    house = await make_house(calls_open_max=1)
    (old,) = await opened(house, "one", ["CP-1"])
    for number in range(50):
        old.say(f"h{number}", "Heartbeat", {})
    (new,) = await opened(house, "two", ["CP-1"])
    await eventually(lambda: house.session_of("CP-1").startswith("two:"))
    session = house.session_of("CP-1")
    old.boot()
    assert (await new.ask("1"))[0] == 3
    await eventually(lambda: house.sockets == 1)
    assert house.session_of("CP-1") == session
    assert not [fact for _, fact in house.facts() if isinstance(fact, StationBooted)]
    old.close()
    new.close()


async def test_a_handshake_that_was_overtaken_is_refused(make_house, eventually):
    """Its number is older than that of the open connection: it must not close it."""
    house = await make_house()
    ingress = house.ingresses["one"]
    (new,) = await opened(house, "one", ["CP-1"])
    await eventually(lambda: "CP-1" in house.actor._turns.stations)
    ingress._arrivals.last = -1
    late = Raw("CP-1")
    loop = asyncio.get_running_loop()
    await loop.sock_connect(late.sock, ("127.0.0.1", ingress.port))
    await loop.sock_sendall(late.sock, OPEN.format(station="CP-1").encode())
    assert (await loop.sock_recv(late.sock, 4096)).startswith(b"HTTP/1.1 503")
    assert (await new.ask("1"))[0] == 3
    late.close()
    new.close()


async def test_without_a_number_nobody_is_let_in_and_the_open_connection_stays(make_house, eventually, monkeypatch):
    house = await make_house()
    ingress = house.ingresses["one"]
    (known,) = await opened(house, "one", ["CP-1"])
    await eventually(lambda: "CP-1" in house.actor._turns.stations)

    async def away():
        raise JournalUnavailable("Redis does not answer")

    monkeypatch.setattr(ingress._arrivals, "number", away)
    late = Raw("CP-1")
    loop = asyncio.get_running_loop()
    await loop.sock_connect(late.sock, ("127.0.0.1", ingress.port))
    await loop.sock_sendall(late.sock, OPEN.format(station="CP-1").encode())
    answer = await loop.sock_recv(late.sock, 4096)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"Retry-After" in answer
    assert (await known.ask("1"))[0] == 3
