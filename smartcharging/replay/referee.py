"""acnportal's own algorithms, run by acnportal's own simulator, on the same sessions, caps and steps: the referee.

acnportal (BSD-3) is a dependency of development only; it is imported when a referee is asked for. It plans currents
from 0 A up without a least current (its BASIC EVSEs), which is easier than what Narke's allocators are held to.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from time import process_time
from typing import Any

import numpy as np

from smartcharging.problem import Floats
from smartcharging.replay.beliefs import Departures, Estimates
from smartcharging.replay.engine import CHANGE_A, FULL_KWH, ROUNDING_A
from smartcharging.replay.figures import Figures, served
from smartcharging.replay.phasor_network import PhasorNetwork
from smartcharging.replay.sessions import Session
from smartcharging.replay.timeline import STEP_S, Timeline, timeline

ALGORITHMS = ("acn-edf", "acn-llf", "acn-round-robin")
CAN_BE_TOLD = (Departures.TRUE, Departures.ESTIMATED)
ROUND_ROBIN_A = 1.0
"""By how much it raises a car in its turn, as the EVSEs of Caltech step: a tenth costs ten times the time."""
MISSING = (
    "the referee needs acnportal, which is not installed: pip install 'narke[dev]', or leave it out with --no-referee"
)


class NoRefereeError(RuntimeError):
    """acnportal is not installed."""


def referee(
    sessions: Sequence[Session],
    network: PhasorNetwork,
    algorithm: str,
    *,
    departures: Departures = Departures.TRUE,
    step_s: float = STEP_S,
) -> Figures:
    """Figures of one of acnportal's algorithms.

    Args:
        sessions: In any order.
        network: One that acnportal has, too, or `single`.
        algorithm: One of `ALGORITHMS`.
        departures: TRUE or ESTIMATED: what the algorithm is told.
        step_s: Whole minutes.

    Raises:
        NoRefereeError: acnportal is not installed.
        ValueError: An unknown algorithm, or departures that acnportal cannot be told.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"no algorithm {algorithm!r} of the referee; there are {', '.join(ALGORITHMS)}")
    if departures not in CAN_BE_TOLD:
        raise ValueError("the referee knows no forecasts: true or estimated departures")
    line = timeline(sessions, network, step_s)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # acnportal 0.3.3 warns of pandas' and its own future
        acn = _Acn(network)
        simulation, seconds = acn.simulated(line, algorithm, departures)
    return _figures(line, algorithm, departures, simulation, seconds)


