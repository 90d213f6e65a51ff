import asyncio
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as wire

from engine.model.certificates import CertificateState, StatusQuestion, StatusSource
from storage.authority.hash_data import hash_data
from storage.authority.outside import Outside
from storage.authority.pem import chain_text
from storage.authority.settings import CertificateSettings
from storage.authority.statuses import Statuses
from storage.authority.trust import TrustStore
from tests.storage.authority.certificates import Foreign
from tests.storage.authority.conftest import NOW
from tests.storage.authority.responder import responding
from tests.storage.authority.test_ocsp import answered

pytestmark = pytest.mark.integration


class FakeClock:
    def __init__(self):
        self.at = NOW

    def now(self):
        return self.at


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def issuer():
    return Foreign(NOW)


@pytest.fixture
def folder(tmp_path, issuer):
    (tmp_path / "mo.pem").write_text(chain_text(issuer.certificate))
    return tmp_path


@pytest.fixture
async def statuses(folder, clock):
    settings = CertificateSettings()
    outside = Outside(5.0, private=True)
    made = Statuses(outside, TrustStore(folder), settings, clock)
    yield made
    await made.close()
    await outside.close()


def revocation_list(issuer, *revoked, days=1):
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=days))
    )
    for certificate in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(NOW).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256())


async def test_M07_FR_03_a_status_is_asked_of_the_responder_and_kept_until_its_next_update(statuses, issuer, clock):
    leaf = issuer.issue("leaf")
    async with responding() as responder:
        responder.answers["/"] = answered(issuer, leaf)
        question = StatusQuestion(hash_data(leaf, issuer.certificate), (responder.url(),))
        first = await statuses.status(question)
        assert (first.state, first.next_update) == (CertificateState.GOOD, NOW + timedelta(days=1))
        assert first.response == responder.answers["/"]
        assert await statuses.status(question) == first
        assert len(responder.asked) == 1
        assert responder.headers[0]["content-type"] == "application/ocsp-request"
        clock.at = NOW + timedelta(days=1, seconds=1)
        responder.answers["/"] = answered(
            issuer, leaf, begins=clock.at.replace(microsecond=0), status=wire.OCSPCertStatus.REVOKED
        )
        assert (await statuses.status(question)).state is CertificateState.REVOKED


async def test_a_thousand_stations_that_ask_the_same_are_one_question(statuses, issuer):
    leaf = issuer.issue("leaf")
    async with responding() as responder:
        responder.answers["/"] = answered(issuer, leaf)
        question = StatusQuestion(hash_data(leaf, issuer.certificate), (responder.url(),))
        findings = await asyncio.gather(*(statuses.status(question) for _ in range(1000)))
        assert {finding.state for finding in findings} == {CertificateState.GOOD}
        assert len(responder.asked) == 1


async def test_who_gives_up_waiting_does_not_end_the_question_of_the_others(statuses, issuer):
    leaf = issuer.issue("leaf")
    async with responding() as responder:
        responder.answers["/"] = answered(issuer, leaf)
        question = StatusQuestion(hash_data(leaf, issuer.certificate), (responder.url(),))
        impatient = asyncio.create_task(statuses.status(question))
        patient = asyncio.create_task(statuses.status(question))
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await patient).state is CertificateState.GOOD


async def test_the_next_address_is_asked_when_one_fails(statuses, issuer):
    leaf = issuer.issue("leaf")
    async with responding() as responder:
        responder.answers |= {"/bad": b"nonsense", "/good": answered(issuer, leaf)}
        urls = (responder.url("/gone"), responder.url("/bad"), responder.url("/good"))
        finding = await statuses.status(StatusQuestion(hash_data(leaf, issuer.certificate), urls))
        assert finding.state is CertificateState.GOOD
        assert [path for _, path, _ in responder.asked] == ["/gone", "/bad", "/good"]


async def test_M07_FR_02_no_answer_is_failed_and_says_why_and_is_not_kept(statuses, issuer):
    leaf = issuer.issue("leaf")
    async with responding() as responder:
        question = StatusQuestion(hash_data(leaf, issuer.certificate), (responder.url("/gone"),))
        finding = await statuses.status(question)
        assert finding.state is CertificateState.FAILED
        assert "HTTP 404" in finding.detail
        responder.answers["/gone"] = answered(issuer, leaf)
        assert (await statuses.status(question)).state is CertificateState.GOOD


