"""Campaigns: one command to many stations at a bounded rate. Listed at GET /campaigns (`ingress.http.api.blocks`)."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.model.campaigns import STATIONS_MAX, CampaignChanged, CampaignStarted, CampaignState
from engine.model.commands import Command, CommandCancel
from engine.model.remote_control import RequestStart
from engine.ports import ActorUnavailable
from ingress.http.api import examples
from ingress.http.api.answers import answers
from ingress.http.api.command_bodies import AnyCommand, CommandBody
from ingress.http.api.texts import IDENTITY, PLAIN, Note, Search, Short
from ingress.http.authentication import OPERATE, READ, Caller
from ingress.http.problems import Problem, invalid, json_response, not_found
from ingress.http.services import House, Services
from storage.blocks.campaigns import CAMPAIGNS, CampaignRow
from storage.queries.filters import StationFilter
from storage.queries.paging import LIMIT_MAX, Page
from storage.queries.rows import CampaignProgress

router = APIRouter(prefix="/campaigns", tags=["commands"])

CampaignId = Annotated[str, Path(min_length=1, max_length=64, pattern=PLAIN, examples=[examples.COMMAND_ID])]
Identity = Annotated[str, Field(min_length=1, max_length=48, pattern=IDENTITY)]


class Chosen(BaseModel, extra="forbid"):
    """Which stations; all that are given must hold, as in GET /stations."""

    connected: bool | None = None
    version: Short | None = None
    vendor: Short | None = None
    search: Search | None = None


class CampaignBody(BaseModel, extra="forbid"):
    """A command and whom it goes to: `stations` by name, or `where` they are found when the campaign starts."""

    command: Annotated[AnyCommand, Field(description="The command, as for POST /stations/{station}/commands.")]
    stations: Annotated[list[Identity] | None, Field(min_length=1, max_length=STATIONS_MAX)] = None
    where: Chosen | None = None
    rate_per_s: Annotated[float, Field(gt=0, le=1_000, description="Commands per second at most.")] = 20.0
    note: Annotated[Note | None, Field(description="For people.")] = None


class StateBody(BaseModel, extra="forbid"):
    """What is to become of a campaign."""

    state: Literal["running", "paused", "stopped"]


STATE_BODY = {"state": "paused"}


class CampaignAnswer(msgspec.Struct, frozen=True):
    """A campaign and how far it is."""

    campaign: CampaignRow
    progress: CampaignProgress


class CampaignTaken(msgspec.Struct, frozen=True):
    """A campaign that is on record; how far it is: GET /campaigns/{campaign_id}. `stations`: how many."""

    campaign_id: str
    stations: int


CAMPAIGN_BODY = {
    "command": {"command": "trigger_message", "message": "Heartbeat"},
    "where": {"connected": True},
    "rate_per_s": 50,
}


TAKEN = CampaignTaken(examples.COMMAND_ID, 2)
EXAMPLE = CampaignAnswer(
    CampaignRow(
        campaign_id=examples.COMMAND_ID,
        created_at=datetime(2026, 5, 1, 12, tzinfo=UTC),
        state="running",
        kind="TriggerMessage",
        stations=2,
        rate_per_s=50.0,
        deadline_s=30.0,
        command={"is": "TriggerMessage", "message": "Heartbeat"},
        created_by="operations",
    ),
    CampaignProgress(recorded=2, sent=2, settled={"accepted": 1}),
)


@router.post(
    "",
    dependencies=[OPERATE],
    status_code=201,
    responses=answers(CampaignTaken, TAKEN, created=True),
)
async def start_campaign(
    house: House, caller: Caller, body: Annotated[CampaignBody, Body(examples=[CAMPAIGN_BODY])]
) -> Response:
    """Starts a campaign. Each station's command has an id of its own and a deadline from when it is recorded."""
    stations = await _stations(house, body)
    now = house.clock.now()
    command = body.command
    campaign = CampaignStarted(
        campaign_id=str(house.ids()),
        command=_word(command),
        stations=stations,
        rate_per_s=body.rate_per_s,
        deadline_s=house.command_deadline_s if command.deadline_s is None else command.deadline_s,
        created_at=now,
        by=caller.name,
        priority=command.priority or -10,
        waits=command.when_offline == "wait",
        note=body.note,
    )
    await house.book.start_campaign(campaign, now)
    return json_response(CampaignTaken(campaign.campaign_id, len(stations)), status=201)


