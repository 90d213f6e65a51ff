"""Quirks over HTTP: the profiles, those of a station, suggestions, choosing."""

import asyncio

import pytest

from engine.model.facts import JournalEntry, OperatorEntry, StationFacts
from engine.model.quirks import Make, OdditiesCounted
from engine.model.stations import StationRecord, StationRegistered
from engine.quirk_files import load
from ingress.http.keys import Scope
from storage.journal_reader import StreamEntry
from tests.ingress.http.house import NOW, TestHouse


@pytest.fixture
def house():
    house = TestHouse(quirks=load())
    house.add_station("CP-1", vendor="Wall Box Chargers", model="PLP2", firmware_version="6.6.12")
    asyncio.run(house.book.save_station(StationRecord("CP-1", note="kept"), NOW))
    return house


def noticed(house, station, **counts):
    fact = OdditiesCounted(counts, NOW, Make("Acme", "One", "1"), dict.fromkeys(counts, "1"))
    entry = JournalEntry(tenant="default", recorded_at=NOW, records=(StationFacts(station, (fact,)),))

    async def tell():
        await house.projection.positions()
        await house.projection.apply([StreamEntry("s0", f"{len(station)}-0", entry)])

    asyncio.run(tell())


def test_the_profiles_say_for_whom_they_are_and_why(client):
    profiles = client.get("/api/v1/quirks").json()
    wallbox = next(each for each in profiles if each["name"] == "wallbox-boot-first")
    assert wallbox["vendor"] == ["Wall Box*", "Wallbox*"]
    assert wallbox["switches"]["call_after_boot_s"] > 0
    assert "lbbrhzn" in wallbox["source"]


def test_a_station_has_those_of_its_make_with_reasons(client):
    shown = client.get("/api/v1/stations/CP-1/quirks").json()
    assert shown["vendor"] == "Wall Box Chargers"
    assert shown["effective"] == {"call_after_connect_s": 3.0, "call_after_boot_s": 5.0}
    assert {each["by"] for each in shown["applied"]} == {"make"}
    assert shown["chosen"] == []


def test_quirks_are_chosen_for_a_station_and_its_record_is_kept(client, house):
    body = {"quirks": ["meter-jitter", "utc_offset_min=60", "meter-jitter"]}
    shown = client.put("/api/v1/stations/CP-1/quirks", json=body).json()
    assert shown["chosen"] == ["meter-jitter", "utc_offset_min=60"]
    assert shown["effective"]["utc_offset_min"] == 60
    record = asyncio.run(house.book.station("CP-1"))
    assert record == StationRecord("CP-1", note="kept", quirks=("meter-jitter", "utc_offset_min=60"))
    assert client.put("/api/v1/stations/CP-1/quirks", json={"quirks": []}).json()["chosen"] == []


@pytest.mark.parametrize("quirk", ["no-such", "ping=3", "pin=false", ""])
def test_what_is_no_quirk_is_refused(client, house, quirk):
    response = client.put("/api/v1/stations/CP-1/quirks", json={"quirks": ["meter-jitter", quirk]})
    assert response.status_code == 422
    assert "quirks" in response.json()["errors"][0]["where"]
    assert asyncio.run(house.book.station("CP-1")).quirks == ()


def test_a_station_that_is_not_registered_is_to_be_registered_first(client, house):
    house.add_station("CP-2")
    response = client.put("/api/v1/stations/CP-2/quirks", json={"quirks": []})
    assert (response.status_code, response.json()["type"].rsplit(":", 1)[1]) == (404, "station-not-registered")


def test_a_station_that_nobody_knows_has_none(client):
    assert client.get("/api/v1/stations/CP-9/quirks").status_code == 404


def test_who_may_only_read_cannot_choose(house, client_of):
    client = client_of(house, Scope.READ)
    assert client.get("/api/v1/stations/CP-1/quirks").status_code == 200
    assert client.put("/api/v1/stations/CP-1/quirks", json={"quirks": []}).status_code == 403


def test_a_name_that_is_no_profile_any_more_is_shown_as_such(client, house):
    asyncio.run(house.book.save_station(StationRecord("CP-1", quirks=("gone",)), NOW))
    shown = client.get("/api/v1/stations/CP-1/quirks").json()
    assert (shown["chosen"], shown["unknown"]) == (["gone"], ["gone"])


def test_what_was_noticed_is_suggested_with_what_else_it_could_be(client, house):
    noticed(house, "CP-1", meter_backwards=5)
    noticed(house, "CP-10", meter_backwards=3)
    (found,) = client.get("/api/v1/quirk-suggestions").json()
    assert (found["quirk"], found["vendor"], found["count"]) == ("meter-jitter", "Acme", 8)
    assert found["stations"] == ["CP-1", "CP-10"]
    assert found["caution"]
    assert "meter_jitter_wh = 1" in found["profile"]
    (one,) = client.get("/api/v1/quirk-suggestions", params={"station": "CP-10"}).json()
    assert one["stations"] == ["CP-10"]
    assert client.get("/api/v1/quirk-suggestions", params={"vendor": "Other"}).json() == []


def test_what_a_station_has_already_is_not_suggested(client, house):
    noticed(house, "CP-1", meter_backwards=5)
    fact = StationRegistered(StationRecord("CP-1", quirks=("meter-jitter",)), NOW)
    entry = OperatorEntry(tenant="default", recorded_at=NOW, facts=(fact,))
    asyncio.run(house.projection.apply([StreamEntry("operator", "1-0", entry)]))
    assert client.get("/api/v1/quirk-suggestions").json() == []


def test_observations_and_silent_stations_are_listed(client, house):
    noticed(house, "CP-1", refused=5)
    rows = client.get("/api/v1/quirk-observations", params={"station": "CP-1"}).json()["items"]
    assert [(row["oddity"], row["count"]) for row in rows] == [("refused", 5)]
    assert client.get("/api/v1/unresponsive-stations").json()["items"] == []
