"""Commands: typed bodies become words, outcomes become answers or problems."""

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from engine.model.authorization import ClearCache, Token
from engine.model.availability import ChangeAvailability
from engine.model.commands import CommandCancel, Outcome, Result
from engine.model.data_transfer import SendData
from engine.model.ids import EvseRef
from engine.model.notices import RawCommand
from engine.model.provisioning import (
    GetVariables,
    ResetKind,
    ResetStation,
    SetVariables,
    VariableRef,
    VariableResult,
    VariableSetting,
)
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.ports import ActorUnavailable, JournalUnavailable
from ingress.http.api.words import WORDS
from tests.ingress.http.house import NOW, TestHouse

REF = VariableRef(variable="Interval", component="AlignedDataCtrlr")


@pytest.fixture
def house():
    house = TestHouse()
    house.add_station("CP-1")
    return house


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("start", {"token": "T", "evse": 2}, RequestStart(Token("T"), EvseRef(2), 1)),
        ("start", {"token": "T", "remote_start_id": 9}, RequestStart(Token("T"), None, 9)),
        (
            "start",
            {"token": "T", "token_type": "eMAID", "connector": 3},
            RequestStart(Token("T", "eMAID"), EvseRef(1, 3), 1),
        ),
        ("stop", {"transaction_id": "42"}, RequestStop("42")),
        ("reset", {}, ResetStation(ResetKind.ON_IDLE)),
        ("reset", {"kind": "Immediate", "evse": 1}, ResetStation(ResetKind.IMMEDIATE, 1)),
        ("unlock", {"evse": 2}, UnlockConnector(EvseRef(2, 1))),
        ("trigger", {"message": "Heartbeat"}, TriggerMessage("Heartbeat")),
        ("availability", {"operative": False}, ChangeAvailability(EvseRef(0), operative=False)),
        ("commands", {"command": "request_start", "token": "T"}, RequestStart(Token("T"), None, 1)),
        ("commands", {"command": "clear_cache"}, ClearCache()),
        ("commands", {"command": "get_variables"}, GetVariables()),
        (
            "commands",
            {"command": "get_variables", "variables": [{"component": "AlignedDataCtrlr", "variable": "Interval"}]},
            GetVariables((REF,)),
        ),
        (
            "commands",
            {
                "command": "set_variables",
                "settings": [{"component": "AlignedDataCtrlr", "variable": "Interval", "value": "9"}],
            },
            SetVariables((VariableSetting(REF, "9"),)),
        ),
        ("commands", {"command": "send_data", "vendor_id": "v", "data": {"a": 1}}, SendData("v", None, b'{"a":1}')),
        ("commands", {"command": "send_data", "vendor_id": "v"}, SendData("v")),
        ("commands", {"action": "GetLog", "payload": {"x": "\u00e9"}}, RawCommand("GetLog", '{"x":"\u00e9"}'.encode())),
        ("commands", {"action": "ClearCache"}, RawCommand("ClearCache", b"{}")),
    ],
)
def test_a_body_becomes_the_engines_word(client, house, path, body, word):
    response = client.post(f"/api/v1/stations/CP-1/{path}", json=body)
    assert response.status_code == 200, response.text
    (request,) = house.gateway.requests
    assert request.command == word
    assert request.station == "CP-1"
    assert request.by == "admin key"
    assert request.requested_at == NOW
    assert response.json()["command_id"] == request.command_id


def test_a_deadline_is_the_callers_or_the_houses(client, house):
    client.post("/api/v1/stations/CP-1/reset", json={"deadline_s": 2.5})
    client.post("/api/v1/stations/CP-1/reset", json={})
    deadlines = [request.deadline_at - NOW for request in house.gateway.requests]
    assert deadlines == [timedelta(seconds=2.5), timedelta(seconds=30)]


def test_a_deadline_above_the_setting_is_refused_before_anything_is_sent(client, house):
    response = client.post("/api/v1/stations/CP-1/reset", json={"deadline_s": 601})
    assert response.status_code == 422
    assert response.json()["errors"][0]["where"] == "body.deadline_s"
    assert house.gateway.requests == []


@pytest.mark.parametrize("result", [Result.ACCEPTED, Result.REFUSED, Result.FAILED])
def test_what_the_station_answers_is_an_answer_whatever_it_says(client, house, result):
    house.gateway.outcome = Outcome(result, status="Word", detail="why", payload=b'{"status":"Word","n":[1,null]}')
    response = client.post("/api/v1/stations/CP-1/reset", json={})
    assert response.status_code == 200
    body = response.json()
    assert (body["result"], body["status"], body["detail"]) == (result, "Word", "why")
    assert body["payload"] == {"status": "Word", "n": [1, None]}


def test_variables_are_told_one_by_one(client, house):
    house.gateway.outcome = Outcome(
        Result.ACCEPTED, variables=(VariableResult(REF, "Accepted", "900", readonly=False),)
    )
    body = client.post("/api/v1/stations/CP-1/commands", json={"command": "get_variables"}).json()
    (variable,) = body["variables"]
    assert (variable["component"], variable["variable"], variable["value"]) == ("AlignedDataCtrlr", "Interval", "900")


