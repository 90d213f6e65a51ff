"""The linear program of a site: its columns, its goals, and the rows that belong to cars, batteries and money.

Limits of the tree are not here: there may be thousands of rows and slots, of which few bind (`limits.py` adds those).
Every goal is soft and every limit hard: currents of zero are always feasible.

Discharging costs what is lost on the way, so energy never goes round for nothing; and no car charges on the strength
of another's discharging, which ends when a driver pulls the plug: limits count what is drawn, exports what is given.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartcharging.horizon.model import Model
from smartcharging.horizon.staying import staying
from smartcharging.horizon.worth import UNKNOWN_KWH, UNKNOWN_WORTH, worth
from smartcharging.problem import Aims, Floats, Ints, Problem

STAYING_MIN = 0.03
"""Slots in which a car is less likely to be there than this are not planned for it."""
CHANGE_SHARE = 0.1
"""Part of `change_price` that slot 0 is charged with. A plan that is made anew every few minutes can put off a change
for ever, and save its price each time: the full price would buy quiet with energy."""
ONE_WAY = 0.95
"""Efficiency of a car's charger and battery, each way."""
FLOOR_BONUS = 0.03
"""How much more the least current is worth now, by share."""
HOUR_S = 3600.0
NONE = np.zeros(0, dtype=np.int64)


class Columns(NamedTuple):
    """Cells of the plan and their columns: `number[k]` is what `item[k]` (a car or battery) does in `slot[k]`."""

    item: Ints = NONE
    slot: Ints = NONE
    number: Ints = NONE

    def table(self, values: Floats, shape: tuple[int, int]) -> Floats:
        """(items, slots) of a solution; 0 where there is no column."""
        found = np.zeros(shape)
        found[self.item, self.slot] = values[self.number]
        return found


class Program(NamedTuple):
    """`draw`, `give`: of cars, A. `store_draw`, `store_give`: of batteries, kW. `energy_row`: (n,) -1: none.

    `stays`: (n, t) how likely cars are still there.
    """

    model: Model
    draw: Columns
    give: Columns
    store_draw: Columns
    store_give: Columns
    energy_row: Ints
    stays: Floats


class _Frame(NamedTuple):
    """What all parts look at. `hours`: (n, t) of a slot that a car may use. `gain`: (n, t) money per kWh drawn."""

    problem: Problem
    hours: Floats
    stays: Floats
    worth: Floats
    gain: Floats
    open: NDArray[np.bool_]


def program(problem: Problem) -> Program:
    """The program of a problem, without the limits of its tree."""
    frame = _frame(problem)
    model = Model()
    draw = _draws(model, frame)
    _floors(model, frame, draw)
    give = _gives(model, frame)
    energy_row = _energy(model, frame, draw, give)
    _reserves(model, frame, draw, give)
    _changes(model, frame, draw, give)
    store_draw, store_give = _stores(model, frame)
    made = Program(model, draw, give, store_draw, store_give, energy_row, frame.stays)
    _site(made, frame)
    return made


def _frame(problem: Problem) -> _Frame:
    cars, aims = problem.cars, problem.aims
    ends = np.cumsum(problem.slot_s)
    begun = (ends - problem.slot_s)[None, :] >= cars.starts_s[:, None]
    hours = np.where(begun, problem.slot_s[None, :] / HOUR_S, 0.0)
    stays = staying(cars, problem.slot_s, priced=not _is_calm(aims))
    value = worth(cars, aims)
    delay_h = (ends - problem.slot_s / 2) / HOUR_S
    gain = stays * (value[:, None] - aims.price[None, :]) - aims.early_price * delay_h[None, :]
    wants = ((cars.energy_kwh > 0) | (cars.discharge_a > 0)) & (cars.max_a > 0) & (cars.room_kwh > 0)
    usable = begun & (stays >= STAYING_MIN) & wants[:, None]
    return _Frame(problem, hours, stays, value, gain, usable)


