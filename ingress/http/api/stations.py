"""Stations: what the operator decided about them and what they reported; their connectors, messages and events."""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
import structlog
from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.model.messages import Direction
from engine.model.provisioning import Registration
from engine.model.stations import StationRecord
from engine.ports import JournalUnavailable
from ingress.http.api import examples
from ingress.http.api.answers import answers, listing_of
from ingress.http.api.commanding import unknown_station
from ingress.http.api.paging import PageQuery, TimelineQuery, listing_response
from ingress.http.api.texts import Moment, Name, Note, Place, Search, Short, StationName
from ingress.http.authentication import ADMIN, READ
from ingress.http.problems import Problem, invalid, json_response
from ingress.http.services import House, Services
from ingress.ocpp.passwords import hash_password
from storage.queries.filters import EventFilter, MessageFilter, MeterValueFilter, StationFilter
from storage.queries.paging import Paged
from storage.queries.rows import ConnectorRow, EventRow, MessageRow, MeterValueRow, StationDetail, StationRow

log = structlog.get_logger()

router = APIRouter(prefix="/stations", tags=["stations"])

Password = Annotated[
    str,
    Field(
        min_length=8,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Password of HTTP Basic authentication. OCPP wants 16 to 40 characters (2.0.1) or 32 to 40 "
        "hexadecimal digits (1.6); only its argon2 hash is kept.",
    ),
]


class StationsQuery(PageQuery):
    """Filters of the list of stations; all that are given must hold."""

    connected: Annotated[bool | None, Field(description="Connected now or not.")] = None
    registered: Annotated[bool | None, Field(description="Registered by the operator or not.")] = None
    version: Annotated[
        Literal["1.6", "2.0.1", "2.1"] | None, Field(description="OCPP version of its last session.")
    ] = None
    vendor: Annotated[Short | None, Field(description="Vendor as it reports it; case matters.")] = None
    search: Annotated[Search | None, Field(description="Text in identity, vendor, model, serial number or note.")] = (
        None
    )


class MessagesQuery(TimelineQuery):
    """Filters of raw messages."""

    action: Annotated[Short | None, Field(description="OCPP action, e.g. BootNotification.")] = None
    direction: Annotated[Direction | None, Field(description="in: from the station; out: to it.")] = None
    kind: Annotated[
        Literal["call", "result", "error", "send", "invalid"] | None, Field(description="Kind of frame.")
    ] = None
    outcome: Annotated[Short | None, Field(description="ok or an OCPP error code.")] = None
    message_id: Annotated[Short | None, Field(description="Message id of the frame.")] = None
    since: Annotated[Moment | None, Field(description="From this time on.")] = None
    until: Annotated[Moment | None, Field(description="Before this time.")] = None


class EventsQuery(TimelineQuery):
    """Filters of events."""

    kind: Annotated[Short | None, Field(description="Kind of event.")] = None
    action: Annotated[Short | None, Field(description="OCPP action of a notice, vendor id of a data transfer.")] = None
    since: Annotated[Moment | None, Field(description="From this time on.")] = None
    until: Annotated[Moment | None, Field(description="Before this time.")] = None


class MeterValuesQuery(TimelineQuery):
    """Filters of meter values."""

    transaction_id: Annotated[Name | None, Field(description="Only of this transaction.")] = None
    evse: Annotated[Place | None, Field(description="Only of this EVSE.")] = None
    measurand: Annotated[Short | None, Field(description="Only this measurand.")] = None
    since: Annotated[Moment | None, Field(description="Received from this time on.")] = None
    until: Annotated[Moment | None, Field(description="Received before this time.")] = None


class StationChange(BaseModel, extra="forbid"):
    """What the operator decides about a station. In a PATCH, what is left out stays as it is."""

    registration: Annotated[Registration, Field(description="What its boots are answered.")] = Registration.ACCEPTED
    security_profile: Annotated[
        Literal[0, 1], Field(description="0: no authentication; 1: HTTP Basic with its password (2.1 A00).")
    ] = 0
    password: Annotated[Password | None, Field(description="null: none. Left out: as it is, in a PUT too.")] = None
    message_log: Annotated[bool | None, Field(description="Keep its raw messages; null: as Narke's setting says.")] = (
        None
    )
    note: Annotated[Note | None, Field(description="For people.")] = None


class StationBody(StationChange):
    """What the operator decides about a station, in full."""


class StationPublic(msgspec.Struct, frozen=True):
    """The operator's record of a station. The password is never shown."""

    station: str
    registration: Registration
    security_profile: int
    has_password: bool
    message_log: bool | None
    note: str | None


@router.get("", dependencies=[READ], responses=answers(listing_of(StationRow), examples.STATIONS))
async def list_stations(house: House, request: Request, query: Annotated[StationsQuery, Query()]) -> Response:
    """Stations by identity: registered ones and those that connected."""
    wanted = StationFilter(
        connected=query.connected,
        registered=query.registered,
        version=query.version,
        vendor=query.vendor,
        search=query.search,
    )
    return listing_response(request, await house.queries.stations(wanted, query.page()))


@router.get("/{station}", dependencies=[READ], responses=answers(StationDetail, examples.STATION, 404))
async def show_station(house: House, station: StationName) -> Response:
    """A station with its connectors and open transactions."""
    return json_response(await _detail(house, station))


