"""Certificates in 2.x: installed ones, their statuses, contracts of cars."""

import base64
from datetime import UTC, datetime

import pytest

from engine.model.authorization import TokenAnswer, TokenStatus, TokenVerdict
from engine.model.certificates import (
    CertificateHash,
    CertificateState,
    CertificateStatus,
    CertificateStatusAnswer,
    CertificateStatusAsked,
    CertificateUse,
    ChainStatusAnswer,
    ChainStatusAsked,
    ContractAction,
    ContractCertificateAnswer,
    ContractCertificateAsked,
    ContractEvidence,
    ContractFinding,
    ContractStatus,
    DeleteCertificate,
    GetInstalledCertificates,
    HashAlgorithm,
    InstallCertificate,
    InstalledCertificate,
    StatusQuestion,
    StatusSource,
)
from engine.model.commands import Result
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.v2 import certificates
from engine.ocpp.versions import Version

V201, V21 = Version.V201, Version.V21
BOTH = pytest.mark.parametrize("version", [V201, V21])
ENTRY = {"hashAlgorithm": "SHA256", "issuerNameHash": "aA", "issuerKeyHash": "Bb", "serialNumber": "01f"}
HASH = CertificateHash(HashAlgorithm.SHA256, "aA", "Bb", "01f")
LATER = datetime(2026, 5, 8, 10, tzinfo=UTC)
ROOTS = [use for use in CertificateUse if use is not CertificateUse.V2G_CHAIN]


@pytest.mark.parametrize("use", ROOTS)
def test_M05_all_roots_are_installed_in_2_1(use, judge):
    action, payload = catalogue.command_call(V21, InstallCertificate(use=use, certificate="PEM"))
    assert payload == {"certificateType": use.value, "certificate": "PEM"}
    judge(V21, action, "Request", payload)


def test_M05_2_0_1_knows_no_oem_root_and_nobody_installs_a_chain():
    with pytest.raises(NotExpressible, match="no OEMRootCertificate"):
        catalogue.command_call(V201, InstallCertificate(use=CertificateUse.OEM_ROOT, certificate="PEM"))
    with pytest.raises(NotExpressible, match="installs roots only"):
        catalogue.command_call(V21, InstallCertificate(use=CertificateUse.V2G_CHAIN, certificate="PEM"))


@pytest.mark.parametrize(("version", "length"), [(V201, 5500), (V21, 10_000)])
def test_a_certificate_has_the_length_of_its_version(version, length):
    fits = InstallCertificate(use=CertificateUse.CSMS_ROOT, certificate="x" * length)
    assert catalogue.command_call(version, fits)
    longer = InstallCertificate(use=CertificateUse.CSMS_ROOT, certificate="x" * (length + 1))
    with pytest.raises(NotExpressible, match=str(length)):
        catalogue.command_call(version, longer)


@BOTH
def test_M03_several_uses_or_all_are_asked_for_at_once(version):
    uses = (CertificateUse.CSMS_ROOT, CertificateUse.V2G_CHAIN)
    assert catalogue.command_call(version, GetInstalledCertificates(uses=uses))[1] == {
        "certificateType": ["CSMSRootCertificate", "V2GCertificateChain"]
    }
    assert catalogue.command_call(version, GetInstalledCertificates())[1] == {}


@BOTH
def test_M03_FR_05_sub_cas_stand_below_their_leaf(version):
    chain = {
        "certificateType": "V2GCertificateChain",
        "certificateHashData": ENTRY,
        "childCertificateHashData": [ENTRY],
    }
    answer = {"status": "Accepted", "certificateHashDataChain": [chain]}
    outcome = catalogue.outcome_of(version, "GetInstalledCertificateIds", answer)
    assert outcome.certificates == (InstalledCertificate(CertificateUse.V2G_CHAIN, HASH, (HASH,)),)
    assert catalogue.outcome_of(version, "GetInstalledCertificateIds", {"status": "NotFound"}).result is Result.ACCEPTED


@BOTH
def test_M04_FR_07_a_certificate_is_deleted_by_the_very_hashes_that_the_station_gave(version):
    assert catalogue.command_call(version, DeleteCertificate(HASH))[1] == {"certificateHashData": ENTRY}


@BOTH
def test_M06_FR_01_a_status_is_asked_for(version):
    payload = {"ocspRequestData": {**ENTRY, "responderURL": "http://ocsp.example/"}}
    report = catalogue.understand(version, "GetCertificateStatus", payload).report
    assert report == CertificateStatusAsked(StatusQuestion(HASH, ("http://ocsp.example/",)))


@BOTH
def test_M06_FR_02_03_09_the_answer_is_the_der_response_in_base64(version):
    told = catalogue.answer_payload(version, "GetCertificateStatus", CertificateStatusAnswer(response=b"\x30\x03"))
    assert told == {"status": "Accepted", "ocspResult": base64.b64encode(b"\x30\x03").decode()}


