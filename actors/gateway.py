"""The command gateway: hands a command to the station's actor and waits, whatever moves meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from actors.router import Router
from actors.taken import Taken
from engine.model.codec import decode_outcome, encode
from engine.model.commands import CommandCancel, CommandRequest, Outcome
from engine.model.ids import Unit
from engine.ports import ActorGone, ActorUnavailable, Clock, Fenced, JournalUnavailable, Placement

RETRY_S = 0.2
GRACE_S = 2.0
RECORD_S = 10.0
"""How long we try to get something on record."""
MANY_MAX = 500
"""Commands of one call at most: a station actor decides them in one turn."""
CALLS_MAX = 16
"""Such calls at once."""
MANY_S = 5.0
"""How long one such call may take. Whoever sends many has others waiting, and tries again."""
MANY_TRIES = 2

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

    async def submit_many(self, requests: Sequence[CommandRequest]) -> Sequence[CommandRequest]:
        """Returns those that could not be put on record. See `engine.ports.CommandGateway.submit_many`.

        Never raises for actors that are away: what waits for them comes back within seconds, while the commands to all
        others are on record.
        """
        left, suspects = list(requests), dict[Unit, Placement]()
        for tries_left in reversed(range(MANY_TRIES)):
            left = await self._submit_once(left, suspects)
            if not left or not tries_left:
                break
            await asyncio.sleep(RETRY_S)
        return left

    async def _submit_once(
        self, requests: Sequence[CommandRequest], suspects: dict[Unit, Placement]
    ) -> list[CommandRequest]:
        """One try, all actors at the same time. `suspects`: placements that failed; changed to what failed now."""
        left: list[CommandRequest] = []
        by_actor: dict[str, list[CommandRequest]] = {}
        placements: dict[Unit, Placement | None] = {}
        for request in requests:
            unit = self._router.unit_of(request.station)
            if unit not in placements:
                placements[unit] = await self._owner(unit, suspects.pop(unit, None))
            owner = placements[unit]
            if owner is None:
                left.append(request)
            else:
                by_actor.setdefault(owner.actor, []).append(request)
        places = asyncio.Semaphore(CALLS_MAX)
        calls = [
            self._hand_over(actor, wanted[begin : begin + MANY_MAX], placements, suspects, places)
            for actor, wanted in by_actor.items()
            for begin in range(0, len(wanted), MANY_MAX)
        ]
        for failed in await asyncio.gather(*calls):
            left += failed
        return left

    async def _owner(self, unit: Unit, suspect: Placement | None) -> Placement | None:
        """The owner of a unit, another one than `suspect` where the directory knows of one; None: nobody says."""
        placement = self._router.placement(unit)
        if placement is not None and placement != suspect:
            return placement
        try:
            async with asyncio.timeout(MANY_S):
                return await self._router.locate(unit, suspect=suspect)
        except (ActorUnavailable, TimeoutError):
            return None

    async def _hand_over(
        self,
        actor: str,
        requests: Sequence[CommandRequest],
        placements: Mapping[Unit, Placement | None],
        suspects: dict[Unit, Placement],
        places: asyncio.Semaphore,
    ) -> Sequence[CommandRequest]:
        """One call; returns what is not on record by it, and remembers whom to suspect for that."""
        units = {self._router.unit_of(request.station) for request in requests}
        owners = {unit: placement for unit in units if (placement := placements[unit]) is not None}
        try:
            async with places, asyncio.timeout(MANY_S):
                told = await self._router.submit_many(actor, tuple(owners.values()), encode(tuple(requests)))
        except (ActorGone, ActorUnavailable, TimeoutError):
            suspects |= owners
            return requests
        left = []
        for request, taken in zip(requests, told, strict=True):
            if taken != Taken.RECORDED:
                left.append(request)
                unit = self._router.unit_of(request.station)
                if taken == Taken.MOVED:
                    suspects[unit] = owners[unit]
        return left

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
