"""A building beside the cars: what it draws over time, and the station whose main meter tells of it.

It moves slowly and without jumps, so that what a planner must keep free for it can be said beforehand.
"""

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from loadtests.station import Station
from loadtests.wording import Payload
from loadtests.wording.words import CURRENT, POWER, stamp

VOLTAGE_V = 230.0
_PHASES = ("L1", "L2", "L3")


@dataclass(frozen=True)
class Building:
    """Draws between nearly nothing and `kw_max`, in two slow waves; its lines share it unevenly.

    Attributes:
        period_s: Of the longer wave; the other one is half as long.
        phase: Where it begins, 0 to 1.
        shares: Of L1, L2, L3; they sum to 1.
    """

    kw_max: float
    period_s: float
    phase: float
    shares: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)

    def kw(self, at: float) -> tuple[float, float, float]:
        """By line at a moment, seconds since 1970."""
        turn = 2.0 * math.pi * (at / self.period_s + self.phase)
        wave = 0.5 + 0.35 * math.sin(turn) + 0.1 * math.sin(2.0 * turn)
        total = self.kw_max * wave
        return (total * self.shares[0], total * self.shares[1], total * self.shares[2])

    @property
    def kw_per_s_max(self) -> float:
        """How fast it can rise."""
        return self.kw_max * 2.0 * math.pi / self.period_s * (0.35 + 0.2)


def building_of(kw_max: float, chance: random.Random, *, kw_per_s_max: float) -> Building:
    """One that stays below `kw_max` and rises by `kw_per_s_max` at most."""
    period_s = kw_max * 2.0 * math.pi * (0.35 + 0.2) / kw_per_s_max
    return Building(kw_max, period_s * chance.uniform(1.0, 1.5), chance.random())


def main_meter_values(version: str, kw: tuple[float, float, float], at: Payload | str) -> Payload:
    """MeterValues of the main meter: connector 0 (1.6 section 3.16), EVSE 0 (2.x J01)."""
    old = version == "1.6"
    sampled: list[Payload] = []
    for phase, each in zip(_PHASES, kw, strict=True):
        current, power = each * 1000.0 / VOLTAGE_V, each * 1000.0
        if old:
            sampled.append({"value": f"{current:.2f}", "measurand": CURRENT, "phase": phase, "unit": "A"})
            sampled.append({"value": f"{power:.1f}", "measurand": POWER, "phase": phase, "unit": "W"})
        else:
            amperes, watts = {"unit": "A"}, {"unit": "W"}
            sampled.append({"value": round(current, 2), "measurand": CURRENT, "phase": phase, "unitOfMeasure": amperes})
            sampled.append({"value": round(power, 1), "measurand": POWER, "phase": phase, "unitOfMeasure": watts})
    values = [{"timestamp": at, "sampledValue": sampled}]
    return {"connectorId": 0, "meterValue": values} if old else {"evseId": 0, "meterValue": values}


async def tell_building(station: Station, kw: Callable[[], tuple[float, float, float]], interval_s: float) -> None:
    """Its main meter's values again and again, while it is connected, until cancelled."""
    while True:
        if station.registered and station.link.is_up:
            station.tell("MeterValues", main_meter_values(station.version, kw(), stamp(station.now())))
        await asyncio.sleep(interval_s)
