"""Which conductors a car uses, recognised from the current on each.

            believed                    seen in so many readings in a row       changes
    the outlet's, or as told (2.x)      fewer conductors: 3 within 20 s or more   bounded: `NARROWED_MAX` in all
    any                                 others or more conductors: 2              always: a phase that carries current
                                                                                  must not be left out of account
A reading counts only while the car charges: a car that is paused, that ramps up from nothing, or whose electronics draw
a little on other conductors says nothing of the phases it charges with.
"""

from collections.abc import Sequence
from datetime import datetime

CHARGES_A = 4.5
"""Below the 6 A at which a car charges at least, less what it and the meter are off."""
USES_A = 1.5
USES_SHARE = 0.3
"""A conductor is in use if it carries this, and this share of what the highest one carries."""
NARROW_READINGS = 3
NARROW_S = 20.0
WIDEN_READINGS = 2
NARROWED_MAX = 3
"""How often a transaction may be believed to use fewer conductors than before."""

Pattern = tuple[int, ...]


class PhaseMemory:
    """Of one transaction."""

    __slots__ = ("_candidate", "_count", "_narrowed", "_since", "_used", "known", "phases")

    def __init__(self, outlet_phases: int) -> None:
        """All the outlet's conductors, until more is known."""
        self.phases: Pattern = tuple(range(1, outlet_phases + 1))
        self.known = outlet_phases == 1
        """Seen by the meter, or told; otherwise assumed."""
        self._used: Pattern = self.phases
        self._candidate: Pattern = ()
        self._count = 0
        self._since: datetime | None = None
        self._narrowed = 0

    def told(self, count: int) -> None:
        """The station says how many are used (2.x numberOfPhasesUsed). What the meter shows comes before it."""
        if not self.known and 1 <= count <= len(self._used):
            self.phases = self._used[:count]
            self.known = True

    def see(self, per_phase_a: Sequence[float], at: datetime) -> None:
        """A reading of all conductors (`per_phase_a`, A) at a moment."""
        amps = [abs(value) for value in per_phase_a]
        highest = max(amps, default=0.0)
        if highest < CHARGES_A or len(self._used) == 1:
            self._candidate = ()
            return
        least = max(USES_A, USES_SHARE * highest)
        seen = tuple(conductor for conductor, value in enumerate(amps, 1) if value >= least)
        if seen == self.phases:
            self.known, self._candidate = True, ()
            return
        if seen != self._candidate or self._since is None or at < self._since:
            self._candidate, self._count, self._since = seen, 0, at
        self._count += 1
        self._consider(seen, (at - self._since).total_seconds())

    def _consider(self, seen: Pattern, for_s: float) -> None:
        if set(seen) <= set(self.phases):
            enough = self._count >= NARROW_READINGS and for_s >= NARROW_S and self._narrowed < NARROWED_MAX
            if not enough:
                return
            self._narrowed += 1
        elif self._count < WIDEN_READINGS:
            return
        elif self._narrowed >= NARROWED_MAX:
            seen = tuple(sorted({*seen, *self.phases}))  # it has changed often enough: all that was ever seen counts
        self.phases, self.known, self._candidate = seen, True, ()
