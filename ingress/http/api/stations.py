"""Stations: what the operator decided about them and what they reported; their connectors, messages and events."""

from typing import Annotated, Any, Literal

import msgspec
import structlog
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.model.messages import Direction
from engine.model.provisioning import Registration
from engine.model.stations import SECURITY_PROFILE_MAX, StationRecord
from engine.ports import JournalUnavailable
from ingress.http.api import examples
from ingress.http.api.answers import answers, listing_of
from ingress.http.api.commanding import unknown_station
from ingress.http.api.paging import PageQuery, TimelineQuery, listing_response
from ingress.http.api.texts import Moment, Name, Place, Search, Short, StationName
from ingress.http.authentication import READ
from ingress.http.problems import json_response
from ingress.http.services import House, Services
from storage.queries.filters import EventFilter, MessageFilter, MeterValueFilter, StationFilter
from storage.queries.paging import Paged
from storage.queries.rows import ConnectorRow, EventRow, MessageRow, MeterValueRow, StationDetail, StationRow

log = structlog.get_logger()

router = APIRouter(prefix="/stations", tags=["stations"])


class StationsQuery(PageQuery):
    """Filters of the list of stations; all that are given must hold."""

    connected: Annotated[bool | None, Field(description="Connected now or not.")] = None
    registered: Annotated[bool | None, Field(description="Registered by the operator or not.")] = None
    registration: Annotated[Registration | None, Field(description="What its boots are answered.")] = None
    security_profile: Annotated[
        int | None, Field(ge=0, le=SECURITY_PROFILE_MAX, description="Security profile in its record.")
    ] = None
    changing: Annotated[
        bool | None, Field(description="It was told another password or security profile and has not shown it yet.")
    ] = None
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


@router.get("", dependencies=[READ], responses=answers(listing_of(StationRow), examples.STATIONS))
async def list_stations(house: House, request: Request, query: Annotated[StationsQuery, Query()]) -> Response:
    """Stations by identity: registered ones and those that connected."""
    wanted = StationFilter(
        connected=query.connected,
        registered=query.registered,
        registration=query.registration,
        security_profile=query.security_profile,
        changing=query.changing,
        version=query.version,
        vendor=query.vendor,
        search=query.search,
    )
    return listing_response(request, await house.queries.stations(wanted, query.page()))


@router.get("/{station}", dependencies=[READ], responses=answers(StationDetail, examples.STATION, 404))
async def show_station(house: House, station: StationName) -> Response:
    """A station with its connectors and open transactions."""
    return json_response(await _detail(house, station))


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
        has_password_next=record.password_hash_next is not None,
        security_profile_next=record.security_profile_next,
        downgrade_allowed=record.downgrade_allowed,
        certificate_name=record.certificate_name,
        assume_ocpp16=record.assume_ocpp16,
        lenient_upgrade=record.lenient_upgrade,
    )
