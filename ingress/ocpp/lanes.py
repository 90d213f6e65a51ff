"""Lanes: the events of one station on their way to its actor, in order."""

from collections import deque
from typing import Protocol

import msgspec

from engine.model.envelopes import Delivery, Verdict
from engine.model.ids import Unit

EVENT_BYTES = 200
"""What an event without a message of a station counts for in the bounds of bytes."""


class Sender(Protocol):
    """Who put an event into a lane and is told the verdict."""

    @property
    def gone(self) -> bool:
        """The connection is over: nobody waits for answers to calls."""

    def decided(self, parcel: "Parcel", verdict: Verdict) -> None:
        """Anything but a Retry."""

    def hold(self) -> None:
        """The station's journal or actor is away: read no more from it until `release`."""

    def release(self) -> None:
        """Read on."""


class Parcel(msgspec.Struct, eq=False):
    """An event on its way.

    `size_bytes`: of its message on the wire, about.
    `perhaps_taken`: a call that carried it failed, so the actor may know it.
    """

    delivery: Delivery
    sender: Sender
    size_bytes: int
    perhaps_taken: bool = False


class Lane:
    """The events of one station that wait for a verdict, in order."""

    __slots__ = ("held", "parcels", "queued", "station", "under_way", "unit", "users")

    def __init__(self, station: str, unit: Unit) -> None:
        self.station = station
        self.unit = unit
        self.parcels: deque[Parcel] = deque()
        self.under_way = 0
        """How many parcels, from the front, a call carries now."""
        self.queued = False
        """It stands in an outbox or waits for its unit."""
        self.held: list[Sender] = []
        """Who was told to hold."""
        self.users = 0
        """Sessions that hold the lane; it is forgotten when there are none and nothing waits."""
