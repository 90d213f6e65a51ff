"""Local lists over REST: what is sent to a station that obeys, refuses, or has lost its list."""

import asyncio

import pytest
from msgspec.structs import replace

from engine.local_lists import applied
from engine.model.authorization import Token, TokenRecord, TokenSaved
from engine.model.commands import Outcome, Result
from engine.model.facts import JournalEntry, OperatorEntry, StationFacts
from engine.model.local_list import (
    GetLocalListVersion,
    ListState,
    ListVersion,
    LocalListChecked,
    LocalListRefused,
    LocalListUpdated,
    SendLocalList,
)
from ingress.http.local_lists import LocalLists
from ingress.http.settings import LocalListSettings
from storage.blocks.local_list import LOCAL_LISTS
from storage.journal_reader import StreamEntry
from storage.projection_memory import MemoryProjection
from storage.queries.paging import Page
from tests.ingress.http.house import NOW, TestHouse

SETTINGS = LocalListSettings(entries_per_message=2, interval_s=0.1)


class Station:
    """A gateway behind which a station obeys, and whose outcomes become facts as the decider makes them."""

    def __init__(self, house):
        self.house = house
        self.version, self.list, self.sent = 0, {}, []
        self.outcomes = []
        """What the next commands come to instead."""
        self.entries = 0

    async def tell(self, *facts):
        self.entries += 1
        entry = JournalEntry(tenant="default", recorded_at=NOW, records=(StationFacts("CP-1", facts),))
        await self.house.projection.apply([StreamEntry("s0", f"{self.entries}-0", entry)])

    async def save(self, *records):
        self.entries += 1
        facts = tuple(TokenSaved(record, NOW) for record in records)
        entry = OperatorEntry(tenant="default", recorded_at=NOW, facts=facts)
        await self.house.projection.apply([StreamEntry("operator", f"{self.entries}-0", entry)])

    async def command(self, request):
        word = request.command
        self.sent.append(word)
        if self.outcomes:
            outcome = self.outcomes.pop(0)
            if outcome is not None:
                if isinstance(word, SendLocalList) and outcome.status:
                    await self.tell(LocalListRefused(word.version, full=word.full, status=outcome.status, noted_at=NOW))
                return outcome
        if isinstance(word, GetLocalListVersion):
            return Outcome(Result.ACCEPTED, found=ListVersion(self.version))
        if not word.full and word.version <= self.version:
            await self.tell(LocalListRefused(word.version, full=word.full, status="VersionMismatch", noted_at=NOW))
            return Outcome(Result.REFUSED, "VersionMismatch")
        self.version, self.list = word.version, applied(self.list, word)
        state = ListState.SYNCING if word.more else ListState.IN_SYNC
        await self.tell(
            LocalListUpdated(
                word.version, full=word.full, entries=word.entries, noted_at=NOW, total=word.total, state=state
            )
        )
        return Outcome(Result.ACCEPTED, "Accepted")


@pytest.fixture
async def station():
    house = TestHouse(local_lists=SETTINGS)
    station = Station(house)
    house.services = replace(house.services, gateway=station)
    house.add_station("CP-1", version="1.6")
    await house.projection.positions()
    await station.save(*(TokenRecord(Token(name), in_local_list=True) for name in "ABCDE"))
    return station


@pytest.fixture
def lists(station):
    return LocalLists(station.house.services)


async def row(station):
    (found,) = (await station.house.projection.block(LOCAL_LISTS, {}, Page(limit=10))).rows
    return found


async def test_D01_FR_11_a_first_list_is_sent_whole_in_parts(station, lists):
    synced = await lists.sync("CP-1")
    assert (synced.result, synced.version, synced.entries, synced.messages, synced.whole) == ("accepted", 3, 5, 3, True)
    assert [(word.full, len(word.entries), word.more) for word in station.sent] == [
        (True, 2, True),
        (False, 2, True),
        (False, 1, False),
    ]
    assert set(station.list) == set("abcde")
    assert (await row(station)).state == "in_sync"


async def test_a_list_that_is_right_is_left_alone_and_a_change_is_a_difference(station, lists):
    await lists.sync("CP-1")
    station.sent.clear()
    assert (await lists.sync("CP-1")).messages == 0
    assert station.sent == []
    await station.save(TokenRecord(Token("A"), in_local_list=False), TokenRecord(Token("F"), in_local_list=True))
    synced = await lists.sync("CP-1")
    assert (synced.whole, synced.version) == (False, 4)
    assert set(station.list) == set("bcdef")


async def test_D01_FR_03_a_refused_difference_is_followed_by_the_whole_list(station, lists):
    await lists.sync("CP-1")
    station.version, station.list = 40, {}
    await station.save(TokenRecord(Token("F"), in_local_list=True))
    synced = await lists.sync("CP-1")
    assert (synced.result, synced.whole) == ("accepted", True)
    assert synced.version == 43 == station.version
    assert set(station.list) == set("abcdef")


