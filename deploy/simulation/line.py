"""A line between a station and an ingress: frames, in order, in both directions, and what can happen to them.

At the ingress' end it stands for `ingress.ocpp.connection.Connection`. A line that is cut is noticed by both ends; a
silent one by none: what is said on it is gone, until somebody stops waiting. A late one delivers all that it was given,
some time.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from deploy.simulation.processes import WORLD
from deploy.simulation.virtual_time import Life, VirtualLoop

TRANSIT_S_MAX = 0.05
NOTICED_S = 90.0
"""After so long the ingress' pings find out that nobody is there."""


class Listener(Protocol):
    """The station's end."""

    def heard(self, line: "Line", text: str) -> None:
        """A frame of the CSMS."""

    def lost(self, line: "Line") -> None:
        """The connection is over."""


class Line:
    """One connection.

    Args:
        loop: Time.
        life: Of the ingress that holds the other end.
        station: The station's end.
        transit: Gives the seconds that a frame is under way.
    """

    def __init__(self, loop: VirtualLoop, life: Life, station: Listener, transit: Callable[[], float]) -> None:
        self.session: Any = None
        """The ingress' session (`ingress.ocpp.session.StationSession`); None: its handshake is not decided."""
        self.name = ""
        """Of the session."""
        self.is_open = True
        self.ponged = True
        self.silent = False
        self.late_until = 0.0
        self.on_accepted: Callable[[], None] = lambda: None
        """Told when the handshake is complete."""
        self.on_sent: Callable[[str], None] = lambda _text: None
        """Sees each frame that the ingress sends, when it sends it."""
        self._loop: Final = loop
        self._life: Final = life
        self._station: Final = station
        self._transit: Final = transit
        self._waiting: deque[str] = deque()
        self._pauses: set[Any] = set()
        self._up_at = 0.0
        self._down_at = 0.0

    @property
    def holder(self) -> str:
        """The ingress' name."""
        return self.name.partition(":")[0]

    # The station's end

    def say(self, text: str) -> None:
        """A frame of the station."""
        if self.is_open and not self.silent:
            self._up_at = max(self._up_at, self._arrival())
            self._loop.call_at(self._up_at, self._arrive, text, context=WORLD)

    def hang_up(self) -> None:
        """The station cuts the connection; on a silent one nobody hears of it for a while."""
        if self.is_open and self.silent:
            self._loop.call_later(NOTICED_S, self.cut, context=WORLD)
        else:
            self.cut()

    # The world

    def cut(self, code: int = 1006, reason: str = "") -> None:
        """The connection is gone and both ends know."""
        if not self.is_open:
            return
        self.is_open = False
        self._waiting.clear()
        if self._life.alive and self.session is not None:
            self._loop.call_soon(self.session.closed, code, reason, context=self._life.context.copy())
        self._loop.call_later(self._transit(), self._station.lost, self, context=WORLD)

    # The ingress' end, as a Connection has it

    def send(self, texts: Sequence[str]) -> None:
        """Frames to the station."""
        for text in texts:
            if not self.is_open:
                return
            self.on_sent(text)
            if not self.silent:
                self._down_at = max(self._down_at, self._arrival())
                self._loop.call_at(self._down_at, self._station.heard, self, text, context=WORLD)

    def close(self, code: int, reason: str) -> None:
        """Ends the connection in good order."""
        self.cut(code, reason)

    def abort(self) -> None:
        """Cuts the connection."""
        self.cut()

    def give_up(self, code: int, reason: str) -> None:
        """Ends the connection without waiting for the station."""
        self.cut(code, reason)

    def watch(self, silence_s: float, *, pings: bool = True, pong_s: float = 0.0) -> None:
        """How it is to be watched: there is no wheel here."""

    def put_back(self, text: str) -> None:
        """The session could not take this message now."""
        self._waiting.appendleft(text)

    def pause(self, why: Any) -> None:
        """Reads no more until `resume` with the same reason."""
        self._pauses.add(why)

    def resume(self, why: Any) -> None:
        """Reads on if that was the last reason not to."""
        if why in self._pauses:
            self._pauses.discard(why)
            self._read_on()

    def _arrival(self) -> float:
        return max(self._loop.time(), self.late_until) + self._transit()

    def _arrive(self, text: str) -> None:
        if self.is_open and self._life.alive:
            self._waiting.append(text)
            self._loop.call_soon(self._read_on, context=self._life.context.copy())

    def _read_on(self) -> None:
        while self._waiting and not self._pauses and self.is_open:
            self.session.receive(self._waiting.popleft())
