"""Reservations and what became of them."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.reservation import (
    ReservationEnded,
    ReservationLapsed,
    ReservationMade,
    ReservationRefused,
    ReservationStatus,
)
from storage.blocks.table import Change, Put, Table


class ReservationRow(msgspec.Struct, frozen=True):
    """A reservation. Times are ours.

    `status`: Active, Uncertain (the station did not answer), Used, Expired, Cancelled, Removed or NoTransaction; or why
    it never was: Faulted, Occupied, Rejected, Unavailable, Failed. `evse` null: whichever is free. `unknown`: Narke
    knew nothing of it, or that it was over, when the station spoke of it.
    """

    station: str
    reservation_id: int
    changed_at: datetime
    status: str = ""
    requested_at: datetime | None = None
    token: str | None = None
    token_group: str | None = None
    evse: int | None = None
    connector: int | None = None
    connector_type: str | None = None
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    transaction_id: str | None = None
    command_id: str | None = None
    detail: str | None = None
    unknown: bool = False


RESERVATIONS = Table(
    name="reservations",
    row=ReservationRow,
    key=("station", "reservation_id"),
    newest_first="changed_at",
    ages_by="changed_at",
    filters=("station", "status", "token", "command_id"),
    shown=("reservation_id", "station", "status", "evse", "token", "expires_at", "transaction_id", "detail"),
    about="Reservations and what became of them.",
    tag="reservations",
)


def made(station: str, fact: ReservationMade) -> Iterable[Change]:
    """The station keeps the place."""
    status = ReservationStatus.ACTIVE if fact.certain else ReservationStatus.UNCERTAIN
    values = _asked(fact) | {"status": status.value, "token_group": fact.group, "ended_at": None, "detail": None}
    yield Put(RESERVATIONS, (station, fact.reservation_id), values)


def refused(station: str, fact: ReservationRefused) -> Iterable[Change]:
    """It does not."""
    values = _asked(fact) | {"status": fact.status.value, "ended_at": fact.noted_at, "detail": fact.detail}
    yield Put(RESERVATIONS, (station, fact.reservation_id), values)


def _asked(fact: ReservationMade | ReservationRefused) -> dict[str, object]:
    return {
        "requested_at": fact.noted_at,
        "changed_at": fact.noted_at,
        "token": fact.token.value,
        "evse": None if fact.evse is None else fact.evse.evse,
        "connector": None if fact.evse is None else fact.evse.connector,
        "connector_type": fact.connector_type,
        "expires_at": fact.expires_at,
        "command_id": fact.command_id,
    }


def ended(station: str, fact: ReservationEnded) -> Iterable[Change]:
    """It is over, as the station says."""
    values: dict[str, object] = {"status": fact.status.value, "ended_at": fact.at, "changed_at": fact.at}
    if fact.transaction_id is not None:
        values["transaction_id"] = fact.transaction_id
    if fact.unknown:
        values["unknown"] = True
    yield Put(RESERVATIONS, (station, fact.reservation_id), values)


def lapsed(station: str, fact: ReservationLapsed) -> Iterable[Change]:
    """Its time is over."""
    at = fact.noted_at
    values = {"status": ReservationStatus.EXPIRED.value, "ended_at": at, "changed_at": at}
    yield Put(RESERVATIONS, (station, fact.reservation_id), values)


TABLES = (RESERVATIONS,)
CHANGES = {ReservationMade: made, ReservationRefused: refused, ReservationEnded: ended, ReservationLapsed: lapsed}
EVENTS = (ReservationEnded,)
