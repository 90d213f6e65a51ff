"""The projector: carries the journal from Redis to PostgreSQL, each entry exactly once.

It reads behind the positions that PostgreSQL has, writes rows and new positions in one transaction, and only then lets
the streams forget. Killed at any moment it goes on from what PostgreSQL committed. While PostgreSQL is away it waits.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Protocol

import structlog

from actors import metrics
from engine.model.caps import CapSaved
from engine.model.facts import JournalEntry, OperatorEntry
from engine.ports import Clock, JournalUnavailable
from storage.journal_reader import EntrySource, StreamEntry
from storage.keys import START

log = structlog.get_logger()

ENTRIES_MAX = 2_000
BLOCK_MS = 1_000
PACE_S = 0.2
PACE_S_MAX = 1.0
PACE_PER_WORK = 5.0
"""Time from one write to the next, as a multiple of what the last one took, within those bounds. The more there is to
carry the larger the batches: a write costs the same for one row and for fifty, and a station's row is written once per
batch however much it said. Under load, rows are about a second behind the replies for that."""
TRIM_S = 2.0
RETRY_S_MIN = 0.2
RETRY_S_MAX = 5.0
RETENTION_S = 3_600.0
EMERGENCY_REST_S = 5.0
"""After an emergency cap rows wait so long: all stations of a fleet are told with what the machine has."""
EMERGENCY_EVERY_S = 30.0
"""From one such rest to the next, whatever is told meanwhile: no source can keep rows from being written."""


class ProjectionFailed(Exception):  # noqa: N818 (what happened)
    """The rows could not be written now; nothing of them was. The message says why."""


class Projection(Protocol):
    """Where entries become rows: PostgreSQL, or a memory twin."""

    async def positions(self) -> Mapping[str, str]:
        """Id of the last entry written, by stream. Raises ProjectionFailed."""

    async def apply(self, entries: Sequence[StreamEntry]) -> None:
        """Writes rows and positions together. Raises ProjectionFailed."""

    async def keep_retention(self, now: datetime) -> None:
        """Makes and drops partitions. Raises ProjectionFailed."""


class ProjectorActor:
    """Runs the projection for ever.

    Args:
        source: The journal. Its blocking reads need a client of their own.
        projection: Where the rows go.
        streams: Logical names of the streams to carry.
        clock: Time.
        kept_s: How long entries stay in the streams after they were carried, for others who read them as they come.
    """

    def __init__(
        self,
        source: EntrySource,
        projection: Projection,
        streams: tuple[str, ...],
        clock: Clock,
        *,
        kept_s: float = 0.0,
    ) -> None:
        self._source = source
        self._projection = projection
        self._streams = streams
        self._clock = clock
        self._positions: dict[str, str] = {}
        self._kept_s = kept_s
        self._untrimmed: dict[str, str] = {}
        self._to_trim: deque[tuple[float, dict[str, str]]] = deque()
        """What was carried since the trim before, and when; at most `kept_s / TRIM_S` and one."""
        self._trimmed_at = 0.0
        self._kept_at = -RETENTION_S
        self._rested_at = -EMERGENCY_EVERY_S
        self._caught_up = asyncio.Event()
        self._failure = "not started"
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to carry."""
        self._running = asyncio.create_task(self._run())

    async def health(self) -> dict[str, object]:
        """`failure` is empty while rows are written."""
        return {"failure": self._failure, "caught_up": self._caught_up.is_set()}

    async def caught_up(self, timeout_s: float) -> bool:
        """Waits until nothing was left to carry at some moment from now on; False: not in time."""
        self._caught_up.clear()
        try:
            await asyncio.wait_for(self._caught_up.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def _run(self) -> None:
        retry_s = RETRY_S_MIN
        while True:
            try:
                await self._load_positions()
                while True:
                    await self._step()
                    self._failure, retry_s = "", RETRY_S_MIN
            except (ProjectionFailed, JournalUnavailable) as error:
                metrics.projector_failures.labels(type(error).__name__).inc()
                self._report(str(error))
                await asyncio.sleep(retry_s)
                retry_s = min(retry_s * 2, RETRY_S_MAX)

    def _report(self, failure: str) -> None:
        if failure != self._failure:
            log.warning("the projector waits", why=failure)
        self._failure = failure

    async def _load_positions(self) -> None:
        known = await self._projection.positions()
        self._positions = {stream: known.get(stream, START) for stream in self._streams}
        newest = await self._source.last_ids(self._streams)
        lost = [stream for stream in self._streams if _number(newest[stream]) < _number(self._positions[stream])]
        if lost:
            log.critical(
                "Redis is older than PostgreSQL: it was restored or replaced; entries written from now on are carried",
                streams=lost,
            )

    async def _step(self) -> None:
        """Carries what there is, or waits for something to carry."""
        await self._keep_retention()
        entries = await self._source.read(self._positions, ENTRIES_MAX, BLOCK_MS)
        began = monotonic()
        if entries:
            await self._projection.apply(entries)
            for each in entries:
                self._positions[each.stream] = self._untrimmed[each.stream] = each.id
            metrics.projector_entries.inc(len(entries))
            metrics.projector_lag_seconds.set(self._lag_s(entries))
            if self._is_emergency(entries):
                self._rested_at = monotonic()
                await asyncio.sleep(EMERGENCY_REST_S)
            elif not self._is_behind(entries):
                took_s = monotonic() - began
                await asyncio.sleep(min(max(PACE_S, PACE_PER_WORK * took_s), PACE_S_MAX) - took_s)
        else:
            metrics.projector_lag_seconds.set(0.0)
            self._caught_up.set()
        await self._trim()

    def _is_behind(self, entries: Sequence[StreamEntry]) -> bool:
        """Whether a stream gave as much as one read may take of it, so that more is waiting there."""
        share = max(1, ENTRIES_MAX // len(self._streams))
        return max(Counter(each.stream for each in entries).values()) >= share

    def _is_emergency(self, entries: Iterable[StreamEntry]) -> bool:
        """Whether stations are told of an emergency now, and rows have not waited for one just before."""
        facts = (fact for each in entries if isinstance(each.entry, OperatorEntry) for fact in each.entry.facts)
        told = any(isinstance(fact, CapSaved) and fact.cap.emergency for fact in facts)
        return told and monotonic() - self._rested_at >= EMERGENCY_EVERY_S

    def _lag_s(self, entries: Iterable[StreamEntry]) -> float:
        recorded = [each.entry.recorded_at for each in entries if isinstance(each.entry, JournalEntry | OperatorEntry)]
        return max(0.0, (self._clock.now() - min(recorded)).total_seconds()) if recorded else 0.0

    async def _trim(self) -> None:
        """Lets the streams forget what PostgreSQL has, `kept_s` ago."""
        now = monotonic()
        if now - self._trimmed_at < TRIM_S or not (self._untrimmed or self._to_trim):
            return
        if self._untrimmed:
            self._to_trim.append((now, self._untrimmed))
            self._untrimmed = {}
        while self._to_trim and now - self._to_trim[0][0] >= self._kept_s:
            await self._source.trim(self._to_trim[0][1])
            self._to_trim.popleft()
        self._trimmed_at = monotonic()
        await self._source.lengths(self._streams)

    async def _keep_retention(self) -> None:
        if monotonic() - self._kept_at >= RETENTION_S:
            await self._projection.keep_retention(self._clock.now())
            self._kept_at = monotonic()


def _number(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)
