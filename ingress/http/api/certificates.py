"""Certificates: what our authority issued, and the operator's word on what stations ask for.

What stations asked for and have installed are tables of their block (`/certificate-requests`,
`/installed-certificates`, `/installed-roots`); sending, installing and deleting are commands.
"""

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeVar

import msgspec
from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.model.certificates import (
    SIGNED_WAITS_S,
    SendSignedCertificate,
    SigningDecided,
    SigningDecision,
    SigningFinding,
    SigningUse,
)
from engine.model.commands import CommandRequest
from ingress.http.api.answers import answers
from ingress.http.api.texts import Moment, Name, Note, StationName
from ingress.http.authentication import ADMIN, OPERATE, READ, Caller
from ingress.http.problems import Problem, json_response, not_found
from ingress.http.services import House
from storage.authority.desk import Office, finding_of
from storage.authority.local import AuthorityMissing, LocalAuthority
from storage.authority.register import Issued
from storage.authority.signing_requests import RequestRefused
from storage.blocks.certificates import CERTIFICATE_REQUESTS, CertificateRequestRow
from storage.queries.paging import Page

router = APIRouter(tags=["certificates"])

T = TypeVar("T")
Serial = Annotated[
    str,
    Path(
        pattern=r"^(0[xX])?[0-9A-Fa-f]{1,40}$",
        description="Serial number, hexadecimal.",
        examples=["516dccd651952dfcab056628917e55bfb1274c37"],
    ),
]
Request = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{32}$",
        description="Narke's name of the request, as /certificate-requests tells it.",
        examples=["0f0e0d0c0b0a09080706050403020100"],
    ),
]
Reason = Literal[
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "privilegeWithdrawn",
]


class CertificateAnswer(msgspec.Struct, frozen=True):
    """A certificate of our authority.

    `kind`: root, issuing, server, station or v2g. `name`: its common name. `station`: who asked for it. `reason`: why
    it was revoked, in the words of RFC 5280.
    """

    serial_number: str
    kind: str
    name: str
    issuer: str
    station: str | None
    issued_at: datetime
    begins_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    reason: str | None


class ChainAnswer(msgspec.Struct, frozen=True):
    """A certificate with its chain: PEM, leaf first, without the root."""

    certificate: CertificateAnswer
    chain: str


class CertificatesAnswer(msgspec.Struct, frozen=True):
    """The next to expire first."""

    items: tuple[CertificateAnswer, ...]


class DecisionAnswer(msgspec.Struct, frozen=True):
    """What became of a request. `command_id`: of the command that carries the certificate to its station."""

    station: str
    request: str
    state: str
    serial_number: str | None = None
    expires_at: datetime | None = None
    command_id: str | None = None


class CertificatesQuery(BaseModel, extra="forbid"):
    """Which certificates; all that is given must hold."""

    expires_before: Annotated[Moment | None, Field(description="Only those that are over by then.")] = None
    name: Annotated[Name | None, Field(description="Common name, or identity of the station that asked.")] = None
    kind: Annotated[
        Literal["root", "issuing", "server", "station", "v2g"] | None, Field(description="Only of this kind.")
    ] = None
    revoked: Annotated[bool, Field(description="Revoked ones, too.")] = False


class RevokeBody(BaseModel, extra="forbid"):
    """Why."""

    reason: Annotated[Reason, Field(description="RFC 5280 section 5.3.1.")] = "unspecified"


class ApproveBody(BaseModel, extra="forbid"):
    """How the certificate travels."""

    wait_s: Annotated[
        float, Field(gt=0, le=31_536_000, description="Seconds that it waits for its station to be there.")
    ] = SIGNED_WAITS_S


class RejectBody(BaseModel, extra="forbid"):
    """Why not."""

    reason: Annotated[Note, Field(description="For people; the station is told when it asks again.")] = (
        "no reason given"
    )


_EXAMPLE = CertificateAnswer(
    serial_number="516dccd651952dfcab056628917e55bfb1274c37",
    kind="station",
    name="CP-1",
    issuer="station-ecdsa",
    station="CP-1",
    issued_at=datetime.fromisoformat("2026-05-01T10:00:00Z"),
    begins_at=datetime.fromisoformat("2026-05-01T09:00:00Z"),
    expires_at=datetime.fromisoformat("2027-05-01T10:00:00Z"),
    revoked_at=None,
    reason=None,
)
_DECISION = DecisionAnswer(
    station="CP-1", request="0f0e0d0c0b0a09080706050403020100", state="signed", serial_number=_EXAMPLE.serial_number
)


@router.get("/certificates", dependencies=[READ], responses=answers(CertificatesAnswer, {"items": [_EXAMPLE]}, 404))
async def list_certificates(house: House, query: Annotated[CertificatesQuery, Query()]) -> Response:
    """Certificates that our authority issued and that are not revoked, the next to expire first."""
    found = await _asked(
        house.office, lambda authority: authority.issued(expires_before=query.expires_before, name=query.name)
    )
    rows = [each for each in found if query.kind in (None, each.kind) and (query.revoked or each.revoked_at is None)]
    return json_response(CertificatesAnswer(items=tuple(map(_public, rows))))


@router.get(
    "/certificates/{serial_number}",
    dependencies=[READ],
    responses=answers(ChainAnswer, ChainAnswer(certificate=_EXAMPLE, chain="-----BEGIN CERTIFICATE-----..."), 404),
)
async def show_certificate(house: House, serial_number: Serial) -> Response:
    """A certificate with its chain."""
    issued = await _asked(house.office, lambda authority: authority.by_serial(serial_number))
    if issued is None:
        raise _unknown(serial_number)
    chain = await _asked(house.office, lambda authority: authority.chain_of(issued))
    return json_response(ChainAnswer(certificate=_public(issued), chain=chain))


