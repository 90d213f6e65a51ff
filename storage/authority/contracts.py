"""Contract certificates of cars (Plug and Charge): what they are worth, where new ones come from. 2.1 C07, M01, M02.

`HttpPool` speaks to a contract certificate pool, or to a small bridge in front of one:

    POST <url>   {"station", "action", "iso15118SchemaVersion", "exiRequest", "maximumContractCertificateChains",
                  "prioritizedEMAIDs"}
    200          {"status": "Accepted", "exiResponses": ["...", ...]}   or   {"status": "Failed", "detail": "why"}
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from engine.model.certificates import (
    CertificateState,
    ContractCertificateAsked,
    ContractEvidence,
    ContractFinding,
    ContractStatus,
    StatusFinding,
    StatusQuestion,
    StatusSource,
)
from engine.ports import Clock, ContractOffer, ContractPool
from storage.authority.hash_data import hash_data
from storage.authority.pem import NotPem, certificates_from
from storage.authority.signing_requests import common_name_of
from storage.authority.trust import Flaw, TrustStore, anchor_of, flaw_of

if TYPE_CHECKING:
    import httpx2

EMAID_COMPARED = 14
"""Characters of an eMAID without separators and check digit (ISO 15118-1 annex H)."""
OFFERS_MAX = 1_024
OFFER_KEPT = timedelta(minutes=10)
RESPONSE_BYTES_MAX = 1_048_576

_STATUS_OF_FLAW = {
    Flaw.EXPIRED: ContractStatus.CERTIFICATE_EXPIRED,
    Flaw.SIGNATURE: ContractStatus.SIGNATURE_ERROR,
    Flaw.UNTRUSTED: ContractStatus.CERT_CHAIN_ERROR,
}

Ask = Callable[[StatusQuestion], Awaitable[StatusFinding]]


async def contract_status(
    token: str, evidence: ContractEvidence, ask: Ask, trust: TrustStore, now: datetime, *, lenient: bool
) -> ContractStatus:
    """What a contract certificate is worth.

    Args:
        token: The eMAID that the car gave.
        evidence: Hashes of its chain, the chain itself, or both.
        ask: For the status of one certificate.
        trust: Whose chains count.
        now: The time.
        lenient: A chain that names no place to ask for its status counts all the same.
    """
    if evidence.chain is not None:
        judged = await asyncio.to_thread(_judged, token, evidence.chain, trust, now)
        if isinstance(judged, ContractStatus):
            return judged
        questions = evidence.questions or tuple(question for question in judged if question.urls)
        if not questions or not (evidence.questions or judged[0].urls):
            return ContractStatus.ACCEPTED if lenient else ContractStatus.CERT_CHAIN_ERROR
    else:
        questions = evidence.questions
    if not questions:
        return ContractStatus.NO_CERTIFICATE_AVAILABLE
    findings = await asyncio.gather(*(ask(question) for question in questions))
    states = {finding.state for finding in findings}
    if CertificateState.REVOKED in states:
        return ContractStatus.CERTIFICATE_REVOKED
    return ContractStatus.ACCEPTED if states == {CertificateState.GOOD} else ContractStatus.CERT_CHAIN_ERROR


def _judged(token: str, chain: str, trust: TrustStore, now: datetime) -> ContractStatus | Sequence[StatusQuestion]:
    """What is wrong with a chain, or which certificates of it to ask about (C07.FR.05, FR.06), the leaf first."""
    try:
        certificates = certificates_from(chain)
    except NotPem:
        return ContractStatus.CERT_CHAIN_ERROR
    trusted = trust.certificates()
    flaw = flaw_of(certificates, trusted, now)
    if flaw is not None:
        return _STATUS_OF_FLAW[flaw]
    if not _is_of(token, certificates[0]):
        return ContractStatus.CERT_CHAIN_ERROR
    anchor = anchor_of(certificates[-1], trusted, now)
    assert anchor is not None, "a chain without a flaw has one"
    issuers = [*certificates[1:], anchor]
    trust.learn(certificates[1:])
    return [_question(each, issuer) for each, issuer in zip(certificates, issuers, strict=True) if each != anchor]


def _is_of(token: str, leaf: x509.Certificate) -> bool:
    """Whether the certificate is of the contract that the car named: else one car could charge on another's bill."""
    return _plain(common_name_of(leaf.subject) or "") == _plain(token) != ""


def _plain(emaid: str) -> str:
    return "".join(character for character in emaid.upper() if character.isalnum())[:EMAID_COMPARED]


