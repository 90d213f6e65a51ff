"""A distribution of something that only grows while one waits: how long a car stays, how much it takes.

Weighted samples, straight lines between them; beyond the last one an exponential tail. So there is always somebody
left: whatever was seen, a car may stay longer. Of a sample that was cut off (a car that left while it wanted more) only
that it is at least so much is known; its weight counts for what is beyond (Kaplan and Meier, 1958).
"""

from array import array
from bisect import bisect_right
from math import exp, log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TAIL_SHARE = 0.01
"""Weight of the tail. It is what is left when all samples are passed."""
KNOTS_MAX = 96
"""A curve of more samples is thinned to so many points: nobody feels it, and thousands of curves fit in memory."""
_APART = 1e-7
"""Equal samples are put so far apart: a curve falls, it does not jump."""
_POINTS = np.array([1 / 6, 1 / 2, 5 / 6])
_EVENLY = np.linspace(0.0, 1.0, KNOTS_MAX)


class Curve:
    """How much of a quantity will have come in the end, given how much has come already.

    Made of samples. Some thousands of curves are kept, so their numbers lie in plain arrays.
    """

    __slots__ = ("_falling", "_rising", "_tail")

    def __init__(self, values: Floats, weights: Floats, tail: float, cut: Flags | None = None) -> None:
        """A curve.

        Args:
            values: (k,) samples, positive and ascending, at least one.
            weights: (k,) not negative, with a positive sum.
            tail: Mean of what is still to come for those beyond the last sample, in the values' unit, positive.
            cut: (k,) samples that were cut off; None: none was.
        """
        total = float(weights.sum())
        assert len(values) == len(weights) > 0
        assert total > 0
        assert tail > 0
        # A sample lies in the middle of its weight; the curve begins at 0, where all are there.
        passed = (np.cumsum(weights) - 0.5 * weights) / total if cut is None else _passed(weights, cut)
        passed = passed * (1.0 - TAIL_SHARE)
        if len(values) > KNOTS_MAX:
            levels = passed[0] + _EVENLY * (passed[-1] - passed[0])
            values, passed = np.interp(levels, passed, values), levels
        values = values + _APART * np.arange(len(values))
        self._rising = array("d", [0.0])
        self._rising.frombytes(values.tobytes())
        self._falling = array("d", [-1.0])  # what is left, negative: so that it ascends
        self._falling.frombytes((passed - 1.0).tobytes())
        self._tail = tail

    def alive(self, already: float, ahead: Floats) -> Floats:
        """P(more than `already + ahead` in the end | more than `already`): `ahead` (k,) >= 0; (k,)."""
        if already >= self._rising[-1]:
            return np.exp(-ahead / self._tail)
        value, last = already + ahead, self._rising[-1]
        inside = -np.interp(value, self._rising, self._falling)
        beyond = -self._falling[-1] * np.exp(-np.maximum(value - last, 0.0) / self._tail)
        found: Floats = np.minimum(np.where(value > last, beyond, inside) / self.left(already), 1.0)
        return found

    def staying(self, already: float, slot_s: Floats) -> Floats:
        """P(still here | here now), on average over each slot; for curves of seconds.

        Args:
            already: How long it has been here, s.
            slot_s: (t,) how long each slot lasts; slot 0 begins now.

        Returns:
            (t,), 0 to 1, never rising.
        """
        begins = np.cumsum(slot_s) - slot_s
        moments = begins[:, None] + slot_s[:, None] * _POINTS
        found: Floats = self.alive(already, moments.ravel()).reshape(moments.shape).mean(axis=1)
        return found

    def left(self, value: float) -> float:
        """P(more than `value` in the end)."""
        rising = self._rising
        if value <= 0.0:
            return 1.0
        if value >= rising[-1]:
            return -self._falling[-1] * exp(-(value - rising[-1]) / self._tail)
        place = bisect_right(rising, value)
        low, high = rising[place - 1], rising[place]
        share = (value - low) / (high - low)
        return -(self._falling[place - 1] * (1.0 - share) + self._falling[place] * share)

    def quantile(self, share: float, already: float = 0.0) -> float:
        """So much in the end that `share` (0 to 1, exclusive) of those who are beyond `already` have no more."""
        falling, rising = self._falling, self._rising
        if already >= rising[-1]:
            return already - self._tail * log(1.0 - share)
        left = self.left(already) * (1.0 - share)
        if -left >= falling[-1]:
            return max(already, rising[-1] + self._tail * log(-falling[-1] / left))
        place = bisect_right(falling, -left)
        low, high = falling[place - 1], falling[place]
        part = (-left - low) / (high - low)
        return max(already, rising[place - 1] * (1.0 - part) + rising[place] * part)


def _passed(weights: Floats, cut: Flags) -> Floats:
    """(k,) share that is below the middle of each sample, some of which were cut off."""
    still = np.cumsum(weights[::-1])[::-1]
    after = np.cumprod(1.0 - np.where(cut, 0.0, np.minimum(weights / still, 1.0)))
    before = np.concatenate(([1.0], after[:-1]))
    found: Floats = 1.0 - 0.5 * (before + after)
    return found