@router.post(
    "/certificates/{serial_number}/revoke", dependencies=[ADMIN], responses=answers(CertificateAnswer, _EXAMPLE, 404)
)
async def revoke_certificate(
    house: House, serial_number: Serial, body: Annotated[RevokeBody, Body(examples=[{"reason": "keyCompromise"}])]
) -> Response:
    """Revokes a certificate: the lists and OCSP say so at once. Revoking it twice does no harm."""
    now = house.clock.now()
    await _asked(house.office, lambda authority: authority.revoke([serial_number], now, body.reason))
    issued = await _asked(house.office, lambda authority: authority.by_serial(serial_number))
    if issued is None:
        raise _unknown(serial_number)
    return json_response(_public(issued))


@router.post(
    "/certificate-requests/{station}/{request}/approve",
    dependencies=[OPERATE],
    responses=answers(DecisionAnswer, _DECISION, 404),
)
async def approve_request(
    house: House,
    caller: Caller,
    station: StationName,
    request: Request,
    body: Annotated[ApproveBody, Body(examples=[{}])],
) -> Response:
    """Signs a station's request; the certificate goes to the station, now or when it is back."""
    row = await _row(house, station, request)
    use = None if row.certificate_type is None else SigningUse(row.certificate_type)
    csr, now = row.csr or "", house.clock.now()

    def sign(authority: LocalAuthority) -> SigningFinding:
        authority.permit(csr, station, use)
        return finding_of(authority, authority.sign(csr, station, use, now))

    finding = await _asked(house.office, sign)
    assert finding.chain is not None, "signed"
    await house.book.decide_signing(
        SigningDecided(station=station, request=request, finding=finding, at=now, by=caller.name)
    )
    command_id = f"sign:{request}:{house.ids()}@{station}"
    command = SendSignedCertificate(chain=finding.chain, use=use, number=row.request_id, request=request)
    await house.gateway.submit(
        CommandRequest(
            command_id=command_id,
            station=station,
            command=command,
            requested_at=now,
            deadline_at=now + timedelta(seconds=body.wait_s),
            by=caller.name,
            waits=True,
        )
    )
    answer = DecisionAnswer(
        station=station,
        request=request,
        state=finding.decision.value,
        serial_number=finding.serial_number,
        expires_at=finding.expires_at,
        command_id=command_id,
    )
    return json_response(answer)


@router.post(
    "/certificate-requests/{station}/{request}/reject",
    dependencies=[OPERATE],
    responses=answers(DecisionAnswer, _DECISION, 404),
)
async def reject_request(
    house: House,
    caller: Caller,
    station: StationName,
    request: Request,
    body: Annotated[RejectBody, Body(examples=[{"reason": "this station was taken down"}])],
) -> Response:
    """Says no: the station's repeats are rejected from now on, until the request is approved."""
    row = await _row(house, station, request)
    use = None if row.certificate_type is None else SigningUse(row.certificate_type)
    csr, now = row.csr or "", house.clock.now()
    await _asked(house.office, lambda authority: authority.reject(csr, station, use, now, body.reason))
    finding = SigningFinding(SigningDecision.REFUSED, detail=body.reason)
    await house.book.decide_signing(
        SigningDecided(station=station, request=request, finding=finding, at=now, by=caller.name)
    )
    return json_response(DecisionAnswer(station=station, request=request, state=finding.decision.value))


async def _row(house: House, station: str, request: str) -> CertificateRequestRow:
    """Raises Problem: 404."""
    wanted = {"station": station, "request": request}
    found = await house.queries.block(CERTIFICATE_REQUESTS, wanted, Page(limit=1))
    if not found.rows:
        todo = "GET /api/v1/certificate-requests lists all; a new one takes a moment to appear"
        raise not_found("certificate-request", f"{request} of {station}", todo)
    row: CertificateRequestRow = found.rows[0]
    return row


async def _asked(office: Office | None, question: Callable[[LocalAuthority], T]) -> T:
    """Raises Problem: there is no authority, it cannot be used, or it refuses."""
    if office is None:
        raise _missing("this process has no certificate authority")
    try:
        return await office.ask(question)
    except AuthorityMissing as error:
        raise _missing(str(error)) from error
    except RequestRefused as error:
        raise Problem(
            422, "certificate-refused", str(error), "reject the request; the station must ask anew"
        ) from error
    except (OSError, sqlite3.Error) as error:
        todo = "see that Narke may write the authority's folder, and that its disk has room"
        raise Problem(503, "authority-unavailable", f"the certificate authority: {error}", todo) from error


def _missing(detail: str) -> Problem:
    return Problem(404, "no-authority", detail, "`narke ca init` makes one on the machine that Narke runs on")


def _unknown(serial_number: str) -> Problem:
    return not_found("certificate", serial_number, "GET /api/v1/certificates lists all of our authority")


def _public(issued: Issued) -> CertificateAnswer:
    return CertificateAnswer(
        serial_number=issued.serial_number,
        kind=issued.kind,
        name=issued.name,
        issuer=issued.issuer,
        station=issued.station,
        issued_at=issued.issued_at,
        begins_at=issued.begins_at,
        expires_at=issued.expires_at,
        revoked_at=issued.revoked_at,
        reason=issued.reason,
    )
