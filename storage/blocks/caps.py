"""Caps from outside: what counts for a site now by its sources, and all that they ever said."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.caps import CapHeard, CapReleased, CapSaved, CapSource
from engine.model.sites import SiteRemoved
from storage.blocks.table import Change, Drop, Json, Put, Table

TAG = "caps"


class SiteCapRow(msgspec.Struct, frozen=True):
    """What a source said last about a site (`active` false: it released its cap).

    `node` empty: the root. `steps`: from when on how many kW; kw null: no cap until the next step.
    """

    site: str
    source: str
    active: bool = True
    node: str = ""
    direction: str = ""
    priority: int = 0
    emergency: bool = False
    valid_until: datetime | None = None
    fallback_kw: float | None = None
    heartbeat_s: float | None = None
    saved_at: datetime | None = None
    saved_by: str = ""
    heard_at: datetime | None = None
    released_at: datetime | None = None
    released_by: str | None = None
    steps: Json = None


class SiteCapHistoryRow(msgspec.Struct, frozen=True):
    """What a source said, and when. `event`: saved or released; heartbeats are not kept."""

    site: str
    source: str
    at: datetime
    event: str = ""
    by: str = ""
    node: str = ""
    direction: str = ""
    emergency: bool = False
    cap: Json = None


CAPS = Table(
    name="site_caps",
    row=SiteCapRow,
    key=("site", "source"),
    filters=("site", "source", "node", "direction", "active", "emergency"),
    shown=("site", "source", "active", "node", "direction", "emergency", "valid_until", "heard_at", "steps"),
    about="What caps sites: the last word of each source.",
    tag=TAG,
)
HISTORY = Table(
    name="site_cap_history",
    row=SiteCapHistoryRow,
    key=("site", "source", "at"),
    newest_first="at",
    ages_by="at",
    filters=("site", "source", "node", "event"),
    shown=("at", "site", "source", "event", "by", "node", "direction", "emergency"),
    about="What sources of caps said, newest first.",
    tag=TAG,
)


def saved(_: str, fact: CapSaved) -> Iterable[Change]:
    """A source told a cap."""
    cap = fact.cap
    values = {
        "active": True,
        "priority": cap.priority,
        "valid_until": cap.valid_until,
        "fallback_kw": cap.fallback_kw,
        "heartbeat_s": cap.heartbeat_s,
        "saved_at": fact.at,
        "saved_by": fact.by,
        "heard_at": fact.at,
        "released_at": None,
        "released_by": None,
        "steps": cap.steps,
    }
    yield Put(CAPS, (cap.site, cap.source), values | _place(cap))
    yield Put(HISTORY, (cap.site, cap.source, fact.at), {"event": "saved", "by": fact.by, "cap": cap} | _place(cap))


def _place(cap: CapSource) -> dict[str, object]:
    return {"node": cap.node, "direction": cap.direction.value, "emergency": cap.emergency}


def heard(_: str, fact: CapHeard) -> Iterable[Change]:
    """A source lives."""
    yield Put(CAPS, (fact.site, fact.source), {"heard_at": fact.at})


def released(_: str, fact: CapReleased) -> Iterable[Change]:
    """A source caps nothing any more."""
    yield Put(CAPS, (fact.site, fact.source), {"active": False, "released_at": fact.at, "released_by": fact.by})
    yield Put(HISTORY, (fact.site, fact.source, fact.at), {"event": "released", "by": fact.by})


def site_removed(_: str, fact: SiteRemoved) -> Iterable[Change]:
    """Caps go with their site; what was said stays in the history."""
    yield Drop(CAPS, {"site": fact.site})


TABLES = (CAPS, HISTORY)
CHANGES = {CapSaved: saved, CapHeard: heard, CapReleased: released, SiteRemoved: site_removed}
EVENTS: tuple[type, ...] = ()