def _is_calm(aims: Aims) -> bool:
    """Whether a kWh costs the same at all times, so that nothing speaks for waiting."""
    fed = (aims.base_kw < 0).any() and (aims.export_price != aims.price).any()
    return aims.demand_price <= 0 and not fed and float(np.ptp(aims.price)) <= 0


def _draws(model: Model, frame: _Frame) -> Columns:
    car, slot = np.nonzero(frame.open)
    cars = frame.problem.cars
    kwh_per_a = cars.kw_per_a[car] * frame.hours[car, slot]
    return Columns(car, slot, model.columns(len(car), -frame.gain[car, slot] * kwh_per_a, 0.0, cars.max_a[car]))


def _floors(model: Model, frame: _Frame, draw: Columns) -> None:
    """A little on top for the least current now, where departures are guessed and energy costs the same at all times.

    Of cars that are alike all charge a little rather than some a lot and others not at all: some cars do not wake up
    from a pause, and some leave before their turn.
    """
    now = draw.slot == 0
    cars = frame.problem.cars
    now &= cars.floor_a[draw.item] > 0
    if cars.stays is None or not now.any() or not _is_calm(frame.problem.aims):
        return
    car, number = draw.item[now], draw.number[now]
    money = FLOOR_BONUS * frame.gain[car, 0] * cars.kw_per_a[car] * frame.hours[car, 0]
    little = model.columns(len(car), -np.maximum(money, 0.0), 0.0, np.minimum(cars.floor_a, cars.max_a)[car])
    rows = model.rows(len(car), -np.inf, 0.0)
    model.entries(rows, little, 1.0)
    model.entries(rows, number, -1.0)


def _gives(model: Model, frame: _Frame) -> Columns:
    """Discharging, until the departure at the latest, and only where it is known."""
    cars = frame.problem.cars
    able = (cars.discharge_a > 0) & np.isfinite(cars.departs_s)
    if not able.any():
        return Columns()
    in_time = np.cumsum(frame.problem.slot_s)[None, :] <= cars.departs_s[:, None]
    car, slot = np.nonzero(in_time & able[:, None] & (frame.hours > 0))
    kwh_per_a = cars.kw_per_a[car] * frame.hours[car, slot]
    # What is taken out is missed for certain, whenever that is; what is earned by it only if the car is still there.
    earned = frame.stays[car, slot] * frame.problem.aims.price[slot]
    cost = (frame.worth[car] / ONE_WAY**2 - earned) * kwh_per_a
    return Columns(car, slot, model.columns(len(car), cost, 0.0, cars.discharge_a[car]))


def _energy(model: Model, frame: _Frame, draw: Columns, give: Columns) -> Ints:
    """No car is planned to get more than it wants; where that is not known, the next kWh is worth less and less."""
    cars = frame.problem.cars
    planned = np.bincount(draw.item, minlength=len(cars)) > 0
    limit_kwh = np.minimum(cars.energy_kwh, cars.room_kwh)
    unknown = planned & ~np.isfinite(cars.energy_kwh)
    limited = np.nonzero(planned & (np.isfinite(limit_kwh) | unknown))[0]
    row_of = np.full(len(cars), -1)
    upper = np.where(unknown, 0.0, limit_kwh)[limited]
    row_of[limited] = model.rows(len(limited), -np.inf, upper)
    for cells, per_kwh in ((draw, 1.0), (give, -1 / ONE_WAY**2)):
        rows = row_of[cells.item]
        kwh = per_kwh * cars.kw_per_a[cells.item] * frame.hours[cells.item, cells.slot]
        model.entries(rows[rows >= 0], cells.number[rows >= 0], kwh[rows >= 0])
    _steps(model, frame, np.nonzero(unknown)[0], row_of)
    return row_of


