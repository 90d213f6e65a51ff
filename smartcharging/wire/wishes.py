"""What each EVSE should hold: the plan until its lease ends, then the static share, for ever; arrays on the grid.

    in a transaction     own: planned current | lease end | share        default: idle share | lease end | share
    without              own: -                                          default: as above, or as planned
    quarantined          share, everywhere

The share is what all can hold for ever within the least limits of any time. While a cap from outside is lower than what
the shares come to, it is what they can hold within that: so also a site whose planner dies keeps to a cap that it told.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
import numpy as np

from engine.model.sites import LoadKind, Site
from smartcharging.network import Network
from smartcharging.shares import idle_shares, static_shares
from smartcharging.wire.ledger import TOLERANCE, Ledger
from smartcharging.wire.steps import QUARTER_S, ROUNDING, STEP_A, Grid
from smartcharging.words import Floats, NodeLoad, Target

Caps = Callable[[datetime, Floats], Mapping[str, Floats]]
Loads = Callable[[datetime, Floats], tuple[NodeLoad, ...]]


class Shares(msgspec.Struct, frozen=True, eq=False):
    """What EVSEs fall to. `tail`: (n, t) for ever. `idle`: (n,) without a transaction, as long as somebody plans."""

    tail: Floats
    idle: Floats


class ShareBook:
    """The shares of a site, remembered as long as nothing that they are made of changes."""

    def __init__(self, site: Site, network: Network) -> None:
        self._site = site
        self._network = network
        self._names = tuple(network.evses)
        self._static: dict[bytes, Floats] = {}
        self._idle: dict[bytes, Floats] = {}

    def shares(self, grid: Grid, standing: Floats, columns: Ledger, reserved: Floats) -> Shares:
        """The shares on a grid.

        Args:
            grid: Which; what is idle is planned anew within its quarters of an hour.
            standing: (m, t) limits as they stand whatever meters say: at their least, with caps.
            columns: What EVSEs load rows with.
            reserved: (m,) what those may draw that do not do what they are told.
        """
        lasting = np.maximum(self._network.least(worst_loads(self._site, 1)) - reserved, 0.0)
        standing = np.maximum(standing - reserved[:, None], 0.0)
        tail_of_all = self._of(self._static, static_shares, lasting)
        tail = np.repeat(tail_of_all[:, None], standing.shape[1], axis=1)
        load = columns.load_of(tail_of_all)
        tight = (load[:, None] > standing + TOLERANCE).any(axis=0)
        if tight.any():
            least = np.minimum(lasting, standing[:, tight].min(axis=1))
            capped = np.minimum(self._of(self._static, static_shares, least), tail_of_all)
            tail[:, tight] = capped[:, None]
        idle = self._of(self._idle, idle_shares, np.minimum(lasting, standing[:, grid.slot_s <= QUARTER_S].min(axis=1)))
        return Shares(tail, idle)

    def _of(
        self,
        known: dict[bytes, Floats],
        rule: Callable[[Site, Network, Floats], Mapping[str, float]],
        limits: Floats,
    ) -> Floats:
        key = limits.tobytes()
        if key not in known:
            if len(known) >= 8:
                known.clear()
            shares = rule(self._site, self._network, limits)
            known[key] = np.array([shares.get(name, 0.0) for name in self._names])
        return known[key]


def worst_loads(site: Site, slots: int) -> tuple[NodeLoad, ...]:
    """What unmanaged loads draw at the most, whatever their meters say now; what feeds, only where that is certain."""
    loads = []
    for load in site.loads:
        if load.generation:
            kw = -max(0.0, load.kw_certain)
        elif load.kind is LoadKind.PROFILE:
            kw = max(load.profile_kw, default=load.kw) + load.reserve_kw
        else:
            kw = load.kw + load.reserve_kw
        loads.append(NodeLoad(load.node, np.repeat(np.array(load.share)[:, None] * kw, slots, axis=1)))
    return tuple(loads)


class Wishes(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What is wanted, (n, t) A per phase. `plan`: of transactions; of those without, the default's.

    `default`: of what comes next. `active`: (n,) has a transaction. `lease_s`: when what is told now ends, seconds
    since 1970. `give`: (n,) what the car is to give back now. `base`: what all may hold together without any plan.
    """

    plan: Floats
    default: Floats
    base: Floats
    active: Floats
    give: Floats
    lease_s: float


def lease_end_s(now_s: float, lease_s: float, boundary_s: int) -> float:
    """The first common boundary that is at least a lease away."""
    return -(-(now_s + lease_s) // boundary_s) * boundary_s


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What wishes are made of, beside the shares. `leashed`: nodes that are left at their share."""

    targets: Mapping[str, Target]
    leashed: frozenset[str]
    lease_s: float
    boundary_s: int


def wishes(grid: Grid, names: tuple[str, ...], shares: Shares, wanted: Wanted, now: datetime) -> Wishes:
    """What each EVSE should hold from now on."""
    now_s = now.timestamp()
    end_s = lease_end_s(now_s, wanted.lease_s, wanted.boundary_s)
    leased = grid.until(end_s)
    default = shares.tail.copy()
    default[:, :leased] = shares.idle[:, None]
    plan, base = default.copy(), default.copy()
    active = np.zeros(len(names), dtype=bool)
    give = np.zeros(len(names))
    for index, name in enumerate(names):
        target = wanted.targets.get(name)
        if name in wanted.leashed:
            default[index] = plan[index] = shares.tail[index]
            active[index] = target is not None and target.transaction_id is not None
            continue
        if target is None:
            continue
        values = planned(target, grid, now_s, leased)
        give[index] = max(0.0, -values[0])
        plan[index, :leased] = np.maximum(values, 0.0)
        active[index] = target.transaction_id is not None
        if target.transaction_id is None:
            default[index] = plan[index]
        elif plan[index, 0] <= 0.0:  # paused: nor may the next car of a sudden draw what is given to others
            default[index, :leased] = np.minimum(default[index, :leased], plan[index, :leased])
    plan, default, base = (np.floor(rows / STEP_A + ROUNDING) * STEP_A for rows in (plan, default, base))
    return Wishes(plan=plan, default=default, base=base, active=active, give=give, lease_s=end_s)


def planned(target: Target, grid: Grid, now_s: float, slots: int) -> Floats:
    """(slots,) what a target says: now in the first slot, the least of each later one."""
    if len(target.steps) == 1:
        return np.full(slots, target.steps[0].current_a)
    times = [step.at.timestamp() for step in target.steps]
    values = [step.current_a for step in target.steps]
    first = max((k for k, time_s in enumerate(times) if time_s <= now_s), default=0)
    found = np.full(slots, values[first])
    for k in range(1, slots):
        begin, end = grid.edges_s[k], grid.edges_s[k + 1]
        at = max((j for j, time_s in enumerate(times) if time_s <= begin), default=0)
        inside = [values[j] for j, time_s in enumerate(times) if begin < time_s < end]
        found[k] = min([values[max(at, first)], *inside])
    return found


def next_step_at(targets: Mapping[str, Target], now: datetime) -> datetime | None:
    """When the next planned step comes."""
    return min((step.at for target in targets.values() for step in target.steps if step.at > now), default=None)
