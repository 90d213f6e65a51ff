"""Commanding a station: the request to the gateway, and its outcome as an answer or a problem."""

from datetime import timedelta
from typing import Any, assert_never

import msgspec
import orjson
import psycopg
import structlog
from starlette.responses import Response

from engine.model.commands import CommandCancel, CommandRequest, Outcome, Result
from engine.model.provisioning import VariableResult
from engine.ports import ActorUnavailable
from ingress.http.api.command_bodies import CommandBody
from ingress.http.api.credentials import pledged, redeemed
from ingress.http.problems import Problem, invalid, json_response, not_found
from ingress.http.services import Services
from storage.queries.rows import CommandRow, Json

log = structlog.get_logger()

NUMBER_MASK = 2**31 - 1


class VariableAnswer(msgspec.Struct, frozen=True):
    """What the station said of one variable; `status` is its own word."""

    variable: str
    component: str
    component_instance: str | None
    variable_instance: str | None
    evse: int | None
    connector: int | None
    attribute: str | None
    status: str
    value: str | None
    readonly: bool | None


class CommandAnswer(msgspec.Struct, frozen=True):
    """What came of a command that the station answered.

    `result`: accepted, refused (the station said no) or failed (it answered with an OCPP error).
    `status`: its own word. `payload`: its answer as it came. `command_id`: for GET /commands/{command_id}.
    """

    command_id: str
    station: str
    result: str
    status: str | None
    detail: str | None
    payload: Json
    variables: tuple[VariableAnswer, ...]


class CommandTaken(msgspec.Struct, frozen=True):
    """A command that is on record; what came of it: GET /commands/{command_id}."""

    command_id: str
    station: str


async def cancel_command(services: Services, row: CommandRow, by: str) -> Response:
    """Takes a command back while it waits.

    Raises:
        Problem: 409 it was sent or is over, 503 no actor.
    """
    try:
        outcome = await services.gateway.cancel(CommandCancel(row.command_id, row.station, by))
    except ActorUnavailable as error:
        detail = f"{row.station} could not be reached within Narke: {error}"
        raise Problem(503, "station-actor-unavailable", detail, "ask again") from error
    if outcome.result is Result.CANCELLED:
        return Response(status_code=204)
    detail = f"command {row.command_id} cannot be taken back: {outcome.detail or outcome.result}"
    what_to_do = f"GET /api/v1/commands/{row.command_id} tells what came of it"
    raise Problem(409, "command-not-waiting", detail, what_to_do, result=str(outcome.result))


async def command_station(services: Services, station: str, body: CommandBody, by: str) -> Response:
    """Hands the command over and waits for its outcome.

    Raises:
        Problem: 404 unknown station, 409 offline, 422 not expressible, 503 or 504 no outcome.
    """
    deadline_s = services.command_deadline_s if body.deadline_s is None else body.deadline_s
    if deadline_s > services.settings.deadline_s_max:
        longest_s = f"{services.settings.deadline_s_max:g}"
        raise invalid("body.deadline_s", f"is above {longest_s} s", f"give at most {longest_s} (http.deadline_s_max)")
    await require_known(services, station)
    name = services.ids()
    now = services.clock.now()
    pledge = await pledged(services, station, body.word(name.int & NUMBER_MASK), now)
    request = CommandRequest(
        command_id=str(name),
        station=station,
        command=pledge.command,
        requested_at=now,
        deadline_at=now + timedelta(seconds=deadline_s),
        by=by,
        priority=body.priority,
        waits=body.when_offline == "wait",
    )
    try:
        if body.answer == "recorded":
            await services.gateway.submit(request)
            return json_response(CommandTaken(command_id=request.command_id, station=station), status=202)
        outcome = await services.gateway.command(request)
    except ActorUnavailable as error:
        raise Problem(
            503,
            "station-actor-unavailable",
            f"{station} could not be reached within Narke: {error}",
            f"ask GET /api/v1/commands/{name} what became of it before you send it again",
            command_id=str(name),
        ) from error
    await redeemed(services, station, pledge, outcome, services.clock.now())
    return _response(request, outcome, deadline_s)


