"""Fuzzing through a real socket: a station that says anything at all to a CSMS and looks at what comes back.

The socket must stay open whatever is said, but for what RFC 6455 closes: text that is no UTF-8 (1007) and messages that
are too large (1009). After every few frames a Heartbeat is said, and must be answered.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from loadtests.fuzz.frames import Corpus, Frames, OpenCall

SUBPROTOCOL_OF_VERSION = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
FRAMES_PER_BEAT = 25
_BEAT_S_MAX = 30.0
_NOT_UTF_8, _TOO_LARGE = 1007, 1009
_OPEN_ERRORS = (OSError, InvalidHandshake, TimeoutError)
_RESULT, _ERROR, _RESULT_ERROR = 3, 4, 5


@dataclass
class Talk:
    """What came of it. `answers`: CALLRESULT or an error code -> frames; `closes`: WebSocket close code -> times."""

    version: str
    frames: int = 0
    beats: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    closes: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Refused(Exception):  # noqa: N818 (it names what happened)
    """The CSMS cannot be reached, or does not let the station in. The message says where and why."""


async def talk(
    url: str,
    version: str,
    favoured: Sequence[str],
    *,
    frames: int,
    seed: int,
    on_frame: Callable[[], None] = lambda: None,
) -> Talk:
    """Says so many frames.

    Args:
        url: Of the station: endpoint and identity.
        version: 1.6, 2.0.1 or 2.1.
        favoured: Actions that most calls are of, those that stations start.
        frames: How many.
        seed: Of what is said.
        on_frame: Called after each, for progress.

    Raises:
        Refused: No connection came about.
    """
    talker = _Talker(url, Talk(version), Frames(Corpus(version), Random(seed), favoured))
    await talker.run(frames, on_frame)
    return talker.told


class _Talker:
    def __init__(self, url: str, told: Talk, frames: Frames) -> None:
        self.told = told
        self._url = url
        self._frames = frames
        self._socket: ClientConnection | None = None
        self._asked: OpenCall | None = None

    async def run(self, count: int, on_frame: Callable[[], None]) -> None:
        said: list[bytes] = []
        try:
            for number in range(count):
                data = self._frames.draw(self._asked).data
                said.append(data)
                await self._say(data)
                if number % FRAMES_PER_BEAT == FRAMES_PER_BEAT - 1 or number == count - 1:
                    await self._beat(said)
                    said.clear()
                self.told.frames += 1
                on_frame()
        finally:
            if self._socket is not None:
                await self._socket.close()

    async def _open(self) -> ClientConnection:
        if self._socket is None:
            try:
                self._socket = await connect(
                    self._url,
                    subprotocols=[SUBPROTOCOL_OF_VERSION[self.told.version]],  # type: ignore[list-item]  # a NewType of str
                    compression=None,
                    ping_interval=None,
                    proxy=None,
                    max_size=None,
                )
            except _OPEN_ERRORS as error:
                raise Refused(f"no connection to {self._url}: {str(error) or type(error).__name__}") from error
        return self._socket

    async def _say(self, data: bytes) -> None:
        """One text message. What is no UTF-8 must end the connection, and a new one begins."""
        socket = await self._open()
        try:
            data.decode()
        except UnicodeDecodeError:
            await self._end_with(socket, data, _NOT_UTF_8)
            return
        try:
            await socket.send(data, text=True)
        except ConnectionClosed:
            self._closed(socket, data)

    async def _end_with(self, socket: ClientConnection, data: bytes, code: int) -> None:
        """Says what must end the connection, and reads until it has."""
        try:
            await socket.send(data, text=True)
            async with asyncio.timeout(_BEAT_S_MAX):
                while True:
                    self._heard(await socket.recv())
        except ConnectionClosed:
            self._socket = self._asked = None
            self.told.closes[socket.close_code or 0] += 1
            if socket.close_code != code:
                self._fail(f"closed with {socket.close_code} where {code} belongs", data)
        except TimeoutError:
            self._fail(f"no close with {code} within {_BEAT_S_MAX:g} s", data)

    async def _beat(self, said: Sequence[bytes]) -> None:
        """A Heartbeat must be answered, whatever was said before; everything else is counted on the way."""
        self.told.beats += 1
        socket = await self._open()
        message_id = f"beat-{self.told.beats}"
        try:
            await socket.send(orjson.dumps([2, message_id, "Heartbeat", {}]), text=True)
            async with asyncio.timeout(_BEAT_S_MAX):
                while self._heard(await socket.recv()) != message_id:
                    pass
        except ConnectionClosed:
            self._closed(socket, b"\n".join(said))
        except TimeoutError:
            self._fail(f"a Heartbeat was not answered within {_BEAT_S_MAX:g} s", b"\n".join(said))

    def _closed(self, socket: ClientConnection, data: bytes) -> None:
        self._socket = self._asked = None
        self.told.closes[socket.close_code or 0] += 1
        if socket.close_code != _TOO_LARGE:
            self._fail(f"closed with {socket.close_code} {socket.close_reason!r}", data)

    def _heard(self, text: str | bytes) -> str:
        """Counts an answer, or remembers what the CSMS wants; the message id."""
        frame: list[Any] = orjson.loads(text)
        match frame[0]:
            case 2:
                self._asked = OpenCall(frame[1], frame[2])
            case 3:
                self.told.answers["CALLRESULT"] += 1
            case 4 | 5:
                self.told.answers[frame[2]] += 1
                if frame[2] == "InternalError" or len(frame) != 5 or not frame[3]:
                    self._fail("answered with what no station should hear", orjson.dumps(frame))
            case _:
                self._fail("answered with no frame of OCPP", orjson.dumps(frame))
        return str(frame[1])

    def _fail(self, what: str, data: bytes) -> None:
        self.told.failures.append(f"{what}: {data[:2_000].decode(errors='backslashreplace')}")
