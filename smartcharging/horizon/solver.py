"""Runs HiGHS on a program, adding limits as they are broken, within a budget of time.

The simplex below `SIMPLEX_COLUMNS_MAX` columns, warm where the last plan tells how its cells ended; the interior point
method above, where the simplex may take twenty times as long.
"""

from time import perf_counter
from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray

from smartcharging.horizon.limits import LARGE_COLUMNS, Flags, Limits
from smartcharging.horizon.program import Program
from smartcharging.problem import Floats, Ints

SIMPLEX_COLUMNS_MAX = LARGE_COLUMNS
ROUNDS_MAX = 40
TIME_S_LEAST = 0.001
LOWER = int(highspy.HighsBasisStatus.kLower)
BASIC = int(highspy.HighsBasisStatus.kBasic)
UPPER = int(highspy.HighsBasisStatus.kUpper)
_STATUS = (
    highspy.HighsBasisStatus.kLower,
    highspy.HighsBasisStatus.kBasic,
    highspy.HighsBasisStatus.kUpper,
    highspy.HighsBasisStatus.kZero,
    highspy.HighsBasisStatus.kNonbasic,
)
Bytes = NDArray[np.int8]


class SolverError(RuntimeError):
    """HiGHS gave no optimum. The message says what it gave."""


class SolverLateError(SolverError):
    """The budget was over before the optimum."""


class Warm(NamedTuple):
    """What to begin with. `columns`, `rows`: status of each, by HiGHS' numbers; `tight`: (m, t) limits that bound."""

    columns: Bytes
    rows: Bytes
    tight: Flags


class Solved(NamedTuple):
    """`values`: of the columns. `columns`, `rows`: how they ended, limits after all others. `facts`: for the record."""

    values: Floats
    columns: Bytes
    rows: Bytes
    facts: dict[str, float]


def solve(program: Program, limits: tuple[Limits, ...], warm: Warm | None, time_s: float | None) -> Solved:
    """The optimum.

    Args:
        program: Without limits of the tree.
        limits: Of what is drawn, and (where something can be given) of what is given.
        warm: What to begin with.
        time_s: Budget; None: any.

    Raises:
        SolverLateError: It took longer.
        SolverError: HiGHS refused the program, or found no optimum.
    """
    return _Run(program, limits, time_s).run(warm)


class _Run:
    """One program in one solver."""

    def __init__(self, program: Program, limits: tuple[Limits, ...], time_s: float | None) -> None:
        self._limits = limits
        self._until = None if time_s is None else perf_counter() + time_s
        self._width = program.model.column_count
        self._rounds = self._iterations = 0
        self._large = self._width > SIMPLEX_COLUMNS_MAX
        self._highs = highs = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy does not type it
        highs.setOptionValue("output_flag", False)  # noqa: FBT003 (an option's value)
        highs.setOptionValue("threads", 1)
        highs.setOptionValue("solver", "ipm" if self._large else "simplex")
        if highs.passModel(program.model.highs_lp()) == highspy.HighsStatus.kError:
            raise SolverError(f"HiGHS refused a program of {self._width} columns and {program.model.row_count} rows")

    def run(self, warm: Warm | None) -> Solved:
        """Solves, and adds what is broken until nothing is."""
        cells = [limit.first(None if warm is None else warm.tight) for limit in self._limits]
        self._add(cells)
        if warm is not None and not self._large:
            self._begin(warm, cells)
        while True:
            values = self._optimum()
            cells = [limit.broken(values) for limit in self._limits]
            if not any(len(row) for row, _ in cells):
                return self._solved(values, warm)
            if self._rounds >= ROUNDS_MAX:
                raise SolverLateError(f"limits are still broken after {self._rounds} rounds of cuts")
            self._add(cells)
            self._highs.setOptionValue("solver", "simplex")

    def _begin(self, warm: Warm, cells: list[tuple[Ints, Ints]]) -> None:
        """Limits that bound before are expected to bind again; HiGHS mends a basis that has too few or too many."""
        rows = [warm.rows]
        for place, (row, slot) in enumerate(cells):
            bound = warm.tight[row, slot] if place == 0 else np.zeros(len(row), dtype=np.bool_)
            rows.append(np.where(bound, UPPER, BASIC).astype(np.int8))
        made = highspy.HighsBasis()
        made.col_status = [_STATUS[status] for status in warm.columns.tolist()]
        made.row_status = [_STATUS[status] for status in np.concatenate(rows).tolist()]
        made.valid, made.alien = True, True
        self._highs.setBasis(made)

    def _optimum(self) -> Floats:
        highs = self._highs
        if self._until is not None:
            left_s = self._until - perf_counter()
            if left_s < TIME_S_LEAST:
                raise SolverLateError(f"no time is left after {self._rounds} rounds")
            highs.setOptionValue("time_limit", highs.getRunTime() + left_s)
        highs.run()
        self._rounds += 1
        info = highs.getInfo()
        self._iterations += max(info.simplex_iteration_count, 0) + max(info.ipm_iteration_count, 0)
        status = highs.getModelStatus()
        if status == highspy.HighsModelStatus.kTimeLimit:
            raise SolverLateError(f"no optimum in time, after {self._iterations} iterations in {self._rounds} rounds")
        if status != highspy.HighsModelStatus.kOptimal:
            raise SolverError(f"HiGHS says {highs.modelStatusToString(status)}")
        return np.array(highs.getSolution().col_value)

    def _add(self, cells: list[tuple[Ints, Ints]]) -> None:
        for limit, (row, slot) in zip(self._limits, cells, strict=True):
            if len(row):
                upper, lines = limit.rows(row, slot)
                starts, columns = lines.indptr[:-1].astype(np.int32), lines.indices.astype(np.int32)
                self._highs.addRows(len(row), np.full(len(row), -np.inf), upper, lines.nnz, starts, columns, lines.data)

    def _solved(self, values: Floats, warm: Warm | None) -> Solved:
        facts = {
            "objective": float(self._highs.getObjectiveValue()),
            "iterations": float(self._iterations),
            "rounds": float(self._rounds),
            "columns": float(self._width),
            "rows": float(self._highs.getNumRow()),
            "warm": float(warm is not None and not self._large),
        }
        found = self._highs.getBasis()
        return Solved(values, _numbers(found.col_status), _numbers(found.row_status), facts)


def _numbers(statuses: list[highspy.HighsBasisStatus]) -> Bytes:
    return np.fromiter(map(int, statuses), np.int8, len(statuses))
