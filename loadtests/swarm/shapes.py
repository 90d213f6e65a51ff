"""A shape class for each named scenario: starts users, then lets happen what the scenario says, in all processes."""

from time import perf_counter
from typing import ClassVar

from locust import LoadTestShape

from loadtests.swarm.scenarios import PLANS, Happening, Plan

HAPPENING = "swarm-happening"
"""Type of the message to the processes that have stations."""
USERS_DEFAULT = 100
SPAWN_PER_S_DEFAULT = 50.0
DEMAND_STEP = 0.02
"""Demand is told again when it changed by so much."""
SPAWN_S_SPARE = 30.0
"""Users that are not there so long after they should be are not waited for."""

Tick = tuple[int, float]


class ScenarioShape(LoadTestShape):
    """Plays a plan. `--users`, `--spawn-rate` and `--run-time` hold as without a shape."""

    abstract: ClassVar[bool] = True
    use_common_options: ClassVar[bool] = True
    plan: ClassVar[Plan]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Locust's is not typed
        self._began_s: float | None = None
        self._told = 0
        self._demand = self.plan.demand(0.0)

    def reset_time(self) -> None:
        """A test begins."""
        super().reset_time()  # type: ignore[no-untyped-call]  # Locust's is not typed
        self._began_s, self._told, self._demand = None, 0, self.plan.demand(0.0)

    def tick(self) -> Tick | None:
        """Asked once a second by Locust; not while users are being started."""
        users, rate, lasts_s = self._wanted()
        now_s = perf_counter() - self.start_time
        if now_s >= lasts_s:
            return None
        if self._began_s is None:
            if self.runner is not None and self.runner.user_count < users and now_s < users / rate + SPAWN_S_SPARE:
                return users, rate
            self._began_s = now_s
        at_s = now_s - self._began_s
        if lasts_s == float("inf") and at_s >= self.plan.lasts_s:
            return None
        self._play(at_s)
        return max(1, round(users * self.plan.users(at_s))), rate

    def _wanted(self) -> tuple[int, float, float]:
        """Users, how many start in a second, and how long all of it lasts; infinite: as the plan says."""
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        users = getattr(options, "num_users", None) or USERS_DEFAULT
        rate = getattr(options, "spawn_rate", None) or SPAWN_PER_S_DEFAULT
        lasts_s = getattr(options, "run_time", None) or float("inf")
        return int(users), float(rate), float(lasts_s)

    def _play(self, at_s: float) -> None:
        while self._told < len(self.plan.happenings) and self.plan.happenings[self._told][0] <= at_s:
            self._tell(self.plan.happenings[self._told][1])
            self._told += 1
        self._tell_demand(self.plan.demand(at_s))

    def _tell_demand(self, demand: float) -> None:
        if abs(demand - self._demand) >= DEMAND_STEP:
            self._demand = demand
            self._tell(Happening("demand", demand))

    def _tell(self, happening: Happening) -> None:
        assert self.runner is not None
        self.runner.send_message(HAPPENING, happening.as_message())


class SteadyDay(ScenarioShape):
    """Cars come and go at all hours."""

    abstract: ClassVar[bool] = False
    plan: ClassVar[Plan] = PLANS["steady_day"]


class MorningPeak(ScenarioShape):
    """Everybody comes to work."""

    abstract: ClassVar[bool] = False
    plan: ClassVar[Plan] = PLANS["morning_peak"]


class ReconnectStorm(ScenarioShape):
    """All connections are lost, and all come back at once."""

    abstract: ClassVar[bool] = False
    plan: ClassVar[Plan] = PLANS["reconnect_storm"]


class IngressRestart(ScenarioShape):
    """Half of the connections are reset at once."""

    abstract: ClassVar[bool] = False
    plan: ClassVar[Plan] = PLANS["ingress_restart"]


class FirmwareWave(ScenarioShape):
    """All stations get new firmware."""

    abstract: ClassVar[bool] = False
    plan: ClassVar[Plan] = PLANS["firmware_wave"]


class FlappingCell(ScenarioShape):
    """A radio cell comes and goes."""

    abstract: ClassVar[bool] = False
    plan: ClassVar[Plan] = PLANS["flapping_cell"]


class Blackout(ScenarioShape):
    """A region loses power, and boots at once."""

    abstract: ClassVar[bool] = False
    plan: ClassVar[Plan] = PLANS["blackout"]


class SlowConsumers(ScenarioShape):
    """Some stations read slowly and ask much; the others must feel nothing."""

    abstract: ClassVar[bool] = False
    plan: ClassVar[Plan] = PLANS["slow_consumers"]


def name_of(shape: LoadTestShape | None) -> str:
    """The scenario's name, as `--shape` takes it; empty: none of ours."""
    return next((name for name, kind in SHAPE_OF_NAME.items() if type(shape) is kind), "")


SHAPE_OF_NAME: dict[str, type[ScenarioShape]] = {
    "steady_day": SteadyDay,
    "morning_peak": MorningPeak,
    "reconnect_storm": ReconnectStorm,
    "ingress_restart": IngressRestart,
    "firmware_wave": FirmwareWave,
    "flapping_cell": FlappingCell,
    "blackout": Blackout,
    "slow_consumers": SlowConsumers,
}
