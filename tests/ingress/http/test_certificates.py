"""Certificates over HTTP: what was issued, and the operator's word on requests."""

from datetime import timedelta

import pytest

from engine.model.certificates import (
    SendSignedCertificate,
    SigningDecision,
    SigningFinding,
    SigningRequested,
    SigningUse,
)
from engine.model.codec import decode_operator_entry
from engine.model.facts import JournalEntry, StationFacts
from ingress.http.keys import Scope
from storage.authority.desk import Office
from storage.authority.folder import Places
from storage.authority.local import LocalAuthority
from storage.authority.settings import CertificateSettings
from storage.journal_reader import StreamEntry
from storage.keys import OPERATOR
from tests.ingress.http.house import NOW, TestHouse
from tests.storage.authority.certificates import authority_in, request

API = "/api/v1"
NAME = "0" * 32


@pytest.fixture
def places(tmp_path):
    return authority_in(tmp_path)


@pytest.fixture
def authority(places):
    return LocalAuthority(places, CertificateSettings())


@pytest.fixture
def house(places):
    return TestHouse(office=Office(places, CertificateSettings()))


async def asked(house, csr, use=None):
    """A station's request stands in the projection."""
    finding = SigningFinding(SigningDecision.ASKED)
    fact = SigningRequested(request=NAME, csr=csr, finding=finding, at=NOW, use=use, number=7)
    entry = JournalEntry(tenant="default", recorded_at=NOW, records=(StationFacts("CP-1", (fact,)),))
    await house.projection.apply([StreamEntry("s0", "1-0", entry)])


async def test_what_expires_soon_is_listed(client, authority):
    issued = authority.issue_station("CP-1", NOW)
    before = (NOW + timedelta(days=366)).isoformat()
    items = client.get(f"{API}/certificates", params={"expires_before": before}).json()["items"]
    assert [(item["name"], item["serial_number"]) for item in items] == [("CP-1", issued.serial_number)]
    assert client.get(f"{API}/certificates", params={"kind": "root", "name": "CP-1"}).json()["items"] == []


async def test_a_certificate_is_shown_with_its_chain_and_revoked(client, authority):
    serial = authority.issue_station("CP-1", NOW).serial_number
    found = client.get(f"{API}/certificates/0x{serial.upper()}").json()
    assert found["chain"].count("BEGIN CERTIFICATE") == 2
    revoked = client.post(f"{API}/certificates/{serial}/revoke", json={"reason": "keyCompromise"}).json()
    assert (revoked["reason"], revoked["revoked_at"]) == ("keyCompromise", NOW.isoformat().replace("+00:00", "Z"))
    assert client.get(f"{API}/certificates", params={"name": "CP-1"}).json()["items"] == []
    assert len(client.get(f"{API}/certificates", params={"name": "CP-1", "revoked": True}).json()["items"]) == 1


@pytest.mark.parametrize(
    ("method", "where", "status"),
    [
        ("get", "/certificates/ffff", 404),
        ("get", "/certificates/nonsense", 422),
        ("post", "/certificates/ffff/revoke", 404),
        ("post", f"/certificate-requests/CP-1/{NAME}/approve", 404),
        ("post", f"/certificate-requests/CP-1/{NAME}/reject", 404),
    ],
)
async def test_what_is_not_there_is_told(client, method, where, status):
    more = {"json": {}} if method == "post" else {}
    answer = getattr(client, method)(API + where, **more)
    assert (answer.status_code, "what_to_do" in answer.json()) == (status, True)


async def test_without_an_authority_the_way_to_one_is_told(client_of, tmp_path):
    for office in (None, Office(Places(tmp_path / "none"), CertificateSettings())):
        answer = client_of(TestHouse(office=office)).get(f"{API}/certificates")
        assert answer.status_code == 404
        assert "narke ca init" in answer.json()["what_to_do"]


async def test_an_approved_request_is_signed_written_down_and_sent_when_the_station_is_there(house, client, authority):
    await asked(house, request("SECC-1", "Narke"), SigningUse.V2G)
    answer = client.post(f"{API}/certificate-requests/CP-1/{NAME}/approve", json={}).json()
    assert answer["state"] == "signed"
    [sent] = house.gateway.requests
    assert sent.waits
    assert (sent.command_id, sent.station, sent.by) == (answer["command_id"], "CP-1", "admin key")
    issued = authority.by_serial(answer["serial_number"])
    assert sent.command == SendSignedCertificate(
        chain=authority.chain_of(issued), use=SigningUse.V2G, number=7, request=NAME
    )
    [decided] = [fact for _, entry in house.store.streams[OPERATOR] for fact in decode_operator_entry(entry).facts]
    assert (decided.request, decided.by, decided.finding.decision) == (NAME, "admin key", SigningDecision.SIGNED)


async def test_a_rejected_request_is_written_down_and_refused_from_then_on(house, client, authority):
    csr = request("CP-1", "Narke")
    await asked(house, csr)
    answer = client.post(f"{API}/certificate-requests/CP-1/{NAME}/reject", json={"reason": "taken down"}).json()
    assert answer["state"] == "refused"
    with pytest.raises(Exception, match="taken down"):
        authority.sign(csr, "CP-1", None, NOW)
    assert client.post(f"{API}/certificate-requests/CP-1/{NAME}/approve", json={}).json()["state"] == "signed"


async def test_a_request_that_cannot_be_signed_says_why(house, client):
    await asked(house, request("CP-2", "Narke"))
    answer = client.post(f"{API}/certificate-requests/CP-1/{NAME}/approve", json={})
    assert answer.status_code == 422
    assert "CP-2" in answer.json()["detail"]


async def test_reading_keys_decide_nothing_and_operators_revoke_nothing(house, client_of):
    reader, operator = client_of(house, Scope.READ), client_of(house, Scope.OPERATE)
    assert reader.get(f"{API}/certificates").status_code == 200
    assert reader.post(f"{API}/certificate-requests/CP-1/{NAME}/approve", json={}).status_code == 403
    assert operator.post(f"{API}/certificates/ffff/revoke", json={}).status_code == 403
