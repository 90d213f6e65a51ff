"""The connection: bytes to text messages and back, around `websockets`' sans-I/O protocol. Knows WebSocket, not OCPP.

Reading stops for any of several reasons (`Pause`) and goes on when none is left; what was read by then waits here, so
nothing is lost and the station feels it as TCP back-pressure. Life of a connection:

    made -> request read -> the host decides -> 101 -> messages -> closing -> lost
                                             -> other status ------^
"""

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Sequence
from typing import Protocol, cast

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import CONNECTING, OPEN

from ingress.ocpp import framing
from ingress.ocpp.forwarded import Caller
from ingress.ocpp.handshake import OcppProtocol
from ingress.ocpp.listening import Listener, Pause
from ingress.ocpp.liveness import Wheel, ticks
from ingress.settings import OcppSettings

_SLICE_BYTES = 16_384
"""Parsed at a time, so that a pause takes effect within what one read brought."""
_WRITE_HIGH_BYTES = 262_144
_REASON_BYTES_MAX = 123
"""Of a close frame (RFC 6455 section 5.5)."""

_DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    server_max_window_bits=12,
    client_max_window_bits=12,
    compress_settings={"memLevel": 5},
)
"""Compression that keeps no memory between messages (RFC 7692 section 7.1.1)."""

_NOBODY = Caller("", None, "")

_websockets_log = logging.getLogger("narke.websockets")
_websockets_log.setLevel(logging.WARNING)


class Host(Protocol):
    """What a connection belongs to."""

    paused: int
    """Connections that are not read from; the connections keep it."""

    @property
    def settings(self) -> OcppSettings:
        """Bounds."""

    @property
    def wheel(self) -> Wheel:
        """Watches for life."""

    def has_room(self) -> bool:
        """Whether one more TCP connection may come."""

    def made(self, connection: "Connection") -> None:
        """A TCP connection; the host may `abort` it."""

    def requested(self, connection: "Connection", request: Request) -> None:
        """A handshake to decide on, see `Connection.accept` and `respond`."""

    def lost(self, connection: "Connection") -> None:
        """The TCP connection is gone."""


