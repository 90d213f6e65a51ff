"""Sites: the trees that stations hang in, prices, and what drivers ask for. docs/sites.md.

Lists and histories are `blocks`' tables; what is written is checked by `smartcharging.site_check` and kept in the
sites' book.
"""

import asyncio
from datetime import datetime, timedelta
from math import isfinite
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.model.sites import DriverRequest, HeldSite, NodeKind, Outlet, SeriesKind, Site, SiteNode, SiteSeries
from engine.ports import SiteBook
from ingress.http.api.answers import answers
from ingress.http.api.strict_words import strict_word
from ingress.http.api.texts import IDENTITY, INTEGER_MAX, PLAIN, Moment, Name
from ingress.http.authentication import ADMIN, OPERATE, READ, Caller
from ingress.http.problems import Fault, Problem, invalid, json_response, not_found
from ingress.http.services import House, Services
from smartcharging.site_check import check
from smartcharging.site_problems import SiteProblem, errors_of
from storage.blocks.sites import VERSIONS
from storage.queries.paging import Page

router = APIRouter(tags=["sites"])

FAULTS_MAX = 200
VALUES_MAX = 10_000
STEP_S_MAX = 86_400
SERIES_ABS_MAX = 1_000_000.0
REQUEST_AHEAD = timedelta(days=30)
SEE = "docs/sites.md and schema Site in /api/v1/openapi.json"

SiteId = Annotated[str, Path(min_length=1, max_length=64, pattern=PLAIN, examples=["depot"])]
_EVSE = Outlet(station="CP-1", evse=1)
_SITE = Site(
    site="depot",
    time_zone="Europe/Berlin",
    nodes=(
        SiteNode(node="main", kind=NodeKind.GRID, limit_a=(63.0, 63.0, 63.0), limit_kw=40.0),
        SiteNode(node="CP-1/1", kind=NodeKind.EVSE, parent="main", outlet=_EVSE),
    ),
)
EXAMPLE: dict[str, Any] = msgspec.to_builtins(_SITE)


class SavedSite(msgspec.Struct, frozen=True):
    """A site that was saved. `problems`: warnings; what is odd about it all the same."""

    site: str
    revision: int
    problems: tuple[SiteProblem, ...] = ()


class CheckedSite(msgspec.Struct, frozen=True):
    """What is wrong with a site. `good`: it can be saved; there may be warnings."""

    good: bool
    problems: tuple[SiteProblem, ...]


class SavedSeries(msgspec.Struct, frozen=True):
    """Prices or CO2 that were saved, and until when they tell."""

    site: str
    kind: SeriesKind
    start_at: datetime
    end_at: datetime
    values: int


class SeriesBody(BaseModel, extra="forbid"):
    """Values for a time to come, one after the other; what was told before is replaced whole."""

    start_at: Moment
    step_s: Annotated[int, Field(ge=60, le=STEP_S_MAX, description="Seconds for which each value counts.")] = 3600
    values: Annotated[
        list[float],
        Field(min_length=1, max_length=VALUES_MAX, description="Prices per kWh, or grams of CO2 per kWh."),
    ]


class RequestBody(BaseModel, extra="forbid"):
    """What a driver asks for: at a place (`station` and `evse`), or by a token, for its running or next transaction."""

    station: Annotated[str | None, Field(min_length=1, max_length=48, pattern=IDENTITY)] = None
    evse: Annotated[int | None, Field(ge=1, le=INTEGER_MAX)] = None
    token: Name | None = None
    energy_kwh: Annotated[float | None, Field(gt=0, le=1_000, allow_inf_nan=False)] = None
    soc_percent: Annotated[float | None, Field(gt=0, le=100, allow_inf_nan=False)] = None
    departs_at: Moment | None = None
    priority: Annotated[int | None, Field(ge=-1_000, le=1_000)] = None
    may_discharge: Annotated[bool | None, Field(description="Whether the car may give energy back.")] = None


