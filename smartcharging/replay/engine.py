"""Plays sessions again under an allocator, in simulated time, and measures what became of them.

Steps of 5 minutes at constant voltage, as acnportal has them: at each the cars that are there and not full are one
`Problem`, and each draws what its limit lets it until it is full. What may flow is judged by the exact phasors.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from time import process_time

import msgspec
import numpy as np

from smartcharging.horizon.slots import slots
from smartcharging.problem import Aims, Allocation, Allocator, Cars, Floats, Ints, Problem
from smartcharging.replay.beliefs import Beliefs, Departures, beliefs_of
from smartcharging.replay.figures import Figures, served
from smartcharging.replay.phasor_network import PhasorNetwork
from smartcharging.replay.sessions import Session
from smartcharging.replay.timeline import STEP_S, Timeline, seconds, timeline

FULL_KWH = 1e-6
CHANGE_A = 1.0
ROUNDING_A = 1e-6
TAIL_SHARE = 0.2
TAIL_HEADROOM_A = 2.0

Slots = Callable[[datetime], Floats]


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How to replay.

    `slots`: lengths of a problem's slots from a moment on, s; None: the horizon's own (15 minutes, for a day).
    `change_price`: of `Aims`; None: its default. `tail`: cars draw less and less in the last fifth of their energy.
    `told`: is called with the share of the way that is behind, 0 to 1. `keep`: figures carry `given_kwh`.
    """

    step_s: float = STEP_S
    slots: Slots | None = None
    change_price: float | None = None
    tail: bool = False
    told: Callable[[float], None] | None = None
    keep: bool = False


def replay(
    sessions: Sequence[Session],
    network: PhasorNetwork,
    factory: Callable[[], Allocator],
    *,
    departures: Departures = Departures.TRUE,
    beliefs: Callable[[Timeline], Beliefs] | None = None,
    course: Course | None = None,
) -> Figures:
    """Figures of an allocator.

    Args:
        sessions: In any order.
        network: With its cap.
        factory: Makes the allocator, which may remember from step to step.
        departures: What it is told.
        beliefs: Makes what it is told; None: by `departures`, and a forecast begins without history.
        course: Steps, slots, how cars draw; None: the defaults.

    Raises:
        ValueError: No session, an unusable step, an allocation that is none (its shape, NaN).
    """
    chosen = course or Course()
    line = timeline(sessions, network, chosen.step_s)
    run = Run(line, factory(), (beliefs or beliefs_of(departures))(line), chosen)
    run.play()
    return run.figures(departures)


