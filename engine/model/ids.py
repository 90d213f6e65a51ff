"""Identities: stations, EVSEs, shards and the units that are fenced."""

import zlib
from functools import cache
from typing import NewType

from engine.model.word import Word

StationId = NewType("StationId", str)
"""An OCPP identity: 1 to 48 characters, no ':' (2.1 part 4 section 3.1.1). Case is kept."""

DEFAULT_TENANT = "default"


class EvseRef(Word, frozen=True):
    """A place at a station.

    `evse` 0 is the station itself. `connector` None: the whole EVSE. OCPP 1.6's connectorId n is (n, 1), its 0 is
    (0, None).
    """

    evse: int
    connector: int | None = None


class Unit(Word, frozen=True):
    """What one owner holds and the journal fences.

    A shard of stations (`station` None) or, with one station per actor, one station of that shard.
    """

    shard: int
    station: str | None = None

    @property
    def name(self) -> str:
        """Its name in logs and tables, e.g. `s17` or `s17:CP-1`."""
        return f"s{self.shard}" if self.station is None else f"s{self.shard}:{self.station}"


def shard_of(station: str, shards: int) -> int:
    """The shard a station belongs to, 0 to shards - 1; the same on every machine and in every version."""
    return zlib.crc32(station.encode()) % shards


def unit_of(station: str, shards: int, *, literal: bool) -> Unit:
    """The unit a station belongs to; `literal` means one station per actor."""
    shard = shard_of(station, shards)
    return Unit(shard, station) if literal else _units(shards)[shard]


@cache
def _units(shards: int) -> tuple[Unit, ...]:
    """The shards as units, made once."""
    return tuple(Unit(shard) for shard in range(shards))
