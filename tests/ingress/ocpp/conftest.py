"""Doubles of the seams around an ingress, and stations that are real WebSocket clients."""

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import orjson
import pytest
from websockets.asyncio.client import connect

from engine.model.authorization import TokenAnswer, TokenPresented, TokenStatus, TokenVerdict
from engine.model.availability import ConnectorStatusAnswer, ConnectorStatusReported
from engine.model.codec import decode_batch, encode
from engine.model.data_transfer import DataAnswer, DataReported
from engine.model.envelopes import Answered, BatchReply, Dispatch, Done, Downlinks, Reported
from engine.model.ids import unit_of
from engine.model.metering import ReadingsAnswer, ReadingsReported
from engine.model.notices import NoticeAnswer, StationNotice
from engine.model.provisioning import BootAnswer, BootReported, HeartbeatAnswer, HeartbeatReported, Registration
from engine.model.transactions import Stage, TransactionAnswer, TransactionReported
from engine.ports import Placement
from ingress.ocpp.server import IngressServer
from ingress.settings import OcppSettings
from tests.ingress.ocpp.authority import Authority
from tests.ingress.ocpp.house import House, Raw

NOW = datetime(2025, 5, 1, 12, tzinfo=UTC)
ANSWER_OF_REPORT = {
    BootReported: BootAnswer(Registration.ACCEPTED, 300, NOW),
    HeartbeatReported: HeartbeatAnswer(NOW),
    ConnectorStatusReported: ConnectorStatusAnswer(),
    TokenPresented: TokenAnswer(TokenVerdict(TokenStatus.ACCEPTED)),
    TransactionReported: TransactionAnswer(Stage.UPDATED),
    ReadingsReported: ReadingsAnswer(),
    DataReported: DataAnswer("Accepted"),
    StationNotice: NoticeAnswer(),
}


class FakeActors:
    """`engine.ports.StationActors` in this process: answers everything, unless a test says otherwise.

    `script`: taken from the left, one per call: an exception to raise, or a function from the batch to its verdicts.
    `gate`: calls wait for it.
    """

    shards = 4

    def __init__(self):
        self.batches = []
        self.decided = []
        self.script = deque()
        self.gate = asyncio.Event()
        self.gate.set()
        self.located = []
        self.locate_script = deque()
        self.placements = {
            unit: Placement(unit=unit, actor=f"stations-{unit.shard % 2}", epoch=1)
            for unit in map(self.unit_of, map(str, range(200)))
        }
        self.in_flight = 0
        self.in_flight_max = 0
        self.heard = asyncio.Condition()

    def unit_of(self, station):
        return unit_of(station, self.shards, literal=False)

    def placement(self, unit):
        return self.placements.get(unit)

    async def locate(self, unit, *, suspect=None):
        self.located.append((unit, suspect))
        await asyncio.sleep(0)
        if self.locate_script:
            step = self.locate_script.popleft()
            if isinstance(step, Exception):
                raise step
            self.placements[unit] = step
        return self.placements[unit]

    async def deliver(self, actor, batch):
        decoded = decode_batch(batch)
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        self.batches.append((actor, decoded))
        async with self.heard:
            self.heard.notify_all()
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            step = self.script.popleft() if self.script else answer_all
            if isinstance(step, Exception):
                raise step
            verdicts = tuple(step(decoded))
        finally:
            self.in_flight -= 1
        self.decided.extend(
            delivery
            for delivery, verdict in zip(decoded.deliveries, verdicts, strict=False)
            if type(verdict).__name__ != "Retry"
        )
        async with self.heard:
            self.heard.notify_all()
        return encode(BatchReply(verdicts))

    @property
    def events(self):
        """What was decided, in order."""
        return [delivery.event for delivery in self.decided]

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, predicate):
        """Waits until the predicate holds; looked at after every call."""
        async with self.heard:
            await self.heard.wait_for(predicate)


def answer_all(batch):
    """One verdict per delivery, as a well-meaning actor gives it."""
    for delivery in batch.deliveries:
        event = delivery.event
        if isinstance(event, Reported) and event.message_id is not None:
            yield Answered(ANSWER_OF_REPORT[type(event.report)])
        else:
            yield Done()


