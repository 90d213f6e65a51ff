"""The ingress: its doors, the handshakes, and who is connected. One per process.

door -> made -> handshake (pacing, bounds, gatekeeper, takeover) -> session -> lost
"""

import asyncio
from typing import Final

import msgspec
import structlog
from websockets.http11 import Request, Response

from engine.model.codec import decode_downlinks
from engine.model.envelopes import CloseSession, Dispatch
from engine.model.sessions import SessionOpened
from engine.model.stations import SECURITY_PROFILE_MAX, StationRecord
from engine.ocpp import schemas
from engine.ocpp.versions import Version
from engine.ports import Arrivals, Clock, JournalUnavailable, MessageLog, OperatorBook, StationActors
from ingress import metrics
from ingress.ocpp.admission import Takeovers
from ingress.ocpp.authentication import Authenticator
from ingress.ocpp.batching import Courier
from ingress.ocpp.connection import Connection
from ingress.ocpp.consultation import Consultation
from ingress.ocpp.doors import Doors
from ingress.ocpp.forwarded import Proxies
from ingress.ocpp.gatekeeper import Admitted, Gatekeeper, wrong_case
from ingress.ocpp.listening import Pause
from ingress.ocpp.liveness import Wheel
from ingress.ocpp.reception import Reception
from ingress.ocpp.recorder import Recorder
from ingress.ocpp.security_log import SecurityLog
from ingress.ocpp.session import SUPERSEDED, StationSession, Surroundings, lost_command
from ingress.settings import OcppSettings

log = structlog.get_logger()

GOING_AWAY = 1001
_RESUME_CHUNK = 200
"""Connections that are read from again per turn of the loop when the door opens."""
_DRAIN_STEP_S = 0.02


