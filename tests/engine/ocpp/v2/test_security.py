"""Security in 2.x: requests for certificates, certificates to stations, security events."""

from datetime import UTC, datetime

import pytest

from engine.model.certificates import (
    CertificateHash,
    HashAlgorithm,
    SendSignedCertificate,
    SigningAnswer,
    SigningAsked,
    SigningUse,
)
from engine.model.security import SecurityEventAnswer, SecurityEventReported
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V201, V21 = Version.V201, Version.V21
BOTH = pytest.mark.parametrize("version", [V201, V21])
ENTRY = {"hashAlgorithm": "SHA512", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c"}


@BOTH
def test_A02_FR_13_a_request_says_what_it_is_for(version):
    payload = {"csr": "PEM", "certificateType": "V2GCertificate"}
    report = catalogue.understand(version, "SignCertificate", payload).report
    assert report == SigningAsked(csr="PEM", use=SigningUse.V2G)
    assert catalogue.understand(version, "SignCertificate", {"csr": "PEM"}).report == SigningAsked(csr="PEM")


def test_A02_FR_24_27_2_1_numbers_its_request_and_names_the_root():
    payload = {
        "csr": "PEM",
        "certificateType": "V2G20Certificate",
        "requestId": 0,
        "hashRootCertificate": ENTRY,
    }
    assert catalogue.understand(V21, "SignCertificate", payload).report == SigningAsked(
        csr="PEM", use=SigningUse.V2G20, number=0, root=CertificateHash(HashAlgorithm.SHA512, "a", "b", "c")
    )


@BOTH
def test_A02_FR_11_12_yes_and_no_with_the_reason(version, judge):
    yes = catalogue.answer_payload(version, "SignCertificate", SigningAnswer(accepted=True))
    assert yes == {"status": "Accepted"}
    no = SigningAnswer(accepted=False, reason="InvalidCSR", detail="x" * 2000)
    told = catalogue.answer_payload(version, "SignCertificate", no)
    judge(version, "SignCertificate", "Response", told)
    assert (told["status"], told["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidCSR")
    bare = catalogue.answer_payload(version, "SignCertificate", SigningAnswer(accepted=False))
    assert bare["statusInfo"] == {"reasonCode": "Unspecified"}


@BOTH
def test_A02_FR_14_the_certificate_repeats_its_type(version, judge):
    command = SendSignedCertificate(chain="PEM", use=SigningUse.V2G, request="r")
    action, payload = catalogue.command_call(version, command)
    assert payload == {"certificateChain": "PEM", "certificateType": "V2GCertificate"}
    judge(version, action, "Request", payload)


def test_A02_FR_25_2_1_repeats_the_request_id_and_2_0_1_has_none():
    command = SendSignedCertificate(chain="PEM", number=0)
    assert catalogue.command_call(V21, command)[1] == {"certificateChain": "PEM", "requestId": 0}
    assert catalogue.command_call(V201, command)[1] == {"certificateChain": "PEM"}


def test_V2G20_is_not_expressible_in_2_0_1():
    command = SendSignedCertificate(chain="PEM", use=SigningUse.V2G20)
    assert catalogue.command_call(V21, command)[1]["certificateType"] == "V2G20Certificate"
    with pytest.raises(NotExpressible, match="no V2G20Certificate"):
        catalogue.command_call(V201, command)


@BOTH
def test_a_chain_that_is_too_long_is_not_sent(version):
    with pytest.raises(NotExpressible, match="10000"):
        catalogue.command_call(version, SendSignedCertificate(chain="x" * 10_001))


@BOTH
def test_A04_FR_01_03_an_event_is_understood_and_confirmed(version):
    payload = {"type": "InvalidCsmsCertificate", "timestamp": "2026-05-01T10:00:00Z"}
    report = catalogue.understand(version, "SecurityEventNotification", payload).report
    assert report == SecurityEventReported("InvalidCsmsCertificate", datetime(2026, 5, 1, 10, tzinfo=UTC))
    assert catalogue.answer_payload(version, "SecurityEventNotification", SecurityEventAnswer()) == {}
