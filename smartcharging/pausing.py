"""Who may charge at all where not everybody can have the least current, and steps of 0.1 A.

A car below its floor (IEC 61851: 6 A) stops, so a row that cannot carry all floors has cars wait. Only cars on rows
that are over wait. Higher priorities come first; beside equals a car that charges goes on for `ROTATE_S`, then makes
room for one that waited as long, those who wait longest first. A car without a floor never waits.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartcharging.maxmin import Entries, entries_of
from smartcharging.problem import STEP_A, Cars, Floats, Ints, Problem

ROTATE_S = 900.0
"""How long a car charges, and waits, before places change."""
NOISE = 1e-9
"""Part of a limit that sums of floats may seem to be over; part of a step that a float may be short of it."""
NO_ROW = -1
_STEPS_PER_A = round(1 / STEP_A)

Flags = NDArray[np.bool_]


class Admission(NamedTuple):
    """`running`: (n,) bool, who may have the floor. `rows`: (n,) int64, the row that keeps one out, or `NO_ROW`."""

    running: Flags
    rows: Ints


def admit(
    problem: Problem,
    *,
    floor_a: Floats | None = None,
    wanting: Flags | None = None,
    order: Ints | None = None,
) -> Admission:
    """Who may have the floor now.

    Args:
        problem: Slot 0 counts.
        floor_a: (n,) floors, `problem.cars.floor_a` by default.
        wanting: (n,) bool, who wants to charge; by default all.
        order: (n,) cars in the order in which they are let in, `waiting_order` by default.

    Returns:
        Only among those who want; all of them where all floors fit.
    """
    floor = floors_in_steps(problem.cars.floor_a if floor_a is None else floor_a)
    asking = np.ones(len(floor), dtype=np.bool_) if wanting is None else wanting
    least = np.where(asking, floor, 0.0)
    entries = entries_of(problem.rows.matrix, problem.limits[:, 0], least)
    running, rows = let_in(entries, least, lambda: waiting_order(problem.cars) if order is None else order)
    return Admission(running & asking, rows)


def waiting_order(cars: Cars) -> Ints:
    """(n,) cars, the first to be let in first."""
    runs = cars.current_a > 0
    long = cars.since_s >= ROTATE_S
    turn = np.where(runs, np.where(long, 2, 0), np.where(long, 1, 3))
    since = np.where(runs, cars.since_s, -cars.since_s)
    return np.lexsort((cars.arrived_s, since, turn, -cars.priority))


def let_in(entries: Entries, demand: Floats, order: Callable[[], Ints]) -> Admission:
    """Lets cars in one after the other, each if its whole demand fits beside those before; many at a time.

    Args:
        entries: The rows that cannot carry everybody's demand, with what they have left as limits.
        demand: (n,) A each; 0 always fits.
        order: Tells (n,) cars, the first first; asked only where not all fit.

    Returns:
        Exactly what letting them in one by one gives.
    """
    running = np.ones(entries.car_count, dtype=np.bool_)
    kept_out = np.full(entries.car_count, NO_ROW, dtype=np.int64)
    room = entries.limits + NOISE * np.maximum(np.abs(entries.limits), 1.0)
    rows, cars, takes = _by_row(entries, demand, room, order)
    while len(rows):
        before = np.cumsum(takes) - takes
        heads = np.flatnonzero(np.diff(rows, prepend=-1))
        spans = np.diff(heads, append=len(rows))
        queued = before - np.repeat(before[heads], spans) + takes
        beyond = np.zeros(entries.car_count, dtype=np.bool_)
        beyond[cars[queued > room[rows]]] = True
        goes = beyond[cars]
        room -= np.bincount(rows[~goes], weights=takes[~goes], minlength=len(room))
        rows, cars, takes = rows[goes], cars[goes], takes[goes]
        over = takes > room[rows]
        running[cars[over]] = False
        kept_out[cars[over]] = entries.numbers[rows[over]]
        undecided = running[cars]
        rows, cars, takes = rows[undecided], cars[undecided], takes[undecided]
    return Admission(running, kept_out)


def floors_in_steps(floor_a: Floats) -> Floats:
    """Floors as steps that are no lower."""
    steps: Floats = np.ceil(floor_a * _STEPS_PER_A - NOISE) / _STEPS_PER_A + 0.0  # 0.0, not -0.0
    return steps


def steps_down(current_a: Floats) -> Floats:
    """Currents as steps that are no higher."""
    steps: Floats = np.floor(current_a * _STEPS_PER_A + NOISE) / _STEPS_PER_A
    return steps


def in_steps(entries: Entries, current_a: Floats, highest: Floats) -> Floats:
    """Currents in steps: each down, then a step up for those that lost most where rows have room for it.

    Args:
        entries: All rows that may fill up.
        current_a: (n,) within the rows, at least the floor, which is in steps.
        highest: (n,) the most that each may have.

    Returns:
        (n,) less than a step from what it was.
    """
    down = steps_down(current_a)
    lost = current_a - down
    more = np.where((lost > NOISE) & (down + STEP_A <= highest + NOISE), STEP_A, 0.0)
    if not more.any():
        return down
    left = entries._replace(limits=entries.limits - entries.carried(down))
    up = let_in(left, more, lambda: np.argsort(-lost, kind="stable")).running
    return np.round(down + np.where(up, more, 0.0), 1)


def _by_row(entries: Entries, demand: Floats, room: Floats, order: Callable[[], Ints]) -> tuple[Ints, Ints, Floats]:
    """Entries of rows without room for all demands, row after row, in each in the order of cars: rows, cars, takes."""
    rows, cars = entries.rows, entries.cars
    takes = entries.values * demand[cars]
    short = np.bincount(rows, weights=takes, minlength=len(room)) > room
    matters = np.flatnonzero(short[rows] & (takes > 0))
    if not len(matters):
        return rows[:0], cars[:0], takes[:0]
    rows, cars, takes = rows[matters], cars[matters], takes[matters]
    ranks = np.empty(entries.car_count, dtype=np.int64)
    ranks[order()] = np.arange(entries.car_count)
    first = np.argsort(_narrow(ranks[cars], entries.car_count), kind="stable")
    then = np.argsort(_narrow(rows[first], len(entries.limits)), kind="stable")
    sorted_by = first[then]
    return rows[sorted_by], cars[sorted_by], takes[sorted_by]


def _narrow(numbers: Ints, below: int) -> NDArray[np.integer]:
    """Numbers in 16 bits where they fit: numpy sorts those in a time that grows with their count alone."""
    return numbers.astype(np.uint16) if below <= 1 << 16 else numbers
