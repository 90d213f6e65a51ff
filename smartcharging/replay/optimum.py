"""The most energy that could have been delivered, had all been known: the yardstick of every allocator.

A linear program over all sessions, with the exact phasors: between two arrivals or departures nothing changes, so one
variable per car and such interval says it all (currents of an interval may be averaged: limits are convex). The limits
on phasors are cut in where a solution exceeds them, until none is; cuts touch the circle from outside, so the result
is never below the true optimum, and at most `CUT_SHARE` above. No least current, no steps of current: an upper bound.
"""

from collections.abc import Callable, Sequence
from typing import Any

import highspy
import numpy as np

from smartcharging.problem import Floats, Ints
from smartcharging.replay.figures import Figures, served
from smartcharging.replay.phasor_network import Complexes, PhasorNetwork
from smartcharging.replay.sessions import Session
from smartcharging.replay.timeline import STEP_S, Timeline, timeline

CUT_SHARE = 1e-4
"""Of a limit: excess that needs no further cut."""
ROUNDS_MAX = 60
SMALL_FIRST = 1e-4
"""What a kWh for a car that wants little counts more: of all optima one that serves many."""
NAME = "optimum"


def optimum(
    sessions: Sequence[Session],
    network: PhasorNetwork,
    *,
    step_s: float = STEP_S,
    told: Callable[[float], None] | None = None,
) -> Figures:
    """Energy and sessions served with perfect foresight, on the same grid of steps as `engine.replay`.

    Raises:
        ValueError: No session.
        RuntimeError: The solver gives up (it does not on any data known).
    """
    line = timeline(sessions, network, step_s)
    given_kwh = np.zeros(len(line.sessions))
    for first, last in _spans(line):
        cars = np.flatnonzero((line.arrive >= first) & (line.depart <= last))
        given_kwh[cars] = _solved(line, cars)
        if told is not None:
            told(last / line.steps)
    return Figures(
        allocator=NAME,
        cap_kw=network.cap_kw,
        departures="true",
        sessions=len(line.sessions),
        requested_kwh=float(line.energy_kwh.sum()),
        delivered_kwh=float(given_kwh.sum()),
        served=served(given_kwh, line.energy_kwh),
        changes=0,
        ev_hours=0.0,
        optimum_kwh=float(given_kwh.sum()),
        optimum_served=served(given_kwh, line.energy_kwh),
        given_kwh=tuple(given_kwh.tolist()),
    )


def _spans(line: Timeline) -> list[tuple[int, int]]:
    """Stretches of steps between moments at which nobody is there: each is a problem of its own."""
    spans: list[tuple[int, int]] = []
    for car in np.argsort(line.arrive, kind="stable"):
        arrive, depart = int(line.arrive[car]), int(line.depart[car])
        if spans and arrive < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], depart))
        else:
            spans.append((arrive, depart))
    return spans


def _solved(line: Timeline, cars: Ints) -> Floats:
    """(n,) kWh of each of some cars that share the network with no others."""
    program = _Program(line, cars)
    for _ in range(ROUNDS_MAX):
        program.solve()
        if not program.cut():
            return program.given_kwh()
    raise RuntimeError(f"the optimum of {len(cars)} sessions is not found within {ROUNDS_MAX} rounds of cuts")


class _Program:
    """A linear program whose rows on phasors are cut in when they are needed."""

    def __init__(self, line: Timeline, cars: Ints) -> None:
        self._network = line.network
        self._cars = cars
        edges = np.unique(np.concatenate((line.arrive[cars], line.depart[cars])))
        first = np.searchsorted(edges, line.arrive[cars])
        last = np.searchsorted(edges, line.depart[cars])
        counts = last - first
        self._car = np.repeat(np.arange(len(cars)), counts)
        self._interval = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
        self._column = line.column[cars][self._car]
        self._hours = np.diff(edges)[self._interval] * (line.step_s / 3600)
        self._kwh_per_a = line.network.kw_per_a[self._column] * self._hours
        self._of_interval = [np.flatnonzero(self._interval == number) for number in range(len(edges) - 1)]
        self._solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy has no types there
        self._solver.setOptionValue("output_flag", False)  # noqa: FBT003 (the solver's own signature)
        self._add_columns(line)
        self._add_energy(line.energy_kwh[cars])
        self._current_a = np.zeros(len(self._car))

    def _add_columns(self, line: Timeline) -> None:
        count = len(self._car)
        wanted = line.energy_kwh[self._cars][self._car]
        cost = -self._kwh_per_a * (1 + SMALL_FIRST / (1 + wanted))
        nothing = np.zeros(0, dtype=np.int32)
        self._solver.addCols(
            count,
            cost,
            np.zeros(count),
            line.network.max_a[self._column],
            0,
            np.zeros(count, dtype=np.int32),
            nothing,
            np.zeros(0),
        )

    def _add_energy(self, energy_kwh: Floats) -> None:
        starts = np.searchsorted(self._car, np.arange(len(self._cars))).astype(np.int32)
        index = np.arange(len(self._car), dtype=np.int32)
        self._solver.addRows(
            len(self._cars),
            np.full(len(self._cars), -highspy.kHighsInf),
            energy_kwh,
            len(index),
            starts,
            index,
            self._kwh_per_a,
        )

    def solve(self) -> None:
        self._solver.run()
        status = self._solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"the optimum's solver says {self._solver.modelStatusToString(status)}")
        self._current_a = np.asarray(self._solver.getSolution().col_value)

    def given_kwh(self) -> Floats:
        return np.bincount(self._car, self._current_a * self._kwh_per_a, len(self._cars)).astype(np.float64)

    def cut(self) -> bool:
        """Adds the tangents where a phasor is too long; False: there is none."""
        new: list[tuple[Ints, Floats, float]] = []
        for places in self._of_interval:
            matrix: Complexes = self._network.matrix[:, self._column[places]]
            sums = matrix @ self._current_a[places]
            long = np.abs(sums) > self._network.limits * (1 + CUT_SHARE)
            for row in np.flatnonzero(long):
                tangent = np.real(np.conj(sums[row]) / abs(sums[row]) * matrix[row])
                new.append((places, tangent, float(self._network.limits[row])))
        if new:
            self._add_cuts(new)
        return bool(new)

    def _add_cuts(self, new: list[tuple[Ints, Floats, float]]) -> None:
        lengths = np.array([len(places) for places, _, _ in new])
        arguments: tuple[Any, ...] = (
            len(new),
            np.full(len(new), -highspy.kHighsInf),
            np.array([limit for _, _, limit in new]),
            int(lengths.sum()),
            np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int32),
            np.concatenate([places for places, _, _ in new]).astype(np.int32),
            np.concatenate([tangent for _, tangent, _ in new]),
        )
        self._solver.addRows(*arguments)
