"""Planned stops: transactions of a station that run on a token that is not accepted, to be stopped by Narke."""

from datetime import datetime

import msgspec

from engine.model.authorization import StopDropped, StopPlanned

STOPS_MAX = 16


class PlannedStop(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A transaction that Narke stops then."""

    transaction_id: str
    stop_at: datetime


class PlannedStops(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Of one station, oldest first, at most STOPS_MAX: beyond it the oldest is not stopped."""

    stops: tuple[PlannedStop, ...] = ()

    def after(self, fact: StopPlanned | StopDropped) -> "PlannedStops":
        """After a fact."""
        others = tuple(stop for stop in self.stops if stop.transaction_id != fact.transaction_id)
        if isinstance(fact, StopDropped):
            return PlannedStops(others)
        return PlannedStops((*others, PlannedStop(fact.transaction_id, fact.stop_at))[-STOPS_MAX:])

    def find(self, transaction_id: str) -> PlannedStop | None:
        """That of a transaction."""
        return next((stop for stop in self.stops if stop.transaction_id == transaction_id), None)

    @property
    def due_at(self) -> datetime | None:
        """When the next is due; None: none is planned."""
        return min((stop.stop_at for stop in self.stops), default=None)
