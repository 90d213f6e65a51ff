"""Rows of availability: what the operator wants of a place, beside what its connectors report. OCPP 2.1 G03, G04."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.availability import AvailabilityReached, AvailabilityWanted
from storage.blocks.table import Change, Put, Table


class AvailabilityRow(msgspec.Struct, frozen=True):
    """A place and what the operator last wanted of it. `evse` 0: the station; `connector` 0: the whole EVSE.

    `wanted`: Operative or Inoperative. `answer`: Accepted, Scheduled or Rejected. `reached_at`: when a connector of the
    place showed it; None: not yet. It survives restarts of the station (2.1 G03.FR.08).
    """

    station: str
    evse: int
    connector: int
    wanted: str | None = None
    answer: str | None = None
    answered_at: datetime | None = None
    reached_at: datetime | None = None


AVAILABILITY = Table(
    name="availability",
    row=AvailabilityRow,
    key=("station", "evse", "connector"),
    filters=("station", "wanted", "answer"),
    shown=("station", "evse", "connector", "wanted", "answer", "answered_at", "reached_at"),
    about="What the operator wants of places: in or out of service.",
    tag="availability",
)


def wanted(station: str, fact: AvailabilityWanted) -> Iterable[Change]:
    """The last wish counts."""
    values = {
        "wanted": _word(operative=fact.operative),
        "answer": fact.status,
        "answered_at": fact.at,
        "reached_at": None,
    }
    yield Put(AVAILABILITY, (station, fact.evse.evse, fact.evse.connector or 0), values)


def reached(station: str, fact: AvailabilityReached) -> Iterable[Change]:
    """It took effect."""
    values = {"wanted": _word(operative=fact.operative), "reached_at": fact.noted_at}
    yield Put(AVAILABILITY, (station, fact.evse.evse, fact.evse.connector or 0), values)


def _word(*, operative: bool) -> str:
    return "Operative" if operative else "Inoperative"


TABLES = (AVAILABILITY,)
CHANGES = {AvailabilityWanted: wanted, AvailabilityReached: reached}
EVENTS: tuple[type, ...] = ()
