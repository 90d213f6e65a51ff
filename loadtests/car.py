"""A car that charges: power over time, energy and state of charge.

Power ramps up for half a minute, stays at the least of the car's and the station's limit, and tails off above 80 %
state of charge, as lithium cells demand. Time is an argument.
"""

from dataclasses import dataclass

RAMP_S = 30.0
TAIL_FROM = 0.8
TAIL_POWER_SHARE_MIN = 0.08
NOMINAL_V = 230.0


@dataclass
class Car:
    """One car at one connector.

    Attributes:
        battery_wh: Size of the battery.
        soc: State of charge, 0 to 1.
        power_w_max: What its charger takes at most.
        phases: 1 or 3.
    """

    battery_wh: float
    soc: float
    power_w_max: float
    phases: int
    plugged_s: float = 0.0

    def power_w(self, limit_w: float) -> float:
        """What it draws now under a limit; below 6 A per phase an AC car stops."""
        if self.soc >= 1.0 or limit_w < 6 * NOMINAL_V * self.phases:
            return 0.0
        ramp = min(1.0, self.plugged_s / RAMP_S)
        tail = 1.0
        if self.soc > TAIL_FROM:
            tail = max(TAIL_POWER_SHARE_MIN, (1.0 - self.soc) / (1.0 - TAIL_FROM))
        return min(self.power_w_max * ramp * tail, limit_w)

    def charge(self, seconds: float, limit_w: float) -> float:
        """Lets time pass; returns the energy taken in Wh."""
        self.plugged_s += seconds
        energy_wh = min(self.power_w(limit_w) * seconds / 3600.0, (1.0 - self.soc) * self.battery_wh)
        self.soc = min(1.0, self.soc + energy_wh / self.battery_wh)
        return energy_wh

    def current_a(self, limit_w: float) -> float:
        """Current per phase in A."""
        return self.power_w(limit_w) / (NOMINAL_V * self.phases)
