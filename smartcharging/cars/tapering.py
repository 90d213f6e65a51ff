"""Whether a car draws clearly less than it may, for a while: then only what it draws, and some headroom, is planned.

    draws clearly less for `AFTER_S`, by at least `READINGS` readings     it tapers: headroom over what it draws
    draws nearly all that it was left                                     it wants more: all of it again, and the
                                                                          next time it must taper for longer

Cars ramp back within seconds; the limit that was sent keeps them within what was planned, and one that pushes against
it has it lifted. So that a car which swings is not followed for ever, each return doubles the time to taper.
"""

from datetime import datetime
from math import inf

CLEARLY_A = 1.0
CLEARLY_SHARE = 0.1
"""It draws clearly less if it is this much and this share below what it may."""
HEADROOM_A = 2.0
HEADROOM_SHARE = 0.1
PUSHES_A = 0.4
"""This near to its limit it takes all that it is given."""
AFTER_S = 90.0
READINGS = 3
RETURNS_MAX = 5
"""So often the time doubles; after that a car does not taper any more in this transaction."""


class TaperMemory:
    """Of one transaction."""

    __slots__ = ("_allowed_a", "_count", "_peak_a", "_returns", "_since", "limit_a")

    def __init__(self) -> None:
        """It draws what it may, until it is seen not to."""
        self.limit_a = inf
        """What to plan with at most, A; inf: it does not taper."""
        self._allowed_a = inf
        self._since: datetime | None = None
        self._count = 0
        self._peak_a = 0.0
        self._returns = 0

    @property
    def tapers(self) -> bool:
        """Whether less is planned for it than it may have."""
        return self.limit_a < inf

    def allow(self, current_a: float) -> None:
        """What the car may draw from now on. More than before: it gets time to follow."""
        if current_a > self._allowed_a + PUSHES_A and not (self.tapers and current_a <= self.limit_a + PUSHES_A):
            self._forget()
        self._allowed_a = current_a

    def see(self, current_a: float, floor_a: float, at: datetime) -> None:
        """What it draws: the highest conductor, A. `floor_a`: it is never planned with less."""
        allowed_a = self._allowed_a
        if allowed_a == inf or allowed_a < floor_a:
            self._forget()  # it may not charge, or nobody knows what it may: that it draws little says nothing
            return
        if self.tapers and current_a >= min(self.limit_a, allowed_a) - PUSHES_A:
            self.limit_a = inf
            self._returns += 1
            self._forget()
            return
        if current_a > allowed_a - max(CLEARLY_A, CLEARLY_SHARE * allowed_a):
            self._forget()
            return
        if self._since is None or at < self._since:
            self._since, self._count, self._peak_a = at, 0, 0.0
        self._count += 1
        self._peak_a = max(self._peak_a, current_a)
        after_s = AFTER_S * 2.0**self._returns
        if self._returns < RETURNS_MAX and self._count >= READINGS and (at - self._since).total_seconds() >= after_s:
            wanted_a = self._peak_a + max(HEADROOM_A, HEADROOM_SHARE * self._peak_a)
            self.limit_a = max(floor_a, wanted_a)
            self._since, self._count, self._peak_a = at, 1, current_a  # the next look is at what came since

    def _forget(self) -> None:
        self._since, self._count, self._peak_a = None, 0, 0.0
