"""Campaigns: commands to many stations."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.campaigns import CampaignChanged, CampaignStarted, CampaignState
from engine.redaction import redacted
from storage.blocks.table import Change, Json, Put, Table


class CampaignRow(msgspec.Struct, frozen=True):
    """A campaign. `kind`: the command's word. `stations`: how many. `rate_per_s`: commands per second at most.

    `command`: as asked, secrets taken out.
    """

    campaign_id: str
    created_at: datetime
    state: str = ""
    kind: str = ""
    stations: int = 0
    rate_per_s: float = 0.0
    deadline_s: float = 0.0
    priority: int = 0
    waits: bool = False
    command: Json = None
    created_by: str = ""
    changed_at: datetime | None = None
    changed_by: str = ""
    note: str | None = None


CAMPAIGNS = Table(
    name="campaigns",
    row=CampaignRow,
    key=("campaign_id",),
    newest_first="created_at",
    ages_by="created_at",
    filters=("state", "kind", "campaign_id"),
    shown=("campaign_id", "created_at", "state", "kind", "stations", "note"),
    about="Commands to many stations, and how far they are.",
    tag="commands",
)


def started(_: str, fact: CampaignStarted) -> Iterable[Change]:
    """A new one; its stations and the whole command are in the operator's book."""
    command = redacted(msgspec.json.encode(fact.command).decode())
    yield Put(
        CAMPAIGNS,
        (fact.campaign_id,),
        {
            "created_at": fact.created_at,
            "state": CampaignState.RUNNING.value,
            "kind": type(fact.command).__name__,
            "stations": len(fact.stations),
            "rate_per_s": fact.rate_per_s,
            "deadline_s": fact.deadline_s,
            "priority": fact.priority,
            "waits": fact.waits,
            "command": msgspec.json.decode(command),
            "created_by": fact.by,
            "note": fact.note,
        },
    )


def changed(_: str, fact: CampaignChanged) -> Iterable[Change]:
    """Its state."""
    told = {"state": fact.state.value, "changed_at": fact.changed_at, "changed_by": fact.by}
    yield Put(CAMPAIGNS, (fact.campaign_id,), told)


TABLES = (CAMPAIGNS,)
CHANGES = {CampaignStarted: started, CampaignChanged: changed}
EVENTS: tuple[type, ...] = ()
