"""The projector: entries in, rows and positions out, in one transaction: exactly once, whoever is killed.

The position rows are locked first. Whoever finds a position moved by another stops: two projectors never write the same
entry. An entry that PostgreSQL refuses is put aside (`bad_entries`) with the reason, and the rest goes on.
"""

import struct
import time
from collections.abc import Sequence
from typing import Any

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from storage.partitions import make_partitions
from storage.postgres_metrics import APPLY_SECONDS, ENTRIES, ENTRIES_BAD, ENTRIES_SKIPPED
from storage.projection import writer
from storage.projection.changes import Changes, Known, NewBadEntry
from storage.projection.entries import START, PositionMoved, StreamEntry, after, refuse_moved
from storage.projection.fold import Folding, Touched, put_aside
from storage.projection.remembered import Remembered

log = structlog.get_logger()

IDLE_TIMEOUT_S = 60
"""A projector that stops in mid-transaction (a frozen machine) loses its locks after this time."""

DATA_FAULTS = {"22", "23", "54"}
"""Classes of SQLSTATE that blame the row: data exception, integrity violation, program limit exceeded."""


class Projector:
    """Writes one tenant's journal into PostgreSQL.

    One call at a time. After any exception of `apply` but `PositionMoved` nothing is lost and nothing written twice:
    call it again, with the same entries or with those behind `positions()`.
    """

    def __init__(self, pool: AsyncConnectionPool[Any], tenant: str, *, lock_timeout_s: float = 30.0) -> None:
        self._pool = pool
        self._tenant = tenant
        self._lock_timeout_ms = round(lock_timeout_s * 1000)
        self._positions: dict[str, str] = {}
        self._remembered = Remembered()

    async def positions(self) -> dict[str, str]:
        """The last projected entry of every stream ever seen; what `apply` then expects to find.

        Raises:
            psycopg.Error: PostgreSQL does not answer.
        """
        self._remembered.forget()
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT stream, last_id FROM journal_positions WHERE tenant = %s AND last_id <> %s",
                [self._tenant, START],
            )
            self._positions = dict(await cursor.fetchall())
        return dict(self._positions)

    async def apply(self, entries: Sequence[StreamEntry]) -> dict[str, str]:
        """Writes the entries that lie behind the positions; returns the positions of their streams afterwards.

        Entries of one stream must be in order and without a gap; streams may be mixed. All is on disk then.

        Raises:
            PositionMoved: Another projector is at work on these streams. Nothing was written.
            psycopg.Error: PostgreSQL does not answer; what was written is all or nothing.
        """
        if not entries:
            return {}
        streams = sorted({stream for stream, _, _ in entries})
        begun = time.perf_counter()
        written = _Written()
        try:
            async with self._pool.connection() as connection, connection.transaction():
                await self._prepare(connection)
                found = await self._lock_positions(connection, streams)
                refuse_moved(self._positions, found)
                fresh, moved = after(entries, found)
                await self._write(connection, fresh, written)
                await writer.POSITIONS.write(connection, self._tenant, list(moved.items()))
        except PositionMoved:
            self._remembered.forget()
            raise
        except BaseException:  # a cancelled commit may have been one, too
            # Whether it was committed is unknown: what we then find is where we are.
            self._remembered.forget()
            for stream in streams:
                self._positions.pop(stream, None)
            raise
        self._positions |= found | moved
        for changes in written.changes:
            self._remembered.learn(changes)
        self._tell(len(entries), len(fresh), written, time.perf_counter() - begun)
        return {stream: self._positions[stream] for stream in streams}

    async def _prepare(self, connection: AsyncConnection[Any]) -> None:
        await connection.execute(
            "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', '0', true),"
            " set_config('idle_in_transaction_session_timeout', %s, true)",
            [f"{self._lock_timeout_ms}ms", f"{IDLE_TIMEOUT_S}s"],
        )

    async def _lock_positions(self, connection: AsyncConnection[Any], streams: list[str]) -> dict[str, str]:
        query = (
            "SELECT stream, last_id FROM journal_positions WHERE tenant = %s AND stream = ANY(%s)"
            " ORDER BY stream FOR UPDATE"
        )
        cursor = await connection.execute(query, [self._tenant, streams])
        found = dict(await cursor.fetchall())
        if len(found) == len(streams):
            return found
        await connection.execute(
            "INSERT INTO journal_positions (tenant, stream, last_id)"
            " SELECT %s, stream, %s FROM unnest(%s::text[]) AS stream ON CONFLICT DO NOTHING",
            [self._tenant, START, streams],
        )
        cursor = await connection.execute(query, [self._tenant, streams])
        return dict(await cursor.fetchall())

    async def _write(
        self, connection: AsyncConnection[Any], entries: Sequence[StreamEntry], written: "_Written"
    ) -> None:
        """Writes them together; where a row is refused, each half apart, down to the entry that is to blame."""
        if not entries:
            return
        try:
            await self._write_together(connection, entries, written)
        except (psycopg.Error, ValueError, OverflowError, struct.error) as error:
            if not _blames_data(error):
                raise
            reason = error
        else:
            return
        if len(entries) > 1:
            half = len(entries) // 2
            await self._write(connection, entries[:half], written)
            await self._write(connection, entries[half:], written)
            return
        stream, entry_id, entry = entries[0]
        bad = put_aside(stream, entry_id, entry, " ".join(str(reason).split()))
        await writer.BAD_ENTRIES.write(connection, self._tenant, [bad])
        written.bad_entries.append(bad)

    async def _write_together(
        self, connection: AsyncConnection[Any], entries: Sequence[StreamEntry], written: "_Written"
    ) -> None:
        async with connection.transaction():
            folding = Folding(self._tenant, entries)
            changes = folding.changes(await self._known(connection, folding.touched, written))
            volume = writer.volume_of(self._tenant, changes, self._remembered.shapes)
            await make_partitions(connection, writer.partitions_of(changes, volume))
            await writer.write_shapes(connection, self._remembered.unwritten(volume.shapes))
            await writer.write(connection, self._tenant, changes, volume)
        self._remembered.shapes_written(volume.shapes)
        written.changes.append(changes)
        written.bad_entries.extend(changes.bad_entries)

    async def _known(self, connection: AsyncConnection[Any], touched: Touched, written: "_Written") -> Known:
        """The rows that entries touch as they stand in this transaction: from memory, else from PostgreSQL."""
        wanted = touched.transactions
        known = {} if written.changes else self._remembered.transactions_among(wanted)
        known |= await writer.read_transactions(connection, self._tenant, wanted - known.keys())
        return Known(await writer.read_stations(connection, self._tenant, touched.stations), known)

    def _tell(self, given: int, fresh: int, written: "_Written", seconds: float) -> None:
        APPLY_SECONDS.observe(seconds)
        ENTRIES.inc(fresh)
        ENTRIES_SKIPPED.inc(given - fresh)
        ENTRIES_BAD.inc(len(written.bad_entries))
        for changes in written.changes:
            writer.count(changes)
        for bad in written.bad_entries:
            log.error("journal entry put aside", stream=bad.stream, entry=bad.entry_id, reason=bad.reason)


class _Written:
    """What one transaction has written so far; true only once it is committed."""

    def __init__(self) -> None:
        self.changes: list[Changes] = []
        self.bad_entries: list[NewBadEntry] = []


def _blames_data(error: Exception) -> bool:
    if not isinstance(error, psycopg.Error):
        return True
    if error.sqlstate is None:
        return isinstance(error, psycopg.DataError)
    return error.sqlstate[:2] in DATA_FAULTS
