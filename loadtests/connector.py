"""One outlet of a virtual station: its meter, its status, its car, the charge in progress."""

import asyncio
from dataclasses import dataclass

from loadtests.car import Car
from loadtests.wording import Charge, Meter


@dataclass(frozen=True)
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


class Connector:
    """One outlet. It remembers its register for ever.

    Attributes:
        status: In the words of 1.6. `said`: what the CSMS was last told, in those of the version.
        operative: Whether it may be used; a charge in progress goes on.
        stop: Set when the charge must end.
        remote: The driver whom the CSMS sent.
        idle: Set while nobody uses it.
    """

    def __init__(self, number: int, register_wh: float) -> None:
        self.number = number
        self.register_wh = register_wh
        self.status = "Available"
        self.said: str | None = None
        self.operative = True
        self.car: Car | None = None
        self.charge: Charge | None = None
        self.stop = asyncio.Event()
        self.remote: asyncio.Queue[Driver] = asyncio.Queue(maxsize=1)
        self.idle = asyncio.Event()
        self.idle.set()

    def meter(self, limit_a: float) -> Meter:
        """What the meter shows now."""
        car = self.car
        if car is None:
            return Meter(round(self.register_wh))
        return Meter(
            round(self.register_wh), car.power_w(limit_a), car.current_a(limit_a), car.phases, round(100 * car.soc, 1)
        )

    @property
    def resting_status(self) -> str:
        """What it is when nobody uses it."""
        return "Available" if self.operative else "Unavailable"

    def takes_remote(self) -> bool:
        """Whether a driver whom the CSMS sends can charge here now."""
        return self.operative and self.idle.is_set() and not self.remote.full()

    def end(self, charge: Charge, reason: str) -> None:
        """Ends this charge, if it is still going on; the first reason stands."""
        if self.charge is charge and charge.stop_reason is None:
            charge.stop_reason = reason
            self.stop.set()
