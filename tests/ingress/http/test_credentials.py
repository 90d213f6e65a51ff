"""Commands that change how a station logs in: none of them locks it out. 2.1 A01, A05, B09; TC_073, TC_A_10."""

import pytest

from engine.model.commands import Outcome, Result
from engine.model.provisioning import ChangePassword
from engine.model.stations import StationRecord
from ingress.ocpp.passwords import verify_password
from tests.ingress.http.house import NOW, TestHouse

SECRET = "0123456789abcdef0123"
BASIC = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
TELLING = [
    {"command": "change_password", "password": SECRET},
    {
        "command": "set_variables",
        "settings": [{"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": SECRET}],
    },
    {"command": "set_variables", "settings": [{"variable": "AuthorizationKey", "value": SECRET}]},
    {"action": "ChangeConfiguration", "payload": {"key": "AuthorizationKey", "value": SECRET}},
    {"action": "SetVariables", "payload": {"setVariableData": [{**BASIC, "attributeValue": SECRET}]}},
]
UPGRADING = [
    {"command": "set_network_profile", "configuration_slot": 1, "profile": {"url": "wss://x", "security_profile": 2}},
    {
        "command": "set_variables",
        "settings": [{"component": "SecurityCtrlr", "variable": "SecurityProfile", "value": "2"}],
    },
    {"action": "ChangeConfiguration", "payload": {"key": "SecurityProfile", "value": "2"}},
    {"action": "SetNetworkProfile", "payload": {"configurationSlot": 1, "connectionData": {"securityProfile": 2}}},
]
NOT_TAKEN = [Result.REFUSED, Result.OFFLINE, Result.NOT_EXPRESSIBLE, Result.EXPIRED, Result.CANCELLED, Result.REPLACED]


@pytest.fixture
async def house():
    house = TestHouse()
    house.add_station("CP-1")
    record = StationRecord(station="CP-1", security_profile=1, password_hash="old")
    await house.book.save_station(record, NOW)
    return house


async def record_after(house, client, body, outcome):
    house.gateway.outcome = outcome
    client.post("/api/v1/stations/CP-1/commands", json=body)
    return await house.book.station("CP-1")


@pytest.mark.parametrize("body", TELLING)
@pytest.mark.parametrize("result", [Result.ACCEPTED, Result.TIMED_OUT, Result.LOST, Result.FAILED])
async def test_A01_the_door_takes_the_new_password_beside_the_old_one(house, client, body, result):
    record = await record_after(house, client, body, Outcome(result))
    assert record.password_hash == "old"
    assert verify_password(record.password_hash_next, SECRET.encode())


@pytest.mark.parametrize("body", TELLING)
@pytest.mark.parametrize("result", NOT_TAKEN)
async def test_TC_A_10_a_password_that_was_not_taken_is_forgotten(house, client, body, result):
    record = await record_after(house, client, body, Outcome(result, status="Rejected"))
    assert (record.password_hash, record.password_hash_next) == ("old", None)


async def test_A01_it_is_good_before_the_station_hears_of_it(house, client):
    heard = []
    before = house.gateway.command

    async def command(request):
        record = await house.book.station("CP-1")
        heard.append(verify_password(record.password_hash_next, request.command.password.encode()))
        return await before(request)

    house.gateway.command = command
    client.post("/api/v1/stations/CP-1/commands", json={"command": "change_password", "password": ""})
    assert heard == [True]


async def test_an_empty_password_is_made_at_random_and_shown_to_nobody(house, client):
    answer = client.post("/api/v1/stations/CP-1/commands", json={"command": "change_password", "password": ""})
    (request,) = house.gateway.requests
    assert isinstance(request.command, ChangePassword)
    assert len(request.command.password) == 40
    assert request.command.password not in answer.text


async def test_a_station_without_a_record_keeps_its_password(client, house):
    house.add_station("CP-2")
    answer = client.post("/api/v1/stations/CP-2/commands", json=TELLING[0])
    assert (answer.status_code, answer.json()["title"]) == (409, answer.json()["title"])
    assert "not registered" in answer.json()["detail"]
    assert house.gateway.requests == []


@pytest.mark.parametrize("body", UPGRADING)
async def test_A05_the_door_takes_the_next_security_profile_too(house, client, body):
    record = await record_after(house, client, body, Outcome(Result.ACCEPTED, status="Accepted"))
    assert (record.security_profile, record.security_profile_next) == (1, 2)
    record = await record_after(house, client, body, Outcome(Result.REFUSED, status="Rejected"))
    assert (record.security_profile, record.security_profile_next) == (1, None)


async def test_A00_FR_005_a_lower_profile_changes_no_record(house, client):
    body = {"action": "ChangeConfiguration", "payload": {"key": "SecurityProfile", "value": "0"}}
    record = await record_after(house, client, body, Outcome(Result.ACCEPTED))
    assert (record.security_profile, record.security_profile_next) == (1, None)


@pytest.mark.parametrize(
    "body",
    [
        {"command": "clear_cache"},
        {"action": "ChangeConfiguration", "payload": {"key": "HeartbeatInterval", "value": "60"}},
        {"action": "ChangeConfiguration", "payload": {"key": 5}},
        {"action": "SetVariables", "payload": {"setVariableData": [5]}},
        {"action": "SetNetworkProfile", "payload": {"connectionData": 5}},
        {"action": "ChangeConfiguration", "payload": {"key": "SecurityProfile", "value": "high"}},
    ],
)
async def test_other_commands_change_no_record(house, client, body):
    before = await house.book.station("CP-1")
    assert await record_after(house, client, body, Outcome(Result.ACCEPTED)) == before
