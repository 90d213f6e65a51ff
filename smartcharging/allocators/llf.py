"""Least laxity first: who can wait least before it must charge at its most charges first."""

import numpy as np

from smartcharging.allocators.in_turn import in_turn
from smartcharging.allocators.wants import HOUR_S
from smartcharging.problem import Allocation, Floats, Problem


class LeastLaxityFirst:
    """By laxity, then by arrival (`smartcharging.allocators.in_turn`)."""

    name = "llf"

    def allocate(self, problem: Problem) -> Allocation:
        """Shares out slot 0."""
        return in_turn(problem, np.lexsort((problem.cars.arrived_s, laxity_s(problem))))


def laxity_s(problem: Problem) -> Floats:
    """(n,) time to departure less the time that charging at its most takes; negative: it cannot be done any more.

    Departure unknown: inf. Energy unknown: all the time until the departure, so 0.
    """
    cars = problem.cars
    most_kw = np.maximum(cars.kw_per_a * cars.max_a, 1e-9)
    known = np.isfinite(cars.energy_kwh)
    charging_s = np.where(known, np.where(known, cars.energy_kwh, 0.0) / most_kw * HOUR_S, cars.departs_s)
    timed = np.isfinite(cars.departs_s)
    laxity: Floats = np.where(timed, np.where(timed, cars.departs_s, 0.0) - np.where(timed, charging_s, 0.0), np.inf)
    return laxity
