"""Certificates: what follows from a request, an outcome, a question about a status. OCPP 2.1 A02, A03, C07, M01 to M07.

What only the outside world knows (a signature, a status, a contract) was found out by the ingress and stands in the
report; here it becomes facts, an answer, and the certificate's way to the station:

    SigningAsked --(signed)--> SigningRequested, Accepted, command SendSignedCertificate
                 --(asked, unavailable)--> SigningRequested, Accepted; the operator or the station's repeat goes on
                 --(refused)--> SigningRequested, Rejected
    SendSignedCertificate settled --> SigningSettled; lost or without an answer: sent once more, ATTEMPTS_MAX in all
"""

import hashlib
from datetime import datetime

from msgspec.structs import replace

from engine.model.authorization import TokenStatus, TokenVerdict
from engine.model.certificates import (
    SIGNED_WAITS_S,
    CertificateDeleted,
    CertificateInstalled,
    CertificateState,
    CertificateStatus,
    CertificateStatusAnswer,
    CertificateStatusAsked,
    CertificateStatusTold,
    ChainStatusAnswer,
    ChainStatusAsked,
    ContractCertificateAnswer,
    ContractCertificateAsked,
    ContractCertificateTold,
    ContractFinding,
    ContractStatus,
    DeleteCertificate,
    GetInstalledCertificates,
    InstallCertificate,
    InstalledListed,
    SendSignedCertificate,
    SigningAnswer,
    SigningAsked,
    SigningDecision,
    SigningFinding,
    SigningRequested,
    SigningSettled,
    StatusFinding,
    StatusQuestion,
)
from engine.model.commands import CommandRequest, Outcome, Result
from engine.station import commands
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.roots import BadRoot, read_root
from engine.station.state import StationState

ATTEMPTS_MAX = 5
"""Times one certificate is sent because the answer to it got lost."""
_AGAIN = frozenset({Result.LOST, Result.TIMED_OUT})
_NOT_FOUND = "NotFound"
_NOBODY_ASKED = SigningFinding(
    SigningDecision.UNAVAILABLE, detail="no certificate authority was asked; the operator can approve it"
)
_NO_FINDING = StatusFinding(CertificateState.FAILED, detail="nobody was asked")
_NO_CONTRACT = ContractFinding(accepted=False, detail="no contract certificate pool was asked")


# Requests


def signing_asked(state: StationState, report: SigningAsked, context: Context) -> tuple[Effect, ...]:
    """Accepts a request that can be or may yet be signed (A02.FR.11, FR.12), and sends what was signed."""
    finding = report.finding or _NOBODY_ASKED
    request = name_of_request(state.station, report)
    fact = SigningRequested(
        request=request,
        csr=report.csr,
        finding=finding,
        at=context.received_at,
        use=report.use,
        number=report.number,
    )
    if finding.decision is SigningDecision.REFUSED:
        answer = SigningAnswer(accepted=False, reason=finding.reason, detail=finding.detail)
        return Record(fact), Reply(answer)
    following: tuple[Effect, ...] = ()
    if finding.chain is not None:
        command = SendSignedCertificate(chain=finding.chain, use=report.use, number=report.number, request=request)
        following = _sent(state, command, context)
    return Record(fact), *following, Reply(SigningAnswer(accepted=True))


def name_of_request(station: str, report: SigningAsked) -> str:
    """Our name of a request: a repeat of the station's has the same (A02.FR.17), another station's never."""
    parts = (station, report.use.value if report.use else "", str(report.number), "".join(report.csr.split()))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def command_name(request: str, attempt: int) -> str:
    """Names the command that carries a certificate to its station."""
    return f"sign:{request}:{attempt}"


def _sent(state: StationState, command: SendSignedCertificate, context: Context) -> tuple[Effect, ...]:
    """Sends a certificate unless it is on its way: a repeat while it waits changes nothing."""
    under_way = (each.request.command for each in state.queue.open)
    if any(isinstance(each, SendSignedCertificate) and each.request == command.request for each in under_way):
        return ()
    for attempt in range(ATTEMPTS_MAX):
        name = command_name(command.request, attempt)
        if state.queue.outcome(f"{name}@{state.station}") is None:
            return commands.issue(state, context, command, name, deadline_s=SIGNED_WAITS_S)
    return ()


def signed_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """What the station says of its certificate; one whose answer got lost is sent once more."""
    command = request.command
    assert isinstance(command, SendSignedCertificate), "registered for it"
    again = _sent(state, command, context) if outcome.result in _AGAIN and command.request else ()
    fact = SigningSettled(
        request=command.request,
        accepted=outcome.result is Result.ACCEPTED,
        noted_at=context.now,
        status=outcome.status,
        detail=outcome.detail,
        again=bool(again),
    )
    return Record(fact), *again


# Installed certificates


