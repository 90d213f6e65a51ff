"""What the planner decided, and why; what needs a person."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.plans import LimitDecided, SiteAlertCleared, SiteAlertRaised, SitePlanned
from engine.model.sites import SiteRemoved
from storage.blocks.table import Age, Change, Drop, Json, Put, Table

TAG = "plans"
_DETAILS = ("power_kw", "phases", "competitors", "energy_kwh", "departs_at", "need", "plan")
"""Fields of a decision that are for reading alone."""


class LimitDecisionRow(msgspec.Struct, frozen=True):
    """What an EVSE may draw from `at` on, A per phase, and why it is not more.

    `binding`: the limit of the tree that keeps it there, of which `binding_used` of `binding_limit` `unit` are used.
    `sent` false: the change was too small, or waits for others' decreases. `details`: competitors below the same limit,
    the need that was planned for, the plan ahead.
    """

    site: str
    node: str
    at: datetime
    station: str = ""
    evse: int = 0
    transaction_id: str | None = None
    current_a: float = 0.0
    before_a: float | None = None
    why: str = ""
    binding: str | None = None
    binding_limit: float | None = None
    binding_used: float | None = None
    unit: str | None = None
    layer: str = ""
    allocator: str = ""
    sent: bool = True
    trigger: str = ""
    details: Json = None


class SitePlanRow(msgspec.Struct, frozen=True):
    """A plan of a site. `delivered_share`: of the energy that is wanted; `trigger`: what made the planner look."""

    site: str
    at: datetime
    layer: str = ""
    allocator: str = ""
    cars: int = 0
    paused: int = 0
    changed: int = 0
    solve_ms: float = 0.0
    planned_kw: float = 0.0
    limit_kw: float | None = None
    unmanaged_kw: float = 0.0
    delivered_share: float | None = None
    trigger: str = ""
    note: str | None = None
    battery_kw: Json = None


class SiteAlertRow(msgspec.Struct, frozen=True):
    """Something that needs a person, or needed one (`active` false). `over`: by how much, in `unit`."""

    site: str
    kind: str
    node: str
    at: datetime
    active: bool = True
    detail: str = ""
    over: float | None = None
    unit: str | None = None
    cleared_at: datetime | None = None


class SiteAlertHistoryRow(msgspec.Struct, frozen=True):
    """An alert that was raised or changed (`event` raised), or was over (`event` cleared)."""

    site: str
    kind: str
    node: str
    at: datetime
    event: str = ""
    detail: str = ""
    over: float | None = None
    unit: str | None = None


DECISIONS = Table(
    name="limit_decisions",
    row=LimitDecisionRow,
    key=("site", "node", "at"),
    newest_first="at",
    ages_by="at",
    age=Age.VALUES,
    filters=("site", "node", "station", "evse", "transaction_id", "why", "layer", "sent"),
    shown=("at", "site", "node", "station", "evse", "current_a", "before_a", "why", "binding", "layer", "sent"),
    about="What EVSEs may draw and why, newest first.",
    tag=TAG,
)
PLANS = Table(
    name="site_plans",
    row=SitePlanRow,
    key=("site", "at"),
    newest_first="at",
    ages_by="at",
    age=Age.VALUES,
    filters=("site", "layer", "trigger"),
    shown=("at", "site", "layer", "cars", "paused", "changed", "planned_kw", "limit_kw", "solve_ms", "trigger"),
    about="Plans of sites, newest first.",
    tag=TAG,
)
ALERTS = Table(
    name="site_alerts",
    row=SiteAlertRow,
    key=("site", "kind", "node"),
    newest_first="at",
    filters=("site", "kind", "node", "active"),
    shown=("at", "site", "kind", "node", "active", "detail", "over", "unit", "cleared_at"),
    about="What needs a person at sites, or needed one.",
    tag=TAG,
)
ALERT_HISTORY = Table(
    name="site_alert_history",
    row=SiteAlertHistoryRow,
    key=("site", "kind", "node", "at"),
    newest_first="at",
    ages_by="at",
    filters=("site", "kind", "node", "event"),
    shown=("at", "site", "kind", "node", "event", "detail", "over", "unit"),
    about="Alerts of sites as they came and went, newest first.",
    tag=TAG,
)


def decided(_: str, fact: LimitDecided) -> Iterable[Change]:
    """A limit of an EVSE."""
    plain = ("station", "evse", "transaction_id", "current_a", "before_a", "allocator", "sent", "trigger")
    bound = ("binding", "binding_limit", "binding_used", "unit")
    values = {name: getattr(fact, name) for name in (*plain, *bound)}
    values |= {"why": fact.why.value, "layer": fact.layer.value}
    values["details"] = {name: getattr(fact, name) for name in _DETAILS}
    yield Put(DECISIONS, (fact.site, fact.node, fact.at), values)


def planned(_: str, fact: SitePlanned) -> Iterable[Change]:
    """A plan."""
    values = {name: getattr(fact, name) for name in SitePlanRow.__struct_fields__[2:]}
    values |= {"layer": fact.layer.value, "battery_kw": dict(fact.battery_kw)}
    yield Put(PLANS, (fact.site, fact.at), values)


def raised(_: str, fact: SiteAlertRaised) -> Iterable[Change]:
    """Something needs a person; raised again it only changes."""
    key = (fact.site, fact.kind.value, fact.node)
    values = {"detail": fact.detail, "over": fact.over, "unit": fact.unit}
    yield Put(ALERTS, key, values | {"at": fact.at, "active": True, "cleared_at": None})
    yield Put(ALERT_HISTORY, (*key, fact.at), values | {"event": "raised"})


def cleared(_: str, fact: SiteAlertCleared) -> Iterable[Change]:
    """It is over."""
    key = (fact.site, fact.kind.value, fact.node)
    yield Put(ALERTS, key, {"at": fact.at, "active": False, "cleared_at": fact.at})
    yield Put(ALERT_HISTORY, (*key, fact.at), {"event": "cleared"})


def site_removed(_: str, fact: SiteRemoved) -> Iterable[Change]:
    """Nothing is open at a site that is gone; its alerts stay in the history."""
    yield Drop(ALERTS, {"site": fact.site}, ("at", fact.at))


TABLES = (DECISIONS, PLANS, ALERTS, ALERT_HISTORY)
CHANGES = {
    LimitDecided: decided,
    SitePlanned: planned,
    SiteAlertRaised: raised,
    SiteAlertCleared: cleared,
    SiteRemoved: site_removed,
}
EVENTS: tuple[type, ...] = ()
