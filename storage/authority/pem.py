"""PEM in and out: what stations and operators hand us, and what we hand them.

Stations write PEM with CRLF, with backslash and n for a newline, or without its armour: all of that is read, and only
clean PEM is written.
"""

import base64
import binascii
import re

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

CHAIN_LENGTH_MAX = 10_000
"""Of a certificateChain in CertificateSigned, in every version (characters)."""
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_SPACE = re.compile(r"\s+")

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class NotPem(ValueError):  # noqa: N818 (says what it is)
    """A text is not what it should be; the message says what is wrong, for people."""


def certificates_from(text: str) -> list[x509.Certificate]:
    """The certificates of a PEM text, in their order.

    Raises:
        NotPem: There is none, one cannot be read, or there is something else among them.
    """
    return [_certificate(der) for der in _ders(text, ("CERTIFICATE", "X509 CERTIFICATE"), "certificate")]


def certificate_from(text: str) -> x509.Certificate:
    """The one certificate of a PEM text.

    Raises:
        NotPem: There is none, there are several, or it cannot be read.
    """
    found = certificates_from(text)
    if len(found) != 1:
        raise NotPem(f"it holds {len(found)} certificates, but must hold one: give the root alone")
    return found[0]


def request_from(text: str) -> x509.CertificateSigningRequest:
    """The certificate signing request of a PEM text.

    Raises:
        NotPem: It holds none, or more than one, or it cannot be read.
    """
    ders = _ders(text, ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"), "certificate signing request")
    if len(ders) != 1:
        raise NotPem(f"it holds {len(ders)} certificate signing requests, but must hold one")
    try:
        return x509.load_der_x509_csr(ders[0])
    except ValueError as error:
        raise NotPem(f"it is no certificate signing request (PKCS #10): {error}") from None


def chain_text(*certificates: x509.Certificate) -> str:
    """PEM, leaf first as given."""
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def key_bytes(key: CertificateIssuerPrivateKeyTypes) -> bytes:
    """A private key as PKCS #8 in PEM, not encrypted: its file's mode guards it."""
    return key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def key_from(content: bytes) -> PrivateKey:
    """A private key of ours.

    Raises:
        NotPem: It is none of the two kinds that this authority makes.
    """
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise NotPem(f"it is no private key: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise NotPem("its private key is neither ECDSA nor RSA")
    return key


def serial_text(serial: int) -> str:
    """A serial number as OCPP writes it: hexadecimal without leading zeros (2.1 CertificateHashDataType)."""
    return f"{serial:x}"


def _certificate(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.public_key()
        certificate.extensions  # noqa: B018 (they are parsed when first looked at)
    except Exception as error:  # noqa: BLE001 (bad bytes raise errors of many kinds)
        raise NotPem(f"it is no certificate (X.509): {error}") from None
    return certificate


def _ders(text: str, labels: tuple[str, ...], what: str) -> list[bytes]:
    plain = text.replace("\\r", "").replace("\\n", "\n").strip()
    blocks = _BLOCK.findall(plain)
    if not blocks and "-----" not in plain:
        blocks = [(labels[0], plain)]
    if not blocks or not plain:
        raise NotPem(f"it is no {what} in PEM: -----BEGIN {labels[0]}----- is missing")
    others = {label for label, _ in blocks} - set(labels)
    if others:
        raise NotPem(f"it holds {', '.join(sorted(others)).lower()}, but must hold nothing but a {what}")
    return [_der(body, what) for _, body in blocks]


def _der(body: str, what: str) -> bytes:
    try:
        return base64.b64decode(_SPACE.sub("", body), validate=True)
    except binascii.Error:
        raise NotPem(f"it is no {what} in PEM: between its armour there is something else than base64") from None
