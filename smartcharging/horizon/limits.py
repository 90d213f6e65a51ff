"""The limits of the tree in a program: only the rows that can bind, and of those only the ones that do.

A network between phases has hundreds of rows (sides of polygons), of which one or two bind in a slot. So a program
begins with few of them; each answer is looked at with all, and the rows that it breaks are added: cutting planes. The
simplex goes on from where it was. What is drawn counts against a limit, what is given against the exports.

Where somebody knows how likely cars are still there (`Cars.stays`), later slots count them by that: who leaves makes
room for others, and a plan that knows it promises more energy than there is room for, as airlines sell seats. The first
slot, the one that is told to stations, is exact, and whatever of the rest they are told has to fit their promises.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from smartcharging.horizon.program import Program
from smartcharging.problem import Floats, Ints, Problem

ALL_ROWS_MAX = 6
"""So few rows are all put in at once."""
FIRST, WORST = 1, 3
"""Rows per slot to begin with, and added in each round: the most overloaded ones."""
LARGE_COLUMNS = 10_000
FIRST_OF_LARGE, WORST_OF_LARGE = 12, 30
"""The same in large programs, where a round costs more than rows do."""
SHARE = 1e-6
"""What a limit may be over by, as a share: a solver's tolerance."""
OVER_KW_A = 1e-6
LIKELY_MIN = 0.03
"""A car counts with so much at least, however unlikely it is to be there."""

Flags = NDArray[np.bool_]


class Limits:
    """One direction of a problem's rows. Cells are (row, slot).

    `kept`: rows that can be broken at all. `inside`: (kept, slots) which cells the program has already.
    """

    def __init__(self, problem: Problem, program: Program, *, giving: bool = False) -> None:
        large = program.model.column_count > LARGE_COLUMNS
        self._first, self._more = (FIRST_OF_LARGE, WORST_OF_LARGE) if large else (FIRST, WORST)
        self._giving = giving
        stores = problem.stores
        count = 0 if stores is None else len(stores.ids)
        self._cars, self._stores = (program.give, program.store_give) if giving else (program.draw, program.store_draw)
        self._shape = (len(problem.cars) + count, problem.slots)
        matrix = problem.rows.matrix if stores is None else _beside(problem.rows.matrix, stores.rows)
        limits = np.nan_to_num(problem.exports if giving else problem.limits, nan=0.0, posinf=np.inf)
        power = problem.cars.discharge_a if giving else problem.cars.max_a
        if stores is not None:
            power = np.concatenate((power, stores.discharge_kw if giving else stores.charge_kw))
        self.kept = self._that_bind(matrix, np.maximum(limits, 0.0), power)
        self._matrix = csr_array(matrix[self.kept])
        self._limits = np.maximum(limits[self.kept], 0.0)
        self.inside: Flags = np.zeros(self._limits.shape, dtype=np.bool_)
        self._column = np.full(self._shape, -1)
        self._column[self._cars.item, self._cars.slot] = self._cars.number
        self._column[len(problem.cars) + self._stores.item, self._stores.slot] = self._stores.number
        self._likely = self._likely_to_count(problem, program, count)
        self._most = np.where(self._column >= 0, power[:, None], 0.0) * self._likely

    def _likely_to_count(self, problem: Problem, program: Program, stores: int) -> Floats:
        """(n + b, t) how much of what is planned there a row has to carry."""
        found = np.ones(self._shape)
        if problem.cars.stays is not None and not self._giving:
            found[: self._shape[0] - stores, 1:] = np.maximum(program.stays[:, 1:], LIKELY_MIN)
        return found

    def _that_bind(self, matrix: csr_array, limits: Floats, power: Floats) -> Ints:
        positive = matrix.maximum(0.0) if matrix.nnz and matrix.data.min() < 0 else matrix
        highest = positive @ power
        return np.nonzero(highest > limits.min(axis=1, initial=np.inf))[0]

    def first(self, remembered: Flags | None) -> tuple[Ints, Ints]:
        """The cells to begin with: all where there are few, else those that bound before and the most overloaded."""
        if not len(self.kept):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        load = self._matrix @ self._most
        over = load - self._limits
        if len(self.kept) <= ALL_ROWS_MAX:
            chosen: Flags = over > 0
        else:
            chosen = _worst(np.where(over > 0, over / np.maximum(self._limits, 1.0), 0.0), self._first)
            if remembered is not None and not self._giving:
                chosen |= remembered[self.kept]
        return self._take(chosen)

    def broken(self, values: Floats) -> tuple[Ints, Ints]:
        """Cells to add: the rows that a solution breaks most."""
        over = self.load(values) - self._limits
        allowed = OVER_KW_A + SHARE * self._limits
        share = np.where(over > allowed, over / np.maximum(self._limits, 1.0), 0.0)
        return self._take(_worst(share, self._more) & ~self.inside)

    def load(self, values: Floats) -> Floats:
        """(kept, slots) what the rows carry in a solution."""
        cells = np.where(self._column >= 0, values[self._column], 0.0) * self._likely
        found: Floats = self._matrix @ cells
        return found

    def tight(self, values: Floats, row_count: int) -> Flags:
        """(rows, slots) which cells a solution uses up, of those that are inside; to be remembered."""
        found = np.zeros((row_count, self._shape[1]), dtype=np.bool_)
        found[self.kept] = self.inside & (self.load(values) >= self._limits * (1 - 1e-5) - OVER_KW_A)
        return found

    def rows(self, row: Ints, slot: Ints) -> tuple[Floats, csr_array]:
        """Upper bounds of cells, and their coefficients by column number as CSR; only where columns are."""
        lines = csr_array(self._matrix[row])
        of_line = np.repeat(np.arange(len(row)), np.diff(lines.indptr))
        columns = self._column[lines.indices, slot[of_line]]
        likely = self._likely[lines.indices, slot[of_line]]
        there = columns >= 0
        starts = np.concatenate(([0], np.cumsum(np.bincount(of_line[there], minlength=len(row)))))
        width = int(self._column.max(initial=0)) + 1
        made = csr_array(((lines.data * likely)[there], columns[there], starts), shape=(len(row), width))
        return self._limits[row, slot], made

    def _take(self, chosen: Flags) -> tuple[Ints, Ints]:
        row, slot = np.nonzero(chosen)
        self.inside[row, slot] = True
        return row, slot


def _worst(share: Floats, count: int) -> Flags:
    """Per slot the `count` highest of those above 0."""
    if len(share) <= count:
        return share > 0
    places = np.argpartition(share, len(share) - count, axis=0)[-count:]
    found = np.zeros(share.shape, dtype=np.bool_)
    np.put_along_axis(found, places, np.take_along_axis(share, places, axis=0) > 0, axis=0)
    return found


def _beside(left: csr_array, right: csr_array) -> csr_array:
    from scipy.sparse import hstack  # noqa: PLC0415 (sites with batteries alone)

    return csr_array(hstack((left, right)))
