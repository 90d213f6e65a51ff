"""A WebSocket for greenlets: `websockets`' sans-I/O client over a gevent socket. Knows no OCPP.

One greenlet reads, any may send: frames leave whole and in the order of `send`.
"""

import base64
import logging
import socket as std_socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, ProtocolError
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import CONNECTING, OPEN
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from loadtests.swarm.greenlets import RLock, Timeout, create_connection

RECEIVE_BYTES = 65_536
RECEIVE_BYTES_SLOW = 2_048
MESSAGE_BYTES_MAX = 4 * 2**20

_log = logging.getLogger("loadtests.swarm.websockets")
_log.setLevel(logging.WARNING)


class ConnectFailed(Exception):  # noqa: N818 (an outcome that Locust shows by its name)
    """No connection; says why, without what differs from station to station."""


class ConnectionLost(Exception):  # noqa: N818 (an outcome that Locust shows by its name)
    """The connection has ended without our doing."""


@dataclass(frozen=True)
class Door:
    """Where stations connect and how.

    Attributes:
        url: Without the identity.
        tls: For wss, a context of gevent's; None: the URL is not wss.
        password: HTTP Basic; None: none.
        answer_s_max: Until the connection is there, and until the peer takes what is sent.
    """

    url: str
    tls: ssl.SSLContext | None = None
    password: str | None = None
    answer_s_max: float = 30.0


class Channel:
    """An open connection; made by `open_channel`."""

    def __init__(self, connection: std_socket.socket, protocol: ClientProtocol, answer_s_max: float) -> None:
        self._socket = connection
        self._protocol = protocol
        self._answer_s_max = answer_s_max
        self._writing = RLock()
        self._receive_bytes = RECEIVE_BYTES
        self._frames: list[Frame] = []
        self._fragments: list[bytes] = []
        self._cut = False
        self._ended = False

    def send(self, text: bytes) -> None:
        """Sends a text message.

        Raises:
            ConnectionLost: There is no connection, or the peer takes nothing for too long.
        """
        if self._cut or self._protocol.state is not OPEN:
            raise ConnectionLost("not connected")
        self._protocol.send_text(text)
        self._flush()

    def receive(self) -> bytes:
        """The next message; waits for it.

        Raises:
            ConnectionLost: The connection has ended.
        """
        while True:
            while self._frames:
                message = self._message_of(self._frames.pop(0))
                if message is not None:
                    return message
            self._read()

    def read_slowly(self) -> None:
        """From now on takes little at once, so that TCP's window shuts when `receive` is called rarely."""
        self._receive_bytes = RECEIVE_BYTES_SLOW
        self._socket.setsockopt(std_socket.SOL_SOCKET, std_socket.SO_RCVBUF, RECEIVE_BYTES_SLOW)

    def close(self) -> None:
        """Says goodbye and does not wait for the answer."""
        try:
            if self._protocol.state is OPEN:
                self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
                with Timeout(1.0):
                    self._flush()
        except (ConnectionLost, Timeout):
            pass
        self.abort()

    def abort(self) -> None:
        """Cuts the connection; who waits in `receive` learns of it."""
        self._cut = True
        with suppress(OSError):  # the peer was quicker
            self._socket.shutdown(std_socket.SHUT_RDWR)
        self._socket.close()

    def handshake(self) -> None:
        """Asks for the upgrade and waits for the answer.

        Raises:
            ConnectFailed: It was refused.
        """
        try:
            self._flush()
            while self._protocol.state is CONNECTING:  # it may be closed again already, with messages to be read
                self._read()
                if self._protocol.handshake_exc is not None:
                    raise self._protocol.handshake_exc
        except ConnectionLost:
            raise ConnectFailed(_reason(self._protocol.handshake_exc or ConnectionLost("ended in handshake"))) from None
        except (InvalidHandshake, ProtocolError) as error:
            raise ConnectFailed(_reason(error)) from None

    def _read(self) -> None:
        try:
            data = self._socket.recv(self._receive_bytes)
        except OSError as error:
            raise ConnectionLost(self._farewell(error)) from None
        if data:
            self._protocol.receive_data(data)
        elif not self._ended:
            self._ended = True
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._frames.append(event)
        self._flush()
        if not data and not self._frames:
            raise ConnectionLost(self._farewell())

    def _flush(self) -> None:
        with self._writing:
            data = b"".join(self._protocol.data_to_send())
            if not data:
                return
            limit = Timeout(self._answer_s_max)
            try:
                with limit:
                    self._socket.sendall(data)
            except OSError as error:
                raise ConnectionLost(self._farewell(error)) from None
            except Timeout as fired:
                self.abort()  # half a frame may be out
                if fired is not limit:
                    raise  # the caller's
                raise ConnectionLost(f"the peer took nothing for {self._answer_s_max:g} s") from None

    def _message_of(self, frame: Frame) -> bytes | None:
        if frame.opcode not in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            return None
        if frame.fin and not self._fragments:
            return bytes(frame.data)
        self._fragments.append(bytes(frame.data))
        if not frame.fin:
            return None
        whole, self._fragments = b"".join(self._fragments), []
        return whole

    def _farewell(self, error: OSError | None = None) -> str:
        """Why the connection ended: what the peer said before all, for its goodbye races with the end of TCP."""
        said = self._protocol.close_rcvd
        if said is not None:
            return f"closed by the CSMS with {said.code}"
        return "ended without a goodbye" if error is None else error.strerror or type(error).__name__


def open_channel(door: Door, identity: str, subprotocol: str) -> Channel:
    """Connects.

    Raises:
        ConnectFailed: No connection in time, TLS or the handshake was refused, or another subprotocol was chosen.
    """
    uri = parse_uri(f"{door.url}/{quote(identity, safe='')}")
    protocol = ClientProtocol(uri, subprotocols=[Subprotocol(subprotocol)], max_size=MESSAGE_BYTES_MAX, logger=_log)
    request = protocol.connect()
    if door.password is not None:
        login = base64.b64encode(f"{identity}:{door.password}".encode()).decode()
        request.headers["Authorization"] = f"Basic {login}"
    protocol.send_request(request)
    connection: std_socket.socket | None = None
    try:
        with Timeout(door.answer_s_max):
            connection = create_connection((uri.host, uri.port))
            connection.setsockopt(std_socket.IPPROTO_TCP, std_socket.TCP_NODELAY, 1)
            if uri.secure and door.tls is not None:
                connection = door.tls.wrap_socket(connection, server_hostname=uri.host)
            channel = Channel(connection, protocol, door.answer_s_max)
            channel.handshake()
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, Timeout):
            raise ConnectFailed(f"no connection within {door.answer_s_max:g} s") from None
        if isinstance(error, OSError):
            raise ConnectFailed(_reason(error)) from None
        raise
    if protocol.subprotocol != subprotocol:
        channel.abort()
        raise ConnectFailed(f"the CSMS chose the subprotocol {protocol.subprotocol}, not {subprotocol}")
    return channel


def _reason(error: BaseException) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
