"""Trust: whom we believe about certificates of others: roots (and CAs below them) in trust/ of the authority's folder.

Read anew when a file in it changes. A chain counts when each certificate is signed by the next, all are valid now, all
but the leaf are CAs, and the last is trusted or signed by a trusted one.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from storage.authority.ocsp import is_issued_by
from storage.authority.pem import NotPem, certificates_from

log = structlog.get_logger()

LENGTH_MAX = 6
"""Certificates in a chain: a leaf, up to four CAs, a root."""
LEARNED_MAX = 256


class Flaw(StrEnum):
    """What is wrong with a chain."""

    EXPIRED = "expired"
    SIGNATURE = "signature"
    UNTRUSTED = "untrusted"


class TrustStore:
    """The certificates in a folder, for several threads. `folder` may not exist: then nobody is trusted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._certificates: tuple[x509.Certificate, ...] = ()
        self._learned: OrderedDict[bytes, x509.Certificate] = OrderedDict()
        self._turn = threading.Lock()

    def certificates(self) -> tuple[x509.Certificate, ...]:
        """All of them. Blocks for a moment; files that cannot be read are named in the log and left out."""
        with self._turn:
            seen = tuple(sorted(self._files()))
            if seen != self._seen:
                self._certificates = tuple(self._read(name for name, _, _ in seen))
                self._seen = seen
                self._learned.clear()  # some may stand on a root that is gone
            return (*self._certificates, *self._learned.values())

    def learn(self, authorities: Iterable[x509.Certificate]) -> None:
        """Remembers CAs of a chain without a flaw: their signature is under what responders say of its other links."""
        with self._turn:
            for certificate in authorities:
                self._learned[certificate.fingerprint(hashes.SHA256())] = certificate
            while len(self._learned) > LEARNED_MAX:
                self._learned.popitem(last=False)

    def _files(self) -> Iterable[tuple[str, int, int]]:
        if self._folder.is_dir():
            for file in self._folder.glob("*.pem"):
                status = file.stat()
                yield file.name, status.st_mtime_ns, status.st_size

    def _read(self, names: Iterable[str]) -> Iterable[x509.Certificate]:
        for name in names:
            try:
                yield from certificates_from((self._folder / name).read_text(encoding="ascii"))
            except (OSError, UnicodeDecodeError, NotPem) as error:
                log.warning("a trusted certificate cannot be read", file=str(self._folder / name), error=str(error))


def flaw_of(chain: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], now: datetime) -> Flaw | None:
    """What is wrong with a chain, leaf first; None: nothing. It may end at or below a trusted certificate."""
    if not 0 < len(chain) <= LENGTH_MAX:
        return Flaw.UNTRUSTED
    if any(not each.not_valid_before_utc <= now <= each.not_valid_after_utc for each in chain):
        return Flaw.EXPIRED
    for certificate, issuer in pairwise(chain):
        if certificate.issuer != issuer.subject or not is_authority(issuer):
            return Flaw.UNTRUSTED
        if not is_issued_by(certificate, issuer):
            return Flaw.SIGNATURE
    return None if anchor_of(chain[-1], trusted, now) is not None else Flaw.UNTRUSTED


def anchor_of(
    certificate: x509.Certificate, trusted: Sequence[x509.Certificate], now: datetime
) -> x509.Certificate | None:
    """The trusted certificate that this one is, or is signed by; None: there is none."""
    mark = certificate.fingerprint(hashes.SHA256())
    for each in trusted:
        if each.fingerprint(hashes.SHA256()) == mark:
            return each
    for each in trusted:
        valid = each.not_valid_before_utc <= now <= each.not_valid_after_utc
        if valid and is_authority(each) and is_issued_by(certificate, each):
            return each
    return None


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may issue others (RFC 5280 section 4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
