"""Rows of tokens that nobody knows."""

from datetime import UTC, datetime, timedelta

from engine.model.authorization import Token, TokenChecked, TokenStatus, TokenVerdict
from engine.model.facts import JournalEntry, StationFacts
from storage.blocks.authorization import UNKNOWN_TOKENS, UnknownTokenRow
from storage.journal_reader import StreamEntry
from storage.projection_memory import MemoryProjection
from storage.queries.paging import Page

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
INVALID = TokenVerdict(TokenStatus.INVALID)


async def test_the_last_station_that_asked_about_an_unknown_token_is_kept():
    projection = MemoryProjection("default")
    asked = [
        TokenChecked(Token("AB", "ISO14443"), INVALID, NOW, unknown=True),
        TokenChecked(Token("ab", "ISO14443"), INVALID, NOW + timedelta(minutes=1), unknown=True),
        TokenChecked(Token("known"), TokenVerdict(TokenStatus.ACCEPTED), NOW),
        TokenChecked(Token(""), INVALID, NOW, unknown=True),
    ]
    records = tuple(StationFacts(f"CP-{index}", (fact,)) for index, fact in enumerate(asked))
    entry = JournalEntry(tenant="default", recorded_at=NOW, records=records)
    await projection.apply([StreamEntry("s0", "1-0", entry)])
    rows = (await projection.block(UNKNOWN_TOKENS, {}, Page(limit=10))).rows
    assert rows == (UnknownTokenRow("ab", NOW + timedelta(minutes=1), "ab", "ISO14443", "CP-1", "Invalid"),)
