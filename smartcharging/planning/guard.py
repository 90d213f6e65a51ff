"""Whatever an allocator answered: within the limits, or repaired until it is, by the real-time layer if need be.

The limits of a site are not an allocator's to break, be it ours or a third party's. What is repaired is said.
"""

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from smartcharging.allocators import clipped
from smartcharging.problem import STEP_A, Allocation, Allocator, Cause, Floats, Problem

TOLERANCE = 1e-6
_SHARE = 1e-9


class Guarded(NamedTuple):
    """An allocation that keeps the limits now. `repaired`: what was wrong with the answer; None: nothing."""

    allocation: Allocation
    repaired: str | None


def guarded(problem: Problem, allocator: Allocator, spare: Allocator) -> Guarded:
    """The allocator's answer, or the spare one's where it cannot be used. Never raises for what an allocator does.

    Args:
        problem: The site now.
        allocator: Whom the operator chose.
        spare: The real-time layer.
    """
    try:
        allocation = allocator.allocate(problem)
    except Exception as error:  # noqa: BLE001 (a third party's; the site goes on being kept within its limits)
        return Guarded(_spared(problem, spare), f"{allocator.name} failed: {error!r:.200}")
    wrong = fault_of(problem, allocation)
    if wrong is None:
        return Guarded(allocation, None)
    if not _is_sound(problem, allocation):
        return Guarded(_spared(problem, spare), f"{allocator.name}: {wrong}")
    cut = clipped(problem, allocation)
    if fault_of(problem, cut) is not None:
        return Guarded(nothing(problem), f"{allocator.name}: {wrong}")
    return Guarded(replace(cut, plan_a=None, note=f"cut down: {wrong}"), f"{allocator.name}: {wrong}")


def _spared(problem: Problem, spare: Allocator) -> Allocation:
    allocation = spare.allocate(problem)
    return allocation if fault_of(problem, allocation) is None else nothing(problem)


def nothing(problem: Problem) -> Allocation:
    """Everybody gets 0."""
    n = len(problem.cars)
    return Allocation(
        current_a=np.zeros(n), binding=np.full(n, int(Cause.PAUSED), dtype=np.int64), layer="static", note="all paused"
    )


def fault_of(problem: Problem, allocation: Allocation) -> str | None:
    """What is wrong with an allocation, now; None: nothing."""
    current = allocation.current_a
    if not _is_sound(problem, allocation):
        return f"{np.shape(current)} currents for {len(problem.cars)} cars, or not all of them numbers"
    cars = problem.cars
    too_much = np.flatnonzero(current > cars.max_a + STEP_A / 2)
    if len(too_much):
        car = int(too_much[0])
        return f"{cars.ids[car]} got {current[car]:.1f} A and takes {cars.max_a[car]:.1f} A"
    too_little = np.flatnonzero((current > TOLERANCE) & (current < cars.floor_a - TOLERANCE))
    if len(too_little):
        car = int(too_little[0])
        return f"{cars.ids[car]} got {current[car]:.1f} A, less than its least {cars.floor_a[car]:.1f} A"
    return _broken_row(problem, current)


def _broken_row(problem: Problem, current: Floats) -> str | None:
    """The row that is exceeded most; one that others exceed already bears nothing more, but is not the cars' fault."""
    load = problem.rows.matrix @ current
    limits = problem.limits[:, 0]
    allowed = np.maximum(limits, 0.0)
    over = np.where(np.isfinite(limits), load - allowed - TOLERANCE - _SHARE * np.abs(allowed), -np.inf)
    if not len(over) or over.max() <= 0:
        return _broken_below(problem, load)
    row = int(over.argmax())
    name, unit = problem.rows.names[row], problem.rows.units[row]
    return f"{name} would carry {load[row]:.2f} of {limits[row]:.2f} {unit}"


def _broken_below(problem: Problem, load: Floats) -> str | None:
    """What would flow up beyond what may."""
    under = -load - problem.exports[:, 0] - TOLERANCE
    # Of rows that look aside (polygons), and of cars that only draw, nothing flows up.
    if not len(under) or under.max() <= 0 or not (problem.cars.discharge_a > 0).any():
        return None
    row = int(under.argmax())
    return f"{problem.rows.names[row]} would feed {-load[row]:.2f} {problem.rows.units[row]}"


def _is_sound(problem: Problem, allocation: Allocation) -> bool:
    n = len(problem.cars)
    return (
        allocation.current_a.shape == (n,)
        and allocation.binding.shape == (n,)
        and bool(np.isfinite(allocation.current_a).all())
    )
