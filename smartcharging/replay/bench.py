"""What `narke smart-bench` runs: one job per cap, kind of departures and allocator, each on its own and repeatable."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from smartcharging.allocators import create
from smartcharging.allocators import names as allocator_names
from smartcharging.forecast import ForecastSettings
from smartcharging.planning.aims import CHANGE_PRICE
from smartcharging.replay import optimum as foresight
from smartcharging.replay import referee
from smartcharging.replay.beliefs import Departures, beliefs_of
from smartcharging.replay.caltech import NETWORKS
from smartcharging.replay.engine import Course, replay
from smartcharging.replay.figures import Figures
from smartcharging.replay.phasor_network import PhasorNetwork, single
from smartcharging.replay.sessions import Loaded, Session
from smartcharging.replay.timeline import STEP_S

TIME_ZONE = "America/Los_Angeles"
AUTO = "auto"
SINGLE = "single"
NETWORK_NAMES = (AUTO, *NETWORKS, SINGLE)

Told = Callable[[float], None]


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What is common to all jobs.

    `sessions`: replayed. `history`: from before, which forecasts may have learned from. `network`: its name, of
    `NETWORKS` or `SINGLE`. `time_zone`: of the site. `tail`: cars draw less and less when they are nearly full.
    """

    sessions: tuple[Session, ...]
    history: tuple[Session, ...] = ()
    network: str = "caltech"
    time_zone: str = TIME_ZONE
    step_s: float = STEP_S
    tail: bool = False
    change_price: float = CHANGE_PRICE


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One replay. `allocator`: by name, one of the referee's, or `optimum.NAME`."""

    cap_kw: float
    allocator: str
    departures: Departures = Departures.TRUE


def chosen(loaded: Loaded, start: datetime | None, end: datetime | None, days: int | None) -> tuple[Loaded, Loaded]:
    """Sessions to replay, and those before them.

    Args:
        loaded: All.
        start: Arrivals from here on; None: as `days` says.
        end: Arrivals before this; None: all.
        days: So many days; without `start` the last ones; None: all.
    """
    if days is not None and start is None and loaded.sessions:
        last = loaded.sessions[-1].arrived_at if end is None else end
        start = last - timedelta(days=days)
    elif days is not None and start is not None and end is None:
        end = start + timedelta(days=days)
    before = loaded.between(None, start) if start is not None else msgspec.structs.replace(loaded, sessions=())
    return loaded.between(start, end), before


def network_name(sessions: Sequence[Session], name: str = AUTO) -> str:
    """The network to replay on: for `AUTO` that which knows most of the stations, Caltech's where none knows any.

    Raises:
        ValueError: There is no network of this name.
    """
    if name not in NETWORK_NAMES:
        raise ValueError(f"no network {name!r}; there are {', '.join(NETWORK_NAMES)}")
    if name != AUTO:
        return name
    stations = {session.station for session in sessions}
    known = {each: len(stations & set(make(1.0).evses)) for each, make in NETWORKS.items()}
    return max(known, key=lambda each: known[each])


def network_of(bench: Bench, cap_kw: float) -> PhasorNetwork:
    """The network with a cap."""
    if bench.network == SINGLE:
        return single(sorted({session.station for session in bench.sessions}), cap_kw)
    return NETWORKS[bench.network](cap_kw)


def jobs_of(
    caps: Sequence[float], departures: Sequence[Departures], allocators: Sequence[str], *, with_referee: bool
) -> tuple[Job, ...]:
    """All replays, the optimum of each cap first.

    Raises:
        ValueError: There is no allocator of a name, or a cap is not positive.
    """
    known = allocator_names()
    unknown = [name for name in allocators if name not in known]
    if unknown:
        raise ValueError(f"no allocator is called {unknown[0]!r}; there are {', '.join(known)}")
    if not caps or not all(0 < cap < float("inf") for cap in caps):
        raise ValueError("a cap is a number of kW above 0")
    jobs: list[Job] = []
    for cap_kw in caps:
        jobs.append(Job(cap_kw=cap_kw, allocator=foresight.NAME))
        for kind in departures:
            jobs += [Job(cap_kw=cap_kw, allocator=name, departures=kind) for name in allocators]
            if with_referee and kind in referee.CAN_BE_TOLD:
                jobs += [Job(cap_kw=cap_kw, allocator=name, departures=kind) for name in referee.ALGORITHMS]
    return tuple(jobs)


def run(bench: Bench, job: Job, told: Told | None = None) -> Figures:
    """The figures of a job; those of the optimum are beside nothing yet (`Figures.beside`).

    Raises:
        NoReferee: acnportal is wanted and not installed.
    """
    network = network_of(bench, job.cap_kw)
    if job.allocator == foresight.NAME:
        return foresight.optimum(bench.sessions, network, step_s=bench.step_s, told=told)
    if job.allocator in referee.ALGORITHMS:
        return referee.referee(bench.sessions, network, job.allocator, departures=job.departures, step_s=bench.step_s)
    settings = ForecastSettings(time_zone=bench.time_zone)
    return replay(
        bench.sessions,
        network,
        partial(create, job.allocator),
        departures=job.departures,
        beliefs=beliefs_of(job.departures, bench.history, settings),
        course=Course(step_s=bench.step_s, tail=bench.tail, change_price=bench.change_price, told=told),
    )


def beside_optimum(figures: Sequence[Figures]) -> list[Figures]:
    """All but the optima, each with that of its cap."""
    optima = {one.cap_kw: one for one in figures if one.allocator == foresight.NAME}
    return [one.beside(optima[one.cap_kw]) for one in figures if one.allocator != foresight.NAME]


def won_back_percent(
    figures: Sequence[Figures], cap_kw: float, allocator: str, departures: Departures, *, edf: str = "edf"
) -> float | None:
    """How much of what EDF loses to the optimum under the drivers' estimates an allocator does not lose.

    `edf`: whose, ours or the referee's. None: one of the two was not run, or EDF loses nothing.
    """
    mine = _energy(figures, cap_kw, allocator, departures)
    lost = _energy(figures, cap_kw, edf, Departures.ESTIMATED)
    if mine is None or lost is None or lost >= 100:
        return None
    return 100 * (mine - lost) / (100 - lost)


def truth_won_back_percent(
    figures: Sequence[Figures], cap_kw: float, allocator: str, departures: Departures, *, edf: str = "edf"
) -> float | None:
    """How much of what EDF loses by the drivers' estimates, beside itself told the truth, an allocator does not lose.

    Above 100: it does better than EDF that knows the departures. None: as `won_back_percent`.
    """
    mine = _energy(figures, cap_kw, allocator, departures)
    knowing, told = (_energy(figures, cap_kw, edf, kind) for kind in (Departures.TRUE, Departures.ESTIMATED))
    if mine is None or knowing is None or told is None or knowing <= told:
        return None
    return 100 * (mine - told) / (knowing - told)


def _energy(figures: Sequence[Figures], cap_kw: float, allocator: str, departures: Departures) -> float | None:
    found = [
        one.energy_of_optimum_percent
        for one in figures
        if (one.cap_kw, one.allocator, one.departures) == (cap_kw, allocator, departures.value)
    ]
    return found[0] if found else None
