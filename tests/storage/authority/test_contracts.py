import asyncio
import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID

from engine.model.certificates import (
    CertificateState,
    ContractAction,
    ContractCertificateAsked,
    ContractEvidence,
    ContractStatus,
    StatusFinding,
    StatusQuestion,
    StatusSource,
)
from engine.ports import ContractOffer
from storage.authority.contracts import OFFER_KEPT, HttpPool, NoPool, Shelf, contract_status
from storage.authority.hash_data import hash_data
from storage.authority.pem import chain_text
from storage.authority.trust import TrustStore
from tests.storage.authority.certificates import Foreign, ec_key, name_of
from tests.storage.authority.conftest import NOW
from tests.storage.authority.responder import responding
from tests.storage.authority.test_statuses import FakeClock

EMAID = "DE-ABC-C12345678-9"
ASKED = ContractCertificateAsked(ContractAction.INSTALL, "urn", "EXI", chains_max=3)


class Mobility:
    """A mobility operator: root, sub-CA and contracts that name a responder."""

    def __init__(self, now=NOW):
        self.now = now
        self.root = Foreign(now, "MO Root")
        self.sub = Foreign(now, "MO Sub", parent=self.root)

    def contract(self, emaid="DEABCC12345678", *, days=365, access=AuthorityInformationAccessOID.OCSP):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name_of(emaid))
            .issuer_name(self.sub.certificate.subject)
            .public_key(ec_key().public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=2))
            .not_valid_after(self.now + timedelta(days=days))
        )
        if access is not None:
            place = x509.UniformResourceIdentifier("http://ocsp.mo.example/")
            aia = x509.AuthorityInformationAccess([x509.AccessDescription(access, place)])
            builder = builder.add_extension(aia, critical=False)
        return builder.sign(self.sub.key, hashes.SHA256())


@pytest.fixture(scope="module")
def mobility():
    return Mobility()


@pytest.fixture
def trust(mobility, tmp_path):
    (tmp_path / "mo.pem").write_text(chain_text(mobility.root.certificate))
    return TrustStore(tmp_path)


def asking(*states):
    """Answers questions in turn; keeps them."""
    asked = []

    async def ask(question):
        asked.append(question)
        return StatusFinding(states[min(len(asked), len(states)) - 1])

    return ask, asked


async def judged(evidence, trust, *states, token=EMAID, lenient=False):
    ask, _ = asking(*(states or (CertificateState.GOOD,)))
    return await contract_status(token, evidence, ask, trust, NOW, lenient=lenient)


def shown(mobility, leaf, *more):
    return ContractEvidence(chain=chain_text(leaf, mobility.sub.certificate, *more))


async def test_C07_FR_05_06_a_chain_is_verified_and_asked_about(mobility, trust):
    leaf = mobility.contract()
    ask, asked = asking(CertificateState.GOOD)
    evidence = shown(mobility, leaf)
    assert await contract_status(EMAID, evidence, ask, trust, NOW, lenient=False) is ContractStatus.ACCEPTED
    named = hash_data(leaf, mobility.sub.certificate)
    assert asked == [StatusQuestion(named, ("http://ocsp.mo.example/",), StatusSource.OCSP)]
    assert mobility.sub.certificate in trust.certificates()  # its signature is under the responder's word


async def test_a_chain_may_bring_its_root(mobility, trust):
    evidence = shown(mobility, mobility.contract(), mobility.root.certificate)
    assert await judged(evidence, trust) is ContractStatus.ACCEPTED


async def test_C07_FR_16_a_revoked_contract_is_told(mobility, trust):
    evidence = shown(mobility, mobility.contract())
    assert await judged(evidence, trust, CertificateState.REVOKED) is ContractStatus.CERTIFICATE_REVOKED


@pytest.mark.parametrize("state", [CertificateState.UNKNOWN, CertificateState.FAILED])
async def test_C07_FR_17_a_contract_of_unknown_status_does_not_count(mobility, trust, state):
    assert await judged(shown(mobility, mobility.contract()), trust, state) is ContractStatus.CERT_CHAIN_ERROR


async def test_C07_FR_15_an_expired_contract_is_told(mobility, trust):
    evidence = shown(mobility, mobility.contract(days=-1))
    assert await judged(evidence, trust) is ContractStatus.CERTIFICATE_EXPIRED


async def test_C07_FR_17_chains_that_lead_nowhere_do_not_count(mobility, trust):
    stranger = Mobility()
    leaf = mobility.contract()
    for evidence in (
        shown(stranger, stranger.contract()),
        ContractEvidence(chain=chain_text(leaf)),
        ContractEvidence(chain=chain_text(mobility.sub.certificate, leaf)),
        ContractEvidence(chain="nonsense"),
    ):
        assert await judged(evidence, trust) is ContractStatus.CERT_CHAIN_ERROR


async def test_a_signature_that_is_not_the_issuers_is_told(mobility, trust):
    impostor = Mobility()  # same names, other keys
    evidence = shown(mobility, impostor.contract())
    assert await judged(evidence, trust) is ContractStatus.SIGNATURE_ERROR


