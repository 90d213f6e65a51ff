"""Certificates of stations: whose they are, whether they are revoked. OCPP 2.1 A00.FR.403 to 408, 509 and 511.

Chain, signature and dates were verified during the TLS handshake, or by a trusted proxy; what is left is judged here,
once the station has said who it is. Dates are looked at again: a session of TLS may be resumed after its certificate
has expired.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID


class BadCertificate(Exception):  # noqa: N818 (an answer, not a fault)
    """A certificate that does not let its station in. `reason`: a word for the metric."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


class BadCrl(ValueError):  # noqa: N818 (as BadCertificate)
    """A revocation list that cannot be used. The message says why."""


class ClientCertificate(msgspec.Struct, frozen=True):
    """What we look at in a station's certificate. `issuer`: DER of the issuer's name. Times are aware UTC."""

    names: frozenset[str]
    organizations: frozenset[str]
    issuer: bytes
    serial: int
    not_before: datetime
    not_after: datetime


class Revocations(NamedTuple):
    """Serial numbers of revoked certificates by issuer (DER of its name), and until when each list is good.

    `authorities`: names (DER) of pinned authorities that are revoked themselves.
    """

    serials: Mapping[bytes, frozenset[int]] = {}
    next_updates: Mapping[bytes, datetime | None] = {}
    authorities: frozenset[bytes] = frozenset()

    @property
    def expires_at(self) -> datetime | None:
        """When the first list is out of date; None: there is none, or none that says."""
        return min((at for at in self.next_updates.values() if at is not None), default=None)


class CertificateRules(msgspec.Struct, frozen=True):
    """What a certificate must fulfil. `organizations`: one of them must be its O; none: any O will do.

    `crl_required`: refuse what no current revocation list speaks of.
    """

    organizations: frozenset[str] = frozenset()
    revocations: Revocations = Revocations()
    crl_required: bool = False

    def judge(self, certificate: ClientCertificate, name: str, now: datetime) -> None:
        """Returns if the certificate is good for the station of this name (its identity or serial number).

        Raises:
            BadCertificate: It is not.
        """
        if not certificate.not_before <= now <= certificate.not_after:
            text = f"the certificate is valid from {certificate.not_before} to {certificate.not_after}: renew it"
            raise BadCertificate("certificate_expired", text)
        if name not in certificate.names:
            text = f"the certificate is of {_listed(certificate.names)}, not of {name}"
            raise BadCertificate("certificate_name_wrong", text)
        if self.organizations and not self.organizations & certificate.organizations:
            text = f"the certificate's organisation (O) is {_listed(certificate.organizations)}, which is not trusted"
            raise BadCertificate("certificate_organization_wrong", text)
        self._require_unrevoked(certificate, now)

    def _require_unrevoked(self, certificate: ClientCertificate, now: datetime) -> None:
        revoked = self.revocations.serials.get(certificate.issuer, frozenset())
        if certificate.serial in revoked or certificate.issuer in self.revocations.authorities:
            raise BadCertificate("certificate_revoked", "the certificate is revoked: have another one issued")
        if not self.crl_required:
            return
        next_update = self.revocations.next_updates.get(certificate.issuer)
        if certificate.issuer not in self.revocations.serials or (next_update is not None and next_update < now):
            text = "whether the certificate is revoked cannot be told: the server has no current revocation list"
            raise BadCertificate("crl_missing", text)


def certificate_from_der(der: bytes) -> ClientCertificate:
    """What counts of a certificate. Its names: common names and DNS names, both as they are written.

    Raises:
        BadCertificate: It cannot be read.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        return ClientCertificate(
            names=frozenset(_names(certificate)),
            organizations=frozenset(_values(certificate.subject, NameOID.ORGANIZATION_NAME)),
            issuer=certificate.issuer.public_bytes(),
            serial=certificate.serial_number,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
    except (ValueError, x509.DuplicateExtension, UnsupportedAlgorithm) as error:
        raise BadCertificate("certificate_unreadable", f"the certificate cannot be read: {error}") from error


def revocations_from_pem(crls: Iterable[bytes], authorities: bytes) -> Revocations:
    """The lists in these files, each proved by one of the authorities.

    Args:
        crls: Contents of files, PEM (several lists in one are allowed) or DER.
        authorities: PEM of the pinned certificates.

    Raises:
        BadCrl: A list cannot be read, or no authority has signed it.
    """
    issuers = x509.load_pem_x509_certificates(authorities)
    serials: dict[bytes, frozenset[int]] = {}
    next_updates: dict[bytes, datetime | None] = {}
    for crl in (one for content in crls for one in _crls(content)):
        _require_signed(crl, issuers)
        name = crl.issuer.public_bytes()
        revoked = frozenset(entry.serial_number for entry in crl)
        serials[name] = serials.get(name, frozenset()) | revoked
        ends = [at for at in (next_updates.get(name), crl.next_update_utc) if at is not None]
        next_updates[name] = min(ends, default=None)
    revoked_authorities = (
        issuer.subject.public_bytes()
        for issuer in issuers
        if issuer.serial_number in serials.get(issuer.issuer.public_bytes(), frozenset())
    )
    return Revocations(serials, next_updates, frozenset(revoked_authorities))


def _crls(content: bytes) -> Iterable[x509.CertificateRevocationList]:
    mark = b"-----BEGIN X509 CRL-----"
    try:
        if mark not in content:
            return [x509.load_der_x509_crl(content)]
        return [x509.load_pem_x509_crl(mark + part) for part in content.split(mark)[1:]]
    except ValueError as error:
        raise BadCrl(f"no revocation list in PEM or DER: {error}") from error


def _require_signed(crl: x509.CertificateRevocationList, issuers: Sequence[x509.Certificate]) -> None:
    for issuer in issuers:
        if issuer.subject == crl.issuer and _is_signed_by(crl, issuer):
            return
    raise BadCrl(
        f"the revocation list of {crl.issuer.rfc4514_string()} is not signed by an authority in ocpp.tls_client_ca: "
        "put the issuer's certificate there"
    )


def _is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey):
        return False
    try:
        return crl.is_signature_valid(key)
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False


def _names(certificate: x509.Certificate) -> Iterable[str]:
    yield from _values(certificate.subject, NameOID.COMMON_NAME)
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    yield from alternatives.get_values_for_type(x509.DNSName)


def _values(name: x509.Name, oid: x509.ObjectIdentifier) -> Iterable[str]:
    return (str(attribute.value) for attribute in name.get_attributes_for_oid(oid))


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "nobody"