class _Acn:
    """What of acnportal is used; raises `NoRefereeError` where it is not there."""

    def __init__(self, network: PhasorNetwork) -> None:
        try:
            from acnportal import acnsim, algorithms  # type: ignore[import-untyped]  # noqa: PLC0415 (no types; of development)
            from acnportal.acnsim.network import sites  # type: ignore[import-untyped]  # noqa: PLC0415 (as above)
        except ImportError as error:
            raise NoRefereeError(MISSING) from error
        self._acnsim: Any = acnsim
        self._algorithms: Any = algorithms
        self._sites: Any = sites
        self._network = network

    def network(self) -> Any:
        """Theirs of the same name; under pandas 3 the matrix of some is one of objects."""
        network = self._named()
        network.constraint_matrix = np.asarray(network.constraint_matrix, dtype=np.float64)
        return network

    def _named(self) -> Any:
        cap_kw = self._network.cap_kw
        match self._network.name:
            case "caltech":
                return self._sites.caltech_acn(basic_evse=True, transformer_cap=cap_kw)
            case "jpl":
                return self._sites.jpl_acn(
                    basic_evse=True, first_transformer_cap=0.3 * cap_kw, third_fourth_transformer_cap=cap_kw
                )
            case "office":
                return self._sites.office001_acn(basic_evse=True, transformer_cap=cap_kw)
            case _:
                return self._single()

    def _single(self) -> Any:
        network = self._acnsim.ChargingNetwork()
        for evse, max_a, kw_per_a in zip(self._network.evses, self._network.max_a, self._network.kw_per_a, strict=True):
            network.register_evse(self._acnsim.EVSE(evse, max_rate=float(max_a)), float(kw_per_a) * 1000, 0)
        network.add_constraint(self._acnsim.Current(list(self._network.evses)), float(self._network.limits[0]), "site")
        return network

    def simulated(self, line: Timeline, algorithm: str, departures: Departures) -> tuple[Any, list[float]]:
        """A simulation that has run, and the seconds of each call of the algorithm."""
        scheduler = self._scheduler(algorithm)
        seconds: list[float] = []
        scheduler.run = _timed(scheduler.run, seconds)
        simulation = self._acnsim.Simulator(
            self.network(),
            scheduler,
            self._events(line, departures),
            line.start,
            period=line.step_s / 60,
            verbose=False,
        )
        simulation.run()
        return simulation, seconds

    def _scheduler(self, algorithm: str) -> Any:
        kinds = self._algorithms
        match algorithm:
            case "acn-edf":
                return kinds.SortedSchedulingAlgo(kinds.earliest_deadline_first)
            case "acn-llf":
                return kinds.SortedSchedulingAlgo(kinds.least_laxity_first)
            case _:
                return kinds.RoundRobin(kinds.first_come_first_served, continuous_inc=ROUND_ROBIN_A)

    def _events(self, line: Timeline, departures: Departures) -> Any:
        told = Estimates(line) if departures is Departures.ESTIMATED else None
        make = partial(_ev_type(self._acnsim.EV), line)
        evs = [
            make(
                number,
                self._acnsim.Battery(
                    float(line.energy_kwh[number]), 0.0, float(line.network.max_a[0] * line.network.kw_per_a[0])
                ),
                requested_kwh=float(line.energy_kwh[number] if told is None else told.energy_kwh[number]),
                departs=int(line.depart[number] if told is None else told.departs_at_s[number] // line.step_s),
            )
            for number in range(len(line.sessions))
        ]
        return self._acnsim.EventQueue([self._acnsim.PluginEvent(ev.arrival, ev) for ev in evs])


def _ev_type(base: Any) -> Callable[..., Any]:
    class Car(base):  # type: ignore[misc]  # a class of acnportal, which has no types
        """A car that is seen to be full when it is, whatever its driver asked for."""

        def __init__(self, line: Timeline, number: int, battery: Any, *, requested_kwh: float, departs: int) -> None:
            session = line.sessions[number]
            super().__init__(
                int(line.arrive[number]),
                int(line.depart[number]),
                requested_kwh,
                line.network.evses[int(line.column[number])],
                session.session_id,
                battery,
                estimated_departure=departs,
            )
            self._takes_kwh = float(line.energy_kwh[number])

        @property
        def fully_charged(self) -> bool:
            return bool(super().fully_charged) or self.energy_delivered >= self._takes_kwh - FULL_KWH

    return Car


def _timed(run: Callable[[], Any], seconds: list[float]) -> Callable[[], Any]:
    def timed() -> Any:
        began = process_time()
        try:
            return run()
        finally:
            seconds.append(process_time() - began)

    return timed


def _figures(line: Timeline, algorithm: str, departures: Departures, simulation: Any, seconds: list[float]) -> Figures:
    """Measured as `engine.Run` measures."""
    order = [simulation.network.station_ids.index(evse) for evse in line.network.evses]
    pilots: Floats = simulation.pilot_signals[order]
    rates: Floats = simulation.charging_rates[order]
    given_kwh = np.zeros(len(line.sessions))
    changes = active_steps = 0
    for number, session in enumerate(line.sessions):
        column, steps = int(line.column[number]), slice(int(line.arrive[number]), int(line.depart[number]))
        given_kwh[number] = simulation.ev_history[session.session_id].energy_delivered
        before = np.cumsum(rates[column, steps]) - rates[column, steps]
        left = line.energy_kwh[number] - before * line.energy_kwh_per_a[number]
        active = pilots[column, steps][left > FULL_KWH]
        active_steps += len(active)
        changes += int(np.count_nonzero(np.abs(np.diff(active)) >= CHANGE_A - ROUNDING_A))
    bad = line.network.violations(rates)
    return Figures(
        allocator=algorithm,
        cap_kw=line.network.cap_kw,
        departures=departures.value,
        sessions=len(line.sessions),
        requested_kwh=float(line.energy_kwh.sum()),
        delivered_kwh=float(given_kwh.sum()),
        served=served(given_kwh, line.energy_kwh),
        changes=changes,
        ev_hours=active_steps * line.step_s / 3600,
        violations=int(np.count_nonzero(bad)),
        worst_over_a=max(0.0, float(line.network.over_a(rates).max())) if bad.any() else 0.0,
        allocations=len(seconds),
    ).timed(seconds)
