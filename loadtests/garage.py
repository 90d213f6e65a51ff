"""Who comes to charge: the cars of a fleet, easy ones or those that make smart charging hard."""

import math
import random

from loadtests.car import NOMINAL_V, Car

CARS = ((3_700, 1), (7_400, 1), (11_000, 3), (22_000, 3))
"""Power in W and phases: 16 or 32 A."""
GARAGES = ("plain", "difficult")
"""`plain`: cars that do as they are allowed. `difficult`: see `difficult_car`."""
SLEEPY_SHARE = 0.15
SLEEPERS_SHARE = 0.03
MODEST_SHARE = 0.2
TAIL_SHARE = 0.25


def car_of(garage: str, chance: random.Random) -> Car:
    """The next car of a garage.

    Raises:
        ValueError: There is no such garage.
    """
    if garage == "plain":
        return plain_car(chance)
    if garage == "difficult":
        return difficult_car(chance)
    raise ValueError(f"there is no garage {garage!r}; expected one of {', '.join(GARAGES)}")


def plain_car(chance: random.Random) -> Car:
    """It draws what it may, at once, until it is nearly full."""
    power_w_max, phases = chance.choice(CARS)
    soc = chance.uniform(0.1, 0.7)
    return Car(chance.uniform(30_000, 90_000), soc, power_w_max, phases)


def difficult_car(chance: random.Random) -> Car:
    """One, two or three phases, 10 to 32 A, slow and fast ramps.

    Of all, 15 % sleep for 10 to 90 s after a pause and 3 % for ever, 20 % draw less than they may (70 to 97 %), and
    25 % are in their tail.
    """
    phases = chance.choices((1, 2, 3), (0.35, 0.15, 0.5))[0]
    current_a = chance.choice((10.0, 13.0, 16.0, 16.0, 20.0, 25.0, 32.0))
    soc = chance.uniform(0.8, 0.97) if chance.random() < TAIL_SHARE else chance.uniform(0.1, 0.7)
    sleep = chance.random()
    wake_s = 0.0
    if sleep < SLEEPERS_SHARE:
        wake_s = math.inf
    elif sleep < SLEEPERS_SHARE + SLEEPY_SHARE:
        wake_s = chance.uniform(10.0, 90.0)
    return Car(
        battery_wh=chance.uniform(30_000, 90_000),
        soc=soc,
        power_w_max=current_a * NOMINAL_V * phases,
        phases=phases,
        ramp_s=chance.choice((2.0, 5.0, 15.0, 30.0)),
        wake_s=wake_s,
        modesty=chance.uniform(0.7, 0.97) if chance.random() < MODEST_SHARE else 1.0,
    )
