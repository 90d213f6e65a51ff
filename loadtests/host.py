"""What the functional blocks of a virtual station may ask of it. They know nothing else of the station."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from loadtests.connector import Connector
from loadtests.statistics import Statistics
from loadtests.variables import Variables
from loadtests.wording import Charge, Payload, Wording

ACCEPTED: Payload = {"status": "Accepted"}
REJECTED: Payload = {"status": "Rejected"}

B = TypeVar("B")


class Pace(Protocol):
    """How long things take at a station, in real seconds."""

    @property
    def firmware_s(self) -> float:
        """Each step of a firmware update."""

    @property
    def upload_s(self) -> float:
        """The upload of a log."""


class Host(Protocol):
    """A station, as its blocks see it."""

    identity: str
    version: str
    wording: Wording
    connectors: list[Connector]
    variables: Variables
    chance: random.Random
    statistics: Statistics
    firmware: str
    """The version that runs."""
    hurried: bool
    """What is told now may go out before the answer to the call that asked for it."""

    @property
    def pace(self) -> Pace:
        """How long things take."""

    @property
    def registered(self) -> bool:
        """The CSMS accepted its boot."""

    @property
    def messages_waiting(self) -> bool:
        """Whether something of a transaction has not been told yet."""

    def now(self) -> datetime:
        """The station's clock."""

    def clock(self) -> float:
        """The same in seconds since 1970."""

    def has_quirk(self, name: str) -> bool:
        """Whether it was switched on."""

    def block(self, kind: type[B]) -> B:
        """A functional block of this station; made when it is first needed."""

    def later(self, seconds: float, work: Callable[[], None]) -> Callable[[], None]:
        """Does something after a while, unless the station is gone; returns what calls it off."""

    def tell(self, action: str, payload: Payload, answered: Callable[[Payload], None] | None = None) -> None:
        """Queues a message; `answered` gets the reply, if one comes."""

    def tell_update(self, connector: Connector, trigger: str) -> None:
        """Tells of the charge there, with meter values; `trigger` as 2.x says it."""

    def tell_meter_values(self, connector: Connector, context: str) -> None:
        """Tells what the meter shows, outside of a charge's own messages; `context` as OCPP names it."""

    def tell_heartbeat(self) -> None:
        """Tells that it is there, and sets its clock."""

    def report_status(self, connector: Connector, status: str) -> None:
        """Tells a status in the words of 1.6, when it is news."""

    def reset(self, stop_reason: str | None, *, resume: bool = False) -> None:
        """Boots anew once all charges have ended.

        Args:
            stop_reason: Ends them now; None: they may finish.
            resume: They go on after the boot instead (2.1 E17).
        """

    def boots_when_asked(self) -> bool:
        """The CSMS asks for a BootNotification; returns whether there will be one."""

    def limits_changed(self) -> None:
        """Cars may draw more or less from now on."""

    def variable_changed(self, name: str) -> None:
        """The CSMS changed one of `variables`; the station follows."""


def busy(connectors: Sequence[Connector]) -> list[tuple[Connector, Charge]]:
    """Where somebody charges, with the charge; the first come first."""
    found = [(each, each.charge) for each in connectors if each.charge is not None]
    return sorted(found, key=lambda each: each[1].began)
