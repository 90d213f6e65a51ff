"""Liveness: one wheel turns for all connections; it pings, finds the dead, closes the idle and the stalled.

No timer per connection: each is looked at once per interval of pings, in its own slot, so pings spread evenly.
Times are ticks of the wheel, one per `TICK_S`.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from ingress.settings import OcppSettings

log = structlog.get_logger()

TICK_S = 0.5
NO_SIGN_OF_LIFE = "no sign of life"
"""How the reason begins with which a connection is given up that answers no ping."""


class Watched(Protocol):
    """A connection as the wheel sees it. Ticks are written by the connection, or by the wheel where it says so."""

    heard_tick: int
    """When anything last came from the station."""
    message_tick: int
    """When a message last came from the station."""
    stalled_tick: int
    """Since when the station leaves our data unread; 0: it reads."""
    silence_ticks: int
    """After so long without a message it is told that it is silent; 0: never."""
    wants_pings: bool
    """Whether it is sent pings."""
    pong_ticks: int
    """How long a sign of life may take after a ping; 0: as all others."""

    @property
    def deaf(self) -> bool:
        """We do not read from it now, so silence says nothing."""

    def ping(self) -> None:
        """Sends a ping."""

    def give_up(self, code: int, reason: str) -> None:
        """Ends the connection without waiting for the station."""

    def fall_silent(self, silent_s: float) -> None:
        """No message came for so long. Called again each time it is looked at."""


class Wheel:
    """Watches connections. `tick` is the present, in ticks since the start; never 0.

    Args:
        settings: Intervals and time-outs.
        each_tick: Called once per tick, for what else is done now and then.
    """

    def __init__(self, settings: OcppSettings, each_tick: Callable[[], None]) -> None:
        self.tick = 1
        self._each_tick = each_tick
        self._ping_ticks = ticks(settings.ping_interval_s)
        self._pong_ticks = ticks(settings.pong_timeout_s)
        self._idle_ticks = ticks(settings.idle_timeout_s)
        self._stall_ticks = ticks(settings.write_stall_s)
        self._pong_timeout_s = settings.pong_timeout_s
        turn_s = settings.ping_interval_s or 10.0
        self._slots: list[dict[Watched, None]] = [{} for _ in range(max(1, ticks(turn_s)))]
        self._awaiting: dict[Watched, int] = {}
        self._patient: dict[Watched, int] = {}
        """Those of a longer time-out that the usual one is over for."""
        self._stalled: dict[Watched, None] = {}
        self._next_slot = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to turn."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._turn())

    async def stop(self) -> None:
        """Stands still."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def add(self, connection: Watched) -> int:
        """Watches a connection from now on; returns its slot, for `remove`."""
        slot = self._next_slot
        self._next_slot = (slot + 1) % len(self._slots)
        self._slots[slot][connection] = None
        return slot

    def remove(self, connection: Watched, slot: int) -> None:
        """Forgets a connection."""
        self._slots[slot].pop(connection, None)
        self._awaiting.pop(connection, None)
        self._patient.pop(connection, None)
        self._stalled.pop(connection, None)

    def stalled(self, connection: Watched) -> None:
        """The station stopped reading what we send: have an eye on it."""
        connection.stalled_tick = self.tick
        self._stalled[connection] = None

    def advance(self) -> None:
        """One tick: looks at what is due."""
        self.tick += 1
        self._look_at_stalled()
        self._look_at_awaited()
        for connection in [*self._slots[self.tick % len(self._slots)]]:
            self._look_at(connection)
        self._each_tick()

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + TICK_S
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due = max(due + TICK_S, loop.time())
            try:
                self.advance()
            except Exception:  # the wheel must turn for all the others
                log.exception("a tick failed")

    def _look_at(self, connection: Watched) -> None:
        if self._idle_ticks and not connection.deaf and self.tick - connection.message_tick >= self._idle_ticks:
            connection.give_up(1000, "idle: no message for too long")
            return
        if connection.silence_ticks and not connection.deaf:
            silent = self.tick - connection.message_tick
            if silent >= connection.silence_ticks:
                connection.fall_silent(silent * TICK_S)
        if self._ping_ticks and connection.wants_pings and not (connection.deaf or self._awaits(connection)):
            connection.ping()
            self._awaiting[connection] = self.tick

    def _awaits(self, connection: Watched) -> bool:
        return connection in self._awaiting or connection in self._patient

    def _look_at_awaited(self) -> None:
        """Anything heard after the ping is a sign of life. The dict is in the order of pings."""
        for connection, pinged in [*self._awaiting.items()]:
            if self.tick - pinged <= self._pong_ticks:
                break
            del self._awaiting[connection]
            if connection.heard_tick >= pinged or connection.deaf:
                continue
            if connection.pong_ticks > self._pong_ticks:
                self._patient[connection] = pinged
            else:
                connection.give_up(1011, f"{NO_SIGN_OF_LIFE} within {self._pong_timeout_s:g} s of a ping")
        for connection, pinged in [*self._patient.items()]:
            if connection.heard_tick >= pinged or connection.deaf:
                del self._patient[connection]
            elif self.tick - pinged > connection.pong_ticks:
                del self._patient[connection]
                waited_s = connection.pong_ticks * TICK_S
                connection.give_up(1011, f"{NO_SIGN_OF_LIFE} within {waited_s:g} s of a ping")

    def _look_at_stalled(self) -> None:
        for connection in [*self._stalled]:
            if not connection.stalled_tick:
                del self._stalled[connection]
            elif self.tick - connection.stalled_tick > self._stall_ticks:
                connection.give_up(1008, "slow consumer: what we sent was not read for too long")


def ticks(seconds: float) -> int:
    """A duration in ticks, at least one; 0 stays 0."""
    return max(1, round(seconds / TICK_S)) if seconds else 0
