"""A plan under way: the problem, who is in it, the answer; and what of it is told to people."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from time import perf_counter
from typing import NamedTuple

import numpy as np

from engine.model.plans import AlertKind, PlanFact, SiteAlertRaised, SitePlanned, Why
from smartcharging.network import Network
from smartcharging.planning.decisions import layer_of
from smartcharging.planning.guard import guarded
from smartcharging.planning.situation import Situation
from smartcharging.problem import Allocation, Allocator, Cause, Floats, Problem
from smartcharging.wire.reports import Notice, NoticeKind
from smartcharging.words import CarView, Order

_ALERT_OF_NOTICE = {
    NoticeKind.QUARANTINE: AlertKind.QUARANTINE,
    NoticeKind.UNREACHABLE: AlertKind.UNREACHABLE,
    NoticeKind.UNSUPPORTED: AlertKind.UNREACHABLE,
    NoticeKind.OVERDRAWN: AlertKind.METERED_OVER,
}
"""Others are for those who look; nobody has to come for them."""
HOUR_S = 3600.0


class Planned(NamedTuple):
    """What a plan came to."""

    orders: Sequence[Order]
    facts: Sequence[PlanFact]


class Draft:
    """What is to be solved, and then what came of it.

    `views`: the cars of the problem, in its order. `alone`: cars that nobody can tell anything. `held`: (m,) what EVSEs
    without a plan may draw now. `repaired`: what was wrong with the allocator's answer; None: nothing.
    """

    def __init__(  # noqa: PLR0913 (made in one place)
        self,
        *,
        generation: int,
        situation: Situation,
        problem: Problem,
        views: Sequence[CarView],
        alone: Sequence[CarView],
        held: Floats,
        trigger: str,
        allocator: Allocator,
        spare: Allocator,
    ) -> None:
        self.generation = generation
        self.situation = situation
        self.problem = problem
        self.views = views
        self.alone = alone
        self.held = held
        self.trigger = trigger
        self.solve_ms = 0.0
        self.repaired: str | None = None
        self.allocation = _empty(len(problem.cars))
        self._allocator = allocator
        self._spare = spare

    @property
    def all(self) -> Sequence[CarView]:
        """All cars that are here."""
        return (*self.views, *self.alone)

    def solve(self, by: Allocator | None = None) -> None:
        """Runs the allocator, or the one given; in any thread. What it answers is within the limits afterwards."""
        began = perf_counter()
        if len(self.problem.cars):
            answer = guarded(self.problem, by or self._allocator, self._spare)
            self.allocation, self.repaired = answer.allocation, answer.repaired
        self.solve_ms = 1000 * (perf_counter() - began)


def _empty(cars: int) -> Allocation:
    return Allocation(
        current_a=np.zeros(cars), binding=np.full(cars, int(Cause.PAUSED), dtype=np.int64), layer="static"
    )


def summary(site: str, allocator: str, network: Network, draft: Draft, changed: int, now: datetime) -> SitePlanned:
    """The plan in figures."""
    problem, allocation = draft.problem, draft.allocation
    current = allocation.current_a
    stores = problem.stores
    battery = () if stores is None or allocation.store_kw is None else zip(stores.ids, allocation.store_kw, strict=True)
    notes = [note for note in (allocation.note, draft.repaired) if note]
    return SitePlanned(
        site=site,
        at=now,
        layer=layer_of(allocation),
        allocator=allocator,
        cars=len(draft.views),
        paused=int(np.count_nonzero(current == 0)),
        changed=changed,
        solve_ms=round(draft.solve_ms, 3),
        planned_kw=round(float(current @ problem.cars.kw_per_a), 3),
        limit_kw=_limit_kw(network, draft.situation),
        unmanaged_kw=round(draft.situation.unmanaged_kw, 3),
        delivered_share=_delivered(problem, allocation),
        trigger=draft.trigger,
        note="; ".join(notes) or None,
        battery_kw=tuple((name, round(float(kw), 3)) for name, kw in battery),
    )


def _limit_kw(network: Network, situation: Situation) -> float | None:
    """What the grid connection may carry now, with caps; None: nothing limits its kW."""
    root = network.site.root.node
    rows = zip(network.row_nodes, network.row_units, situation.gross.tolist(), strict=True)
    limits = [limit for node, unit, limit in rows if node == root and unit == "kW" and np.isfinite(limit)]
    return round(min(limits), 3) if limits else None


def _delivered(problem: Problem, allocation: Allocation) -> float | None:
    """Of the energy that is wanted by a known departure, the share that the plan delivers; None: nothing is known."""
    cars, plan = problem.cars, allocation.plan_a
    known = np.isfinite(cars.energy_kwh) & np.isfinite(cars.departs_s) & (cars.energy_kwh > 0)
    if plan is None or not known.any():
        return None
    ends = np.cumsum(problem.slot_s)
    hours = np.clip(cars.departs_s[:, None] - (ends - problem.slot_s)[None, :], 0.0, problem.slot_s[None, :]) / HOUR_S
    delivered = np.minimum((plan * hours).sum(axis=1) * cars.kw_per_a, cars.energy_kwh)
    return round(float(delivered[known].sum() / cars.energy_kwh[known].sum()), 4)


def reasons(views: Sequence[CarView], quarantined: Collection[str]) -> Mapping[str, Why]:
    """Why cars are left alone."""
    return {view.node: Why.QUARANTINED if view.node in quarantined else Why.STATIC for view in views}


def alerts_of(site: str, notices: Sequence[Notice], now: datetime) -> list[SiteAlertRaised]:
    """What the wire notices and a person should know; several of an EVSE and kind are one."""
    words: dict[tuple[AlertKind, str], list[str]] = {}
    for notice in notices:
        kind = _ALERT_OF_NOTICE.get(notice.kind)
        if kind is not None:
            words.setdefault((kind, notice.node), []).append(notice.detail)
    return [
        SiteAlertRaised(site=site, kind=kind, node=node, at=now, detail="; ".join(lines))
        for (kind, node), lines in words.items()
    ]
