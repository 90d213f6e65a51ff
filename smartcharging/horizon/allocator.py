"""The allocator `horizon`: a plan for hours by one linear program, and of it what counts now, rounded."""

import msgspec
import numpy as np
from scipy.sparse import csr_array, vstack

from smartcharging.horizon.limits import Limits
from smartcharging.horizon.memory import Remembered, passed, slot_at
from smartcharging.horizon.program import Program, program
from smartcharging.horizon.solver import BASIC, LOWER, Solved, SolverError, Warm, solve
from smartcharging.horizon.sound import sound
from smartcharging.problem import Allocation, Cause, Floats, Problem, Rows
from smartcharging.rounding import Settled, settle

PLANNED_A = 1e-3
SLOT_S_MIN = 60.0
PRICE_NOISE = 1e-9
NOTHING_KW = 1e-6


class Horizon:
    """Plans by a linear program. It remembers how the last one ended, to begin the next one with: that saves time only.

    `allocate` never raises: where the solver fails, everybody gets 0 and the note says why. `smartcharging.ladder` has
    better to offer then, and calls `plan`.
    """

    name = "horizon"

    def __init__(self) -> None:
        self._last: Remembered | None = None

    def allocate(self, problem: Problem) -> Allocation:
        """Shares out slot 0, with a plan for those after it."""
        try:
            return self.plan(sound(problem).problem)
        except SolverError as error:
            nothing = np.zeros(len(problem.cars))
            binding = np.full(len(nothing), int(Cause.STATIC), dtype=np.int64)
            return Allocation(current_a=nothing, binding=binding, layer="static", note=str(error))

    def plan(self, problem: Problem) -> Allocation:
        """As `allocate`.

        Raises:
            SolverError: No optimum; `SolverLateError`: none within the budget.
        """
        if not len(problem.cars) and problem.stores is None:
            nobody = np.zeros((0, problem.slots))
            return Allocation(
                current_a=nobody[:, 0], binding=np.zeros(0, dtype=np.int64), plan_a=nobody, layer="horizon"
            )
        made = program(problem)
        limits = [Limits(problem, made)]
        if len(made.give.item) or len(made.store_give.item):
            limits.append(Limits(problem, made, giving=True))
        last, self._last = self._last, None
        solved = solve(made, tuple(limits), _warm(problem, made, last), problem.time_s)
        self._last = _remembered(problem, made, limits[0], solved)
        return _allocation(problem, made, solved)


def _warm(problem: Problem, made: Program, last: Remembered | None) -> Warm | None:
    """A basis from how the last plan ended: cells that it had end as they did, new ones begin at 0."""
    if last is None or last.tight.shape[0] != problem.rows.matrix.shape[0]:
        return None
    gone = passed(last.cars, problem.cars)
    if gone.elapsed_s is None:
        return None
    slot = slot_at(last.slot_s, gone.elapsed_s, problem.slots, problem.slot_s)
    columns = np.full(made.model.column_count, LOWER, dtype=np.int8)
    rows = np.full(made.model.row_count, BASIC, dtype=np.int8)
    car, at = gone.place[made.draw.item], slot[made.draw.slot]
    known = (car >= 0) & (at >= 0)
    before = last.draw[car[known], at[known]]
    columns[made.draw.number[known]] = np.where(before >= 0, before, LOWER)
    of_car = np.flatnonzero((made.energy_row >= 0) & (gone.place >= 0))
    ended = last.energy[gone.place[of_car]]
    rows[made.energy_row[of_car]] = np.where(ended >= 0, ended, BASIC)
    tight = last.tight[:, np.maximum(slot, 0)] & (slot >= 0)
    return Warm(columns, rows, tight)


def _remembered(problem: Problem, made: Program, limits: Limits, solved: Solved) -> Remembered:
    shape = (len(problem.cars), problem.slots)
    draw = np.full(shape, -1, dtype=np.int8)
    draw[made.draw.item, made.draw.slot] = solved.columns[made.draw.number]
    energy = np.where(made.energy_row >= 0, solved.rows[np.maximum(made.energy_row, 0)], -1).astype(np.int8)
    tight = limits.tight(solved.values, problem.rows.matrix.shape[0])
    return Remembered(cars=problem.cars, slot_s=problem.slot_s, draw=draw, energy=energy, tight=tight)


