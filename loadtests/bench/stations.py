"""One station of the generator: a connection that boots in peace and then, under load, sends MeterValues as told.

Coming up uses futures; under load there are none: a reply leads straight to the next message.
"""

import asyncio
import ssl
from collections.abc import Callable
from random import Random
from time import gmtime, perf_counter, strftime, time
from typing import Any, Protocol, cast

import orjson
from websockets.frames import CloseCode, Opcode

from loadtests.bench import credentials, wire

Payload = dict[str, Any]

ANSWERS: dict[str, Payload] = {
    "GetConfiguration": {"configurationKey": [], "unknownKey": []},
    "TriggerMessage": {"status": "Accepted"},
    "ChangeAvailability": {"status": "Accepted"},
    "SetChargingProfile": {"status": "Accepted"},
}
"""What a station answers to the CSMS' calls; anything else is NotImplemented."""


class Refused(Exception):  # noqa: N818 (what the peer said)
    """A call was answered with a CALLERROR or in a way that ends the station's way up."""


class Crew(Protocol):
    """Whom stations report to."""

    def answered(self, station: "Station") -> None:
        """The MeterValues that it had in flight was answered."""

    def failed(self, station: "Station", why: str) -> None:
        """The MeterValues that it had in flight was refused, or will never be answered."""

    def lost(self, station: "Station", why: str) -> None:
        """The connection ended without our wish."""

    def limited(self, station: "Station", payload: Payload) -> None:
        """It was sent a SetChargingProfile, and takes it."""


