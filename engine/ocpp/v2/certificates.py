"""Certificates in 2.x: installed ones, their statuses, contracts of cars. OCPP 2.1 block M, and C07 of block C.

Translates; never decides, never remembers. What came with an Authorize is read here, the rest of it by `authorization`.
"""

import base64

from msgspec.structs import replace

from engine.model.authorization import TokenAnswer
from engine.model.certificates import (
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
    DeleteCertificate,
    GetInstalledCertificates,
    InstallCertificate,
    InstalledCertificate,
    StatusQuestion,
    StatusSource,
)
from engine.model.commands import Outcome
from engine.model.envelopes import Answer
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.hash_data import certificate_hash_from, hash_data_of
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import limits
from engine.ocpp.v2.status_info import status_info
from engine.ocpp.versions import Version

BLOCK = "certificates"
CERTIFICATE_LENGTH_MAX = {Version.V201: 5_500, Version.V21: 10_000}
OCSP_RESULT_LENGTH_MAX = {Version.V201: 5_500, Version.V21: 18_000}
EXI_RESPONSE_LENGTH_MAX = {Version.V201: 7_500, Version.V21: 17_000}
"""2.0.1: of edition 3's schemas; edition 2 had 5,600."""
STALE = "1970-01-01T00:00:00.000Z"
"""A nextUpdate that is long past: a status that is not known must not be kept."""

_read_list = outcomes.reader_accepting("NotFound")


# Installed certificates


def install_certificate_from_install_certificate(command: InstallCertificate, version: Version) -> tuple[str, Payload]:
    """Raises NotExpressible: it is no root that this version knows, or too long."""
    if command.use is CertificateUse.V2G_CHAIN:
        raise NotExpressible(f"OCPP {version} installs roots only: a station gets its V2G certificate by asking for it")
    limits.require_length(command.certificate, CERTIFICATE_LENGTH_MAX[version], "a certificate", version)
    kind = _type_of(command.use, version)
    return "InstallCertificate", {"certificateType": kind, "certificate": command.certificate}


def delete_certificate_from_delete_certificate(command: DeleteCertificate, _version: Version) -> tuple[str, Payload]:
    """Names the certificate as the station named it (M04.FR.07)."""
    return "DeleteCertificate", {"certificateHashData": hash_data_of(command.certificate)}


def get_installed_certificate_ids_from_get_installed_certificates(
    command: GetInstalledCertificates, version: Version
) -> tuple[str, Payload]:
    """Raises NotExpressible: this version does not know one of the uses."""
    if not command.uses:
        return "GetInstalledCertificateIds", {}
    return "GetInstalledCertificateIds", {"certificateType": [_type_of(use, version) for use in command.uses]}


def outcome_from_get_installed_certificate_ids_response(payload: Payload, version: Version) -> Outcome:
    """The certificates by their hashes, sub-CAs below their leaf (M03.FR.05)."""
    found = tuple(
        InstalledCertificate(
            use=CertificateUse(entry["certificateType"]),
            certificate=certificate_hash_from(entry["certificateHashData"]),
            children=tuple(map(certificate_hash_from, entry.get("childCertificateHashData", ()))),
        )
        for entry in payload.get("certificateHashDataChain", ())
    )
    return replace(_read_list(payload, version), certificates=found)


def _type_of(use: CertificateUse, version: Version) -> str:
    if use is CertificateUse.OEM_ROOT and version is Version.V201:
        raise NotExpressible(f"OCPP {version} has no {use.value}: 2.1 has")
    return use.value


# Statuses


def report_from_get_certificate_status(payload: Payload, _version: Version) -> CertificateStatusAsked:
    """One certificate, by OCSP."""
    return CertificateStatusAsked(question=_question(payload["ocspRequestData"]))


def get_certificate_status_response(answer: Answer, version: Version) -> Payload:
    """The OCSP response in base64, or why there is none (M06.FR.02 to FR.04)."""
    said = expected(CertificateStatusAnswer, answer, "GetCertificateStatus")
    if said.response is None:
        return {"status": "Failed", "statusInfo": status_info(None, said.detail, version)}
    result = base64.b64encode(said.response).decode()
    if len(result) > OCSP_RESULT_LENGTH_MAX[version]:
        detail = (
            f"the OCSP response has {len(result)} characters, OCPP {version} allows {OCSP_RESULT_LENGTH_MAX[version]}"
        )
        return {"status": "Failed", "statusInfo": status_info("TooLargeElement", detail, version)}
    return {"status": "Accepted", "ocspResult": result}