def _allocation(problem: Problem, made: Program, solved: Solved) -> Allocation:
    shape = (len(problem.cars), problem.slots)
    plan = made.draw.table(solved.values, shape) - made.give.table(solved.values, shape)
    stores = problem.stores
    store_kw = None
    if stores is not None:
        cells = (len(stores.ids), problem.slots)
        store_kw = made.store_draw.table(solved.values, cells) - made.store_give.table(solved.values, cells)
    settled = _settled(problem, plan, store_kw)
    plan[:, 0] = settled.current_a
    return Allocation(
        current_a=settled.current_a,
        binding=settled.binding,
        plan_a=plan,
        layer="horizon",
        store_kw=None if store_kw is None else store_kw[:, 0],
        facts=dict(solved.facts),
    )


def _settled(problem: Problem, plan: Floats, store_kw: Floats | None) -> Settled:
    """Slot 0 as limits. Batteries that charge take their part of the rows, those that give make no room."""
    bounded = problem
    if store_kw is not None and problem.stores is not None:
        taken = problem.stores.rows @ np.maximum(store_kw[:, 0], 0.0)
        bounded = msgspec.structs.replace(bounded, limits=bounded.limits[:, :1] - taken[:, None])
    if problem.aims.demand_price > 0:
        bounded = _below_peak(problem, bounded, plan, store_kw)
    settled = settle(bounded, plan[:, 0], _highest(problem, plan, _site_kw(problem, plan, store_kw)))
    real = settled.binding < problem.rows.matrix.shape[0]
    return settled._replace(binding=np.where(real, settled.binding, int(Cause.ENOUGH)))


def _below_peak(problem: Problem, bounded: Problem, plan: Floats, store_kw: Floats | None) -> Problem:
    """With a row more, for the rounding: it must not make a peak that was not planned."""
    kw = problem.cars.kw_per_a
    site = _site_kw(problem, plan, store_kw)
    peak = max(float(site.max()), problem.aims.peak_kw)
    planned = float(kw @ np.maximum(plan[:, 0], 0.0))
    left = max(peak - float(site[0]), 0.0) + planned
    rows = Rows(
        matrix=csr_array(vstack((bounded.rows.matrix, csr_array(kw[None, :])))),
        names=(*bounded.rows.names, "peak"),
        units=(*bounded.rows.units, "kW"),
        nodes=(*bounded.rows.nodes, ""),
    )
    limits = np.concatenate((bounded.limits[:, :1], [[left + NOTHING_KW]]))
    exports = np.concatenate((bounded.exports[:, :1], [[np.inf]]))
    return msgspec.structs.replace(bounded, rows=rows, limits=limits, exports=exports)


def _site_kw(problem: Problem, plan: Floats, store_kw: Floats | None) -> Floats:
    """(t,) what the site draws by a plan, all told."""
    found: Floats = problem.aims.base_kw + problem.cars.kw_per_a @ plan
    return found if store_kw is None else found + store_kw.sum(axis=0)


def _highest(problem: Problem, plan: Floats, site_kw: Floats) -> Floats:
    """(n,) up to where a car may fill what others leave: what it wants, unless it waits for a better price."""
    cars, aims = problem.cars, problem.aims
    feeds = (aims.base_kw < 0) & (site_kw <= NOTHING_KW)
    price = np.where(feeds, np.minimum(aims.export_price, aims.price), aims.price)
    kwh_per_a = cars.kw_per_a[:, None] * problem.slot_s[None, :] / 3600.0
    draws = np.maximum(plan, 0.0)
    missing = cars.energy_kwh - (draws * kwh_per_a).sum(axis=1) > 1e-3
    later = np.where(draws > PLANNED_A, price[None, :], -np.inf).max(axis=1, initial=-np.inf)
    may = (missing | (later >= price[0] - PRICE_NOISE)) & (cars.energy_kwh > 0) & (cars.starts_s <= 0)
    hours = np.clip(cars.departs_s, SLOT_S_MIN, max(float(problem.slot_s[0]), SLOT_S_MIN)) / 3600.0
    needs = np.minimum(cars.energy_kwh, cars.room_kwh) / np.maximum(cars.kw_per_a * hours, 1e-9)
    return np.where(may, np.minimum(needs, cars.max_a), np.maximum(plan[:, 0], 0.0))
