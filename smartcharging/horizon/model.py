"""A linear program under construction, and how HiGHS is fed with it: arrays straight in, no modelling layer."""

import highspy
import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, csr_array

from smartcharging.problem import Floats, Ints

INF = np.inf


class Model:
    """Columns and rows, a block at a time. Minimises."""

    def __init__(self) -> None:
        self.column_count = 0
        self.row_count = 0
        self._columns: list[tuple[Floats, Floats, Floats]] = []
        self._rows: list[tuple[Floats, Floats]] = []
        self._entries: list[tuple[Ints, Ints, Floats]] = []

    def columns(self, count: int, cost: ArrayLike, lower: ArrayLike = 0.0, upper: ArrayLike = INF) -> Ints:
        """Adds columns: their numbers."""
        self._columns.append((_filled(cost, count), _filled(lower, count), _filled(upper, count)))
        numbers = np.arange(self.column_count, self.column_count + count)
        self.column_count += count
        return numbers

    def rows(self, count: int, lower: ArrayLike = -INF, upper: ArrayLike = INF) -> Ints:
        """Adds rows: their numbers."""
        self._rows.append((_filled(lower, count), _filled(upper, count)))
        numbers = np.arange(self.row_count, self.row_count + count)
        self.row_count += count
        return numbers

    def entries(self, rows: Ints, columns: Ints, values: ArrayLike) -> None:
        """Adds coefficients; of one place given twice, the sum counts."""
        self._entries.append((rows, columns, _filled(values, len(columns))))

    @property
    def cost(self) -> Floats:
        """(columns,) of the objective."""
        return np.concatenate([cost for cost, _, _ in self._columns])

    @property
    def column_bounds(self) -> tuple[Floats, Floats]:
        """(columns,) lower and upper."""
        _, lower, upper = zip(*self._columns, strict=True)
        return np.concatenate(lower), np.concatenate(upper)

    @property
    def row_bounds(self) -> tuple[Floats, Floats]:
        """(rows,) lower and upper."""
        if not self._rows:
            return np.zeros(0), np.zeros(0)
        lower, upper = zip(*self._rows, strict=True)
        return np.concatenate(lower), np.concatenate(upper)

    @property
    def matrix(self) -> csr_array:
        """(rows, columns)."""
        shape = (self.row_count, self.column_count)
        if not self._entries:
            return csr_array(shape)
        rows, columns, values = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        return csr_array(coo_array((values, (rows, columns)), shape=shape))

    def highs_lp(self) -> highspy.HighsLp:
        """What HiGHS takes."""
        matrix = self.matrix.tocsc()
        made = highspy.HighsLp()
        made.num_col_, made.num_row_ = self.column_count, self.row_count
        made.col_cost_ = self.cost
        made.col_lower_, made.col_upper_ = self.column_bounds
        made.row_lower_, made.row_upper_ = self.row_bounds
        made.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        made.a_matrix_.start_, made.a_matrix_.index_ = matrix.indptr, matrix.indices
        made.a_matrix_.value_ = matrix.data
        return made


def _filled(value: ArrayLike, count: int) -> Floats:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (count,))
