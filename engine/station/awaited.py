"""Awaited: what must follow from accepted commands and has not yet; and places on their way in or out of service.

Part of a station's state; bounded: of more than that many the oldest are forgotten.
"""

from datetime import datetime

import msgspec

from engine.model.availability import AvailabilityReached, AvailabilityWanted
from engine.model.ids import EvseRef
from engine.model.remote_control import FollowUp, FollowUpAwaited, FollowUpCame, FollowUpMissing

FOLLOW_UPS_MAX = 16
PLACES_MAX = 64
REFUSED = "Rejected"


class Awaited(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What must follow, oldest first."""

    items: tuple[FollowUpAwaited, ...] = ()

    @property
    def due_at(self) -> datetime | None:
        """When the next is given up; None: nothing is waited for with a time."""
        if not self.items:
            return None
        return min((item.due_at for item in self.items if item.due_at is not None), default=None)

    def of(self, *kinds: FollowUp) -> tuple[FollowUpAwaited, ...]:
        """Those of these kinds."""
        return tuple(item for item in self.items if item.what in kinds)

    def after(self, fact: FollowUpAwaited | FollowUpCame | FollowUpMissing) -> "Awaited":
        """With what the fact tells."""
        others = tuple(item for item in self.items if item.command_id != fact.command_id)
        if isinstance(fact, FollowUpAwaited):
            return Awaited((*others, fact)[-FOLLOW_UPS_MAX:])
        return Awaited(others)


class Place(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A place that the station is taking in or out of service."""

    evse: int
    connector: int | None
    operative: bool

    def holds(self, place: EvseRef) -> bool:
        """Whether that place is this one or within it."""
        if self.evse not in (0, place.evse):
            return False
        return self.evse == 0 or self.connector in (None, place.connector)


class Service(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Places whose change of availability was accepted and did not show yet, oldest first."""

    changing: tuple[Place, ...] = ()

    def after(self, fact: AvailabilityWanted | AvailabilityReached) -> "Service":
        """With what the fact tells."""
        evse = fact.evse
        others = tuple(place for place in self.changing if (place.evse, place.connector) != (evse.evse, evse.connector))
        if isinstance(fact, AvailabilityReached):
            return Service(others)
        if fact.status == REFUSED:
            return self
        return Service((*others, Place(evse.evse, evse.connector, fact.operative))[-PLACES_MAX:])
