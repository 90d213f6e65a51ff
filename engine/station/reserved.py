"""Reserved: the reservations that a station is known to keep, and how facts change them."""

from datetime import datetime, timedelta

import msgspec

from engine.model.reservation import ReservationEnded, ReservationLapsed, ReservationMade

RESERVATIONS_MAX = 64
LAPSES_AFTER_S = 60.0
"""How long after its time the station has to say itself what became of a reservation (2.1 H04.FR.01)."""


class Reservation(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One that the station keeps. `evse` None: whichever is free, or one with a connector of `connector_type`."""

    reservation_id: int
    token_key: str
    expires_at: datetime
    evse: int | None = None
    connector: int | None = None
    connector_type: str | None = None
    group: str | None = None

    @property
    def lapses_at(self) -> datetime:
        """When it is over, whatever the station says."""
        return self.expires_at + timedelta(seconds=LAPSES_AFTER_S)


class Reserved(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Of one station, oldest first, at most RESERVATIONS_MAX: beyond it the oldest is forgotten, not ended."""

    reservations: tuple[Reservation, ...] = ()

    def find(self, reservation_id: int) -> Reservation | None:
        """By id."""
        return next((kept for kept in self.reservations if kept.reservation_id == reservation_id), None)

    @property
    def due_at(self) -> datetime | None:
        """When the next lapses; None: there is none."""
        return min((kept.lapses_at for kept in self.reservations), default=None)

    def after(self, fact: ReservationMade | ReservationEnded | ReservationLapsed) -> "Reserved":
        """After a fact. A reservation of the same id takes the place of the old one (2.1 H01.FR.02)."""
        others = tuple(kept for kept in self.reservations if kept.reservation_id != fact.reservation_id)
        if not isinstance(fact, ReservationMade):
            return Reserved(others)
        made = Reservation(
            reservation_id=fact.reservation_id,
            token_key=fact.token.key,
            expires_at=fact.expires_at,
            evse=None if fact.evse is None else fact.evse.evse,
            connector=None if fact.evse is None else fact.evse.connector,
            connector_type=fact.connector_type,
            group=fact.group,
        )
        return Reserved((*others, made)[-RESERVATIONS_MAX:])
