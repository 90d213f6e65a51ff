"""Why each car got what it got, as facts for people. Decides nothing.

A decision is recorded when its current changed, or its reason, or it has not been told for a while.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from msgspec.structs import replace

from engine.model.plans import COMPETITORS_MAX, STEPS_MAX, Competitor, Layer, LimitDecided, PlanStep, Why
from smartcharging.problem import Allocation, Cause, Floats, Problem
from smartcharging.words import INF, CarView, NeedSource, Told

_WHY_OF_CAUSE = {
    Cause.OWN_MAX: Why.OWN_MAX,
    Cause.ENOUGH: Why.ENOUGH,
    Cause.PAUSED: Why.PAUSED,
    Cause.STATIC: Why.STATIC,
}
_SAID_BY = {
    NeedSource.DRIVER: "the driver said so",
    NeedSource.CAR: "the car said so",
    NeedSource.TOKEN: "from the history of the token",
    NeedSource.STATION: "from the history of the station",
    NeedSource.SITE: "from the history of the site",
    NeedSource.DEFAULT: "the site's default",
}
_UNSENT = frozenset({Told.SMALL, Told.WAITS, Told.OFFLINE, Told.QUARANTINED, Told.UNSUPPORTED})


class Decisions:
    """The decisions of one site: makes them, and remembers what was recorded of each EVSE.

    Args:
        site: Its id.
        allocator: By whose name.
        again_after: An unchanged decision is recorded once more after so long.
    """

    def __init__(self, site: str, allocator: str, again_after: timedelta) -> None:
        self._site = site
        self._allocator = allocator
        self._again_after = again_after
        self._recorded: dict[str, LimitDecided] = {}

    def last_a(self, node: str) -> float | None:
        """What was recorded last for an EVSE."""
        known = self._recorded.get(node)
        return None if known is None else known.current_a

    @property
    def waits(self) -> bool:
        """Whether some decision was not told to its station."""
        return any(not each.sent for each in self._recorded.values())

    def of_plan(
        self,
        problem: Problem,
        allocation: Allocation,
        views: Sequence[CarView],
        told: Mapping[str, Told],
        now: datetime,
        trigger: str,
    ) -> list[LimitDecided]:
        """What is to be recorded of a plan.

        Args:
            problem: What was solved.
            allocation: The answer that counts.
            views: The cars, in the order of the problem.
            told: What the wire says of each.
            now: When it was planned.
            trigger: What made the planner look.
        """
        crowd = _Crowd(problem, allocation)
        made = [
            self._decision(place, view, crowd, told.get(view.node), now, trigger) for place, view in enumerate(views)
        ]
        self._forget({view.node for view in views})
        return [decision for decision in made if self._is_news(decision)]

    def now_sent(self, told: Mapping[str, Told], now: datetime) -> list[LimitDecided]:
        """Decisions that waited for others, and are with their stations now."""
        waited = [each for each in self._recorded.values() if not each.sent and each.layer is not Layer.STATIC]
        found = [replace(each, sent=True, at=now) for each in waited if told.get(each.node) in (Told.SENT, Told.HELD)]
        self._recorded |= {each.node: each for each in found}
        return found

    def left_alone(
        self, views: Sequence[CarView], currents: Mapping[str, float], reasons: Mapping[str, Why], now: datetime
    ) -> list[LimitDecided]:
        """Cars that nobody plans: in quarantine, offline, or at stations that take no profiles."""
        made = [
            LimitDecided(
                site=self._site,
                node=view.node,
                station=view.station,
                evse=view.evse,
                at=now,
                current_a=currents.get(view.node, 0.0),
                why=reasons.get(view.node, Why.STATIC),
                layer=Layer.STATIC,
                allocator=self._allocator,
                transaction_id=view.transaction_id,
                before_a=self.last_a(view.node),
                phases=len(view.phases),
                sent=False,
            )
            for view in views
        ]
        return [decision for decision in made if self._is_news(decision)]

    def _forget(self, nodes: set[str]) -> None:
        for node in self._recorded.keys() - nodes:
            if self._recorded[node].layer is not Layer.STATIC:
                del self._recorded[node]

    def _is_news(self, decision: LimitDecided) -> bool:
        """Whether it is to be recorded; then it is remembered."""
        known = self._recorded.get(decision.node)
        is_same = (
            known is not None
            and known.transaction_id == decision.transaction_id
            and abs(known.current_a - decision.current_a) < 0.05
            and known.why is decision.why
            and known.binding == decision.binding
            and known.sent == decision.sent
        )
        if is_same and known is not None and decision.at < known.at + self._again_after:
            return False
        self._recorded[decision.node] = decision
        return True

    def _decision(
        self, place: int, view: CarView, crowd: "_Crowd", told: Told | None, now: datetime, trigger: str
    ) -> LimitDecided:
        problem, allocation = crowd.problem, crowd.allocation
        current = float(allocation.current_a[place])
        why, row = crowd.why(place)
        known = self._recorded.get(view.node)
        before = known.current_a if known is not None and known.transaction_id == view.transaction_id else None
        return LimitDecided(
            site=self._site,
            node=view.node,
            station=view.station,
            evse=view.evse,
            at=now,
            current_a=round(current, 3),
            why=why,
            layer=layer_of(allocation),
            allocator=self._allocator,
            transaction_id=view.transaction_id,
            before_a=before,
            power_kw=round(current * float(problem.cars.kw_per_a[place]), 3),
            phases=len(view.phases),
            binding=None if row is None else problem.rows.names[row],
            binding_limit=None if row is None else round(float(problem.limits[row, 0]), 3),
            binding_used=None if row is None else round(float(crowd.load[row]), 3),
            unit=None if row is None else problem.rows.units[row],
            competitors=() if row is None else crowd.competitors(row, place),
            energy_kwh=None if view.need.energy_kwh == INF else round(view.need.energy_kwh, 3),
            departs_at=view.need.departs_at,
            need=need_in_words(view),
            plan=crowd.steps(place, now),
            sent=told not in _UNSENT,
            trigger=trigger,
        )


class _Crowd:
    """A plan, and what its rows carry."""

    def __init__(self, problem: Problem, allocation: Allocation) -> None:
        self.problem = problem
        self.allocation = allocation
        self.load: Floats = problem.rows.matrix @ allocation.current_a
        self._columns = problem.rows.matrix.tocsr()
        self._moments = np.concatenate(([0.0], np.cumsum(problem.slot_s)[:-1]))

    def why(self, place: int) -> tuple[Why, int | None]:
        """What kept a car from more, and the row if it was one."""
        binding = int(self.allocation.binding[place])
        if self.allocation.current_a[place] < 0:
            return Why.DISCHARGES, None
        if 0 <= binding < len(self.problem.rows.names):
            why = Why.ROW if self.allocation.current_a[place] > 0 else Why.PAUSED
            return why, binding
        cause = Cause(binding) if binding in set(Cause) else Cause.ENOUGH
        return _WHY_OF_CAUSE[cause], None

    def competitors(self, row: int, place: int) -> tuple[Competitor, ...]:
        """Others on a row, those that have most first."""
        begin, end = self._columns.indptr[row], self._columns.indptr[row + 1]
        others = [int(column) for column in self._columns.indices[begin:end] if column != place]
        current = self.allocation.current_a
        others.sort(key=lambda column: -float(current[column]))
        cars = self.problem.cars
        return tuple(
            Competitor(cars.ids[column], round(float(current[column]), 3), int(cars.priority[column]))
            for column in others[:COMPETITORS_MAX]
        )

    def steps(self, place: int, now: datetime) -> tuple[PlanStep, ...]:
        """What is expected to follow, where it changes."""
        plan = self.allocation.plan_a
        if plan is None:
            return ()
        row = np.round(plan[place], 1)
        changes = np.flatnonzero(np.diff(row)) + 1
        slots = [0, *changes.tolist()][:STEPS_MAX]
        moments = self._moments
        return tuple(PlanStep(now + timedelta(seconds=float(moments[slot])), float(row[slot])) for slot in slots)


def layer_of(allocation: Allocation) -> Layer:
    """The rung of the ladder that made it."""
    try:
        return Layer(allocation.layer)
    except ValueError:
        return Layer.OTHER


def need_in_words(view: CarView) -> str:
    """What was planned for, and who says so."""
    need = view.need
    if need.detail:
        return need.detail
    energy = (
        "energy unknown" if need.energy_kwh == INF else f"{need.energy_kwh:.1f} kWh ({_SAID_BY[need.energy_source]})"
    )
    if need.departs_at is None:
        return f"{energy}, departure unknown"
    return f"{energy} by {need.departs_at:%Y-%m-%d %H:%M} UTC ({_SAID_BY[need.departure_source]})"
