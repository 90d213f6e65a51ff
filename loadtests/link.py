"""A virtual station's WebSocket: calls one at a time and in order, replies by message id, reconnects with back-off.

Frames are written and read here as raw JSON. What a station must not lose (transaction messages) goes through
`tell`: it is kept until it was answered, across connections, as real stations do.
"""

import asyncio
import base64
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from urllib.parse import quote

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from loadtests.statistics import Statistics
from loadtests.wording import Payload

ANSWER_S_MAX = 30.0
BACKOFF_S_MIN = 0.5
BACKOFF_S_MAX = 20.0
UNSENT_MAX = 1_000

Handler = Callable[[str, Payload], Awaitable[Payload | None]]


@dataclass(frozen=True)
class Peer:
    """Where the CSMS listens (`url`, without the identity) and as whom a station goes there.

    `password`: for HTTP Basic; None: security profile 0.
    """

    url: str
    identity: str
    password: str | None = None


class Refused(Exception):  # noqa: N818 (what the peer said, not a fault of ours)
    """The CSMS answered with a CALLERROR."""


class Link:
    """The connection of one station.

    Args:
        peer: Where the CSMS is and as whom we go there.
        subprotocol: e.g. `ocpp1.6`.
        handler: Answers the CSMS' calls; None as an answer means NotImplemented.
        chance: Randomness for back-off and message ids.
        statistics: Where everything is counted.
    """

    def __init__(
        self, peer: Peer, subprotocol: str, handler: Handler, chance: random.Random, statistics: Statistics
    ) -> None:
        self._url = f"{peer.url.rstrip('/')}/{quote(peer.identity, safe='')}"
        self._identity = peer.identity
        self._subprotocol = subprotocol
        self._password = peer.password
        self._handler = handler
        self._chance = chance
        self._statistics = statistics
        self._socket: ClientConnection | None = None
        self._calls: dict[str, asyncio.Future[Payload]] = {}
        self._turn = asyncio.Lock()
        self._ids = itertools.count(1)
        self._prefix = f"{chance.getrandbits(32):08x}"
        self._unsent: deque[tuple[Callable[[], tuple[str, Payload]], Callable[[Payload], None]]] = deque()
        self._has_unsent = asyncio.Event()
        self._up = asyncio.Event()
        self._answers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Keeps the connection up until cancelled."""
        sender = asyncio.create_task(self._send_unsent())
        attempt = 0
        try:
            while True:
                try:
                    await self._connected()
                    attempt = 0
                except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError) as error:
                    self._statistics.connection_failed(error)
                    attempt += 1
                await asyncio.sleep(self._backoff_s(attempt))
        finally:
            sender.cancel()

    async def up(self) -> None:
        """Waits until connected."""
        await self._up.wait()

    async def ask(self, action: str, payload: Payload) -> Payload:
        """A call whose reply matters now.

        Raises:
            ConnectionError: Not connected, or the connection ended before the reply.
            TimeoutError: No reply in time.
            Refused: CALLERROR.
        """
        async with self._turn:
            return await self._call(action, payload)

    def tell(self, words: Callable[[], tuple[str, Payload]], answered: Callable[[Payload], None]) -> None:
        """A message that must not be lost: sent in order, again after every failure, until it is answered.

        `words` is called when it is sent, for a 1.6 transaction's number is known only when the start was answered.
        """
        if len(self._unsent) >= UNSENT_MAX:
            self._statistics.count("queue overflows")
            self._unsent.popleft()
        self._unsent.append((words, answered))
        self._has_unsent.set()

    def drop(self) -> None:
        """Loses the connection without a close frame."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _connected(self) -> None:
        headers = {}
        if self._password is not None:
            token = _base64(f"{self._identity}:{self._password}")
            headers["Authorization"] = f"Basic {token}"
        async with connect(
            self._url,
            subprotocols=[Subprotocol(self._subprotocol)],
            additional_headers=headers,
            compression=None,
            ping_interval=None,
            open_timeout=30,
            close_timeout=2,
            max_queue=None,
            proxy=None,
        ) as socket:
            if socket.subprotocol is None:
                raise ConnectionRefusedError(f"{self._url} does not speak {self._subprotocol}")
            self._socket = socket
            self._statistics.connected(self._subprotocol, 1)
            self._up.set()
            try:
                async for frame in socket:
                    self._received(frame)
            finally:
                self._up.clear()
                self._socket = None
                self._statistics.connected(self._subprotocol, -1)
                for call in self._calls.values():
                    if not call.done():
                        call.set_exception(ConnectionResetError("the connection ended"))
                self._calls.clear()

    def _received(self, frame: str | bytes) -> None:
        message = orjson.loads(frame)
        match message:
            case [2, str(message_id), str(action), dict(payload)]:
                task = asyncio.create_task(self._answer(message_id, action, payload))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)
            case [3, str(message_id), dict(payload)]:
                self._resolve(message_id, payload)
            case [4, str(message_id), str(code), *rest]:
                self._resolve(message_id, Refused(f"{code}: {rest[0] if rest else ''}"))
            case _:
                self._statistics.count("frames not understood")

    def _resolve(self, message_id: str, result: Payload | Refused) -> None:
        call = self._calls.pop(message_id, None)
        if call is None:
            self._statistics.count("replies to nothing")
        elif not call.done():
            if isinstance(result, Refused):
                call.set_exception(result)
            else:
                call.set_result(result)

    async def _answer(self, message_id: str, action: str, payload: Payload) -> None:
        self._statistics.count(f"commands {action}")
        answer = await self._handler(action, payload)
        frame: list[Any] = [3, message_id, answer]
        if answer is None:
            frame = [4, message_id, "NotImplemented", f"{action} is not known here", {}]
        if self._socket is not None:
            try:
                await self._socket.send(orjson.dumps(frame).decode())
            except ConnectionClosed:
                self._statistics.count("answers not sent")

    async def _call(self, action: str, payload: Payload) -> Payload:
        socket = self._socket
        if socket is None:
            raise ConnectionResetError("not connected")
        message_id = f"{self._prefix}-{next(self._ids)}"
        reply: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._calls[message_id] = reply
        began = perf_counter()
        try:
            await socket.send(orjson.dumps([2, message_id, action, payload]).decode())
            answer = await asyncio.wait_for(reply, ANSWER_S_MAX)
        except ConnectionClosed as error:
            raise ConnectionResetError("the connection ended") from error
        except TimeoutError:
            self._statistics.failed(action, "timeout")
            raise
        except Refused as error:
            self._statistics.failed(action, str(error))
            raise
        finally:
            self._calls.pop(message_id, None)
        self._statistics.answered(action, perf_counter() - began)
        return answer

    async def _send_unsent(self) -> None:
        while True:
            await self._has_unsent.wait()
            while self._unsent:
                await self._up.wait()
                words, answered = self._unsent[0]
                try:
                    answer = await self.ask(*words())
                except (OSError, TimeoutError):
                    await asyncio.sleep(BACKOFF_S_MIN)
                    continue
                except Refused:
                    answer = {}
                self._unsent.popleft()
                answered(answer)
            self._has_unsent.clear()

    def _backoff_s(self, attempt: int) -> float:
        return min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2.0**attempt) * self._chance.uniform(0.5, 1.0)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
