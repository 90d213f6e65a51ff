"""Caps from outside: what operators and grid operators impose on a site. docs/sites.md.

GET /site-caps and /site-cap-history list what was told; here it is told, heard and released.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.model.caps import STEPS_MAX, CapDirection, CapSource, CapStep, HeldCap
from ingress.http.api.answers import answers
from ingress.http.api.sites import SiteId, book_of, conflict, no_site
from ingress.http.api.texts import PLAIN, Moment
from ingress.http.authentication import OPERATE, READ, Caller
from ingress.http.problems import Fault, Problem, json_response, not_found
from ingress.http.services import House
from smartcharging.cap_check import check_cap

router = APIRouter(tags=["caps"])

Source = Annotated[
    str, Path(min_length=1, max_length=128, pattern=PLAIN, description="Who caps.", examples=["grid:north"])
]


class StepBody(BaseModel, extra="forbid"):
    """From `at` on so many kW; null: no cap until the next step."""

    at: Moment
    kw: Annotated[float | None, Field(description="0 or more; null: no cap.")]


class CapBody(BaseModel, extra="forbid"):
    """All that a source says about a site; it replaces what it said before, whole."""

    steps: Annotated[
        list[StepBody], Field(max_length=STEPS_MAX, description="Ascending. Before the first nothing is capped.")
    ]
    node: Annotated[str, Field(max_length=64, pattern=PLAIN, description="Of the site's tree; empty: its root.")] = ""
    direction: CapDirection = CapDirection.IMPORT
    valid_until: Annotated[
        Moment | None, Field(description="Then the fallback counts; null: the last step counts for ever.")
    ] = None
    fallback_kw: Annotated[
        float | None, Field(description="What counts when the source is silent or out of date; null: nothing.")
    ] = None
    heartbeat_s: Annotated[
        float | None, Field(description="Without a word for so long it is silent; null: it need not say anything.")
    ] = None
    priority: Annotated[int, Field(description="Shown; the least cap counts whatever it is.")] = 0
    emergency: Annotated[bool, Field(description="Stations are told before anything else.")] = False


class HeartbeatBody(BaseModel, extra="forbid"):
    """A heartbeat says nothing but that its source lives; it may be left out."""


class SavedCap(msgspec.Struct, frozen=True):
    """A cap that was saved. `warnings`: what is odd about it all the same."""

    cap: CapSource
    saved_at: datetime
    warnings: tuple[str, ...] = ()


class HeardCap(msgspec.Struct, frozen=True):
    """A source that was heard of."""

    site: str
    source: str
    heard_at: datetime


_AT = datetime.fromisoformat("2026-05-01T12:00:00Z")
_CAP = CapSource(site="depot", source="grid:north", steps=(CapStep(_AT, 30.0),), fallback_kw=11.0, heartbeat_s=60.0)
_BODY = {"steps": [{"at": "2026-05-01T12:00:00Z", "kw": 30}], "fallback_kw": 11, "heartbeat_s": 60}


@router.get("/sites/{site}/caps", dependencies=[READ], responses=answers(list[HeldCap], [HeldCap(_CAP, _AT, _AT)], 404))
async def list_caps(house: House, site: SiteId) -> Response:
    """The caps of a site that were not released, as the planner sees them."""
    book = book_of(house)
    if await book.held_site(site) is None:
        raise no_site(site)
    return json_response([held for (name, _), held in sorted((await book.caps()).items()) if name == site])


@router.put(
    "/sites/{site}/caps/{source}", dependencies=[OPERATE], responses=answers(SavedCap, SavedCap(_CAP, _AT), 404, 409)
)
async def save_cap(
    house: House, caller: Caller, site: SiteId, source: Source, body: Annotated[CapBody, Body(examples=[_BODY])]
) -> Response:
    """Caps a node of a site, or changes a source's cap. It is a word of its source, too."""
    held = await book_of(house).site(site)
    if held is None:
        raise no_site(site)
    steps = tuple(CapStep(step.at, step.kw) for step in body.steps)
    cap = CapSource(**{**body.model_dump(), "steps": steps}, site=site, source=source)
    now = house.clock.now()
    complaints = check_cap(cap, held, now)
    if complaints:
        raise _unsound(source, complaints)
    try:
        await book_of(house).save_cap(cap, caller.name, now)
    except ValueError as error:
        raise conflict(error) from error
    return json_response(SavedCap(cap, now, oddities(cap)))


@router.post(
    "/sites/{site}/caps/{source}/heartbeat",
    dependencies=[OPERATE],
    responses=answers(HeardCap, HeardCap("depot", "grid:north", _AT), 404),
)
async def hear_cap(
    house: House,
    site: SiteId,
    source: Source,
    _body: Annotated[HeartbeatBody | None, Body(examples=[{}])] = None,
) -> Response:
    """Says that a source lives."""
    now = house.clock.now()
    if not await book_of(house).hear_cap(site, source, now):
        raise _no_cap(site, source)
    return json_response(HeardCap(site, source, now))


@router.delete(
    "/sites/{site}/caps/{source}", dependencies=[OPERATE], status_code=204, responses=answers(None, None, 404)
)
async def release_cap(house: House, caller: Caller, site: SiteId, source: Source) -> Response:
    """Releases a cap: the source caps nothing any more."""
    if not await book_of(house).release_cap(site, source, caller.name, house.clock.now()):
        raise _no_cap(site, source)
    return Response(status_code=204)


def oddities(cap: CapSource) -> tuple[str, ...]:
    """What is hardly meant, and saved all the same."""
    found = []
    if cap.heartbeat_s is not None and cap.fallback_kw is None:
        found.append("fallback_kw: there is none, so this cap is lifted when its source falls silent: is that meant?")
    if all(step.kw is None for step in cap.steps):
        found.append("steps: none of them caps anything")
    return tuple(found)


def _no_cap(site: str, source: str) -> Problem:
    return not_found("cap", f"{source} of {site}", f"GET /api/v1/sites/{site}/caps lists all")


def _unsound(source: str, complaints: tuple[str, ...]) -> Problem:
    todo = "correct it and send it again; docs/sites.md tells what a cap is"
    parts = [complaint.partition(": ") for complaint in complaints]
    faults = tuple(Fault(f"body.{field}", what, todo) for field, _, what in parts)
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    detail = f"the cap of {source} cannot be kept: {faults[0].where}: {faults[0].what}{more}"
    return Problem(422, "invalid-cap", detail, todo, errors=faults[:100], errors_left_out=max(0, len(faults) - 100))