async def test_an_answer_that_nobody_known_signed_is_passed_on_but_not_believed(statuses):
    stranger = Foreign(NOW, "Stranger")
    leaf = stranger.issue("leaf")
    async with responding() as responder:
        responder.answers["/"] = answered(stranger, leaf)
        finding = await statuses.status(StatusQuestion(hash_data(leaf, stranger.certificate), (responder.url(),)))
        assert finding.state is CertificateState.FAILED
        assert finding.response == responder.answers["/"]
        assert "trust/" in finding.detail


async def test_an_issuer_below_a_trusted_root_that_comes_along_is_believed(statuses, issuer):
    sub = Foreign(NOW, "Sub CA", parent=issuer)
    leaf = sub.issue("leaf")
    async with responding() as responder:
        builder = wire.OCSPResponseBuilder().add_response(
            leaf,
            sub.certificate,
            hashes.SHA256(),
            wire.OCSPCertStatus.GOOD,
            NOW,
            NOW + timedelta(days=1),
            None,
            None,
        )
        builder = builder.responder_id(wire.OCSPResponderEncoding.NAME, sub.certificate).certificates([sub.certificate])
        responder.answers["/"] = builder.sign(sub.key, hashes.SHA256()).public_bytes(Encoding.DER)
        finding = await statuses.status(StatusQuestion(hash_data(leaf, sub.certificate), (responder.url(),)))
        assert finding.state is CertificateState.GOOD


async def test_what_one_address_says_is_not_told_to_those_who_name_another(statuses, issuer):
    leaf = issuer.issue("leaf")
    named = hash_data(leaf, issuer.certificate)
    async with responding() as responder:
        responder.answers |= {
            "/evil": answered(issuer, leaf, *Foreign(NOW).responder()),
            "/good": answered(issuer, leaf),
        }
        evil = await statuses.status(StatusQuestion(named, (responder.url("/evil"),)))
        good = await statuses.status(StatusQuestion(named, (responder.url("/good"),)))
        assert [evil.state, good.state] == [CertificateState.FAILED, CertificateState.GOOD]


async def test_M07_FR_06_07_a_list_tells_revoked_from_good_and_is_fetched_once(statuses, issuer):
    bad, good = issuer.issue("bad"), issuer.issue("good")
    async with responding() as responder:
        responder.answers |= {
            "/crl": revocation_list(issuer, bad).public_bytes(Encoding.DER),
            "/pem": revocation_list(issuer, good).public_bytes(Encoding.PEM),
        }

        async def state(certificate, path):
            named = hash_data(certificate, issuer.certificate)
            return (await statuses.status(StatusQuestion(named, (responder.url(path),), StatusSource.CRL))).state

        assert await state(bad, "/crl") is CertificateState.REVOKED
        assert await state(good, "/crl") is CertificateState.GOOD
        assert await state(good, "/pem") is CertificateState.REVOKED
        assert [path for _, path, _ in responder.asked] == ["/crl", "/pem"]


async def test_M07_FR_05_lists_that_are_over_foreign_or_none_are_failed(statuses, issuer, clock):
    leaf = issuer.issue("leaf")
    named = hash_data(leaf, issuer.certificate)
    stranger = Foreign(NOW)
    async with responding() as responder:
        responder.answers |= {
            "/over": revocation_list(issuer).public_bytes(Encoding.DER),
            "/foreign": revocation_list(stranger, days=9).public_bytes(Encoding.DER),
            "/none": b"<html>",
        }
        clock.at = NOW + timedelta(days=2)
        for path, why in (("/over", "counted until"), ("/foreign", "trust/"), ("/none", "")):
            finding = await statuses.status(StatusQuestion(named, (responder.url(path),), StatusSource.CRL))
            assert finding.state is CertificateState.FAILED
            assert why in finding.detail


async def test_a_question_without_address_or_with_nonsense_fails_at_once(statuses, issuer):
    named = hash_data(issuer.issue("leaf"), issuer.certificate)
    assert "no address" in (await statuses.status(StatusQuestion(named, ()))).detail
    broken = type(named)(named.algorithm, "zz", "zz", "zz")
    for source in StatusSource:
        finding = await statuses.status(StatusQuestion(broken, ("http://127.0.0.1:9/",), source))
        assert finding.state is CertificateState.FAILED
