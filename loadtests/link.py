"""A virtual station's WebSocket: calls one at a time, replies by message id, reconnects with back-off.

Frames are written and read here as raw JSON. A call that fails is its caller's business; what must not be lost goes
through the outbox.
"""

import asyncio
import base64
import contextlib
import itertools
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Protocol
from urllib.parse import quote

import orjson
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.frames import CloseCode
from websockets.typing import BytesLike
from websockets.uri import parse_uri

from loadtests.behaviour import GOOD, Behaviour
from loadtests.replies import Refused, Replies
from loadtests.statistics import Statistics
from loadtests.wire import CLOSE_S_MAX, Handshake, Wire, open_wire
from loadtests.wording import Payload

__all__ = ["Handler", "Link", "Malformed", "Observer", "Patience", "Peer", "Refused"]

DESCRIPTION_MAX = 80
"""Characters of a CALLERROR's description that are kept."""
ANSWERS_LATE_MAX = 64
"""Answers of a slow station that wait for their time, at once."""

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
        jitter: Whether up to half of the back-off is left out at random, so that not all come back at once.
    """

    answer_s_max: float = 30.0
    backoff_s_min: float = 0.5
    backoff_s_max: float = 20.0
    retry_s: float = 2.0
    jitter: bool = True

    def backoff_s(self, failures: int, chance: random.Random) -> float:
        """How long to wait after so many failures in a row: half to all of the doubled time, all without jitter."""
        doublings = min(failures, 32)  # 2.0**1024 is an OverflowError
        wait_s = min(self.backoff_s_max, self.backoff_s_min * 2.0**doublings)
        return wait_s * chance.uniform(0.5, 1.0) if self.jitter else wait_s


@dataclass(frozen=True)
class Peer:
    """Where the CSMS listens (`url`, without the identity) and as whom a station goes there.

    `password`: for HTTP Basic; None: security profile 0. `source`: the address to come from; None: the kernel's choice.
    """

    url: str
    identity: str
    password: str | None = None
    source: str | None = None

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


class Observer(Protocol):
    """Whoever keeps a book of what the CSMS acknowledged."""

    def on_answered(self, identity: str, action: str, payload: Payload, reply: Payload) -> None:
        """A call of the station got its CALLRESULT; both as JSON objects, not to be changed."""


class Link:
    """The connection of one station; a `behaviour.Line` and a `wire.Listener`.

    Args:
        peer: Where the CSMS is and as whom we go there.
        subprotocol: e.g. `ocpp1.6`.
        handler: Answers the CSMS' calls at once; None as an answer means NotImplemented. May raise `Malformed`.
        chance: Randomness for back-off.
        statistics: Where everything is counted.
        patience: How long it waits for what.
        observer: Is told of each call that got its reply, before the caller is.
        behaviour: What the connection does.
    """

    def __init__(  # noqa: PLR0913 (the last two have defaults that suit almost everybody)
        self,
        peer: Peer,
        subprotocol: str,
        handler: Handler,
        chance: random.Random,
        statistics: Statistics,
        patience: Patience,
        *,
        observer: Observer | None = None,
        behaviour: Behaviour = GOOD,
    ) -> None:
        self.patience = patience
        self.identity = peer.identity
        self._peer = replace(peer, password=behaviour.password(peer.password))
        self._subprotocol = behaviour.subprotocol(subprotocol)
        self._handler = handler
        self._chance = chance
        self._statistics = statistics
        self._observer = observer
        self._behaviour = behaviour
        self._wire: Wire | None = None
        self._vanished: list[Wire] = []
        self._ended: asyncio.Future[None] | None = None
        self._replies = Replies(statistics)
        self._answers_late = 0
        self._away_until = 0.0
        self._turn = asyncio.Semaphore(behaviour.depth)
        # Not of the seed: ids must differ between runs, or the CSMS takes the second run for repeats of the first.
        self._ids = map(f"{uuid.uuid4().hex[:12]}-{{}}".format, itertools.count(1))
        self._up = asyncio.Event()
        self.on_up: Callable[[str], None] | None = None
        """Is told the identity at each connection; None: nobody is."""

    # For the station

    async def run(self) -> None:
        """Keeps the connection up until cancelled."""
        beside = self._behaviour.while_running(self, self._chance)
        if beside is None:
            await self._keep_up()
            return
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_up())
                group.create_task(beside)
        finally:
            for wire in self._vanished:
                wire.abort()

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
        wire = self._wire
        self.wire_down()
        if wire is not None:
            wire.abort()

    def obey(self, action: str, payload: Payload) -> Payload | None:
        """The station does what it would do had the CSMS asked; returns its answer, None: it does not know the action.

        Raises:
            Malformed: A field is missing or of a wrong type.
        """
        return self._handler(action, payload)

    # For behaviours and scenarios

    def stay_away(self, seconds: float) -> None:
        """Loses the connection and makes none for so long."""
        self._away_until = asyncio.get_running_loop().time() + seconds
        self.drop()

    def vanish(self, seconds: float) -> None:
        """Forgets the connection and leaves it open, unread, for so long: the CSMS gets neither FIN nor pong."""
        wire = self._wire
        if wire is not None:
            wire.vanish(seconds)
            self._vanished = [*(each for each in self._vanished if not each.gone), wire]
            self.wire_down()
            self.wire_lost()

    def read_slowly(self, frames_per_s: float) -> None:
        """Takes so many frames a second from now on; 0.0: none, until TCP's window is shut."""
        if self._wire is not None:
            self._wire.read_slowly(frames_per_s)

    def send_raw(self, frame: str | bytes, message_id: str | None = None) -> bool:
        """Sends anything: text, or bytes as a binary frame; returns whether it went out."""
        wire = self._wire
        if wire is None or not wire.takes:
            return False
        if message_id is not None:
            self._replies.expect_aside(message_id, None)
        return wire.send_binary(frame) if isinstance(frame, bytes) else wire.send(frame.encode())

    async def fight(self, seconds: float) -> None:
        """Connects once more under the same identity, and stays until it is thrown out or the time is over."""
        rival = Link(self._peer, self._subprotocol, lambda *_: None, self._chance, Statistics(), self.patience)
        with contextlib.suppress(OSError, InvalidHandshake):  # TimeoutError is an OSError
            async with asyncio.timeout(seconds):
                await rival.connect_once()

    def count(self, event: str) -> None:
        """Counts under a name."""
        self._statistics.count(event)

    # Connecting

    async def _keep_up(self) -> None:
        failures = 0
        while True:
            away_s = self._away_until - asyncio.get_running_loop().time()
            if away_s > 0.0:
                await asyncio.sleep(away_s)
            try:
                await self.connect_once()
                failures = 0
            except (OSError, InvalidHandshake) as error:  # TimeoutError is an OSError
                failures += 1
                self._failed_to_connect(error)
            await asyncio.sleep(self.patience.backoff_s(failures, self._chance))

    async def connect_once(self) -> None:
        """One connection from handshake to end.

        Raises:
            OSError, InvalidHandshake: It never came up.
        """
        peer = self._peer
        ended = self._ended = asyncio.get_running_loop().create_future()
        handshake = Handshake(parse_uri(peer.address), self._subprotocol, peer.headers, peer.source)
        began = perf_counter()
        wire = await open_wire(handshake, self)
        self._statistics.connecting.add(perf_counter() - began)
        if wire.subprotocol is None:
            wire.close(CloseCode.NORMAL_CLOSURE)
            raise ConnectionRefusedError(f"{peer.address} does not speak {self._subprotocol}")
        if self._away_until > asyncio.get_running_loop().time():
            self.drop()
        try:
            await ended
        except asyncio.CancelledError:
            wire.close(CloseCode.GOING_AWAY)
            if not wire.gone:
                ended = self._ended = asyncio.get_running_loop().create_future()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_S_MAX):
                        await ended
            wire.abort()
            raise
        finally:
            self._statistics.connected(self._subprotocol, -1)
            self.wire_down()

    def _failed_to_connect(self, error: Exception) -> None:
        name = _name_of(error)
        if self._behaviour.admitted:
            self._statistics.connection_failed(name, f"{type(error).__name__}: {error}")
        else:
            self._statistics.count(f"turned away: {name}")

    # From the wire

    def wire_opened(self, wire: Wire) -> None:
        """Messages may come and go."""
        if wire.subprotocol is None:
            return
        self._wire = wire
        self._statistics.connected(self._subprotocol, 1)
        if not self._behaviour.admitted:
            self._statistics.count("let in, though it must not be")
        self._up.set()
        if self.on_up is not None:
            self.on_up(self.identity)
        self._behaviour.on_connected(self)

    def wire_down(self) -> None:
        """Nothing goes any more."""
        self._up.clear()
        self._wire = None
        self._replies.fail()

    def wire_lost(self) -> None:
        """The next connection may be made."""
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def wire_message(self, message: BytesLike) -> None:
        """A frame of the CSMS."""
        try:
            frame = orjson.loads(message)
        except orjson.JSONDecodeError:
            frame = None
        match frame:
            case [3, str(message_id), dict(payload)]:
                self._replies.resolve(message_id, payload)
            case [2, str(message_id), str(action), dict(payload)]:
                self._answer(message_id, action, payload)
            case [4, str(message_id), str(code), *rest]:
                description = str(rest[0])[:DESCRIPTION_MAX] if rest else ""
                self._replies.resolve(message_id, Refused(f"{code}: {description}" if description else code))
            case _:
                self._statistics.count("frames not understood")

    # The calls of the CSMS

    def _answer(self, message_id: str, action: str, payload: Payload) -> None:
        self._statistics.count(f"commands {action}")
        text = orjson.dumps(_answer_to(self._handler, message_id, action, payload))
        wire = self._wire
        delay_s = self._behaviour.answer_delay_s(self._chance)
        if wire is None or delay_s is None:
            return
        if delay_s == 0.0:
            wire.send(text)
        elif self._answers_late < ANSWERS_LATE_MAX:
            self._answers_late += 1
            asyncio.get_running_loop().call_later(delay_s, self._answer_late, wire, text)
        else:
            self._statistics.count("commands that a slow station forgot")

    def _answer_late(self, wire: Wire, text: bytes) -> None:
        self._answers_late -= 1
        wire.send(text)

    # The station's calls

    async def _call(self, action: str, payload: Payload, message_id: str) -> Payload:
        text = orjson.dumps([2, message_id, action, payload])
        repeats = self._behaviour.repeats
        began = perf_counter()
        wire = self._wire
        if wire is None or not wire.send(text):
            raise ConnectionResetError("not connected")
        reply = self._replies.expect(message_id)
        if repeats:
            self._replies.expect_aside(message_id, None)
            wire.send(text)
        timer = asyncio.get_running_loop().call_later(self.patience.answer_s_max, _time_out, reply)
        try:
            answer = await reply
        except TimeoutError:
            self._statistics.failed(action, "timeout", perf_counter() - began)
            raise
        except Refused as error:
            self._statistics.failed(action, str(error), perf_counter() - began)
            raise
        finally:
            timer.cancel()
            self._replies.forget(message_id)
        self._statistics.answered(action, perf_counter() - began)
        if self._observer is not None:
            self._observer.on_answered(self.identity, action, payload, answer)
        if repeats:
            self._say_again(action, payload, answer)
        return answer

    def _say_again(self, action: str, payload: Payload, answer: Payload) -> None:
        """A third copy, under a new id."""
        if self._wire is not None:
            message_id = self.new_id()
            self._replies.expect_aside(message_id, answer)
            self._wire.send(orjson.dumps([2, message_id, action, payload]))


def _answer_to(handler: Handler, message_id: str, action: str, payload: Payload) -> list[Any]:
    """The frame that answers a call."""
    try:
        answer = handler(action, payload)
    except Malformed as error:
        return [4, message_id, "ProtocolError", str(error), {}]
    if answer is None:
        return [4, message_id, "NotImplemented", f"{action} is not known here", {}]
    return [3, message_id, answer]


def _time_out(reply: "asyncio.Future[Payload]") -> None:
    if not reply.done():
        reply.set_exception(TimeoutError("no reply in time"))


def _name_of(error: Exception) -> str:
    return f"HTTP {error.response.status_code}" if isinstance(error, InvalidStatus) else type(error).__name__