_SERIES_BODY = {"start_at": "2026-05-01T22:00:00Z", "step_s": 3600, "values": [0.31, 0.28, 0.22]}
_REQUEST_BODY = {"station": "CP-1", "evse": 1, "energy_kwh": 20, "departs_at": "2026-05-01T18:00:00Z"}
_WHEN = datetime.fromisoformat("2026-05-01T22:00:00Z")
_WARNING = msgspec.to_builtins(SiteProblem("main", "it is 0", "no car below it will ever charge"))
_SAVED = {"site": "depot", "revision": 3, "problems": []}
_HELD = HeldSite(site=_SITE, revision=3, saved_by="operations", saved_at=_WHEN)
_SAVED_SERIES = SavedSeries("depot", SeriesKind.PRICE, _WHEN, _WHEN + timedelta(hours=3), 3)
_REQUEST = DriverRequest(station="CP-1", evse=1, energy_kwh=20.0)


@router.get("/sites/{site}", dependencies=[READ], responses=answers(HeldSite, _HELD, 404))
async def get_site(
    house: House,
    site: SiteId,
    revision: Annotated[int | None, Query(ge=1, description="As it was at this revision.")] = None,
) -> Response:
    """A site whole, with its revision."""
    held = await book_of(house).held_site(site) if revision is None else await _version(house, site, revision)
    if held is None:
        raise no_site(site)
    return json_response(held)


@router.put("/sites/{site}", dependencies=[ADMIN], responses=answers(SavedSite, _SAVED, 409))
async def save_site(
    house: House,
    caller: Caller,
    site: SiteId,
    body: Annotated[dict[str, Any], Body(examples=[EXAMPLE])],
    revision: Annotated[
        int | None, Query(ge=0, description="Only if the site is at this one; 0: only if there is none.")
    ] = None,
) -> Response:
    """Adds or replaces a site. With errors it is not saved, and all of them are told."""
    wanted = strict_word({"site": site, **body}, Site, SEE)
    if wanted.site != site:
        raise invalid("body.site", f"is {wanted.site!r}, the path says {site!r}", "name it alike")
    problems = await checked(wanted)
    faults = errors_of(problems)
    if faults:
        raise _unsound(site, faults)
    try:
        saved = await book_of(house).save_site(wanted, caller.name, house.clock.now(), revision=revision)
    except ValueError as error:
        raise conflict(error) from error
    return json_response(SavedSite(site, saved, problems))


@router.delete("/sites/{site}", dependencies=[ADMIN], status_code=204, responses=answers(None, None, 404))
async def remove_site(house: House, caller: Caller, site: SiteId) -> Response:
    """Removes a site with its caps and prices; its stations are not planned any more. Its history stays."""
    if not await book_of(house).remove_site(site, caller.name, house.clock.now()):
        raise no_site(site)
    return Response(status_code=204)


@router.post(
    "/site-checks",
    dependencies=[READ],
    responses=answers(CheckedSite, {"good": True, "problems": [_WARNING | {"severity": "warning"}]}),
)
async def check_site(body: Annotated[dict[str, Any], Body(examples=[EXAMPLE])]) -> Response:
    """Tells what is wrong with a site, and saves nothing."""
    problems = await checked(strict_word(body, Site, SEE))
    return json_response(CheckedSite(not errors_of(problems), problems))


@router.put("/sites/{site}/series/{kind}", dependencies=[OPERATE], responses=answers(SavedSeries, _SAVED_SERIES, 404))
async def save_series(
    house: House,
    caller: Caller,
    site: SiteId,
    kind: SeriesKind,
    body: Annotated[SeriesBody, Body(examples=[_SERIES_BODY])],
) -> Response:
    """Tells prices or CO2 for a time to come; where none is told the site's own prices count."""
    now = house.clock.now()
    end_at = _end_of(body, kind, now)
    series = SiteSeries(
        site=site, kind=kind, start_at=body.start_at, step_s=body.step_s, values=tuple(map(float, body.values))
    )
    try:
        await book_of(house).save_series(series, caller.name, now)
    except ValueError:
        raise no_site(site) from None
    return json_response(SavedSeries(site, kind, body.start_at, end_at, len(body.values)))