@pytest.mark.parametrize(
    ("result", "status", "kind"),
    [
        (Result.OFFLINE, 409, "station-offline"),
        (Result.NOT_EXPRESSIBLE, 422, "not-expressible"),
        (Result.TIMED_OUT, 504, "station-timed-out"),
        (Result.LOST, 504, "station-connection-lost"),
    ],
)
def test_no_answer_of_the_station_is_a_problem_that_names_the_command(client, house, result, status, kind):
    house.gateway.outcome = Outcome(result, detail="payload.connectorId: must be of type integer")
    response = client.post("/api/v1/stations/CP-1/reset", json={})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == f"urn:narke:problem:{kind}"
    assert body["result"] == result
    assert body["command_id"] == house.gateway.requests[0].command_id
    assert "connectorId" in body["detail"]
    assert body["what_to_do"]


def test_actors_out_of_reach_are_503_with_the_id_to_ask_with(client, house):
    house.gateway.outcome = ActorUnavailable("restarting")
    response = client.post("/api/v1/stations/CP-1/reset", json={})
    assert response.status_code == 503
    assert response.json()["command_id"] in response.json()["what_to_do"]


def test_an_unknown_station_is_404_and_nothing_is_recorded(client, house):
    response = client.post("/api/v1/stations/CP-9/reset", json={})
    assert response.status_code == 404
    assert response.json()["type"] == "urn:narke:problem:unknown-station"
    assert house.gateway.requests == []


def test_a_station_that_only_the_operator_knows_is_known(client):
    client.put("/api/v1/stations/NEW", json={})
    assert client.post("/api/v1/stations/NEW/reset", json={}).status_code == 200


def test_a_station_that_the_projection_has_not_seen_yet_may_be_known_elsewhere(client_of):
    async def knows(station: str) -> bool:
        return station == "JUST-CONNECTED"

    client = client_of(TestHouse(knows=knows))
    assert client.post("/api/v1/stations/JUST-CONNECTED/reset", json={}).status_code == 200
    assert client.post("/api/v1/stations/OTHER/reset", json={}).status_code == 404


def test_commands_do_not_depend_on_postgres(client, house):
    house.projection.down = True
    assert client.post("/api/v1/stations/CP-1/reset", json={}).status_code == 200


def test_redis_down_is_503(client, house):
    house.book.station = _unavailable
    response = client.post("/api/v1/stations/CP-1/reset", json={})
    assert response.status_code == 503
    assert "Redis" in response.json()["detail"]


async def _unavailable(station: str):
    raise JournalUnavailable(f"no answer about {station}")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"command": "request_start"}, "body.request_start.token"),
        ({"command": "request_start", "token": ""}, "body.request_start.token"),
        ({"command": "request_start", "token": "a\x00b"}, "body.request_start.token"),
        ({"command": "request_start", "token": "T", "evse": -1}, "body.request_start.evse"),
        ({"command": "request_start", "token": "T", "evze": 1}, "body.request_start.evze"),
        ({"command": "dance"}, "body.command"),
        ({"command": "clear_cache", "color": "red"}, "body.clear_cache.color"),
        ({"command": 7}, "body"),
        ({"command": ["raw"]}, "body"),
        ({}, "body"),
        ([], "body"),
        (None, "body"),
        ({"action": "Re set"}, "body.raw.action"),
        ({"action": "Reset", "payload": []}, "body.raw.payload"),
        ({"action": "Reset", "deadline_s": 0}, "body.raw.deadline_s"),
        ({"command": "set_variables", "settings": []}, "body.set_variables.settings"),
    ],
)
def test_a_wrong_body_is_refused_with_its_place(client, house, body, where):
    response = client.post("/api/v1/stations/CP-1/commands", json=body)
    assert response.status_code == 422
    (fault, *_) = response.json()["errors"]
    assert fault["where"] == where
    assert fault["what"]
    assert fault["what_to_do"]
    assert "_kind_of" not in response.text
    assert house.gateway.requests == []


def test_an_unknown_command_id_is_404(client):
    assert client.get("/api/v1/commands/nope").json()["type"] == "urn:narke:problem:unknown-command"


def test_reads_without_postgres_are_503_and_say_so(client, house):
    house.projection.down = True
    response = client.get("/api/v1/commands")
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert "PostgreSQL" in response.json()["detail"]
    assert psycopg.OperationalError.__name__ in response.json()["detail"]


def test_a_command_that_is_not_waited_for_is_on_record(client, house):
    body = {"command": "clear_cache", "answer": "recorded", "when_offline": "wait", "priority": 7, "deadline_s": 600}
    response = client.post("/api/v1/stations/CP-1/commands", json=body)
    (request,) = house.gateway.requests
    assert (response.status_code, response.json()) == (202, {"command_id": request.command_id, "station": "CP-1"})
    assert (request.waits, request.priority, request.deadline_at) == (True, 7, NOW + timedelta(seconds=600))


def test_every_word_is_a_command(client):
    body = {"command": "unlock_connector_again"}
    assert "there is no command" in client.post("/api/v1/stations/CP-1/commands", json=body).json()["detail"]
    for name in WORDS:
        assert name.replace("_", "").isalnum()
    assert {"clear_cache", "reset_station"} <= WORDS.keys()


@pytest.mark.parametrize(
    ("result", "status"),
    [(Result.CANCELLED, 204), (Result.REFUSED, 409), (Result.ACCEPTED, 409)],
)
def test_a_command_can_be_taken_back_while_it_waits(client, house, result, status):
    house.add_command("CP-1")
    house.gateway.outcome = Outcome(result, detail="why")
    response = client.delete(f"/api/v1/commands/{UUID(int=77)}")
    assert response.status_code == status
    assert house.gateway.cancelled == [CommandCancel(str(UUID(int=77)), "CP-1", "admin key")]


def test_an_unknown_command_cannot_be_taken_back(client):
    assert client.delete("/api/v1/commands/nope").status_code == 404
