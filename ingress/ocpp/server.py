"""The ingress: the listening socket, the handshakes, and who is connected. One per process.

made -> handshake (pacing, bounds, gatekeeper, takeover) -> session -> lost
"""

import asyncio
import socket
from collections.abc import Mapping
from typing import Final

import structlog
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from engine.model.codec import decode_downlinks
from engine.model.envelopes import CloseSession, Dispatch
from engine.model.sessions import SessionOpened
from engine.model.stations import StationRecord
from engine.ocpp import schemas
from engine.ocpp.versions import VERSION_OF_SUBPROTOCOL, Version
from engine.ports import Clock, MessageLog, OperatorBook, StationActors
from ingress import metrics
from ingress.ocpp.admission import Takeovers, TokenBucket
from ingress.ocpp.authentication import Authenticator
from ingress.ocpp.batching import Courier
from ingress.ocpp.connection import Connection, Pause
from ingress.ocpp.handshake import Gatekeeper, Refusal, identity_from_path
from ingress.ocpp.liveness import Wheel
from ingress.ocpp.recorder import Recorder
from ingress.ocpp.session import SUPERSEDED, StationSession, Surroundings, lost_command
from ingress.settings import OcppSettings

log = structlog.get_logger()

GOING_AWAY = 1001
_NO_COMMON_SUBPROTOCOL = "no common subprotocol: offer ocpp1.6, ocpp2.0.1 or ocpp2.1"
_RESUME_CHUNK = 200
"""Connections that are read from again per turn of the loop when the door opens."""
_DRAIN_STEP_S = 0.02


