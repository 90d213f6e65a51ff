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
STRIDE_MAX = 1024


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
    STILL_TAKING = 7


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
        float(stay.still_taking),
    )


class Pool:
    """A ring of stays; the oldest makes room for the newest.

    Where more stays come than fit into `days`, only every second, fourth, ... of them is remembered: a forecast needs
    all hours and weekdays, not all stays of this morning.
    """

    __slots__ = ("_columns", "_count", "_days", "_next", "_passed", "_room", "_stride", "added")

    def __init__(self, room: int, days: float = 0.0) -> None:
        """Room for so many stays, of so many days at least; memory is taken as they come."""
        self._room = room
        self._days = days
        self._stride = 1
        self._passed = 0
        self.added = 0
        """How many were remembered, forgotten ones included."""
        self._columns = np.empty((len(Column), min(FIRST_ROOM, room)))
        self._count = 0
        self._next = 0

    def __len__(self) -> int:
        return self._count

    def add(self, row: tuple[float, ...]) -> None:
        """Remembers a stay (`row_of`), or passes it over."""
        self._passed = (self._passed + 1) % self._stride
        if self._passed:
            return
        self.added += 1
        if self._count == self._room:
            self._pace(row[Column.DAY] - self._columns[Column.DAY, self._next % self._room])
        size = self._columns.shape[1]
        if self._count == size and size < self._room:
            grown = np.empty((len(Column), min(2 * size, self._room)))
            grown[:, :size] = self._columns
            self._columns = grown
            self._next = size
        self._columns[:, self._next] = row
        self._next = (self._next + 1) % self._columns.shape[1]
        self._count = min(self._count + 1, self._columns.shape[1])

    def _pace(self, days: float) -> None:
        """Remembers fewer, or more again, so that the ring, which now spans `days`, spans some weeks."""
        if days < self._days and self._room > 1:
            kept = np.roll(self._columns, -self._next, axis=1)[:, ::2]
            self._count = self._next = kept.shape[1]
            self._columns[:, : self._count] = kept
            self._stride = min(2 * self._stride, STRIDE_MAX)
        elif self._stride > 1 and days > 3.0 * self._days:
            self._stride //= 2

    def columns(self) -> Floats:
        """(columns, stays), in no order. A view: use it before the next `add`."""
        return self._columns[:, : self._count]