def _steps(model: Model, frame: _Frame, cars: Ints, row_of: Ints) -> None:
    """Unknown needs: energy comes in portions, each less likely to be taken than the one before."""
    if not len(cars):
        return
    least = np.where(frame.open, frame.stays, 1.0).min(axis=1)[cars]
    left_kwh = frame.problem.cars.room_kwh[cars]
    for size_kwh, likely in zip(UNKNOWN_KWH, UNKNOWN_WORTH, strict=True):
        width = np.minimum(size_kwh, left_kwh)
        left_kwh = left_kwh - np.where(np.isfinite(width), width, 0.0)
        cost = (1.0 - likely) * frame.worth[cars] * least
        model.entries(row_of[cars], model.columns(len(cars), cost, 0.0, width), -1.0)


def _reserves(model: Model, frame: _Frame, draw: Columns, give: Columns) -> None:
    """What is in the battery of cars that discharge, after each slot; as much as now at least when they leave."""
    if not len(give.item):
        return
    cars, slots = frame.problem.cars, frame.problem.slots
    able = np.unique(give.item)
    stored = np.nan_to_num(cars.stored_kwh[able], nan=0.0)
    ends = np.cumsum(frame.problem.slot_s)
    last = np.searchsorted(ends, cars.departs_s[able], side="right") - 1
    lower = np.where(np.arange(slots)[None, :] >= last[:, None], stored[:, None], 0.0)
    upper = np.maximum((stored + cars.room_kwh[able])[:, None], lower)
    levels = model.columns(len(able) * slots, 0.0, lower.ravel(), upper.ravel()).reshape(-1, slots)
    rows = _chain(model, levels, stored)
    place = np.full(len(cars), -1)
    place[able] = np.arange(len(able))
    for cells, per_kwh in ((draw, -ONE_WAY), (give, 1 / ONE_WAY)):
        mine = place[cells.item] >= 0
        item, slot = cells.item[mine], cells.slot[mine]
        kwh = per_kwh * cars.kw_per_a[item] * frame.hours[item, slot]
        model.entries(rows[place[item], slot], cells.number[mine], kwh)


def _chain(model: Model, levels: Ints, first: Floats) -> Ints:
    """Rows (items, slots): level after a slot minus level before it, which what is drawn and given has to make up."""
    starts = np.zeros(levels.shape)
    starts[:, 0] = first
    rows = model.rows(levels.size, starts.ravel(), starts.ravel()).reshape(levels.shape)
    model.entries(rows.ravel(), levels.ravel(), 1.0)
    model.entries(rows[:, 1:].ravel(), levels[:, :-1].ravel(), -1.0)
    return rows


def _changes(model: Model, frame: _Frame, draw: Columns, give: Columns) -> None:
    """What a limit that changes now costs, per A, up or down."""
    price = frame.problem.aims.change_price * CHANGE_SHARE
    now = draw.slot == 0
    if price <= 0 or not now.any():
        return
    cars = draw.item[now]
    current = frame.problem.cars.current_a[cars]
    rows = model.rows(len(cars), current, current)
    model.entries(rows, draw.number[now], 1.0)
    model.entries(rows, model.columns(len(cars), price), -1.0)
    model.entries(rows, model.columns(len(cars), price), 1.0)
    row_of = np.full(len(frame.problem.cars), -1)
    row_of[cars] = rows
    gives = (give.slot == 0) & (row_of[give.item] >= 0)
    model.entries(row_of[give.item[gives]], give.number[gives], -1.0)


