"""The allocator `narke`: the horizon's plan, and what stands in for it when the solver is late or fails.

    horizon     one linear program over the hours to come (`smartcharging.horizon`)
    shifted     its last plan, moved on to now; cars that came since get what the real-time layer gives them
    real_time   weighted max-min by urgency, for this moment alone (`smartcharging.allocators.max_min`)
    static      nothing: stations keep the share that they hold underneath

Each rung says in `layer` and `note` that it spoke, and why those above did not. Whatever comes out is looked at once
more: what a row cannot carry is taken from all that load it, by the same share.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec
import numpy as np

from engine.model.plans import Layer
from smartcharging.allocators.max_min import MaxMin, by_need
from smartcharging.horizon.allocator import Horizon
from smartcharging.horizon.memory import passed, slot_at
from smartcharging.horizon.solver import SolverLateError
from smartcharging.horizon.sound import sound
from smartcharging.problem import Allocation, Allocator, Cars, Cause, Floats, Problem
from smartcharging.rounding import fitted, is_within, round_down, settle

SHIFT_S_MAX = 3600.0
"""An older plan is not worth moving on: too much has changed."""
FAILURES = (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError, MemoryError)
"""What a rung may break with: highspy's errors, numpy's, and faults of ours."""


class Planner(Protocol):
    """Makes plans, or raises one of `FAILURES`."""

    def plan(self, problem: Problem) -> Allocation:
        """A plan for all slots."""


class _Plan(NamedTuple):
    """The last plan. `plan_a`: (n, t)."""

    cars: Cars
    slot_s: Floats
    plan_a: Floats


class Narke:
    """The default allocator. One object per site.

    Args:
        horizon: The first rung; None: `Horizon`.
        real_time: The third; None: max-min by urgency.
    """

    name = "narke"

    def __init__(self, horizon: Planner | None = None, real_time: Allocator | None = None) -> None:
        self._horizon = Horizon() if horizon is None else horizon
        self._real_time = MaxMin(by_need) if real_time is None else real_time
        self._last: _Plan | None = None

    def allocate(self, problem: Problem) -> Allocation:
        """Shares out slot 0. Never raises, never more than the limits."""
        mended, reasons = sound(problem)
        notes = list(reasons)
        rungs: tuple[tuple[str, Callable[[Problem], Allocation | None]], ...] = (
            ("horizon", self._planned),
            ("last plan", self._shifted),
            ("real-time layer", self._shared),
        )
        for name, rung in rungs:
            try:
                found = rung(mended)
                if found is not None:
                    return _checked(mended, found, notes)
            except SolverLateError as late:
                notes.append(f"{name} late: {late}")
            except FAILURES as error:
                notes.append(f"{name} failed: {type(error).__name__}: {error}")
        return _static(mended, notes)

    def _planned(self, problem: Problem) -> Allocation:
        found = self._horizon.plan(problem)
        if found.plan_a is not None:
            self._last = _Plan(problem.cars, problem.slot_s, found.plan_a)
        return found

    def _shifted(self, problem: Problem) -> Allocation | None:
        """None: there is no plan, or none that still counts."""
        last = self._last
        if last is None or not len(problem.cars):
            return None
        gone = passed(last.cars, problem.cars)
        if gone.elapsed_s is None or gone.elapsed_s > SHIFT_S_MAX:
            return None
        slot = slot_at(last.slot_s, gone.elapsed_s, problem.slots, problem.slot_s)
        known = gone.place >= 0
        shares = self._shared(problem).current_a
        plan = last.plan_a[gone.place][:, np.maximum(slot, 0)] * ((slot >= 0) & known[:, None])
        plan[~known] = _held(problem, shares)[~known]
        wanted = np.where(problem.cars.energy_kwh > 0, plan[:, 0], np.minimum(plan[:, 0], 0.0))
        settled = settle(problem, fitted(problem, wanted), np.maximum(wanted, 0.0))
        plan[:, 0] = settled.current_a
        note = f"the last plan, moved on by {gone.elapsed_s:.0f} s; {int((~known).sum())} cars came since"
        return Allocation(
            current_a=settled.current_a, binding=settled.binding, plan_a=plan, layer=Layer.SHIFTED, note=note
        )

    def _shared(self, problem: Problem) -> Allocation:
        return msgspec.structs.replace(self._real_time.allocate(problem), layer=Layer.REAL_TIME)


def _held(problem: Problem, current_a: Floats) -> Floats:
    """(n, t) currents held until a car has what it wants or leaves."""
    cars = problem.cars
    ends = np.cumsum(problem.slot_s)
    kwh = np.cumsum(cars.kw_per_a[:, None] * current_a[:, None] * problem.slot_s[None, :] / 3600.0, axis=1)
    before = np.concatenate((np.zeros((len(cars), 1)), kwh[:, :-1]), axis=1)
    there = (before < cars.energy_kwh[:, None]) & ((ends - problem.slot_s)[None, :] < cars.departs_s[:, None])
    return np.where(there, current_a[:, None], 0.0)


def _checked(problem: Problem, found: Allocation, notes: list[str]) -> Allocation:
    """The same, within all rows; with all notes."""
    if found.note:
        notes.append(found.note)
    if len(found.current_a) != len(problem.cars):
        raise ValueError(f"{len(found.current_a)} currents for {len(problem.cars)} cars")
    if not is_within(problem, found.current_a):
        notes.append("cut to the limits")
        cut = round_down(problem, found.current_a)
        plan = found.plan_a
        if plan is not None:
            plan = np.concatenate((cut[:, None], plan[:, 1:]), axis=1)
        found = msgspec.structs.replace(found, current_a=cut, plan_a=plan)
    return msgspec.structs.replace(found, layer=str(found.layer), note="; ".join(notes) or None)


def _static(problem: Problem, notes: list[str]) -> Allocation:
    nothing = np.zeros(len(problem.cars))
    return Allocation(
        current_a=nothing,
        binding=np.full(len(nothing), int(Cause.STATIC), dtype=np.int64),
        layer=Layer.STATIC,
        note="; ".join(notes) or None,
    )
