"""The hierarchy: which authorities there are, and what the certificates that they issue look like. Section A00.FR.5xx.

    root-ecdsa  P-256      |- server-ecdsa     certificates of the TLS port
                           `- station-ecdsa    client certificates of stations with ECDSA keys
    root-rsa    RSA 3072   |- server-rsa       the same for devices that only know RSA
                           `- station-rsa
    root-v2g    P-256      `- v2g              what stations show cars, ISO 15118-2
    root-v2g20  P-521      `- v2g20            the same for ISO 15118-20

RSA signs by PKCS #1 v1.5 with SHA-256: A00.FR.505 would have PSS, but stations in the field expect SHA256withRSA.
Extended key usage is left out as A00.FR.514 asks, subject alternative names are for servers only (A00.FR.511).
"""

import ipaddress
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from storage.authority.pem import PrivateKey

RSA_BITS = 3_072
ROOT_DAYS = 7_300
ISSUING_DAYS = 3_650

ALGORITHMS = ("ecdsa", "rsa")
"""Of certificates of servers and stations."""


def _p256() -> PrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _p521() -> PrivateKey:
    return ec.generate_private_key(ec.SECP521R1())


def _rsa() -> PrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)


NEW_KEY: dict[str, Callable[[], PrivateKey]] = {"ecdsa": _p256, "rsa": _rsa, "v2g": _p256, "v2g20": _p521}
"""By the last part of an authority's name."""

ROOTS = ("root-ecdsa", "root-rsa", "root-v2g", "root-v2g20")
ROOT_OF_ISSUING = {
    "server-ecdsa": "root-ecdsa",
    "station-ecdsa": "root-ecdsa",
    "server-rsa": "root-rsa",
    "station-rsa": "root-rsa",
    "v2g": "root-v2g",
    "v2g20": "root-v2g20",
}
NAMES = (*ROOTS, *ROOT_OF_ISSUING)

_TITLES = {
    "root-ecdsa": "Root CA ECDSA",
    "root-rsa": "Root CA RSA",
    "root-v2g": "V2G Root CA",
    "root-v2g20": "V2G Root CA 20",
    "server-ecdsa": "Server CA ECDSA",
    "server-rsa": "Server CA RSA",
    "station-ecdsa": "Station CA ECDSA",
    "station-rsa": "Station CA RSA",
    "v2g": "V2G Sub CA",
    "v2g20": "V2G Sub CA 20",
}


class Validity(msgspec.Struct, frozen=True):
    """From and until when; aware UTC."""

    begins_at: datetime
    ends_at: datetime


class Issuer(msgspec.Struct, frozen=True):
    """A root or an issuing CA with its key. `root`: the one above; None: it is a root."""

    name: str
    certificate: x509.Certificate
    key: PrivateKey
    root: x509.Certificate | None = None

    @property
    def digest(self) -> hashes.SHA256 | hashes.SHA512:
        """What it signs by."""
        return digest_of(self.key)


def digest_of(key: PrivateKey) -> hashes.SHA256 | hashes.SHA512:
    """SHA-512 for P-521, else SHA-256 (A00.FR.506)."""
    return hashes.SHA512() if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 384 else hashes.SHA256()


def validity(now: datetime, days: int, backdate_s: int = 0) -> Validity:
    """From a little before now, to the second: X.509 knows no fractions."""
    begins_at = (now - timedelta(seconds=backdate_s)).replace(microsecond=0)
    return Validity(begins_at, (now + timedelta(days=days)).replace(microsecond=0))


def make_root(name: str, organisation: str, now: datetime, backdate_s: int) -> Issuer:
    """A root, signed by itself."""
    key = NEW_KEY[_algorithm_of(name)]()
    subject = _subject(f"{organisation} {_TITLES[name]}", organisation)
    builder = _builder(subject, subject, key.public_key(), validity(now, ROOT_DAYS, backdate_s))
    builder = _as_authority(builder, path_length=1)
    return Issuer(name, builder.sign(key, digest_of(key)), key)


def make_issuing(root: Issuer, name: str, organisation: str, now: datetime, backdate_s: int) -> Issuer:
    """An issuing CA below a root."""
    key = NEW_KEY[_algorithm_of(name)]()
    subject = _subject(f"{organisation} {_TITLES[name]}", organisation)
    builder = _builder(subject, root.certificate.subject, key.public_key(), validity(now, ISSUING_DAYS, backdate_s))
    builder = _below(_as_authority(builder, path_length=0), root)
    return Issuer(name, builder.sign(root.key, root.digest), key, root.certificate)


def make_server(
    issuer: Issuer, key: CertificatePublicKeyTypes, names: Iterable[str], organisation: str, valid: Validity
) -> x509.Certificate:
    """A certificate of the TLS port. CN: the first name (A00.FR.510); all of them are alternative names."""
    listed = list(names)
    builder = _leaf(issuer, key, _subject(listed[0], organisation), valid)
    alternatives = x509.SubjectAlternativeName([_alternative(name) for name in listed])
    return builder.add_extension(alternatives, critical=False).sign(issuer.key, issuer.digest)


def make_station(
    issuer: Issuer,
    key: CertificatePublicKeyTypes,
    subject: x509.Name,
    valid: Validity,
    responder_url: str | None,
) -> x509.Certificate:
    """A certificate of a station, to us or to cars."""
    builder = _leaf(issuer, key, subject, valid)
    if responder_url is not None:
        access = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(responder_url)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return builder.sign(issuer.key, issuer.digest)


def station_subject(common_name: str, organisation: str, *, v2g: bool) -> x509.Name:
    """CN and O (A00.FR.509, A00.FR.511); DC=CPO for cars, as ISO 15118-2 annex F has it."""
    subject = _subject(common_name, organisation)
    if not v2g:
        return subject
    return x509.Name([*subject, x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "CPO")])


def _algorithm_of(name: str) -> str:
    return name.rpartition("-")[2]


def _subject(common_name: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes, valid: Validity
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid.begins_at)
        .not_valid_after(valid.ends_at)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _as_authority(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True).add_extension(
        _usage(key_cert_sign=True, crl_sign=True), critical=True
    )


def _leaf(
    issuer: Issuer, key: CertificatePublicKeyTypes, subject: x509.Name, valid: Validity
) -> x509.CertificateBuilder:
    builder = _builder(subject, issuer.certificate.subject, key, valid)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    is_rsa = isinstance(key, rsa.RSAPublicKey)
    usage = _usage(digital_signature=True, key_encipherment=is_rsa, key_agreement=not is_rsa)
    return _below(builder.add_extension(usage, critical=True), issuer)


def _below(builder: x509.CertificateBuilder, issuer: Issuer) -> x509.CertificateBuilder:
    above = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above)
    return builder.add_extension(identifier, critical=False)


def _usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_agreement: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=key_agreement,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