def _stores(model: Model, frame: _Frame) -> tuple[Columns, Columns]:
    """Stationary batteries. What is left in them at the end is worth the middle price, less the loss of the way."""
    stores, slots, aims = frame.problem.stores, frame.problem.slots, frame.problem.aims
    if stores is None or not len(stores.ids):
        return Columns(), Columns()
    count = len(stores.ids)
    hours = np.tile(frame.problem.slot_s / HOUR_S, count)
    price = np.tile(aims.price, count)
    item, slot = (part.ravel() for part in np.indices((count, slots)))
    wear = aims.early_price * (1.0 + np.tile(np.cumsum(frame.problem.slot_s) / HOUR_S, count))
    draws = model.columns(len(item), (wear + price) * hours, 0.0, np.repeat(stores.charge_kw, slots))
    gives = model.columns(len(item), (wear - price) * hours, 0.0, np.repeat(stores.discharge_kw, slots))
    draw, give = Columns(item, slot, draws), Columns(item, slot, gives)
    one_way = np.sqrt(np.clip(stores.efficiency, 0.01, 1.0))
    kept = np.zeros((count, slots))
    kept[:, -1] = -float(np.median(aims.price)) * one_way
    stored = stores.stored_kwh
    lower, upper = np.minimum(stores.stored_kwh_min, stored), np.maximum(stores.stored_kwh_max, stored)
    levels = model.columns(count * slots, kept.ravel(), np.repeat(lower, slots), np.repeat(upper, slots))
    rows = _chain(model, levels.reshape(count, slots), stored).ravel()
    model.entries(rows, draw.number, -one_way[item] * hours)
    model.entries(rows, give.number, hours / one_way[item])
    return draw, give


def _site(made: Program, frame: _Frame) -> None:
    """What the site as a whole draws: its peak, and what it feeds in, where that is not worth what drawing costs."""
    problem, aims = frame.problem, frame.problem.aims
    least = aims.base_kw.copy()
    _add_kw(least, made, problem, -1.0)
    cheaper = np.maximum(aims.price - aims.export_price, 0.0)
    feeds = np.nonzero((least < 0) & (cheaper > 0))[0]
    fed = made.model.columns(len(feeds), cheaper[feeds] * problem.slot_s[feeds] / HOUR_S)
    _flow_rows(made, problem, feeds, fed, -1.0)
    if aims.demand_price > 0:
        most = aims.base_kw.copy()
        _add_kw(most, made, problem, 1.0)
        peaks = np.nonzero(most > aims.peak_kw)[0]
        over = made.model.columns(1, aims.demand_price)
        _flow_rows(made, problem, peaks, np.repeat(over, len(peaks)), 1.0)


def _add_kw(total: Floats, made: Program, problem: Problem, sign: float) -> None:
    """Adds the most that may be drawn (sign 1) or given (-1) in each slot."""
    cars, stores = problem.cars, problem.stores
    cells, power = (made.draw, cars.max_a) if sign > 0 else (made.give, cars.discharge_a)
    np.add.at(total, cells.slot, sign * power[cells.item] * cars.kw_per_a[cells.item])
    if stores is not None:
        total += sign * float((stores.charge_kw if sign > 0 else stores.discharge_kw).sum())


def _flow_rows(made: Program, problem: Problem, slots: Ints, columns: Ints, sign: float) -> None:
    """A row per slot: base + cars + batteries - peak <= over (sign 1), or base + cars + batteries + fed >= 0 (-1)."""
    if not len(slots):
        return
    aims = problem.aims
    upper = aims.peak_kw - aims.base_kw[slots] if sign > 0 else np.full(len(slots), np.inf)
    lower = np.full(len(slots), -np.inf) if sign > 0 else -aims.base_kw[slots]
    row_of = np.full(problem.slots, -1)
    row_of[slots] = made.model.rows(len(slots), lower, upper)
    made.model.entries(row_of[slots], columns, -sign)
    kw = problem.cars.kw_per_a
    for cells, value in ((made.draw, kw), (made.give, -kw), (made.store_draw, None), (made.store_give, None)):
        mine = row_of[cells.slot] >= 0
        if value is None:
            values = np.full(int(mine.sum()), 1.0 if cells is made.store_draw else -1.0)
        else:
            values = value[cells.item[mine]]
        made.model.entries(row_of[cells.slot[mine]], cells.number[mine], values)
