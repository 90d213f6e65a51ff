"""Weighted max-min shares under limits of a tree: progressive filling, many cars at a time.

Every car starts at its floor and rises with its weight until it has its cap or a row it loads is full. In each round
each row tells the level at which it would be full, each car's level is the least of its rows', and all cars freeze that
have their cap by then, or stand on a row on which nobody stays below the row's level. What the others give back only
lifts levels, so nothing frozen is ever looked at again. 3 to 13 rounds, however many cars.

The answer proves itself: every car is at its cap, or on a full row on which nobody has a higher level, where the level
is what a car has above its floor, by its weight (Bertsekas and Gallager, Data Networks, 6.5.2).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from smartcharging.problem import Cause, Floats, Ints

MARGIN = 1e-12
"""Part of a limit that stays free, so that sums in any order stay within it."""
TIE = 1e-12
"""Levels that differ by less, relatively, are one."""


class Entries(NamedTuple):
    """The rows that may fill up, by car: an entry for each row that a car loads, car after car.

    `rows`, `cars`: (e,) which they join; rows are numbered anew. `values`: (e,) above 0. `limits`: (k,) of the rows.
    `numbers`: (k,) what they were called before. `car_count`: n.
    """

    rows: Ints
    cars: Ints
    values: Floats
    limits: Floats
    numbers: Ints
    car_count: int

    def carried(self, current_a: Floats) -> Floats:
        """(k,) what the rows carry."""
        weights = self.values * current_a[self.cars]
        found: Floats = np.bincount(self.rows, weights=weights, minlength=len(self.limits)).astype(
            np.float64, copy=False
        )
        return found


def entries_of(matrix: csr_array, limits: Floats, highest: Floats) -> Entries:
    """The rows that are not already kept by everybody having the most that they may.

    A negative coefficient, which a car that draws would relieve a row by, counts as nothing: none may rely on it.

    Args:
        matrix: (m, n) CSR.
        limits: (m,) of its rows; inf: none.
        highest: (n,) the most that each car may have.
    """
    values = matrix.data
    if len(values) and values.min() < 0:
        matrix = csr_array((np.maximum(values, 0.0), matrix.indices, matrix.indptr), shape=matrix.shape)
    full = matrix @ highest
    numbers = np.flatnonzero(full > limits * np.where(limits > 0, 1 - MARGIN, 1 + MARGIN))
    columns = matrix[numbers].tocsc()
    count = matrix.shape[1]
    cars = np.repeat(np.arange(count), np.diff(columns.indptr))
    rows = columns.indices.astype(np.int64)
    kept = columns.data > 0
    if kept.all():
        return Entries(rows, cars, columns.data, limits[numbers], numbers, count)
    return Entries(rows[kept], cars[kept], columns.data[kept], limits[numbers], numbers, count)


def fill(matrix: csr_array, limits: Floats, floor: Floats, cap: Floats, weight: Floats) -> tuple[Floats, Ints]:
    """Shares out what rows leave above the floors.

    Args:
        matrix: (m, n) CSR, what a row carries per A of a car.
        limits: (m,) of its rows; inf: none.
        floor: (n,) what each gets at least. Where floors do not fit in a row (`smartcharging.pausing` decides who may
            have one), those on it get them and no more: the row is over by what the floors are over.
        cap: (n,) the most that each may have; one below the floor counts as the floor.
        weight: (n,) above 0: how fast each rises.

    Returns:
        `(rates, binding)`: (n,) what each gets, and the number of the row that kept it from more, or
        `Cause.OWN_MAX`. Rows whose floors fit are never exceeded, not by rounding either.

    Raises:
        ValueError: Something is NaN, a weight is not above 0, or a floor or cap is not finite.
    """
    _check(limits, floor, cap, weight)
    highest = np.maximum(floor, cap)
    return fill_entries(entries_of(matrix, limits, highest), floor, highest, weight)


def fill_entries(entries: Entries, floor: Floats, highest: Floats, weight: Floats) -> tuple[Floats, Ints]:
    """As `fill`, with the matrix taken apart already and nothing checked. `highest`: (n,) at least the floor."""
    rates = highest.copy()
    binding = np.full(len(floor), int(Cause.OWN_MAX), dtype=np.int64)
    left = entries.limits - MARGIN * np.maximum(np.abs(entries.limits), 1.0) - entries.carried(floor)
    rows, pulls = entries.rows, entries.values * weight[entries.cars]
    firsts = np.flatnonzero(np.diff(entries.cars, prepend=-1))
    going, counts = entries.cars[firsts], np.diff(firsts, append=len(rows))
    while len(going):
        heads = np.cumsum(counts) - counts
        own = (highest[going] - floor[going]) / weight[going]
        with np.errstate(divide="ignore", invalid="ignore"):
            levels = np.maximum(left, 0.0) / np.bincount(rows, weights=pulls, minlength=len(left))
        at = levels[rows]
        level = np.minimum(np.minimum.reduceat(at, heads), own)
        each = np.repeat(level, counts)
        held_below = np.bincount(rows, weights=each < at * (1 - TIE), minlength=len(left)) > 0
        stopped = np.maximum.reduceat(np.where(held_below[rows], -1, rows), heads)
        full = own <= level
        binding[going] = np.where(full, int(Cause.OWN_MAX), entries.numbers[stopped])
        rates[going] = np.minimum(floor[going] + weight[going] * level, highest[going])
        frozen = full | (stopped >= 0)
        assert frozen.any(), "the least level of all belongs to a row or a cap, which freezes somebody"
        done = np.repeat(frozen, counts)
        gone, stay = np.flatnonzero(done), np.flatnonzero(~done)
        left -= np.bincount(rows[gone], weights=pulls[gone] * each[gone], minlength=len(left))
        rows, pulls, going, counts = rows[stay], pulls[stay], going[~frozen], counts[~frozen]
    return rates, binding


def levels_of(rates: Floats, floor: Floats, weight: Floats) -> Floats:
    """(n,) what each has above its floor, by its weight: what max-min makes as equal as it can be."""
    level: NDArray[np.float64] = (rates - floor) / weight
    return level


def _check(limits: Floats, floor: Floats, cap: Floats, weight: Floats) -> None:
    if np.isnan(limits).any():
        raise ValueError(f"limit of row {int(np.argmax(np.isnan(limits)))} is NaN")
    for name, values in (("floor", floor), ("cap", cap), ("weight", weight)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} of car {int(np.argmin(np.isfinite(values)))} is not finite")
    if len(weight) and weight.min() <= 0:
        raise ValueError(f"weight of car {int(np.argmin(weight))} is not above 0")
