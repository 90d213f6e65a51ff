"""Installed certificates in 1.6: install, delete, list. Security whitepaper, M03 to M05.

Translates; never decides, never remembers. 1.6 knows two kinds: roots of the central system and of the manufacturer.
"""

from msgspec.structs import replace

from engine.model.certificates import (
    CertificateUse,
    DeleteCertificate,
    GetInstalledCertificates,
    InstallCertificate,
    InstalledCertificate,
)
from engine.model.commands import Outcome
from engine.ocpp import outcomes
from engine.ocpp.hash_data import certificate_hash_from, hash_data_of
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload
from engine.ocpp.versions import Version

BLOCK = "certificates"
CERTIFICATE_LENGTH_MAX = 5_500

TYPE_OF_USE = {
    CertificateUse.CSMS_ROOT: "CentralSystemRootCertificate",
    CertificateUse.MANUFACTURER_ROOT: "ManufacturerRootCertificate",
}

_read_list = outcomes.reader_accepting("NotFound")


def install_certificate_from_install_certificate(command: InstallCertificate, version: Version) -> tuple[str, Payload]:
    """Raises NotExpressible: 1.6 has no such kind of root, or the certificate is too long."""
    kind = _type_of(command.use, version)
    if len(command.certificate) > CERTIFICATE_LENGTH_MAX:
        raise NotExpressible(
            f"OCPP {version} holds {CERTIFICATE_LENGTH_MAX} characters in a certificate, this one has "
            f"{len(command.certificate)}: use a smaller key"
        )
    return "InstallCertificate", {"certificateType": kind, "certificate": command.certificate}


def delete_certificate_from_delete_certificate(command: DeleteCertificate, _version: Version) -> tuple[str, Payload]:
    """Names the certificate as the station named it (M04)."""
    return "DeleteCertificate", {"certificateHashData": hash_data_of(command.certificate)}


def get_installed_certificate_ids_from_get_installed_certificates(
    command: GetInstalledCertificates, version: Version
) -> tuple[str, Payload]:
    """Raises NotExpressible: 1.6 asks for one kind at a time."""
    if len(command.uses) != 1:
        kinds = " and ".join(TYPE_OF_USE)
        raise NotExpressible(f"OCPP {version} asks for one use at a time: ask twice, for {kinds}")
    return "GetInstalledCertificateIds", {"certificateType": _type_of(command.uses[0], version)}


def outcome_from_get_installed_certificate_ids_response(payload: Payload, version: Version) -> Outcome:
    """The certificates by their hashes; 1.6 does not repeat which kind it was asked for."""
    found = tuple(
        InstalledCertificate(use=CertificateUse.CSMS_ROOT, certificate=certificate_hash_from(entry))
        for entry in payload.get("certificateHashData", ())
    )
    return replace(_read_list(payload, version), certificates=found)


def _type_of(use: CertificateUse, version: Version) -> str:
    kind = TYPE_OF_USE.get(use)
    if kind is None:
        raise NotExpressible(f"OCPP {version} has no {use.value}: use {' or '.join(TYPE_OF_USE)}")
    return kind


FROM_STATION = ()
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
