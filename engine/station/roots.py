"""Roots: what a certificate says that somebody wants a station to trust. Reads; nothing here judges a signature."""

from datetime import datetime

import msgspec

_ARMOUR = "-----BEGIN CERTIFICATE-----"


class BadRoot(ValueError):  # noqa: N818 (says what it is)
    """A text is no single certificate in PEM; the message says why."""


class Root(msgspec.Struct, frozen=True, gc=False):
    """A certificate's own words. `serial_number`: hexadecimal, no leading zeros. `authority`: it may issue others."""

    subject: str
    serial_number: str
    begins_at: datetime
    expires_at: datetime
    authority: bool


def read_root(pem: str) -> Root:
    """What a certificate says of itself.

    Raises:
        BadRoot: It is no PEM, no certificate, or more than one.
    """
    from cryptography import x509  # noqa: PLC0415 (10 MiB, and few processes ever read a certificate)

    if pem.count(_ARMOUR) != 1:
        raise BadRoot(f"it must hold one {_ARMOUR}, and has {pem.count(_ARMOUR)}.")
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode("ascii"))
        found = [each.value for each in certificate.extensions if isinstance(each.value, x509.BasicConstraints)]
    except Exception as error:  # noqa: BLE001 (bad bytes raise errors of many kinds)
        raise BadRoot(f"it is no certificate (X.509 in PEM): {error}") from None
    return Root(
        subject=certificate.subject.rfc4514_string(),
        serial_number=f"{certificate.serial_number:x}",
        begins_at=certificate.not_valid_before_utc,
        expires_at=certificate.not_valid_after_utc,
        authority=found[0].ca if found else certificate.subject == certificate.issuer,  # roots older than X.509 v3
    )
