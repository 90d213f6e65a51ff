"""Sessions on a network and on a grid of time steps, as arrays: what allocators and the optimum are measured on."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from smartcharging.problem import Floats, Ints
from smartcharging.replay.phasor_network import PhasorNetwork
from smartcharging.replay.sessions import Session

STEP_S = 300.0


class Timeline(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """s sessions, by arrival. Steps are numbered from `start` on; a car is there in the steps arrive <= k < depart.

    `column`: (s,) of the network's EVSE. `energy_kwh`: (s,) what the car can take. `dropped`: sessions that could not
    be placed, by reason.
    """

    network: PhasorNetwork
    sessions: tuple[Session, ...]
    start: datetime
    step_s: float
    column: Ints
    arrive: Ints
    depart: Ints
    energy_kwh: Floats
    dropped: Counter[str]

    @property
    def steps(self) -> int:
        """How many there are until the last car has left."""
        return int(self.depart.max(initial=0))

    @property
    def energy_kwh_per_a(self) -> Floats:
        """(s,) kWh that one A gives in a step."""
        per_a: Floats = self.network.kw_per_a[self.column] * (self.step_s / 3600)
        return per_a

    def at(self, step: int) -> datetime:
        """When a step begins."""
        return self.start + timedelta(seconds=step * self.step_s)


def seconds(steps: Ints, step_s: float) -> Floats:
    """How long so many steps last."""
    lasting: Floats = steps.astype(np.float64) * step_s
    return lasting


def timeline(sessions: Sequence[Session], network: PhasorNetwork, step_s: float = STEP_S) -> Timeline:
    """Places sessions on a network's EVSEs and on steps; arrivals and departures count from the step they fall into.

    A session of a station that the network does not have goes to the next EVSE that is free, the same one again where
    it can. A stay within one step gets one step.

    Raises:
        ValueError: Where the step is not positive, or there is no session.
    """
    if not step_s > 0:
        raise ValueError(f"steps of {step_s} s: must be positive")
    if not sessions:
        raise ValueError("no session to replay")
    ordered = sorted(sessions, key=lambda session: (session.arrived_at, session.station, session.session_id))
    first_s = ordered[0].arrived_at.timestamp()
    start_s = first_s - first_s % step_s
    dropped: Counter[str] = Counter()
    places = _Places(ordered, network)
    placed: list[tuple[Session, int, int, int]] = []
    for session in ordered:
        arrive = int((session.arrived_at.timestamp() - start_s) // step_s)
        depart = max(int((session.departed_at.timestamp() - start_s) // step_s), arrive + 1)
        place = places.take(session.station, arrive, depart)
        if place is None:
            dropped["no EVSE of the network was free"] += 1
            continue
        column, arrive = place
        placed.append((session, column, arrive, max(depart, arrive + 1)))
    return Timeline(
        network=network,
        sessions=tuple(one[0] for one in placed),
        start=datetime.fromtimestamp(start_s, UTC),
        step_s=step_s,
        column=np.array([one[1] for one in placed], dtype=np.int64),
        arrive=np.array([one[2] for one in placed], dtype=np.int64),
        depart=np.array([one[3] for one in placed], dtype=np.int64),
        energy_kwh=np.array([one[0].energy_kwh for one in placed]),
        dropped=dropped,
    )


class _Places:
    """Which EVSE is taken until which step."""

    def __init__(self, sessions: Sequence[Session], network: PhasorNetwork) -> None:
        self._index = network.index
        known = {self._index[session.station] for session in sessions if session.station in self._index}
        count = len(network.evses)
        self._spare = [column for column in range(count) if column not in known] or list(range(count))
        self._usual: dict[str, int] = {}
        self._until = np.zeros(count, dtype=np.int64)

    def take(self, station: str, arrive: int, depart: int) -> tuple[int, int] | None:
        """Column and step of arrival; a predecessor that leaves within the step of an arrival keeps it."""
        column = self._index.get(station)
        if column is None:
            column = self._free(station, arrive)
            if column is None:
                return None
        arrive = max(arrive, int(self._until[column]))
        self._until[column] = max(depart, arrive + 1)
        return column, arrive

    def _free(self, station: str, arrive: int) -> int | None:
        usual = self._usual.setdefault(station, self._spare[len(self._usual) % len(self._spare)])
        at = self._spare.index(usual)
        for column in self._spare[at:] + self._spare[:at]:
            if self._until[column] <= arrive:
                return column
        return None
