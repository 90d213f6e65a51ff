"""Hash data: how OCPP and OCSP name a certificate without showing it (2.1 CertificateHashDataType, RFC 6960 CertID)."""

import re
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

from engine.model.certificates import CertificateHash, HashAlgorithm
from storage.authority.pem import serial_text

_HEXADECIMAL = re.compile(r"(0[xX])?[0-9A-Fa-f]{1,40}")

DIGEST_OF: dict[HashAlgorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    HashAlgorithm.SHA256: hashes.SHA256(),
    HashAlgorithm.SHA384: hashes.SHA384(),
    HashAlgorithm.SHA512: hashes.SHA512(),
}


def hash_data(
    certificate: x509.Certificate, issuer: x509.Certificate, algorithm: HashAlgorithm = HashAlgorithm.SHA256
) -> CertificateHash:
    """Names a certificate. `issuer`: whoever signed it; of a root, the root itself.

    Raises:
        ValueError: `issuer` did not sign it (by its name).
    """
    if certificate.issuer != issuer.subject:
        raise ValueError(
            f"the certificate was issued by {certificate.issuer.rfc4514_string()}, not by "
            f"{issuer.subject.rfc4514_string()}: give the certificate of its issuer, too"
        )
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, DIGEST_OF[algorithm]).build()
    return CertificateHash(
        algorithm=algorithm,
        issuer_name_hash=asked.issuer_name_hash.hex(),
        issuer_key_hash=asked.issuer_key_hash.hex(),
        serial_number=serial_text(certificate.serial_number),
    )


def serial_of(certificate: CertificateHash) -> int:
    """The serial number.

    Raises:
        ValueError: It is none.
    """
    text = certificate.serial_number.strip()
    if not _HEXADECIMAL.fullmatch(text):
        raise ValueError(f"the serial number {text!r} is not hexadecimal")
    return int(text, 16)


@lru_cache(maxsize=256)
def issuer_hashes(issuer: x509.Certificate, algorithm: HashAlgorithm) -> tuple[str, str]:
    """Name hash and key hash, lower case, of all certificates that this one issues."""
    digest = hashes.Hash(DIGEST_OF[algorithm])
    digest.update(issuer.subject.public_bytes())
    asked = ocsp.OCSPRequestBuilder().add_certificate(issuer, issuer, DIGEST_OF[algorithm]).build()
    return digest.finalize().hex(), asked.issuer_key_hash.hex()


def issued_by(issuer: x509.Certificate, certificate: CertificateHash) -> bool:
    """Whether the issuer's hashes are those of the certificate that is named."""
    _, name_hash, key_hash, _ = certificate.key
    return issuer_hashes(issuer, certificate.algorithm) == (name_hash, key_hash)
