"""What a plan wants each EVSE to hold: its current now, and the steps that are planned to follow until leases end.

Steps to come are only ever rounded down, so that what follows without a new plan keeps the limits as the plan did.
"""

from datetime import datetime, timedelta

import numpy as np

from engine.model.charging_profiles import OperationMode
from smartcharging.network import Network
from smartcharging.planning.drafts import Draft
from smartcharging.planning.problems import outlet_of
from smartcharging.problem import STEP_A, Floats
from smartcharging.words import CarView, Step, Target

STEPS_MAX = 12
_ROUNDING = 1e-6


def targets_of(network: Network, draft: Draft, now: datetime, *, ahead_s: float, urgent: bool) -> list[Target]:
    """The targets of all cars of a plan, in its order.

    Args:
        network: Of the site.
        draft: A solved one.
        now: When stations are told; the plan may be a moment older.
        ahead_s: How far steps are told.
        urgent: It is an emergency.
    """
    allocation, cars = draft.allocation, draft.problem.cars
    plan = allocation.plan_a
    begins = np.concatenate(([0.0], np.cumsum(draft.problem.slot_s)[:-1]))
    told = begins[1 : STEPS_MAX + 1]
    later = told[told < ahead_s]
    found = []
    for place, view in enumerate(draft.views):
        steps = [Step(now, float(allocation.current_a[place]))]
        if plan is not None:
            steps += _steps(plan[place, 1 : len(later) + 1], later, float(cars.floor_a[place]), draft.situation.start)
        found.append(_target(network, view, _ascending(steps), float(cars.kw_per_a[place]), urgent=urgent))
    return found


def _steps(values: Floats, after_s: Floats, floor_a: float, start: datetime) -> list[Step]:
    """Steps to come: whole tenths, and nothing that is less than a car can take."""
    rounded = np.floor(values / STEP_A + _ROUNDING) * STEP_A
    rounded = np.where((rounded > 0) & (rounded < floor_a - _ROUNDING), 0.0, rounded)
    moments = (start + timedelta(seconds=float(after)) for after in after_s)
    return [Step(at, round(float(value), 1)) for at, value in zip(moments, rounded, strict=True)]


def _ascending(steps: list[Step]) -> tuple[Step, ...]:
    """Without steps that change nothing, and those that are over by now."""
    kept = steps[:1]
    for step in steps[1:]:
        if step.at > kept[0].at and abs(step.current_a - kept[-1].current_a) > STEP_A / 2:
            kept.append(step)
    return tuple(kept)


def _target(network: Network, view: CarView, steps: tuple[Step, ...], kw_per_a: float, *, urgent: bool) -> Target:
    gives = any(step.current_a < 0 for step in steps)
    return Target(
        node=view.node,
        station=view.station,
        evse=view.evse,
        steps=steps,
        transaction_id=view.transaction_id,
        phases=len(view.phases),
        kw_per_a=kw_per_a,
        dc=outlet_of(network, view.node).dc,
        mode=OperationMode.CENTRAL_SETPOINT if gives else None,
        urgent=urgent,
        conductors=view.phases if view.phases_known else (),
    )
