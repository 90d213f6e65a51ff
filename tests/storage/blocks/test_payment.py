"""Rows of settlements."""

from datetime import UTC, datetime, timedelta

from engine.model.facts import JournalEntry, StationFacts
from engine.model.payment import (
    Company,
    SettlementRecorded,
    SettlementReported,
    SettlementStatus,
    VatNumberChecked,
)
from storage.blocks.payment import SETTLEMENTS
from storage.journal_reader import StreamEntry
from storage.projection_memory import MemoryProjection
from storage.queries.filters import EventFilter
from storage.queries.paging import Page

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def recorded(status, at, **more):
    said = SettlementReported("psp-1", status, 9.5, NOW, "tx", vat_company=Company("n", "a", "c", "DE"))
    return SettlementRecorded(said, at, **more)


async def test_the_last_word_on_a_payment_counts_and_all_stand_in_the_history():
    projection = MemoryProjection("default")
    facts = (
        recorded(SettlementStatus.FAILED, NOW),
        recorded(SettlementStatus.SETTLED, LATER, receipt_id="r", receipt_url="https://x/r"),
        VatNumberChecked("DE1", valid=False, at=LATER),
    )
    entry = JournalEntry(tenant="default", recorded_at=NOW, records=(StationFacts("CP-1", facts),))
    await projection.apply([StreamEntry("s0", "1-0", entry)])
    (row,) = (await projection.block(SETTLEMENTS, {}, Page(limit=10))).rows
    assert (row.reference, row.status, row.amount, row.received_at) == ("psp-1", "Settled", 9.5, LATER)
    assert (row.receipt_id, row.receipt_url, row.transaction_id) == ("r", "https://x/r", "tx")
    assert row.vat_company["name"] == "n"
    events = (await projection.events(EventFilter(station="CP-1"), Page(limit=10))).rows
    assert sorted(event.kind for event in events) == ["settlement_recorded"] * 2 + ["vat_number_checked"]
