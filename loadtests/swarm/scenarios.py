"""The named scenarios: what happens to the swarm, and when. Pure; `shapes` plays them, `swarm` does what they say.

Names and defaults are those of `narke fleet --scenario`. Times are s after all users were started.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import erf, sqrt
from typing import Any, Literal

What = Literal["demand", "cut", "power_cut", "firmware", "slow"]

RECOVERY_S = 30.0
"""After the last thing that happens, for all to come back."""


@dataclass(frozen=True)
class Happening:
    """Something that happens to a share of the stations.

    Attributes:
        what: `demand`: so many stations want to charge from now on. `cut`: connections are lost. `power_cut`: power is
            lost, so stations boot afterwards. `firmware`: stations get new firmware. `slow`: stations read slowly.
        share: Of the stations, 0 to 1.
        away_s: Cut: nobody is back earlier.
        spread_s: Stations are hit one after the other within this time; 0: all at once.
    """

    what: What
    share: float = 1.0
    away_s: float = 0.0
    spread_s: float = 0.0

    def as_message(self) -> dict[str, Any]:
        """For the other processes."""
        return asdict(self)


def happening_of(message: dict[str, Any]) -> Happening:
    """What another process said."""
    return Happening(**message)


@dataclass(frozen=True)
class Plan:
    """A scenario.

    Attributes:
        lasts_s: How long, unless `--run-time` says otherwise.
        happenings: What happens, by time.
        demand: Share of the stations that want to charge, by time.
        users: Share of `--users` that is there, by time.
    """

    lasts_s: float
    happenings: tuple[tuple[float, Happening], ...] = ()
    demand: Callable[[float], float] = lambda _: 1.0
    users: Callable[[float], float] = lambda _: 1.0


def _bell(peak_s: float, spread_s: float, share: float) -> Callable[[float], float]:
    """How many have come when arrivals follow a bell curve."""
    return lambda at_s: share * 0.5 * (1.0 + erf((at_s - peak_s) / (spread_s * sqrt(2.0))))


def _flaps(at_s: float, share: float, period_s: float, times: int) -> tuple[tuple[float, Happening], ...]:
    gone = Happening("cut", share, away_s=period_s / 2)
    return tuple((at_s + turn * period_s, gone) for turn in range(times))


PLANS: dict[str, Plan] = {
    # cars come and go at all hours
    "steady_day": Plan(600.0, demand=lambda _: 0.5),
    # nobody charges, then nearly everybody comes within a minute; operators and all stations are there from the start
    "morning_peak": Plan(60.0 + 3 * 15.0 + RECOVERY_S, demand=_bell(60.0, 15.0, 0.9)),
    # all connections are lost at the same moment, and all come back at once
    "reconnect_storm": Plan(20.0 + RECOVERY_S, ((20.0, Happening("cut")),)),
    # half of the connections are reset at once
    "ingress_restart": Plan(20.0 + RECOVERY_S, ((20.0, Happening("cut", 0.5)),)),
    # every station updates within 20 s, and boots
    "firmware_wave": Plan(20.0 + 20.0 + RECOVERY_S, ((20.0, Happening("firmware", spread_s=20.0)),)),
    # a fifth of the stations is gone for half of each 10 s, four times
    "flapping_cell": Plan(15.0 + 40.0 + RECOVERY_S, _flaps(15.0, 0.2, 10.0, 4)),
    # a third has no power for 15 s, then boots at once
    "blackout": Plan(20.0 + 15.0 + RECOVERY_S, ((20.0, Happening("power_cut", 0.3, away_s=15.0)),)),
    # a tenth reads a frame a second and asks twenty times a second
    "slow_consumers": Plan(60.0, ((0.0, Happening("slow", 0.1)),)),
}
