"""How likely a car is still there: what makes a kWh now worth more than one that is promised for later.

A departure that is told or forecast is a guess: in ACN-Data one driver in four leaves before the time that he gave, and
half of them stay far beyond. A plan that trusts it leaves energy for a last hour that never comes, or gives up a car
that stays all day. So a kWh planned for a slot counts with the probability that the car is still there: as the
forecaster knows it (`Cars.stays`), else by the departure and what is usual around it. As the plan is made anew every
few minutes, only the order that this gives to the cars matters, not the figures: known departures cost next to nothing
by it.

Where energy has its price by the hour, a car is as good as certain to be there until its departure (a cautious quantile
of the forecast): prices were told, that a car leaves early is feared, and the fear of a kWh at `unserved_price` would
keep every car from waiting for a cheap hour.
"""

import numpy as np

from smartcharging.problem import Cars, Floats

LEAVES_BEFORE = 0.1
"""Share of cars that are gone by their time, evenly spread over what was left until then."""
LEAVES_BEFORE_PRICED = 0.001
"""The same with prices: it breaks ties."""
CERTAIN = 0.7
"""With prices, what is at least as likely as this is certain; departures are forecast as quantiles of 0.3."""
STAYS_ON = 0.5
"""Share of the others that are still there right after it."""
TAIL_S = 3 * 3600.0
"""Mean of how long those stay."""
UNKNOWN_S = 4 * 3600.0
"""Mean of how long a car of which nothing is known stays: whatever its age, as an exponential distribution has it."""
SHORT_S = 900.0
LEAST = 1e-6
_POINTS = np.array([1 / 6, 1 / 2, 5 / 6])


def staying(cars: Cars, slot_s: Floats, *, priced: bool = False) -> Floats:
    """How likely cars that are here now are still here.

    Args:
        cars: Their `stays` where somebody knows, else `departs_s`; inf: unknown.
        slot_s: (t,) lengths of slots.
        priced: Energy does not cost the same at all times.

    Returns:
        (n, t) 0 to 1, never rising, on average over a slot; 1 in the first.
    """
    if cars.stays is not None and cars.stays.shape == (len(cars), len(slot_s)):
        return _told(np.nan_to_num(cars.stays, nan=0.0), priced=priced)
    begins = np.cumsum(slot_s) - slot_s
    moments = (begins[:, None] + slot_s[:, None] * _POINTS).ravel()
    found = _usual(cars, moments, LEAVES_BEFORE_PRICED if priced else LEAVES_BEFORE)
    mean = found.reshape(len(cars), len(slot_s), len(_POINTS)).mean(axis=2)
    likely: Floats = np.minimum(mean / mean[:, :1], 1.0)
    return likely


def _told(stays: Floats, *, priced: bool) -> Floats:
    falling = np.minimum.accumulate(np.clip(stays, 0.0, 1.0), axis=1)
    likely = np.minimum(falling / np.maximum(falling[:, :1], LEAST), 1.0)
    if not priced:
        return likely
    ties = 1.0 - LEAVES_BEFORE_PRICED * np.linspace(0.0, 1.0, stays.shape[1])
    certain: Floats = np.minimum(likely / CERTAIN, 1.0) * ties
    return certain


def _usual(cars: Cars, moments_s: Floats, leaves_before: float) -> Floats:
    departs_s = np.maximum(cars.departs_s, 0.0)
    known = np.isfinite(departs_s)
    until = np.where(known, departs_s, 0.0)[:, None]
    before = 1.0 - leaves_before * moments_s / np.maximum(until, SHORT_S)
    after = (1.0 - leaves_before) * STAYS_ON * np.exp(-np.maximum(moments_s - until, 0.0) / TAIL_S)
    unknown = np.exp(-moments_s / UNKNOWN_S)
    found: Floats = np.where(known[:, None], np.where(moments_s < until, before, after), unknown)
    return found
