"""Sessions and allocators for the tests of the replay."""

from datetime import UTC, datetime, timedelta

import numpy as np

from smartcharging.problem import Allocation
from smartcharging.replay.sessions import Session

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


def session(number=0, *, station="CA-148", at_h=8.0, stay_h=4.0, energy_kwh=10.0, **more):
    """A stay, hours counted from midnight."""
    arrived_at = MIDNIGHT + timedelta(hours=at_h)
    return Session(
        session_id=f"s{number}",
        station=station,
        arrived_at=arrived_at,
        departed_at=arrived_at + timedelta(hours=stay_h),
        energy_kwh=energy_kwh,
        **more,
    )


class Says:
    """An allocator that does what a function of the problem says; it keeps the problems."""

    name = "says"

    def __init__(self, currents):
        self._currents = currents
        self.problems = []

    def allocate(self, problem):
        self.problems.append(problem)
        current_a = np.broadcast_to(np.asarray(self._currents(problem), dtype=float), (len(problem.cars),)).copy()
        return Allocation(current_a=current_a, binding=np.full(len(problem.cars), -1))
