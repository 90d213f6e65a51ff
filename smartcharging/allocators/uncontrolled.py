"""Uncontrolled: everybody gets all that car, cable and outlet take. The one allocator that looks at no limit.

For comparison. A planner must not put this on the wire as it is: `smartcharging.allocators.clipped` makes it fit.
"""

from smartcharging.allocators.wants import wants_of
from smartcharging.problem import Allocation, Problem


class Uncontrolled:
    """The most for all. `breaks_limits`: what it says is not kept within the rows."""

    name = "uncontrolled"
    breaks_limits = True

    def allocate(self, problem: Problem) -> Allocation:
        """Shares out slot 0."""
        wants = wants_of(problem)
        return Allocation(current_a=wants.cap, binding=wants.why, note="limits are not looked at")