class FakeBook:
    """`engine.ports.OperatorBook`, the part that an ingress uses. `error`: raised by every look."""

    def __init__(self):
        self.records = {}
        self.error = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def station(self, station):
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.records.get(station)

    async def look_up(self, stations):
        found = {station: await self.station(station) or await self.station_like(station) for station in stations}
        return {station: record for station, record in found.items() if record is not None}

    async def station_like(self, station):
        return next(
            (
                record
                for known, record in self.records.items()
                if known != station and known.casefold() == station.casefold()
            ),
            None,
        )

    async def change_station(self, station, change, now):  # noqa: ARG002 (of the seam)
        if self.error is not None:
            raise self.error
        if station not in self.records:
            return None
        self.records[station] = change(self.records[station])
        return self.records[station]


class FakeLog:
    """`engine.ports.MessageLog`."""

    def __init__(self):
        self.messages = []

    def write(self, message):
        self.messages.append(message)


class SystemClock:
    """`engine.ports.Clock`."""

    def now(self):
        return datetime.now(UTC)


class Ingress:
    """An ingress server with everything around it."""

    def __init__(self, settings):
        self.actors = FakeActors()
        self.book = FakeBook()
        self.log = FakeLog()
        self.settings = OcppSettings(port=0, **{"batch_wait_ms": 0, "message_log": "all", **settings})
        self.server = IngressServer(self.settings, "ingress-1", 7, self.actors, self.book, self.log, SystemClock())

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.server.port}"

    def connect(self, path="/ocpp/CP1", version="1.6", **options):
        """A station; see `websockets.asyncio.client.connect`. With TLS where `ssl` is a context."""
        options.setdefault("subprotocols", [f"ocpp{version}"])
        url = self.url
        if "ssl" in options:
            url = f"wss://localhost:{self.server.tls_port}"
            options.setdefault("host", "127.0.0.1")
        return connect(url + path, compression=None, ping_interval=None, open_timeout=10, **options)

    async def dispatch(self, session, command, *, command_id="c1", station="CP1", seconds=30):
        deadline_at = datetime.fromtimestamp(datetime.now(UTC).timestamp() + seconds, UTC)
        dispatch = Dispatch(station, session, command_id, command, deadline_at)
        await self.server.receive_downlinks(encode(Downlinks((dispatch,))))


@pytest.fixture
async def make_ingress():
    """Makes running ingresses; all are drained at the end."""
    made = []

    async def make(**settings):
        ingress = Ingress(settings)
        await ingress.server.start()
        made.append(ingress)
        return ingress

    yield make
    for ingress in made:
        ingress.actors.gate.set()
        ingress.book.gate.set()
        await ingress.server.drain(0.5)


@pytest.fixture
async def ingress(make_ingress):
    """An ingress with the default settings."""
    return await make_ingress()


class Frames:
    """Frames of stations, by version."""

    heartbeat = staticmethod(lambda message_id="1": orjson.dumps([2, message_id, "Heartbeat", {}]).decode())

    @staticmethod
    def call(message_id, action, payload):
        return orjson.dumps([2, message_id, action, payload]).decode()

    @staticmethod
    def data(message_id, text):
        return Frames.call(message_id, "DataTransfer", {"vendorId": "test", "data": text})


@pytest.fixture
def frames():
    return Frames


@pytest.fixture
def ask():
    """Sends a text and returns the next frame that comes back."""

    async def ask(station, text):
        await station.send(text)
        return orjson.loads(await station.recv())

    return ask


@pytest.fixture
def eventually():
    """Waits for what nothing else tells."""

    async def wait(predicate):
        while True:
            if predicate():
                return
            await asyncio.sleep(0.001)

    return wait


@pytest.fixture
def raw():
    """A bare TCP connection to an ingress."""

    @asynccontextmanager
    async def open_raw(ingress):
        reader, writer = await asyncio.open_connection("127.0.0.1", ingress.server.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    return open_raw


@pytest.fixture
def actors():
    """Station actors that answer everything."""
    return FakeActors()


@pytest.fixture
def clock():
    """The time of this machine."""
    return SystemClock()


@pytest.fixture
def doubles():
    """Makes actors, book, log and clock; call it inside the loop that will use them."""
    return lambda: (FakeActors(), FakeBook(), FakeLog(), SystemClock())


@pytest.fixture
def answering():
    """The verdicts of a well-meaning actor on a batch."""
    return answer_all


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority of this test run."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def server_files(authority):
    """PEM files of the server: ECDSA and RSA."""
    return authority.server("ecdsa"), authority.server("rsa")


@pytest.fixture
def make_tls_ingress(make_ingress, authority, server_files):
    """Makes running ingresses with a TLS port whose client authority is `authority`."""

    async def make(**settings):
        options = {"tls_port": 0, "tls_certificates": server_files, "tls_client_ca": authority.file, **settings}
        return await make_ingress(**options)

    return make


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
