"""A WebSocket client connection: bytes to messages and back, around `websockets`' sans-I/O protocol. Knows no OCPP.

Life of a connection: made -> request sent -> 101 -> messages -> down (no more messages) -> lost (TCP is gone).
It can also read slowly or not at all, so that TCP's window shuts, and be left open by a peer that is gone.
"""

import asyncio
import functools
import logging
import secrets
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.typing import BytesLike, Subprotocol
from websockets.uri import WebSocketURI

try:
    from websockets.speedups import apply_mask
except ImportError:  # no compiler where it was installed
    from websockets.utils import apply_mask

OPEN_S_MAX = 30.0
CLOSE_S_MAX = 2.0
MESSAGE_BYTES_MAX = 16 * 2**20
UNSENT_BYTES_MAX = 65_536
SLOW_BUFFER_BYTES = 4_096
"""What the kernel may keep unread for one that reads slowly."""

_log = logging.getLogger("loadtests.websockets")
_log.setLevel(logging.WARNING)


class Listener(Protocol):
    """What receives the messages of a connection."""

    def wire_opened(self, wire: "Wire") -> None:
        """The handshake is done; messages follow."""

    def wire_message(self, message: BytesLike) -> None:
        """One message, in order."""

    def wire_down(self) -> None:
        """No more messages come or go. Called once, opened or not."""

    def wire_lost(self) -> None:
        """The TCP connection is gone as well. Called once, after `wire_down`."""


@dataclass(frozen=True)
class Handshake:
    """What to connect to and what to say; `source`: the address to come from, None: the kernel's choice."""

    uri: WebSocketURI
    subprotocol: str
    headers: dict[str, str]
    source: str | None = None


async def open_wire(handshake: Handshake, listener: Listener) -> "Wire":
    """Connects; at most `OPEN_S_MAX`.

    Raises:
        OSError: No connection, or no answer in time.
        InvalidHandshake: The answer is not 101, or not a WebSocket's.
    """
    loop = asyncio.get_running_loop()
    uri = handshake.uri
    wire = Wire(handshake, listener, loop.create_future())
    try:
        async with asyncio.timeout(OPEN_S_MAX):
            await loop.create_connection(
                lambda: wire,
                uri.host,
                uri.port,
                ssl=_tls() if uri.secure else None,
                local_addr=(handshake.source, 0) if handshake.source is not None else None,
            )
            await wire.opened
    except BaseException:
        wire.abort()
        raise
    return wire


