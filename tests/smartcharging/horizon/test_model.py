"""Linear programs put together a block at a time."""

import highspy
import numpy as np

from smartcharging.horizon.model import Model


def test_blocks_become_one_program_and_doubled_entries_are_summed():
    model = Model()
    first = model.columns(2, [1.0, 2.0], 0.0, [5.0, 6.0])
    second = model.columns(1, -1.0)
    row = model.rows(1, 1.0, 4.0)
    model.entries(row[[0, 0]], first, 1.0)
    model.entries(row, second, [2.0])
    model.entries(row, second, [0.5])
    assert model.cost.tolist() == [1.0, 2.0, -1.0]
    assert [bound.tolist() for bound in model.column_bounds] == [[0, 0, 0], [5, 6, np.inf]]
    assert [bound.tolist() for bound in model.row_bounds] == [[1], [4]]
    assert model.matrix.toarray().tolist() == [[1.0, 1.0, 2.5]]


def test_highs_takes_and_solves_it():
    model = Model()
    columns = model.columns(2, [-1.0, -2.0], 0.0, 3.0)
    model.entries(model.rows(1, -np.inf, 4.0)[[0, 0]], columns, 1.0)
    highs = highspy.Highs()
    highs.silent()
    highs.passModel(model.highs_lp())
    highs.run()
    assert list(highs.getSolution().col_value) == [1.0, 3.0]


def test_a_program_without_rows_is_one_too():
    model = Model()
    model.columns(2, 1.0)
    assert model.matrix.shape == (0, 2)
    assert [len(bound) for bound in model.row_bounds] == [0, 0]
    assert model.highs_lp().num_row_ == 0
