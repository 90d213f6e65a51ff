"""The problem that an allocator solves, and its answer: arrays without names of OCPP. See docs/allocators.md.

n cars, m rows (limits), t slots; slot 0 begins now. Currents are A per phase that a car uses; a DC car's is that of
its balanced three-phase draw. Every limit is hard: `rows.matrix @ current_a <= limits[:, slot]` in each slot.
Arrays are float64 unless said otherwise and must not be written to.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP_A = 0.1
"""Stations of 1.6 take one decimal."""


class Rows(msgspec.Struct, frozen=True, eq=False):
    """What the cars load together.

    `matrix`: (m, n) CSR, what a row carries per A of a car, never negative for cars of WYE networks. `names`: for
    people, as "board-1 L2", "grid kW". `units`: "A" or "kW". `nodes`: id of the row's node.
    """

    matrix: csr_array
    names: tuple[str, ...]
    units: tuple[str, ...]
    nodes: tuple[str, ...]


class Cars(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The cars that want to charge, as arrays of n. Seconds count from now.

    `ids`: id of the EVSE's node; the same car has the same id in the next problem.
    `arrived_s`: negative. `departs_s`: expected; inf: unknown. `energy_kwh`: still wanted until then; inf: unknown.
    `kw_per_a`: power of one A. `floor_a`: what it needs at least while it charges (0: any). `max_a`: what car, cable
    and outlet take now. `weight`: its share beside others. `priority` (int64): the highest get their floor first.
    `current_a`: what it may draw at this moment; 0 where it may not. `measured_a`: what it draws; nan: not known.
    `since_s`: for how long its limit has stood (0 or not 0): pausing rotates rarely.
    `discharge_a`: how much it may give back (0: nothing). `stored_kwh`: what it could give back; nan: not known.
    `room_kwh`: what its battery can take at most; inf: not known.
    `starts_s`: not before (0: now). `stays`: (n, t) how likely the car is still there, 0 to 1, on average over each
    slot; None: nobody knows better than `departs_s`.
    """

    ids: tuple[str, ...]
    arrived_s: Floats
    departs_s: Floats
    energy_kwh: Floats
    kw_per_a: Floats
    floor_a: Floats
    max_a: Floats
    weight: Floats
    priority: Ints
    current_a: Floats
    measured_a: Floats
    since_s: Floats
    discharge_a: Floats
    stored_kwh: Floats
    room_kwh: Floats
    starts_s: Floats
    stays: Floats | None = None

    def __len__(self) -> int:
        return len(self.ids)


class Stores(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Stationary batteries, b of them. `rows`: (m, b) what a row carries per kW drawn."""

    ids: tuple[str, ...]
    rows: csr_array
    charge_kw: Floats
    discharge_kw: Floats
    stored_kwh: Floats
    stored_kwh_min: Floats
    stored_kwh_max: Floats
    efficiency: Floats


class Aims(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What is wanted beside the energy. Money in the site's currency.

    `price`: (t,) per kWh drawn; with CO2 as the goal, what CO2 is worth is in it. `export_price`: (t,) per kWh fed in.
    `base_kw`: (t,) what the site draws without cars, for the demand charge. `demand_price`: per kW of the peak above
    `peak_kw`, the highest so far in this billing period. `unserved_price`: per kWh missing at departure.
    `early_price`: a tie-break, small, per kWh and hour of delay. `change_price`: per A by which a limit changes now.
    """

    price: Floats
    export_price: Floats
    base_kw: Floats
    demand_price: float = 0.0
    peak_kw: float = 0.0
    unserved_price: float = 10.0
    early_price: float = 0.001
    change_price: float = 0.0


class Problem(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """One site at one moment.

    `limits`: (m, t) what the rows have left for cars; negative: others draw more than the limit already.
    `exports`: (m, t) how far a row may go below zero (>= 0). `slot_s`: (t,) length of each slot, the first may be
    shorter than the others. `time_s`: budget for solving; None: any.
    """

    rows: Rows
    limits: Floats
    exports: Floats
    slot_s: Floats
    cars: Cars
    aims: Aims
    stores: Stores | None = None
    time_s: float | None = None

    @property
    def slots(self) -> int:
        """How many there are."""
        return len(self.slot_s)


class Cause(IntEnum):
    """What kept a car from more, where that is no row (rows are 0 and up)."""

    OWN_MAX = -1
    ENOUGH = -2
    PAUSED = -3
    STATIC = -4


class Allocation(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What the cars may draw.

    `current_a`: (n,) now; 0: paused; negative: gives back. Each is 0 or at least `floor_a`, in steps of `STEP_A`.
    `plan_a`: (n, t) expected to follow, column 0 is `current_a`; None: nothing is planned beyond now.
    `binding`: (n,) int64, number of the row that kept a car from more, or a `Cause`.
    `layer`: which rung made it (a value of `engine.model.plans.Layer`). `store_kw`: (b,) now. `note`: for people.
    """

    current_a: Floats
    binding: Ints
    plan_a: Floats | None = None
    layer: str = "other"
    store_kw: Floats | None = None
    note: str | None = None
    facts: dict[str, Any] = {}
    """Figures of the solver, for the record: iterations, objective, ..."""


class Allocator(Protocol):
    """Shares a site's power out. One object per site, so it may remember; it must live without its memory."""

    name: str

    def allocate(self, problem: Problem) -> Allocation:
        """Never raises for a problem that is well-formed; where the limits leave nothing, everybody gets 0."""


AllocatorFactory = type[Allocator]


def cars_of(ids: Sequence[str], **arrays: Any) -> Cars:
    """Cars from what is known; by default arrived now, departure and energy unknown, 32 A three-phase at 230 V.

    Args:
        ids: Of the cars.
        arrays: Fields of `Cars`, each a number for all or a sequence of n.
    """
    defaults: dict[str, Any] = {
        "arrived_s": 0.0,
        "departs_s": np.inf,
        "energy_kwh": np.inf,
        "kw_per_a": 0.69,
        "floor_a": 6.0,
        "max_a": 32.0,
        "weight": 1.0,
        "priority": 0,
        "current_a": 0.0,
        "measured_a": np.nan,
        "since_s": np.inf,
        "discharge_a": 0.0,
        "stored_kwh": np.nan,
        "room_kwh": np.inf,
        "starts_s": 0.0,
    }
    unknown = arrays.keys() - defaults.keys()
    if unknown:
        raise TypeError(f"cars have no {', '.join(sorted(unknown))}")
    n = len(ids)
    filled: dict[str, Any] = {
        name: np.broadcast_to(np.asarray(value, dtype=np.int64 if name == "priority" else np.float64), (n,)).copy()
        for name, value in (defaults | arrays).items()
    }
    return Cars(ids=tuple(ids), **filled)