class Wire(asyncio.Protocol):
    """One connection; made by `open_wire`."""

    __slots__ = (
        "_down",
        "_fragments",
        "_frames_per_s",
        "_held",
        "_listener",
        "_protocol",
        "_timer",
        "_transport",
        "opened",
    )

    def __init__(self, handshake: Handshake, listener: Listener, opened: "asyncio.Future[None]") -> None:
        self.opened = opened
        self._listener: Listener | None = listener
        self._protocol = ClientProtocol(
            handshake.uri,
            subprotocols=[Subprotocol(handshake.subprotocol)],
            max_size=MESSAGE_BYTES_MAX,
            logger=_log,
        )
        request = self._protocol.connect()
        request.headers.update(handshake.headers)
        self._protocol.send_request(request)
        self._transport: asyncio.Transport | None = None
        self._fragments: list[bytes] | None = None
        self._frames_per_s: float | None = None
        self._held: deque[BytesLike] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._down = False

    # From the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self._write_out()

    def data_received(self, data: bytes) -> None:
        """Bytes of the CSMS."""
        protocol = self._protocol
        protocol.receive_data(data)
        for event in protocol.events_received():
            if type(event) is Frame:
                self._frame(event)
            elif type(event) is Response:
                self._answered()
        if protocol.writes:
            self._write_out()
        if protocol.close_expected():
            self._expect_end()
        elif self._held:
            self._pause()

    def eof_received(self) -> None:
        """The CSMS sends no more; so do we."""
        self._protocol.receive_eof()
        self._write_out()

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.opened.done():
            self._protocol.receive_eof()
            self._refuse(self._protocol.handshake_exc or exc)
        self._go_down()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.wire_lost()

    # For the link

    @property
    def subprotocol(self) -> str | None:
        """What the CSMS chose; None: nothing."""
        return self._protocol.subprotocol

    @property
    def gone(self) -> bool:
        """The TCP connection has ended."""
        return self._transport is None

    @property
    def takes(self) -> bool:
        """Whether something can be sent, and not too much of what was sent before is still here."""
        transport = self._transport
        return self._open and transport is not None and transport.get_write_buffer_size() <= UNSENT_BYTES_MAX

    def send(self, text: bytes) -> bool:
        """Sends a text message, UTF-8; returns whether the connection was there to take it."""
        if not self._open or self._transport is None:
            return False
        self._transport.write(_text_frame(text))
        return True

    def send_binary(self, data: bytes) -> bool:
        """Sends a binary message; returns whether the connection was there to take it."""
        if not self._open:
            return False
        self._protocol.send_binary(data)
        self._write_out()
        return True

    def close(self, code: CloseCode) -> None:
        """Begins the closing handshake; the end of the connection follows within `CLOSE_S_MAX`."""
        if self._protocol.state is OPEN:
            self._protocol.send_close(code)
            self._write_out()
        if self._frames_per_s is not None and self._transport is not None:
            self._transport.abort()  # who does not read cannot see the other's goodbye
        else:
            self._expect_end()

    def abort(self) -> None:
        """Cuts the connection."""
        if self._transport is not None:
            self._transport.abort()

    def read_slowly(self, frames_per_s: float) -> None:
        """Hands over so many messages a second; 0.0: reads nothing any more."""
        self._frames_per_s = frames_per_s
        self._held = deque()
        sock = self._transport.get_extra_info("socket") if self._transport is not None else None
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER_BYTES)
        if frames_per_s > 0.0:
            self._after(1.0 / frames_per_s, self._next_frame)
        else:
            self._pause()

    def vanish(self, seconds: float) -> None:
        """Tells nobody and hears nobody any more; the kernel keeps the connection open for so long."""
        self._listener = None
        self._pause()
        self._after(seconds, self.abort)

    # Inside

    @property
    def _open(self) -> bool:
        return self._protocol.state is OPEN and self._transport is not None and not self._transport.is_closing()

    def _answered(self) -> None:
        """The handshake's response is here."""
        if self.opened.done():
            return
        if self._protocol.handshake_exc is not None:
            self._refuse(self._protocol.handshake_exc)
        else:
            self.opened.set_result(None)
            if self._listener is not None:
                self._listener.wire_opened(self)

    def _refuse(self, error: Exception | None) -> None:
        if error is None or not isinstance(error, OSError | InvalidHandshake):
            error = ConnectionResetError(f"the connection ended during the handshake: {error or 'no answer'}")
        self.opened.set_exception(error)

    def _frame(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            if frame.fin:
                self._message(frame.data)
            else:
                self._fragments = [bytes(frame.data)]
        elif opcode is Opcode.CONT and self._fragments is not None:
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                whole, self._fragments = b"".join(self._fragments), None
                self._message(whole)

    def _message(self, data: BytesLike) -> None:
        if self._held is not None:
            self._held.append(bytes(data))
        elif self._listener is not None:
            self._listener.wire_message(data)

    def _next_frame(self) -> None:
        """Takes one message; when there is none, reads from the socket."""
        assert self._frames_per_s, "the rate is set when this begins"
        if self._held and self._listener is not None:
            self._listener.wire_message(self._held.popleft())
        if not self._held and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._after(1.0 / self._frames_per_s, self._next_frame)

    def _pause(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _expect_end(self) -> None:
        """The CSMS closes the TCP connection, or we do when it takes too long."""
        self._go_down()
        if self._transport is not None:
            self._after(CLOSE_S_MAX, self.abort)

    def _go_down(self) -> None:
        if self._listener is not None and not self._down:
            self._down = True
            self._listener.wire_down()

    def _after(self, seconds: float, what: Callable[[], None]) -> None:
        """One thing at a time: the last one counts."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, what)

    def _write_out(self) -> None:
        transport = self._transport
        for data in self._protocol.data_to_send():
            if transport is None or transport.is_closing():
                continue
            if data:
                transport.write(data)
            else:
                transport.close()


def _text_frame(payload: bytes) -> bytes:
    """What `ClientProtocol.send_text` would write, at a fraction of its price (RFC 6455 section 5.2)."""
    length = len(payload)
    mask = secrets.token_bytes(4)
    if length < 126:
        head = bytes((0x81, 0x80 | length))
    elif length < 65_536:
        head = b"\x81\xfe" + length.to_bytes(2, "big")
    else:
        head = b"\x81\xff" + length.to_bytes(8, "big")
    return b"".join((head, mask, apply_mask(payload, mask)))


@functools.cache
def _tls() -> ssl.SSLContext:
    """One for all: each costs the reading of all root certificates."""
    return ssl.create_default_context()
