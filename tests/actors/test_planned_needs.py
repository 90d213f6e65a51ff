"""A car whose station belongs to a site is told that a profile follows; nobody looks that up for any other message."""

from datetime import UTC, datetime

import pytest

from actors.transaction_numbers import TransactionNumbers
from actors.turn import UNAVAILABLE, Item, Turns
from engine.model.envelopes import Answered, Reported
from engine.model.ids import Unit
from engine.model.provisioning import HeartbeatReported
from engine.model.sessions import SessionOpened
from engine.model.sites import NodeKind, Outlet, Site, SiteNode
from engine.model.smart_charging import AcNeeds, EvNeeds, NeedsReported, NeedsVerdict
from engine.station.policy import ChargingPolicy, Policy
from storage.journal_memory import MemoryJournal, MemoryStore
from storage.site_book_memory import MemorySiteBook

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
UNIT = Unit(0)
NEEDS = NeedsReported(1, EvNeeds(energy_transfer="AC_three_phase", ac=AcNeeds(9_000.0, 6.0, 32.0, 230.0)))
SITE = Site(
    site="depot",
    nodes=(
        SiteNode(node="grid", kind=NodeKind.GRID, limit_kw=50.0),
        SiteNode(node="CP-1/1", kind=NodeKind.EVSE, parent="grid", outlet=Outlet(station="CP-1", evse=1)),
    ),
)
PLANNED = Policy(charging=ChargingPolicy(planned_needs=NeedsVerdict.PROCESSING))


class Journal(MemoryJournal):
    """Remembers what was looked up."""

    asked: list[list[str]]

    async def planned(self, stations):
        self.asked.append(sorted(stations))
        return await super().planned(stations)


async def taken(report, *, station="CP-1", policy=PLANNED, away=False):
    store = MemoryStore()
    await MemorySiteBook(store, tenant="t").save_site(SITE, "me", NOW)
    journal = Journal(store, tenant="t")
    journal.asked = []
    turns = Turns(journal, policy, TransactionNumbers(journal), stations_max=10)
    opened = SessionOpened(session="i:1:1", ingress="i", version="2.1", address="", at=NOW)
    await turns.take([Item(station, UNIT, 1, opened, NOW)], NOW)
    store.unavailable = away
    item = Item(station, UNIT, 1, Reported("i:1:1", "m", b"d" * 12, report), NOW)
    await turns.take([item], NOW)
    return item.verdict, journal.asked


async def verdict(**how):
    answered, asked = await taken(NEEDS, **how)
    assert isinstance(answered, Answered)
    return answered.answer.verdict, asked


async def test_a_car_at_a_station_of_a_site_is_told_that_a_profile_follows():
    assert await verdict() == (NeedsVerdict.PROCESSING, [["CP-1"]])


async def test_a_car_elsewhere_is_told_that_none_follows():
    assert await verdict(station="CP-9") == (NeedsVerdict.NO_PROFILE, [["CP-9"]])


async def test_nobody_asks_where_sites_are_not_planned():
    assert await verdict(policy=Policy()) == (NeedsVerdict.NO_PROFILE, [])


async def test_nobody_asks_for_other_messages():
    _, asked = await taken(HeartbeatReported())
    assert asked == []


@pytest.mark.parametrize("report", [NEEDS])
async def test_without_the_journal_nothing_is_answered(report):
    answered, _ = await taken(report, away=True)
    assert answered == UNAVAILABLE
