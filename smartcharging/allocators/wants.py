"""What each car may get in the first slot, as every allocator of ours sees it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartcharging.maxmin import Entries, entries_of
from smartcharging.pausing import NO_ROW, Admission, admit, floors_in_steps, steps_down
from smartcharging.problem import Cause, Floats, Ints, Problem

HOUR_S = 3600.0
ENOUGH_KWH = 1e-6


class Wants(NamedTuple):
    """Arrays of n cars. `floor`, `cap`: A, in steps, 0 for those that want nothing. `asking`: bool.

    `why`: int64, the `Cause` why a car that gets its cap, or asks for nothing, gets no more.
    """

    floor: Floats
    cap: Floats
    asking: NDArray[np.bool_]
    why: Ints


def wants_of(problem: Problem) -> Wants:
    """What cars want in slot 0.

    A car does not ask before `starts_s`, when it has its energy, or where its own most is below its floor. It asks
    for no more than fills what it still wants within the slot, but for its floor at least.
    """
    cars = problem.cars
    floor = floors_in_steps(cars.floor_a)
    most = steps_down(cars.max_a)
    slot_h = float(problem.slot_s[0]) / HOUR_S
    enough = floors_in_steps(np.minimum(cars.energy_kwh / (cars.kw_per_a * slot_h), most))
    done = (cars.energy_kwh <= ENOUGH_KWH) | (cars.starts_s > 0)
    asking = ~done & (most >= floor) & (most > 0)
    cap = np.where(asking, np.maximum(np.minimum(most, enough), floor), 0.0)
    why = np.where(done | (asking & (cap < most)), int(Cause.ENOUGH), int(Cause.OWN_MAX))
    return Wants(np.where(asking, floor, 0.0), cap, asking, why.astype(np.int64))


class Started(NamedTuple):
    """Cars that may charge at all, before anything above floors is shared out.

    `floor`, `cap`: (n,) A, 0 for those that wait. `entries`: the rows that may fill up. `admission`: who waits.
    """

    floor: Floats
    cap: Floats
    entries: Entries
    admission: Admission
    wants: Wants

    def reasons(self, binding: Ints) -> Ints:
        """(n,) what kept each from more: rows stay, for the rest why it is at its cap, or paused."""
        waits = self.wants.asking & ~self.admission.running
        told = np.where(binding >= 0, binding, self.wants.why)
        return np.where(waits, int(Cause.PAUSED), np.where(self.wants.asking, told, self.wants.why))

    def facts(self) -> dict[str, object]:
        """For the record: which row keeps those out that wait, by number of the car."""
        waits = np.flatnonzero(self.admission.rows != NO_ROW)
        rows = self.admission.rows[waits]
        return {"waits_for_row": dict(zip(waits.tolist(), rows.tolist(), strict=True))} if len(waits) else {}


def start(problem: Problem, order: Ints | None = None) -> Started:
    """Gives floors to those that can have one. `order`: see `smartcharging.pausing.admit`."""
    wants = wants_of(problem)
    admission = admit(problem, floor_a=wants.floor, wanting=wants.asking, order=order)
    floor = np.where(admission.running, wants.floor, 0.0)
    cap = np.where(admission.running, wants.cap, 0.0)
    return Started(floor, cap, entries_of(problem.rows.matrix, problem.limits[:, 0], cap), admission, wants)
