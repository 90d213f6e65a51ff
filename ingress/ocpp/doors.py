"""Doors: listening sockets, and what a connection must get through before it is a `Connection`.

A plain door is the loop's own server. A guarded one takes connections from the kernel by itself, because something
comes before the first byte of HTTP: a PROXY header, a TLS handshake, or both. It takes no more than it can handle:
above its rate and above its number of handshakes under way, connections wait in the kernel's backlog and cost nothing.
"""

import asyncio
import socket
import ssl
from typing import Final

import structlog

from ingress import metrics
from ingress.ocpp import proxy_protocol
from ingress.ocpp.admission import TokenBucket
from ingress.ocpp.certificates import CertificateRules
from ingress.ocpp.connection import Connection, Host
from ingress.ocpp.forwarded import Caller, Proxies
from ingress.ocpp.security_log import SecurityLog
from ingress.ocpp.tls import Tls
from ingress.settings import OcppSettings

log = structlog.get_logger()

_ACCEPTS_PER_TURN = 32
"""Connections taken from the kernel before others get a turn of the loop."""
_REST_S = 1.0
"""No more is taken for so long when the kernel has no more to give (files, memory)."""
_PEEK_AGAIN_S = 0.01
_OUTCOME_OF_VERIFICATION = {
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    18: "certificate_unknown_authority",
    19: "certificate_unknown_authority",
    20: "certificate_unknown_authority",
    21: "certificate_unknown_authority",
    26: "certificate_not_for_clients",
}
"""By X509_V_ERR_*: what OpenSSL found wrong with a station's certificate."""
_OUTCOME_OF_REASON = {
    "HTTP_REQUEST": "plain_http",
    "WRONG_VERSION_NUMBER": "no_tls",
    "UNSUPPORTED_PROTOCOL": "version_too_low",
    "VERSION_TOO_LOW": "version_too_low",
    "NO_PROTOCOLS_AVAILABLE": "version_too_low",
    "NO_SHARED_CIPHER": "no_shared_cipher",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "no_shared_cipher",
}
_EVENT_OF_OUTCOME = {
    "version_too_low": "InvalidTLSVersion",
    "no_shared_cipher": "InvalidTLSCipherSuite",
    "proxy_untrusted": "UntrustedProxy",
}


