"""Installed certificates in 1.6."""

import pytest

from engine.model.certificates import (
    CertificateHash,
    CertificateUse,
    DeleteCertificate,
    GetInstalledCertificates,
    HashAlgorithm,
    InstallCertificate,
)
from engine.model.commands import Result
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V16 = Version.V16
ENTRY = {"hashAlgorithm": "SHA384", "issuerNameHash": "aA", "issuerKeyHash": "Bb", "serialNumber": "01f"}
HASH = CertificateHash(HashAlgorithm.SHA384, "aA", "Bb", "01f")
KINDS = [
    (CertificateUse.CSMS_ROOT, "CentralSystemRootCertificate"),
    (CertificateUse.MANUFACTURER_ROOT, "ManufacturerRootCertificate"),
]


@pytest.mark.parametrize(("use", "kind"), KINDS)
def test_TC_075_roots_of_both_kinds_are_installed(use, kind):
    call = catalogue.command_call(V16, InstallCertificate(use=use, certificate="PEM"))
    assert call == ("InstallCertificate", {"certificateType": kind, "certificate": "PEM"})


@pytest.mark.parametrize("use", [use for use in CertificateUse if use not in dict(KINDS)])
def test_kinds_that_1_6_does_not_know_are_not_expressible(use):
    for command in (InstallCertificate(use=use, certificate="PEM"), GetInstalledCertificates(uses=(use,))):
        with pytest.raises(NotExpressible, match=f"no {use.value}"):
            catalogue.command_call(V16, command)


def test_a_certificate_that_is_too_long_is_not_sent():
    command = InstallCertificate(use=CertificateUse.CSMS_ROOT, certificate="x" * 5501)
    with pytest.raises(NotExpressible, match="5501"):
        catalogue.command_call(V16, command)


@pytest.mark.parametrize(("use", "kind"), KINDS)
def test_M03_one_kind_is_asked_for_at_a_time(use, kind):
    call = catalogue.command_call(V16, GetInstalledCertificates(uses=(use,)))
    assert call == ("GetInstalledCertificateIds", {"certificateType": kind})


@pytest.mark.parametrize("uses", [(), (CertificateUse.CSMS_ROOT, CertificateUse.MANUFACTURER_ROOT)])
def test_M03_all_kinds_at_once_are_not_expressible(uses):
    with pytest.raises(NotExpressible, match="one use at a time"):
        catalogue.command_call(V16, GetInstalledCertificates(uses=uses))


def test_M03_FR_04_the_hashes_are_kept_as_the_station_wrote_them():
    outcome = catalogue.outcome_of(
        V16, "GetInstalledCertificateIds", {"status": "Accepted", "certificateHashData": [ENTRY]}
    )
    assert outcome.result is Result.ACCEPTED
    assert [each.certificate for each in outcome.certificates] == [HASH]


def test_M03_FR_02_nothing_found_is_an_answer():
    outcome = catalogue.outcome_of(V16, "GetInstalledCertificateIds", {"status": "NotFound"})
    assert (outcome.result, outcome.certificates) == (Result.ACCEPTED, ())


def test_M04_FR_07_TC_076_a_certificate_is_deleted_by_the_very_hashes_that_the_station_gave():
    assert catalogue.command_call(V16, DeleteCertificate(HASH)) == (
        "DeleteCertificate",
        {"certificateHashData": ENTRY},
    )


@pytest.mark.parametrize(
    ("status", "result"), [("Accepted", "accepted"), ("Failed", "refused"), ("NotFound", "refused")]
)
def test_M04_FR_02_to_04_the_stations_word_on_a_deletion(status, result):
    assert catalogue.outcome_of(V16, "DeleteCertificate", {"status": status}).result == result