@router.get("/{campaign_id}", dependencies=[READ], responses=answers(CampaignAnswer, EXAMPLE, 404))
async def show_campaign(house: House, campaign_id: CampaignId) -> Response:
    """A campaign and how far it is."""
    row = await _row(house, campaign_id)
    return json_response(CampaignAnswer(row, await house.queries.campaign_progress(campaign_id)))


@router.put("/{campaign_id}/state", dependencies=[OPERATE], responses=answers(CampaignRow, EXAMPLE.campaign, 404, 409))
async def change_campaign(
    house: House, caller: Caller, campaign_id: CampaignId, body: Annotated[StateBody, Body(examples=[STATE_BODY])]
) -> Response:
    """Pauses, continues or stops a campaign. After a stop nothing more is sent; what waits is taken back."""
    row = await _row(house, campaign_id)
    if row.state not in {CampaignState.RUNNING, CampaignState.PAUSED}:
        what_to_do = "start another: POST /api/v1/campaigns"
        raise Problem(409, "campaign-over", f"campaign {campaign_id} is {row.state}", what_to_do)
    state = CampaignState(body.state)
    now = house.clock.now()
    await house.book.change_campaign(CampaignChanged(campaign_id, state, now, caller.name), now)
    if state is CampaignState.STOPPED:
        await _take_back(house, campaign_id, caller.name)
    return json_response(msgspec.structs.replace(row, state=state.value, changed_at=now, changed_by=caller.name))


def _word(body: CommandBody) -> Command:
    """The command; a start gets its remoteStartId from each station."""
    command = body.word(0)
    if isinstance(command, RequestStart):
        return msgspec.structs.replace(command, remote_start_id=getattr(body, "remote_start_id", None))
    return command


async def _stations(house: Services, body: CampaignBody) -> tuple[str, ...]:
    """Whom it goes to, each once.

    Raises:
        Problem: 422: nobody is named, or nobody fits.
    """
    if (body.stations is None) is (body.where is None):
        raise invalid("body.stations", "name the stations, or say where they are", "give one of stations and where")
    if body.stations is not None:
        return tuple(dict.fromkeys(body.stations))
    chosen = body.where or Chosen()
    found: list[str] = []
    cursor: str | None = None
    while len(found) <= STATIONS_MAX:
        page = await house.queries.stations(StationFilter(**chosen.model_dump()), Page(limit=LIMIT_MAX, cursor=cursor))
        found += [row.station for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    if not found or len(found) > STATIONS_MAX:
        raise invalid("body.where", f"finds {len(found)} stations", f"choose 1 to {STATIONS_MAX}")
    return tuple(found)


async def _row(house: Services, campaign_id: str) -> CampaignRow:
    found = await house.queries.block(CAMPAIGNS, {"campaign_id": campaign_id}, Page(limit=1))
    if not found.rows:
        raise not_found("campaign", campaign_id, "GET /api/v1/campaigns lists all; a new one takes a moment to appear")
    row: CampaignRow = found.rows[0]
    return row


async def _take_back(house: Services, campaign_id: str, by: str) -> None:
    """Cancels what waits. What cannot be reached now goes its way; its outcome will tell."""
    for command_id, station in await house.queries.campaign_commands(campaign_id, open_only=True):
        try:
            await house.gateway.cancel(CommandCancel(command_id, station, by))
        except ActorUnavailable:
            return
