import os
from datetime import timedelta

import pytest

from engine.model.certificates import (
    CertificateState,
    ContractAction,
    ContractCertificateAsked,
    ContractEvidence,
    ContractStatus,
    SigningAsked,
    SigningDecision,
    SigningFinding,
    StatusQuestion,
    StatusSource,
)
from storage.authority.desk import Desk
from storage.authority.folder import Places
from storage.authority.hash_data import hash_data
from storage.authority.pem import certificates_from
from storage.authority.settings import CertificateSettings
from tests.storage.authority.certificates import request
from tests.storage.authority.conftest import NOW
from tests.storage.authority.test_statuses import FakeClock


def desk_of(places, **settings):
    return Desk(places, CertificateSettings(**{"organisation": "City Power", **settings}), FakeClock())


async def test_automatic_signing_gives_the_certificate_at_once(places):
    finding = await desk_of(places).signing("CP-1", SigningAsked(csr=request()))
    assert finding.decision is SigningDecision.SIGNED
    leaf, _ = certificates_from(finding.chain)
    assert finding.serial_number == f"{leaf.serial_number:x}"
    assert finding.expires_at == NOW + timedelta(days=365)


@pytest.mark.parametrize("signing", ["automatic", "manual"])
async def test_what_cannot_be_signed_is_refused_also_by_hand(places, signing):
    finding = await desk_of(places, signing=signing).signing("CP-1", SigningAsked(csr=request("CP-2")))
    assert (finding.decision, finding.reason) == (SigningDecision.REFUSED, "InvalidCSR")


async def test_by_hand_a_request_waits_until_it_is_signed_or_rejected(places, authority):
    desk, asked = desk_of(places, signing="manual"), SigningAsked(csr=request())
    assert (await desk.signing("CP-1", asked)).decision is SigningDecision.ASKED
    authority.reject(asked.csr, "CP-1", None, NOW, "unknown station")
    assert "unknown station" in (await desk.signing("CP-1", asked)).detail
    authority.permit(asked.csr, "CP-1", None)
    assert (await desk.signing("CP-1", asked)).decision is SigningDecision.ASKED
    issued = authority.sign(asked.csr, "CP-1", None, NOW)
    finding = await desk.signing("CP-1", asked)
    assert (finding.decision, finding.serial_number) == (SigningDecision.SIGNED, issued.serial_number)


async def test_without_an_authority_requests_wait(tmp_path):
    for signing in ("automatic", "manual"):
        finding = await desk_of(Places(tmp_path / "ca"), signing=signing).signing("CP-1", SigningAsked(csr=request()))
        assert finding.decision is SigningDecision.UNAVAILABLE
        assert "narke ca init" in finding.detail


async def test_an_authority_whose_register_cannot_be_read_is_unavailable(places):
    places.register.write_bytes(b"this is no database at all" * 100)
    finding = await desk_of(places).signing("CP-1", SigningAsked(csr=request()))
    assert finding.decision is SigningDecision.UNAVAILABLE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_key_that_cannot_be_read_is_unavailable(places):
    places.authority("station-ecdsa").with_suffix(".key").chmod(0)
    finding = await desk_of(places).signing("CP-1", SigningAsked(csr=request()))
    assert finding.decision is SigningDecision.UNAVAILABLE


async def test_another_authority_takes_the_place_of_the_local_one(places):
    class Elsewhere:
        async def sign(self, station, _asked, now):
            return SigningFinding(SigningDecision.SIGNED, chain=f"{station} {now:%Y}")

    desk = Desk(places, CertificateSettings(), FakeClock(), Elsewhere())
    assert (await desk.signing("CP-1", SigningAsked(csr="x"))).chain == "CP-1 2026"


async def test_signing_off_refuses_everything(places):
    finding = await desk_of(places, signing="off").signing("CP-1", SigningAsked(csr=request()))
    assert (finding.decision, finding.reason) == (SigningDecision.REFUSED, "NotEnabled")


async def test_our_own_certificates_are_answered_for_without_asking_anybody(places, authority):
    issued = authority.sign(request(), "CP-1", None, NOW)
    leaf, issuing = certificates_from(authority.chain_of(issued))
    desk, named = desk_of(places), hash_data(leaf, issuing)
    for source in StatusSource:
        finding = await desk.certificate_status(StatusQuestion(named, (), source))
        assert (finding.state, finding.next_update) == (CertificateState.GOOD, NOW + timedelta(days=7))
    authority.revoke([issued.serial_number], NOW, "unspecified")
    assert (await desk.certificate_status(StatusQuestion(named, ()))).state is CertificateState.REVOKED


async def test_questions_about_nonsense_fail_and_do_not_raise(places, tmp_path):
    named = hash_data(*[certificates_from(places.authority("root-v2g").read_text())[0]] * 2)
    for broken in (
        type(named)(named.algorithm, "zz", "zz", "zz"),
        type(named)(named.algorithm, named.issuer_name_hash, named.issuer_key_hash, "xyz"),
    ):
        for folder in (places, Places(tmp_path / "none")):
            finding = await desk_of(folder).certificate_status(StatusQuestion(broken, ()))
            assert finding.state is CertificateState.FAILED


async def test_contracts_without_pool_or_trust_are_answered(places):
    desk = desk_of(places)
    asked = ContractCertificateAsked(ContractAction.INSTALL, "urn", "EXI")
    assert (await desk.contract_certificate("CP-1", asked)).accepted is False
    evidence = ContractEvidence(chain=places.authority("root-v2g").read_text())
    assert await desk.contract_status("DEABC", evidence) is ContractStatus.CERT_CHAIN_ERROR
    await desk.close()
