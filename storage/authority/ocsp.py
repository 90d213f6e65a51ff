"""OCSP (RFC 6960): questions to others, what their answers are worth, and answers of our own. DER in and out.

An answer counts when it names the certificate that was asked for, is of now, and is signed by the certificate's issuer
or by a responder that the issuer appointed (section 4.2.2.2).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from engine.model.certificates import CertificateHash, CertificateState
from storage.authority.hash_data import DIGEST_OF, issued_by, serial_of
from storage.authority.hierarchy import Issuer
from storage.authority.pem import serial_text
from storage.authority.register import Issued

SKEW = timedelta(minutes=10)
"""How far a responder's clock may be ahead of ours."""
ANSWER_DAYS = 7
"""Until when an answer of ours counts: stations refresh theirs once a week (M06.FR.10)."""

_STATE_OF = {
    ocsp.OCSPCertStatus.GOOD: CertificateState.GOOD,
    ocsp.OCSPCertStatus.REVOKED: CertificateState.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: CertificateState.UNKNOWN,
}


class BadAnswer(ValueError):  # noqa: N818 (says what it is)
    """A responder's answer cannot be used; the message says why."""


class Answer(msgspec.Struct, frozen=True):
    """What a responder said of one certificate. `next_update` None: newer news may come at any time."""

    state: CertificateState
    next_update: datetime | None
    response: ocsp.OCSPResponse


def question(certificate: CertificateHash) -> bytes:
    """An OCSP request for a certificate that is known by its hashes only.

    Raises:
        ValueError: A hash or the serial number is not hexadecimal, or of the wrong length.
    """
    digest = DIGEST_OF[certificate.algorithm]
    name, key = bytes.fromhex(certificate.issuer_name_hash), bytes.fromhex(certificate.issuer_key_hash)
    if not len(name) == len(key) == digest.digest_size:
        raise ValueError(f"{certificate.algorithm.value} hashes have {digest.digest_size * 2} hexadecimal digits")
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, serial_of(certificate), digest)
    return builder.build().public_bytes(Encoding.DER)


def read_answer(der: bytes, certificate: CertificateHash, now: datetime) -> Answer:
    """What an answer says of a certificate; whose word that is, is told by `is_signed`.

    Raises:
        BadAnswer: It is none, says nothing of that certificate, or is not of now.
    """
    try:
        response = ocsp.load_der_ocsp_response(der)
    except ValueError as error:
        raise BadAnswer(f"it is no OCSP response: {error}") from None
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise BadAnswer(f"the responder says {response.response_status.name.lower()}")
    try:
        single = next((each for each in response.responses if _names(each, certificate)), None)
    except UnsupportedAlgorithm as error:
        raise BadAnswer(f"it names certificates in a way that is not known: {error}") from None
    if single is None:
        raise BadAnswer("it is about another certificate")
    return _of_now(single, response, now)


def is_signed(answer: Answer, certificate: CertificateHash, known: Sequence[x509.Certificate], now: datetime) -> bool:
    """Whether the certificate's issuer stands behind an answer.

    Args:
        answer: As read.
        certificate: That it is about.
        known: Certificates that are trusted, among them the issuer.
        now: The time.
    """
    issuers = [each for each in known if issued_by(each, certificate)]
    signers = [*issuers, *(each for each in answer.response.certificates if _appointed(each, issuers, now))]
    return any(_signed_by(answer.response, signer) for signer in signers)


def issuers_within(answer: Answer) -> Iterator[x509.Certificate]:
    """The certificates that came with an answer: some responders send the issuer along."""
    yield from answer.response.certificates


def answer_of(
    issuer: Issuer, certificate: CertificateHash, issued: Issued | None, now: datetime, backdate_s: int
) -> bytes:
    """An answer of ours about a certificate of ours, signed by its issuer. `issued` None: it never was."""
    status, revoked_at, reason = ocsp.OCSPCertStatus.UNKNOWN, None, None
    if issued is not None and issued.revoked_at is not None:
        status, revoked_at = ocsp.OCSPCertStatus.REVOKED, issued.revoked_at
        reason = x509.ReasonFlags(issued.reason) if issued.reason not in (None, "unspecified") else None
    elif issued is not None:
        status = ocsp.OCSPCertStatus.GOOD
    this_update = (now - timedelta(seconds=backdate_s)).replace(microsecond=0)
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        bytes.fromhex(certificate.issuer_name_hash),
        bytes.fromhex(certificate.issuer_key_hash),
        serial_of(certificate),
        DIGEST_OF[certificate.algorithm],
        status,
        this_update,
        (now + timedelta(days=ANSWER_DAYS)).replace(microsecond=0),
        revoked_at,
        reason,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    return builder.sign(issuer.key, issuer.digest).public_bytes(Encoding.DER)


def _names(single: ocsp.OCSPSingleResponse, certificate: CertificateHash) -> bool:
    found = CertificateHash(
        algorithm=certificate.algorithm,
        issuer_name_hash=single.issuer_name_hash.hex(),
        issuer_key_hash=single.issuer_key_hash.hex(),
        serial_number=serial_text(single.serial_number),
    )
    return single.hash_algorithm.name == DIGEST_OF[certificate.algorithm].name and found.key == certificate.key


def _of_now(single: ocsp.OCSPSingleResponse, response: ocsp.OCSPResponse, now: datetime) -> Answer:
    if single.this_update_utc > now + SKEW:
        raise BadAnswer(f"it begins to count at {single.this_update_utc.isoformat()} only")
    next_update = single.next_update_utc
    if next_update is not None and next_update < now - SKEW:
        raise BadAnswer(f"it counted until {next_update.isoformat()}")
    return Answer(_STATE_OF[single.certificate_status], next_update, response)


def _appointed(signer: x509.Certificate, issuers: Iterable[x509.Certificate], now: datetime) -> bool:
    """Whether an issuer made this one its responder: signed by it, for OCSP signing, valid now."""
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usage:
        return False
    if not signer.not_valid_before_utc <= now <= signer.not_valid_after_utc:
        return False
    return any(is_issued_by(signer, issuer) for issuer in issuers)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """By name and signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _signed_by(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, signature, signed = signer.public_key(), response.signature, response.tbs_response_bytes
    try:
        digest = response.signature_hash_algorithm
        match key:
            case ec.EllipticCurvePublicKey() if digest is not None:
                key.verify(signature, signed, ec.ECDSA(digest))
            case rsa.RSAPublicKey() if digest is not None:
                key.verify(signature, signed, padding.PKCS1v15(), digest)
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                key.verify(signature, signed)
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return not isinstance(digest, hashes.MD5 | hashes.SHA1)
