"""Tariffs: what charging costs, and for whom. Written to the operator's book; the lists are `blocks`' tables."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.model.authorization import Token
from engine.model.tariff_and_cost import AssignedTo
from engine.model.tariffs import Tariff
from engine.ports import TariffKeeper
from engine.rating.soundness import fault_of
from ingress.http.api.answers import answers
from ingress.http.api.texts import PLAIN
from ingress.http.authentication import OPERATE
from ingress.http.problems import Fault, Problem, json_response, not_found
from ingress.http.services import House

router = APIRouter(tags=["tariffs"])

TariffId = Annotated[str, Path(min_length=1, max_length=60, pattern=PLAIN, examples=["day-night-1"])]
AssigneeName = Annotated[
    str, Path(min_length=1, max_length=255, pattern=PLAIN, description="Station, group or token; of `default`: all.")
]
EXAMPLE: dict[str, Any] = {
    "id": "day-night-1",
    "currency": "EUR",
    "energy": {
        "prices": [
            {"amount": "0.40", "conditions": {"from_time": "08:00", "to_time": "18:00"}},
            {"amount": "0.25"},
        ],
        "taxes": [{"type": "vat", "percent": "19"}],
    },
}


class AssignmentBody(BaseModel, extra="forbid"):
    """Which tariff it is."""

    tariff_id: Annotated[str | None, Field(max_length=60, pattern=PLAIN, description="null: none of its own.")] = None


ASSIGNMENT = {"tariff_id": "day-night-1"}


class AssignmentAnswer(msgspec.Struct, frozen=True):
    """Whom a tariff is for. `tariff_id` null: nobody of that name has one of their own."""

    assigned_to: AssignedTo
    name: str
    tariff_id: str | None


@router.put("/tariffs/{tariff_id}", dependencies=[OPERATE], responses=answers(Tariff, EXAMPLE, 409))
async def save_tariff(
    house: House, tariff_id: TariffId, body: Annotated[dict[str, Any], Body(examples=[EXAMPLE])]
) -> Response:
    """Adds a tariff. Another content needs another id, because old bills name theirs."""
    tariff = _tariff(tariff_id, body)
    try:
        await _keeper(house).save(tariff, house.clock.now())
    except ValueError as error:
        raise _conflict(error) from error
    return json_response(tariff)


@router.delete("/tariffs/{tariff_id}", dependencies=[OPERATE], status_code=204, responses=answers(None, None, 404))
async def remove_tariff(house: House, tariff_id: TariffId) -> Response:
    """Removes a tariff; whoever had it has none. The cost of transactions that run with it will not be known."""
    if not await _keeper(house).remove(tariff_id, house.clock.now()):
        raise not_found("tariff", tariff_id, "GET /api/v1/tariffs lists all")
    return Response(status_code=204)


@router.put(
    "/tariff-assignments/{assigned_to}/{name:path}",
    dependencies=[OPERATE],
    responses=answers(AssignmentAnswer, {"assigned_to": "station", "name": "CP-1", "tariff_id": "day-night-1"}, 409),
)
async def assign_tariff(
    house: House,
    assigned_to: AssignedTo,
    name: AssigneeName,
    body: Annotated[AssignmentBody, Body(examples=[ASSIGNMENT])],
) -> Response:
    """Says which tariff a token, group or station has, or everybody else (`default/all`)."""
    match assigned_to:
        case AssignedTo.DEFAULT:
            name = ""
        case AssignedTo.TOKEN:
            name = Token(value=name).key
        case _:
            pass
    try:
        await _keeper(house).assign(assigned_to, name, body.tariff_id, house.clock.now())
    except ValueError as error:
        raise _conflict(error) from error
    return json_response(AssignmentAnswer(assigned_to, name, body.tariff_id))


def _keeper(house: House) -> TariffKeeper:
    keeper = house.tariffs
    assert keeper is not None, "no tariff book was wired"
    return keeper


def _tariff(tariff_id: str, body: dict[str, Any]) -> Tariff:
    """Raises Problem."""
    try:
        tariff = msgspec.convert({**body, "id": tariff_id}, Tariff, strict=True)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    fault = fault_of(tariff)
    if fault is not None:
        raise _invalid(fault)
    return tariff


def _invalid(what: str) -> Problem:
    todo = "see docs/tariffs.md for the form of a tariff"
    return Problem(
        422, "invalid-request", f"body: {what}", todo, errors=(Fault(where="body", what=what, what_to_do=todo),)
    )


def _conflict(error: ValueError) -> Problem:
    what, _, todo = str(error).partition(": ")
    return Problem(409, "tariff-conflict", what, todo or "look at GET /api/v1/tariffs")
