"""How likely a car is still there: what makes a kWh now worth more than one that is promised for later.

A departure that is told or forecast is a guess: in ACN-Data one driver in four leaves before the time that he gave, and
half of them stay far beyond. A plan that trusts it leaves energy for a last hour that never comes, or gives up a car
that stays all day. So a kWh planned for a slot counts with the probability that the car is still there. As the plan is
made anew every few minutes, only the order that this gives to the cars matters, not the figures: known departures cost
nothing of note by it (docs/allocators.md has the measurements).
"""

import numpy as np

from smartcharging.problem import Cars, Floats

LEAVES_BEFORE = 0.1
"""Share of cars that are gone by their time, evenly spread over what was left until then."""
LEAVES_BEFORE_PRICED = 0.001
"""The same where energy has its cheap hours: then it only breaks ties, or no car would ever wait for them. Prices were
told; that a car leaves early is feared."""
STAYS_ON = 0.5
"""Share of the others that are still there right after it."""
TAIL_S = 3 * 3600.0
"""Mean of how long those stay."""
UNKNOWN_S = 4 * 3600.0
"""Mean of how long a car of which nothing is known stays: whatever its age, as an exponential distribution has it."""
SHORT_S = 900.0
_POINTS = np.array([1 / 6, 1 / 2, 5 / 6])


def staying(cars: Cars, slot_s: Floats, leaves_before: float = LEAVES_BEFORE) -> Floats:
    """How likely cars that are here now are still here.

    Args:
        cars: Of whom only the departures count; inf: unknown.
        slot_s: (t,) lengths of slots.
        leaves_before: Share of those that are gone by their time.

    Returns:
        (n, t) 0 to 1, never rising, on average over a slot; 1 in the first.
    """
    begins = np.cumsum(slot_s) - slot_s
    moments = begins[:, None] + slot_s[:, None] * _POINTS
    found = _at(cars, moments.ravel(), leaves_before).reshape(len(cars), len(slot_s), len(_POINTS)).mean(axis=2)
    likely: Floats = np.minimum(found / found[:, :1], 1.0)
    return likely


def _at(cars: Cars, moments_s: Floats, leaves_before: float) -> Floats:
    departs_s = np.maximum(cars.departs_s, 0.0)
    known = np.isfinite(departs_s)
    until = np.where(known, departs_s, 0.0)[:, None]
    before = 1.0 - leaves_before * moments_s / np.maximum(until, SHORT_S)
    after = (1.0 - leaves_before) * STAYS_ON * np.exp(-np.maximum(moments_s - until, 0.0) / TAIL_S)
    unknown = np.exp(-moments_s / UNKNOWN_S)
    found: Floats = np.where(known[:, None], np.where(moments_s < until, before, after), unknown)
    return found
