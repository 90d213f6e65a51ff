"""A distribution of something that only grows while one waits: how long a car stays, how much it takes.

Weighted samples, straight lines between them; beyond the last one an exponential tail. So there is always somebody
left: whatever was seen, a car may stay longer.
"""

from bisect import bisect_right
from math import exp, log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TAIL_SHARE = 0.01
"""Weight of the tail. It is what is left when all samples are passed."""
KNOTS_MAX = 96
"""A curve of more samples is thinned to so many points: nobody feels it, and thousands of curves fit in memory."""
_NOBODY = 1e-300
_EVENLY = np.linspace(0.0, 1.0, KNOTS_MAX)


class Curve:
    """How much of a quantity will have come in the end, given how much has come already.

    Made of samples; the arrays are the curve's own and are not written to.
    """

    __slots__ = ("_left", "_lefts", "_rising", "_tail", "_values")

    def __init__(self, values: Floats, weights: Floats, tail: float) -> None:
        """A curve.

        Args:
            values: (k,) samples, positive and ascending, at least one.
            weights: (k,) not negative, with a positive sum.
            tail: Mean of what is still to come for those beyond the last sample, in the values' unit, positive.
        """
        total = float(weights.sum())
        assert len(values) == len(weights) > 0
        assert total > 0
        assert tail > 0
        # A sample lies in the middle of its weight; the curve begins at 0, where all are there.
        passed = (np.cumsum(weights) - 0.5 * weights) * ((1.0 - TAIL_SHARE) / total)
        if len(values) > KNOTS_MAX:
            levels = passed[0] + _EVENLY * (passed[-1] - passed[0])
            values, passed = np.interp(levels, passed, values), levels
        rising: list[float] = [0.0, *values.tolist()]
        lefts: list[float] = [-1.0, *(passed - 1.0).tolist()]
        self._rising = rising
        self._lefts = lefts
        self._values = np.array(rising)
        self._left = -np.array(lefts)
        self._tail = tail

    def alive(self, already: float, ahead: Floats) -> Floats:
        """P(more than `already + ahead` in the end | more than `already`): `ahead` (k,) >= 0; (k,)."""
        before = max(self.left(already), _NOBODY)
        value = already + ahead
        inside = np.interp(value, self._values, self._left)
        beyond = self._left[-1] * np.exp(-np.maximum(value - self._values[-1], 0.0) / self._tail)
        found: Floats = np.minimum(np.where(value > self._values[-1], beyond, inside) / before, 1.0)
        return found

    def left(self, value: float) -> float:
        """P(more than `value` in the end)."""
        rising = self._rising
        if value <= 0.0:
            return 1.0
        if value >= rising[-1]:
            return -self._lefts[-1] * exp(-(value - rising[-1]) / self._tail)
        place = bisect_right(rising, value)
        low, high = rising[place - 1], rising[place]
        share = (value - low) / (high - low)
        return -(self._lefts[place - 1] * (1.0 - share) + self._lefts[place] * share)

    def quantile(self, share: float, already: float = 0.0) -> float:
        """So much in the end that `share` (0 to 1, exclusive) of those who are beyond `already` have no more."""
        left = max(self.left(already) * (1.0 - share), _NOBODY)
        lefts, rising = self._lefts, self._rising
        if -left >= lefts[-1]:
            return max(already, rising[-1] + self._tail * log(-lefts[-1] / left))
        place = bisect_right(lefts, -left)
        low, high = lefts[place - 1], lefts[place]
        part = (-left - low) / (high - low)
        return max(already, rising[place - 1] * (1.0 - part) + rising[place] * part)
