"""Earliest deadline first: who departs first charges first. A car whose departure is unknown comes last."""

import numpy as np

from smartcharging.allocators.in_turn import in_turn
from smartcharging.problem import Allocation, Problem


class EarliestDeadlineFirst:
    """By departure, then by arrival (`smartcharging.allocators.in_turn`)."""

    name = "edf"

    def allocate(self, problem: Problem) -> Allocation:
        """Shares out slot 0."""
        return in_turn(problem, np.lexsort((problem.cars.arrived_s, problem.cars.departs_s)))
