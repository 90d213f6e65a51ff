"""Problems to plan, small and at random, and the optimum by another solver (scipy's `linprog`)."""

from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from smartcharging.horizon.program import Program
from smartcharging.problem import Aims, Cars, Floats, Problem, Rows, Stores, cars_of

QUARTER_S = 900.0


def aims(slots: int, **fields: Any) -> Aims:
    arrays = {
        name: np.broadcast_to(fields.pop(name, 0.0), (slots,)).astype(float)
        for name in ("price", "export_price", "base_kw")
    }
    return Aims(**arrays, **fields)


def rows_of(matrix: Any) -> Rows:
    dense = np.asarray(matrix, dtype=np.float64)
    names = tuple(f"row {row}" for row in range(len(dense)))
    return Rows(csr_array(dense), names, ("A",) * len(names), names)


def problem_of(  # noqa: PLR0913 (what a problem has, each by its name)
    cars: Cars,
    limits: Any,
    matrix: Any = None,
    *,
    slots: int = 8,
    slot_s: Any = QUARTER_S,
    stores: Stores | None = None,
    exports: Any = 0.0,
    time_s: float | None = None,
    **goals: Any,
) -> Problem:
    """By default one row, in A, that carries everybody."""
    rows = rows_of(np.ones((1, len(cars))) if matrix is None else matrix)
    shape = (len(rows.names), slots)
    limit = np.asarray(limits, dtype=np.float64)
    return Problem(
        rows=rows,
        limits=np.broadcast_to(limit[:, None] if limit.ndim == 1 else limit, shape).copy(),
        exports=np.broadcast_to(np.asarray(exports, dtype=np.float64), shape).copy(),
        slot_s=np.broadcast_to(np.asarray(slot_s, dtype=np.float64), (slots,)).copy(),
        cars=cars,
        aims=aims(slots, **goals),
        stores=stores,
        time_s=time_s,
    )


def store_of(**fields: Any) -> Stores:
    """A battery of 10 kWh on the first of one row, half full."""
    arrays = {
        "charge_kw": 5.0,
        "discharge_kw": 5.0,
        "stored_kwh": 5.0,
        "stored_kwh_min": 0.0,
        "stored_kwh_max": 10.0,
        "efficiency": 0.9,
    } | fields
    rows = csr_array(np.array([[arrays.pop("row", 1.0)]]))
    return Stores(
        ids=("battery",), rows=rows, **{name: np.array([value], dtype=float) for name, value in arrays.items()}
    )


def random_problem(seed: int, *, cars: int = 6, slots: int = 6, floor_a: float = 6.0, signs: bool = False) -> Problem:
    """A tree of three levels under a site, tight; with `signs` rows have negative coefficients as sides of polygons."""
    dice = np.random.default_rng(seed)
    matrix = np.ones((5, cars))
    matrix[1:3] = np.arange(cars)[None, :] % 2 == np.arange(2)[:, None]
    matrix[3:] = dice.random((2, cars)) < 0.5
    if signs:
        matrix[3:] *= dice.uniform(-1, 1, (2, cars))
    made = cars_of(
        [f"evse {car}" for car in range(cars)],
        arrived_s=-dice.uniform(0, 7200, cars),
        departs_s=np.where(dice.random(cars) < 0.2, np.inf, dice.uniform(300, slots * QUARTER_S, cars)),
        energy_kwh=np.where(dice.random(cars) < 0.2, np.inf, dice.uniform(0.1, 15, cars)),
        kw_per_a=dice.choice([0.23, 0.46, 0.69], cars),
        floor_a=floor_a,
        max_a=dice.choice([16.0, 32.0], cars),
        current_a=dice.choice([0.0, 6.0, 11.3, 16.0], cars),
        weight=dice.uniform(0.5, 2, cars),
        priority=dice.integers(0, 3, cars),
    )
    limits = dice.uniform(0, 16 * cars / 3, (5, slots))
    slot_s = np.full(slots, QUARTER_S)
    slot_s[0] = dice.uniform(60, QUARTER_S)
    return problem_of(
        made,
        limits,
        matrix,
        slots=slots,
        slot_s=slot_s,
        price=dice.uniform(0, 0.5, slots),
        change_price=0.1,
        base_kw=dice.uniform(0, 5, slots),
        demand_price=float(dice.choice([0.0, 3.0])),
        peak_kw=5.0,
    )


def optimum(problem: Problem, made: Program) -> float:
    """The best that there is, by all rows of the tree and another solver, each cell a column of its own."""
    model = made.model
    lower, upper = model.row_bounds
    matrix = model.matrix.toarray()
    limit_rows, limit_values = _tree(problem, made)
    above = np.isfinite(upper)
    below = np.isfinite(lower)
    found = linprog(
        model.cost,
        A_ub=np.concatenate((matrix[above], -matrix[below], limit_rows)),
        b_ub=np.concatenate((upper[above], -lower[below], limit_values)),
        bounds=list(zip(*model.column_bounds, strict=True)),
        method="highs",
    )
    assert found.status == 0, found.message
    return float(found.fun)


def _tree(problem: Problem, made: Program) -> tuple[Floats, Floats]:
    matrix = problem.rows.matrix.toarray()
    lines, values = [], []
    for row in range(len(matrix)):
        for slot in range(problem.slots):
            line = np.zeros(made.model.column_count)
            mine = made.draw.slot == slot
            line[made.draw.number[mine]] = matrix[row, made.draw.item[mine]]
            lines.append(line)
            values.append(max(problem.limits[row, slot], 0.0))
    return np.array(lines), np.array(values)
