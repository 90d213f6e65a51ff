"""Rows of reservations."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.model.authorization import Token
from engine.model.facts import JournalEntry, StationFacts
from engine.model.ids import EvseRef
from engine.model.reservation import (
    ReservationEnded,
    ReservationLapsed,
    ReservationMade,
    ReservationRefused,
    ReservationStatus,
)
from storage.blocks.reservation import RESERVATIONS
from storage.journal_reader import StreamEntry
from storage.projection_memory import MemoryProjection
from storage.queries.filters import EventFilter
from storage.queries.paging import Page

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=30)
MADE = ReservationMade(1, Token("AB"), LATER, "c1", NOW, evse=EvseRef(2, 1), group="g")


class Rows:
    """A projection that is told facts of CP-1."""

    def __init__(self):
        self.projection = MemoryProjection("default")

    async def after(self, *facts):
        entry = JournalEntry(tenant="default", recorded_at=NOW, records=(StationFacts("CP-1", facts),))
        await self.projection.apply([StreamEntry("s0", "1-0", entry)])
        return (await self.projection.block(RESERVATIONS, {"station": "CP-1"}, Page(limit=10))).rows

    async def events(self):
        found = await self.projection.events(EventFilter(station="CP-1"), Page(limit=10))
        return [row.kind for row in found.rows]


@pytest.fixture
def rows():
    return Rows()


async def test_one_that_is_kept_is_active_with_all_that_was_asked(rows):
    (row,) = await rows.after(MADE)
    assert (row.status, row.token, row.token_group, row.evse, row.connector) == ("Active", "AB", "g", 2, 1)
    assert (row.expires_at, row.requested_at, row.changed_at, row.ended_at, row.command_id) == (
        LATER,
        NOW,
        NOW,
        None,
        "c1",
    )


async def test_one_without_an_answer_is_uncertain(rows):
    (row,) = await rows.after(ReservationMade(1, Token("AB"), LATER, "c1", NOW, certain=False))
    assert row.status == "Uncertain"


async def test_one_that_was_refused_says_why(rows):
    refused = ReservationRefused(1, Token("AB"), LATER, "c1", ReservationStatus.OCCUPIED, NOW, detail="taken")
    (row,) = await rows.after(refused)
    assert (row.status, row.detail, row.ended_at) == ("Occupied", "taken", NOW)


async def test_one_that_is_used_names_its_transaction_and_stands_in_the_history(rows):
    (row,) = await rows.after(MADE, ReservationEnded(1, ReservationStatus.USED, LATER, "tx"))
    assert (row.status, row.transaction_id, row.ended_at, row.unknown) == ("Used", "tx", LATER, False)
    assert await rows.events() == ["reservation_ended"]


async def test_one_that_lapses_is_expired(rows):
    (row,) = await rows.after(MADE, ReservationLapsed(1, LATER))
    assert (row.status, row.ended_at, row.requested_at) == ("Expired", LATER, NOW)


async def test_one_that_nobody_knows_is_flagged(rows):
    (row,) = await rows.after(ReservationEnded(9, ReservationStatus.REMOVED, NOW, unknown=True))
    assert (row.reservation_id, row.status, row.unknown, row.token) == (9, "Removed", True, None)


async def test_the_same_id_made_again_is_a_new_reservation(rows):
    again = ReservationMade(1, Token("CD"), LATER, "c2", LATER)
    (row,) = await rows.after(MADE, ReservationLapsed(1, NOW), again)
    assert (row.status, row.token, row.ended_at, row.token_group) == ("Active", "CD", None, None)