def report_from_get_certificate_chain_status(payload: Payload, _version: Version) -> ChainStatusAsked:
    """Up to four certificates, by OCSP or by list (M07)."""
    questions = tuple(
        StatusQuestion(
            certificate=certificate_hash_from(each["certificateHashData"]),
            urls=tuple(each["urls"]),
            source=StatusSource(each["source"]),
        )
        for each in payload["certificateStatusRequests"]
    )
    return ChainStatusAsked(questions=questions)


def get_certificate_chain_status_response(answer: Answer, _version: Version) -> Payload:
    """One entry per certificate, in order (M07.FR.08)."""
    statuses = expected(ChainStatusAnswer, answer, "GetCertificateChainStatus").statuses
    return {"certificateStatus": [_entry(status) for status in statuses]}


def _entry(status: CertificateStatus) -> Payload:
    return {
        "certificateHashData": hash_data_of(status.certificate),
        "source": status.source.value,
        "status": status.state.value,
        "nextUpdate": STALE if status.next_update is None else times.format(status.next_update),
    }


def _question(entry: Payload) -> StatusQuestion:
    """OCSPRequestDataType."""
    return StatusQuestion(certificate=certificate_hash_from(entry), urls=(entry["responderURL"],))


# Contracts of cars


def report_from_get_15118_ev_certificate(payload: Payload, _version: Version) -> ContractCertificateAsked:
    """What a car asks for, through the station."""
    return ContractCertificateAsked(
        action=ContractAction(payload["action"]),
        schema_version=payload["iso15118SchemaVersion"],
        request=payload["exiRequest"],
        chains_max=payload.get("maximumContractCertificateChains"),
        emaids=tuple(payload.get("prioritizedEMAIDs", ())),
    )


def get_15118_ev_certificate_response(answer: Answer, version: Version) -> Payload:
    """What the pool has for the car, or why there is nothing."""
    finding = expected(ContractCertificateAnswer, answer, "Get15118EVCertificate").finding
    length_max = EXI_RESPONSE_LENGTH_MAX[version]
    if finding.accepted and len(finding.response) > length_max:
        detail = f"the pool's response has {len(finding.response)} characters, OCPP {version} allows {length_max}"
        return {"status": "Failed", "exiResponse": "", "statusInfo": status_info("TooLargeElement", detail, version)}
    if not finding.accepted:
        return {"status": "Failed", "exiResponse": "", "statusInfo": status_info(None, finding.detail, version)}
    payload: Payload = {"status": "Accepted", "exiResponse": finding.response}
    if finding.remaining is not None and version is not Version.V201:
        payload["remainingContracts"] = finding.remaining
    return payload


def contract_evidence(payload: Payload) -> ContractEvidence | None:
    """What a car showed with an Authorize (2.1 C07.FR.02, FR.06); None: nothing."""
    hashes, chain = payload.get("iso15118CertificateHashData"), payload.get("certificate")
    if not hashes and not chain:
        return None
    return ContractEvidence(questions=tuple(map(_question, hashes or ())), chain=chain or None)


def certificate_status_field(answer: TokenAnswer) -> Payload:
    """Field certificateStatus of an AuthorizeResponse, where a certificate came with the token."""
    return {} if answer.certificate_status is None else {"certificateStatus": answer.certificate_status.value}


FROM_STATION = (
    StationCall(
        action="Get15118EVCertificate",
        block=BLOCK,
        report=report_from_get_15118_ev_certificate,
        response=get_15118_ev_certificate_response,
    ),
    StationCall(
        action="GetCertificateStatus",
        block=BLOCK,
        report=report_from_get_certificate_status,
        response=get_certificate_status_response,
    ),
)
FROM_STATION_21 = (
    StationCall(
        action="GetCertificateChainStatus",
        block=BLOCK,
        report=report_from_get_certificate_chain_status,
        response=get_certificate_chain_status_response,
    ),
)
FROM_CSMS = (
    CsmsCall(action="DeleteCertificate", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(
        action="GetInstalledCertificateIds",
        block=BLOCK,
        outcome=outcome_from_get_installed_certificate_ids_response,
    ),
    CsmsCall(action="InstallCertificate", block=BLOCK, outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=DeleteCertificate, call=delete_certificate_from_delete_certificate),
    CommandTranslator(
        command=GetInstalledCertificates, call=get_installed_certificate_ids_from_get_installed_certificates
    ),
    CommandTranslator(command=InstallCertificate, call=install_certificate_from_install_certificate),
)
