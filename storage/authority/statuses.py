"""Statuses of certificates: asked of OCSP responders and revocation lists, once for all who ask, and remembered.

A status is remembered until its next update, at most for the time that the settings say; failures are not. It is
remembered for those who name the same addresses: what a stranger's server says must not become everybody's truth.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from cryptography import x509

from engine.model.certificates import CertificateState, StatusFinding, StatusQuestion, StatusSource
from engine.ports import Clock
from storage.authority import ocsp
from storage.authority.hash_data import issued_by, serial_of
from storage.authority.outside import Outside, OutsideFailed
from storage.authority.settings import CertificateSettings
from storage.authority.trust import TrustStore, anchor_of

URLS_MAX = 5
LISTS_MAX = 32
"""Revocation lists remembered. A list may be megabytes."""
_OCSP_REQUEST = "application/ocsp-request"

_Key = tuple[str, ...]


class Statuses:
    """What is known of others' certificates.

    Args:
        outside: The way to them.
        trust: Whom to believe.
        settings: Bounds.
        clock: The time.
    """

    def __init__(self, outside: Outside, trust: TrustStore, settings: CertificateSettings, clock: Clock) -> None:
        self._outside = outside
        self._trust = trust
        self._settings = settings
        self._clock = clock
        self._known: OrderedDict[_Key, tuple[StatusFinding, datetime]] = OrderedDict()
        self._lists: OrderedDict[str, tuple[x509.CertificateRevocationList, datetime]] = OrderedDict()
        self._under_way: dict[_Key, asyncio.Task[StatusFinding]] = {}

    async def status(self, question: StatusQuestion) -> StatusFinding:
        """The status; FAILED, with why, when it cannot be found out. Never raises."""
        key = (question.source.value, *question.certificate.key, *question.urls[:URLS_MAX])
        known = self._known.get(key)
        if known is not None and known[1] > self._clock.now():
            return known[0]
        task = self._under_way.get(key)
        if task is None:
            ask = self._by_ocsp if question.source is StatusSource.OCSP else self._by_list
            task = asyncio.get_running_loop().create_task(self._found(key, ask, question))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Stops what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _found(
        self, key: _Key, ask: Callable[[StatusQuestion, str], Awaitable[StatusFinding]], question: StatusQuestion
    ) -> StatusFinding:
        """Asks one URL after the other until one has an answer (M07.FR.01, M07.FR.04)."""
        failures = []
        for url in question.urls[:URLS_MAX]:
            try:
                finding = await ask(question, url)
            except (OutsideFailed, ValueError) as error:
                failures.append(f"{url[:200]}: {error}")
                continue
            self._remember(key, finding)
            return finding
        return StatusFinding(CertificateState.FAILED, detail="; ".join(failures) or "no address to ask was named")

    async def _by_ocsp(self, question: StatusQuestion, url: str) -> StatusFinding:
        certificate = question.certificate
        asked = ocsp.question(certificate)
        bytes_max = self._settings.response_bytes_max
        der = await self._outside.fetch(url, bytes_max=bytes_max, body=asked, body_type=_OCSP_REQUEST)
        now = self._clock.now()
        answer = ocsp.read_answer(der, certificate, now)
        trusted = await self._trusted()
        if self._lenient or self._is_vouched_for(answer, question, trusted, now):
            return StatusFinding(answer.state, answer.next_update, der)
        detail = _untrusted(f"the answer of {url[:200]}")
        return StatusFinding(CertificateState.FAILED, answer.next_update, der, detail)

    def _is_vouched_for(
        self, answer: ocsp.Answer, question: StatusQuestion, trusted: tuple[x509.Certificate, ...], now: datetime
    ) -> bool:
        """Whether its issuer signed the answer, and is known or came along with a chain to somebody known."""
        known = list(trusted)
        known += [each for each in ocsp.issuers_within(answer) if anchor_of(each, trusted, now) is not None]
        return ocsp.is_signed(answer, question.certificate, known, now)

    async def _by_list(self, question: StatusQuestion, url: str) -> StatusFinding:
        crl = await self._list(url)
        if not self._lenient:
            await self._require_signed(crl, question, url)
        revoked = crl.get_revoked_certificate_by_serial_number(serial_of(question.certificate))
        state = CertificateState.GOOD if revoked is None else CertificateState.REVOKED
        return StatusFinding(state, crl.next_update_utc)

    async def _require_signed(self, crl: x509.CertificateRevocationList, question: StatusQuestion, url: str) -> None:
        """Raises OutsideFailed."""
        for issuer in await self._trusted():
            if issued_by(issuer, question.certificate) and await asyncio.to_thread(_is_list_of, crl, issuer):
                return
        raise OutsideFailed(_untrusted(f"the list of {url[:200]}"))

    async def _list(self, url: str) -> x509.CertificateRevocationList:
        """Raises OutsideFailed, ValueError."""
        now = self._clock.now()
        known = self._lists.get(url)
        if known is not None and known[1] > now:
            return known[0]
        content = await self._outside.fetch(url, bytes_max=self._settings.crl_bytes_max)
        crl = await asyncio.to_thread(_parsed, content)
        next_update = crl.next_update_utc
        if next_update is not None and next_update < now - ocsp.SKEW:
            raise OutsideFailed(f"the list counted until {next_update.isoformat()}")
        self._lists[url] = crl, self._until(next_update, now)
        self._lists.move_to_end(url)
        if len(self._lists) > LISTS_MAX:
            self._lists.popitem(last=False)
        return crl

    def _remember(self, key: _Key, finding: StatusFinding) -> None:
        self._known[key] = finding, self._until(finding.next_update, self._clock.now())
        self._known.move_to_end(key)
        if len(self._known) > self._settings.statuses_max:
            self._known.popitem(last=False)

    def _until(self, next_update: datetime | None, now: datetime) -> datetime:
        """Not at all without a next update: newer news may come at any time (RFC 6960 section 4.2.2.1)."""
        latest = now + timedelta(seconds=self._settings.status_kept_s_max)
        return now if next_update is None else min(next_update, latest)

    async def _trusted(self) -> tuple[x509.Certificate, ...]:
        return await asyncio.to_thread(self._trust.certificates)

    @property
    def _lenient(self) -> bool:
        return self._settings.status_trust == "lenient"


def _untrusted(what: str) -> str:
    return f"{what} is not signed by an issuer that is known: put the certificate of the issuer into trust/"


def _parsed(content: bytes) -> x509.CertificateRevocationList:
    """DER or PEM. Raises ValueError."""
    if content.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_crl(content)
    return x509.load_der_x509_crl(content)


def _is_list_of(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return crl.issuer == issuer.subject and crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # other kinds of keys raise TypeError
    except (TypeError, ValueError):
        return False
