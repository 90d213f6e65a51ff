"""The command gateway: hands a command to the station's actor and waits, whatever moves meanwhile."""

import asyncio

from actors.router import Router
from engine.model.codec import decode_outcome, encode
from engine.model.commands import CommandRequest, Outcome
from engine.ports import ActorGone, ActorUnavailable, Clock, Fenced, JournalUnavailable, Placement

RETRY_S = 0.2
GRACE_S = 2.0


class Gateway:
    """Implements `engine.ports.CommandGateway`. The command id makes a retry harmless."""

    def __init__(self, router: Router, clock: Clock) -> None:
        self._router = router
        self._clock = clock

    async def command(self, request: CommandRequest) -> Outcome:
        """Waits for the outcome. See `engine.ports.CommandGateway.command`."""
        encoded = encode(request)
        unit = self._router.unit_of(request.station)
        suspect: Placement | None = None
        failure = ""
        while (left_s := (request.deadline_at - self._clock.now()).total_seconds() + GRACE_S) > 0:
            placement = self._router.placement(unit)
            try:
                if placement is None or suspect is not None:
                    placement = await self._router.locate(unit, suspect=suspect)
                    suspect = None
                async with asyncio.timeout(left_s):
                    return decode_outcome(await self._router.command(placement, encoded))
            except (Fenced, ActorGone, ActorUnavailable) as error:
                suspect, failure = placement, str(error)
            except JournalUnavailable as error:
                failure = str(error)
            except TimeoutError:
                failure = "the station's actor did not answer in time"
            await asyncio.sleep(RETRY_S)
        raise ActorUnavailable(f"whether the command to {request.station} was taken is unknown: {failure}")
