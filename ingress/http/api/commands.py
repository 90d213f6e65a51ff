"""Commands to stations: any of them, the everyday ones by name, and the record of all that were given."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from engine.model.commands import Result
from ingress.http.api import examples
from ingress.http.api.answers import answers, listing_of
from ingress.http.api.command_bodies import (
    AnyCommand,
    AvailabilityBody,
    ResetBody,
    StartBody,
    StopBody,
    TriggerBody,
    UnlockBody,
)
from ingress.http.api.commanding import CommandAnswer, cancel_command, command_station
from ingress.http.api.paging import TimelineQuery, listing_response
from ingress.http.api.texts import IDENTITY, PLAIN, Moment, Short, StationName
from ingress.http.authentication import OPERATE, READ, Caller
from ingress.http.problems import json_response, not_found
from ingress.http.services import House
from storage.queries.filters import CommandFilter
from storage.queries.rows import CommandRow

router = APIRouter(tags=["commands"])

CommandId = Annotated[str, Path(min_length=1, max_length=64, pattern=PLAIN, examples=[examples.COMMAND_ID])]
_OUTCOMES = answers(CommandAnswer, examples.COMMAND_ANSWER, 404, 409, 504)


class CommandsQuery(TimelineQuery):
    """Filters of the record of commands."""

    station: Annotated[str | None, Field(max_length=48, pattern=IDENTITY, description="Only to this station.")] = None
    open: Annotated[bool | None, Field(description="Without an outcome yet, or with one.")] = None
    kind: Annotated[Short | None, Field(description="The command's word, e.g. RequestStart or RawCommand.")] = None
    result: Annotated[Result | None, Field(description="How it ended.")] = None
    since: Annotated[Moment | None, Field(description="Requested from this time on.")] = None
    until: Annotated[Moment | None, Field(description="Requested before this time.")] = None


@router.post("/stations/{station}/commands", dependencies=[OPERATE], responses=_OUTCOMES)
async def send_command(
    house: House,
    caller: Caller,
    station: StationName,
    body: Annotated[AnyCommand, Body(openapi_examples=examples.COMMAND_BODIES)],
) -> Response:
    """Sends any command, or a raw OCPP action, and waits for the outcome. 200 also when the station refuses."""
    return await command_station(house, station, body, caller.name)


@router.post("/stations/{station}/start", dependencies=[OPERATE], responses=_OUTCOMES)
async def start(
    house: House, caller: Caller, station: StationName, body: Annotated[StartBody, Body(examples=[examples.START])]
) -> Response:
    """Starts a transaction from here."""
    return await command_station(house, station, body, caller.name)


@router.post("/stations/{station}/stop", dependencies=[OPERATE], responses=_OUTCOMES)
async def stop(
    house: House, caller: Caller, station: StationName, body: Annotated[StopBody, Body(examples=[examples.STOP])]
) -> Response:
    """Stops a transaction from here."""
    return await command_station(house, station, body, caller.name)


@router.post("/stations/{station}/reset", dependencies=[OPERATE], responses=_OUTCOMES)
async def reset(
    house: House, caller: Caller, station: StationName, body: Annotated[ResetBody, Body(examples=[examples.RESET])]
) -> Response:
    """Restarts the station, or one EVSE of it."""
    return await command_station(house, station, body, caller.name)


@router.post("/stations/{station}/unlock", dependencies=[OPERATE], responses=_OUTCOMES)
async def unlock(
    house: House, caller: Caller, station: StationName, body: Annotated[UnlockBody, Body(examples=[examples.UNLOCK])]
) -> Response:
    """Unlocks a connector."""
    return await command_station(house, station, body, caller.name)


@router.post("/stations/{station}/trigger", dependencies=[OPERATE], responses=_OUTCOMES)
async def trigger(
    house: House, caller: Caller, station: StationName, body: Annotated[TriggerBody, Body(examples=[examples.TRIGGER])]
) -> Response:
    """Asks the station for a message."""
    return await command_station(house, station, body, caller.name)


@router.post("/stations/{station}/availability", dependencies=[OPERATE], responses=_OUTCOMES)
async def availability(
    house: House,
    caller: Caller,
    station: StationName,
    body: Annotated[AvailabilityBody, Body(examples=[examples.AVAILABILITY])],
) -> Response:
    """Takes a place in or out of service."""
    return await command_station(house, station, body, caller.name)


@router.get("/commands", dependencies=[READ], responses=answers(listing_of(CommandRow), examples.COMMANDS))
async def list_commands(house: House, request: Request, query: Annotated[CommandsQuery, Query()]) -> Response:
    """Commands and what came of them, newest first."""
    wanted = CommandFilter(**query.model_dump(exclude={"limit", "cursor", "order"}))
    return listing_response(request, await house.queries.commands(wanted, query.page()))


@router.get("/commands/{command_id}", dependencies=[READ], responses=answers(CommandRow, examples.COMMAND, 404))
async def show_command(house: House, command_id: CommandId) -> Response:
    """A command and what came of it; a late answer after a time-out shows up here."""
    row = await house.queries.command(command_id)
    if row is None:
        raise not_found("command", command_id, "GET /api/v1/commands lists all; a new one takes a moment to appear")
    return json_response(row)


@router.delete(
    "/commands/{command_id}", dependencies=[OPERATE], status_code=204, responses=answers(None, None, 404, 409)
)
async def cancel(house: House, caller: Caller, command_id: CommandId) -> Response:
    """Takes a command back while it waits for its station; one that was sent cannot be taken back."""
    row = await house.queries.command(command_id)
    if row is None:
        raise not_found("command", command_id, "GET /api/v1/commands lists all; a new one takes a moment to appear")
    return await cancel_command(house, row, caller.name)