async def test_a_whole_list_that_is_refused_is_told_and_not_tried_for_ever(station, lists):
    station.outcomes = [Outcome(Result.REFUSED, "Failed", "no room")]
    synced = await lists.sync("CP-1")
    assert (synced.result, synced.detail, synced.messages) == ("refused", "no room", 0)
    assert len(station.sent) == 1


@pytest.mark.parametrize("broken_at", [0, 1, 2])
async def test_a_sync_that_broke_off_is_gone_on_with(station, lists, broken_at):
    station.outcomes = [None] * broken_at + [Outcome(Result.OFFLINE)]
    assert (await lists.sync("CP-1")).result == "offline"
    station.sent.clear()
    synced = await LocalLists(station.house.services).sync("CP-1")
    assert (synced.result, synced.entries) == ("accepted", 5)
    assert set(station.list) == set("abcde")
    assert len(station.sent) == 3 - broken_at, "what was taken in is not sent again"


async def test_nothing_is_sent_before_the_version_of_ocpp_is_known(station, lists):
    station.house.add_station("CP-9", version=None)
    assert await lists.sync("CP-9") is None
    assert await lists.sync("CP-10") is None


async def test_a_list_that_does_not_fit_is_not_begun(station, client_of):
    station.house.projection.tables.blocks["variables"] = {
        ("CP-1", "x"): {"component": "", "variable": "LocalAuthListMaxLength", "value": "4"},
    }
    answer = client_of(station.house).post("/api/v1/stations/CP-1/local-list/sync", json={})
    assert answer.status_code == 409
    assert "holds 4 tokens" in answer.json()["detail"]
    assert station.sent == []


async def test_a_station_gets_no_more_at_once_than_it_takes(station, lists):
    station.house.projection.tables.blocks["variables"] = {
        ("CP-1", "x"): {"component": "LocalAuthListCtrlr", "variable": "ItemsPerMessage", "value": "1"},
    }
    assert (await lists.sync("CP-1")).messages == 5


async def test_over_rest_a_sync_says_what_was_done_and_a_no_is_a_problem(station, client_of):
    client = client_of(station.house)
    synced = client.post("/api/v1/stations/CP-1/local-list/sync", json={"whole": True})
    assert (synced.status_code, synced.json()["entries"]) == (200, 5)
    station.outcomes = [Outcome(Result.OFFLINE)]
    offline = client.post("/api/v1/stations/CP-1/local-list/sync", json={"whole": True})
    assert (offline.status_code, offline.json()["result"]) == (409, "offline")
    assert client.post("/api/v1/stations/CP-77/local-list/sync", json={}).status_code == 404


async def test_D02_a_check_repairs_another_version_unless_told_not_to(station, client_of, lists):
    client = client_of(station.house)
    await lists.sync("CP-1")
    same = client.post("/api/v1/stations/CP-1/local-list/check", json={}).json()
    assert (same["version"], same["expected"], same["synced"]) == (3, 3, None)
    station.version, station.list = 0, {}
    looked = client.post("/api/v1/stations/CP-1/local-list/check", json={"repair": False}).json()
    assert (looked["version"], looked["synced"]) == (0, None)
    repaired = client.post("/api/v1/stations/CP-1/local-list/check", json={}).json()
    assert repaired["synced"]["whole"]
    assert set(station.list) == set("abcde")


async def kept(lists, until):
    """Runs `keep` until something is so."""
    task = asyncio.create_task(lists.keep())
    try:
        async with asyncio.timeout(20):
            while not until():
                await asyncio.sleep(0.02)
    finally:
        task.cancel()


async def test_what_is_stale_is_sent_anew_by_itself(station, lists):
    await lists.sync("CP-1")
    station.version, station.list = 0, {}
    await station.tell(LocalListChecked(0, known=False, state=ListState.STALE, noted_at=NOW))
    await kept(lists, lambda: set(station.list) == set("abcde"))


async def test_what_was_begun_is_finished_by_itself(station, lists):
    station.outcomes = [None, Outcome(Result.OFFLINE)]
    await lists.sync("CP-1")
    assert (await row(station)).state == "syncing"
    await kept(lists, lambda: set(station.list) == set("abcde"))


async def test_lists_follow_the_tokens_where_the_settings_say_so(station):
    following = SETTINGS.model_copy(update={"keep": "follow"})
    services = replace(station.house.services, local_lists=following)
    lists = LocalLists(services)
    await lists.sync("CP-1")

    async def change():
        for number in range(200):
            await station.save(TokenRecord(Token("F"), in_local_list=True, note=str(number)))
            await asyncio.sleep(0.1)

    changing = asyncio.create_task(change())
    await kept(lists, lambda: "f" in station.list)
    changing.cancel()


async def test_a_station_that_is_away_is_left_for_later(station, lists, monkeypatch):
    station.house.add_station("CP-1", version="1.6", connected=False)
    await station.tell(LocalListChecked(0, known=False, state=ListState.STALE, noted_at=NOW))
    looked = asyncio.Event()
    listing = MemoryProjection.block

    async def noticed(self, *arguments):
        looked.set()
        return await listing(self, *arguments)

    monkeypatch.setattr(MemoryProjection, "block", noticed)
    await kept(lists, looked.is_set)
    assert station.sent == []
