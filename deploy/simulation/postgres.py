"""The other end of the journal in virtual time: what the projector reads from and writes to.

Rows are folded by the real `storage.projection.fold` into the memory twin of PostgreSQL, which fails before its commit,
after it, or for hours.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from actors.projector import ProjectionFailed
from deploy.simulation.chance import Chance
from deploy.simulation.processes import Process
from deploy.simulation.redis import RedisServer
from engine.ports import JournalUnavailable
from storage import keys
from storage.journal_reader import StreamEntry, entry_of
from storage.projection_memory import MemoryProjection, MemoryTables

ROUND_TRIP_S_MAX = 0.05


class Postgres:
    """The database: rows, and when it is away."""

    def __init__(self) -> None:
        self.tables: Final = MemoryTables()
        self.away_until = 0.0


class SimulatedProjection(MemoryProjection):
    """A projector's way to the database."""

    def __init__(
        self, tenant: str, postgres: Postgres, chance: Chance, process: Process, faults: "ApplyFaults"
    ) -> None:
        super().__init__(tenant, postgres.tables)
        self._postgres = postgres
        self._chance = chance
        self._process = process
        self._faults = faults

    async def positions(self) -> dict[str, str]:
        """See `actors.projector.Projection.positions`."""
        await self._reach()
        return await super().positions()

    async def apply(self, entries: Sequence[tuple[str, str, object]]) -> dict[str, str]:
        """See `actors.projector.Projection.apply`."""
        fault = self._chance.strikes("apply")
        if fault is not None:
            self._faults.of_apply(fault, self._process.name)
        await self._reach()
        if fault == "postgres.fails":
            raise ProjectionFailed("the transaction was rolled back")
        positions = await super().apply(entries)  # type: ignore[arg-type]  # as above
        await asyncio.sleep(self._chance.dice.random() * ROUND_TRIP_S_MAX)
        if fault == "postgres.unsure":
            self._positions.clear()
            raise ProjectionFailed("the connection broke at the commit")
        return positions

    async def keep_retention(self, _now: datetime) -> None:
        """See `actors.projector.Projection.keep_retention`."""

    async def _reach(self) -> None:
        await asyncio.sleep(self._chance.dice.random() * ROUND_TRIP_S_MAX)
        if asyncio.get_running_loop().time() < self._postgres.away_until:
            raise ProjectionFailed("PostgreSQL is away")


class ApplyFaults(Protocol):
    """Who makes true what chance wants of a write to PostgreSQL."""

    def of_apply(self, kind: str, who: str) -> None:
        """A fault beyond the write itself."""


class Reader:
    """`storage.journal_reader.EntrySource` over the simulated Redis.

    A blocking read that finds nothing comes back empty once, so that its reader knows that it has everything; the next
    one rests until something comes. `lag_s`: for how long it then lets more come, for a projector that is behind.
    """

    def __init__(self, redis: RedisServer, process: Process, lag_s: float) -> None:
        self._redis = redis
        self._process = process
        self._lag_s = lag_s
        self._news = asyncio.Event()
        self._told_empty = False
        redis.grown = self.wake

    def wake(self) -> None:
        """Something came, or somebody wants to know whether all is carried."""
        self._news.set()

    async def read(self, positions: Mapping[str, str], count_max: int, block_ms: int | None) -> list[StreamEntry]:  # noqa: ARG002 (it rests instead)
        """See `EntrySource.read`."""
        entries = self._found(positions, count_max)
        if entries:
            self._told_empty = False
        elif self._told_empty:
            self._news.clear()
            await self._news.wait()
            await asyncio.sleep(self._lag_s)
            self._told_empty = False
            entries = self._found(positions, count_max)
        if not entries:
            self._told_empty = True
        return entries

    async def trim(self, positions: Mapping[str, str]) -> int:
        """See `EntrySource.trim`."""
        self._reach()
        removed = 0
        for stream, up_to_id in positions.items():
            entries = self._redis.streams.get(stream, [])
            up_to = _number(up_to_id)
            count = sum(number <= up_to for number, _ in entries)
            del entries[:count]
            removed += count
        return removed

    async def lengths(self, streams: Iterable[str]) -> dict[str, int]:
        """See `EntrySource.lengths`."""
        return {stream: len(self._redis.streams.get(stream, ())) for stream in streams}

    async def last_ids(self, streams: Iterable[str]) -> dict[str, str]:
        """See `EntrySource.last_ids`."""
        self._reach()
        return {stream: f"{self._redis.last.get(stream, 0)}-0" for stream in streams}

    def _found(self, positions: Mapping[str, str], count_max: int) -> list[StreamEntry]:
        self._reach()
        each = max(1, count_max // max(1, len(positions)))
        found: list[StreamEntry] = []
        for stream, position in positions.items():
            entries = self._redis.streams.get(stream)
            if not entries:
                continue
            behind = _number(position)
            found += [
                entry_of(stream, f"{number}-0", (keys.FIELD, data)) for number, data in entries if number > behind
            ][:each]
        return found

    def _reach(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._redis.away_until or now < self._redis.cut.get(self._process.name, 0.0):
            raise JournalUnavailable("the journal cannot be reached")


def _number(entry_id: str) -> int:
    return int(entry_id.partition("-")[0])
