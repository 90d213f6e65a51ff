"""Consultation: what must be asked of the outside world before a report is decided: certificates, vendors' data.

    understood -> consulted (a few reports only) -> lane -> actor

The finding goes into the report: the decider stays pure, and what was found is on record. Nothing waits for ever:
an answer that does not come in time, or that nobody has room to wait for, is a finding of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from msgspec.structs import replace

from engine.model.authorization import TokenPresented
from engine.model.certificates import (
    CertificateState,
    CertificateStatusAsked,
    ChainStatusAsked,
    ContractCertificateAsked,
    ContractFinding,
    ContractStatus,
    SigningAsked,
    SigningDecision,
    SigningFinding,
    StatusFinding,
)
from engine.model.data_transfer import DataReported
from engine.model.envelopes import Report
from engine.ports import CertificateDesk
from ingress import metrics
from ingress.ocpp.vendor_data import REJECTED, VendorData

log = structlog.get_logger()

CONSULTED: frozenset[type] = frozenset(
    {SigningAsked, CertificateStatusAsked, ChainStatusAsked, ContractCertificateAsked, TokenPresented, DataReported}
)
"""Reports that may need it: a quick look for every message. A token does only where a certificate came with it."""

_LATE = "the answer did not come in time"
_BUSY = "too many such questions are under way"
_BUG = "internal error; it was logged"


class Consultation:
    """Asks the desk, for all sessions of an ingress.

    Args:
        desk: Whom to ask.
        wait_s_max: For one report.
        under_way_max: Reports asked about at the same time; further ones fail at once.
        vendors: Handlers of vendors' data; None: there are none.
    """

    def __init__(
        self, desk: CertificateDesk, *, wait_s_max: float, under_way_max: int, vendors: VendorData | None = None
    ) -> None:
        self._desk = desk
        self._vendors = VendorData(()) if vendors is None else vendors
        self._wait_s_max = wait_s_max
        self._under_way_max = under_way_max
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """Reports that wait for an answer."""
        return len(self._tasks)

    def begin(self, station: str, report: Report, then: Callable[[Report], None]) -> bool:
        """Asks about a report of `CONSULTED`; `then` gets it with the finding. False: there is nothing to ask."""
        if isinstance(report, TokenPresented) and report.contract is None:
            return False
        if isinstance(report, DataReported) and not self._vendors.knows(report.vendor_id):
            return False
        if len(self._tasks) >= self._under_way_max:
            _count(report, "busy")
            then(_unanswered(report, _BUSY))
            return True
        task = asyncio.get_running_loop().create_task(self._consult(station, report, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def close(self) -> None:
        """Gives up on all that is under way; those reports are not decided, their stations say them again."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _consult(self, station: str, report: Report, then: Callable[[Report], None]) -> None:
        outcome = "answered"
        try:
            async with asyncio.timeout(self._wait_s_max):
                consulted = await self._asked(station, report)
        except TimeoutError:
            outcome, consulted = "late", _unanswered(report, _LATE)
        except Exception:  # a bug in the desk: the station gets an answer
            log.exception("a question to the outside world failed", station=station, report=type(report).__name__)
            outcome, consulted = "bug", _unanswered(report, _BUG)
        _count(report, outcome)
        then(consulted)

    async def _asked(self, station: str, report: Report) -> Report:
        desk = self._desk
        match report:
            case SigningAsked():
                return replace(report, finding=await desk.signing(station, report))
            case CertificateStatusAsked():
                return replace(report, finding=await desk.certificate_status(report.question))
            case ChainStatusAsked():
                return replace(report, findings=await self._statuses(report))
            case ContractCertificateAsked():
                return replace(report, finding=await desk.contract_certificate(station, report))
            case DataReported():
                return replace(report, finding=await self._vendors.answer(station, report))
            case TokenPresented() if report.contract is not None:
                status = await desk.contract_status(report.token.value, report.contract)
                return replace(report, contract=None, certificate_status=status)
            case _:
                return report

    async def _statuses(self, report: ChainStatusAsked) -> tuple[StatusFinding, ...]:
        """Each for itself: one that does not come in time must not spoil the others (2.1 M07 error handling)."""
        each_s_max = self._wait_s_max * 0.9
        asked = (_in_time(self._desk.certificate_status(question), each_s_max) for question in report.questions)
        return tuple(await asyncio.gather(*asked))


async def _in_time(asked: Awaitable[StatusFinding], wait_s_max: float) -> StatusFinding:
    try:
        async with asyncio.timeout(wait_s_max):
            return await asked
    except TimeoutError:
        return StatusFinding(CertificateState.FAILED, detail=_LATE)


def _unanswered(report: Report, why: str) -> Report:
    """The report with the finding that nothing was found."""
    match report:
        case SigningAsked():
            return replace(report, finding=SigningFinding(SigningDecision.UNAVAILABLE, detail=why))
        case CertificateStatusAsked():
            return replace(report, finding=StatusFinding(CertificateState.FAILED, detail=why))
        case ChainStatusAsked():
            finding = StatusFinding(CertificateState.FAILED, detail=why)
            return replace(report, findings=(finding,) * len(report.questions))
        case ContractCertificateAsked():
            return replace(report, finding=ContractFinding(accepted=False, detail=why))
        case DataReported():
            return replace(report, finding=REJECTED)
        case TokenPresented():
            return replace(report, contract=None, certificate_status=ContractStatus.CERT_CHAIN_ERROR)
        case _:
            return report


def _count(report: Any, outcome: str) -> None:
    metrics.consultations.labels(type(report).__name__, outcome).inc()