class IngressServer:
    """The door for stations. Implements what connections need of their host (`ingress.ocpp.connection.Host`).

    Args:
        settings: The section `[ocpp]`.
        name: Of this ingress, as actors know it.
        incarnation: Different for every process that ever had this name; makes session ids unique for ever.
        actors: The way to the station actors.
        book: What the operator knows of stations.
        log: Where raw messages go.
        clock: Time.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (the seams of the ingress)
        self,
        settings: OcppSettings,
        name: str,
        incarnation: int | str,
        actors: StationActors,
        book: OperatorBook,
        log: MessageLog,
        clock: Clock,
    ) -> None:
        self.settings: Final = settings
        self.wheel: Final = Wheel(settings, self._each_tick)
        self.paused = 0
        self._name = name
        self._incarnation = incarnation
        self._clock = clock
        self._message_log = log
        self._authenticator = Authenticator(settings)
        self._gatekeeper = Gatekeeper(book, self._authenticator, settings)
        self._courier = Courier(name, actors, settings, self._on_door)
        self._counts = metrics.MessageCounts()
        self._around = Surroundings(name, settings, clock, self._courier, self._counts)
        self._accepts = TokenBucket(settings.accepts_per_s, settings.accepts_burst, 0.0)
        self._takeovers = Takeovers(settings.takeovers_per_min)
        self._connections: dict[Connection, StationSession | None] = {}
        self._by_station: dict[str, StationSession] = {}
        self._by_session: dict[str, StationSession] = {}
        self._by_version: dict[Version, int] = dict.fromkeys(Version, 0)
        self._handshakes: set[asyncio.Task[None]] = set()
        self._sessions_made = 0
        self._server: asyncio.Server | None = None
        self._starting = asyncio.Lock()
        self._draining = False

    # Life

    async def start(self) -> None:
        """Listens. Does nothing the second time.

        Raises:
            OSError: The port cannot be bound.
        """
        async with self._starting:
            if self._server is not None:
                return
            schemas.compile_all()
            loop = asyncio.get_running_loop()
            sock = _listening_socket(self.settings)
            self._server = await loop.create_server(lambda: Connection(self), sock=sock, backlog=self.settings.backlog)
            self.wheel.start()
            log.info("listening for stations", ingress=self._name, host=self.settings.host, port=self.port)

    @property
    def port(self) -> int:
        """The TCP port; 0 before `start`."""
        if self._server is None or not self._server.sockets:
            return 0
        return int(self._server.sockets[0].getsockname()[1])

    async def drain(self, grace_s: float) -> None:
        """Leaves in good order: no new connection, no new message, answers to open calls, then close 1001.

        Args:
            grace_s: Seconds for open answers and for what actors must still hear; then everything is cut.
        """
        if self._draining:
            return
        self._draining = True
        loop = asyncio.get_running_loop()
        until = loop.time() + grace_s
        if self._server is not None:
            self._server.close()
        for handshake in self._handshakes:
            handshake.cancel()
        for connection, session in [*self._connections.items()]:
            if session is None:
                connection.abort()
            connection.pause(Pause.DRAIN)
        await self._close_answered(until)
        await self._wait_closed(until)
        try:
            async with asyncio.timeout_at(until):
                await self._courier.wait_idle()
        except TimeoutError:
            log.warning("the grace is over and actors did not hear everything", deliveries=self._courier.waiting)
        await self._end()

    async def receive_downlinks(self, downlinks: bytes) -> None:
        """Takes encoded `Downlinks` from an actor: commands to send, sessions to close."""
        for downlink in decode_downlinks(downlinks).downlinks:
            session = self._by_session.get(downlink.session)
            match downlink:
                case Dispatch() if session is not None and not session.gone:
                    session.dispatch(downlink)
                case Dispatch():
                    lost_command(self._courier, downlink, self._clock.now())
                case CloseSession(reason=reason) if session is not None:
                    session.close(SUPERSEDED, reason)
                case CloseSession():
                    pass

    def health(self) -> dict[str, object]:
        """For people and readiness. `ready`: stations can connect and are answered."""
        listening = self._server is not None and not self._draining
        return {
            "name": self._name,
            "port": self.port,
            "ready": listening and not self._courier.closed_door,
            "draining": self._draining,
            "connections": len(self._by_station),
            "connections_by_version": {version.value: count for version, count in self._by_version.items()},
            "connections_paused": self.paused,
            "handshakes": len(self._handshakes),
            "queue_deliveries": self._courier.waiting,
            "units_held": self._courier.units_held,
        }

    # What connections say

    def made(self, connection: Connection) -> None:
        """A TCP connection. Far above the bound not even a refusal is worth its price."""
        self._connections[connection] = None
        if len(self._connections) > self.settings.connections_max + self.settings.handshakes_max or self._draining:
            metrics.handshakes_refused.labels("connections_max").inc()
            connection.abort()

    def requested(self, connection: Connection, request: Request) -> None:
        """A handshake. Decided in a task of its own while the connection waits."""
        task = asyncio.get_running_loop().create_task(self._handshake(connection, request))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    def lost(self, connection: Connection) -> None:
        """The TCP connection is gone."""
        self._connections.pop(connection, None)

    # Handshake

    async def _handshake(self, connection: Connection, request: Request) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            await self._decide(connection, request)
        except Refusal as refusal:
            self._refuse(connection, request, refusal)
        except Exception:  # one handshake must not stop the door
            log.exception("a handshake failed", address=connection.address)
            text = "the handshake failed within the server; try again later"
            self._refuse(connection, request, Refusal(503, "internal_error", text, self._gatekeeper.retry_after))
        else:
            metrics.HANDSHAKE.observe(loop.time() - started)

    async def _decide(self, connection: Connection, request: Request) -> None:
        """Lets the station in, or raises a Refusal."""
        response = connection.protocol.accept(request)
        if response.status_code != 101:
            metrics.handshakes_refused.labels("bad_request").inc()
            connection.respond(response)
            return
        station = identity_from_path(request.path)
        self._check_room(station)
        await self._wait_for_turn()
        record = await self._gatekeeper.admit(station, request.headers)
        subprotocol = connection.protocol.subprotocol
        if subprotocol is None:
            metrics.handshakes_refused.labels("no_common_subprotocol").inc()
            if connection.awaits_answer:
                connection.accept(response, None)
                connection.close(1002, _NO_COMMON_SUBPROTOCOL)
            return
        self._open(connection, response, record, VERSION_OF_SUBPROTOCOL[subprotocol])

    def _check_room(self, station: str) -> None:
        """A station that is connected already takes no more room: its old connection may be dead."""
        if len(self._by_station) >= self.settings.connections_max and station not in self._by_station:
            raise self._busy("connections_max", "all connections of this server are taken")
        if len(self._handshakes) > self.settings.handshakes_max:
            raise self._busy("handshakes_max", "too many stations connect at this moment")
        if self._courier.closed_door:
            raise self._busy("overload", "the system is busy with what stations sent before")

    async def _wait_for_turn(self) -> None:
        """Paces handshakes: better late than refused, unless too late."""
        wait_s = self._accepts.reserve(asyncio.get_running_loop().time())
        if wait_s > self.settings.handshake_timeout_s / 2:
            self._accepts.give_back()
            raise self._busy("accepts_per_s", "too many stations connect at this moment")
        if wait_s:
            await asyncio.sleep(wait_s)

    def _open(self, connection: Connection, response: Response, record: StationRecord, version: Version) -> None:
        """The station is in: its session replaces any older one."""
        station = record.station
        older = self._by_station.get(station)
        if older is not None and not self._takeovers.allowed(station, asyncio.get_running_loop().time()):
            log.warning("two connections fight for one identity", station=station, address=connection.address)
            raise self._busy("takeovers", "this identity is connected, and was taken over too often")
        if not connection.awaits_answer:
            return
        session = self._make_session(connection, record, version)
        if older is not None:
            older.close(SUPERSEDED, "superseded by a newer connection of the same identity")
        session.open()
        entry = _Entry(self, session, version)
        self._by_station[station] = self._by_session[session.session] = session
        self._connections[connection] = session
        self._by_version[version] += 1
        connection.accept(response, entry)
        log.info(
            "station connected",
            station=station,
            session=session.session,
            version=version.value,
            address=connection.address,
        )
        if self._courier.closed_door:
            connection.pause(Pause.DOOR)
        connection.resume(Pause.HANDSHAKE)

    def _make_session(self, connection: Connection, record: StationRecord, version: Version) -> StationSession:
        self._sessions_made += 1
        session = f"{self._name}:{self._incarnation}:{self._sessions_made}"
        kept = {None: self.settings.message_log, True: "all", False: "off"}[record.message_log]
        recorder = None
        if kept != "off":
            recorder = Recorder(record.station, session, self._message_log, sparse=kept == "sparse")
        opened = SessionOpened(
            session=session,
            ingress=self._name,
            version=version.value,
            address=connection.address,
            at=self._clock.now(),
        )
        return StationSession(self._around, connection, opened, record.station, recorder)

    def ended(self, session: StationSession, version: Version, code: int, reason: str) -> None:
        """A session is over; a newer one of the same station stays untouched."""
        if self._by_station.get(session.station) is session:
            del self._by_station[session.station]
        self._by_session.pop(session.session, None)
        self._by_version[version] -= 1
        metrics.closes.labels(str(code) if code in _CODES_COUNTED else "other").inc()
        log.info(
            "station disconnected",
            station=session.station,
            session=session.session,
            version=version.value,
            code=code,
            reason=reason,
        )

    def _refuse(self, connection: Connection, request: Request, refusal: Refusal) -> None:
        metrics.handshakes_refused.labels(refusal.reason).inc()
        tell = log.debug if refusal.status == 503 else log.info  # a storm of 503 is in the metric
        tell("handshake refused", address=connection.address, path=request.path[:100], reason=refusal.reason)
        connection.respond(_response(connection, refusal))

    def _busy(self, reason: str, text: str) -> Refusal:
        return Refusal(503, reason, f"{text}; try again later", self._gatekeeper.retry_after)

    # Now and then

    def _on_door(self, closed: bool) -> None:  # noqa: FBT001 (a callback's one argument)
        if closed:
            for connection in self._connections:
                connection.pause(Pause.DOOR)
        else:
            self._let_read([*self._connections])

    def _let_read(self, connections: list[Connection]) -> None:
        """Lets connections be read from again, some per turn of the loop, as long as the door stays open."""
        if self._courier.closed_door:
            return
        for connection in connections[:_RESUME_CHUNK]:
            connection.resume(Pause.DOOR)
        if len(connections) > _RESUME_CHUNK:
            asyncio.get_running_loop().call_soon(self._let_read, connections[_RESUME_CHUNK:])

    def _each_tick(self) -> None:
        self._counts.flush()
        metrics.WHOLE.flush()
        for version, count in self._by_version.items():
            _CONNECTIONS[version].set(count)
        metrics.connections_paused.set(self.paused)
        metrics.handshakes_open.set(len(self._handshakes))
        metrics.queue_deliveries.set(self._courier.waiting)

    async def _close_answered(self, until: float) -> None:
        """Closes each connection as soon as nothing of it is open."""
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            open_calls = False
            for connection, session in [*self._connections.items()]:
                if session is not None and session.calls_open:
                    open_calls = True
                else:
                    connection.close(GOING_AWAY, "service restart")
            if not open_calls:
                return
            await asyncio.sleep(_DRAIN_STEP_S)

    async def _wait_closed(self, until: float) -> None:
        """Gives stations the time to answer the close; cuts the others."""
        loop = asyncio.get_running_loop()
        for connection in [*self._connections]:
            connection.close(GOING_AWAY, "service restart")
        while True:
            if not self._connections:
                return
            if loop.time() >= until:
                break
            await asyncio.sleep(_DRAIN_STEP_S)
        for connection in [*self._connections]:
            connection.abort()

    async def _end(self) -> None:
        await self.wheel.stop()
        await self._courier.close()
        self._authenticator.close()
        if self._server is not None:
            await self._server.wait_closed()
        self._each_tick()


class _Entry:
    """Listens for a session and keeps the server's lists right when it ends."""

    __slots__ = ("_server", "_session", "_version", "receive")

    def __init__(self, server: IngressServer, session: StationSession, version: Version) -> None:
        self._server = server
        self._session = session
        self._version = version
        self.receive = session.receive

    def closed(self, code: int, reason: str) -> None:
        """The connection is over."""
        self._server.ended(self._session, self._version, code, reason)
        self._session.closed(code, reason)


_CONNECTIONS = {version: metrics.connections.labels(version.value) for version in Version}
_CODES_COUNTED = frozenset({1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, SUPERSEDED})


def _listening_socket(settings: OcppSettings) -> socket.socket:
    """A socket that other ingress processes of this node may share (SO_REUSEPORT)."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
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
            f"the OCPP port {settings.host}:{settings.port} cannot be bound: {error.strerror}. "
            "Stop what listens there, or choose another with --port",
        ) from error
    return sock


def _response(connection: Connection, refusal: Refusal) -> Response:
    response = connection.protocol.reject(refusal.status, refusal.text + "\n")
    _add(response.headers, refusal.headers)
    return response


def _add(headers: Headers, more: Mapping[str, str]) -> None:
    for name, value in more.items():
        headers[name] = value
