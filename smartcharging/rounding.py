"""From a plan's currents to limits that a car can follow: 0 or at least its floor, in steps of 0.1 A, within all rows.

Binaries stay out of the linear program: what it gives a car below its floor is decided here. Little is lost, for what
one car cannot use goes to the next; and little changes, for a car that charges already goes on first, and a limit that
would move by less than `STEADY_A` stays.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from smartcharging.pausing import floors_in_steps, steps_down
from smartcharging.problem import STEP_A, Cause, Floats, Ints, Problem

STEADY_A = 1.0
"""A smaller change is not worth a message."""
NOISE_A = 1e-6
OVER = 1e-8
"""What a row may be over by, as a share of its limit: the dust of sums."""
DUST = 1e-9
"""What is taken off a clipped current, as a share, to stay on the safe side of that; a step forgives twice as much."""
_CLIPS_MAX = 64
_PASSES_MAX = 8


def round_down(problem: Problem, current_a: Floats) -> Floats:
    """Currents as limits: never more than asked for, and within the rows whatever was asked for.

    What is over in a row is taken from all that load it, by the same share. NaN counts as 0. What is below the floor
    becomes 0. Discharging (negative) is cut to `discharge_a` and the exports, and makes no room for others.

    Args:
        problem: Slot 0 counts.
        current_a: (n,) A.

    Returns:
        (n,) with `rows.matrix @ result <= limits[:, 0]` for all rows that 0 keeps; where 0 does not, cars that load
        such a row get 0.
    """
    cars = problem.cars
    asked = np.nan_to_num(current_a, nan=0.0, posinf=np.inf, neginf=-np.inf)
    draws = _floored(np.clip(asked, 0.0, cars.max_a), cars.floor_a)
    gives = steps_down(np.clip(-asked, 0.0, cars.discharge_a))
    draws = _floored(_within(problem.rows.matrix, draws, problem.limits[:, 0]), cars.floor_a)
    if _over(problem.rows.matrix @ draws, problem.limits[:, 0]).any():
        draws = _emptied(problem.rows.matrix, draws, problem.limits[:, 0])
    if gives.any():
        gives = _floored(_within(problem.rows.matrix, gives, problem.exports[:, 0]), 0.0)
    return draws - gives


def fitted(problem: Problem, current_a: Floats) -> Floats:
    """(n,) currents, not rounded: within the rows of slot 0, by the same share less for all that load a row."""
    draws = _within(problem.rows.matrix, np.clip(current_a, 0.0, problem.cars.max_a), problem.limits[:, 0])
    return np.where(current_a < 0, np.maximum(current_a, -problem.cars.discharge_a), draws)


def is_within(problem: Problem, current_a: Floats) -> bool:
    """Whether limits are such as cars can follow and rows can carry: finite, 0 or at least the floor, nothing over."""
    cars = problem.cars
    if not np.isfinite(current_a).all():
        return False
    draws, gives = np.maximum(current_a, 0.0), np.maximum(-current_a, 0.0)
    below = (draws > 0) & (draws < cars.floor_a - NOISE_A)
    beyond = (draws > cars.max_a + NOISE_A) | (gives > cars.discharge_a + NOISE_A)
    matrix, limits = problem.rows.matrix, problem.limits[:, 0]
    over = _over(matrix @ draws, limits).any() or _over(matrix @ gives, problem.exports[:, 0]).any()
    return not (below.any() or beyond.any() or over)


class Settled(NamedTuple):
    """`current_a`: (n,). `binding`: (n,) what kept each from more, as in `Allocation`."""

    current_a: Floats
    binding: Ints


def settle(problem: Problem, wanted_a: Floats, highest_a: Floats) -> Settled:
    """Limits that come near a plan.

    Args:
        problem: Slot 0 counts.
        wanted_a: (n,) what the plan gives; within the rows but for noise. Negative: discharges.
        highest_a: (n,) up to where a car may have what others leave; at least `wanted_a` where the plan must be kept.
    """
    work = _Work(problem, np.maximum(wanted_a, 0.0), highest_a)
    work.keep()
    work.start()
    work.fill()
    current_a = work.current_a - steps_down(np.clip(-wanted_a, 0.0, problem.cars.discharge_a) + NOISE_A)
    safe = round_down(problem, np.round(current_a, 1) + 0.0)
    return Settled(safe, causes(problem, safe, wanted_a))


def causes(problem: Problem, current_a: Floats, wanted_a: Floats) -> Ints:
    """(n,) what kept each car from more: a row that has not even a step left, or a `Cause`."""
    cars = problem.cars
    left = np.maximum(problem.limits[:, 0] - problem.rows.matrix @ np.maximum(current_a, 0.0), 0.0)
    room, row = _rooms(csc_array(problem.rows.matrix), left)
    needs = np.where(current_a > 0, STEP_A, np.maximum(floors_in_steps(cars.floor_a), STEP_A))
    blocked = room < needs - NOISE_A
    found = np.where(blocked, row, int(Cause.ENOUGH))
    found = np.where(current_a >= steps_down(cars.max_a) - NOISE_A, int(Cause.OWN_MAX), found)
    shut_out = (current_a == 0) & (wanted_a > NOISE_A)
    return np.where(shut_out, int(Cause.PAUSED), found).astype(np.int64)


class _Work:
    """Limits on their way up, car by car, with what the rows have left."""

    def __init__(self, problem: Problem, wanted_a: Floats, highest_a: Floats) -> None:
        cars = problem.cars
        self._cars = cars
        self._floor = floors_in_steps(cars.floor_a)
        self._most = steps_down(cars.max_a)
        self._wanted = np.minimum(wanted_a, cars.max_a)
        highest = floors_in_steps(np.minimum(np.maximum(highest_a, self._wanted), cars.max_a))
        self._highest = np.minimum(np.where(highest > 0, np.maximum(highest, self._floor), 0.0), self._most)
        self._held = np.clip(steps_down(cars.current_a), 0.0, self._most)
        self.current_a = np.where(self._wanted + NOISE_A >= self._floor, steps_down(self._wanted + NOISE_A), 0.0)
        self.current_a = np.minimum(self.current_a, self._most)
        self._matrix = csc_array(problem.rows.matrix)
        self._left = problem.limits[:, 0] - problem.rows.matrix @ self.current_a

    def keep(self) -> None:
        """Who would move by little stays where it is: down at once if it is so, up if there is room."""
        near = (self._held >= self._floor) & (self._held > 0) & (self.current_a > 0)
        near &= (np.abs(self._held - self.current_a) < STEADY_A - NOISE_A) & (self._held <= self._highest + NOISE_A)
        falls = near & (self._held < self.current_a)
        self._left += self._matrix @ np.where(falls, self.current_a - self._held, 0.0)
        self.current_a[falls] = self._held[falls]
        self._raise(np.flatnonzero(near & (self._held > self.current_a)), self._held, whole=True)

    def start(self) -> None:
        """Who is planned for less than its floor gets the floor while there is room: who charges already, first."""
        small = np.flatnonzero((self.current_a == 0) & (self._wanted > NOISE_A) & (self._most >= self._floor))
        order = np.lexsort((-self._wanted[small] / np.maximum(self._floor[small], STEP_A), self._held[small] <= 0))
        self._raise(small[order], np.maximum(self._floor, STEP_A), whole=True)

    def fill(self) -> None:
        """What is left goes to those who may have more: first to those that lost by rounding or change anyway."""
        moves = np.abs(self.current_a - self._held) >= STEADY_A - NOISE_A
        open_ = np.flatnonzero(self._highest > self.current_a + NOISE_A)
        lost = np.maximum(self._wanted - self.current_a, 0.0)
        order = np.lexsort((-lost[open_], self.current_a[open_] == 0, ~moves[open_]))
        self._raise(open_[order], self._highest, whole=False)

    def _raise(self, cars: Iterable[int], target_a: Floats, *, whole: bool) -> None:
        """Raises cars one after the other, to a target or (not `whole`) as far as there is room."""
        matrix = self._matrix
        for car in cars:
            mine = slice(matrix.indptr[car], matrix.indptr[car + 1])
            rows, takes = matrix.indices[mine], matrix.data[mine]
            loads = takes > 0
            room = float(np.min(self._left[rows[loads]] / takes[loads], initial=np.inf))
            now = float(self.current_a[car])
            wish = float(target_a[car]) - now
            rise = wish if room >= wish - DUST else float(steps_down(np.array(max(room, 0.0))))
            if rise < wish and (whole or not self._worth_a_message(car, now, rise)):
                continue
            if rise <= 0:
                continue
            self.current_a[car] = now + rise
            self._left[rows] -= takes * rise

    def _worth_a_message(self, car: int, now: float, rise: float) -> bool:
        """Not below the floor; and who stands still is not moved by less than a message is worth."""
        if now + rise < self._floor[car] - NOISE_A:
            return False
        still = abs(now - self._held[car]) < NOISE_A
        return not still or rise >= STEADY_A - NOISE_A


def _floored(current_a: Floats, floor_a: Floats | float) -> Floats:
    steps = steps_down(current_a * (1 + 2 * DUST))
    return np.where(steps + NOISE_A >= floor_a, steps, 0.0)


def _over(load: Floats, limits: Floats) -> NDArray[np.bool_]:
    bounds = np.nan_to_num(limits, nan=0.0, posinf=np.inf)
    found: NDArray[np.bool_] = (load > bounds + OVER * np.maximum(np.abs(bounds), 1.0)) & (load > 0)
    return found


def _within(matrix: csr_array, current_a: Floats, limits: Floats) -> Floats:
    """Currents by the same share less on each row that is over: the worst first; of many, all at once."""
    found = current_a.copy()
    bounds = np.maximum(np.nan_to_num(limits, nan=0.0, posinf=np.inf), 0.0)
    for _ in range(_CLIPS_MAX):
        load = matrix @ found
        over = _over(load, bounds)
        if not over.any():
            break
        row = int(np.argmax(np.where(over, load / np.maximum(bounds, DUST), 0.0)))
        cells = slice(matrix.indptr[row], matrix.indptr[row + 1])
        cars, takes = matrix.indices[cells], matrix.data[cells]
        loads = takes > 0
        carried = float(takes[loads] @ found[cars[loads]])
        relief = carried - float(load[row])
        found[cars[loads]] *= max((bounds[row] + relief) / carried, 0.0) * (1 - DUST)
    else:
        found = _within_at_once(matrix, found, bounds)
    return found


def _within_at_once(matrix: csr_array, current_a: Floats, bounds: Floats) -> Floats:
    """Each car by the least share that a row of its leaves; once is enough where no row has negative entries."""
    found = current_a.copy()
    row, car = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices
    loads = matrix.data > 0
    for _ in range(_PASSES_MAX):
        load = matrix @ found
        over = _over(load, bounds)
        if not over.any():
            break
        share = np.where(over, bounds / np.maximum(load, DUST), 1.0)
        factor = np.ones(len(found))
        np.minimum.at(factor, car[loads], share[row[loads]])
        found *= np.where(factor < 1, factor * (1 - DUST), 1.0)
    return found


def _emptied(matrix: csr_array, current_a: Floats, limits: Floats) -> Floats:
    """The last resort, where sides of polygons pull each other: whoever loads a row that is still over gets 0."""
    found = current_a.copy()
    for _ in range(len(limits)):
        over = _over(matrix @ found, limits)
        if not over.any():
            break
        found[((matrix[np.flatnonzero(over)] > 0).sum(axis=0) > 0)] = 0.0
    return found


def _rooms(matrix: csc_array, left: Floats) -> tuple[Floats, Ints]:
    """(n,) by how much each car could rise alone, A, and the row that ends it (-2: none)."""
    count = matrix.shape[1]
    room, row = np.full(count, np.inf), np.full(count, int(Cause.ENOUGH), dtype=np.int64)
    column = np.repeat(np.arange(count), np.diff(matrix.indptr))
    loads = matrix.data > 0
    each = left[matrix.indices[loads]] / matrix.data[loads]
    order = np.lexsort((each, column[loads]))
    first = order[np.concatenate(([True], np.diff(column[loads][order]) > 0))] if len(order) else order
    room[column[loads][first]] = each[first]
    row[column[loads][first]] = matrix.indices[loads][first]
    return room, row
