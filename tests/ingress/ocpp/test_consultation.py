"""Consultation: findings go into reports, in time or as a finding of their own."""

import asyncio

import pytest
import structlog

from engine.model.authorization import Token, TokenPresented
from engine.model.certificates import (
    CertificateHash,
    CertificateState,
    CertificateStatusAsked,
    ChainStatusAsked,
    ContractAction,
    ContractCertificateAsked,
    ContractEvidence,
    ContractFinding,
    ContractStatus,
    HashAlgorithm,
    SigningAsked,
    SigningDecision,
    SigningFinding,
    StatusFinding,
    StatusQuestion,
)
from engine.model.provisioning import HeartbeatReported
from ingress.ocpp.consultation import CONSULTED, Consultation

QUESTION = StatusQuestion(CertificateHash(HashAlgorithm.SHA256, "a", "b", "1"), ("http://x/",))
OTHER = StatusQuestion(CertificateHash(HashAlgorithm.SHA256, "a", "b", "2"), ("http://y/",))
TOKEN = TokenPresented(Token("DEABC1"), contract=ContractEvidence(chain="PEM"))
SIGN = SigningAsked(csr="PEM")
GOOD = StatusFinding(CertificateState.GOOD)


class FakeDesk:
    """Answers at once, or when told."""

    def __init__(self):
        self.held = {}
        self.error = None

    async def _wait(self, key):
        if self.error is not None:
            raise self.error
        if key in self.held:
            await self.held[key].wait()

    async def signing(self, station, asked):
        await self._wait(asked.csr)
        return SigningFinding(SigningDecision.SIGNED, chain=station)

    async def certificate_status(self, question):
        await self._wait(question.urls[0])
        return GOOD

    async def contract_status(self, token, _evidence):
        await self._wait(token)
        return ContractStatus.ACCEPTED

    async def contract_certificate(self, _station, asked):
        await self._wait(asked.request)
        return ContractFinding(accepted=True, response="EXI")


@pytest.fixture
def desk():
    return FakeDesk()


async def consulted(desk, report, *, wait_s_max=5.0, under_way_max=8):
    consultation = Consultation(desk, wait_s_max=wait_s_max, under_way_max=under_way_max)
    answer = asyncio.get_running_loop().create_future()
    assert consultation.begin("CP-1", report, answer.set_result)
    found = await answer
    await consultation.close()
    return found


async def test_each_report_gets_its_finding(desk):
    assert (await consulted(desk, SIGN)).finding.chain == "CP-1"
    assert (await consulted(desk, CertificateStatusAsked(QUESTION))).finding == GOOD
    assert (await consulted(desk, ChainStatusAsked((QUESTION, OTHER)))).findings == (GOOD, GOOD)
    contract = ContractCertificateAsked(ContractAction.INSTALL, "x", "EXI")
    assert (await consulted(desk, contract)).finding.response == "EXI"
    told = await consulted(desk, TOKEN)
    assert (told.certificate_status, told.contract) == (ContractStatus.ACCEPTED, None)


async def test_a_token_without_a_certificate_needs_no_consultation(desk):
    consultation = Consultation(desk, wait_s_max=5, under_way_max=1)
    assert consultation.begin("CP-1", TokenPresented(Token("X")), lambda _: pytest.fail("nothing to say")) is False
    assert TokenPresented in CONSULTED
    assert HeartbeatReported not in CONSULTED


@pytest.mark.parametrize(
    ("report", "key", "told"),
    [
        (SIGN, "PEM", lambda report: report.finding.decision is SigningDecision.UNAVAILABLE),
        (CertificateStatusAsked(QUESTION), "http://x/", lambda report: report.finding.state == "Failed"),
        (
            ContractCertificateAsked(ContractAction.INSTALL, "x", "EXI"),
            "EXI",
            lambda report: report.finding.accepted is False,
        ),
        (TOKEN, "DEABC1", lambda report: report.certificate_status is ContractStatus.CERT_CHAIN_ERROR),
    ],
)
async def test_who_does_not_answer_in_time_has_failed(desk, report, key, told):
    desk.held[key] = asyncio.Event()
    assert told(await consulted(desk, report, wait_s_max=0.05))


async def test_one_certificate_that_nobody_answers_for_does_not_spoil_the_others(desk):
    desk.held["http://y/"] = asyncio.Event()
    found = await consulted(desk, ChainStatusAsked((QUESTION, OTHER, QUESTION)), wait_s_max=0.1)
    assert [each.state for each in found.findings] == ["Good", "Failed", "Good"]


async def test_beyond_the_bound_questions_fail_at_once_and_the_others_go_on(desk):
    desk.held["PEM"] = asyncio.Event()
    consultation = Consultation(desk, wait_s_max=5, under_way_max=1)
    answers = []
    assert consultation.begin("CP-1", SIGN, answers.append)
    assert consultation.begin("CP-2", SIGN, answers.append)
    assert [each.finding.detail for each in answers] == ["too many such questions are under way"]
    desk.held["PEM"].set()
    while consultation.under_way:
        await asyncio.sleep(0)
    assert answers[1].finding.chain == "CP-1"


async def test_a_bug_of_the_desk_is_logged_and_the_station_answered(desk):
    desk.error = ZeroDivisionError()
    with structlog.testing.capture_logs() as logs:
        found = await consulted(desk, SIGN)
    assert found.finding.detail == "internal error; it was logged"
    assert logs[0]["log_level"] == "error"


async def test_closing_gives_up_what_is_under_way(desk):
    desk.held["PEM"] = asyncio.Event()
    consultation = Consultation(desk, wait_s_max=5, under_way_max=8)
    consultation.begin("CP-1", SIGN, lambda _: pytest.fail("it was given up"))
    await asyncio.sleep(0)
    await consultation.close()
    assert consultation.under_way == 0