class Run:
    """One replay on its way: what the cars have, may draw and drew."""

    def __init__(self, line: Timeline, allocator: Allocator, beliefs: Beliefs, course: Course) -> None:
        count = len(line.sessions)
        self._line = line
        self._allocator = allocator
        self._beliefs = beliefs
        self._course = course
        self._ids = tuple(line.network.evses[column] for column in line.column)
        self._given_kwh = np.zeros(count)
        self._limit_a = np.zeros(count)
        self._drawn_a = np.full(count, np.nan)
        self._since = np.full(count, -1, dtype=np.int64)
        self._order = np.argsort(line.arrive, kind="stable")
        self._leaving = np.argsort(line.depart, kind="stable")
        self._changes = self._below_floor = self._violations = 0
        self._worst_over_a = 0.0
        self._waited_steps = 0
        self._seconds: list[float] = []

    def play(self) -> None:
        """All steps; where no car is that could be given anything, time passes by itself."""
        line = self._line
        there: Ints = np.zeros(0, dtype=np.int64)
        coming = going = 0
        for step in range(line.steps):
            gone = going + int(np.searchsorted(line.depart[self._leaving[going:]], step, side="right"))
            if gone > going:
                cars = self._leaving[going:gone]
                self._beliefs.left(cars, self._given_kwh[cars])
                going = gone
            until = coming + int(np.searchsorted(line.arrive[self._order[coming:]], step, side="right"))
            there = np.concatenate((there, self._order[coming:until]))
            coming = until
            wants = line.energy_kwh[there] - self._given_kwh[there] > FULL_KWH
            there = there[(line.depart[there] > step) & wants]
            if len(there):
                self._step(step, there)
            if self._course.told is not None and step % 100 == 0:
                self._course.told(step / line.steps)

    def _step(self, step: int, cars: Ints) -> None:
        problem = self._problem(step, cars)
        began = process_time()
        allocation = self._allocator.allocate(problem)
        self._seconds.append(process_time() - began)
        self._limit(step, cars, _checked(allocation, problem))
        self._draw(cars)

    def _problem(self, step: int, cars: Ints) -> Problem:
        line, network = self._line, self._line.network
        columns = line.column[cars]
        slot_s = self._slots(line.at(step))
        believed = self._beliefs.believe(step, cars, self._given_kwh[cars], slot_s)
        limits = network.polygon[1]
        shape = (len(limits), len(slot_s))
        nothing = np.zeros(len(slot_s))
        price = self._course.change_price
        aims = Aims(price=nothing, export_price=nothing, base_kw=nothing)
        return Problem(
            rows=network.allocator_rows(columns),
            limits=np.broadcast_to(limits[:, None], shape),
            exports=np.broadcast_to(0.0, shape),
            slot_s=slot_s,
            cars=Cars(
                ids=tuple(self._ids[car] for car in cars),
                arrived_s=seconds(line.arrive[cars] - step, line.step_s),
                departs_s=believed.departs_s,
                energy_kwh=believed.energy_kwh,
                kw_per_a=network.kw_per_a[columns],
                floor_a=network.min_a[columns],
                max_a=self._takes_a(cars),
                weight=np.ones(len(cars)),
                priority=np.zeros(len(cars), dtype=np.int64),
                current_a=self._limit_a[cars],
                measured_a=self._drawn_a[cars],
                since_s=np.where(self._since[cars] < 0, np.inf, (step - self._since[cars]) * line.step_s),
                discharge_a=np.zeros(len(cars)),
                stored_kwh=np.full(len(cars), np.nan),
                room_kwh=np.full(len(cars), np.inf),
                starts_s=np.zeros(len(cars)),
                stays=believed.stays,
            ),
            aims=aims if price is None else msgspec.structs.replace(aims, change_price=price),
        )

    def _slots(self, now: datetime) -> Floats:
        return slots(now)[1] if self._course.slots is None else self._course.slots(now)

    def _takes_a(self, cars: Ints) -> Floats:
        """(n,) what a car is seen to take: its most, until its meter shows for a while that it takes less."""
        most = self._line.network.max_a[self._line.column[cars]]
        drawn = self._drawn_a[cars]
        tapers = drawn < self._limit_a[cars] - CHANGE_A
        takes: Floats = np.where(tapers, np.minimum(most, np.fmax(drawn, 0) + TAIL_HEADROOM_A), most)
        return takes if self._course.tail else most

    def _limit(self, step: int, cars: Ints, current_a: Floats) -> None:
        before = self._limit_a[cars]
        new = self._line.arrive[cars] == step
        self._changes += int(np.count_nonzero(~new & (np.abs(current_a - before) >= CHANGE_A - ROUNDING_A)))
        floor = self._line.network.min_a[self._line.column[cars]]
        self._below_floor += int(np.count_nonzero((current_a > ROUNDING_A) & (current_a < floor - ROUNDING_A)))
        turned = new | ((current_a > 0) != (before > 0))
        self._since[cars[turned]] = step
        self._limit_a[cars] = current_a
        self._waited_steps += len(cars)

    def _draw(self, cars: Ints) -> None:
        """The cars draw for a step, each until it is full; the limits are looked at whenever one of them stops."""
        line = self._line
        columns = line.column[cars]
        takes = np.minimum(self._limit_a[cars], self._may_draw_a(cars))
        wanted = line.energy_kwh[cars] - self._given_kwh[cars]
        per_a = line.energy_kwh_per_a[cars]
        drawn = np.minimum(takes * per_a, wanted)
        self._judge(columns, takes, np.divide(drawn, takes * per_a, out=np.ones(len(cars)), where=takes > 0))
        self._given_kwh[cars] += drawn
        self._drawn_a[cars] = takes

    def _may_draw_a(self, cars: Ints) -> Floats:
        line = self._line
        most = line.network.max_a[line.column[cars]]
        if not self._course.tail:
            return most
        least = line.network.min_a[line.column[cars]]
        left = 1 - self._given_kwh[cars] / line.energy_kwh[cars]
        tail: Floats = least + (most - least) * np.clip(left / TAIL_SHARE, 0, 1)
        return tail

    def _judge(self, columns: Ints, takes: Floats, share: Floats) -> None:
        """Counts violations: of what may be drawn at first, and of what is left each time that a car stops."""
        stops = np.unique(share[share < 1 - 1e-9])
        moments = np.concatenate(([-1.0], stops))
        currents = np.zeros((len(self._line.network.evses), len(moments)))
        currents[columns] = np.where(share[:, None] > moments[None, :], takes[:, None], 0.0)
        bad = self._line.network.violations(currents).any(axis=1)
        if bad.any():
            self._violations += int(np.count_nonzero(bad))
            self._worst_over_a = max(self._worst_over_a, float(self._line.network.over_a(currents).max()))

    def figures(self, departures: Departures) -> Figures:
        """What it came to."""
        line = self._line
        return Figures(
            allocator=self._allocator.name,
            cap_kw=line.network.cap_kw,
            departures=departures.value,
            sessions=len(line.sessions),
            requested_kwh=float(line.energy_kwh.sum()),
            delivered_kwh=float(self._given_kwh.sum()),
            served=served(self._given_kwh, line.energy_kwh),
            changes=self._changes,
            ev_hours=self._waited_steps * line.step_s / 3600,
            violations=self._violations,
            worst_over_a=self._worst_over_a,
            below_floor=self._below_floor,
            allocations=len(self._seconds),
            given_kwh=tuple(self._given_kwh.tolist()) if self._course.keep else (),
        ).timed(self._seconds)


def _checked(allocation: Allocation, problem: Problem) -> Floats:
    current_a = np.asarray(allocation.current_a, dtype=np.float64)
    if current_a.shape != (len(problem.cars),) or not np.isfinite(current_a).all():
        raise ValueError(f"an allocation of shape {current_a.shape} for {len(problem.cars)} cars, or not finite")
    return np.clip(current_a, 0.0, problem.cars.max_a)
