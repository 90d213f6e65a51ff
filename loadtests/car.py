"""A car that charges: power over time, energy and state of charge.

Power ramps up for half a minute, stays at the least of the car's and the station's limit, and tails off above 80 %
state of charge, as lithium cells demand. Limits are per phase, as cables and fuses have them. Time is an argument.
"""

import math
from dataclasses import dataclass

RAMP_S = 30.0
TAIL_FROM = 0.8
TAIL_POWER_SHARE_MIN = 0.08
NOMINAL_V = 230.0
CURRENT_A_MIN = 6.0
"""Below this an AC car may not charge (IEC 61851-1)."""
PHASES_MAX = 3
STEP_S = 10.0
STEPS_MAX = 500
"""Long times are cut into steps, for power changes within them; beyond this many the steps grow."""
FULL_WH = 0.5
"""What is missing less than this is full: the tail would take for ever."""


@dataclass(slots=True)
class Car:
    """One car at one connector. Where fewer phases are given than it has, it draws less on each of its own.

    Attributes:
        battery_wh: Size of the battery.
        soc: State of charge, 0 to 1.
        power_w_max: What its charger takes at most, over all phases.
        phases: 1, 2 or 3: the first so many conductors of the connector.
        charging_s: Since it began to draw; it starts anew after a pause.
        ramp_s: From nothing to all that it takes.
        minimum_a: Below it, A per phase, it stops.
        wake_s: After a pause it sleeps for so long before it draws again; inf: until somebody plugs it in anew.
        modesty: What it draws at most of what it is allowed, 0 to 1.
        paused: Whether it was stopped by a limit since it last drew.
        asleep_s: What is left of its sleep.
    """

    battery_wh: float
    soc: float
    power_w_max: float
    phases: int
    charging_s: float = 0.0
    ramp_s: float = RAMP_S
    minimum_a: float = CURRENT_A_MIN
    wake_s: float = 0.0
    modesty: float = 1.0
    paused: bool = False
    asleep_s: float = 0.0

    @property
    def full(self) -> bool:
        """Nothing more goes in."""
        return self.missing_wh <= 0.0

    @property
    def missing_wh(self) -> float:
        """What still goes into the battery."""
        missing_wh = (1.0 - self.soc) * self.battery_wh
        return missing_wh if missing_wh > FULL_WH else 0.0

    @property
    def asleep(self) -> bool:
        """It would not draw now whatever it was allowed: it sleeps, or will, since it was stopped."""
        return self.asleep_s > 0.0 or (self.paused and self.wake_s > 0.0)

    def power_w(self, limit_a: float, phases: int = PHASES_MAX) -> float:
        """What it draws now under a limit per phase in A; 0.0 when full, asleep or below its least."""
        if self.full or limit_a < self.minimum_a or self.asleep:
            return 0.0
        ramp = min(1.0, self.charging_s / self.ramp_s) if self.ramp_s > 0.0 else 1.0
        tail = 1.0
        if self.soc > TAIL_FROM:
            tail = max(TAIL_POWER_SHARE_MIN, (1.0 - self.soc) / (1.0 - TAIL_FROM))
        used = min(phases, self.phases)
        allowed_w = limit_a * NOMINAL_V * used * self.modesty
        return min(self.power_w_max * used / self.phases * ramp * tail, allowed_w)

    def charge(self, seconds: float, limit_a: float, phases: int = PHASES_MAX) -> float:
        """Lets time pass under a limit per phase in A; returns the energy taken in Wh."""
        if limit_a < self.minimum_a:
            self.paused = self.paused or self.charging_s > 0.0
            self.charging_s = 0.0
            return 0.0
        seconds = self._sleep(seconds)
        steps = min(STEPS_MAX, max(1, math.ceil(seconds / STEP_S)))
        step_s = seconds / steps
        energy_wh = 0.0
        for _ in range(steps):
            if self.full or self.asleep:
                break
            energy_wh += self._step(step_s, limit_a, phases)
        return energy_wh

    def _sleep(self, seconds: float) -> float:
        """It may charge again after a pause: what is left of the time once it woke up."""
        if self.paused:
            self.paused, self.asleep_s = False, self.wake_s
        slept_s = min(seconds, self.asleep_s)
        self.asleep_s -= slept_s
        return seconds - slept_s

    def _step(self, step_s: float, limit_a: float, phases: int) -> float:
        self.charging_s += step_s / 2  # the power in the middle of the step stands for all of it
        energy_wh = min(self.power_w(limit_a, phases) * step_s / 3600.0, self.missing_wh)
        self.charging_s += step_s / 2
        self.soc = min(1.0, self.soc + energy_wh / self.battery_wh)
        return energy_wh

    def current_a(self, limit_a: float, phases: int = PHASES_MAX) -> float:
        """Current per phase in A at nominal voltage."""
        return self.power_w(limit_a, phases) / (NOMINAL_V * min(phases, self.phases))
