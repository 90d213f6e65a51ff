"""The named scenarios: a day, a peak, storms, restarts, waves, and what must hold after each.

Times are real seconds after the last station began to connect; `share`s are of the whole fleet, 0 to 1. All parameters
can be given: `narke fleet --scenario reconnect_storm:at_s=60,boot=true`.
"""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from loadtests.behaviour import Behaviour
from loadtests.behaviours import SlowReader
from loadtests.invariants import everybody_back, p99_below
from loadtests.link import Malformed
from loadtests.scenario import Invariant, Scenario, Stage
from loadtests.station import Station
from loadtests.wording import Payload

DAY_S = 86_400.0
NEVER_S = 1e6
RECOVERY_S = 30.0
"""A scenario needs so long after its last event, for all to come back and to be judged."""


@dataclass(frozen=True)
class SteadyDay(Scenario):
    """A day in `day_s`: cars come and go at all connectors at all hours, meter values every 15 minutes of that day."""

    day_s: float = 600.0
    p99_ms_max: float = 1_000.0

    @property
    def speed(self) -> float:
        """Seconds of the day in a real second."""
        return DAY_S / self.day_s

    def habits(self) -> Mapping[str, object]:
        """Charges of half an hour to four hours, gaps of as long."""
        charge_s = [1_800.0 / self.speed, 14_400.0 / self.speed]
        return {
            "speed": self.speed,
            "meter_interval_s": 900.0 / self.speed,
            "charge_s": charge_s,
            "idle_s": charge_s,
            "first_charge_s_max": charge_s[1],
        }

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """Nothing is ever late."""
        return (p99_below(self.p99_ms_max),)


@dataclass(frozen=True)
class MorningPeak(Scenario):
    """Everybody comes to work: a car for `share` of the connectors, on a bell curve `spread_s` wide around `peak_s`."""

    peak_s: float = 60.0
    spread_s: float = 15.0
    share: float = 0.9

    @property
    def needs_s(self) -> float:
        """Three spreads after the peak."""
        return self.peak_s + 3 * self.spread_s

    def habits(self) -> Mapping[str, object]:
        """Drivers come only when the scenario sends them, and stay."""
        return {"first_charge_s_max": NEVER_S, "idle_s": [NEVER_S, NEVER_S], "charge_s": [NEVER_S, NEVER_S]}

    async def play(self, stage: Stage) -> None:
        """Sends the drivers."""
        coming = sorted(
            (min(max(0.0, stage.chance.gauss(self.peak_s, self.spread_s)), self.needs_s), number)
            for number, station in enumerate(stage.stations)
            for _ in station.connectors
            if stage.chance.random() < self.share
        )
        for at_s, number in coming:
            await stage.until(at_s)
            if not stage.send_driver(stage.stations[number]):
                stage.stations[number].statistics.count("drivers that found no place")


@dataclass(frozen=True)
class ReconnectStorm(Scenario):
    """All connections are lost at the same moment, and all come back at once; `boot`: power was lost, so all boot."""

    at_s: float = 20.0
    boot: bool = False
    within_s: float = 60.0

    @property
    def needs_s(self) -> float:
        """With time to recover."""
        return self.at_s + RECOVERY_S

    async def play(self, stage: Stage) -> None:
        """The storm."""
        await stage.until(self.at_s)
        stage.wave("reconnect storm", stage.stations, boots=self.boot)
        for station in stage.stations:
            if self.boot:
                stage.cut_power(station, 0.0)
            else:
                station.link.drop()

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """All are back in time."""
        return (everybody_back(self.within_s),)


@dataclass(frozen=True)
class IngressRestart(Scenario):
    """An ingress dies: `share` of the connections are reset at once and come back by back-off.

    `pid`: the process that is really killed (kill -9), on this machine; 0: the fleet cuts the connections by itself.
    """

    at_s: float = 20.0
    share: float = 0.5
    pid: int = 0
    within_s: float = 60.0

    @property
    def needs_s(self) -> float:
        """With time to recover."""
        return self.at_s + RECOVERY_S

    async def play(self, stage: Stage) -> None:
        """The crash."""
        await stage.until(self.at_s)
        if self.pid:
            if stage.is_first:
                os.kill(self.pid, signal.SIGKILL)
            await asyncio.sleep(0.1)  # resets take a moment, the first back-off takes longer
            lost = [station for station in stage.stations if not station.link.is_up]
            stage.wave("ingress restart", lost, boots=False)
            return
        lost = stage.region(self.share)
        stage.wave("ingress restart", lost, boots=False)
        for station in lost:
            station.link.drop()

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """All are back in time."""
        return (everybody_back(self.within_s),)


