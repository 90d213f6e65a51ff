"""What the operator decides about stations: passwords in and out once, steps, imports."""

import pytest

from engine.model.stations import StationRecord
from ingress.http.keys import Scope
from ingress.ocpp.passwords import is_quick, verify_password

URL = "/api/v1/stations"


async def record_of(house, station="CP-1"):
    return await house.book.station(station)


async def test_a_generated_password_is_told_once_and_kept_as_a_quick_hash(client, house):
    answer = client.put(f"{URL}/CP-1", json={"security_profile": 2, "generate": "password"}).json()
    record = await record_of(house)
    assert is_quick(record.password_hash)
    assert verify_password(record.password_hash, answer["generated_password"].encode())
    for text in (client.get(f"{URL}/CP-1").text, client.patch(f"{URL}/CP-1", json={"note": "x"}).text):
        assert answer["generated_password"] not in text
        assert "sha256" not in text


async def test_a_password_given_is_hashed_slowly_unless_it_is_said_to_be_random(client, house):
    client.put(f"{URL}/CP-1", json={"password": "0123456789abcdef-chosen"})
    assert not is_quick((await record_of(house)).password_hash)
    drawn = "9f86d081884c7d659a2feaa0c55ad015"
    client.put(f"{URL}/CP-1", json={"password": drawn, "passwords_are_random": True})
    record = await record_of(house)
    assert is_quick(record.password_hash)
    assert verify_password(record.password_hash, bytes.fromhex(drawn))


def test_a_chosen_password_is_not_taken_for_random(client):
    body = {"password": "passwordpassword", "passwords_are_random": True}
    response = client.put(f"{URL}/CP-1", json=body)
    assert (response.status_code, response.json()["errors"][0]["where"]) == (422, "body.password")
    assert "passwordpassword" not in response.text


async def test_a_next_password_stands_beside_the_present_one_and_can_be_given_up(client, house):
    client.put(f"{URL}/CP-1", json={"security_profile": 1, "password": "0123456789abcdef"})
    answer = client.patch(f"{URL}/CP-1", json={"generate": "password_next"}).json()
    record = await record_of(house)
    assert verify_password(record.password_hash, b"0123456789abcdef")
    assert verify_password(record.password_hash_next, answer["generated_password"].encode())
    assert answer["has_password_next"] is True
    assert [row["station"] for row in client.get(f"{URL}?changing=true").json()["items"]] in ([], ["CP-1"])
    client.patch(f"{URL}/CP-1", json={"password_next": None})
    assert (await record_of(house)).password_hash_next is None


async def test_every_switch_of_a_record_can_be_set_and_is_shown(client, house):
    body = {
        "security_profile": 3,
        "security_profile_next": 2,
        "downgrade_allowed": True,
        "certificate_name": "SN-1",
        "assume_ocpp16": True,
        "lenient_upgrade": True,
    }
    answer = client.put(f"{URL}/CP-1", json=body).json()
    shown = client.get(f"{URL}/CP-1").json()["station"]
    record = await record_of(house)
    for name, value in body.items():
        assert answer[name] == shown[name] == getattr(record, name) == value


def test_profiles_1_and_2_need_a_password_and_3_does_not(client):
    for profile, status in ((1, 422), (2, 422), (3, 201)):
        assert client.put(f"{URL}/CP-{profile}", json={"security_profile": profile}).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {"security_profile": 4},
        {"security_profile_next": -1},
        {"generate": "everything"},
        {"generate": "password", "password": "0123456789abcdef"},
        {"certificate_name": ""},
    ],
)
def test_what_cannot_be_is_refused(client, body):
    assert client.put(f"{URL}/CP-1", json=body).status_code == 422


def test_an_identity_that_differs_only_in_case_is_not_registered(client):
    assert client.put(f"{URL}/CP-1", json={}).status_code == 201
    response = client.put(f"{URL}/cp-1", json={})
    assert (response.status_code, response.json()["type"]) == (409, "urn:narke:problem:station-exists")


async def test_an_import_registers_and_changes_what_is_given(client, house):
    await house.book.save_station(StationRecord("CP-2", note="kept"), house.services.clock.now())
    body = [
        {"station": "CP-1", "security_profile": 2, "generate": "password"},
        {"station": "CP-2", "registration": "Pending"},
        {"station": "CP-3", "security_profile": 3},
    ]
    answer = client.post(URL, json=body).json()
    assert (answer["saved"], list(answer["generated_passwords"])) == (3, ["CP-1"])
    assert verify_password((await record_of(house)).password_hash, answer["generated_passwords"]["CP-1"].encode())
    second = await record_of(house, "CP-2")
    assert (second.note, second.registration) == ("kept", "Pending")


def test_a_fault_of_an_import_is_located(client):
    response = client.post(URL, json=[{"station": "CP-1"}, {"station": "CP-2", "security_profile": 1}])
    assert (response.status_code, response.json()["errors"][0]["where"]) == (422, "body[1].password")


def test_an_import_names_each_station_once(client):
    response = client.post(URL, json=[{"station": "CP-1"}, {"station": "cp-1"}])
    assert (response.status_code, response.json()["errors"][0]["where"]) == (422, "body[1].station")


async def test_an_import_larger_than_what_is_saved_at_once_is_saved(client, house):
    names = [f"CP-{number}" for number in range(70)]
    assert client.post(URL, json=[{"station": name} for name in names]).json()["saved"] == 70
    assert all([await record_of(house, name) for name in names])


def test_only_an_administrator_may_decide(client_of, house):
    for scope in (Scope.READ, Scope.OPERATE):
        assert client_of(house, scope).post(URL, json=[{"station": "CP-1"}]).status_code == 403
