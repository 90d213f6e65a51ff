"""A thousand stations whose connections are dead and do not know it: each comes again, and the new one is its own."""

import asyncio
import gc
import socket
from collections import Counter
from pathlib import Path

import orjson
import pytest
from websockets.frames import Frame, Opcode

from actors.settings import ActorSettings
from actors.station_actor import StationActor
from engine.model.facts import JournalEntry
from engine.model.ids import unit_of
from engine.model.provisioning import StationBooted
from engine.model.sessions import SessionEnded, SessionStarted
from engine.ports import ActorGone, Placement
from engine.station.policy import Policy
from ingress.ocpp.connection import Connection
from ingress.ocpp.server import IngressServer
from ingress.ocpp.session import StationSession
from ingress.settings import OcppSettings
from storage.journal_memory import MemoryJournal, MemoryStore

SHARDS = 4
OPEN = (
    "GET /ocpp/{station} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


class Count:
    """`engine.ports.Arrivals`."""

    def __init__(self):
        self.last = 0

    async def number(self):
        self.last += 1
        return self.last


class House:
    """Two ingresses and a real station actor, without Ray and Redis between them."""

    def __init__(self, clock, book, log, **settings):
        self.store = MemoryStore()
        journal = MemoryJournal(self.store, tenant="t")
        self.actor = StationActor("stations-0", journal, self, clock, Policy(), ActorSettings(shards=SHARDS))
        arrivals = Count()
        options = {"batch_wait_ms": 0, "message_log": "off", "ping_interval_s": 0, "close_timeout_s": 0.2, **settings}
        chosen = OcppSettings(port=0, **options)
        self.ingresses = {
            name: IngressServer(chosen, name, 1, self, book, log, clock, arrivals) for name in ("one", "two")
        }

    async def start(self):
        await self.actor.start()
        for ingress in self.ingresses.values():
            await ingress.start()

    async def stop(self):
        for ingress in self.ingresses.values():
            await ingress.drain(0.2)
        for task in [*self.actor._tasks]:
            task.cancel()

    # engine.ports.StationActors and Ingresses

    def unit_of(self, station):
        return unit_of(station, SHARDS, literal=False)

    def placement(self, unit):
        return Placement(unit=unit, actor="stations-0", epoch=1)

    async def locate(self, unit, *, suspect=None):  # noqa: ARG002 (of the seam)
        return self.placement(unit)

    async def deliver(self, actor, batch):  # noqa: ARG002 (of the seam)
        return await self.actor.deliver(batch)

    async def send(self, ingress, downlinks):
        if ingress not in self.ingresses:
            raise ActorGone(ingress)
        await self.ingresses[ingress].receive_downlinks(downlinks)

    @property
    def connections(self):
        return sum(ingress.health()["connections"] for ingress in self.ingresses.values())

    @property
    def sockets(self):
        return sum(len(ingress._connections) for ingress in self.ingresses.values())

    def session_of(self, station):
        return self.actor._turns.stations[station].state.session.session

    def facts(self):
        """All facts so far, with their stations, in order."""
        for shard in range(SHARDS):
            for each in self.store.entries(f"s{shard}"):
                assert isinstance(each.entry, JournalEntry)
                for record in each.entry.records:
                    for fact in record.facts:
                        yield record.station, fact


class Raw:
    """A socket to an ingress, as a station that may stop reading at any moment has it."""

    made = []

    def __init__(self, station):
        self.made.append(self)
        self.station = station
        self.sock = socket.socket()
        self.sock.settimeout(0)

    async def open(self, port):
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.sock, ("127.0.0.1", port))
        await loop.sock_sendall(self.sock, OPEN.format(station=self.station).encode())
        assert (await loop.sock_recv(self.sock, 4096)).startswith(b"HTTP/1.1 101")

    def say(self, message_id, action, payload):
        """Sends a frame; False: the kernel knows that nobody is there."""
        text = orjson.dumps([2, message_id, action, payload])
        try:
            self.sock.send(Frame(Opcode.TEXT, text).serialize(mask=True))
        except OSError:
            return False
        return True

    async def ask(self, message_id):
        """Sends a heartbeat and returns the answer."""
        assert self.say(message_id, "Heartbeat", {})
        data = await asyncio.get_running_loop().sock_recv(self.sock, 4096)
        return orjson.loads(data[2:])

    def boot(self):
        return self.say("boot", "BootNotification", {"chargePointVendor": "Old", "chargePointModel": "Zombie"})

    def close(self):
        self.sock.close()


@pytest.fixture
async def make_house(clock, doubles):
    made = []

    async def make(**settings):
        _, book, log, _ = doubles()
        house = House(clock, book, log, **settings)
        await house.start()
        made.append(house)
        return house

    yield make
    while Raw.made:
        Raw.made.pop().close()
    for house in made:
        await house.stop()


async def opened(house, ingress, stations):
    """A connection per station, each known to the actor."""
    raws = [Raw(station) for station in stations]
    for start in range(0, len(raws), 100):
        await asyncio.gather(*[raw.open(house.ingresses[ingress].port) for raw in raws[start : start + 100]])
    return raws


def open_files():
    return len([*Path("/proc/self/fd").iterdir()])


def living(kind):
    """How many there are, of this test or of others before it."""
    gc.collect()
    return sum(type(each) is kind for each in gc.get_objects())


@pytest.mark.parametrize("other", ["one", "two"], ids=["at-the-same-ingress", "at-another-ingress"])
async def test_a_thousand_half_open_connections_are_taken_over(make_house, eventually, other):
    house = await make_house()
    left_over = living(Connection), living(StationSession)
    stations = [f"CP-{number}" for number in range(1_000)]
    sockets_before = open_files()
    old = await opened(house, "one", stations)  # nobody reads from them any more, nobody closes them
    await eventually(lambda: len(house.actor._turns.stations) == 1_000)

    new = await opened(house, other, stations)
    await eventually(lambda: sum(isinstance(fact, SessionStarted) for _, fact in house.facts()) == 2_000)
    mine = {station: house.session_of(station) for station in stations}

    for raw in old[:500]:  # while their sockets are being closed
        raw.boot()
    await eventually(lambda: house.sockets == 1_000)
    for raw in old[500:]:  # and after
        raw.boot()
        raw.boot()
    answers = [await raw.ask("1") for raw in new]

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
    await eventually(lambda: open_files() <= sockets_before + 2 * 1_000)
    assert living(Connection) <= left_over[0] + 1_000
    assert living(StationSession) <= left_over[1] + 1_000
    assert sum(len(ingress._courier._lanes) for ingress in house.ingresses.values()) == 1_000
    for raw in new:
        raw.close()
    await eventually(lambda: house.sockets == 0)
    await eventually(lambda: open_files() <= sockets_before)
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