@BOTH
def test_M06_FR_04_no_response_is_failed_with_the_reason(version, judge):
    told = catalogue.answer_payload(version, "GetCertificateStatus", CertificateStatusAnswer(detail="HTTP 500"))
    assert told == {"status": "Failed", "statusInfo": {"reasonCode": "Unspecified", "additionalInfo": "HTTP 500"}}
    judge(version, "GetCertificateStatus", "Response", told)


def test_a_response_that_a_version_cannot_hold_is_failed_there():
    answer = CertificateStatusAnswer(response=b"x" * 5000)
    assert catalogue.answer_payload(V21, "GetCertificateStatus", answer)["status"] == "Accepted"
    told = catalogue.answer_payload(V201, "GetCertificateStatus", answer)
    assert (told["status"], told["statusInfo"]["reasonCode"]) == ("Failed", "TooLargeElement")


def test_M07_each_certificate_is_asked_for_and_answered_with_its_source(judge):
    asked = [
        {"certificateHashData": ENTRY, "source": source, "urls": ["http://a/", "http://b/"]}
        for source in ("CRL", "OCSP")
    ]
    report = catalogue.understand(V21, "GetCertificateChainStatus", {"certificateStatusRequests": asked}).report
    urls = ("http://a/", "http://b/")
    assert report == ChainStatusAsked(
        (StatusQuestion(HASH, urls, StatusSource.CRL), StatusQuestion(HASH, urls, StatusSource.OCSP))
    )
    statuses = (
        CertificateStatus(HASH, StatusSource.CRL, CertificateState.REVOKED, LATER),
        CertificateStatus(HASH, StatusSource.OCSP, CertificateState.FAILED, None, "gone"),
    )
    told = catalogue.answer_payload(V21, "GetCertificateChainStatus", ChainStatusAnswer(statuses))
    judge(V21, "GetCertificateChainStatus", "Response", told)
    assert [(each["source"], each["status"], each["nextUpdate"]) for each in told["certificateStatus"]] == [
        ("CRL", "Revoked", "2026-05-08T10:00:00.000Z"),
        ("OCSP", "Failed", certificates.STALE),
    ]


@BOTH
def test_M01_FR_01_M02_FR_01_a_car_asks_for_a_contract(version):
    payload = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Update", "exiRequest": "gA=="}
    assert catalogue.understand(version, "Get15118EVCertificate", payload).report == ContractCertificateAsked(
        action=ContractAction.UPDATE, schema_version="urn:iso:15118:2:2013:MsgDef", request="gA=="
    )


def test_M01_FR_03_2_1_says_how_many_contracts_a_car_can_hold():
    payload = {
        "iso15118SchemaVersion": "urn:iso:std:iso:15118:-20:CommonMessages",
        "action": "Install",
        "exiRequest": "gA==",
        "maximumContractCertificateChains": 3,
        "prioritizedEMAIDs": ["DE-ABC-1"],
    }
    report = catalogue.understand(V21, "Get15118EVCertificate", payload).report
    assert (report.chains_max, report.emaids) == (3, ("DE-ABC-1",))


@BOTH
def test_M01_a_contract_or_the_reason_why_not_is_told(version, judge):
    given = ContractCertificateAnswer(ContractFinding(accepted=True, response="gB==", remaining=2))
    told = catalogue.answer_payload(version, "Get15118EVCertificate", given)
    remaining = {"remainingContracts": 2} if version is V21 else {}
    assert told == {"status": "Accepted", "exiResponse": "gB==", **remaining}
    refused = ContractCertificateAnswer(ContractFinding(accepted=False, detail="no pool"))
    told = catalogue.answer_payload(version, "Get15118EVCertificate", refused)
    judge(version, "Get15118EVCertificate", "Response", told)
    assert told["statusInfo"]["additionalInfo"] == "no pool"


def test_a_contract_that_a_version_cannot_hold_is_failed_there():
    answer = ContractCertificateAnswer(ContractFinding(accepted=True, response="x" * 9000))
    assert catalogue.answer_payload(V21, "Get15118EVCertificate", answer)["status"] == "Accepted"
    told = catalogue.answer_payload(V201, "Get15118EVCertificate", answer)
    assert (told["status"], told["exiResponse"]) == ("Failed", "")


def test_C07_FR_02_06_what_a_car_shows_with_an_authorize_is_read():
    question = {**ENTRY, "responderURL": "http://ocsp/"}
    shown = certificates.contract_evidence({"iso15118CertificateHashData": [question, question], "certificate": "PEM"})
    assert shown == ContractEvidence((StatusQuestion(HASH, ("http://ocsp/",)),) * 2, "PEM")
    assert certificates.contract_evidence({}) is None
    assert certificates.contract_evidence({"certificate": ""}) is None


def test_C07_FR_13_the_certificates_status_stands_beside_the_tokens():
    verdict = TokenVerdict(TokenStatus.ACCEPTED)
    with_certificate = TokenAnswer(verdict, ContractStatus.ACCEPTED)
    assert certificates.certificate_status_field(with_certificate) == {"certificateStatus": "Accepted"}
    assert certificates.certificate_status_field(TokenAnswer(verdict)) == {}
