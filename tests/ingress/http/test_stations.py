"""Stations: the operator's record and what the API shows of it."""

import pytest

from ingress.ocpp.passwords import verify_password
from tests.ingress.http.house import NOW


async def record_of(house, station):
    return await house.book.station(station)


async def test_put_registers_and_replaces(client, house):
    first = client.put("/api/v1/stations/CP-1", json={"note": "a", "message_log": True})
    assert first.status_code == 201
    second = client.put("/api/v1/stations/CP-1", json={"registration": "Pending"})
    assert second.status_code == 200
    assert second.json() == {
        "station": "CP-1",
        "registration": "Pending",
        "security_profile": 0,
        "has_password": False,
        "message_log": None,
        "note": None,
    }
    assert (await record_of(house, "CP-1")).note is None


async def test_patch_changes_what_is_given_only(client, house):
    client.put("/api/v1/stations/CP-1", json={"note": "a", "registration": "Pending"})
    assert client.patch("/api/v1/stations/CP-1", json={"message_log": False}).status_code == 200
    record = await record_of(house, "CP-1")
    assert (record.note, record.registration, record.message_log) == ("a", "Pending", False)


def test_patch_registers_nobody_by_the_way(client):
    response = client.patch("/api/v1/stations/NOBODY", json={"message_log": False})
    assert (response.status_code, response.json()["type"]) == (404, "urn:narke:problem:station-not-registered")
    assert client.patch("/api/v1/stations/NOBODY", json={"registration": "Pending"}).status_code == 201


async def test_a_password_is_kept_as_its_hash_and_never_shown(client, house):
    body = {"security_profile": 1, "password": "0123456789abcdef"}
    response = client.put("/api/v1/stations/CP-1", json=body)
    assert response.json()["has_password"] is True
    record = await record_of(house, "CP-1")
    assert verify_password(record.password_hash, b"0123456789abcdef")
    assert not verify_password(record.password_hash, b"0123456789abcdeF")
    for text in (response.text, client.get("/api/v1/stations/CP-1").text):
        assert "argon2" not in text
        assert "0123456789abcdef" not in text


async def test_a_put_without_password_keeps_it_and_null_removes_it(client, house):
    client.put("/api/v1/stations/CP-1", json={"security_profile": 1, "password": "0123456789abcdef"})
    hashed = (await record_of(house, "CP-1")).password_hash
    client.put("/api/v1/stations/CP-1", json={"security_profile": 1, "note": "x"})
    assert (await record_of(house, "CP-1")).password_hash == hashed
    client.put("/api/v1/stations/CP-1", json={"security_profile": 0, "password": None})
    assert (await record_of(house, "CP-1")).password_hash is None


@pytest.mark.parametrize("body", [{"security_profile": 1}, {"security_profile": 1, "password": None}])
def test_a_profile_that_needs_a_password_is_refused_without_one(client, body):
    response = client.put("/api/v1/stations/CP-1", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["where"] == "body.password"


@pytest.mark.parametrize("password", ["short", "x" * 65, "with\x00zero!", 5])
def test_a_password_out_of_bounds_is_refused_and_not_repeated(client, password):
    response = client.put("/api/v1/stations/CP-1", json={"password": password})
    assert response.status_code == 422
    assert response.json()["errors"][0]["where"] == "body.password"
    assert str(password) not in response.text.replace("x-", "")


@pytest.mark.parametrize("station", ["a:b", "x" * 49, "a%00b", "a%0Ab"])
def test_what_cannot_be_an_identity_is_refused(client, station):
    response = client.put(f"/api/v1/stations/{station}", json={})
    assert response.status_code == 422
    assert response.json()["errors"][0]["where"] == "path.station"


@pytest.mark.parametrize(
    "body",
    [
        {"security_profile": 2},
        {"security_profile": 4},
        {"registration": "Maybe"},
        {"nte": "x"},
        {"note": "a\x00"},
        {"message_log": "often"},
        [],
        None,
    ],
)
def test_a_wrong_record_is_refused(client, body):
    assert client.put("/api/v1/stations/CP-1", json=body).status_code == 422


def test_what_was_just_written_is_read_though_the_projection_lags(client):
    client.put("/api/v1/stations/NEW", json={"note": "fresh"})
    detail = client.get("/api/v1/stations/NEW").json()
    assert detail["station"]["note"] == "fresh"
    assert detail["station"]["registered"] is True
    assert detail["connectors"] == []
    assert client.get("/api/v1/stations/NEW/connectors").json()["items"] == []
    assert client.get("/api/v1/stations/NEW/messages").json()["items"] == []


def test_the_operators_part_is_the_books_and_the_rest_the_projections(client, house):
    house.add_station("CP-1", vendor="Real")
    client.put("/api/v1/stations/CP-1", json={"registration": "Rejected"})
    station = client.get("/api/v1/stations/CP-1").json()["station"]
    assert (station["vendor"], station["registration"], station["connected"]) == ("Real", "Rejected", True)


@pytest.mark.parametrize("part", ["", "/connectors", "/messages", "/events", "/meter-values"])
def test_an_unknown_station_is_404_everywhere(client, part):
    response = client.get(f"/api/v1/stations/NOPE{part}")
    assert response.status_code == 404
    assert response.json()["type"] == "urn:narke:problem:unknown-station"


def test_listings_of_a_station_are_filtered(client, house):
    house.add_station("CP-1")
    house.add_message("CP-1", "Heartbeat")
    house.add_message("CP-1", "Reset", direction="out")
    house.add_message("CP-2", "Reset", direction="out")
    house.add_event("CP-1", "booted")
    house.add_meter_value("CP-1", "t", 1.0)
    url = "/api/v1/stations/CP-1"
    assert [row["action"] for row in client.get(f"{url}/messages?direction=out").json()["items"]] == ["Reset"]
    assert [row["action"] for row in client.get(f"{url}/messages?action=Heartbeat").json()["items"]] == ["Heartbeat"]
    assert len(client.get(f"{url}/events?kind=booted").json()["items"]) == 1
    assert len(client.get(f"{url}/meter-values?transaction_id=t").json()["items"]) == 1
    assert len(client.get(f"{url}/connectors").json()["items"]) == 1


@pytest.mark.parametrize(
    "query", ["direction=up", "since=2026-05-01T00:00:00", "since=yesterday", "order=random", "acton=X", "action=%00"]
)
def test_a_wrong_filter_is_refused_with_its_name(client, house, query):
    house.add_station("CP-1")
    response = client.get(f"/api/v1/stations/CP-1/messages?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["where"] == f"query.{query.partition('=')[0]}"


def test_times_are_the_clocks_of_the_house(client):
    assert client.get("/api/v1/status").json()["now"] == NOW.isoformat().replace("+00:00", "Z")
