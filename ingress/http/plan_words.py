"""The plan of a site in the words of REST: its tree and what it carries, its cars and why they get what they get."""

from datetime import datetime, timedelta

import msgspec

from engine.model.plans import Competitor, PlanStep

STALE = timedelta(minutes=30)
"""A decision that was not told again for so long is over: the planner repeats them more often."""


class NodeUse(msgspec.Struct, frozen=True, kw_only=True):
    """A node, and what the cars below it may draw now. Null: no limit. `others_kw`: what draws there unasked, if known.

    `limit_kw`, `limit_a`: what counts now, by time of day, caps included. `cap_kw`: the least of the caps on this node.
    """

    node: str
    kind: str
    parent: str | None
    depth: int
    name: str | None
    kw: float
    a: tuple[float, ...]
    limit_kw: float | None = None
    limit_a: tuple[float | None, ...] | None = None
    cap_kw: float | None = None
    others_kw: float | None = None


class CarPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What an EVSE may draw, and why: the last decision, and the transaction that it is for.

    `at`: of the decision. `token`, `since`, `energy_wh`, `charging_state`: of the transaction that goes on; null: none.
    """

    node: str
    station: str
    evse: int
    at: datetime
    current_a: float
    power_kw: float
    phases: int
    why: str
    layer: str
    allocator: str
    sent: bool
    before_a: float | None = None
    binding: str | None = None
    binding_limit: float | None = None
    binding_used: float | None = None
    unit: str | None = None
    competitors: tuple[Competitor, ...] = ()
    energy_kwh: float | None = None
    departs_at: datetime | None = None
    need: str | None = None
    plan: tuple[PlanStep, ...] = ()
    trigger: str = ""
    transaction_id: str | None = None
    token: str | None = None
    since: datetime | None = None
    energy_wh: float | None = None
    charging_state: str | None = None


class CapNow(msgspec.Struct, frozen=True, kw_only=True):
    """A cap from outside as it stands. `kw` null: it caps nothing now."""

    source: str
    node: str
    direction: str
    status: str
    kw: float | None
    fallback_kw: float | None
    valid_until: datetime | None
    heard_at: datetime
    priority: int
    emergency: bool


class AlertNow(msgspec.Struct, frozen=True, kw_only=True):
    """What needs a person."""

    kind: str
    node: str
    detail: str
    at: datetime
    over: float | None = None
    unit: str | None = None


class LastPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The last time that the site was planned. `delivered_share`: of the energy wanted, as planned; 0 to 1."""

    at: datetime
    layer: str
    allocator: str
    cars: int
    paused: int
    changed: int
    solve_ms: float
    planned_kw: float
    unmanaged_kw: float
    limit_kw: float | None = None
    delivered_share: float | None = None
    trigger: str = ""
    note: str | None = None


class SitePlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A site now. `planned` null: it was never planned. Nodes in the order of the tree, cars in that of their EVSEs."""

    site: str
    name: str | None
    time_zone: str
    now: datetime
    enabled: bool
    planned: LastPlan | None
    nodes: tuple[NodeUse, ...]
    cars: tuple[CarPlan, ...]
    caps: tuple[CapNow, ...]
    alerts: tuple[AlertNow, ...]


class EvseExplained(msgspec.Struct, frozen=True, kw_only=True):
    """An EVSE of a station: its limit and where it comes from.

    `car` null: nobody charges, or nothing was decided yet. `path`: from the EVSE's node up to the grid connection.
    """

    evse: int
    node: str
    current_a_max: float
    car: CarPlan | None
    path: tuple[NodeUse, ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a station draws what it draws."""

    station: str
    site: str
    site_name: str | None
    time_zone: str
    now: datetime
    planned: LastPlan | None
    evses: tuple[EvseExplained, ...]
    caps: tuple[CapNow, ...]
    alerts: tuple[AlertNow, ...]
