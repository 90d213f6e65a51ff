"""Rows of certificates: requests of stations, what stations have installed. OCPP 2.1 A02, A03, M03 to M05."""

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.certificates import (
    CertificateDeleted,
    CertificateHash,
    CertificateInstalled,
    CertificateStatusTold,
    CertificateUse,
    ContractCertificateTold,
    InstalledListed,
    SigningDecided,
    SigningFinding,
    SigningRequested,
    SigningSettled,
)
from engine.model.commands import CommandSent
from storage.blocks.table import Change, Drop, Put, Table

ACCEPTED = "accepted"
"""The station took its certificate."""
REJECTED = "rejected"
"""The station did not want it."""
FAILED = "failed"
"""The station never said."""
SIGNED = "signed"
"""It is signed and waits for its station; also before it is sent once more."""
SENT = "sent"
"""It is with the station, which has not answered yet."""
_COMMAND = re.compile(r"sign:([0-9a-f]{32}):")
"""The id of a command that carries a certificate (`engine.station.certificates.command_name`)."""


class CertificateRequestRow(msgspec.Struct, frozen=True):
    """A station's request for a certificate.

    `state`: asked (it waits for the operator), unavailable (it waits for the authority), refused, signed (it waits for
    the station), sent, accepted or rejected (by the station), failed (it never said). `asked_at`: last time.
    `status`: the station's own word on its certificate. `certificate_type`: ChargingStationCertificate, V2GCertificate
    or V2G20Certificate; None: not said. `request_id`: the station's (2.1). `chain`: PEM, leaf first.
    """

    station: str
    request: str
    state: str
    asked_at: datetime
    certificate_type: str | None = None
    request_id: int | None = None
    csr: str | None = None
    chain: str | None = None
    serial_number: str | None = None
    expires_at: datetime | None = None
    detail: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    settled_at: datetime | None = None
    status: str | None = None


CERTIFICATE_REQUESTS = Table(
    name="certificate_requests",
    row=CertificateRequestRow,
    key=("station", "request"),
    newest_first="asked_at",
    ages_by="asked_at",
    filters=("station", "request", "state", "serial_number"),
    shown=("asked_at", "station", "request", "state", "certificate_type", "expires_at", "detail"),
    about="Stations' requests for certificates and what became of them.",
    tag="certificates",
)


class InstalledCertificateRow(msgspec.Struct, frozen=True):
    """A certificate that a station says it has, named by its hashes as the station wrote them.

    `parent`: of a sub-CA of a V2G chain the serial number of the leaf. `listed_at`: when the station said so.
    """

    station: str
    use: str
    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str
    parent: str | None = None
    listed_at: datetime | None = None


INSTALLED_CERTIFICATES = Table(
    name="installed_certificates",
    row=InstalledCertificateRow,
    key=("station", "use", "hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_number"),
    filters=("station", "use", "serial_number"),
    shown=("station", "use", "serial_number", "hash_algorithm", "listed_at"),
    about="Certificates that stations said they have when they were last asked.",
    tag="certificates",
)


class InstalledRootRow(msgspec.Struct, frozen=True):
    """A root that we installed in a station. `certificate`: PEM."""

    station: str
    use: str
    serial_number: str
    subject: str = ""
    certificate: str = ""
    expires_at: datetime | None = None
    installed_at: datetime | None = None


INSTALLED_ROOTS = Table(
    name="installed_roots",
    row=InstalledRootRow,
    key=("station", "use", "serial_number"),
    filters=("station", "use", "serial_number"),
    shown=("station", "use", "serial_number", "subject", "expires_at"),
    about="Roots that Narke installed in stations and that are not deleted.",
    tag="certificates",
)


def requested(station: str, fact: SigningRequested) -> Iterable[Change]:
    """A request, or its repeat."""
    values = {
        "asked_at": fact.at,
        "certificate_type": None if fact.use is None else fact.use.value,
        "request_id": fact.number,
        "csr": fact.csr,
    }
    yield Put(CERTIFICATE_REQUESTS, (station, fact.request), values | _of_finding(fact.finding))


