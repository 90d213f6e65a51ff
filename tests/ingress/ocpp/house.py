"""Two ingresses and a real station actor in one process; sockets of stations that may stop reading at any moment."""

import asyncio
import socket
from typing import ClassVar

import orjson
from websockets.frames import Frame, Opcode

from actors.settings import ActorSettings
from actors.station_actor import StationActor
from engine.model.facts import JournalEntry
from engine.model.ids import unit_of
from engine.ports import ActorGone, Placement
from engine.station.policy import Policy
from ingress.ocpp.server import IngressServer
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

    def __init__(self, clock, book, log, policy=None, **settings):
        self.store = MemoryStore()
        journal = MemoryJournal(self.store, tenant="t")
        rules = policy or Policy()
        self.actor = StationActor("stations-0", journal, self, clock, rules, ActorSettings(shards=SHARDS))
        self.book = book
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

    def session_order(self, station):
        """Of the station's session; None: it has none."""
        hosted = self.actor._turns.stations.get(station)
        return None if hosted is None or hosted.state.session is None else hosted.state.session.order

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

    made: ClassVar[list["Raw"]] = []

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
