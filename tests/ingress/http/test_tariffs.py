"""Tariffs over REST: saved, assigned, removed; what is wrong with one is told. Smart charging by name."""

import pytest

from engine.model.smart_charging import SetChargingProfile
from engine.model.tariff_and_cost import AssignedTo
from ingress.http.api.command_bodies import StartBody
from ingress.http.api.words import word_of
from ingress.http.problems import Problem
from storage.tariff_book import MemoryTariffBook
from tests.ingress.http.house import TestHouse

TARIFF = {"currency": "EUR", "energy": {"prices": [{"amount": 0.4, "conditions": {"from_time": "08:00"}}]}}


@pytest.fixture
def house():
    house = TestHouse()
    tariffs = MemoryTariffBook(house.store, tenant="default")
    made = TestHouse(tariffs=tariffs)
    made.tariffs = tariffs
    return made


async def test_a_tariff_is_saved_assigned_and_removed(house, client):
    assert client.put("/api/v1/tariffs/day", json=TARIFF).json()["energy"]["prices"][0]["amount"] == "0.4"
    for kind, name in (("default", "all"), ("station", "CP-1"), ("token", "04AB"), ("group", "fleet")):
        answer = client.put(f"/api/v1/tariff-assignments/{kind}/{name}", json={"tariff_id": "day"})
        assert answer.status_code == 200, answer.text
    book = await house.tariffs.book()
    assert {*book.assigned()} == {
        (AssignedTo.DEFAULT, "", "day"),
        (AssignedTo.STATION, "CP-1", "day"),
        (AssignedTo.TOKEN, "04ab", "day"),
        (AssignedTo.GROUP, "fleet", "day"),
    }
    assert client.put("/api/v1/tariff-assignments/group/fleet", json={"tariff_id": None}).status_code == 200
    assert client.delete("/api/v1/tariffs/day").status_code == 204
    assert [*(await house.tariffs.book()).assigned()] == []
    assert client.delete("/api/v1/tariffs/day").status_code == 404


def test_I08_FR_08_another_content_under_an_id_is_a_conflict(client):
    client.put("/api/v1/tariffs/day", json=TARIFF)
    answer = client.put("/api/v1/tariffs/day", json={"currency": "EUR"})
    assert (answer.status_code, answer.json()["what_to_do"]) == (409, "use another id")
    assert client.put("/api/v1/tariffs/day", json=TARIFF).status_code == 200


def test_only_a_known_tariff_can_be_assigned(client):
    answer = client.put("/api/v1/tariff-assignments/default/all", json={"tariff_id": "nope"})
    assert answer.status_code == 409


@pytest.mark.parametrize("body", [{}, {"currency": "EUR", "energy": {"prices": []}}, {"currency": "euro"}])
def test_an_unsound_tariff_is_refused(client, body):
    assert client.put("/api/v1/tariffs/day", json=body).status_code == 422


def test_a_profile_in_JSON_is_the_words():
    schedule = {"unit": "A", "periods": [{"start_s": 0, "limit": 16}], "start_at": "2026-05-01T10:00:00Z"}
    profile = {"id": 1, "stack_level": 0, "purpose": "TxDefaultProfile", "kind": "Absolute", "schedules": [schedule]}
    command = word_of("set_charging_profile", {"evse": 0, "profile": profile})
    assert isinstance(command, SetChargingProfile)
    assert command.profile.schedules[0].periods[0].limit == 16.0


def test_TC_059_a_remote_start_over_REST_carries_a_profile():
    schedule = {"unit": "A", "periods": [{"start_s": 0, "limit": 16}]}
    profile = {"id": 1, "stack_level": 0, "purpose": "TxProfile", "kind": "Relative", "schedules": [schedule]}
    assert StartBody(token="04AB", profile=profile).word(1).profile.schedules[0].periods[0].limit == 16.0
    with pytest.raises(Problem, match="purpose"):
        StartBody(token="04AB", profile=profile | {"purpose": "Odd"}).word(1)
