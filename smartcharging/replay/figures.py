"""What a replay came to: energy, sessions served, changes, violations, solve times."""

from collections.abc import Sequence

import msgspec
import numpy as np

from smartcharging.problem import Floats

SERVED_KWH = 0.1
"""Missing less than this, a session is fully served (as `acnportal.acnsim.proportion_of_demands_met`)."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Of one allocator at one cap.

    `served`: sessions that got all but `SERVED_KWH`. `changes`: of a car's limit by 1 A or more while it is charging;
    the first limit, and the end of its charging, are none. `ev_hours`: that cars were charging or waiting to.
    `violations`: rows and steps in which a limit was exceeded, `worst_over_a` by at most. `below_floor`: limits between
    0 and an EVSE's least current. `solve_ms_*`: CPU time of one allocation. `given_kwh`: by session, in order.
    `optimum_kwh`, `optimum_served`: of the offline optimum; None: not reckoned.
    """

    allocator: str
    cap_kw: float
    departures: str
    sessions: int
    requested_kwh: float
    delivered_kwh: float
    served: int
    changes: int
    ev_hours: float
    violations: int = 0
    worst_over_a: float = 0.0
    below_floor: int = 0
    allocations: int = 0
    solve_ms_p50: float = 0.0
    solve_ms_p99: float = 0.0
    solve_ms_max: float = 0.0
    optimum_kwh: float | None = None
    optimum_served: int | None = None
    given_kwh: tuple[float, ...] = ()

    @property
    def energy_percent(self) -> float:
        """Delivered of requested."""
        return 100 * self.delivered_kwh / self.requested_kwh

    @property
    def served_percent(self) -> float:
        """Fully served of all sessions."""
        return 100 * self.served / self.sessions

    @property
    def energy_of_optimum_percent(self) -> float | None:
        """Delivered of what could have been."""
        return None if not self.optimum_kwh else 100 * self.delivered_kwh / self.optimum_kwh

    @property
    def served_of_optimum_percent(self) -> float | None:
        """Fully served of those whom the optimum serves fully."""
        return None if not self.optimum_served else 100 * self.served / self.optimum_served

    @property
    def changes_per_ev_hour(self) -> float:
        """Messages that a car costs."""
        return self.changes / self.ev_hours if self.ev_hours else 0.0

    def timed(self, seconds: Sequence[float]) -> "Figures":
        """With the solve times of its allocations."""
        if not seconds:
            return self
        p50, p99, top = np.percentile(np.asarray(seconds) * 1000, [50, 99, 100]).tolist()
        return msgspec.structs.replace(self, solve_ms_p50=p50, solve_ms_p99=p99, solve_ms_max=top)

    def beside(self, optimum: "Figures") -> "Figures":
        """With the optimum of the same sessions and cap."""
        return msgspec.structs.replace(self, optimum_kwh=optimum.delivered_kwh, optimum_served=optimum.served)


def served(given_kwh: Floats, energy_kwh: Floats) -> int:
    """How many sessions got all but `SERVED_KWH`."""
    return int(np.count_nonzero(given_kwh >= energy_kwh - SERVED_KWH))
