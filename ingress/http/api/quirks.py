"""Quirks: the profiles, what is in force for a station and why, what is suggested, and choosing. docs/quirks.md."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.model.quirks import AppliedQuirk, Make, UnknownQuirk
from engine.quirk_suggestions import Observation, profile_text, suggestions
from ingress.http.api.answers import answers
from ingress.http.api.commanding import unknown_station
from ingress.http.api.texts import StationName
from ingress.http.authentication import ADMIN, READ
from ingress.http.problems import Problem, invalid, json_response
from ingress.http.services import House, Services
from storage.blocks.quirks import QUIRK_OBSERVATIONS, STATION_QUIRKS
from storage.blocks.table import Table
from storage.queries.paging import LIMIT_MAX, Page
from storage.queries.rows import StationDetail

router = APIRouter(tags=["quirks"])

QUIRKS_MAX = 32
OBSERVATIONS_MAX = 20_000
"""Read for suggestions about the whole fleet."""


class QuirkProfilePublic(msgspec.Struct, frozen=True):
    """A profile. `vendor`, `model`, `firmware`: patterns; all empty: only for stations that name it."""

    name: str
    vendor: tuple[str, ...]
    model: tuple[str, ...]
    firmware: tuple[str, ...]
    switches: dict[str, Any]
    reason: str
    source: str
    origin: str


class StationQuirks(msgspec.Struct, frozen=True):
    """The quirks of a station. `chosen`: by its operator. `applied`: each switch with its reason; later ones win.

    `effective`: what is in force from its next connection or boot on, without what is as the specification has it.
    `unknown`: chosen, but there is no such profile any more.
    """

    station: str
    vendor: str | None
    model: str | None
    firmware: str | None
    chosen: tuple[str, ...]
    applied: tuple[AppliedQuirk, ...]
    effective: dict[str, Any]
    unknown: tuple[str, ...] = ()


class SuggestedQuirk(msgspec.Struct, frozen=True):
    """A quirk that could help stations of a make. `profile`: it, for the operator's quirk file."""

    quirk: str
    vendor: str
    model: str
    firmware: str
    stations: tuple[str, ...]
    count: int
    why: str
    caution: str
    example: str | None
    profile: str


class QuirksBody(BaseModel, extra="forbid"):
    """The quirks that a station is to have beside those of its make."""

    quirks: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        Field(max_length=QUIRKS_MAX, description="Names of profiles, or switch=value. Empty: none."),
    ]


QUIRKS_BODY = {"quirks": ["meter-jitter", "utc_offset_min=60"]}
_PROFILE = QuirkProfilePublic(
    name="late-reader",
    vendor=(),
    model=(),
    firmware=(),
    switches={"answer_delay_ms": {"StartTransaction": 25}},
    reason="It loses an answer to StartTransaction that comes within 20 ms of the call.",
    source="https://github.com/lbbrhzn/ocpp/issues/2080",
    origin="built-in",
)
_JITTER = AppliedQuirk("meter_jitter_wh", 1.0, "meter-jitter", "Its register goes back by 1 Wh.", "issue 4", "station")
_STATION_QUIRKS = StationQuirks(
    station="CP-0001",
    vendor="Acme",
    model="One",
    firmware="1.0",
    chosen=("meter-jitter",),
    applied=(_JITTER,),
    effective={"meter_jitter_wh": 1.0},
)
_SUGGESTED = SuggestedQuirk(
    quirk="meter-jitter",
    vendor="Acme",
    model="One",
    firmware="1.0",
    stations=("CP-0001",),
    count=7,
    why="Its meter was a few Wh lower at the end of a transaction than at its start.",
    caution="A meter that is replaced goes back, too.",
    example="1",
    profile='[[profile]]\nname = "acme-one-meter-jitter"\n...',
)


@router.get("/quirks", dependencies=[READ], responses=answers(list[QuirkProfilePublic], [_PROFILE]))
async def list_quirks(house: House) -> Response:
    """All quirk profiles, built-in and the operator's, in the order in which they count."""
    profiles = [
        QuirkProfilePublic(
            name=each.name,
            vendor=each.vendor,
            model=each.model,
            firmware=each.firmware,
            switches=dict(each.switches),
            reason=each.reason,
            source=each.source,
            origin=each.origin,
        )
        for each in house.quirks.profiles.values()
    ]
    return json_response(profiles)


