"""`narke certificate` and `narke security`: what stations ask for, have, and tell."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from engine.model.certificates import (
    CertificateHash,
    CertificateInstalled,
    CertificateUse,
    DeleteCertificate,
    GetInstalledCertificates,
    HashAlgorithm,
    InstallCertificate,
    InstalledCertificate,
    InstalledListed,
    SigningDecision,
    SigningFinding,
    SigningRequested,
)
from engine.model.facts import JournalEntry, StationFacts
from engine.model.remote_control import TriggerMessage
from engine.model.security import SecurityEventRecorded, SecurityEventReported
from ingress.http.app import create_app
from storage.authority.desk import Office
from storage.authority.folder import Places
from storage.authority.local import LocalAuthority
from storage.authority.pem import chain_text
from storage.authority.settings import CertificateSettings
from storage.journal_reader import StreamEntry
from tests.ingress.http.house import NOW, TestHouse
from tests.storage.authority.certificates import Foreign, authority_in, request

NAME = "a" * 32
ROOT = CertificateHash(HashAlgorithm.SHA384, "AA", "bb", "01F")


@pytest.fixture
def office(tmp_path):
    return Office(authority_in(tmp_path), CertificateSettings())


@pytest.fixture
def running(narke, door, office):
    """A Narke with an authority."""
    house = TestHouse(keys=narke.house.services.keys, office=office)
    door.app = create_app(house.services)
    narke.house = house
    for station, version in (("CP-1", "2.0.1"), ("CP-16", "1.6")):
        house.add_station(station, version=version)
    return narke


@pytest.fixture
def tell(running):
    count = iter(range(1, 100))

    def tell(*facts, station="CP-1"):
        entry = JournalEntry(tenant="default", recorded_at=NOW, records=(StationFacts(station, facts),))
        coroutine = running.house.projection.apply([StreamEntry("s0", f"{next(count)}-0", entry)])
        with pytest.raises(StopIteration):
            coroutine.send(None)

    return tell


def ok(result):
    assert result.exit_code == 0, result.output
    return result


def test_what_expires_within_a_time_is_listed_wherever_it_is(running, tell, tmp_path):
    authority = LocalAuthority(Places(tmp_path / "ca"), CertificateSettings(station_days=10))
    authority.issue_station("CP-1", datetime.now(UTC))
    soon = datetime.now(UTC) + timedelta(days=20)
    tell(
        CertificateInstalled(
            use=CertificateUse.CSMS_ROOT,
            certificate="PEM",
            serial_number="7",
            subject="CN=Old",
            expires_at=soon,
            at=NOW,
        )
    )
    rows = json.loads(ok(running.run("certificate", "list", "--expiring", "30d", "--json")).stdout)
    assert [(row["where"], row["name"]) for row in rows] == [("issued", "CP-1"), ("CP-1", "CN=Old")]
    assert json.loads(ok(running.run("certificate", "list", "--expiring", "24h", "--json")).stdout) == []
    assert running.run("certificate", "list", "--expiring", "soon").exit_code == 2


def test_a_certificate_is_shown_and_revoked(running, tmp_path):
    authority = LocalAuthority(Places(tmp_path / "ca"), CertificateSettings())
    serial = authority.issue_station("CP-1", datetime.now(UTC)).serial_number
    assert "-----BEGIN CERTIFICATE-----" in ok(running.run("certificate", "show", serial)).stdout
    assert "revoked" in ok(running.run("certificate", "revoke", serial)).stdout
    assert running.run("certificate", "show", "ff").exit_code == 3


def asked(tell, csr, station="CP-1"):
    tell(
        SigningRequested(request=NAME, csr=csr, finding=SigningFinding(SigningDecision.ASKED), at=NOW), station=station
    )


def test_requests_are_listed_and_approved(running, tell):
    asked(tell, request("CP-1", "Narke"))
    rows = json.loads(ok(running.run("certificate", "requests", "--state", "asked", "--json")).stdout)
    assert [row["request"] for row in rows] == [NAME]
    assert "CP-1: signed until" in ok(running.run("certificate", "approve", NAME)).stdout
    assert running.house.gateway.requests[0].command.request == NAME
    assert running.run("certificate", "approve", "f" * 32).exit_code == 3


def test_requests_are_rejected_with_a_reason(running, tell):
    asked(tell, request("CP-1", "Narke"))
    assert "CP-1: rejected" in ok(running.run("certificate", "reject", NAME, "--reason", "stolen")).stdout


@pytest.mark.parametrize(
    ("station", "more", "message"),
    [
        ("CP-1", [], "SignChargingStationCertificate"),
        ("CP-1", ["--v2g"], "SignV2GCertificate"),
        ("CP-16", [], "SignChargePointCertificate"),
    ],
)
def test_A02_a_station_is_asked_for_a_new_key_in_the_words_of_its_version(running, station, more, message):
    ok(running.run("certificate", "renew", station, *more))
    command = running.house.gateway.requests[0].command
    assert isinstance(command, TriggerMessage)
    assert command.message == message


def test_a_1_6_station_has_no_certificate_for_cars(running):
    assert running.run("certificate", "renew", "CP-16", "--v2g").exit_code == 2


def test_a_root_is_installed_from_its_file(running, tmp_path):
    file = tmp_path / "root.pem"
    file.write_text(chain_text(Foreign(NOW).certificate))
    ok(running.run("certificate", "install", "CP-1", "CSMSRootCertificate", str(file)))
    assert running.house.gateway.requests[0].command == InstallCertificate(
        use=CertificateUse.CSMS_ROOT, certificate=file.read_text()
    )
    assert running.run("certificate", "install", "CP-1", "CSMSRootCertificate", str(tmp_path / "no")).exit_code == 2


def test_a_station_is_asked_what_it_has_in_the_words_of_its_version(running, tell):
    tell(InstalledListed(uses=(), certificates=(InstalledCertificate(CertificateUse.MO_ROOT, ROOT),), at=NOW))
    rows = json.loads(ok(running.run("certificate", "installed", "CP-1", "--ask", "--json")).stdout)
    assert [row["serial_number"] for row in rows] == ["01F"]
    ok(running.run("certificate", "installed", "CP-16", "--ask"))
    assert [each.command for each in running.house.gateway.requests] == [
        GetInstalledCertificates(),
        GetInstalledCertificates(uses=(CertificateUse.CSMS_ROOT,)),
        GetInstalledCertificates(uses=(CertificateUse.MANUFACTURER_ROOT,)),
    ]


def test_M04_FR_07_a_certificate_is_deleted_as_the_station_named_it(running, tell):
    tell(InstalledListed(uses=(), certificates=(InstalledCertificate(CertificateUse.MO_ROOT, ROOT),), at=NOW))
    ok(running.run("certificate", "delete", "CP-1", "0x1f"))
    assert running.house.gateway.requests[0].command == DeleteCertificate(ROOT)
    result = running.run("certificate", "delete", "CP-1", "2")
    assert (result.exit_code, "--ask" in result.stderr) == (3, True)


def test_security_events_are_listed(running, tell):
    tell(SecurityEventRecorded(report=SecurityEventReported("ResetOrReboot"), at=NOW, critical=True))
    rows = json.loads(ok(running.run("security", "events", "--critical", "--json")).stdout)
    assert [(row["type"], row["critical"]) for row in rows] == [("ResetOrReboot", True)]
    assert "critical" in ok(running.run("security", "events")).stdout
    assert json.loads(ok(running.run("security", "events", "--type", "X", "--json")).stdout) == []
