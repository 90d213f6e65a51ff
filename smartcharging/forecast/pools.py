"""The stays that a forecast remembers of a token, a station or a site: the last so many, as columns."""

from datetime import datetime, tzinfo
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.model.sites import DAY_S
from smartcharging.forecast.stays import Stay, sound_claim_s, sound_kwh

Floats = NDArray[np.float64]

FIRST_ROOM = 4
SATURDAY = 5


class Column(IntEnum):
    """What is remembered of a stay. nan: unknown."""

    DAY_SECOND = 0
    """Of its arrival, in the site's time zone."""
    WEEKEND = 1
    DAY = 2
    """Of its arrival, counted from 1970, with fraction."""
    STAY_S = 3
    ENERGY_KWH = 4
    CLAIMED_S = 5
    CLAIMED_KWH = 6


class Arrival(NamedTuple):
    """When a car came, as a forecast sees it."""

    day_second: float
    weekend: float
    day: float


def arrival_of(arrived_at: datetime, zone: tzinfo) -> Arrival:
    """The moment on the wall clock of the site."""
    local = arrived_at.astimezone(zone)
    day_second = local.hour * 3600.0 + local.minute * 60.0 + local.second
    return Arrival(day_second, float(local.weekday() >= SATURDAY), arrived_at.timestamp() / DAY_S)


def row_of(stay: Stay, zone: tzinfo) -> tuple[float, ...]:
    """A stay as a column of a pool; what cannot be true is nan."""
    energy_kwh = sound_kwh(stay.energy_kwh)
    claimed_s = sound_claim_s(stay.claimed_departs_at, stay.arrived_at)
    claimed_kwh = sound_kwh(stay.claimed_kwh)
    return (
        *arrival_of(stay.arrived_at, zone),
        stay.stay_s,
        np.nan if energy_kwh is None else energy_kwh,
        np.nan if claimed_s is None else claimed_s,
        claimed_kwh or np.nan,
    )


class Pool:
    """A ring of stays; the oldest makes room for the newest."""

    __slots__ = ("_columns", "_count", "_next", "_room")

    def __init__(self, room: int) -> None:
        """Room for so many stays; memory is taken as they come."""
        self._room = room
        self._columns = np.empty((len(Column), min(FIRST_ROOM, room)))
        self._count = 0
        self._next = 0

    def __len__(self) -> int:
        return self._count

    def add(self, row: tuple[float, ...]) -> None:
        """Remembers a stay (`row_of`)."""
        size = self._columns.shape[1]
        if self._count == size and size < self._room:
            grown = np.empty((len(Column), min(2 * size, self._room)))
            grown[:, :size] = self._columns
            self._columns = grown
            self._next = size
        self._columns[:, self._next] = row
        self._next = (self._next + 1) % self._columns.shape[1]
        self._count = min(self._count + 1, self._columns.shape[1])

    def columns(self) -> Floats:
        """(columns, stays), in no order. A view: use it before the next `add`."""
        return self._columns[:, : self._count]