def decided(_station: str, fact: SigningDecided) -> Iterable[Change]:
    """The operator's word."""
    values = {"decided_at": fact.at, "decided_by": fact.by}
    yield Put(CERTIFICATE_REQUESTS, (fact.station, fact.request), values | _of_finding(fact.finding))


def sent(station: str, fact: CommandSent) -> Iterable[Change]:
    """A certificate went out."""
    found = _COMMAND.match(fact.command_id)
    if found is not None:
        yield Put(CERTIFICATE_REQUESTS, (station, found[1]), {"state": SENT})


def settled(station: str, fact: SigningSettled) -> Iterable[Change]:
    """The station's word; a certificate that nobody asked for has no row."""
    if not fact.request:
        return
    state = ACCEPTED if fact.accepted else SIGNED if fact.again else REJECTED if fact.status else FAILED
    values = {"state": state, "settled_at": fact.noted_at, "status": fact.status, "detail": fact.detail}
    yield Put(CERTIFICATE_REQUESTS, (station, fact.request), values)


def listed(station: str, fact: InstalledListed) -> Iterable[Change]:
    """What the station has replaces what it had, of the uses that it was asked for."""
    if fact.uses:
        for use in fact.uses:
            yield Drop(INSTALLED_CERTIFICATES, {"station": station, "use": use.value})
    else:
        yield Drop(INSTALLED_CERTIFICATES, {"station": station})
    for each in fact.certificates:
        yield _installed(station, each.use, each.certificate, None, fact.at)
        for child in each.children:
            yield _installed(station, each.use, child, each.certificate.serial_number, fact.at)


def installed(station: str, fact: CertificateInstalled) -> Iterable[Change]:
    """A root of ours is in the station."""
    values = {
        "subject": fact.subject,
        "certificate": fact.certificate,
        "expires_at": fact.expires_at,
        "installed_at": fact.at,
    }
    yield Put(INSTALLED_ROOTS, (station, fact.use.value, fact.serial_number), values)


def deleted(station: str, fact: CertificateDeleted) -> Iterable[Change]:
    """It is not there any more."""
    certificate = fact.certificate
    where = {
        "station": station,
        "hash_algorithm": certificate.algorithm.value,
        "issuer_name_hash": certificate.issuer_name_hash,
        "issuer_key_hash": certificate.issuer_key_hash,
        "serial_number": certificate.serial_number,
    }
    yield Drop(INSTALLED_CERTIFICATES, where)
    yield Drop(INSTALLED_ROOTS, {"station": station, "serial_number": certificate.key[3]})


def _of_finding(finding: SigningFinding) -> dict[str, object]:
    return {
        "state": finding.decision.value,
        "chain": finding.chain,
        "serial_number": finding.serial_number,
        "expires_at": finding.expires_at,
        "detail": finding.detail,
    }


def _installed(station: str, use: CertificateUse, found: CertificateHash, parent: str | None, at: datetime) -> Put:
    key = (
        station,
        use.value,
        found.algorithm.value,
        found.issuer_name_hash,
        found.issuer_key_hash,
        found.serial_number,
    )
    return Put(INSTALLED_CERTIFICATES, key, {"parent": parent, "listed_at": at})


TABLES = (CERTIFICATE_REQUESTS, INSTALLED_CERTIFICATES, INSTALLED_ROOTS)
CHANGES = {
    SigningRequested: requested,
    SigningDecided: decided,
    CommandSent: sent,
    SigningSettled: settled,
    InstalledListed: listed,
    CertificateInstalled: installed,
    CertificateDeleted: deleted,
}
EVENTS = (CertificateInstalled, CertificateDeleted, CertificateStatusTold, ContractCertificateTold)
