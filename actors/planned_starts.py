"""The command gateway of those who start transactions: a start at an EVSE of a site carries its first profile.

So no minute runs without a plan (2.1 F01.FR.11, 1.6 section 5.11). The planner is asked for a moment only: without an
answer the start goes out as it is, and the station's default profile counts until the plan follows.
"""

import asyncio
from collections.abc import Sequence

import structlog
from msgspec.structs import replace

from actors.router import ActorBook
from engine.model.charging_profiles import ChargingProfile
from engine.model.codec import decode_charging_profile
from engine.model.commands import CommandCancel, CommandRequest, Outcome
from engine.model.remote_control import RequestStart
from engine.ports import CommandGateway, SeamError

log = structlog.get_logger()

ANSWER_S_MAX = 0.3


class PlannedStarts:
    """Implements `engine.ports.CommandGateway` over another one.

    Args:
        gateway: The way to the stations.
        book: The way to the planners.
        planners: Names of their processes.
    """

    def __init__(self, gateway: CommandGateway, book: ActorBook, planners: Sequence[str]) -> None:
        self._gateway = gateway
        self._book = book
        self._planners = tuple(planners)

    async def command(self, request: CommandRequest) -> Outcome:
        """See `engine.ports.CommandGateway.command`."""
        return await self._gateway.command(await self._planned(request))

    async def submit(self, request: CommandRequest) -> None:
        """See `engine.ports.CommandGateway.submit`."""
        await self._gateway.submit(await self._planned(request))

    async def submit_many(self, requests: Sequence[CommandRequest]) -> Sequence[CommandRequest]:
        """See `engine.ports.CommandGateway.submit_many`."""
        planned = await asyncio.gather(*(self._planned(request) for request in requests))
        asked = {request.command_id: request for request in requests}
        return [asked[request.command_id] for request in await self._gateway.submit_many(planned)]

    async def cancel(self, cancel: CommandCancel) -> Outcome:
        """See `engine.ports.CommandGateway.cancel`."""
        return await self._gateway.cancel(cancel)

    async def _planned(self, request: CommandRequest) -> CommandRequest:
        """The request, a start with its first profile."""
        command = request.command
        if not isinstance(command, RequestStart) or command.profile is not None or command.evse is None:
            return request
        profile = await self._first_profile(request.station, command.evse.evse)
        return request if profile is None else replace(request, command=replace(command, profile=profile))

    async def _first_profile(self, station: str, evse: int) -> ChargingProfile | None:
        """What the planner of the station's site says; None: there is none, or it does not answer in time."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                answers = [self._book.call(name, "first_profile", station, evse) for name in self._planners]
                found = next((said for said in await asyncio.gather(*answers) if said is not None), None)
        except (SeamError, TimeoutError) as error:
            log.warning("a start goes out without its first profile", station=station, why=str(error) or "no answer")
            return None
        return None if found is None else decode_charging_profile(found)
