"""Limits over time: step functions, and the grid of slots on which all stations' are compared.

Times are seconds since 1970. A slot's value is the most anywhere within it and `clock_s` around it, because a station's
clock may be off by so much; what is sent has its decreases so much earlier and its increases so much later, so that on
the grid it comes to what was wanted.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np

from smartcharging.words import INF, Floats

QUARTER_S = 900
HOUR_S = 3600
FAR_S = 26 * HOUR_S
TAIL_S = 8 * 24 * HOUR_S
"""Longer than a week: the last slot sees what every day of the week brings."""
STEP_A = 0.1
ROUNDING = 1e-6


class Grid(msgspec.Struct, frozen=True, eq=False):
    """Slots from `start` on: quarters of an hour for a while, then hours, then all the rest.

    `edges_s`: (t + 1,) seconds since 1970. `slot_s`: (t,).
    """

    start: datetime
    edges_s: Floats
    slot_s: Floats

    def __len__(self) -> int:
        return len(self.slot_s)

    def holds(self, now: datetime) -> bool:
        """Whether now is in the first slot."""
        return bool(self.edges_s[0] <= now.timestamp() < self.edges_s[1])

    def until(self, at_s: float) -> int:
        """How many slots begin before that time."""
        return int(np.searchsorted(self.edges_s[:-1], at_s, side="left"))


def grid_at(now: datetime, fine_s: float) -> Grid:
    """The grid at a moment.

    Args:
        now: Begin of the first slot.
        fine_s: For how long quarters of an hour are told apart.
    """
    begin_s = now.timestamp()
    edges = [begin_s]
    edge = (math.floor(begin_s / QUARTER_S) + 1) * QUARTER_S
    while edge < begin_s + fine_s:
        edges.append(edge)
        edge += QUARTER_S
    edges.append(edge)
    edge = (math.floor(edge / HOUR_S) + 1) * HOUR_S
    while edge <= begin_s + max(FAR_S, fine_s + HOUR_S):
        edges.append(edge)
        edge += HOUR_S
    edges.append(edges[-1] + TAIL_S)
    edges_s = np.asarray(edges, dtype=np.float64)
    return Grid(now, edges_s, np.diff(edges_s))


class Steps(NamedTuple):
    """A step function: `values[k]` from `times_s[k]` on; before the first its value, too. Times ascend strictly."""

    times_s: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, at_s: float) -> float:
        """The value at a moment."""
        value = self.values[0]
        for time_s, following in zip(self.times_s, self.values, strict=True):
            if time_s > at_s:
                break
            value = following
        return value

    def highest(self, grid: Grid, clock_s: float) -> Floats:
        """(t,) the most in each slot, and within `clock_s` around it."""
        if len(self.values) == 1:
            return np.full(len(grid), self.values[0])
        times = np.asarray(self.times_s)
        values = np.asarray(self.values)
        firsts = np.maximum(np.searchsorted(times, grid.edges_s[:-1] - clock_s, side="right") - 1, 0)
        ends = np.maximum(np.searchsorted(times, grid.edges_s[1:] + clock_s, side="left"), firsts + 1)
        steps = np.arange(len(values))
        touched = (steps >= firsts[:, None]) & (steps < ends[:, None])
        return np.asarray(np.where(touched, values, -np.inf).max(axis=1))

    def scaled(self, factor: float) -> "Steps":
        """Each value times that."""
        return Steps(self.times_s, tuple(value * factor for value in self.values))


UNKNOWN = Steps((0.0,), (INF,))
"""Of a station that never said what it holds."""
NOTHING = Steps((0.0,), (0.0,))


def constant(value: float) -> Steps:
    """The same for ever."""
    return Steps((0.0,), (value,))


def highest_of(steps: Sequence[Steps]) -> Steps:
    """The most of several at each time."""
    if len(steps) == 1:
        return steps[0]
    times = sorted({time_s for each in steps for time_s in each.times_s})
    return simplified([(time_s, max(each.at(time_s) for each in steps)) for time_s in times])


def simplified(pairs: Sequence[tuple[float, float]]) -> Steps:
    """Steps from (time, value), without those that change nothing."""
    kept: list[tuple[float, float]] = []
    for time_s, value in pairs:
        if kept and kept[-1][1] == value:
            continue
        kept.append((time_s, value))
    return Steps(tuple(time_s for time_s, _ in kept), tuple(value for _, value in kept))


def rounded_down(value: float, step: float = STEP_A) -> float:
    """The next lower multiple of a step; what is one but for rounding stays."""
    return math.floor(value / step + ROUNDING) * step if math.isfinite(value) else value


def eroded(grid: Grid, wanted: Floats, now_s: float, clock_s: float) -> Steps:
    """Steps that never exceed what is wanted, whatever a clock that is off by up to `clock_s` makes of them.

    Args:
        grid: Of `wanted`.
        wanted: (t,) A.
        now_s: Nothing before it is told.
        clock_s: How much a clock may be off.
    """
    changes = np.flatnonzero(np.diff(wanted)) + 1
    edges = [float(grid.edges_s[k]) for k in changes]
    values = [float(wanted[0]), *(float(wanted[k]) for k in changes)]
    if not edges:
        return constant(values[0])
    times = sorted({now_s, *(edge + shift for edge in edges for shift in (-clock_s, clock_s) if edge + shift > now_s)})
    pairs = [(time_s, _lowest_around(edges, values, time_s, clock_s)) for time_s in times]
    return simplified(pairs)


def _lowest_around(edges: list[float], values: list[float], at_s: float, clock_s: float) -> float:
    """The least of the pieces that begin up to `clock_s` after a time, and end later than `clock_s` before it."""
    last = len(values) - 1
    touched = [
        value
        for k, value in enumerate(values)
        if (k == 0 or edges[k - 1] <= at_s + clock_s) and (k == last or edges[k] > at_s - clock_s)
    ]
    return min(touched)


def merged(steps: Steps, count: int, now_s: float) -> Steps:
    """At most so many steps: neighbours are joined, the lower value counts, the least energy is lost."""
    times, values = list(steps.times_s), list(steps.values)
    while len(values) > count:
        ends = [*times[1:], times[-1] + 24 * HOUR_S]
        starts = [max(time_s, now_s) for time_s in times]
        costs = []
        for k in range(len(values) - 1):
            loser = k if values[k] > values[k + 1] else k + 1
            costs.append((abs(values[k] - values[k + 1]) * max(0.0, ends[loser] - starts[loser]), k))
        _, k = min(costs)
        values[k] = min(values[k], values[k + 1])
        del times[k + 1], values[k + 1]
    return simplified(list(zip(times, values, strict=True)))


def moment(at_s: float) -> datetime:
    """A time from seconds since 1970."""
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=at_s)
