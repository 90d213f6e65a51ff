"""Stations that are not ours: on the `ocpp` package's classes, and on raw frames that are said until they are answered.

Nothing here imports the product, so a mistake of its codec cannot hide twice.
"""

import asyncio
import base64
import contextlib
import functools
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import make_dataclass
from datetime import UTC, datetime

from ocpp import v16, v21, v201
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.running import eventually

SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
STEPS = ("boot", "authorize", "start", "meter", "stop")
AGAIN_S = 10
"""An unanswered call is said again after this; a station would wait longer."""
PAUSE_S = 0.2
_COMMAND_LINES = ThreadPoolExecutor(8, thread_name_prefix="command-line")
"""Not the loop's own threads: the `ocpp` package validates in those, and would wait for commands that wait for it."""


def now():
    """The station's clock, to the millisecond as stations write it."""
    present = datetime.now(UTC)
    return present.replace(microsecond=present.microsecond // 1000 * 1000)


def written(at):
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def basic(identity, password):
    """The header of HTTP Basic; `password` may be bytes."""
    secret = password if isinstance(password, bytes) else password.encode()
    return {"Authorization": f"Basic {base64.b64encode(identity.encode() + b':' + secret).decode()}"}


def open_socket(narke, identity, *subprotocols, password=None, path="/ocpp"):
    """A WebSocket, to be used with `async with` or awaited."""
    return connect(
        f"ws://127.0.0.1:{narke.ocpp_port}{path}/{identity}",
        subprotocols=subprotocols or None,
        additional_headers=None if password is None else basic(identity, password),
        ping_interval=None,
        proxy=None,
    )


async def cli(narke, *arguments, **options):
    """The command line, beside a loop in which stations answer."""
    call = functools.partial(narke.cli, *arguments, **options)
    return await asyncio.get_running_loop().run_in_executor(_COMMAND_LINES, call)


class Package:
    """A station of the `ocpp` package: what it is asked is kept in `asked`, and answered as `answers` says."""

    def __init__(self, identity, socket, version):
        module = {"1.6": v16, "2.0.1": v201, "2.1": v21}[version]
        self.calls, self._results = module.call, module.call_result
        self.socket = socket
        self.asked = []
        self.answers = {}
        self._station = module.ChargePoint(identity, socket, response_timeout=50)
        self._listening = asyncio.create_task(self._station.start())

    def answer(self, action, **fields):
        """From now on, `action` is answered so."""
        self.answers[action] = fields
        handler = functools.partial(self._was_asked, action)
        self._station.route_map[action] = {"_on_action": handler, "_skip_schema_validation": False}

    def _was_asked(self, action, **payload):
        self.asked.append((action, payload))
        return getattr(self._results, action)(**self.answers[action])

    async def wait_for(self, action):
        """The payload of the last such command."""
        await eventually(lambda: any(name == action for name, _ in self.asked))
        return [payload for name, payload in self.asked if name == action][-1]

    async def say(self, action, **fields):
        """The answer; raises the package's exception for a CALLERROR."""
        return await self._station.call(getattr(self.calls, action)(**fields), suppress=False)

    async def say_unknown(self, action):
        """Says an action that the package does not know, without payload: it names actions after dataclasses."""
        call = make_dataclass(action, [])()
        return await self._station.call(call, suppress=False, skip_schema_validation=True)

    async def close(self):
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self.socket.close()


@contextlib.asynccontextmanager
async def package_station(narke, identity, version, password=None):
    """A connected station of the `ocpp` package."""
    socket = await open_socket(narke, identity, SUBPROTOCOLS[version], password=password)
    station = Package(identity, socket, version)
    try:
        yield station
    finally:
        await station.close()


async def exchange(socket, frame):
    """Sends a frame (text, or JSON) and returns the next one that comes."""
    await socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
    return json.loads(await asyncio.wait_for(socket.recv(), 30))


class Teller:
    """A station of raw frames that tells one transaction, step by step.

    What is not answered is said again, over a new connection if need be, with the same message id and in order. Of what
    was answered it keeps the ledger: `readings` (time, Wh), and of its transaction `number`, times and registers.
    """

    METER_START_WH = 1_000_000

    def __init__(self, narke, identity, version):
        self.identity, self.version = identity, version
        self.number = self.transaction_id = None if version == "1.6" else f"tx-{identity}"
        self.readings = []
        self.started_at = self.ended_at = None
        self.meter_wh = self.METER_START_WH
        self.sent = asyncio.Event()
        self._narke = narke
        self._sequence = 0
        self._socket = None

    async def tell(self, *steps):
        for step in steps:
            await getattr(self, step)()

    async def boot(self):
        if self.version == "1.6":
            payload = {"chargePointVendor": "Vendor", "chargePointModel": "Model"}
        else:
            payload = {"reason": "PowerUp", "chargingStation": {"vendorName": "Vendor", "model": "Model"}}
        assert (await self.say("BootNotification", payload))["status"] == "Accepted"

    async def authorize(self):
        if self.version == "1.6":
            answer = (await self.say("Authorize", {"idTag": "DRIVER"}))["idTagInfo"]
        else:
            answer = (await self.say("Authorize", {"idToken": self._token()}))["idTokenInfo"]
        assert answer["status"] == "Accepted"

    async def start(self):
        at = now()
        if self.version == "1.6":
            said = {"connectorId": 1, "idTag": "DRIVER", "meterStart": self.meter_wh, "timestamp": written(at)}
            answer = await self.say("StartTransaction", said)
            assert answer["idTagInfo"]["status"] == "Accepted"
            self.number = answer["transactionId"]
            self.transaction_id = str(self.number)
        else:
            await self._event("Started", at, "CablePluggedIn", {"idToken": self._token(), "evse": _EVSE}, _BEGIN)
        self.started_at = at

    async def meter(self):
        at = now()
        self.meter_wh += 7
        if self.version == "1.6":
            value = {"timestamp": written(at), "sampledValue": [{"value": str(self.meter_wh)}]}
            said = {"connectorId": 1, "transactionId": self.number, "meterValue": [value]}
            await self.say("MeterValues", said)
            self.readings.append((at, float(self.meter_wh)))
        else:
            await self._event("Updated", at, "MeterValuePeriodic", {}, _PERIODIC)

    async def stop(self):
        at = now()
        self.meter_wh += 3
        if self.version == "1.6":
            said = {"transactionId": self.number, "meterStop": self.meter_wh, "timestamp": written(at)}
            await self.say("StopTransaction", said | {"reason": "EVDisconnected"})
        else:
            info = {"transactionInfo": {"transactionId": self.transaction_id, "stoppedReason": "EVDisconnected"}}
            await self._event("Ended", at, "EVCommunicationLost", info, _END)
        self.ended_at = at

    async def say(self, action, payload):
        """The answer's payload, however often it must be said."""
        message_id = str(uuid.uuid4())
        frame = json.dumps([2, message_id, action, payload])
        while True:
            try:
                await self.connect()
                await self._socket.send(frame)
                self.sent.set()
                return await asyncio.wait_for(self._answer_to(message_id), AGAIN_S)
            except (ConnectionClosed, InvalidHandshake, OSError):
                await self.lose_connection()
                await asyncio.sleep(PAUSE_S)
            except TimeoutError:
                continue

    async def connect(self):
        """Nothing, when it is connected already."""
        if self._socket is None:
            async with asyncio.timeout(AGAIN_S):
                self._socket = await open_socket(self._narke, self.identity, SUBPROTOCOLS[self.version])

    async def lose_connection(self):
        """Without a word, as a cut cable."""
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.transport.abort()
            await socket.wait_closed()

    async def close(self):
        """In good order."""
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    def expected_row(self):
        """Its transaction as PostgreSQL must have it."""
        return {
            "station": self.identity,
            "transaction_id": self.transaction_id,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "meter_start_wh": float(self.METER_START_WH),
            "meter_stop_wh": float(self.meter_wh),
            "energy_wh": float(self.meter_wh - self.METER_START_WH),
            "token": "DRIVER",
            "stop_reason": "EVDisconnected",
            "flags": [],
        }

    async def _answer_to(self, message_id):
        while True:
            frame = json.loads(await self._socket.recv())
            if frame[0] == 2:
                await self._socket.send(json.dumps([4, frame[1], "NotSupported", "", {}]))
            elif frame[1] == message_id:
                assert frame[0] == 3, f"{self.identity} was answered {frame}"
                return frame[2]

    async def _event(self, kind, at, trigger, more, context):
        said = {
            "eventType": kind,
            "timestamp": written(at),
            "triggerReason": trigger,
            "seqNo": self._sequence,
            "transactionInfo": {"transactionId": self.transaction_id},
            "meterValue": [
                {"timestamp": written(at), "sampledValue": [{"value": self.meter_wh, "context": context}]},
            ],
        }
        self._sequence += 1
        answer = await self.say("TransactionEvent", said | more)
        if "idToken" in more:
            assert answer["idTokenInfo"]["status"] == "Accepted"
        self.readings.append((at, float(self.meter_wh)))

    def _token(self):
        return {"idToken": "DRIVER", "type": "ISO14443"}


_EVSE = {"id": 1, "connectorId": 1}
_BEGIN, _PERIODIC, _END = "Transaction.Begin", "Sample.Periodic", "Transaction.End"


def assert_kept(narke, tellers, seconds=60):
    """PostgreSQL holds what was answered, each once, and nothing else; all told their stories to the end."""
    names = [teller.identity for teller in tellers]
    narke.wait_for_rows(
        "SELECT 1 FROM transactions WHERE station = ANY(%s) AND ended_at IS NOT NULL",
        names,
        count=len(names),
        seconds=seconds,
    )
    columns = ", ".join(tellers[0].expected_row())
    found = narke.sql(f"SELECT {columns} FROM transactions WHERE station = ANY(%s) ORDER BY station", names)
    assert found == sorted((teller.expected_row() for teller in tellers), key=lambda row: row["station"])
    rows = narke.sql(
        "SELECT station, transaction_id, sampled_at, value FROM meter_readings WHERE station = ANY(%s)", names
    )
    for teller in tellers:
        mine = sorted((row["sampled_at"], row["value"]) for row in rows if row["station"] == teller.identity)
        assert mine == sorted(teller.readings), teller.identity
    assert {row["transaction_id"] for row in rows} == {teller.transaction_id for teller in tellers if teller.readings}
    assert narke.sql("SELECT * FROM bad_entries") == []
