"""The command gateway: hands a command to the station's actor and waits, whatever moves meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from actors.router import Router
from engine.model.codec import decode_outcome, encode
from engine.model.commands import CommandCancel, CommandRequest, Outcome
from engine.ports import ActorGone, ActorUnavailable, Clock, Fenced, JournalUnavailable, Placement

RETRY_S = 0.2
GRACE_S = 2.0
RECORD_S = 10.0
"""How long we try to get something on record."""

T = TypeVar("T")


class Gateway:
    """Implements `engine.ports.CommandGateway`. The command id makes a retry harmless."""

    def __init__(self, router: Router, clock: Clock) -> None:
        self._router = router
        self._clock = clock

    async def command(self, request: CommandRequest) -> Outcome:
        """Waits for the outcome. See `engine.ports.CommandGateway.command`."""
        encoded = encode(request)
        reached = await self._reach(
            request.station, request.deadline_at, lambda placement: self._router.command(placement, encoded)
        )
        return decode_outcome(reached)

    async def submit(self, request: CommandRequest) -> None:
        """Returns when the command is on record. See `engine.ports.CommandGateway.submit`."""
        encoded = encode(request)
        until = self._clock.now() + timedelta(seconds=RECORD_S)
        await self._reach(request.station, until, lambda placement: self._router.submit(placement, encoded))

    async def cancel(self, cancel: CommandCancel) -> Outcome:
        """Takes a command back. See `engine.ports.CommandGateway.cancel`."""
        encoded = encode(cancel)
        until = self._clock.now() + timedelta(seconds=RECORD_S)
        reached = await self._reach(cancel.station, until, lambda placement: self._router.cancel(placement, encoded))
        return decode_outcome(reached)

    async def _reach(self, station: str, until: datetime, ask: Callable[[Placement], Awaitable[T]]) -> T:
        """Asks the actor that hosts the station, whoever it is by then."""
        unit = self._router.unit_of(station)
        suspect: Placement | None = None
        failure = ""
        while (left_s := (until - self._clock.now()).total_seconds() + GRACE_S) > 0:
            placement = self._router.placement(unit)
            try:
                if placement is None or suspect is not None:
                    placement = await self._router.locate(unit, suspect=suspect)
                    suspect = None
                async with asyncio.timeout(left_s):
                    return await ask(placement)
            except (Fenced, ActorGone, ActorUnavailable) as error:
                suspect, failure = placement, str(error)
            except JournalUnavailable as error:
                failure = str(error)
            except TimeoutError:
                failure = "the station's actor did not answer in time"
            await asyncio.sleep(RETRY_S)
        raise ActorUnavailable(f"whether the command to {station} was taken is unknown: {failure}")