def objection_to_install(state: StationState, command: InstallCertificate, context: Context) -> str | None:
    """Why a certificate must not be sent: it is none, no authority's, or its time is over."""
    del state
    try:
        root = read_root(command.certificate)
    except BadRoot as error:
        return f"The certificate cannot be installed: {error}"
    if not root.authority:
        return f"{root.subject} is no certificate authority: a station installs roots (M05)."
    if root.expires_at <= context.now:
        return f"{root.subject} expired at {root.expires_at.isoformat()}."
    if root.begins_at > context.now:
        return f"{root.subject} is not valid before {root.begins_at.isoformat()}."
    return None


def install_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """Writes an installed root down and asks the station what it has now."""
    command = request.command
    assert isinstance(command, InstallCertificate), "registered for it"
    if outcome.result is not Result.ACCEPTED:
        return ()
    root = read_root(command.certificate)
    fact = CertificateInstalled(
        use=command.use,
        certificate=command.certificate,
        serial_number=root.serial_number,
        subject=root.subject,
        expires_at=root.expires_at,
        at=context.now,
    )
    question = GetInstalledCertificates(uses=(command.use,))
    return Record(fact), *commands.issue(state, context, question, f"installed:{request.command_id}")


def delete_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A certificate that the station deleted, or never had, is not there."""
    del state
    command = request.command
    assert isinstance(command, DeleteCertificate), "registered for it"
    if outcome.result is not Result.ACCEPTED and outcome.status != _NOT_FOUND:
        return ()
    return (Record(CertificateDeleted(certificate=command.certificate, at=context.now)),)


def listed(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """What the station says it has replaces what was known of those uses."""
    del state
    command = request.command
    assert isinstance(command, GetInstalledCertificates), "registered for it"
    if outcome.result is not Result.ACCEPTED:
        return ()
    found = outcome.certificates
    if len(command.uses) == 1:  # 1.6 does not repeat what it was asked for
        found = tuple(replace(each, use=command.uses[0]) for each in found)
    fact = InstalledListed(uses=command.uses, certificates=found, at=context.now)
    return (Record(fact),)


# Statuses and contracts


def status_asked(state: StationState, report: CertificateStatusAsked, context: Context) -> tuple[Effect, ...]:
    """Passes the OCSP response on, whatever it says (M06.FR.02 to FR.04)."""
    del state
    finding = report.finding or _NO_FINDING
    fact = CertificateStatusTold(statuses=(_status(report.question, finding),), at=context.received_at)
    return Record(fact), Reply(CertificateStatusAnswer(response=finding.response, detail=finding.detail))


def chain_status_asked(state: StationState, report: ChainStatusAsked, context: Context) -> tuple[Effect, ...]:
    """One status per question, in order (2.1 M07.FR.08)."""
    del state
    findings = (*report.findings, *(_NO_FINDING for _ in report.questions))
    statuses = tuple(map(_status, report.questions, findings))
    return (
        Record(CertificateStatusTold(statuses=statuses, at=context.received_at)),
        Reply(ChainStatusAnswer(statuses=statuses)),
    )


def _status(question: StatusQuestion, finding: StatusFinding) -> CertificateStatus:
    return CertificateStatus(
        certificate=question.certificate,
        source=question.source,
        state=finding.state,
        next_update=_worth_keeping(finding),
        detail=finding.detail,
    )


def _worth_keeping(finding: StatusFinding) -> datetime | None:
    return None if finding.state is CertificateState.FAILED else finding.next_update


def contract_asked(state: StationState, report: ContractCertificateAsked, context: Context) -> tuple[Effect, ...]:
    """Passes on what the pool has; the contract itself is not written down."""
    del state
    finding = report.finding or _NO_CONTRACT
    fact = ContractCertificateTold(
        action=report.action,
        schema_version=report.schema_version,
        accepted=finding.accepted,
        at=context.received_at,
        remaining=finding.remaining,
        detail=finding.detail,
    )
    return Record(fact), Reply(ContractCertificateAnswer(finding=finding))


_VERDICTS_THAT_CANCEL = frozenset({TokenStatus.BLOCKED, TokenStatus.EXPIRED, TokenStatus.INVALID, TokenStatus.UNKNOWN})


def told_of_contract(verdict: TokenVerdict, found: ContractStatus) -> tuple[TokenVerdict, ContractStatus]:
    """What a station is told of a token that came with a contract certificate (2.1 C07.FR.13 to FR.17).

    Args:
        verdict: On the token alone.
        found: What the certificate is worth.
    """
    if found is ContractStatus.ACCEPTED:
        cancelled = verdict.status in _VERDICTS_THAT_CANCEL
        return verdict, ContractStatus.CONTRACT_CANCELLED if cancelled else ContractStatus.ACCEPTED
    expired = found is ContractStatus.CERTIFICATE_EXPIRED
    return TokenVerdict(TokenStatus.EXPIRED if expired else TokenStatus.INVALID, group=verdict.group), found