@dataclass(frozen=True)
class FirmwareWave(Scenario):
    """Every station gets new firmware within `over_s`: it says each step of the update and boots."""

    at_s: float = 20.0
    over_s: float = 20.0
    within_s: float = 180.0

    @property
    def needs_s(self) -> float:
        """With time to download, install and boot."""
        return self.at_s + self.over_s + 3 * RECOVERY_S

    async def play(self, stage: Stage) -> None:
        """One after the other."""
        await stage.until(self.at_s)
        stage.wave("firmware wave", stage.stations, boots=True)
        stations = list(stage.stations)
        stage.chance.shuffle(stations)
        for number, station in enumerate(stations):
            await stage.until(self.at_s + self.over_s * number / len(stations))
            self._update(stage, station, number)

    @staticmethod
    def _update(stage: Stage, station: Station, number: int) -> None:
        try:
            answer = station.link.obey("UpdateFirmware", _firmware(station, number))
        except Malformed:
            answer = None
        if answer is None:
            station.statistics.count("firmware updates not understood")
            stage.cut_power(station, 0.0)

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """All booted in time."""
        return (everybody_back(self.within_s),)


@dataclass(frozen=True)
class FlappingCell(Scenario):
    """A radio cell (`share` of the stations) is gone for `1 - duty` of each `period_s`, `times` times, all at once."""

    at_s: float = 15.0
    share: float = 0.2
    period_s: float = 10.0
    duty: float = 0.5
    times: int = 4
    within_s: float = 60.0

    @property
    def needs_s(self) -> float:
        """With time to recover."""
        return self.at_s + self.times * self.period_s + RECOVERY_S

    async def play(self, stage: Stage) -> None:
        """Gone and back."""
        away_s = self.period_s * (1.0 - self.duty)
        cell = stage.region(self.share)
        for turn in range(self.times):
            await stage.until(self.at_s + turn * self.period_s)
            for station in cell:
                station.link.stay_away(away_s)
            await stage.until(self.at_s + turn * self.period_s + away_s)
        stage.wave("the radio cell is back for good", cell, boots=False)

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """All are back in time."""
        return (everybody_back(self.within_s),)


@dataclass(frozen=True)
class Blackout(Scenario):
    """A region (`share` of the stations) has no power for `off_s`; then all of it comes back at once and boots."""

    at_s: float = 20.0
    share: float = 0.3
    off_s: float = 15.0
    within_s: float = 60.0

    @property
    def needs_s(self) -> float:
        """With time to recover."""
        return self.at_s + self.off_s + RECOVERY_S

    async def play(self, stage: Stage) -> None:
        """Dark, then light."""
        region = stage.region(self.share)
        await stage.until(self.at_s)
        for station in region:
            stage.cut_power(station, self.off_s)
        await stage.until(self.at_s + self.off_s)
        stage.wave("power is back", region, boots=True)

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """All are back in time."""
        return (everybody_back(self.within_s),)


@dataclass(frozen=True)
class SlowConsumers(Scenario):
    """A `share` of the stations read `frames_per_s` and go on asking; the others must feel nothing."""

    share: float = 0.1
    frames_per_s: float = 1.0
    asks_per_s: float = 20.0
    p99_ms_max: float = 1_000.0

    def behaviour(self, rank: float) -> Behaviour | None:
        """The first stations."""
        return SlowReader(frames_per_s=self.frames_per_s, asks_per_s=self.asks_per_s) if rank < self.share else None

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """The others are served as ever."""
        return (p99_below(self.p99_ms_max),)


SCENARIOS: dict[str, type[Scenario]] = {
    "steady_day": SteadyDay,
    "morning_peak": MorningPeak,
    "reconnect_storm": ReconnectStorm,
    "ingress_restart": IngressRestart,
    "firmware_wave": FirmwareWave,
    "flapping_cell": FlappingCell,
    "blackout": Blackout,
    "slow_consumers": SlowConsumers,
}


def _firmware(station: Station, number: int) -> Payload:
    """UpdateFirmware as the version says it (1.6 section 6.55; 2.1 L01)."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    location = "https://firmware.example/virtual-22.bin"
    if station.version == "1.6":
        return {"location": location, "retrieveDate": now}
    return {"requestId": number + 1, "firmware": {"location": location, "retrieveDateTime": now}}
