"""Plans: what a site's cars may draw now and why, why a station draws what it draws, a site's day as curves and plots.

What does the sums is heavy to import and is imported with the first request.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.model.caps import HeldCap
from engine.model.plans import LimitDecided, SiteAlertRaised, SitePlanned
from engine.model.sites import SeriesKind, Site, SiteSeries
from engine.ports import SiteBook
from ingress.http.api.answers import answers
from ingress.http.api.plan_examples import DAY, EXPLANATION, PLAN
from ingress.http.api.texts import PLAIN, StationName
from ingress.http.authentication import READ
from ingress.http.plan_words import STALE, Explanation, SitePlanView
from ingress.http.problems import Problem, invalid, json_response, not_found
from ingress.http.services import House, Services
from ingress.http.site_day import SiteDay
from storage.blocks.plans import ALERTS, DECISIONS, PLANS
from storage.queries.paging import LIMIT_MAX, Page
from storage.queries.site_readings import SiteReads

if TYPE_CHECKING:
    from ingress.http.day_curves import Day
    from ingress.http.plan_view import Known

router = APIRouter(tags=["plans"])

PAGES_MAX = 20
"""Of decisions, and of a day's plans, that are looked through."""
PLOTS_MAX = 4
"""At once; who asks for more waits."""
_MEDIA_TYPES = {"png": "image/png", "svg": "image/svg+xml"}
_plotting = asyncio.Semaphore(PLOTS_MAX)

SiteName = Annotated[
    str, Path(min_length=1, max_length=64, pattern=PLAIN, description="Id of the site.", examples=["garage-north"])
]


class DayQuery(BaseModel, extra="forbid"):
    """Which day of a site, and whose lines."""

    day: Annotated[date | None, Field(description="In the site's time zone, e.g. 2026-05-01; else today.")] = None
    node: Annotated[
        str | None,
        Field(max_length=64, pattern=PLAIN, description="Whose lines; else the first node with a limit per line."),
    ] = None


class PlotQuery(DayQuery):
    """What is drawn."""

    kind: Annotated[
        Literal["load", "phases", "price"],
        Field(description="load: power by car against the limit; phases: lines against theirs; price: beside power."),
    ] = "load"


@router.get("/sites/{site}/plan", dependencies=[READ], responses=answers(SitePlanView, PLAN, 404))
async def show_plan(house: House, site: SiteName) -> Response:
    """What the cars of a site may draw now and next and why, its limits, caps and alerts."""
    known = await _known(house, await _site(house, site))
    return json_response(await asyncio.to_thread(_plan, known))


@router.get("/stations/{station}/explain", dependencies=[READ], responses=answers(Explanation, EXPLANATION, 404))
async def explain_station(house: House, station: StationName) -> Response:
    """Why a station draws what it draws: the limit that binds, who shares it, what was planned for."""
    site = next((each for each in (await _book(house).sites()).values() if station in each.stations), None)
    if site is None:
        todo = "GET /api/v1/sites lists the sites; a station that hangs in none is not planned"
        raise not_found("plan", station, todo)
    known = await _known(house, site)
    return json_response(await asyncio.to_thread(_explain, known, station))


@router.get("/sites/{site}/day", dependencies=[READ], responses=answers(SiteDay, DAY, 404))
async def show_day(house: House, site: SiteName, query: Annotated[DayQuery, Query()]) -> Response:
    """A day of a site as curves: measured until now, planned from now on, limits, prices."""
    return json_response(await _day(house, site, query))


_PLOTS: dict[int | str, dict[str, Any]] = {
    **answers(None, None, 404),
    200: {
        "description": "A picture, 1430 pixels wide or scalable.",
        "content": {
            media: {"schema": {"type": "string", "contentMediaType": media}, "example": "a picture"}
            for media in _MEDIA_TYPES.values()
        },
    },
}
del _PLOTS[204]


@router.get("/sites/{site}/plot.{form}", dependencies=[READ], responses=_PLOTS, response_class=Response)
async def plot_day(
    house: House,
    site: SiteName,
    form: Annotated[Literal["png", "svg"], Path(description="The format.")],
    query: Annotated[PlotQuery, Query()],
) -> Response:
    """A day of a site as a picture."""
    if house.plot is None:
        raise Problem(503, "no-plots", "this Narke draws no plots", "ask for /day and draw its curves")
    day = await _day(house, site, query)
    async with _plotting:
        data = await asyncio.to_thread(house.plot, day, query.kind, form)
    return Response(data, media_type=_MEDIA_TYPES[form], headers={"Cache-Control": "no-store"})


# What is known


def _book(house: Services) -> SiteBook:
    assert house.sites is not None, "whoever serves these routes gives a book of sites"
    return house.sites


def _reads(house: Services) -> SiteReads:
    assert house.site_reads is not None, "whoever serves these routes gives the reads of sites"
    return house.site_reads


async def _site(house: Services, name: str) -> Site:
    site = await _book(house).site(name)
    if site is None:
        raise not_found("site", name, "GET /api/v1/sites lists all; PUT /api/v1/sites/{site} makes a new one known")
    return site


