"""Rows of quirks: counts, choices, silence."""

from datetime import UTC, datetime

import pytest

from engine.model.facts import JournalEntry, OperatorEntry, StationFacts
from engine.model.quirks import Make, OdditiesCounted
from engine.model.sessions import IdentityContested, StationResponsive, StationUnresponsive, VersionChanged
from engine.model.stations import StationRecord, StationRegistered
from storage.blocks.quirks import (
    QUIRK_OBSERVATIONS,
    STATION_QUIRKS,
    UNRESPONSIVE_STATIONS,
    QuirkObservationRow,
    StationQuirksRow,
    UnresponsiveStationRow,
)
from storage.journal_reader import StreamEntry
from storage.projection_memory import MemoryProjection
from storage.queries.filters import EventFilter
from storage.queries.paging import Page

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ACME = Make("Acme", "One", "1.0")
ALL = Page(limit=1000)


class Rows:
    """A projection that is told facts."""

    def __init__(self):
        self.projection = MemoryProjection("default")
        self.told = 0

    async def tell(self, *facts, station="CP-1"):
        self.told += 1
        entry = JournalEntry(tenant="default", recorded_at=NOW, records=(StationFacts(station, facts),))
        await self.projection.apply([StreamEntry("s0", f"{self.told}-0", entry)])

    async def register(self, *quirks):
        self.told += 1
        fact = StationRegistered(StationRecord("CP-1", quirks=quirks), NOW)
        entry = OperatorEntry(tenant="default", recorded_at=NOW, facts=(fact,))
        await self.projection.apply([StreamEntry("operator", f"{self.told}-0", entry)])

    async def of(self, table):
        return (await self.projection.block(table, {}, ALL)).rows


@pytest.fixture
async def rows():
    made = Rows()
    await made.projection.positions()
    return made


async def test_counts_are_as_they_were_said_last_however_often_that_was(rows):
    await rows.tell(OdditiesCounted({"repaired": 1}, NOW, ACME, {"repaired": "first"}))
    for _ in range(2):
        await rows.tell(OdditiesCounted({"repaired": 5, "refused": 2}, NOW, ACME))
    assert await rows.of(QUIRK_OBSERVATIONS) == (
        QuirkObservationRow("CP-1", "refused", 2, NOW, "Acme", "One", "1.0"),
        QuirkObservationRow("CP-1", "repaired", 5, NOW, "Acme", "One", "1.0", "first"),
    )


async def test_a_station_of_another_make_begins_anew(rows):
    await rows.tell(OdditiesCounted({"repaired": 5, "refused": 2}, NOW, ACME))
    await rows.tell(OdditiesCounted({"refused": 1}, NOW, Make("Acme", "One", "2.0"), of_new_make=True))
    assert await rows.of(QUIRK_OBSERVATIONS) == (QuirkObservationRow("CP-1", "refused", 1, NOW, "Acme", "One", "2.0"),)


async def test_a_station_that_never_booted_is_of_no_make(rows):
    await rows.tell(OdditiesCounted({"never_booted": 1}, NOW))
    (row,) = await rows.of(QUIRK_OBSERVATIONS)
    assert (row.vendor, row.model, row.firmware) == ("", "", "")


async def test_what_an_operator_chose_is_kept_until_it_is_taken_away(rows):
    await rows.register("meter-jitter", 'time_formats=["%d %H"]')
    assert await rows.of(STATION_QUIRKS) == (StationQuirksRow("CP-1", ["meter-jitter", 'time_formats=["%d %H"]'], NOW),)
    await rows.register()
    assert await rows.of(STATION_QUIRKS) == ()


async def test_a_silent_station_is_listed_until_it_speaks(rows):
    await rows.tell(StationUnresponsive("i:1:1", 900.0, NOW))
    assert await rows.of(UNRESPONSIVE_STATIONS) == (UnresponsiveStationRow("CP-1", "i:1:1", NOW),)
    await rows.tell(StationResponsive("i:1:1", 1_000.0, NOW))
    assert await rows.of(UNRESPONSIVE_STATIONS) == ()


async def test_what_happens_to_connections_stands_in_the_station_s_history(rows):
    await rows.tell(
        IdentityContested(("10.0.0.1", "10.0.0.2"), 4, 600.0, NOW),
        VersionChanged("1.6", "2.0.1", ("7",), NOW),
        StationUnresponsive("i:1:1", 900.0, NOW),
        StationResponsive("i:1:1", 900.0, NOW, ended=True),
    )
    events = (await rows.projection.events(EventFilter(station="CP-1"), ALL)).rows
    assert {event.kind for event in events} == {
        "identity_contested", "version_changed", "station_unresponsive", "station_responsive",
    }  # fmt: skip
