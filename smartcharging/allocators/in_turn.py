"""One car after the other, each as much as it can get: what the sorted algorithms of the literature share.

As the sorted scheduling of ACN-Sim (Lee, Sharma, Low, 2021), with floors kept: all get their floor first, those that
come first in the order where not all can, then in that order each gets as much as fits beside the others' shares.
"""

import numpy as np

from smartcharging.allocators.wants import start
from smartcharging.maxmin import Entries
from smartcharging.pausing import steps_down
from smartcharging.problem import Allocation, Floats, Ints, Problem


def in_turn(problem: Problem, order: Ints) -> Allocation:
    """Shares out slot 0.

    Args:
        problem: The site now.
        order: (n,) cars, the first first.
    """
    started = start(problem, order)
    entries = started.entries
    rates, binding = _serve(entries, started.floor, started.cap, order)
    return Allocation(current_a=rates, binding=started.reasons(binding), facts=started.facts())


def _serve(entries: Entries, floor: Floats, cap: Floats, order: Ints) -> tuple[Floats, Ints]:
    """Each in turn as much as its rows leave, in steps: rates and which row stopped it (-1: its cap)."""
    rates = cap.copy()
    binding = np.full(len(cap), -1, dtype=np.int64)
    left = entries.limits - entries.carried(floor)
    heads = np.searchsorted(entries.cars, np.arange(len(cap) + 1))
    for car in order.tolist():
        mine = slice(heads[car], heads[car + 1])
        rows, values = entries.rows[mine], entries.values[mine]
        if not len(rows):
            continue
        rises = left[rows] / values
        tightest = int(np.argmin(rises))
        if floor[car] + rises[tightest] < cap[car]:
            rates[car] = max(float(steps_down(floor[car] + rises[tightest])), float(floor[car]))
            binding[car] = entries.numbers[rows[tightest]]
        left[rows] -= values * (rates[car] - floor[car])
    return rates, binding