class Refused(Exception):  # noqa: N818 (an answer, not a fault)
    """A connection that does not get through. `outcome`: a word for the metric."""

    def __init__(self, outcome: str, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome


class PlainDoor:
    """A door to which stations speak HTTP from the first byte."""

    def __init__(self, host: Host, port: int) -> None:
        self._host: Final = host
        self._port: Final = port
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listens.

        Raises:
            OSError: The port cannot be bound.
        """
        settings = self._host.settings
        sock = listening_socket(settings, self._port, "--port")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self._host), sock=sock, backlog=settings.backlog)

    @property
    def port(self) -> int:
        """The TCP port; 0 while closed."""
        if self._server is None or not self._server.sockets:
            return 0
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Takes no more connections."""
        if self._server is not None:
            self._server.close()

    async def wait_closed(self) -> None:
        """Waits for the connections to end."""
        if self._server is not None:
            await self._server.wait_closed()


class GuardedDoor:
    """A door with TLS, with PROXY headers, or with both.

    Args:
        host: What its connections belong to.
        port: TCP port; 0: any free one.
        proxies: Who may send PROXY headers.
        tls: None: none.
        security_log: Hears of those who do not get through.
    """

    def __init__(self, host: Host, port: int, proxies: Proxies, tls: Tls | None, security_log: SecurityLog) -> None:
        settings = host.settings
        self._host: Final = host
        self._wanted_port: Final = port
        self._proxies: Final = proxies
        self._tls: Final = tls
        self._security_log: Final = security_log
        rate = settings.tls_handshakes_per_s
        self._pace: Final = TokenBucket(rate, max(1.0, rate / 10), 0.0)
        self._guests: Final[set[asyncio.Task[None]]] = set()
        self._socket: socket.socket | None = None
        self._listening = False
        self._waking: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Listens.

        Raises:
            OSError: The port cannot be bound.
        """
        settings = self._host.settings
        flag = "--set ocpp.tls_port=..." if self._tls is not None else "--port"
        self._socket = listening_socket(settings, self._wanted_port, flag)
        self._socket.listen(settings.backlog)
        self._listen()

    @property
    def port(self) -> int:
        """The TCP port; 0 while closed."""
        return 0 if self._socket is None else int(self._socket.getsockname()[1])

    @property
    def guests(self) -> int:
        """Connections that are getting through."""
        return len(self._guests)

    def close(self) -> None:
        """Takes no more connections, and cuts those that are not through."""
        self._rest()
        if self._waking is not None:
            self._waking.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        for guest in self._guests:
            guest.cancel()

    async def wait_closed(self) -> None:
        """Waits for those that are not through."""
        await asyncio.gather(*self._guests, return_exceptions=True)

    # Taking connections

    def _listen(self) -> None:
        self._waking = None
        if self._socket is not None and not self._listening:
            self._listening = True
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)

    def _rest(self, seconds: float | None = None) -> None:
        """Takes none for so long; None: until somebody is through."""
        loop = asyncio.get_running_loop()
        if self._socket is not None and self._listening:
            self._listening = False
            loop.remove_reader(self._socket.fileno())
        if seconds is not None:
            self._waking = loop.call_later(seconds, self._listen)

    def _readable(self) -> None:
        """Takes what waits, as far as there is room and time for it."""
        loop = asyncio.get_running_loop()
        for _ in range(_ACCEPTS_PER_TURN):
            if self._socket is None or not self._has_room():
                return
            if not self._pace.take(loop.time()):
                self._rest(self._pace.wait_s())
                return
            try:
                sock, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                self._pace.give_back()
                return
            except OSError as error:
                log.error("no connection can be taken", why=error.strerror, rest_s=_REST_S)  # noqa: TRY400 (the system's answer says all)
                self._rest(_REST_S)
                return
            sock.setblocking(False)  # noqa: FBT003 (the socket module's own signature)
            guest = loop.create_task(self._welcome(sock, Caller(address[0], address[1], address[0])))
            self._guests.add(guest)
            guest.add_done_callback(self._done)

    def _has_room(self) -> bool:
        """Whether another may get through; if not, `_done` listens again."""
        if len(self._guests) < self._host.settings.tls_handshakes_max:
            return True
        self._rest()
        return False

    def _done(self, guest: asyncio.Task[None]) -> None:
        self._guests.discard(guest)
        if not self._listening and self._waking is None:
            self._listen()

    # Getting through

    async def _welcome(self, sock: socket.socket, caller: Caller) -> None:
        """Makes the socket a connection, or closes it."""
        try:
            self._require_room()
            if self._host.settings.proxy_protocol:
                caller = await self._introduced(sock, caller)
            await self._attach(sock, caller)
        except (OSError, Refused) as error:
            self._tell(error, caller)
            sock.close()
        except asyncio.CancelledError:
            sock.close()
            raise
        except Exception:  # one connection must not stop the door
            log.exception("a connection failed", address=caller.address)
            sock.close()
        else:
            if self._tls is not None:
                _COUNTED_OK.inc()

    def _require_room(self) -> None:
        if not self._host.has_room():
            raise Refused("connections_max", "all connections of this server are taken")

    async def _attach(self, sock: socket.socket, caller: Caller) -> None:
        loop = asyncio.get_running_loop()
        settings = self._host.settings
        if self._tls is None:
            await loop.connect_accepted_socket(lambda: Connection(self._host, caller), sock)
            return
        transport, _ = await loop.connect_accepted_socket(
            lambda: Connection(self._host, caller),
            sock,
            ssl=self._tls.context,
            ssl_handshake_timeout=settings.tls_handshake_timeout_s,
            ssl_shutdown_timeout=settings.close_timeout_s,
        )
        if transport.get_extra_info("ssl_object") is None:  # uvloop takes a hang-up during the handshake for its end
            raise ConnectionResetError("hung up during the TLS handshake")

    async def _introduced(self, sock: socket.socket, caller: Caller) -> Caller:
        """Whom the PROXY header names; exactly its bytes are read.

        Raises:
            Refused: No trusted proxy, or no header in time.
        """
        if not self._proxies.trusts(caller.host):
            raise Refused("proxy_untrusted", "only trusted proxies may connect here (ocpp.trusted_proxies)")
        try:
            async with asyncio.timeout(self._host.settings.tls_handshake_timeout_s):
                header = await _read_header(sock)
        except TimeoutError:
            raise Refused("proxy_header_late", "no PROXY header came in time") from None
        except proxy_protocol.BadHeader as error:
            raise Refused("proxy_header_bad", str(error)) from error
        if header.address is None:
            return caller
        host, port = header.address
        return Caller(host, port, caller.peer, tls=header.tls)

    def _tell(self, error: Exception, caller: Caller) -> None:
        outcome = _outcome(error)
        metrics.tls_handshakes.labels(outcome).inc()
        event = _EVENT_OF_OUTCOME.get(outcome)
        if isinstance(error, ssl.SSLCertVerificationError):
            event = "InvalidChargingStationCertificate"
        why = getattr(error, "verify_message", None) or getattr(error, "reason", None) or str(error)
        self._security_log.tell(
            "a connection did not get through", event=event, address=caller.address, outcome=outcome, why=str(why)[:200]
        )


_COUNTED_OK = metrics.tls_handshakes.labels("ok")


async def _read_header(sock: socket.socket) -> proxy_protocol.ProxyHeader:
    """Reads the header and not a byte more: what follows belongs to TLS or HTTP."""
    while True:
        await _until_readable(sock)
        data = sock.recv(proxy_protocol.HEADER_BYTES_MAX, socket.MSG_PEEK)
        if not data:
            raise ConnectionResetError("hung up before a PROXY header")
        header = proxy_protocol.parse(data)
        if header is not None:
            sock.recv(header.length)
            return header
        await asyncio.sleep(_PEEK_AGAIN_S)  # the socket stays readable: proxies send the header in one piece


async def _until_readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(sock.fileno(), tell)
    try:
        await ready
    finally:
        loop.remove_reader(sock.fileno())


def _outcome(error: Exception) -> str:
    """A word of ours for what went wrong."""
    match error:
        case Refused():
            return error.outcome
        case ssl.SSLCertVerificationError():
            return _OUTCOME_OF_VERIFICATION.get(error.verify_code, "certificate_invalid")
        case ssl.SSLError():
            reason = error.reason or ""
            return "refused_by_station" if "ALERT" in reason else _OUTCOME_OF_REASON.get(reason, "failed")
        case TimeoutError():
            return "late"
        case ConnectionAbortedError():
            return "late" if "taking longer" in str(error) else "hung_up"
        case _:
            return "hung_up"


def listening_socket(settings: OcppSettings, port: int, flag: str) -> socket.socket:
    """A bound socket that other ingress processes of this node may share (SO_REUSEPORT).

    Args:
        settings: Where to listen.
        port: TCP port; 0: any free one.
        flag: How a user changes it.

    Raises:
        OSError: It cannot be bound.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
        sock.setblocking(False)  # noqa: FBT003 (the socket module's own signature)
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno,
            f"the OCPP port {settings.host}:{port} cannot be bound: {error.strerror}. "
            f"Stop what listens there, or choose another with {flag}",
        ) from error
    return sock


