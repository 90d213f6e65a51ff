"""The files of TLS: certificates with their keys, authorities, revocation lists; and the context that they make.

TLS 1.2 and 1.3, no compression, no renegotiation (2.1 A00.FR.313 to 321). No session tickets: what they save, a
signature of 30 us, is not worth keys that must be rotated and shared.
"""

import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ingress.ocpp.certificates import BadCrl, CertificateRules, Revocations, revocations_from_pem
from ingress.settings import OcppSettings

log = structlog.get_logger()

_EC_BITS_MIN, _RSA_BITS_MIN = 224, 2048
"""2.1 A00.FR.502 and 503."""


class TlsUnusable(ValueError):  # noqa: N818 (a state)
    """The files of TLS cannot be used. The message says which, why and what to do."""


class Loaded(NamedTuple):
    """What the files hold. `expires_at`: of the server's certificates, by kind of key (`ecdsa`, `rsa`, `other`)."""

    context: ssl.SSLContext
    rules: CertificateRules
    expires_at: dict[str, datetime]


Stamps = tuple[tuple[int, int, int] | None, ...]
"""What changes when a file does, for each file; None for one that is not there."""


def load(settings: OcppSettings) -> Loaded:
    """Reads the files. Blocks.

    Raises:
        TlsUnusable: One cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_SINGLE_ECDH_USE
    context.num_tickets = 0
    context.set_ciphers(settings.tls_ciphers)
    keys = settings.tls_keys or (None,) * len(settings.tls_certificates)
    expires_at: dict[str, datetime] = {}
    for file, key in zip(settings.tls_certificates, keys, strict=True):
        kind, at = _use_certificate(context, file, key)
        expires_at[kind] = at
    return Loaded(context, _use_authorities(context, settings), expires_at)


def _use_certificate(context: ssl.SSLContext, file: Path, key: Path | None) -> tuple[str, datetime]:
    """Loads a certificate with its key; returns the kind of its key and until when it is valid."""
    content = _content(file)
    try:
        certificate = x509.load_pem_x509_certificates(content)[0]
    except (ValueError, IndexError) as error:
        raise TlsUnusable(f"{file} holds no certificate in PEM: {error}") from error
    kind = _kind_of_key(certificate, file)
    try:
        context.load_cert_chain(file, key, password=_no_password(key or file))
    except (ssl.SSLError, OSError) as error:
        where = key or file
        raise TlsUnusable(f"{where} does not hold the key of the certificate in {file}: {_reason(error)}") from error
    if certificate.not_valid_after_utc < datetime.now(UTC):  # noqa: TID251 (a shell: the files are of this machine)
        log.warning("the certificate of the TLS port has expired: renew it", file=str(file))
    return kind, certificate.not_valid_after_utc


def _kind_of_key(certificate: x509.Certificate, file: Path) -> str:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        kind, bits, bits_min = "ecdsa", key.key_size, _EC_BITS_MIN
    elif isinstance(key, rsa.RSAPublicKey):
        kind, bits, bits_min = "rsa", key.key_size, _RSA_BITS_MIN
    else:
        return "other"
    if bits < bits_min:
        raise TlsUnusable(f"{file} has a key of {bits} bits: OCPP demands {bits_min} or more (A00.FR.502, 503)")
    return kind


def _use_authorities(context: ssl.SSLContext, settings: OcppSettings) -> CertificateRules:
    """Asks stations for certificates of the pinned authorities, if there are any; returns the rules for them."""
    revocations = Revocations()
    if settings.tls_client_ca is not None:
        authorities = _content(settings.tls_client_ca)
        try:
            context.load_verify_locations(cadata=authorities.decode("ascii", "replace"))
        except ssl.SSLError as error:
            raise TlsUnusable(f"{settings.tls_client_ca} holds no certificates in PEM: {_reason(error)}") from error
        context.verify_mode = ssl.CERT_OPTIONAL  # profiles 2 and 3 share the port
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # what is pinned is trusted, be it a root or not
        try:
            revocations = revocations_from_pem(map(_content, settings.tls_crls), authorities)
        except BadCrl as error:
            raise TlsUnusable(f"{', '.join(map(str, settings.tls_crls))}: {error}") from error
    return CertificateRules(
        organizations=frozenset(settings.tls_organizations),
        revocations=revocations,
        crl_required=settings.tls_crl_required,
    )


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise TlsUnusable(f"{file} cannot be read: {error.strerror}") from error


def _no_password(file: Path) -> Callable[[], str]:
    def ask() -> str:
        raise TlsUnusable(f"the key in {file} is encrypted: write it unencrypted, readable only for Narke")

    return ask


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error).replace("_", " ").lower()


def _files(settings: OcppSettings) -> Sequence[Path]:
    authorities = () if settings.tls_client_ca is None else (settings.tls_client_ca,)
    return (*settings.tls_certificates, *settings.tls_keys, *authorities, *settings.tls_crls)


def stamps_of(settings: OcppSettings) -> Stamps:
    """The stamps of all files that the settings name. Blocks."""
    return tuple(_stamp(file) for file in _files(settings))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