class Station(asyncio.Protocol):
    """A station of OCPP 1.6 with two connectors.

    Attributes:
        sent_at: When the message in flight was written, `perf_counter` seconds.
        due_at: When it should have been written; the same where nobody paces.
        transaction: Its running transaction as the CSMS numbered it.
    """

    __slots__ = (
        "_buffer",
        "_chance",
        "_crew",
        "_key",
        "_message_id",
        "_number",
        "_opening",
        "_prefix",
        "_reply",
        "_transport",
        "due_at",
        "identity",
        "is_up",
        "sent_at",
        "transaction",
    )

    def __init__(self, identity: str, run: str, crew: Crew, chance: Random) -> None:
        self.identity = identity
        self.is_up = False
        self.sent_at = self.due_at = 0.0
        self.transaction = 1
        self._crew = crew
        self._chance = chance
        self._prefix = f"{run}-{identity[-6:]}-".encode()
        self._number = 0
        self._message_id = b""
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._opening: asyncio.Future[None] | None = None
        self._reply: asyncio.Future[Payload] | None = None
        self._key = b""

    # Coming up

    async def open(self, host: str, port: int, path: str, *, tls: ssl.SSLContext | None = None, more: str = "") -> None:
        """Connects and shakes hands.

        Args:
            host: Address.
            port: TCP port.
            path: Before the identity.
            tls: None: a plain connection.
            more: Further lines for the head of the request.

        Raises:
            OSError: TCP did not come up or broke.
            wire.Broken: The handshake was refused.
        """
        loop = asyncio.get_running_loop()
        self._buffer.clear()
        self._key = wire.handshake_key(self._chance)
        self._opening = loop.create_future()
        try:
            name = None if tls is None else credentials.HOST
            transport, _ = await loop.create_connection(lambda: self, host, port, ssl=tls, server_hostname=name)
            transport.write(wire.handshake(host, port, f"{path}/{self.identity}", self._key, more))
            await self._opening
        except BaseException:
            self.abort()
            raise
        finally:
            self._opening = None
        self.is_up = True

    async def ask(self, action: str, payload: Payload) -> Payload:
        """A call outside of the load; one at a time.

        Raises:
            OSError: The connection broke.
            Refused: CALLERROR.
        """
        self._reply = asyncio.get_running_loop().create_future()
        try:
            self._send(wire.call(self._next_id(), action, payload))
            return await self._reply
        finally:
            self._reply = None

    def abort(self) -> None:
        """Ends the connection at once and without a word to the crew."""
        transport, self._transport, self.is_up = self._transport, None, False
        if transport is not None:
            transport.abort()

    def close(self) -> None:
        """Says goodbye and ends the connection; the crew hears nothing."""
        if self._transport is not None and self.is_up:
            self._write(int(CloseCode.NORMAL_CLOSURE).to_bytes(2, "big"), Opcode.CLOSE)
            transport, self._transport, self.is_up = self._transport, None, False
            transport.close()
        else:
            self.abort()

    # Under load

    def send_meter_values(self, due_at: float) -> None:
        """Sends one MeterValues; `Crew.answered` or `Crew.failed` tells the end of it."""
        message_id = self._next_id()
        self.due_at = due_at
        self.sent_at = perf_counter()
        self._send(wire.meter_values(message_id, self.transaction, _now(), 10 * self._number))

    # What asyncio says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP is up."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's bear another class

    def data_received(self, data: bytes) -> None:
        """Bytes of the server; almost always the one expected reply."""
        if not self._buffer and self._reply is None and wire.usual_reply_to(data, self._message_id):
            self._message_id = b""
            self._crew.answered(self)
            return
        self._buffer += data
        try:
            if self._opening is not None and not self._head_received():
                return
            for opcode, payload in wire.frames(self._buffer):
                self._frame_received(opcode, payload)
        except (wire.Broken, ValueError) as error:
            self._end(error if isinstance(error, wire.Broken) else wire.Broken(f"not OCPP-J: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """TCP is gone."""
        if self._transport is not None or self._opening is not None:
            self._end(exc or ConnectionResetError("the server closed the connection"))

    def _head_received(self) -> bool:
        head, end, _ = bytes(self._buffer).partition(b"\r\n\r\n")
        if not end:
            if len(head) > wire.HEAD_BYTES_MAX:
                raise wire.Broken("the answer to the handshake does not end")
            return False
        wire.check_handshake(head, self._key)
        del self._buffer[: len(head) + len(end)]
        if self._opening is not None and not self._opening.done():
            self._opening.set_result(None)
        return True

    def _frame_received(self, opcode: int, payload: bytes) -> None:
        match opcode:
            case Opcode.TEXT:
                self._message_received(orjson.loads(payload))
            case Opcode.PING:
                self._write(payload, Opcode.PONG)
            case Opcode.PONG:
                pass
            case Opcode.CLOSE:
                code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
                self._end(ConnectionResetError(f"closed with {code} {payload[2:].decode(errors='replace')}".rstrip()))
            case _:
                raise wire.Broken(f"a frame with opcode {opcode}")

    def _message_received(self, message: Any) -> None:
        match message:
            case [3, str(message_id), dict(payload)] if message_id.encode() == self._message_id:
                self._replied(lambda: payload)
            case [4, str(message_id), str(code), *rest] if message_id.encode() == self._message_id:
                self._replied(f"{code} {rest[0] if rest else ''}".strip())
            case [2, str(message_id), str(action), dict(payload)]:
                answer = ANSWERS.get(action)
                if action == "SetChargingProfile":
                    self._crew.limited(self, payload)
                reply = [4, message_id, "NotImplemented", "", {}] if answer is None else [3, message_id, answer]
                self._write(orjson.dumps(reply))
            case _:
                raise wire.Broken(f"neither a call nor the reply to ours: {str(message)[:80]}")

    def _replied(self, result: Callable[[], Payload] | str) -> None:
        self._message_id = b""
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            if isinstance(result, str):
                reply.set_exception(Refused(result))
            else:
                reply.set_result(result())
        elif reply is None and isinstance(result, str):
            self._crew.failed(self, f"CALLERROR {result}")
        elif reply is None:
            self._crew.answered(self)

    def _end(self, why: Exception) -> None:
        """The connection is over; whoever waits hears why."""
        was_up = self.is_up
        self.abort()
        for waiting in (self._opening, self._reply):
            if waiting is not None and not waiting.done():
                waiting.set_exception(why)
        if self._message_id and self._reply is None and was_up:
            self._crew.failed(self, "connection lost")
        self._message_id = b""
        if was_up:
            self._crew.lost(self, str(why) or type(why).__name__)

    def _next_id(self) -> bytes:
        self._number += 1
        self._message_id = self._prefix + str(self._number).encode()
        return self._message_id

    def _send(self, message: bytes) -> None:
        if self._transport is None:
            raise ConnectionResetError("not connected")
        self._transport.write(wire.client_frame(message, self._chance))

    def _write(self, payload: bytes, opcode: int = Opcode.TEXT) -> None:
        if self._transport is not None:
            self._transport.write(wire.client_frame(payload, self._chance, opcode))


_second = (0, b"")
"""The running second and how it is written; all stations tell the same time."""


def _now() -> bytes:
    """The time as stations write it, ISO 8601 in UTC with milliseconds."""
    global _second  # noqa: PLW0603 (a cache of one value; formatting each anew would cost more than the rest)
    now = time()
    second = int(now)
    if _second[0] != second:
        _second = (second, _iso_second(second))
    return b"%b.%03dZ" % (_second[1], int(1000 * (now - second)))


def timestamp() -> str:
    """The same, as text."""
    return _now().decode()


def _iso_second(second: int) -> bytes:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(second)).encode()