async def test_a_contract_of_somebody_else_does_not_pay(mobility, trust):
    evidence = shown(mobility, mobility.contract("FRXYZC99999999"))
    assert await judged(evidence, trust) is ContractStatus.CERT_CHAIN_ERROR
    assert await judged(evidence, trust, token="fr-xyz-C99999999") is ContractStatus.ACCEPTED
    assert await judged(evidence, trust, token="") is ContractStatus.CERT_CHAIN_ERROR


async def test_a_leaf_that_names_nobody_to_ask_counts_only_where_the_operator_is_lenient(mobility, trust):
    evidence = shown(mobility, mobility.contract(access=None))
    assert await judged(evidence, trust) is ContractStatus.CERT_CHAIN_ERROR
    assert await judged(evidence, trust, lenient=True) is ContractStatus.ACCEPTED


async def test_C07_FR_02_hashes_are_asked_about_one_by_one(trust):
    questions = tuple(
        StatusQuestion(hash_data(root.certificate, root.certificate), ("http://x/",))
        for root in (Foreign(NOW), Foreign(NOW))
    )
    evidence = ContractEvidence(questions=questions)
    good, revoked, failed = CertificateState.GOOD, CertificateState.REVOKED, CertificateState.FAILED
    assert await judged(evidence, trust, good, good) is ContractStatus.ACCEPTED
    assert await judged(evidence, trust, good, revoked) is ContractStatus.CERTIFICATE_REVOKED
    assert await judged(evidence, trust, good, failed) is ContractStatus.CERT_CHAIN_ERROR


async def test_nothing_shown_is_no_certificate(trust):
    assert await judged(ContractEvidence(), trust) is ContractStatus.NO_CERTIFICATE_AVAILABLE


def test_trust_follows_the_files_and_leaves_bad_ones_out(mobility, tmp_path):
    trust = TrustStore(tmp_path / "none")
    assert trust.certificates() == ()
    trust = TrustStore(tmp_path)
    (tmp_path / "bad.pem").write_text("nonsense")
    assert trust.certificates() == ()
    (tmp_path / "good.pem").write_text(chain_text(mobility.root.certificate))
    assert trust.certificates() == (mobility.root.certificate,)
    trust.learn([mobility.sub.certificate])
    assert len(trust.certificates()) == 2
    (tmp_path / "good.pem").unlink()
    assert trust.certificates() == ()


# Pools


class FakePool:
    def __init__(self, *responses, accepted=True):
        self.offer = ContractOffer(accepted=accepted, responses=responses, detail=None if accepted else "no")
        self.asked = 0

    async def obtain(self, _station, _asked):
        self.asked += 1
        return self.offer


async def test_M01_FR_07_contracts_are_handed_out_one_by_one_and_counted_down():
    pool = FakePool("a", "b", "c", "d")
    shelf = Shelf(pool, FakeClock())
    found = [await shelf.next("CP-1", ASKED) for _ in range(4)]
    assert [(each.response, each.remaining) for each in found] == [("a", 2), ("b", 1), ("c", 0), ("a", 2)]
    assert pool.asked == 2  # three is what the car can hold; then it begins anew


async def test_contracts_are_kept_apart_by_station_and_car_and_forgotten_in_time():
    pool, clock = FakePool("a", "b"), FakeClock()
    shelf = Shelf(pool, clock)
    await shelf.next("CP-1", ASKED)
    assert (await shelf.next("CP-2", ASKED)).response == "a"
    clock.at += OFFER_KEPT
    assert (await shelf.next("CP-1", ASKED)).response == "a"


async def test_iso_15118_2_gets_one_contract_and_no_count():
    shelf = Shelf(FakePool("a", "b"), FakeClock())
    found = await shelf.next("CP-1", ContractCertificateAsked(ContractAction.UPDATE, "urn", "EXI"))
    assert (found.response, found.remaining) == ("a", None)
    assert (await shelf.next("CP-1", ContractCertificateAsked(ContractAction.UPDATE, "urn", "EXI"))).response == "a"


async def test_a_pool_without_contracts_and_no_pool_at_all_say_so():
    assert (await Shelf(FakePool(accepted=False), FakeClock()).next("CP-1", ASKED)).detail == "no"
    assert "contract_pool_url" in (await NoPool().obtain("CP-1", ASKED)).detail


@pytest.mark.integration
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _: (500, b""), "HTTP 500"),
        (lambda _: (302, b""), "HTTP 302"),
        (b"nonsense", "cannot be read"),
        (json.dumps({"status": "Failed", "detail": "no contract"}).encode(), "no contract"),
        (json.dumps({"status": "Accepted", "exiResponses": []}).encode(), "no contract for this car"),
        (json.dumps({"status": "Perhaps"}).encode(), "cannot be read"),
    ],
)
async def test_what_a_pool_answers_wrongly_is_told(answer, why):
    async with responding() as responder:
        responder.answers["/"] = answer
        pool = HttpPool(responder.url(), None, 5.0)
        offer = await pool.obtain("CP-1", ASKED)
        await pool.close()
        assert offer.accepted is False
        assert why in offer.detail


@pytest.mark.integration
async def test_a_pool_that_does_not_answer_is_given_up():
    async with responding() as responder:
        responder.answers["/"] = asyncio.Event()
        pool = HttpPool(responder.url(), None, 0.05)
        assert "did not answer" in (await pool.obtain("CP-1", ASKED)).detail
        responder.answers["/"].set()
        await pool.close()