def _question(certificate: x509.Certificate, issuer: x509.Certificate) -> StatusQuestion:
    """Where the certificate says that its status is known: a responder rather than a list."""
    hashed = hash_data(certificate, issuer)
    responders = _responders(certificate)
    if responders:
        return StatusQuestion(hashed, responders)
    return StatusQuestion(hashed, _lists(certificate), StatusSource.CRL)


def _responders(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        each.access_location.value
        for each in access
        if each.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(each.access_location, x509.UniformResourceIdentifier)
    )


def _lists(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ()
    names = [name for point in points for name in point.full_name or ()]
    return tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


class NoPool:
    """The pool of an operator who has none."""

    async def obtain(self, station: str, asked: ContractCertificateAsked) -> ContractOffer:
        """Nothing."""
        del station, asked
        return ContractOffer(accepted=False, detail="no contract certificate pool: set certificates.contract_pool_url")


class _Body(msgspec.Struct):
    """What a pool answers."""

    status: Literal["Accepted", "Failed"]
    exiResponses: list[str] = []  # noqa: N815 (the field's name on the wire)
    detail: str | None = None


class HttpPool:
    """A pool behind an HTTP address.

    Args:
        url: Where to POST.
        key: Bearer key; None: none.
        wait_s_max: For the whole answer.
    """

    def __init__(self, url: str, key: str | None, wait_s_max: float) -> None:
        self._url = url
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._wait_s_max = wait_s_max
        self._client: httpx2.AsyncClient | None = None

    async def obtain(self, station: str, asked: ContractCertificateAsked) -> ContractOffer:
        """What the pool has. Never raises: no answer is an offer that is not accepted."""
        import httpx2  # noqa: PLC0415 (a quarter of a second that most processes never need)

        if self._client is None:
            self._client = httpx2.AsyncClient(follow_redirects=False, timeout=self._wait_s_max)
        body = {
            "station": station,
            "action": asked.action.value,
            "iso15118SchemaVersion": asked.schema_version,
            "exiRequest": asked.request,
            "maximumContractCertificateChains": asked.chains_max,
            "prioritizedEMAIDs": list(asked.emaids),
        }
        try:
            async with asyncio.timeout(self._wait_s_max):
                response = await self._client.post(self._url, json=body, headers=self._headers)
        except (httpx2.HTTPError, TimeoutError) as error:
            return ContractOffer(accepted=False, detail=f"the contract pool did not answer: {type(error).__name__}")
        return _offer(response.status_code, response.content)

    async def close(self) -> None:
        """Closes its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _offer(status_code: int, content: bytes) -> ContractOffer:
    if status_code != 200:
        return ContractOffer(accepted=False, detail=f"the contract pool answered HTTP {status_code}")
    if len(content) > RESPONSE_BYTES_MAX:
        return ContractOffer(accepted=False, detail="the contract pool's answer is too long")
    try:
        body = msgspec.json.decode(content, type=_Body)
    except msgspec.MsgspecError as error:
        return ContractOffer(accepted=False, detail=f"the contract pool's answer cannot be read: {error}")
    if body.status != "Accepted" or not body.exiResponses:
        return ContractOffer(accepted=False, detail=body.detail or "the contract pool has no contract for this car")
    return ContractOffer(accepted=True, responses=tuple(body.exiResponses))


class Shelf:
    """Hands out what a pool offers, one contract per question of the station (2.1 M01.FR.04 to FR.07).

    A car with ISO 15118-20 may have several contracts: the same question again gets the next. `remaining` is what is
    left after this one, for the station asks on as long as it is not 0. What nobody fetches is forgotten.
    """

    def __init__(self, pool: ContractPool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._offers: OrderedDict[tuple[str, str], tuple[list[str], datetime]] = OrderedDict()

    async def next(self, station: str, asked: ContractCertificateAsked) -> ContractFinding:
        """The next contract for a car."""
        key = station, asked.request
        kept = self._offers.pop(key, None)
        if kept is not None and kept[1] > self._clock.now():
            return self._taken(key, kept[0], asked)
        offer = await self._pool.obtain(station, asked)
        if not offer.accepted or not offer.responses:
            return ContractFinding(accepted=False, detail=offer.detail or "the pool has no contract for this car")
        return self._taken(key, list(offer.responses[: asked.chains_max or 1]), asked)

    def _taken(self, key: tuple[str, str], responses: list[str], asked: ContractCertificateAsked) -> ContractFinding:
        first, rest = responses[0], responses[1:]
        if rest:
            self._offers[key] = rest, self._clock.now() + OFFER_KEPT
            if len(self._offers) > OFFERS_MAX:
                self._offers.popitem(last=False)
        remaining = None if asked.chains_max is None else len(rest)
        return ContractFinding(accepted=True, response=first, remaining=remaining)
