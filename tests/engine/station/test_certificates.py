"""What follows from requests for certificates, from outcomes about them, and from questions about statuses."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.model.authorization import TokenStatus, TokenVerdict
from engine.model.certificates import (
    CertificateDeleted,
    CertificateHash,
    CertificateInstalled,
    CertificateState,
    CertificateStatus,
    CertificateStatusAnswer,
    CertificateStatusAsked,
    CertificateStatusTold,
    CertificateUse,
    ChainStatusAnswer,
    ChainStatusAsked,
    ContractAction,
    ContractCertificateAnswer,
    ContractCertificateAsked,
    ContractCertificateTold,
    ContractFinding,
    ContractStatus,
    DeleteCertificate,
    GetInstalledCertificates,
    HashAlgorithm,
    InstallCertificate,
    InstalledCertificate,
    InstalledListed,
    SendSignedCertificate,
    SigningAnswer,
    SigningAsked,
    SigningDecision,
    SigningFinding,
    SigningRequested,
    SigningSettled,
    SigningUse,
    StatusFinding,
    StatusQuestion,
    StatusSource,
)
from engine.model.commands import CommandReplied, CommandRequest, CommandSettled, Outcome, Result
from engine.model.provisioning import Registration
from engine.model.sessions import SessionClosed
from engine.station.certificates import ATTEMPTS_MAX, name_of_request, told_of_contract
from engine.station.decider import Tick
from engine.station.effects import Deny, Send
from storage.authority.pem import chain_text
from tests.storage.authority.certificates import Foreign

CSR = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
CHAIN = "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
LATER = datetime(2027, 11, 21, tzinfo=UTC)
SIGNED = SigningFinding(SigningDecision.SIGNED, chain=CHAIN, serial_number="1f", expires_at=LATER)
HASH = CertificateHash(HashAlgorithm.SHA256, "aa", "bb", "1f")


@pytest.fixture
def free(actor):
    """An actor whose station may be sent commands at once."""
    actor.wait(60)
    return actor


def sent(actor):
    return [effect.downlink for effect in actor.effects if isinstance(effect, Send)]


def asks(finding=SIGNED, **more):
    return SigningAsked(csr=CSR, finding=finding, **more)


def replies(actor, outcome, command_id=None):
    actor.take(CommandReplied(command_id or sent(actor)[-1].command_id, outcome))


def command(actor, word, name="c-1"):
    actor.take(CommandRequest(name, "CP-1", word, actor.now, actor.now + timedelta(minutes=5)))


# Requests


def test_A02_FR_11_a_signed_request_is_accepted_recorded_and_the_certificate_sent(free):
    report = asks(use=SigningUse.V2G, number=7)
    assert free.says(report) == SigningAnswer(accepted=True)
    request = name_of_request("CP-1", report)
    assert free.recorded[0] == SigningRequested(
        request=request, csr=CSR, finding=SIGNED, at=free.now, use=SigningUse.V2G, number=7
    )
    assert [each.command for each in sent(free)] == [
        SendSignedCertificate(chain=CHAIN, use=SigningUse.V2G, number=7, request=request)
    ]


def test_A02_FR_12_a_refused_request_is_rejected_with_its_reason_and_recorded(free):
    refused = SigningFinding(SigningDecision.REFUSED, reason="InvalidCSR", detail="too short a key")
    assert free.says(asks(refused)) == SigningAnswer(accepted=False, reason="InvalidCSR", detail="too short a key")
    assert free.of(SigningRequested)[0].finding == refused
    assert sent(free) == []


@pytest.mark.parametrize("decision", [SigningDecision.ASKED, SigningDecision.UNAVAILABLE])
def test_a_request_that_waits_is_accepted_and_nothing_is_sent_yet(free, decision):
    assert free.says(asks(SigningFinding(decision))) == SigningAnswer(accepted=True)
    assert sent(free) == []


def test_without_anybody_to_ask_a_request_waits_for_the_operator(free):
    assert free.says(asks(None)) == SigningAnswer(accepted=True)
    assert free.of(SigningRequested)[0].finding.decision is SigningDecision.UNAVAILABLE


def test_A02_FR_17_a_repeat_while_the_certificate_is_on_its_way_sends_nothing_more(free):
    free.says(asks())
    assert free.says(asks(), message_id="m2") == SigningAnswer(accepted=True)
    assert sent(free) == []
    assert len(free.state.queue.open) == 1


def test_A02_FR_17_a_repeat_after_a_lost_answer_sends_it_again(free):
    free.says(asks())
    first = sent(free)[0]
    replies(free, Outcome(Result.FAILED, status="InternalError"), first.command_id)
    free.says(asks(), message_id="m2")
    assert [each.command for each in sent(free)] == [first.command]
    assert sent(free)[0].command_id != first.command_id


def test_requests_of_other_stations_kinds_and_numbers_have_other_names():
    names = {
        name_of_request("CP-1", asks()),
        name_of_request("CP-2", asks()),
        name_of_request("CP-1", asks(use=SigningUse.V2G)),
        name_of_request("CP-1", asks(number=1)),
    }
    assert len(names) == 4
    assert name_of_request("CP-1", asks()) == name_of_request("CP-1", SigningAsked(csr=CSR.replace("\n", "\r\n")))


def test_the_stations_word_on_its_certificate_is_recorded(free):
    free.says(asks())
    request = free.of(SigningRequested)[0].request
    replies(free, Outcome(Result.ACCEPTED, status="Accepted"))
    assert free.of(SigningSettled) == [
        SigningSettled(request=request, accepted=True, noted_at=free.now, status="Accepted")
    ]


def test_A02_FR_07_TC_077_a_rejected_certificate_is_recorded_and_not_sent_again(free):
    free.says(asks())
    replies(free, Outcome(Result.REFUSED, status="Rejected"))
    settled = free.of(SigningSettled)[0]
    assert (settled.accepted, settled.status, settled.again) == (False, "Rejected", False)
    assert free.state.queue.open == ()


def test_a_certificate_whose_answer_got_lost_is_sent_when_the_station_is_back(free):
    free.says(asks())
    first = sent(free)[0]
    free.take(SessionClosed(session="i:1:1", code=1006, reason="", at=free.now))
    assert free.of(SigningSettled)[0].again
    assert len(free.state.queue.open) == 1
    free.wait(10)
    free.connect("i:1:2")
    free.wait(60)
    free.take(Tick())
    assert [each.command for each in sent(free)] == [first.command]


def test_a_station_that_never_answers_gets_a_certificate_so_many_times_and_no_more(free):
    free.says(asks())
    for _ in range(3 * ATTEMPTS_MAX):
        free.wait(40)
        free.take(Tick())
    ids = {fact.command_id for fact in free.of(CommandSettled)}
    assert len(ids) == ATTEMPTS_MAX
    assert [fact.again for fact in free.of(SigningSettled)] == [True] * (ATTEMPTS_MAX - 1) + [False]
    assert free.state.queue.open == ()


def test_A00_FR_429_a_pending_station_may_ask_for_a_certificate_a_rejected_one_may_not(free):
    free.judge(Registration.PENDING)
    free.boot()
    assert free.says(asks()) == SigningAnswer(accepted=True)
    free.judge(Registration.REJECTED)
    free.boot()
    assert isinstance(free.says(asks(number=2)), Deny)


# Installed certificates


@pytest.fixture(scope="module")
def root():
    return Foreign(datetime(2026, 11, 21, 9, 0, tzinfo=UTC), "Operator Root")


def install(root, **more):
    return InstallCertificate(use=CertificateUse.CSMS_ROOT, certificate=chain_text(root.certificate), **more)


def test_M05_an_installed_root_is_recorded_and_the_station_asked_what_it_has(free, root):
    command(free, install(root))
    replies(free, Outcome(Result.ACCEPTED, status="Accepted"))
    fact = free.of(CertificateInstalled)[0]
    assert (fact.use, fact.subject) == (CertificateUse.CSMS_ROOT, "O=Mobility,CN=Operator Root")
    assert fact.expires_at == root.certificate.not_valid_after_utc
    assert [each.command for each in sent(free)] == [GetInstalledCertificates(uses=(CertificateUse.CSMS_ROOT,))]


@pytest.mark.parametrize("status", ["Rejected", "Failed"])
def test_M05_FR_03_07_a_root_that_was_not_installed_is_not_recorded(free, root, status):
    command(free, install(root))
    replies(free, Outcome(Result.REFUSED, status=status))
    assert free.of(CertificateInstalled) == []


@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        ("nonsense", "-----BEGIN CERTIFICATE-----, and has 0"),
        (CHAIN, "no certificate"),
        (CHAIN + CHAIN, "has 2"),
    ],
)
def test_TC_075_what_is_no_certificate_is_not_sent(free, certificate, why):
    command(free, InstallCertificate(use=CertificateUse.CSMS_ROOT, certificate=certificate))
    settled = free.of(CommandSettled)[0].outcome
    assert settled.result is Result.REFUSED
    assert why in settled.detail
    assert sent(free) == []


def test_certificates_of_another_time_and_leaves_are_not_sent(free):
    old = Foreign(free.now - timedelta(days=400))
    young = Foreign(free.now + timedelta(days=30))
    leaf = Foreign(free.now).issue("leaf")
    for certificate, why in (
        (old.certificate, "expired at"),
        (young.certificate, "not valid before"),
        (leaf, "no certificate authority"),
    ):
        word = InstallCertificate(use=CertificateUse.V2G_ROOT, certificate=chain_text(certificate))
        command(free, word, name=why)
        assert why in free.of(CommandSettled)[-1].outcome.detail


def test_M03_what_a_station_lists_is_recorded_with_what_it_was_asked_for(free):
    uses = (CertificateUse.CSMS_ROOT, CertificateUse.V2G_CHAIN)
    command(free, GetInstalledCertificates(uses=uses))
    found = (InstalledCertificate(CertificateUse.V2G_CHAIN, HASH, children=(HASH,)),)
    replies(free, Outcome(Result.ACCEPTED, status="Accepted", certificates=found))
    assert free.of(InstalledListed) == [InstalledListed(uses=uses, certificates=found, at=free.now)]


def test_M03_FR_02_nothing_found_is_a_list_of_nothing(free):
    command(free, GetInstalledCertificates(uses=(CertificateUse.MANUFACTURER_ROOT,)))
    replies(free, Outcome(Result.ACCEPTED, status="NotFound"))
    assert free.of(InstalledListed)[0].certificates == ()


def test_a_list_of_one_use_is_of_that_use_whatever_the_version_can_say(free):
    command(free, GetInstalledCertificates(uses=(CertificateUse.MANUFACTURER_ROOT,)))
    found = (InstalledCertificate(CertificateUse.CSMS_ROOT, HASH),)
    replies(free, Outcome(Result.ACCEPTED, status="Accepted", certificates=found))
    assert free.of(InstalledListed)[0].certificates[0].use is CertificateUse.MANUFACTURER_ROOT


@pytest.mark.parametrize(("result", "status"), [(Result.ACCEPTED, "Accepted"), (Result.REFUSED, "NotFound")])
def test_M04_FR_02_04_TC_076_a_deleted_certificate_and_one_that_never_was_are_gone(free, result, status):
    command(free, DeleteCertificate(HASH))
    replies(free, Outcome(result, status=status))
    assert free.of(CertificateDeleted) == [CertificateDeleted(certificate=HASH, at=free.now)]


def test_M04_FR_03_06_a_certificate_that_the_station_keeps_stays(free):
    command(free, DeleteCertificate(HASH))
    replies(free, Outcome(Result.REFUSED, status="Failed"))
    assert free.of(CertificateDeleted) == []


# Statuses and contracts

QUESTION = StatusQuestion(HASH, ("http://ocsp.example/",))


def test_M06_FR_02_03_the_ocsp_response_is_passed_on_whatever_it_says(actor):
    finding = StatusFinding(CertificateState.REVOKED, LATER, b"der")
    answer = actor.says(CertificateStatusAsked(QUESTION, finding))
    assert answer == CertificateStatusAnswer(response=b"der")
    status = CertificateStatus(HASH, StatusSource.OCSP, CertificateState.REVOKED, LATER)
    assert actor.recorded == [CertificateStatusTold(statuses=(status,), at=actor.now)]


def test_M06_FR_04_without_a_response_the_reason_is_told(actor):
    finding = StatusFinding(CertificateState.FAILED, detail="HTTP 500")
    assert actor.says(CertificateStatusAsked(QUESTION, finding)) == CertificateStatusAnswer(detail="HTTP 500")
    assert actor.says(CertificateStatusAsked(QUESTION)) == CertificateStatusAnswer(detail="nobody was asked")


def test_M07_FR_08_each_certificate_has_its_own_status_in_order(actor):
    other = StatusQuestion(HASH, ("http://crl.example/",), StatusSource.CRL)
    findings = (
        StatusFinding(CertificateState.GOOD, LATER),
        StatusFinding(CertificateState.FAILED, LATER, detail="gone"),
    )
    answer = actor.says(ChainStatusAsked((QUESTION, other), findings))
    assert answer == ChainStatusAnswer(
        (
            CertificateStatus(HASH, StatusSource.OCSP, CertificateState.GOOD, LATER),
            CertificateStatus(HASH, StatusSource.CRL, CertificateState.FAILED, None, "gone"),
        )
    )
    assert [each.state for each in actor.says(ChainStatusAsked((QUESTION,))).statuses] == [CertificateState.FAILED]


def test_M01_contracts_are_passed_on_and_only_that_they_were_is_written_down(actor):
    finding = ContractFinding(accepted=True, response="secret", remaining=1)
    report = ContractCertificateAsked(ContractAction.INSTALL, "urn:iso:15118:2:2013:MsgDef", "EXI", finding=finding)
    assert actor.says(report) == ContractCertificateAnswer(finding)
    told = ContractCertificateTold(
        ContractAction.INSTALL, "urn:iso:15118:2:2013:MsgDef", accepted=True, at=actor.now, remaining=1
    )
    assert actor.recorded == [told]


def test_M01_without_a_pool_the_car_is_told_that_there_is_nothing(actor):
    answer = actor.says(ContractCertificateAsked(ContractAction.UPDATE, "x", "EXI"))
    assert answer.finding.accepted is False


@pytest.mark.parametrize(
    ("verdict", "found", "told"),
    [
        ("Accepted", ContractStatus.ACCEPTED, ("Accepted", ContractStatus.ACCEPTED)),
        ("ConcurrentTx", ContractStatus.ACCEPTED, ("ConcurrentTx", ContractStatus.ACCEPTED)),
        ("Blocked", ContractStatus.ACCEPTED, ("Blocked", ContractStatus.CONTRACT_CANCELLED)),
        ("Unknown", ContractStatus.ACCEPTED, ("Unknown", ContractStatus.CONTRACT_CANCELLED)),
        ("Accepted", ContractStatus.CERTIFICATE_EXPIRED, ("Expired", ContractStatus.CERTIFICATE_EXPIRED)),
        ("Accepted", ContractStatus.CERTIFICATE_REVOKED, ("Invalid", ContractStatus.CERTIFICATE_REVOKED)),
        ("Accepted", ContractStatus.CERT_CHAIN_ERROR, ("Invalid", ContractStatus.CERT_CHAIN_ERROR)),
        ("Accepted", ContractStatus.SIGNATURE_ERROR, ("Invalid", ContractStatus.SIGNATURE_ERROR)),
    ],
)
def test_C07_FR_13_to_17_certificate_and_token_are_told_together(verdict, found, told):
    said, status = told_of_contract(TokenVerdict(TokenStatus(verdict), group="G"), found)
    assert (said.status.value, status) == told
    assert said.group == "G"
