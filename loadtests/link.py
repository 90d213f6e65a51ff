"""A virtual station's WebSocket: calls one at a time, replies by message id, reconnects with back-off.

Frames are written and read here as raw JSON. A call that fails is its caller's business; what must not be lost goes
through the outbox.
"""

import asyncio
import base64
import functools
import itertools
import random
import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from urllib.parse import quote

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from loadtests.statistics import Statistics
from loadtests.wording import Payload

OPEN_S_MAX = 30.0
CLOSE_S_MAX = 2.0
FRAMES_UNREAD_MAX = 64
DESCRIPTION_MAX = 80
"""Characters of a CALLERROR's description that are kept."""

Handler = Callable[[str, Payload], Payload | None]


class Malformed(Exception):  # noqa: N818 (what the peer did, not a fault of ours)
    """A call of the CSMS lacks what its answer needs."""


@dataclass(frozen=True)
class Patience:
    """How long a station waits; times in s.

    Attributes:
        answer_s_max: For the reply to a call.
        backoff_s_min: Before the first attempt to reconnect; it doubles with each failure, with a random part.
        backoff_s_max: Between attempts at most.
        retry_s: Before a boot or a message that failed on a sound connection is repeated, times the attempts so far.
    """

    answer_s_max: float = 30.0
    backoff_s_min: float = 0.5
    backoff_s_max: float = 20.0
    retry_s: float = 2.0

    def backoff_s(self, failures: int, chance: random.Random) -> float:
        """How long to wait after so many failures in a row: half to all of the doubled time."""
        doublings = min(failures, 32)  # 2.0**1024 is an OverflowError
        return min(self.backoff_s_max, self.backoff_s_min * 2.0**doublings) * chance.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Peer:
    """Where the CSMS listens (`url`, without the identity) and as whom a station goes there.

    `password`: for HTTP Basic; None: security profile 0.
    """

    url: str
    identity: str
    password: str | None = None

    @property
    def address(self) -> str:
        """The station's own URL."""
        return f"{self.url.rstrip('/')}/{quote(self.identity, safe='')}"

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the handshake."""
        if self.password is None:
            return {}
        return {"Authorization": f"Basic {base64.b64encode(f'{self.identity}:{self.password}'.encode()).decode()}"}


class Refused(Exception):  # noqa: N818 (what the peer said, not a fault of ours)
    """The CSMS answered with a CALLERROR."""


class Link:
    """The connection of one station.

    Args:
        peer: Where the CSMS is and as whom we go there.
        subprotocol: e.g. `ocpp1.6`.
        handler: Answers the CSMS' calls at once; None as an answer means NotImplemented. May raise `Malformed`.
        chance: Randomness for back-off.
        statistics: Where everything is counted.
        patience: How long it waits for what.
    """

    def __init__(
        self,
        peer: Peer,
        subprotocol: str,
        handler: Handler,
        chance: random.Random,
        statistics: Statistics,
        patience: Patience,
    ) -> None:
        self.patience = patience
        self._peer = peer
        self._subprotocol = subprotocol
        self._handler = handler
        self._chance = chance
        self._statistics = statistics
        self._socket: ClientConnection | None = None
        self._calls: dict[str, asyncio.Future[Payload]] = {}
        self._turn = asyncio.Lock()
        # Not of the seed: ids must differ between runs, or the CSMS takes the second run for repeats of the first.
        self._ids = map(f"{uuid.uuid4().hex[:12]}-{{}}".format, itertools.count(1))
        self._up = asyncio.Event()

    async def run(self) -> None:
        """Keeps the connection up until cancelled."""
        failures = 0
        while True:
            try:
                await self._connect()
                failures = 0
            except (OSError, InvalidHandshake, ConnectionClosed) as error:  # TimeoutError is an OSError
                failures += 1
                self._statistics.connection_failed(_name_of(error), f"{type(error).__name__}: {error}")
            await asyncio.sleep(self.patience.backoff_s(failures, self._chance))

    @property
    def is_up(self) -> bool:
        """Connected now."""
        return self._up.is_set()

    async def up(self) -> None:
        """Waits until connected."""
        await self._up.wait()

    def new_id(self) -> str:
        """A message id that no other message of any run has."""
        return next(self._ids)

    async def ask(self, action: str, payload: Payload, message_id: str | None = None) -> Payload:
        """A call; one is in flight at a time. `message_id`: of the message that this repeats; None: a new one.

        Raises:
            ConnectionError: Not connected, or the connection ended before the reply.
            TimeoutError: No reply in time.
            Refused: CALLERROR.
        """
        async with self._turn:
            return await self._call(action, payload, message_id or self.new_id())

    def drop(self) -> None:
        """Loses the connection without a close frame; from now on it is down."""
        if self._socket is not None:
            self._socket.transport.abort()
        self._lost()

    async def _connect(self) -> None:
        """One connection from handshake to end.

        Raises:
            OSError, InvalidHandshake, ConnectionClosed: It never came up.
        """
        async with connect(
            self._peer.address,
            subprotocols=[Subprotocol(self._subprotocol)],
            additional_headers=self._peer.headers,
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_S_MAX,
            close_timeout=CLOSE_S_MAX,
            max_queue=FRAMES_UNREAD_MAX,
            proxy=None,
            ssl=_tls() if self._peer.url.startswith("wss:") else None,
        ) as socket:
            if socket.subprotocol is None:
                raise ConnectionRefusedError(f"{self._peer.address} does not speak {self._subprotocol}")
            self._socket = socket
            self._statistics.connected(self._subprotocol, 1)
            self._up.set()
            try:
                while True:
                    await self._receive(socket, await socket.recv(decode=False))
            except ConnectionClosed:
                return
            except asyncio.CancelledError:
                await socket.close(CloseCode.GOING_AWAY)  # left to itself it would say 1011, an error of ours
                raise
            finally:
                self._statistics.connected(self._subprotocol, -1)
                self._lost()

    def _lost(self) -> None:
        self._up.clear()
        self._socket = None
        for call in self._calls.values():
            if not call.done():
                call.set_exception(ConnectionResetError("the connection ended"))
        self._calls.clear()

    async def _receive(self, socket: ClientConnection, frame: bytes) -> None:
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            message = None
        match message:
            case [2, str(message_id), str(action), dict(payload)]:
                await socket.send(orjson.dumps(self._answer(message_id, action, payload)), text=True)
            case [3, str(message_id), dict(payload)]:
                self._resolve(message_id, payload)
            case [4, str(message_id), str(code), *rest]:
                description = str(rest[0])[:DESCRIPTION_MAX] if rest else ""
                self._resolve(message_id, Refused(f"{code}: {description}" if description else code))
            case _:
                self._statistics.count("frames not understood")

    def _resolve(self, message_id: str, result: Payload | Refused) -> None:
        call = self._calls.pop(message_id, None)
        if call is None or call.done():
            self._statistics.count("replies to nothing")
        elif isinstance(result, Refused):
            call.set_exception(result)
        else:
            call.set_result(result)

    def _answer(self, message_id: str, action: str, payload: Payload) -> list[Any]:
        self._statistics.count(f"commands {action}")
        try:
            answer = self._handler(action, payload)
        except Malformed as error:
            return [4, message_id, "ProtocolError", str(error), {}]
        if answer is None:
            return [4, message_id, "NotImplemented", f"{action} is not known here", {}]
        return [3, message_id, answer]

    async def _call(self, action: str, payload: Payload, message_id: str) -> Payload:
        socket = self._socket
        if socket is None:
            raise ConnectionResetError("not connected")
        reply: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._calls[message_id] = reply
        began = perf_counter()
        try:
            async with asyncio.timeout(self.patience.answer_s_max):
                await socket.send(orjson.dumps([2, message_id, action, payload]), text=True)
                answer = await reply
        except ConnectionClosed as error:
            raise ConnectionResetError("the connection ended") from error
        except TimeoutError:
            self._statistics.failed(action, "timeout", perf_counter() - began)
            raise
        except Refused as error:
            self._statistics.failed(action, str(error), perf_counter() - began)
            raise
        finally:
            self._calls.pop(message_id, None)
            if not reply.cancel() and not reply.cancelled():
                reply.exception()  # seen, whoever else raised first
        self._statistics.answered(action, perf_counter() - began)
        return answer


def _name_of(error: Exception) -> str:
    return f"HTTP {error.response.status_code}" if isinstance(error, InvalidStatus) else type(error).__name__


@functools.cache
def _tls() -> ssl.SSLContext:
    """One for all: each costs the reading of all root certificates."""
    return ssl.create_default_context()