async def require_known(services: Services, station: str) -> None:
    """Lets known stations pass. Where PostgreSQL does not answer, everybody passes: commands do not depend on it.

    Raises:
        Problem: 404.
        JournalUnavailable: Redis does not answer.
    """
    if await services.book.station(station) is not None:
        return
    try:
        if await services.queries.station(station) is not None:
            return
    except psycopg.OperationalError as error:
        log.warning("station not looked up: postgres does not answer", station=station, error=str(error))
        return
    if services.knows is None or not await services.knows(station):
        raise unknown_station(station)


def unknown_station(station: str) -> Problem:
    """404: neither registered nor ever heard of."""
    todo = "case matters; GET /api/v1/stations lists all, PUT /api/v1/stations/{station} registers one"
    return not_found("station", station, todo)


def _response(request: CommandRequest, outcome: Outcome, deadline_s: float) -> Response:
    """An answer of the station's is an answer of ours, whatever it says; everything else is a problem."""
    station = request.station
    match outcome.result:
        case Result.ACCEPTED | Result.REFUSED | Result.FAILED:
            return json_response(answer_of(request, outcome))
        case Result.OFFLINE:
            detail = f"{station}: {outcome.detail or 'The station is not connected; nothing was sent.'}"
            raise _problem(409, "station-offline", detail, "send it again when the station is back", request, outcome)
        case Result.NOT_EXPRESSIBLE:
            detail = f"nothing was sent to {station}: {outcome.detail or 'its OCPP version cannot say this'}"
            raise _problem(422, "not-expressible", detail, "correct the command as the detail says", request, outcome)
        case Result.TIMED_OUT:
            detail = f"{station} did not answer within {deadline_s:g} s; it may still have done it"
            todo = "look at its transactions and messages before you send it again"
            raise _problem(504, "station-timed-out", detail, todo, request, outcome)
        case Result.LOST:
            detail = f"the connection of {station} ended before its answer came; it may have done it"
            todo = "look at its transactions and messages before you send it again"
            raise _problem(504, "station-connection-lost", detail, todo, request, outcome)
        case Result.EXPIRED | Result.CANCELLED | Result.REPLACED:
            detail = f"{station}: {outcome.detail or outcome.result}"
            kind, todo = f"command-{outcome.result}", "send it again if it still counts"
            raise _problem(409, kind, detail, todo, request, outcome)
        case _ as unexpected:
            assert_never(unexpected)


def _problem(
    status: int, kind: str, detail: str, what_to_do: str, request: CommandRequest, outcome: Outcome
) -> Problem:
    more: dict[str, Any] = {
        "command_id": request.command_id,
        "result": str(outcome.result),
        "station_status": outcome.status,
    }
    if outcome.detail and outcome.detail not in detail:
        detail = f"{detail} ({outcome.detail})"
    return Problem(status, kind, detail, what_to_do, **more)


def answer_of(request: CommandRequest, outcome: Outcome) -> CommandAnswer:
    """The outcome as the API tells it."""
    return CommandAnswer(
        command_id=request.command_id,
        station=request.station,
        result=str(outcome.result),
        status=outcome.status,
        detail=outcome.detail,
        payload=_json_of(outcome.payload),
        variables=tuple(_variable_of(result) for result in outcome.variables),
    )


def _json_of(payload: bytes | None) -> Any:
    return None if payload is None else orjson.loads(payload)


def _variable_of(result: VariableResult) -> VariableAnswer:
    ref = result.ref
    return VariableAnswer(
        variable=ref.variable,
        component=ref.component,
        component_instance=ref.component_instance,
        variable_instance=ref.variable_instance,
        evse=ref.evse.evse if ref.evse else None,
        connector=ref.evse.connector if ref.evse else None,
        attribute=ref.attribute,
        status=result.status,
        value=result.value,
        readonly=result.readonly,
    )
