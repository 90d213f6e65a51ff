"""CertificateHashData: how every version names a certificate without showing it. Translates; never decides."""

from engine.model.certificates import CertificateHash, HashAlgorithm
from engine.ocpp.translation import Payload


def certificate_hash_from(entry: Payload) -> CertificateHash:
    """The certificate that an object names."""
    return CertificateHash(
        algorithm=HashAlgorithm(entry["hashAlgorithm"]),
        issuer_name_hash=entry["issuerNameHash"],
        issuer_key_hash=entry["issuerKeyHash"],
        serial_number=entry["serialNumber"],
    )


def hash_data_of(certificate: CertificateHash) -> Payload:
    """The object, spelled as the certificate was named to us: stations may compare text."""
    return {
        "hashAlgorithm": certificate.algorithm.value,
        "issuerNameHash": certificate.issuer_name_hash,
        "issuerKeyHash": certificate.issuer_key_hash,
        "serialNumber": certificate.serial_number,
    }