class Doors:
    """All doors of an ingress: a plain one, and one with TLS where there are certificates.

    Args:
        host: What their connections belong to.
        proxies: Who may send PROXY headers.

    Raises:
        TlsUnusable: The files of TLS cannot be used.
    """

    def __init__(self, host: Host, proxies: Proxies) -> None:
        self._host: Final = host
        self._proxies: Final = proxies
        self._tls: Final = Tls(host.settings) if host.settings.has_tls else None
        self._plain: PlainDoor | GuardedDoor | None = None
        self._guarded: GuardedDoor | None = None

    async def open(self, security_log: SecurityLog) -> None:
        """Listens at all of them, or at none.

        Raises:
            OSError: A port cannot be bound.
        """
        settings = self._host.settings
        if settings.proxy_protocol:
            self._plain = GuardedDoor(self._host, settings.port, self._proxies, None, security_log)
        else:
            self._plain = PlainDoor(self._host, settings.port)
        try:
            await self._plain.open()
            if self._tls is not None:
                self._guarded = GuardedDoor(self._host, settings.tls_port, self._proxies, self._tls, security_log)
                await self._guarded.open()
                self._tls.start()
        except OSError:
            self.close()
            self._plain = self._guarded = None
            raise

    @property
    def are_open(self) -> bool:
        """Whether `open` was called."""
        return self._plain is not None

    @property
    def port(self) -> int:
        """The TCP port of the plain door; 0 while closed."""
        return 0 if self._plain is None else self._plain.port

    @property
    def tls_port(self) -> int | None:
        """The TCP port of TLS; None: there is none."""
        return None if self._guarded is None else self._guarded.port

    @property
    def guests(self) -> int:
        """Connections that are getting through guarded doors."""
        return sum(door.guests for door in self._all() if isinstance(door, GuardedDoor))

    def rules(self) -> CertificateRules:
        """What stations' certificates must fulfil; those that a proxy tells of too."""
        if self._tls is None:
            return CertificateRules(frozenset(self._host.settings.tls_organizations))
        return self._tls.rules

    def close(self) -> None:
        """Takes no more connections."""
        for door in self._all():
            door.close()

    async def wait_closed(self) -> None:
        """Waits for all that is still under way."""
        if self._tls is not None:
            await self._tls.stop()
        for door in self._all():
            await door.wait_closed()

    def _all(self) -> list[PlainDoor | GuardedDoor]:
        return [door for door in (self._plain, self._guarded) if door is not None]
