"""Weighted max-min: the real-time layer. Nobody can get more without somebody who has less, by weight, losing."""

from collections.abc import Callable

import numpy as np

from smartcharging.allocators.wants import HOUR_S, start
from smartcharging.maxmin import fill_entries
from smartcharging.pausing import in_steps
from smartcharging.problem import Allocation, Floats, Problem

Weigh = Callable[[Problem], Floats]
"""(n,) weights above 0."""

URGENCY_MIN = 0.05
URGENCY_MAX = 5.0


class MaxMin:
    """Floors first (`smartcharging.pausing`), then what is left by weighted max-min, in steps of 0.1 A.

    Args:
        weigh: Weights; None: those of the cars. `by_need` is one.
    """

    name = "max-min"

    def __init__(self, weigh: Weigh | None = None) -> None:
        self._weigh = weigh

    def allocate(self, problem: Problem) -> Allocation:
        """Shares out slot 0."""
        started = start(problem)
        weight = problem.cars.weight if self._weigh is None else self._weigh(problem)
        rates, binding = fill_entries(started.entries, started.floor, started.cap, weight)
        current_a = in_steps(started.entries, rates, started.cap)
        return Allocation(
            current_a=current_a, binding=started.reasons(binding), layer="real_time", facts=started.facts()
        )


def by_need(problem: Problem) -> Floats:
    """Weights by urgency: the part of the time left that a car would have to charge at its most, by its weight.

    A car whose energy or departure is unknown weighs as the median of the others, or as one that needs half its time.

    Returns:
        (n,) within 0.05 to 5 times the car's weight.
    """
    cars = problem.cars
    most_kw = np.maximum(cars.kw_per_a * cars.max_a, 1e-9)
    with np.errstate(invalid="ignore"):
        urgency = cars.energy_kwh / most_kw / np.maximum(cars.departs_s / HOUR_S, 1e-3)
    known = np.isfinite(cars.energy_kwh) & np.isfinite(cars.departs_s)
    usual = float(np.median(urgency[known])) if known.any() else 0.5
    factor = np.clip(np.where(known, urgency, usual), URGENCY_MIN, URGENCY_MAX)
    weight: Floats = cars.weight * factor
    return weight
