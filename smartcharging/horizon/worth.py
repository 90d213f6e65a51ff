"""What a kWh is worth to a car, beside others: the choice between energy and sessions that are served in full.

All kWh are worth `unserved_price` times the car's weight; each step of priority doubles it. Who needs little is worth
somewhat more (`SMALL_FIRST`; less where departures are guessed, for there it costs more energy), so where not all can
be served the lack falls on few cars, and the sum of energy suffers little: without it every car lacks a bit and hardly
any session is served in full. It is bounded: it decides between cars that are alike in time, it does not starve the
others.
"""

import numpy as np

from smartcharging.problem import Aims, Cars, Floats

SMALL_FIRST = 0.3
"""How much more a kWh is worth to a car that needs next to nothing."""
SMALL_FIRST_UNSURE = 0.05
"""The same where somebody knows how uncertain departures are (`Cars.stays`)."""
SMALL_KWH = 5.0
"""What a car needs for which it is half of that."""
PRIORITY_FACTOR = 2.0
PRIORITY_STEPS_MAX = 10
USUAL_KWH = 15.0
"""What a car is taken to want whose need is not known."""
UNKNOWN_KWH = (5.0, 10.0, 20.0, np.inf)
UNKNOWN_WORTH = (1.0, 0.6, 0.3, 0.1)
"""Of a car whose need is not known: how likely it is to take the next so many kWh at all."""


def worth(cars: Cars, aims: Aims) -> Floats:
    """(n,) money per kWh."""
    wanted_kwh = np.where(np.isfinite(cars.energy_kwh), cars.energy_kwh, USUAL_KWH)
    first = SMALL_FIRST if cars.stays is None else SMALL_FIRST_UNSURE
    small = 1.0 + first / (1.0 + np.maximum(wanted_kwh, 0.0) / SMALL_KWH)
    steps = np.clip(cars.priority - (cars.priority.min() if len(cars) else 0), 0, PRIORITY_STEPS_MAX)
    found: Floats = aims.unserved_price * np.maximum(cars.weight, 0.0) * small * PRIORITY_FACTOR**steps
    return found
