"""What a horizon remembers of its last plan: how its cells ended, by car and slot, to begin the next one with.

A problem has no clock. How much time has passed is told by the cars: whoever was there before has been there longer by
just that. A car that took the place of another has not, so it is recognised, too.
"""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from smartcharging.problem import Cars, Floats, Ints

SAME_S = 1.0
"""Cars whose stays grew by the same time but for this are the same."""


class Passed(NamedTuple):
    """`elapsed_s`: since the other problem; None: no car tells. `place`: (n,) where a car was in it; -1: it is new."""

    elapsed_s: float | None
    place: Ints


def passed(before: Cars, now: Cars) -> Passed:
    """What became of the cars of an earlier problem."""
    there = {name: place for place, name in enumerate(before.ids)}
    place = np.array([there.get(name, -1) for name in now.ids], dtype=np.int64)
    known = np.flatnonzero(place >= 0)
    if not len(known):
        return Passed(None, place)
    longer = before.arrived_s[place[known]] - now.arrived_s[known]
    elapsed_s = float(longer.max())
    if not np.isfinite(elapsed_s) or elapsed_s < 0:
        return Passed(None, np.full(len(place), -1, dtype=np.int64))
    place[known[longer < elapsed_s - SAME_S]] = -1
    return Passed(elapsed_s, place)


def slot_at(slot_s: Floats, elapsed_s: float, count: int, new_slot_s: Floats) -> Ints:
    """(count,) which slot of an old plan the middle of each new slot falls into; -1: beyond its end."""
    middles = np.cumsum(new_slot_s[:count]) - new_slot_s[:count] / 2 + elapsed_s
    found = np.searchsorted(np.cumsum(slot_s), middles, side="right")
    return np.where(found < len(slot_s), found, -1)


class Remembered(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """How a plan ended.

    `draw`: (n, t) int8, status of each cell, -1 where there was none. `energy`: (n,) of the cars' energy rows.
    `tight`: (m, t) limits that were used up.
    """

    cars: Cars
    slot_s: Floats
    draw: NDArray[np.int8]
    energy: NDArray[np.int8]
    tight: NDArray[np.bool_]
