"""A station's connection: kept up, calls one at a time, replies by message id, commands handed on.

One greenlet keeps it up and reads; another, short-lived one introduces the station after each connect.
"""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Any

import orjson

from loadtests.swarm.channel import Channel, ConnectFailed, ConnectionLost, Door, open_channel
from loadtests.swarm.greenlets import AsyncResult, BoundedSemaphore, Event, sleep, spawn
from loadtests.swarm.samples import COMMAND, CONNECT, LOST, CallFailed, Cut, NoReply, Refused, Report, Sample
from loadtests.swarm.words import Payload

BACKOFF_S_MIN = 0.5
BACKOFF_S_MAX = 20.0
DESCRIPTION_MAX = 80
READY_S_MAX = 120.0
"""A station waits so long for its connection before it gives a message up."""


@dataclass(frozen=True)
class Callee:
    """The station behind the connection.

    Attributes:
        introduce: Called in a greenlet of its own after each connect; the connection is ready when it returns.
        obey: Answers a command: its payload, None for NotImplemented, and what to do after the answer is sent.
    """

    introduce: Callable[[], None]
    obey: Callable[[str, Payload], tuple[Payload | None, Callable[[], None]]]


class Connection:
    """See the module.

    Args:
        door: Where.
        identity: Who.
        subprotocol: e.g. `ocpp1.6`.
        report: Where all that is measured goes.
        chance: Randomness for back-off.
    """

    def __init__(self, door: Door, identity: str, subprotocol: str, report: Report, chance: Random) -> None:
        self.identity = identity
        self.kind = subprotocol.upper()
        self._door = door
        self._subprotocol = subprotocol
        self._report = report
        self._chance = chance
        self._callee: Callee | None = None
        self._channel: Channel | None = None
        self._pending: dict[str, AsyncResult[tuple[float, int, list[Any]]]] = {}
        self._turn = BoundedSemaphore(1)
        self._ready = Event()
        self._ids = map(f"{uuid.uuid4().hex[:16]}-{{}}".format, itertools.count(1))
        self._away_until = 0.0
        self._cut = False
        self._frames_per_s: float | None = None

    # For the station

    def keep_up(self, callee: Callee) -> None:
        """Connects, reads, and connects again, until its greenlet is killed."""
        self._callee = callee
        failures = 0
        while True:
            self._stay_away()
            channel = self._connect()
            if channel is None:
                sleep(self._backoff_s(failures))
                failures += 1
                continue
            self._channel, self._cut = channel, False
            introduction = spawn(self._introduce, callee, channel)
            try:
                failures = self._read(channel, failures)
            finally:
                introduction.kill(block=False)
                self._fall(channel)
            if not self._cut:
                sleep(self._backoff_s(failures))

    def end(self) -> None:
        """Says goodbye."""
        self._cut = True
        if self._channel is not None:
            self._channel.close()

    def cut(self, away_s: float) -> None:
        """Loses the connection as if the network failed; the station is back no sooner than `away_s` from now."""
        self._cut = True
        self._ready.clear()
        self._away_until = max(self._away_until, perf_counter() + away_s)
        if self._channel is not None:
            self._channel.abort()

    def read_slowly(self, frames_per_s: float) -> None:
        """Takes so few frames a second from now on, on this connection and the next ones."""
        self._frames_per_s = frames_per_s
        self.kind = f"{self._subprotocol.upper()} slow"
        if self._channel is not None:
            self._channel.read_slowly()

    @property
    def is_ready(self) -> bool:
        """Connected and introduced."""
        return bool(self._ready.is_set())

    def wait_ready(self) -> None:
        """Waits until connected and introduced.

        Raises:
            NoReply: For too long.
        """
        if not self._ready.wait(READY_S_MAX):
            raise NoReply(f"not connected for {READY_S_MAX:g} s")

    def new_id(self) -> str:
        """A message id that no message of any run has."""
        return next(self._ids)

    def ask(self, action: str, payload: Payload, message_id: str | None = None) -> Payload:
        """A call, as soon as the connection is ready and no other is in flight. None: a new message id.

        Raises:
            CallFailed: It got no CALLRESULT; reported already unless it is `Cut`.
        """
        self.wait_ready()
        with self._turn:
            return self._call(action, payload, message_id or self.new_id())

    def ask_first(self, action: str, payload: Payload) -> Payload:
        """As `ask`, before the connection is ready: for `introduce`.

        Raises:
            CallFailed: As `ask`.
        """
        with self._turn:
            return self._call(action, payload, self.new_id())

    def shout(self, action: str, payload: Payload) -> bool:
        """A call whose reply nobody waits for; returns whether it went out."""
        channel = self._channel
        try:
            if channel is not None and self._ready.is_set():
                channel.send(orjson.dumps([2, self.new_id(), action, payload]))
                return True
        except ConnectionLost:
            pass  # the reader learns it too
        return False

    # Keeping up

    def _stay_away(self) -> None:
        while (away_s := self._away_until - perf_counter()) > 0:
            sleep(away_s)

    def _backoff_s(self, failures: int) -> float:
        doubled_s: float = min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2.0 ** min(failures, 10))
        return doubled_s * self._chance.uniform(0.5, 1.0)

    def _connect(self) -> Channel | None:
        began = perf_counter()
        try:
            channel = open_channel(self._door, self.identity, self._subprotocol)
        except ConnectFailed as error:
            self._report(Sample(self.kind, CONNECT, (perf_counter() - began) * 1e3, error=error))
            return None
        self._report(Sample(self.kind, CONNECT, (perf_counter() - began) * 1e3))
        if self._frames_per_s is not None:
            channel.read_slowly()
        return channel

    def _introduce(self, callee: Callee, channel: Channel) -> None:
        callee.introduce()
        if self._channel is channel:  # or the connection fell while it was introduced
            self._ready.set()

    def _read(self, channel: Channel, failures: int) -> int:
        """Until the connection ends; returns the failures in a row so far, 0 once it was ready."""
        try:
            while True:
                message = channel.receive()
                self._take(channel, message, perf_counter())
                if self._frames_per_s is not None:
                    sleep(1.0 / self._frames_per_s)
        except ConnectionLost as error:
            if not self._cut:
                self._report(Sample(self.kind, LOST, 0.0, error=error))
        return 0 if self._ready.is_set() else failures + 1

    def _fall(self, channel: Channel) -> None:
        self._ready.clear()
        self._channel = None
        channel.abort()
        pending, self._pending = self._pending, {}
        for reply in pending.values():
            reply.set_exception(Cut("by the swarm") if self._cut else NoReply("the connection was lost"))

    # Frames

    def _call(self, action: str, payload: Payload, message_id: str) -> Payload:
        channel = self._channel
        if channel is None:
            raise Cut("not connected")
        reply: AsyncResult[tuple[float, int, list[Any]]] = AsyncResult()
        self._pending[message_id] = reply
        text = orjson.dumps([2, message_id, action, payload])
        began = perf_counter()
        try:
            channel.send(text)
            reply.wait(self._door.answer_s_max)  # not get(timeout=): its Timeout looks like one of the caller's
            if not reply.ready():
                raise NoReply(f"timeout: nothing within {self._door.answer_s_max:g} s")  # noqa: TRY301 (caught beside the others)
            received, size, frame = reply.get()
        except Cut:
            raise
        except (NoReply, ConnectionLost) as error:
            if self._cut:
                raise Cut("by the swarm") from None
            raise self._failed(action, began, _no_reply(error)) from None
        finally:
            self._pending.pop(message_id, None)
        took_ms = (received - began) * 1e3
        if frame[0] == 3 and isinstance(frame[2], dict):
            self._report(Sample(self.kind, action, took_ms, size))
            return frame[2]
        raise self._failed(action, began, _refusal(frame), received, size)

    def _failed(
        self, action: str, began: float, error: CallFailed, received: float | None = None, size: int = 0
    ) -> CallFailed:
        ended = perf_counter() if received is None else received
        self._report(Sample(self.kind, action, (ended - began) * 1e3, size, error))
        return error

    def _take(self, channel: Channel, message: bytes, received: float) -> None:
        try:
            frame = orjson.loads(message)
            kind, message_id = frame[0], frame[1]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            self._report(Sample(self.kind, "(malformed frame)", 0.0, len(message), CallFailed("no OCPP-J frame")))
            return
        if kind == 2:
            self._command(channel, frame, received)
        elif kind in {3, 4} and len(frame) >= 3:
            reply = self._pending.pop(message_id, None)
            if reply is not None:
                reply.set((received, len(message), frame))

    def _command(self, channel: Channel, frame: list[Any], received: float) -> None:
        if self._callee is None or len(frame) < 4:
            return
        _, message_id, action, payload = frame[:4]
        answer, deed = self._callee.obey(action, payload)
        if answer is None:
            text = orjson.dumps([4, message_id, "NotImplemented", f"{action} is not known here", {}])
        else:
            text = orjson.dumps([3, message_id, answer])
        error = None if answer is not None else Refused("NotImplemented: the swarm does not know it")
        channel.send(text)
        self._report(Sample(COMMAND, action, (perf_counter() - received) * 1e3, len(text), error))
        deed()


def _no_reply(error: NoReply | ConnectionLost) -> NoReply:
    if isinstance(error, NoReply):
        return error
    return NoReply(f"the connection was lost: {error}")


def _refusal(frame: list[Any]) -> Refused:
    if frame[0] != 4:
        return Refused("a CALLRESULT without an object")
    description = str(frame[3])[:DESCRIPTION_MAX] if len(frame) > 3 else ""
    return Refused(f"{frame[2]}: {description}" if description else str(frame[2]))
