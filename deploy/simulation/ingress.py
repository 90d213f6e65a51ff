"""An ingress without its sockets: real sessions and the real courier, on simulated lines."""

from typing import Final

from actors.router import ActorBook, Router
from deploy.simulation.line import Line
from deploy.simulation.processes import Network, Process
from engine.model.codec import decode_downlinks
from engine.model.envelopes import CloseSession, Dispatch
from engine.model.sessions import SessionOpened
from engine.ports import Arrivals, JournalUnavailable
from ingress.metrics import MessageCounts
from ingress.ocpp.batching import Courier
from ingress.ocpp.listening import Pause
from ingress.ocpp.session import SUPERSEDED, StationSession, Surroundings, lost_command
from ingress.settings import OcppSettings


class Ingress:
    """What `ingress.ocpp.server.IngressServer` is between its sockets and the actors.

    Args:
        process: Where it lives.
        network: The way to the actors.
        settings: Bounds.
        arrivals: In which order connections come.
        shards: Number of shards.
        literal: One actor per station.
    """

    def __init__(
        self,
        process: Process,
        network: Network,
        settings: OcppSettings,
        arrivals: Arrivals,
        shards: int,
        *,
        literal: bool,
    ) -> None:
        book: ActorBook = network  # type: ignore[assignment]  # it has the one method that a router uses
        self.router: Final = Router(book, shards=shards, literal=literal)
        self.lines: Final[dict[str, Line]] = {}
        """Open lines, by session."""
        self._by_station: Final[dict[str, Line]] = {}
        self._process = process
        self._arrivals = arrivals
        self.courier: Final = Courier(process.name, self.router, settings, _door)
        self._around = Surroundings(process.name, settings, process.clock, self.courier, MessageCounts())
        self._sessions = 0

    def connect(self, line: Line, station: str, version: str) -> None:
        """A station asks to come in: its handshake is decided while what it says waits."""
        self._sessions += 1
        line.name = f"{self._process.name}:{self._process.pid}:{self._sessions}"
        line.pause(Pause.HANDSHAKE)
        assert self._process.life is not None, "only who lives is connected to"
        self._process.life.spawn(self._handshake(line, station, version))

    async def _handshake(self, line: Line, station: str, version: str) -> None:
        """Lets it in; an older connection of the same identity is closed. See `IngressServer._decide`."""
        try:
            order = await self._arrivals.number()
        except JournalUnavailable:
            line.cut()
            return
        older = self._by_station.get(station)
        if older is not None and older.is_open and older.session.order > order:
            line.cut()
        if not line.is_open:
            return
        if older is not None and older.is_open:
            older.close(SUPERSEDED, "superseded by a newer connection of the same identity")
        name, now = self._process.name, self._process.clock.now()
        opened = SessionOpened(line.name, name, version, "127.0.0.1", now, order)
        line.session = StationSession(self._around, line, opened, station, None)  # type: ignore[arg-type]  # a Line does what a session wants of its Connection
        self.lines[line.name] = line
        self._by_station[station] = line
        if len(self.lines) > 4 * len(self._by_station):
            self._forget_closed()
        line.session.open()
        line.on_accepted()
        line.resume(Pause.HANDSHAKE)

    async def receive_downlinks(self, downlinks: bytes) -> None:
        """See `ingress.ocpp.server.IngressServer.receive_downlinks`."""
        for downlink in decode_downlinks(downlinks).downlinks:
            line = self.lines.get(downlink.session)
            is_open = line is not None and line.is_open
            match downlink:
                case Dispatch() if line is not None and is_open:
                    line.session.dispatch(downlink)
                case Dispatch():
                    lost_command(self.courier, downlink, self._process.clock.now())
                case CloseSession() if line is not None and is_open:
                    line.close(SUPERSEDED, downlink.reason)
                case CloseSession():
                    pass

    def _forget_closed(self) -> None:
        for name in [name for name, line in self.lines.items() if not line.is_open]:
            del self.lines[name]


def _door(_closed: bool) -> None:  # noqa: FBT001 (the courier's callback)
    """Nothing to stop: simulated stations have one call open at a time, so the courier's bound is never near."""