@router.get("/quirk-suggestions", dependencies=[READ], responses=answers(list[SuggestedQuirk], [_SUGGESTED]))
async def suggest_quirks(
    house: House,
    station: Annotated[str | None, Query(max_length=48, description="Only from what this one showed.")] = None,
    vendor: Annotated[str | None, Query(max_length=100, description="Only of this vendor.")] = None,
) -> Response:
    """Quirks that could help, from what was noticed. Nothing is applied by itself."""
    where = {name: value for name, value in (("station", station), ("vendor", vendor)) if value is not None}
    seen = [
        Observation(
            station=row.station,
            oddity=row.oddity,
            count=row.count,
            make=Make(row.vendor or "", row.model or "", row.firmware or ""),
            example=row.example,
        )
        async for row in _rows(house, QUIRK_OBSERVATIONS, where)
    ]
    chosen_where = {} if station is None else {"station": station}
    chosen = {row.station: tuple(row.quirks or ()) async for row in _rows(house, STATION_QUIRKS, chosen_where)}
    found = [
        SuggestedQuirk(**msgspec.structs.asdict(each), profile=profile_text(each, house.quirks))
        for each in suggestions(seen, house.quirks, chosen)
        if each.quirk.partition("=")[1] or each.quirk in house.quirks.profiles
    ]
    return json_response(found)


@router.get("/stations/{station}/quirks", dependencies=[READ], responses=answers(StationQuirks, _STATION_QUIRKS, 404))
async def show_quirks(house: House, station: StationName) -> Response:
    """What is in force for a station, and why."""
    detail = await house.queries.station(station)
    record = await house.book.station(station)
    if detail is None and record is None:
        raise unknown_station(station)
    return json_response(_quirks_of(house, station, detail, () if record is None else record.quirks))


@router.put("/stations/{station}/quirks", dependencies=[ADMIN], responses=answers(StationQuirks, _STATION_QUIRKS, 404))
async def choose_quirks(
    house: House, station: StationName, body: Annotated[QuirksBody, Body(examples=[QUIRKS_BODY])]
) -> Response:
    """Chooses a registered station's quirks. They are in force from its next connection or boot on."""
    for index, name in enumerate(body.quirks):
        try:
            house.quirks.find(name)
        except UnknownQuirk as error:
            raise invalid(f"body.quirks[{index}]", str(error), "GET /quirks lists the profiles") from None
    record = await house.book.station(station)
    if record is None:
        todo = "register it first: PUT /stations/{station} (narke station register)"
        raise Problem(404, "station-not-registered", f"station {station!r} is not registered", todo)
    record = msgspec.structs.replace(record, quirks=tuple(dict.fromkeys(body.quirks)))
    await house.book.save_station(record, house.clock.now())
    detail = await house.queries.station(station)
    return json_response(_quirks_of(house, station, detail, record.quirks))


def _quirks_of(house: Services, station: str, detail: StationDetail | None, chosen: tuple[str, ...]) -> StationQuirks:
    book = house.quirks
    make = None
    if detail is not None and detail.station.vendor is not None:
        row = detail.station
        make = Make(row.vendor or "", row.model or "", row.firmware_version or "")
    unknown = tuple(name for name in chosen if not _is_known(house, name))
    effective: dict[str, Any] = msgspec.to_builtins(book.effective(make, chosen))
    effective.pop("is", None)
    return StationQuirks(
        station=station,
        vendor=None if make is None else make.vendor,
        model=None if make is None else make.model,
        firmware=None if make is None else make.firmware,
        chosen=chosen,
        applied=book.applied(make, chosen),
        effective=effective,
        unknown=unknown,
    )


def _is_known(house: Services, name: str) -> bool:
    try:
        house.quirks.find(name)
    except UnknownQuirk:
        return False
    return True


async def _rows(house: Services, table: Table, where: Mapping[str, Any]) -> AsyncIterator[Any]:
    """All rows that match, at most OBSERVATIONS_MAX."""
    cursor: str | None = None
    left = OBSERVATIONS_MAX
    while left > 0:
        paged = await house.queries.block(table, where, Page(limit=min(LIMIT_MAX, left), cursor=cursor))
        for row in paged.rows:
            yield row
        left -= len(paged.rows)
        cursor = paged.next
        if cursor is None:
            return