async def _known(house: Services, site: Site) -> "Known":
    from ingress.http.plan_view import Known  # noqa: PLC0415 (numpy)

    decisions, planned, alerts, caps, charges = await asyncio.gather(
        decisions_of(house, site.site),
        _newest_plan(house, site.site),
        alerts_of(house, site.site),
        _caps(house, site.site),
        _reads(house).open_charges(site.stations),
    )
    return Known(
        site=site,
        now=house.clock.now(),
        decisions=decisions,
        planned=planned,
        alerts=alerts,
        caps=caps,
        charges=charges,
    )


async def decisions_of(house: Services, site: str) -> list[LimitDecided]:
    """The latest decision of each EVSE of a site; those that were not told again for long are left out."""
    found: dict[str, LimitDecided] = {}
    since = house.clock.now() - STALE
    page = Page(limit=LIMIT_MAX)
    for _ in range(PAGES_MAX):
        paged = await house.queries.block(DECISIONS, {"site": site, "since": since}, page)
        for row in paged.rows:
            if row.node not in found:
                found[row.node] = _word(row, LimitDecided, row.details)
        if paged.next is None:
            break
        page = Page(limit=LIMIT_MAX, cursor=paged.next)
    return list(found.values())


async def _newest_plan(house: Services, site: str) -> SitePlanned | None:
    rows = (await house.queries.block(PLANS, {"site": site}, Page(limit=1))).rows
    return _planned(rows[0]) if rows else None


def _planned(row: Any) -> SitePlanned:
    planned: SitePlanned = _word(row, SitePlanned, {"battery_kw": tuple((row.battery_kw or {}).items())})
    return planned


async def alerts_of(house: Services, site: str) -> list[SiteAlertRaised]:
    """What needs a person at a site now."""
    rows = (await house.queries.block(ALERTS, {"site": site, "active": True}, Page(limit=LIMIT_MAX))).rows
    return [_word(row, SiteAlertRaised, {}) for row in rows]


async def _caps(house: Services, site: str) -> list[HeldCap]:
    return [held for (of, _), held in (await _book(house).caps()).items() if of == site]


def _word(row: Any, word: Any, more: Mapping[str, Any] | None) -> Any:
    """A fact as it was before it became a row."""
    given = {name: getattr(row, name) for name in word.__struct_fields__ if hasattr(row, name)}
    return msgspec.convert(given | dict(more or {}), word, strict=False)


# What is made of it, in a thread


def _plan(known: "Known") -> Any:
    from ingress.http.plan_view import plan_of  # noqa: PLC0415 (numpy)

    return plan_of(known)


def _explain(known: "Known", station: str) -> Any:
    from ingress.http.plan_view import explanation_of  # noqa: PLC0415 (numpy)

    return explanation_of(known, station)


async def _day(house: Services, name: str, query: DayQuery) -> SiteDay:
    site = await _site(house, name)
    if query.node is not None and all(each.node != query.node for each in site.nodes):
        raise invalid("query.node", f"site {name!r} has no node {query.node!r}", f"GET /api/v1/sites/{name} shows them")
    now = house.clock.now()
    on = query.day or now.astimezone(ZoneInfo(site.time_zone)).date()
    return await asyncio.to_thread(_curves, await _known_day(house, site, on, now), query.node)


async def _known_day(house: Services, site: Site, on: date, now: datetime) -> "Day":
    from ingress.http.day_curves import Day, span_of  # noqa: PLC0415 (numpy)

    span = span_of(site, on)
    is_past = span.end <= now
    measured, planned, series, known = await asyncio.gather(
        _reads(house).measured(site.stations, span.start, min(span.end, now), span.step_s),
        _plans_within(house, site.site, span.start, span.end),
        _book(house).series(),
        _known(house, site),
    )
    open_at = {(charge.station, charge.evse) for charge in known.charges}
    decisions = [each for each in known.decisions if (each.station, each.evse) in open_at]
    own: dict[SeriesKind, SiteSeries] = {kind: told for (of, kind), told in series.items() if of == site.site}
    return Day(
        site=site,
        on=on,
        now=now,
        measured=measured,
        decisions=() if is_past else decisions,
        planned=planned,
        caps=() if is_past else known.caps,
        series=own,
    )


async def _plans_within(house: Services, site: str, since: datetime, until: datetime) -> list[SitePlanned]:
    """Those of a day, newest first, as many as are looked through."""
    found: list[SitePlanned] = []
    page = Page(limit=LIMIT_MAX)
    for _ in range(PAGES_MAX):
        paged = await house.queries.block(PLANS, {"site": site, "since": since, "until": until}, page)
        found += [_planned(row) for row in paged.rows]
        if paged.next is None:
            break
        page = Page(limit=LIMIT_MAX, cursor=paged.next)
    return found


def _curves(day: "Day", node: str | None) -> SiteDay:
    from ingress.http.day_curves import day_of  # noqa: PLC0415 (numpy)

    return day_of(day, node)
