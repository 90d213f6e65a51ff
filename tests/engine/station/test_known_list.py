"""What is believed of a station's local list."""

from datetime import UTC, datetime

from engine.model.local_list import (
    ListState,
    LocalListAsked,
    LocalListChecked,
    LocalListDoubted,
    LocalListRefused,
    LocalListUpdated,
)
from engine.station.known_list import KnownList

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_change_gives_a_version_and_a_refusal_leaves_it():
    known = KnownList().after(LocalListUpdated(3, full=True, entries=(), noted_at=NOW))
    assert known == KnownList(3, ListState.IN_SYNC)
    assert known.after(LocalListRefused(4, full=False, status="Failed", noted_at=NOW)) == KnownList(3, ListState.STALE)


def test_a_doubt_lasts_until_it_is_asked_or_told():
    doubted = KnownList(3, ListState.IN_SYNC).after(LocalListDoubted(NOW, NOW))
    assert doubted.ask_at == NOW
    assert doubted.after(LocalListAsked(NOW)).ask_at is None
    assert doubted.after(LocalListChecked(3, known=True, state=ListState.IN_SYNC, noted_at=NOW)).ask_at is None
    assert doubted.after(LocalListUpdated(4, full=True, entries=(), noted_at=NOW)).ask_at == NOW, (
        "the boot may have come after it"
    )
