"""Local lists of stations: sync and check. Listed at GET /local-lists and /local-list-entries (`blocks`)."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.model.commands import Outcome, Result
from engine.model.local_list import VERSION_EMPTY, ListVersion
from ingress.http.api.answers import answers
from ingress.http.api.commanding import require_known
from ingress.http.api.texts import StationName
from ingress.http.authentication import OPERATE, Caller
from ingress.http.local_lists import LocalLists, Synced, TooManyTokens
from ingress.http.problems import Problem, json_response
from ingress.http.services import House


def _of_request(request: Request) -> LocalLists:
    lists: Any = request.app.state.local_lists
    assert isinstance(lists, LocalLists)
    return lists


Lists = Annotated[LocalLists, Depends(_of_request)]

router = APIRouter(prefix="/stations/{station}/local-list", tags=["local lists"])


class SyncBody(BaseModel, extra="forbid"):
    """How to sync."""

    whole: Annotated[bool, Field(description="Send the whole list, whatever the station is believed to have.")] = False


class CheckBody(BaseModel, extra="forbid"):
    """How to check."""

    repair: Annotated[bool, Field(description="Sync it where its version is not the one that Narke believes.")] = True


class Checked(msgspec.Struct, frozen=True):
    """`version`: as the station says; 0: it has no list, -1: it cannot have one. `expected`: what Narke believed.

    `synced`: what came of the repair; null: none was needed or wanted.
    """

    station: str
    version: int
    expected: int
    synced: Synced | None = None


SYNCED = Synced(station="CP-0001", result="accepted", version=7, entries=120, messages=2, whole=False)
CHECKED = Checked(station="CP-0001", version=7, expected=7)


@router.post("/sync", dependencies=[OPERATE], responses=answers(Synced, SYNCED, 404, 409, 504))
async def sync_local_list(
    house: House,
    lists: Lists,
    caller: Caller,
    station: StationName,
    body: Annotated[SyncBody, Body(examples=[{"whole": False}])],
) -> Response:
    """Makes the station's local list what the tokens say, by differences where it can."""
    await require_known(house, station)
    return json_response(await _synced(lists, station, whole=body.whole, by=caller.name))


@router.post("/check", dependencies=[OPERATE], responses=answers(Checked, CHECKED, 404, 409, 504))
async def check_local_list(
    house: House,
    lists: Lists,
    caller: Caller,
    station: StationName,
    body: Annotated[CheckBody, Body(examples=[{"repair": True}])],
) -> Response:
    """Asks the station for the version of its local list and repairs what is not as it should be."""
    await require_known(house, station)
    row = await lists.row(station)
    expected = 0 if row is None else row.version
    outcome = await lists.version_of(station, caller.name)
    if not isinstance(outcome.found, ListVersion):
        raise _failed(station, outcome.result, outcome)
    version = outcome.found.version
    synced = None
    if body.repair and version != expected and version >= VERSION_EMPTY:
        synced = await _synced(lists, station, whole=True, by=caller.name, version=version)
    return json_response(Checked(station=station, version=version, expected=expected, synced=synced))


async def _synced(lists: LocalLists, station: str, *, whole: bool, by: str, version: int = 0) -> Synced:
    """Raises Problem: 404 it was never connected, 409 it did not go, 504 no answer."""
    try:
        synced = await lists.sync(station, whole=whole, by=by, version=version)
    except TooManyTokens as error:
        raise Problem(409, "local-list-too-long", str(error), "change the tokens, then sync again") from error
    if synced is None:
        detail = f"{station} was never connected: its OCPP version, and so what its list can hold, is not known"
        raise Problem(409, "station-offline", detail, "sync it when it has connected")
    if synced.result != Result.ACCEPTED:
        raise _failed(station, synced.result, synced)
    return synced


def _failed(station: str, result: str, what: Outcome | Synced) -> Problem:
    kinds = {
        Result.OFFLINE: (409, "station-offline"),
        Result.TIMED_OUT: (504, "station-timed-out"),
        Result.LOST: (504, "station-connection-lost"),
        Result.NOT_EXPRESSIBLE: (422, "not-expressible"),
    }
    status, kind = kinds.get(Result(result), (409, "local-list-refused"))
    done = f" after {what.messages} messages" if isinstance(what, Synced) and what.messages else ""
    detail = f"the local list of {station}: {result}{done} ({what.detail or 'no reason given'})"
    return Problem(status, kind, detail, "look at GET /api/v1/local-lists?station=..., then sync again", result=result)