@router.post("/driver-requests", dependencies=[OPERATE], responses=answers(DriverRequest, _REQUEST))
async def ask(house: House, caller: Caller, body: Annotated[RequestBody, Body(examples=[_REQUEST_BODY])]) -> Response:
    """Keeps what a driver asks for. A newer request for the same place or token replaces it."""
    now = house.clock.now()
    _refuse_vague(body, now)
    request = DriverRequest(**body.model_dump())
    await book_of(house).ask(request, caller.name, now)
    return json_response(request)


def book_of(house: Services) -> SiteBook:
    """The sites' book."""
    assert house.sites is not None, "no book of sites was wired"
    return house.sites


def no_site(site: str) -> Problem:
    """404."""
    return not_found("site", site, "GET /api/v1/sites lists all")


def conflict(error: ValueError) -> Problem:
    """409: what the book refuses."""
    what, _, todo = str(error).partition(": ")
    return Problem(409, "site-conflict", what, todo or "look at GET /api/v1/sites")


async def checked(site: Site) -> tuple[SiteProblem, ...]:
    """What is wrong with a site. Large ones take a moment: not in the event loop."""
    return await asyncio.to_thread(_check, site)


def _check(site: Site) -> tuple[SiteProblem, ...]:
    from smartcharging.allocators import names  # noqa: PLC0415 (numpy and scipy: when the first site comes)

    return check(site, names)


def _unsound(site: str, faults: tuple[SiteProblem, ...]) -> Problem:
    told = tuple(
        Fault(where=f"{fault.node or 'site'}{'.' if fault.field else ''}{fault.field}", what=fault.what,
              what_to_do=fault.todo)
        for fault in faults[:FAULTS_MAX]
    )  # fmt: skip
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Problem(
        422,
        "invalid-site",
        f"site {site!r} cannot be saved: {told[0].where}: {told[0].what}{more}",
        told[0].what_to_do,
        errors=told,
        errors_left_out=len(faults) - len(told),
    )


async def _version(house: Services, site: str, revision: int) -> HeldSite | None:
    found = await house.queries.block(VERSIONS, {"site": site, "revision": revision}, Page(limit=1))
    if not found.rows:
        return None
    row = found.rows[0]
    return HeldSite(msgspec.convert(row.document, Site), row.revision, row.saved_by, row.saved_at)


def _end_of(body: SeriesBody, kind: SeriesKind, now: datetime) -> datetime:
    """Until when it tells. Raises Problem."""
    for place, value in enumerate(body.values):
        if not isfinite(value) or abs(value) > SERIES_ABS_MAX:
            raise invalid(f"body.values[{place}]", f"{value} is no number that counts", "write a finite number")
        if kind is SeriesKind.CO2 and value < 0:
            raise invalid(f"body.values[{place}]", f"{value:g} g is negative", "write grams per kWh, 0 or more")
    try:
        end_at = body.start_at + timedelta(seconds=body.step_s * len(body.values))
    except OverflowError:
        raise invalid("body.start_at", "is too late for any calendar", "write when the first value counts") from None
    if end_at <= now:
        raise invalid("body.start_at", f"the last value counts until {end_at}, which is over", "tell a time to come")
    return end_at


def _refuse_vague(body: RequestBody, now: datetime) -> None:
    """Raises Problem."""
    if (body.station is None) == (body.token is None):
        raise invalid("body", "it is for a place or for a token", "write station and evse, or token")
    if (body.station is None) != (body.evse is None):
        raise invalid("body.evse", "a place is a station and an EVSE of it", "write station and evse")
    wishes = (body.energy_kwh, body.soc_percent, body.departs_at, body.priority, body.may_discharge)
    if all(wish is None for wish in wishes):
        todo = "write energy_kwh, soc_percent, departs_at, priority or may_discharge"
        raise invalid("body", "it asks for nothing", todo)
    if body.departs_at is not None and body.departs_at <= now:
        raise invalid("body.departs_at", f"{body.departs_at} is over", "write when the car leaves")
    if body.departs_at is not None and body.departs_at > now + REQUEST_AHEAD:
        what = f"is more than {REQUEST_AHEAD.days} days ahead"
        raise invalid("body.departs_at", what, "write when the car leaves")
