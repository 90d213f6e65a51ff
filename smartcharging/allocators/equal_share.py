"""Equal shares: each row parts what it has above the floors among its cars once, whatever they make of it.

As simple load balancing in site controllers. What a car cannot use stays unused: compare `max-min`.
"""

import numpy as np

from smartcharging.allocators.wants import start
from smartcharging.pausing import steps_down
from smartcharging.problem import Allocation, Cause, Problem


class EqualShare:
    """Floors first, then equal increments per row; a car gets the least of its rows'."""

    name = "equal-share"

    def allocate(self, problem: Problem) -> Allocation:
        """Shares out slot 0."""
        started = start(problem)
        entries = started.entries
        charges = started.cap > 0
        left = np.maximum(entries.limits - entries.carried(started.floor), 0.0)
        heads = entries.carried(charges.astype(np.float64))
        shares = left / np.where(heads > 0, heads, 1.0)
        share = np.full(len(charges), np.inf)
        np.minimum.at(share, entries.cars, shares[entries.rows])
        binding = np.full(len(charges), int(Cause.OWN_MAX), dtype=np.int64)
        first = shares[entries.rows] == share[entries.cars]
        binding[entries.cars[first]] = entries.numbers[entries.rows[first]]
        binding[started.floor + share >= started.cap] = int(Cause.OWN_MAX)
        rates = steps_down(np.minimum(started.floor + share, started.cap))
        return Allocation(
            current_a=np.maximum(rates, started.floor), binding=started.reasons(binding), facts=started.facts()
        )