@router.put("/{station}", dependencies=[ADMIN], responses=answers(StationPublic, examples.STATION_RECORD, created=True))
async def register_station(
    house: House, station: StationName, body: Annotated[StationBody, Body(examples=[examples.STATION_BODY])]
) -> Response:
    """Registers a station or replaces the operator's record of it (its password only where one is given)."""
    known = await house.book.station(station)
    changes = body.model_dump(exclude={"password"})
    record = StationRecord(station=station, password_hash=known.password_hash if known else None, **changes)
    record = await _with_password(record, body)
    return await _save(house, record, created=known is None)


@router.patch(
    "/{station}", dependencies=[ADMIN], responses=answers(StationPublic, examples.STATION_RECORD, created=True)
)
async def change_station(
    house: House, station: StationName, body: Annotated[StationChange, Body(examples=[examples.STATION_CHANGE])]
) -> Response:
    """Changes what is given in the operator's record of a station; registers it where `registration` is given."""
    known = await house.book.station(station)
    changes = body.model_dump(exclude={"password"}, exclude_unset=True)
    if known is None and "registration" not in changes:
        todo = "register it first: PUT, or PATCH with its registration (narke station register)"
        raise Problem(404, "station-not-registered", f"station {station!r} is not registered", todo)
    record = msgspec.structs.replace(known or StationRecord(station=station), **changes)
    record = await _with_password(record, body)
    return await _save(house, record, created=known is None)


@router.get(
    "/{station}/connectors", dependencies=[READ], responses=answers(listing_of(ConnectorRow), examples.CONNECTORS, 404)
)
async def list_connectors(house: House, request: Request, station: StationName) -> Response:
    """The connectors of a station as last reported, by EVSE; all on one page."""
    rows = await house.queries.connectors(station)
    if not rows:
        await _detail(house, station)
    return listing_response(request, Paged(rows=rows))


@router.get(
    "/{station}/messages", dependencies=[READ], responses=answers(listing_of(MessageRow), examples.MESSAGES, 404)
)
async def list_messages(
    house: House, request: Request, station: StationName, query: Annotated[MessagesQuery, Query()]
) -> Response:
    """Raw frames of a station, both ways, newest first. Can be followed (`order=oldest` with `follow` as cursor)."""
    wanted = MessageFilter(station=station, **_filters(query))
    return await _listing(house, request, station, await house.queries.messages(wanted, query.page()))


@router.get("/{station}/events", dependencies=[READ], responses=answers(listing_of(EventRow), examples.EVENTS, 404))
async def list_events(
    house: House, request: Request, station: StationName, query: Annotated[EventsQuery, Query()]
) -> Response:
    """What happened to a station (connections, boots, notices, ...), newest first. Can be followed."""
    wanted = EventFilter(station=station, **_filters(query))
    return await _listing(house, request, station, await house.queries.events(wanted, query.page()))


@router.get(
    "/{station}/meter-values",
    dependencies=[READ],
    responses=answers(listing_of(MeterValueRow), examples.METER_VALUES, 404),
)
async def list_meter_values(
    house: House, request: Request, station: StationName, query: Annotated[MeterValuesQuery, Query()]
) -> Response:
    """Meter values of a station in normal form, newest first, within transactions and outside."""
    wanted = MeterValueFilter(station=station, **_filters(query))
    return await _listing(house, request, station, await house.queries.meter_values(wanted, query.page()))


def _filters(query: BaseModel) -> dict[str, Any]:
    """A query's filters; paging aside."""
    return query.model_dump(exclude={"limit", "cursor", "order"})


async def _listing(house: Services, request: Request, station: str, paged: Paged[Any]) -> Response:
    """The page; 404 where there is nothing because there is no such station."""
    if not paged.rows:
        await _detail(house, station)
    return listing_response(request, paged)


async def _detail(house: Services, station: str) -> StationDetail:
    """A station as reported, and as the operator's book has it now: the projection runs a moment behind.

    Raises:
        Problem: 404.
    """
    detail = await house.queries.station(station)
    try:
        record = await house.book.station(station)
    except JournalUnavailable as error:
        log.warning("operator's record not read: showing the projection's", station=station, error=str(error))
        record = None
    if record is None:
        if detail is None:
            raise unknown_station(station)
        return detail
    detail = detail or StationDetail(station=StationRow(station=station), connectors=(), open_transactions=())
    return msgspec.structs.replace(detail, station=_with_record(detail.station, record))


def _with_record(row: StationRow, record: StationRecord) -> StationRow:
    return msgspec.structs.replace(
        row,
        registered=True,
        registration=str(record.registration),
        security_profile=record.security_profile,
        has_password=record.password_hash is not None,
        message_log=record.message_log,
        note=record.note,
    )


async def _with_password(record: StationRecord, body: StationChange) -> StationRecord:
    """With the hash of the password that was given, if any.

    Raises:
        Problem: 422: its security profile needs a password and it has none.
    """
    if "password" in body.model_fields_set:
        hashed = None if body.password is None else await asyncio.to_thread(hash_password, body.password)
        record = msgspec.structs.replace(record, password_hash=hashed)
    if record.security_profile > 0 and record.password_hash is None:
        what = f"is missing: security profile {record.security_profile} needs one, or the station could never connect"
        raise invalid("body.password", what, "give a password of 16 to 40 characters, or security_profile 0")
    return record


async def _save(house: Services, record: StationRecord, *, created: bool) -> Response:
    await house.book.save_station(record, house.clock.now())
    public = StationPublic(
        station=record.station,
        registration=record.registration,
        security_profile=record.security_profile,
        has_password=record.password_hash is not None,
        message_log=record.message_log,
        note=record.note,
    )
    return json_response(public, status=201 if created else 200)
