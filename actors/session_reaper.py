"""Closes sessions whose ingress process is gone: it cannot report them, and a station may never come back."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import structlog

from actors.router import Router
from engine.model.codec import decode_batch_reply, encode
from engine.model.envelopes import Batch, Delivery
from engine.model.sessions import SessionClosed
from engine.ports import Clock, SeamError

log = structlog.get_logger()

ABNORMAL = 1006
"""WebSocket's code of a connection that ended without a word."""


class ConnectedSession(Protocol):
    """A station that is connected as far as PostgreSQL knows."""

    @property
    def station(self) -> str:
        """Its identity."""

    @property
    def session(self) -> str:
        """`<ingress>:<incarnation>:<n>`."""


class SessionReaper:
    """Looks for orphans.

    Args:
        router: The way to the station actors.
        connected: The sessions that PostgreSQL believes in.
        incarnations: `<ingress>:<incarnation>` of every living ingress process; asked after `connected`, so that a
            session of a process that was born meanwhile is not taken for an orphan. None: not known now.
        clock: Time.
    """

    def __init__(
        self,
        router: Router,
        connected: Callable[[], Awaitable[Iterable[ConnectedSession]]],
        incarnations: Callable[[], Awaitable[frozenset[str] | None]],
        clock: Clock,
    ) -> None:
        self._router = router
        self._connected = connected
        self._incarnations = incarnations
        self._clock = clock

    async def reap(self) -> int:
        """Reports the end of all orphaned sessions; returns how many. What fails is found again next time."""
        sessions = list(await self._connected())
        living = await self._incarnations()
        if living is None:
            return 0
        orphans = [each for each in sessions if each.session.rpartition(":")[0] not in living]
        for orphan in orphans:
            try:
                await self._close(orphan)
            except SeamError as error:
                log.warning("an orphaned session could not be closed", station=orphan.station, error=str(error))
        if orphans:
            log.info("orphaned sessions closed", sessions=len(orphans))
        return len(orphans)

    async def _close(self, orphan: ConnectedSession) -> None:
        unit = self._router.unit_of(orphan.station)
        placement = self._router.placement(unit) or await self._router.locate(unit)
        now = self._clock.now()
        closed = SessionClosed(orphan.session, ABNORMAL, "its ingress process ended", now)
        batch = Batch("reaper", ((unit, placement.epoch),), (Delivery(orphan.station, now, closed),))
        decode_batch_reply(await self._router.deliver(placement.actor, encode(batch)))
