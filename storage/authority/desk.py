"""The desk: one place to ask about certificates, for each process that has to. Joins authority, statuses and pool.

What is ours is answered from the register, what is others' by asking them. Nothing here raises for what may go wrong
outside: that is a finding, too.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import structlog

from engine.model.certificates import (
    ContractCertificateAsked,
    ContractEvidence,
    ContractFinding,
    ContractStatus,
    SigningAsked,
    SigningDecision,
    SigningFinding,
    StatusFinding,
    StatusQuestion,
)
from engine.ports import CertificateAuthority, Clock
from storage.authority import ocsp
from storage.authority.contracts import HttpPool, NoPool, Shelf, contract_status
from storage.authority.folder import Places
from storage.authority.local import AuthorityMissing, LocalAuthority
from storage.authority.outside import Outside
from storage.authority.register import Issued
from storage.authority.settings import CertificateSettings
from storage.authority.signing_requests import RequestRefused
from storage.authority.statuses import Statuses
from storage.authority.trust import TrustStore

log = structlog.get_logger()

SIGNING_OFF = "NotEnabled"
_AT_ONCE = 4
"""Threads that sign or look into the register: a storm of requests must not take all of a process' threads."""
T = TypeVar("T")


class Office:
    """The local authority, without blocking; opened when first needed, so that `narke ca init` may come later.

    Args:
        places: Its folder.
        settings: Names and lifetimes.
    """

    def __init__(self, places: Places, settings: CertificateSettings) -> None:
        self._places = places
        self._settings = settings
        self._authority: LocalAuthority | None = None
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def sign(self, station: str, asked: SigningAsked, now: datetime) -> SigningFinding:
        """Signs, or says why not."""
        try:
            return await self.ask(lambda authority: _signed(authority, station, asked, now))
        except RequestRefused as error:
            return SigningFinding(SigningDecision.REFUSED, reason=error.reason, detail=str(error))
        except AuthorityMissing as error:
            return SigningFinding(SigningDecision.UNAVAILABLE, detail=str(error))
        except (OSError, sqlite3.Error) as error:
            log.warning("the certificate authority cannot sign", station=station, error=str(error))
            return SigningFinding(SigningDecision.UNAVAILABLE, detail=f"the authority's folder: {error}")

    async def ask(self, question: Callable[[LocalAuthority], T]) -> T:
        """Runs a question to the authority in a thread. Raises AuthorityMissing and what the question raises."""
        async with self._turns:
            return await asyncio.to_thread(self._asked, question)

    def _asked(self, question: Callable[[LocalAuthority], T]) -> T:
        if self._authority is None or not self._places.made:
            self._authority = LocalAuthority(self._places, self._settings)
        return question(self._authority)


class Desk:
    """`engine.ports.CertificateDesk`.

    Args:
        places: The authority's folder.
        settings: All of them.
        clock: The time.
        authority: Another one than the folder's; None: the folder's.
    """

    def __init__(
        self,
        places: Places,
        settings: CertificateSettings,
        clock: Clock,
        authority: CertificateAuthority | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._office = Office(places, settings)
        self._authority: CertificateAuthority = authority or self._office
        self._trust = TrustStore(places.trust)
        self._outside = Outside(settings.outside_s_max, private=settings.outside_private)
        self._statuses = Statuses(self._outside, self._trust, settings, clock)
        self._pool = _pool(settings)
        self._shelf = Shelf(self._pool, clock)

    async def signing(self, station: str, asked: SigningAsked) -> SigningFinding:
        """What becomes of a request, by the setting `signing`."""
        match self._settings.signing:
            case "automatic":
                return await self._authority.sign(station, asked, self._clock.now())
            case "manual":
                return await self._waiting(station, asked)
            case "off":
                detail = "this operator signs no certificates (certificates.signing = off)"
                return SigningFinding(SigningDecision.REFUSED, reason=SIGNING_OFF, detail=detail)

    async def certificate_status(self, question: StatusQuestion) -> StatusFinding:
        """Ours from the register, others' from whom they name."""
        try:
            own = await self._own_status(question)
        except (AuthorityMissing, OSError, sqlite3.Error, ValueError):
            own = None  # no authority here, or nothing that a certificate of ours is called
        return own or await self._statuses.status(question)

    async def contract_status(self, token: str, evidence: ContractEvidence) -> ContractStatus:
        """By chain and status of all its certificates."""
        lenient = self._settings.status_trust == "lenient"
        now = self._clock.now()
        return await contract_status(token, evidence, self.certificate_status, self._trust, now, lenient=lenient)

    async def contract_certificate(self, station: str, asked: ContractCertificateAsked) -> ContractFinding:
        """From the pool."""
        return await self._shelf.next(station, asked)

    async def close(self) -> None:
        """Ends what is under way."""
        await self._statuses.close()
        await self._outside.close()
        if isinstance(self._pool, HttpPool):
            await self._pool.close()

    async def _waiting(self, station: str, asked: SigningAsked) -> SigningFinding:
        """What cannot be signed is refused at once, what the operator signed is sent again; the rest waits for him."""
        now = self._clock.now()
        try:
            found = await self._office.ask(lambda authority: _signed_before(authority, station, asked, now))
        except RequestRefused as error:
            return SigningFinding(SigningDecision.REFUSED, reason=error.reason, detail=str(error))
        except (AuthorityMissing, OSError, sqlite3.Error) as error:
            return SigningFinding(SigningDecision.UNAVAILABLE, detail=str(error))
        return found or SigningFinding(SigningDecision.ASKED, detail="waits for `narke certificate approve`")

    async def _own_status(self, question: StatusQuestion) -> StatusFinding | None:
        now = self._clock.now()
        certificate = question.certificate
        der = await self._office.ask(lambda authority: authority.answer(certificate, now))
        if der is None:
            return None
        answer = ocsp.read_answer(der, certificate, now)
        return StatusFinding(answer.state, answer.next_update, der)


def _pool(settings: CertificateSettings) -> HttpPool | NoPool:
    if settings.contract_pool_url is None:
        return NoPool()
    key = settings.contract_pool_key
    return HttpPool(
        settings.contract_pool_url, None if key is None else key.get_secret_value(), settings.contract_pool_s_max
    )


def _signed(authority: LocalAuthority, station: str, asked: SigningAsked, now: datetime) -> SigningFinding:
    return finding_of(authority, authority.sign(asked.csr, station, asked.use, now, asked.root))


def _signed_before(
    authority: LocalAuthority, station: str, asked: SigningAsked, now: datetime
) -> SigningFinding | None:
    issued = authority.signed(asked.csr, station, asked.use, now, asked.root)
    return None if issued is None else finding_of(authority, issued)


def finding_of(authority: LocalAuthority, issued: Issued) -> SigningFinding:
    """A signed certificate as a finding."""
    return SigningFinding(
        SigningDecision.SIGNED,
        chain=authority.chain_of(issued),
        serial_number=issued.serial_number,
        expires_at=issued.expires_at,
    )
