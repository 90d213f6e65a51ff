"""Rows of local lists: what stations are known to have."""

from datetime import UTC, datetime

import pytest

from engine.model.authorization import Token, TokenStatus, TokenVerdict
from engine.model.facts import JournalEntry, StationFacts
from engine.model.local_list import (
    ListEntry,
    ListState,
    LocalListChecked,
    LocalListRefused,
    LocalListUpdated,
)
from storage.blocks.local_list import LOCAL_LIST_ENTRIES, LOCAL_LISTS
from storage.journal_reader import StreamEntry
from storage.projection_memory import MemoryProjection
from storage.queries.paging import Page

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ALL = Page(limit=100)


def entry(name):
    return ListEntry(Token(name), TokenVerdict(TokenStatus.ACCEPTED))


def full(version, *names, **more):
    return LocalListUpdated(
        version, full=True, entries=tuple(map(entry, names)), noted_at=NOW, total=len(names), **more
    )


class Rows:
    """A projection that is told facts of CP-1."""

    def __init__(self):
        self.projection = MemoryProjection("default")
        self.told = 0

    async def tell(self, *facts, station="CP-1"):
        self.told += 1
        entry = JournalEntry(tenant="default", recorded_at=NOW, records=(StationFacts(station, facts),))
        await self.projection.apply([StreamEntry("s0", f"{self.told}-0", entry)])

    async def list(self):
        (row,) = (await self.projection.block(LOCAL_LISTS, {"station": "CP-1"}, ALL)).rows
        return row

    async def entries(self):
        found = (await self.projection.block(LOCAL_LIST_ENTRIES, {"station": "CP-1"}, ALL)).rows
        return {row.token: row.status for row in found}


@pytest.fixture
def rows():
    return Rows()


async def test_a_whole_list_replaces_and_a_difference_changes(rows):
    await rows.tell(full(1, "A", "B", state=ListState.SYNCING))
    row = await rows.list()
    assert (row.version, row.state, row.entries, row.updated_at) == (1, "syncing", 2, NOW)
    change = (ListEntry(Token("a")), entry("C"), ListEntry(Token("b"), TokenVerdict(TokenStatus.BLOCKED)))
    await rows.tell(LocalListUpdated(2, full=False, entries=change, noted_at=NOW, total=2))
    row = await rows.list()
    assert (row.version, row.state, row.entries) == (2, "in_sync", 2)
    assert await rows.entries() == {"b": "Blocked", "C": "Accepted"}
    await rows.tell(full(3, "D"))
    assert await rows.entries() == {"D": "Accepted"}


async def test_it_is_the_same_when_all_is_told_at_once(rows):
    await rows.tell(
        full(1, "A", "B"),
        LocalListUpdated(2, full=False, entries=(ListEntry(Token("A")), entry("C")), noted_at=NOW, total=2),
    )
    assert await rows.entries() == {"B": "Accepted", "C": "Accepted"}


async def test_a_refusal_says_why_and_leaves_the_entries(rows):
    await rows.tell(full(1, "A"), LocalListRefused(2, full=False, status="VersionMismatch", noted_at=NOW))
    row = await rows.list()
    assert (row.version, row.state, row.detail) == (1, "stale", "version 2: VersionMismatch")
    assert await rows.entries() == {"A": "Accepted"}


async def test_another_version_leaves_nothing_known_of_the_entries(rows):
    await rows.tell(full(1, "A"), LocalListChecked(9, known=False, state=ListState.STALE, noted_at=NOW))
    row = await rows.list()
    assert (row.version, row.state, row.entries, row.checked_at) == (9, "stale", None, NOW)
    assert await rows.entries() == {}


async def test_the_same_version_leaves_all_as_it_is(rows):
    await rows.tell(full(1, "A"), LocalListChecked(1, known=True, state=ListState.IN_SYNC, noted_at=NOW))
    assert (await rows.list()).entries == 1
    assert await rows.entries() == {"A": "Accepted"}


async def test_lists_of_other_stations_stay(rows):
    await rows.tell(full(1, "A"))
    await rows.tell(full(1, "B"), station="CP-2")
    assert await rows.entries() == {"A": "Accepted"}
