"""Refuses a problem that makes no sense, by name: shapes, NaN, infinity, negative numbers, doubled ids.

Allocators may rely on what this lets pass. Who makes problems (the planner's tests, the replay) calls it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartcharging.problem import Aims, Cars, Problem, Rows, Stores

FAULTS_MAX = 8
"""Told at once."""
UNITS = ("A", "kW")


class Range(NamedTuple):
    """What a number may be. `inf`, `nan`: it may be that, too."""

    low: float = -np.inf
    above: bool = False
    """The low end itself is out."""
    inf: bool = False
    nan: bool = False

    def bad(self, values: NDArray[np.generic]) -> NDArray[np.bool_]:
        """Which values are out."""
        found = np.asarray(values, dtype=np.float64)
        unknown = np.isnan(found)
        with np.errstate(invalid="ignore"):
            low = found <= self.low if self.above else found < self.low
        wrong = low | (np.isinf(found) & ~(self.inf & (found > 0)))
        return np.where(unknown, not self.nan, wrong)

    def __str__(self) -> str:
        bound = "" if self.low == -np.inf else f" {'above' if self.above else 'of at least'} {self.low:g}"
        extra = [name for name, allowed in (("inf", self.inf), ("NaN", self.nan)) if allowed]
        return f"a finite number{bound}" + "".join(f" or {name}" for name in extra)


ANY = Range()
POSITIVE = Range(0.0, above=True)
AMOUNT = Range(0.0)
AMOUNT_OR_INF = Range(0.0, inf=True)
AMOUNT_OR_NAN = Range(0.0, nan=True)

CARS: dict[str, Range] = {
    "arrived_s": ANY,
    "departs_s": AMOUNT_OR_INF,
    "energy_kwh": AMOUNT_OR_INF,
    "kw_per_a": POSITIVE,
    "floor_a": AMOUNT,
    "max_a": AMOUNT,
    "weight": POSITIVE,
    "priority": ANY,
    "current_a": ANY,
    "measured_a": Range(nan=True),
    "since_s": AMOUNT_OR_INF,
    "discharge_a": AMOUNT,
    "stored_kwh": AMOUNT_OR_NAN,
    "room_kwh": AMOUNT_OR_INF,
    "starts_s": AMOUNT,
}
STORES: dict[str, Range] = {
    "charge_kw": AMOUNT,
    "discharge_kw": AMOUNT,
    "stored_kwh": AMOUNT,
    "stored_kwh_min": AMOUNT,
    "stored_kwh_max": AMOUNT,
    "efficiency": POSITIVE,
}


def check_problem(problem: Problem) -> None:
    """Lets a problem pass that makes sense.

    Raises:
        ValueError: It does not; names each fault (the first eight) with the car or row and what it should be.
    """
    faults = list(faults_of(problem))
    if faults:
        more = f" (and {len(faults) - FAULTS_MAX} more)" if len(faults) > FAULTS_MAX else ""
        raise ValueError("problem refused: " + "; ".join(faults[:FAULTS_MAX]) + more)


def faults_of(problem: Problem) -> Iterator[str]:
    """What is wrong with a problem, a sentence each."""
    shape = (len(problem.rows.names), len(problem.slot_s))
    if problem.slot_s.ndim != 1 or not len(problem.slot_s):
        yield f"slot_s: want (t,) with at least one slot, not {problem.slot_s.shape}"
        return
    yield from _numbers("slot_s", problem.slot_s, (shape[1],), POSITIVE)
    yield from _rows(problem.rows, len(problem.cars))
    names = problem.rows.names
    yield from _numbers("limits", problem.limits, shape, Range(inf=True), names)
    yield from _numbers("exports", problem.exports, shape, AMOUNT_OR_INF, names)
    yield from _cars(problem.cars)
    yield from _aims(problem.aims, shape[1])
    if problem.stores is not None:
        yield from _stores(problem.stores, shape[0])
    if problem.time_s is not None and not (np.isfinite(problem.time_s) and problem.time_s > 0):
        yield f"time_s: {problem.time_s:g}, want {POSITIVE} or None"


def _rows(rows: Rows, cars: int) -> Iterator[str]:
    count = len(rows.names)
    if rows.matrix.shape != (count, cars):
        yield f"rows: matrix is {rows.matrix.shape}, want ({count}, {cars}): a row per name, a column per car"
    if len(rows.units) != count or len(rows.nodes) != count:
        yield f"rows: {count} names, {len(rows.units)} units, {len(rows.nodes)} nodes: want as many of each"
    if unknown := sorted(set(rows.units) - set(UNITS)):
        yield f"rows: units {', '.join(unknown)}: want A or kW"
    if not np.isfinite(rows.matrix.data).all():
        row = int(np.searchsorted(rows.matrix.indptr, int(np.argmin(np.isfinite(rows.matrix.data))), side="right")) - 1
        yield f"rows: a coefficient of {rows.names[row] if row < count else row} is not finite"


def _cars(cars: Cars) -> Iterator[str]:
    count = len(cars.ids)
    if len(set(cars.ids)) != count:
        car, times = Counter(cars.ids).most_common(1)[0]
        yield f"cars: {times} are called {car}"
    for name, wanted in CARS.items():
        yield from _numbers(f"cars.{name}", getattr(cars, name), (count,), wanted, cars.ids)
    if cars.priority.dtype != np.int64:
        yield f"cars.priority: {cars.priority.dtype}, want int64"


def _aims(aims: Aims, slots: int) -> Iterator[str]:
    for name in ("price", "export_price", "base_kw"):
        yield from _numbers(f"aims.{name}", getattr(aims, name), (slots,), ANY)
    for name in ("demand_price", "peak_kw", "unserved_price", "early_price", "change_price"):
        value = getattr(aims, name)
        if not (np.isfinite(value) and value >= 0):
            yield f"aims.{name}: {value:g}, want {AMOUNT}"


def _stores(stores: Stores, rows: int) -> Iterator[str]:
    count = len(stores.ids)
    if stores.rows.shape != (rows, count):
        yield f"stores: rows are {stores.rows.shape}, want ({rows}, {count})"
    for name, wanted in STORES.items():
        yield from _numbers(f"stores.{name}", getattr(stores, name), (count,), wanted, stores.ids)


def _numbers(
    what: str, values: NDArray[np.generic], shape: tuple[int, ...], wanted: Range, names: Sequence[str] = ()
) -> Iterator[str]:
    if values.shape != shape:
        yield f"{what}: shape {values.shape}, want {shape}"
        return
    bad = wanted.bad(values)
    if bad.any():
        place = tuple(int(axis[0]) for axis in np.nonzero(bad))
        of = f" of {names[place[0]]}" if names else ""
        slot = f" in slot {place[-1]}" if len(shape) == 2 or not names else ""
        others = f" (and {int(bad.sum()) - 1} others)" if bad.sum() > 1 else ""
        yield f"{what}{of}{slot}: {values[place]}, want {wanted}{others}"
