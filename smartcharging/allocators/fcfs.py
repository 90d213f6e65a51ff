"""First come, first served: who arrived first charges first."""

import numpy as np

from smartcharging.allocators.in_turn import in_turn
from smartcharging.problem import Allocation, Problem


class FirstComeFirstServed:
    """By arrival (`smartcharging.allocators.in_turn`)."""

    name = "fcfs"

    def allocate(self, problem: Problem) -> Allocation:
        """Shares out slot 0."""
        return in_turn(problem, np.argsort(problem.cars.arrived_s, kind="stable"))