class Connection(asyncio.Protocol):
    """One TCP connection of a station, plain or with TLS.

    Args:
        host: What it belongs to.
        caller: Who a proxy or the door says it is; None: whom the socket names.
    """

    __slots__ = (
        "_backlog",
        "_binary",
        "_discarding",
        "_fragments",
        "_head",
        "_host",
        "_listener",
        "_owed",
        "_pauses",
        "_plain",
        "_quick",
        "_raw",
        "_reading",
        "_slot",
        "_stopped",
        "_timer",
        "_transport",
        "caller",
        "heard_tick",
        "message_tick",
        "pong_ticks",
        "ponged",
        "protocol",
        "silence_ticks",
        "stalled_tick",
        "wants_pings",
    )

    def __init__(self, host: Host, caller: Caller | None = None) -> None:
        settings = host.settings
        self._host = host
        self.protocol = OcppProtocol(
            max_size=settings.message_bytes_max,
            extensions=[_DEFLATE] if settings.compression else None,
            logger=_websockets_log,
        )
        self.caller = caller or _NOBODY
        self.heard_tick = self.message_tick = host.wheel.tick
        self.stalled_tick = 0
        self.silence_ticks = self.pong_ticks = 0
        self.wants_pings = True
        self.ponged = False
        """It has answered a ping."""
        self._transport: asyncio.Transport | None = None
        self._listener: Listener | None = None
        self._pauses = Pause(0)
        self._plain = True
        self._quick = False
        """Frames may pass the library by."""
        self._backlog: deque[str] = deque()
        self._raw: bytes = b""
        self._head: bytes = b""
        """The beginning of a frame's header."""
        self._owed = 0
        """Bytes still to come of a frame that the library has begun."""
        self._fragments: list[bytes] = []
        self._binary = False
        self._reading = False
        self._stopped = False
        self._discarding = False
        self._slot: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    # From the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The kernel has a connection for us."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_WRITE_HIGH_BYTES)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._identify(transport)
        self._cut_after(self._host.settings.handshake_timeout_s)
        self._host.made(self)

    def _identify(self, transport: asyncio.BaseTransport) -> None:
        """Fills in what the socket and TLS tell of the caller."""
        peer = transport.get_extra_info("peername")
        if self.caller is _NOBODY and isinstance(peer, tuple):
            self.caller = Caller(peer[0], peer[1], peer[0])
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self.caller = self.caller._replace(tls=True, certificate=tls.getpeercert(binary_form=True))

    def data_received(self, data: bytes) -> None:
        """Bytes of the station."""
        self.heard_tick = self._host.wheel.tick
        if self._raw or (self._pauses and not self._over):
            self._raw += data
        elif len(data) <= _SLICE_BYTES:
            self._parse(data)
        else:
            self._raw = data
            self._read_on()

    def eof_received(self) -> None:
        """The station sends no more."""
        self.protocol.receive_eof()
        self._end("the station hung up")
        self._write_out()

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
        if self._slot is not None:
            self._host.wheel.remove(self, self._slot)
        self._end(str(exc) if exc is not None else "connection lost")
        self._count_pauses(Pause(0))
        self._transport = None
        self._host.lost(self)

    def pause_writing(self) -> None:
        """The station leaves too much unread: let it say nothing that wants an answer."""
        self._host.wheel.stalled(self)
        self.pause(Pause.WRITE)

    def resume_writing(self) -> None:
        """The station reads again."""
        self.stalled_tick = 0
        self.resume(Pause.WRITE)

    # The handshake

    def respond(self, response: Response) -> None:
        """Answers the request with anything but 101."""
        if not self.is_closing:
            self.protocol.send_response(response)
            self._write_out()

    @property
    def awaits_answer(self) -> bool:
        """It asked to come in and is still there."""
        return not self.is_closing and self.protocol.state is CONNECTING and not self.protocol.eof_sent

    def accept(self, response: Response, listener: Listener | None) -> None:
        """Sends the 101. Messages go to the listener when `Pause.HANDSHAKE` ends; None: the caller closes at once."""
        assert self.awaits_answer, "only a connection that awaits its answer can be accepted"
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.protocol.send_response(response)
        self._plain = not self.protocol.extensions
        self._quick = self._plain and not self.protocol.reader.buffer
        self._listener = listener
        self.message_tick = self._host.wheel.tick
        self._slot = self._host.wheel.add(self)
        self._write_out()

    # For the listener and the host

    @property
    def address(self) -> str:
        """Of the station, for people."""
        return self.caller.address

    @property
    def is_closing(self) -> bool:
        """The TCP connection is gone or about to go."""
        return self._transport is None or self._transport.is_closing()

    @property
    def deaf(self) -> bool:
        """We do not read from it now."""
        return bool(self._pauses)

    @property
    def unread(self) -> int:
        """Messages read from the socket that nobody has taken."""
        return len(self._backlog)

    def send(self, texts: Sequence[str]) -> None:
        """Sends messages; nothing happens when the connection is closing."""
        if not texts or self._over or self._transport is None:
            return
        if self._plain:
            self._transport.write(b"".join([framing.text_frame(text.encode()) for text in texts]))
        else:
            for text in texts:
                self.protocol.send_text(text.encode())
            self._write_out()
        if self.stalled_tick and self._transport.get_write_buffer_size() > self._host.settings.write_buffer_bytes_max:
            self.give_up(1008, "slow consumer: too much of what we sent is unread")

    def pause(self, reason: Pause) -> None:
        """Reads no more until `resume` with the same reason."""
        if self._over or self._transport is None:
            return
        self._count_pauses(self._pauses | reason)
        if not self._stopped and not self._transport.is_closing():
            self._stopped = True
            self._transport.pause_reading()

    def resume(self, reason: Pause) -> None:
        """Reads on if that was the last reason not to."""
        if self._pauses & reason:
            self._count_pauses(self._pauses & ~reason)
            if not self._pauses:
                self._read_on()

    def put_back(self, text: str) -> None:
        """The listener could not take this message now; it paused the connection and gets it again first."""
        self._backlog.appendleft(text)

    def close(self, code: int, reason: str) -> None:
        """Begins the closing handshake."""
        if self.protocol.state is OPEN:
            self.protocol.send_close(code, _fitting(reason))
            self._write_out()

    def give_up(self, code: int, reason: str) -> None:
        """Says goodbye as far as the kernel takes it, and cuts the connection."""
        if self.protocol.state is OPEN:
            self.protocol.fail(code, _fitting(reason))
            self._write_out()
        self.abort()

    def abort(self) -> None:
        """Cuts the connection."""
        if self._transport is not None:
            self._transport.abort()

    def watch(self, silence_s: float, *, pings: bool = True, pong_s: float = 0.0) -> None:
        """How the wheel is to watch it.

        Args:
            silence_s: Without a message for so long the listener hears of it; 0: never.
            pings: Whether it is sent pings.
            pong_s: Seconds for a sign of life after a ping, where that is longer than for all others.
        """
        self.silence_ticks = ticks(silence_s)
        self.wants_pings = pings
        self.pong_ticks = ticks(pong_s)

    def fall_silent(self, silent_s: float) -> None:
        """See `ingress.ocpp.liveness.Watched`."""
        if self._listener is not None:
            self._listener.silent(silent_s)

    def ping(self) -> None:
        """Sends a ping."""
        if self.protocol.state is OPEN:
            self.protocol.send_ping(b"")
            self._write_out()

    # Inside

    @property
    def _over(self) -> bool:
        """No message is taken or sent any more."""
        protocol = self.protocol
        return protocol.eof_sent or not (protocol.state is OPEN or protocol.state is CONNECTING)

    def _parse(self, data: bytes) -> None:
        """Takes whole plain text frames, which nearly all are, from the data; all else is the library's."""
        protocol = self.protocol
        if self._head:
            data, self._head = self._head + data, b""
        position, size = 0, len(data)
        while self._quick and protocol.state is OPEN and position < size:
            if self._owed:
                end = position + self._owed
            else:
                found = framing.bounds(data, position)
                if found is None:
                    self._head = data[position:]
                    return
                start, end = found
                if end <= size and self._is_simple(data, position, end - start):
                    self._message(framing.payload(data, start, end))
                    position = end
                    continue
            self._owed = max(0, end - size)
            self._parse_any(data[position : min(end, size)])
            position = min(end, size)
        if position < size:
            self._parse_any(data[position:])
        elif protocol.writes:
            self._write_out()

    def _is_simple(self, data: bytes, position: int, length: int) -> bool:
        """Whether the frame is a whole message, which the library would hand out as it is."""
        return (
            framing.is_plain_text(data, position)
            and length <= self._host.settings.message_bytes_max
            and self.protocol.current_size is None
        )

    def _parse_any(self, data: bytes) -> None:
        """The library's way."""
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if type(event) is Frame:
                if not self._frame(event):
                    break
            elif type(event) is Request:
                self.pause(Pause.HANDSHAKE)
                self._host.requested(self, event)
        if self.protocol.writes:
            self._write_out()

    def _frame(self, frame: Frame) -> bool:
        """False: the connection failed; what follows is not to be looked at."""
        opcode = frame.opcode
        if opcode is Opcode.TEXT:
            if frame.fin:
                return self._message(frame.data)
            self._fragments, self._binary = [bytes(frame.data)], False
        elif opcode is Opcode.CONT:
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                whole, self._fragments = b"".join(self._fragments), []
                return self._message(framing.told_of_binary(whole) if self._binary else whole)
        elif opcode is Opcode.BINARY:
            if frame.fin:
                return self._message(framing.told_of_binary(frame.data))
            self._fragments, self._binary = [bytes(frame.data)], True
        elif opcode is Opcode.PONG:
            self.ponged = True
        return True

    def _fail(self, code: int, reason: str) -> bool:
        if self.protocol.state is OPEN:
            self.protocol.fail(code, reason)
        return False

    def _message(self, data: bytes | bytearray | memoryview) -> bool:
        if self._listener is None and self._over:
            return True
        try:
            text = str(data, "utf-8")
        except UnicodeDecodeError as error:
            return self._fail(1007, f"not UTF-8 at byte {error.start}")
        self.message_tick = self.heard_tick
        if self._pauses or self._backlog or self._listener is None:
            self._backlog.append(text)
        else:
            self._listener.receive(text)
        return True

    def _read_on(self) -> None:
        """Takes what was read already; when that is done and nobody objects, reads more."""
        if self._reading:
            return
        self._reading = True
        try:
            while self._backlog and not self._pauses and self._listener is not None:
                self._listener.receive(self._backlog.popleft())
            while self._raw and (self._over or not self._pauses):
                piece, self._raw = self._raw[:_SLICE_BYTES], self._raw[_SLICE_BYTES:]
                self._parse(piece)
        finally:
            self._reading = False
        if not self._pauses:
            self._listen()

    def _listen(self) -> None:
        if self._stopped and self._transport is not None and not self._transport.is_closing():
            self._stopped = False
            self._transport.resume_reading()

    def _write_out(self) -> None:
        """Hands to the kernel what the protocol wants sent, and follows it into closing."""
        transport = self._transport
        if transport is None:
            return
        for data in self.protocol.data_to_send():
            if transport.is_closing():
                continue
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()
            else:  # TLS says good-bye in both directions at once
                transport.close()
        if self._over and not self._discarding:
            self._end("")
            self._discard()

    def _discard(self) -> None:
        """Reads without looking until the station hangs up: closing a socket with unread data would reset it."""
        self._discarding = True
        self._cut_after(self._host.settings.close_timeout_s)
        self._backlog.clear()
        self._raw = b""
        self._count_pauses(Pause(0))
        self._listen()

    def _end(self, reason: str) -> None:
        """Tells the listener, once."""
        listener, self._listener = self._listener, None
        if listener is not None:
            code, said = self._close_code_and_reason()
            listener.closed(code, said or reason)

    def _close_code_and_reason(self) -> tuple[int, str]:
        """The close that came first; 1006 without any (RFC 6455 section 7.1.5)."""
        protocol = self.protocol
        first = protocol.close_sent if not protocol.close_rcvd_then_sent else protocol.close_rcvd
        close = first or protocol.close_rcvd or Close(1006, "")
        return int(close.code), close.reason

    def _cut_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.abort)

    def _count_pauses(self, pauses: Pause) -> None:
        self._host.paused += bool(pauses) - bool(self._pauses)
        self._pauses = pauses


def _fitting(reason: str) -> str:
    return reason.encode()[:_REASON_BYTES_MAX].decode(errors="ignore")
