"""One outlet of a virtual station: its meter, its status, its car, the charge in progress."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from loadtests.car import Car
from loadtests.composite import HARDWARE
from loadtests.wording import MEASURANDS, Charge, Meter

VOLTAGE_V_NO_LOAD = 232.5
VOLTAGE_V_DROP_PER_A = 0.06
"""Cables have resistance; at 32 A a little above the nominal voltage is left."""


@dataclass(frozen=True, slots=True)
class Driver:
    """Who comes to charge.

    Attributes:
        token: What they present, or what the CSMS starts for.
        remote: Whether the CSMS starts it; then nobody is asked to authorise it.
        remote_start_id: How the CSMS names that start; None: it does not (1.6).
    """

    token: str
    remote: bool = False
    remote_start_id: int | None = None


class Entrance:
    """Where somebody sends a driver; one at a time."""

    __slots__ = ("_driver", "arrived")

    def __init__(self) -> None:
        self._driver: Driver | None = None
        self.arrived: Callable[[], None] | None = None

    def full(self) -> bool:
        """Whether a driver waits."""
        return self._driver is not None

    def put_nowait(self, driver: Driver) -> None:
        """Sends one.

        Raises:
            asyncio.QueueFull: One waits already.
        """
        if self._driver is not None:
            raise asyncio.QueueFull
        self._driver = driver
        if self.arrived is not None:
            self.arrived()

    def take(self) -> Driver | None:
        """Lets the one who waits in."""
        driver, self._driver = self._driver, None
        return driver


class Connector:
    """One outlet. It remembers its register for ever.

    Attributes:
        status: In the words of 1.6. `said`: what the CSMS was last told, in those of the version.
        operative: Whether it may be used; a charge in progress goes on.
        limit: What the station lets a car draw now; it follows `loadtests.composite.limit_of` with a delay.
        reacts_at: When it will have followed, of `time.monotonic`; None: it has.
        reserved: Number of the reservation that holds it; None: it is free.
        visit: Who is here from plug to unplug; None: nobody.
        wake: Set when something changed that the charge must look at.
        remote: Where a driver is sent to.
        call_off: Calls off the driver who would come by himself; None: nobody would.
        frozen: The station restarts and the charge will be resumed.
    """

    __slots__ = (
        "call_off",
        "car",
        "charge",
        "frozen",
        "limit",
        "number",
        "operative",
        "reacts_at",
        "register_wh",
        "remote",
        "reserved",
        "said",
        "status",
        "visit",
        "wake",
    )  # fmt: skip

    def __init__(self, number: int, register_wh: float) -> None:
        self.number = number
        self.register_wh = register_wh
        self.status = "Available"
        self.said: str | None = None
        self.operative = True
        self.limit = HARDWARE
        self.reacts_at: float | None = None
        self.reserved: int | None = None
        self.car: Car | None = None
        self.charge: Charge | None = None
        self.visit: asyncio.Task[None] | None = None
        self.wake: asyncio.Event | None = None
        self.remote = Entrance()
        self.call_off: Callable[[], None] | None = None
        self.frozen = False

    def meter(self, measurands: tuple[str, ...] = MEASURANDS) -> Meter:
        """What the meter shows now."""
        car = self.car
        if car is None:
            return Meter(round(self.register_wh), measurands=measurands)
        power_w = self.power_w
        phases = min(car.phases, self.limit.phases)
        # P = 3 U I and U = U0 - k I, solved well enough in one step: the drop is below a percent.
        voltage_v = VOLTAGE_V_NO_LOAD - VOLTAGE_V_DROP_PER_A * power_w / (phases * VOLTAGE_V_NO_LOAD)
        current_a = power_w / (phases * voltage_v)
        return Meter(
            round(self.register_wh), power_w, current_a, phases, round(100 * car.soc, 1), voltage_v, measurands
        )

    @property
    def power_w(self) -> float:
        """What the car draws now; 0.0 without one."""
        if self.car is None or self.charge is None or self.frozen:
            return 0.0
        return self.car.power_w(self.limit.allowed_a, self.limit.phases)

    @property
    def idle(self) -> bool:
        """Nobody is here."""
        return self.visit is None

    @property
    def resting_status(self) -> str:
        """What it is when nobody uses it."""
        if not self.operative:
            return "Unavailable"
        return "Available" if self.reserved is None else "Reserved"

    def takes_remote(self) -> bool:
        """Whether a driver whom the CSMS sends can charge here now."""
        return self.operative and self.idle and not self.remote.full()

    def end(self, charge: Charge, reason: str) -> None:
        """Ends this charge, if it is still going on; the first reason stands."""
        if self.charge is charge and charge.stop_reason is None:
            charge.stop_reason = reason
            self.poke()

    def poke(self) -> None:
        """Something changed that the charge must look at."""
        if self.wake is not None:
            self.wake.set()
