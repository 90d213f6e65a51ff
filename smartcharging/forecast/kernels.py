"""What a past stay says of a car that is here now: how much it counts, and what it would have been today.

Stays count by how near their arrival was on the clock, whether on the same kind of day, how long ago it was, and, where
the driver told something, how near that was to what was told then.
"""

from math import log

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.model.sites import DAY_S
from smartcharging.forecast.pools import Arrival, Column

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """How far a past stay may be away and still count.

    Found on Caltech's May and June 2019 (tests/benchmarks/forecast.py); half or twice as much makes little difference.
    `clock_s`, `claim`: standard deviations, of the arrival's time and of the claims' ratio (natural logarithm).
    `other_day`: what a weekend's stay counts for a weekday, and the reverse. `half_life_days`: how fast it fades.
    `unclaimed`: what a stay without a claim counts for a car with one. `follow`: how much of the difference between
    two claims is expected to be seen in the stays (0 to 1). `clock`: somebody who came an hour later than today's car
    would have stayed so many hours longer, had he come when it did.
    """

    clock_s: float = 4500.0
    other_day: float = 0.1
    half_life_days: float = 90.0
    claim: float = 0.25
    unclaimed: float = 0.1
    follow: float = 0.5
    clock: float = 0.4
    claim_kwh: float = 0.5
    follow_kwh: float = 0.7
    clock_kwh_s: float = 10800.0


def near(columns: Floats, arrival: Arrival, kernel: Kernel, clock_s: float) -> tuple[Floats, Floats]:
    """Exponents of the weights (k,), not above 0, and by how much later on the clock each arrived, s."""
    later_s = columns[Column.DAY_SECOND] - arrival.day_second
    later_s -= DAY_S * np.rint(later_s * (1.0 / DAY_S))
    age_days = np.maximum(arrival.day - columns[Column.DAY], 0.0)
    exponents = (later_s * later_s) * (-0.5 / clock_s**2)
    exponents -= (log(2.0) / kernel.half_life_days) * age_days
    exponents += np.abs(columns[Column.WEEKEND] - arrival.weekend) * log(kernel.other_day)
    return exponents, later_s


def stays(
    columns: Floats, arrival: Arrival, claimed_s: float | None, kernel: Kernel
) -> tuple[Floats, Floats, Flags | None]:
    """Stays (k,), s, as they would have been today, and what each counts; none was cut off."""
    exponents, later_s = near(columns, arrival, kernel, kernel.clock_s)
    values = columns[Column.STAY_S] + kernel.clock * later_s
    if claimed_s is not None:
        then_s = columns[Column.CLAIMED_S]
        told = ~np.isnan(then_s)
        apart = np.log(then_s * (1.0 / claimed_s))
        exponents += np.where(told, (apart * apart) * (-0.5 / kernel.claim**2), log(kernel.unclaimed))
        values += np.where(told, kernel.follow * (claimed_s - then_s), 0.0)
    return values, np.exp(exponents), None


def energies(
    columns: Floats, arrival: Arrival, claimed_kwh: float | None, kernel: Kernel
) -> tuple[Floats, Floats, Flags]:
    """Energies (k,), kWh, as they would have been today, what each counts, and whether it was cut off."""
    exponents, _ = near(columns, arrival, kernel, kernel.clock_kwh_s)
    values = columns[Column.ENERGY_KWH]
    if claimed_kwh is not None:
        then_kwh = columns[Column.CLAIMED_KWH]
        told = ~np.isnan(then_kwh)
        apart = np.where(told, np.log(claimed_kwh / then_kwh), 0.0)
        exponents += np.where(told, (apart * apart) * (-0.5 / kernel.claim_kwh**2), log(kernel.unclaimed))
        values = values * np.exp(kernel.follow_kwh * apart)
    known = ~np.isnan(values)
    cut = columns[Column.STILL_TAKING] > 0
    return np.where(known, values, 0.0), np.where(known, np.exp(exponents), 0.0), cut