class IngressServer:
    """The door for stations.

    Implements what connections need of their host (`ingress.ocpp.connection.Host`) and the reception of its house.

    Args:
        settings: The section `[ocpp]`.
        name: Of this ingress, as actors know it.
        incarnation: Different for every process that ever had this name; makes session ids unique for ever.
        actors: The way to the station actors.
        book: What the operator knows of stations.
        log: Where raw messages go.
        clock: Time.
        arrivals: In which order connections come; None: as this process counts them, which is right for one alone.
        consultation: Asks the outside world about certificates; None: nobody is asked.
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
        arrivals: Arrivals | None = None,
        consultation: Consultation | None = None,
    ) -> None:
        self.settings: Final = settings
        self.wheel: Final = Wheel(settings, self._each_tick)
        self.paused = 0
        self._name = name
        self._incarnation = incarnation
        self._clock = clock
        self._message_log = log
        self._arrivals = arrivals or _OwnCount()
        self._authenticator = Authenticator(settings)
        proxies = Proxies(settings.trusted_proxies)
        self._doors = Doors(self, proxies)
        gatekeeper = Gatekeeper(book, self._authenticator, self._doors.rules, settings, clock)
        self._reception = Reception(self, gatekeeper, proxies, settings)
        self._courier = Courier(name, actors, settings, self._on_door)
        self._counts = metrics.MessageCounts()
        self._around = Surroundings(name, settings, clock, self._courier, self._counts, consultation)
        self._takeovers = Takeovers(settings.takeovers_per_min)
        self._connections: dict[Connection, StationSession | None] = {}
        self._by_station: dict[str, StationSession] = {}
        self._by_session: dict[str, StationSession] = {}
        self._by_caseless: dict[str, str] = {}
        self._by_version: dict[Version, int] = dict.fromkeys(Version, 0)
        self._by_profile = [0] * len(_PROFILES)
        self._sessions_made = 0
        self._starting = asyncio.Lock()
        self._draining = False

    # Life

    async def start(self) -> None:
        """Listens. Does nothing the second time.

        Raises:
            OSError: A port cannot be bound.
        """
        async with self._starting:
            if self._doors.are_open:
                return
            schemas.compile_all()
            security_log = SecurityLog(asyncio.get_running_loop().time)
            self._reception.tell(security_log)
            await self._doors.open(security_log)
            self.wheel.start()
            log.info(
                "listening for stations",
                ingress=self._name,
                host=self.settings.host,
                port=self.port,
                tls_port=self.tls_port,
            )

    @property
    def port(self) -> int:
        """The TCP port; 0 before `start`."""
        return self._doors.port

    @property
    def tls_port(self) -> int | None:
        """The TCP port of TLS; None: there is none."""
        return self._doors.tls_port

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
        self._doors.close()
        self._reception.close()
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
        listening = self._doors.are_open and not self._draining
        return {
            "name": self._name,
            "port": self.port,
            "tls_port": self.tls_port,
            "ready": listening and not self._courier.closed_door,
            "draining": self._draining,
            "connections": len(self._by_station),
            "connections_by_version": {version.value: count for version, count in self._by_version.items()},
            "connections_paused": self.paused,
            "handshakes": self._reception.handshakes,
            "queue_deliveries": self._courier.waiting,
            "units_held": self._courier.units_held,
        }

    # What connections say

    def has_room(self) -> bool:
        """Whether one more TCP connection may come. Far above the bound not even a refusal is worth its price."""
        return len(self._connections) < self.settings.connections_max + self.settings.handshakes_max

    def made(self, connection: Connection) -> None:
        """A TCP connection."""
        room = self.has_room()
        self._connections[connection] = None
        if not room or self._draining:
            metrics.handshakes_refused.labels("connections_max").inc()
            connection.abort()

    def requested(self, connection: Connection, request: Request) -> None:
        """A handshake."""
        self._reception.receive(connection, request)

    def lost(self, connection: Connection) -> None:
        """The TCP connection is gone."""
        self._connections.pop(connection, None)

    # Handshake

    def require_room(self, station: str) -> None:
        """A station that is connected already takes no more room: its old connection may be dead. Raises a Refusal."""
        if len(self._by_station) >= self.settings.connections_max and station not in self._by_station:
            raise self._reception.busy("connections_max", "all connections of this server are taken")
        if self._courier.closed_door:
            raise self._reception.busy("overload", "the system is busy with what stations sent before")

    async def let_in(self, connection: Connection, response: Response, admitted: Admitted, version: Version) -> None:
        """The station has passed the reception. Raises a Refusal."""
        order = await self._arrival()
        self._open(connection, response, self._same_case(admitted), version, order)

    def _same_case(self, admitted: Admitted) -> Admitted:
        """An identity that is connected already in another case is refused, or is that station, as the setting says."""
        station = admitted.record.station
        known = self._by_caseless.get(station.casefold(), station)
        if known == station or self.settings.identity_case == "distinct":
            return admitted
        if self.settings.identity_case == "refuse":
            raise wrong_case(station, known)
        return admitted._replace(record=msgspec.structs.replace(admitted.record, station=known))

    async def _arrival(self) -> int:
        """The connection's place among all (`engine.ports.Arrivals`). Raises a Refusal."""
        try:
            return await self._arrivals.number()
        except JournalUnavailable as error:
            log.warning("a connection gets no number", why=str(error))
            raise self._reception.busy("arrivals_unavailable", "the connection cannot be recorded now") from error

    def _open(
        self, connection: Connection, response: Response, admitted: Admitted, version: Version, order: int
    ) -> None:
        """The station is in: its session replaces any older one."""
        station = admitted.record.station
        older = self._by_station.get(station)
        if older is not None and older.order > order:  # two handshakes overtook each other
            raise self._reception.busy("overtaken", "a newer connection of this identity is open")
        if older is not None and not self._takeovers.allowed(station, asyncio.get_running_loop().time()):
            log.warning("two connections fight for one identity", station=station, address=connection.address)
            raise self._reception.busy("takeovers", "this identity is connected, and was taken over too often")
        if not connection.awaits_answer:
            return
        connection.caller = connection.caller._replace(certificate=None)  # looked at, and large
        session = self._make_session(connection, admitted.record, version, order)
        if older is not None:
            older.close(SUPERSEDED, "superseded by a newer connection of the same identity")
        session.open()
        entry = _Entry(self, session, version, admitted.profile)
        self._by_station[station] = self._by_session[session.session] = session
        self._connections[connection] = session
        self._by_caseless[station.casefold()] = station
        self._by_version[version] += 1
        self._by_profile[admitted.profile] += 1
        connection.accept(response, entry)
        log.info(
            "station connected",
            station=station,
            session=session.session,
            version=version.value,
            security_profile=admitted.profile,
            address=connection.address,
        )
        if self._courier.closed_door:
            connection.pause(Pause.DOOR)
        connection.resume(Pause.HANDSHAKE)

    def _make_session(
        self, connection: Connection, record: StationRecord, version: Version, order: int
    ) -> StationSession:
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
            order=order,
            quirks=record.quirks,
        )
        return StationSession(self._around, connection, opened, record.station, recorder)

    def ended(self, entry: "_Entry", code: int, reason: str) -> None:
        """A session is over; a newer one of the same station stays untouched."""
        session, version = entry.session, entry.version
        if self._by_station.get(session.station) is session:
            del self._by_station[session.station]
            self._by_caseless.pop(session.station.casefold(), None)
        self._by_session.pop(session.session, None)
        self._by_version[version] -= 1
        self._by_profile[entry.profile] -= 1
        metrics.closes.labels(str(code) if code in _CODES_COUNTED else "other").inc()
        log.info(
            "station disconnected",
            station=session.station,
            session=session.session,
            version=version.value,
            code=code,
            reason=reason,
        )

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
        for gauge, count in zip(_PROFILES, self._by_profile, strict=True):
            gauge.set(count)
        metrics.tls_handshakes_open.set(self._doors.guests)
        metrics.connections_paused.set(self.paused)
        metrics.handshakes_open.set(self._reception.handshakes)
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
        await self._doors.wait_closed()
        self._each_tick()


class _OwnCount:
    """`engine.ports.Arrivals` of one process."""

    def __init__(self) -> None:
        self._last = 0

    async def number(self) -> int:
        """The next."""
        self._last += 1
        return self._last


class _Entry:
    """Listens for a session and keeps the server's lists right when it ends."""

    __slots__ = ("_server", "profile", "receive", "session", "silent", "version")

    def __init__(self, server: IngressServer, session: StationSession, version: Version, profile: int) -> None:
        self._server = server
        self.session = session
        self.version = version
        self.profile = profile
        self.receive = session.receive
        self.silent = session.silent

    def closed(self, code: int, reason: str) -> None:
        """The connection is over."""
        self._server.ended(self, code, reason)
        self.session.closed(code, reason)


_PROFILES = [metrics.connections_by_profile.labels(str(profile)) for profile in range(SECURITY_PROFILE_MAX + 1)]
_CONNECTIONS = {version: metrics.connections.labels(version.value) for version in Version}
_CODES_COUNTED = frozenset({1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, SUPERSEDED})
