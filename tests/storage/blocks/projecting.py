"""Facts of stations through the projection's memory twin, and the rows of a table after them."""

from datetime import UTC, datetime

from engine.model.facts import JournalEntry, OperatorEntry, StationFacts
from storage.journal_reader import StreamEntry
from storage.projection_memory import MemoryProjection
from storage.queries.paging import Page

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Rows:
    """A projection of one station's facts."""

    def __init__(self):
        self.projection = MemoryProjection("default")
        self.count = 0

    async def after(self, *facts, apart=True):
        """Takes facts in, each in an entry of its own or all in one."""
        for group in [(fact,) for fact in facts] if apart else [facts]:
            await self._take("s0", JournalEntry("default", NOW, (StationFacts("CP-1", group),)))

    async def after_operator(self, fact):
        await self._take("operator", OperatorEntry("default", NOW, (fact,)))

    async def _take(self, stream, entry):
        self.count += 1
        await self.projection.apply([StreamEntry(stream, f"{self.count}-0", entry)])

    async def of(self, table, **where):
        return (await self.projection.block(table, where, Page(limit=100))).rows

    async def one(self, table, **where):
        (row,) = await self.of(table, **where)
        return row
