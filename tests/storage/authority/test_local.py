import os
import stat
import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from engine.model.certificates import CertificateState, HashAlgorithm, SigningUse
from storage.authority import ocsp
from storage.authority.folder import Places
from storage.authority.hash_data import hash_data
from storage.authority.local import AuthorityExists, AuthorityMissing, LocalAuthority
from storage.authority.pem import certificates_from
from storage.authority.settings import CertificateSettings
from storage.authority.signing_requests import RequestRefused
from tests.storage.authority.certificates import ec_key, request, rsa_key
from tests.storage.authority.conftest import NOW, SETTINGS


def chain_of(authority, issued):
    return certificates_from(authority.chain_of(issued))


def test_a_second_authority_in_a_folder_is_refused(places):
    with pytest.raises(AuthorityExists, match="already"):
        LocalAuthority.create(places, SETTINGS, NOW)


def test_a_folder_without_authority_says_what_to_do(tmp_path):
    with pytest.raises(AuthorityMissing, match="narke ca init"):
        LocalAuthority(Places(tmp_path / "none"), SETTINGS)


def test_private_keys_and_the_register_are_readable_by_their_owner_only(authority, places):
    authority.issue_server(["csms.example"], NOW)
    authority.issue_station("CP-1", NOW)
    secrets = [*places.path.rglob("*.key"), places.register]
    assert len(secrets) == 10 + 2 + 1 + 1
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}
    assert stat.S_IMODE(places.path.stat().st_mode) == 0o700


def test_A00_FR_318_a_server_has_a_certificate_for_ecdsa_and_one_for_rsa(authority, places):
    issued = authority.issue_server(["csms.example", "10.0.0.1"], NOW)
    assert [each.issuer for each in issued] == ["server-ecdsa", "server-rsa"]
    ecdsa, _ = certificates_from(places.server_chain("ecdsa").read_text())
    by_rsa, _ = certificates_from(places.server_chain("rsa").read_text())
    assert isinstance(ecdsa.public_key(), ec.EllipticCurvePublicKey)
    assert isinstance(by_rsa.public_key(), rsa.RSAPublicKey)
    names = ecdsa.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["csms.example"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]


def test_A00_FR_511_a_station_certificate_names_the_station_and_nothing_else(authority):
    leaf, _ = chain_of(authority, authority.issue_station("CP-1", NOW))
    assert leaf.subject.rfc4514_string() == "O=City Power,CN=CP-1"
    kinds = {type(each.value) for each in leaf.extensions}
    assert x509.SubjectAlternativeName not in kinds
    assert x509.ExtendedKeyUsage not in kinds  # A00.FR.514


def test_identities_with_slashes_get_a_folder_of_their_own(authority, places):
    authority.issue_station("a/../b", NOW)
    assert places.station_chain("a/../b", "ecdsa").parent.parent == places.stations


def test_openssl_verifies_every_chain_with_revocation_lists(authority, places, tmp_path):
    authority.issue_station("CP-1", NOW)
    authority.issue_station("CP-1", NOW, "rsa")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(places.clients.read_bytes() + places.client_crls.read_bytes())
    for algorithm in ("ecdsa", "rsa"):
        chain = places.station_chain("CP-1", algorithm)
        at = str(int(NOW.timestamp()))
        command = ["openssl", "verify", "-attime", at, "-crl_check_all", "-CAfile", trusted, chain]
        assert b"OK" in subprocess.run(command, check=True, capture_output=True).stdout


def test_signing_gives_the_chain_leaf_first_without_the_root(authority):
    issued = authority.sign(request(), "CP-1", None, NOW)
    leaf, issuing = chain_of(authority, issued)
    leaf.verify_directly_issued_by(issuing)
    assert issuing.issuer != issuing.subject
    assert leaf.not_valid_before_utc == NOW - timedelta(hours=1)
    assert leaf.not_valid_after_utc == NOW + timedelta(days=365)


def test_A02_FR_17_the_same_request_again_is_not_signed_again(authority):
    csr = request()
    first = authority.sign(csr, "CP-1", None, NOW)
    assert authority.sign(csr.replace("\n", "\r\n"), "CP-1", None, NOW + timedelta(days=1)) == first
    assert len(authority.issued(name="CP-1")) == 1


def test_a_request_whose_certificate_was_revoked_or_ran_out_is_signed_anew(authority):
    csr = request()
    first = authority.sign(csr, "CP-1", None, NOW)
    authority.revoke([first.serial_number], NOW, "superseded")
    second = authority.sign(csr, "CP-1", None, NOW)
    assert second.serial_number != first.serial_number
    third = authority.sign(csr, "CP-1", None, NOW + timedelta(days=366))
    assert third.serial_number != second.serial_number


def test_a_station_that_shows_anothers_request_does_the_other_no_harm(authority):
    csr = request("SECC-1")
    own = authority.sign(csr, "CP-1", SigningUse.V2G, NOW)
    other = authority.sign(csr, "CP-2", SigningUse.V2G, NOW)
    assert other.serial_number != own.serial_number
    assert authority.by_serial(own.serial_number).revoked_at is None
    assert authority.sign(csr, "CP-1", SigningUse.V2G, NOW) == own


def test_rsa_and_ecdsa_keys_are_signed_by_authorities_of_their_kind(authority):
    assert authority.sign(request(key=rsa_key()), "CP-1", None, NOW).issuer == "station-rsa"
    assert authority.sign(request(key=ec_key(ec.SECP384R1())), "CP-1", None, NOW).issuer == "station-ecdsa"


def test_an_authority_without_rsa_refuses_rsa_requests(tmp_path):
    authority = LocalAuthority.create(Places(tmp_path / "ca"), SETTINGS, NOW, ("ecdsa",))
    with pytest.raises(RequestRefused, match="signs no RSA keys"):
        authority.sign(request(key=rsa_key()), "CP-1", None, NOW)


def test_v2g_certificates_come_from_their_own_roots(authority):
    v2g = authority.sign(request("SECC-7"), "CP-1", SigningUse.V2G, NOW)
    v2g20 = authority.sign(request("SECC-7", key=ec_key(ec.SECP521R1())), "CP-1", SigningUse.V2G20, NOW)
    assert [v2g.issuer, v2g20.issuer, v2g.kind] == ["v2g", "v2g20", "v2g"]
    assert "DC=CPO" in chain_of(authority, v2g)[0].subject.rfc4514_string()


def test_A02_FR_27_a_root_that_the_authority_is_not_under_is_refused(authority):
    own = next(each for each in authority.issuers if each.name == "root-v2g").certificate
    other = next(each for each in authority.issuers if each.name == "root-ecdsa").certificate
    csr = request("SECC-7")
    assert authority.sign(csr, "CP-1", SigningUse.V2G, NOW, hash_data(own, own)).issuer == "v2g"
    with pytest.raises(RequestRefused, match="hashRootCertificate"):
        authority.sign(csr, "CP-1", SigningUse.V2G, NOW, hash_data(other, other))


@pytest.mark.parametrize("algorithm", list(HashAlgorithm))
def test_M06_FR_08_ocsp_answers_for_leaves_and_sub_cas_are_signed_and_say_what_is_true(authority, algorithm):
    issued = authority.sign(request(), "CP-1", None, NOW)
    leaf, issuing = chain_of(authority, issued)
    root = next(each for each in authority.issuers if each.name == "root-ecdsa").certificate
    for certificate, issuer in ((leaf, issuing), (issuing, root)):
        named = hash_data(certificate, issuer, algorithm)
        answer = ocsp.read_answer(authority.answer(named, NOW), named, NOW)
        assert answer.state is CertificateState.GOOD
        assert answer.next_update == NOW + timedelta(days=7)
        assert ocsp.is_signed(answer, named, [issuer], NOW)
    authority.revoke([issued.serial_number], NOW, "keyCompromise")
    named = hash_data(leaf, issuing, algorithm)
    assert ocsp.read_answer(authority.answer(named, NOW), named, NOW).state is CertificateState.REVOKED


def test_an_ocsp_answer_about_a_certificate_that_we_never_issued_says_unknown(authority):
    leaf, issuing = chain_of(authority, authority.sign(request(), "CP-1", None, NOW))
    named = hash_data(leaf, issuing)
    made_up = type(named)(named.algorithm, named.issuer_name_hash, named.issuer_key_hash, "1234")
    assert ocsp.read_answer(authority.answer(made_up, NOW), made_up, NOW).state is CertificateState.UNKNOWN


def test_certificates_of_others_are_not_answered_for(authority):
    named = hash_data(*[next(each for each in authority.issuers if each.root is None).certificate] * 2)
    other = type(named)(named.algorithm, "00" * 32, named.issuer_key_hash, named.serial_number)
    assert authority.answer(other, NOW) is None


def test_a_revoked_certificate_is_in_its_issuers_list_with_its_reason(authority, places):
    issued = authority.issue_station("CP-1", NOW)
    assert authority.revoke([issued.serial_number, "ffff"], NOW, "cessationOfOperation") == [issued.serial_number]
    assert authority.revoke([issued.serial_number], NOW, "superseded") == []
    crl = x509.load_der_x509_crl(places.crl("station-ecdsa").read_bytes())
    found = crl.get_revoked_certificate_by_serial_number(int(issued.serial_number, 16))
    assert found.extensions.get_extension_for_class(x509.CRLReason).value.reason.value == "cessationOfOperation"
    assert crl.public_bytes(Encoding.PEM) in places.client_crls.read_bytes()


def test_revocation_lists_are_renewed_long_before_they_are_over(authority):
    assert authority.publish_if_stale(NOW + timedelta(days=1)) is False
    assert authority.publish_if_stale(NOW + timedelta(days=31)) is True
    assert authority.publish_if_stale(NOW + timedelta(days=32)) is False


def test_what_expires_soon_can_be_listed(authority):
    authority.issue_station("CP-1", NOW)
    soon = authority.issued(expires_before=NOW + timedelta(days=366))
    assert [each.name for each in soon] == ["CP-1"]
    assert authority.issued(expires_before=NOW + timedelta(days=30)) == []


def test_a_damaged_key_says_which_file_and_what_to_do(places):
    key = places.authority("station-ecdsa").with_suffix(".key")
    key.write_text("nonsense")
    with pytest.raises(AuthorityMissing, match=str(key.stem)):
        LocalAuthority(places, SETTINGS).issue_station("CP-1", NOW)


def test_responder_addresses_are_written_into_certificates_of_stations(places):
    settings = CertificateSettings(organisation="City Power", responder_url="http://ocsp.example/")
    authority = LocalAuthority(places, settings)
    leaf, _ = chain_of(authority, authority.sign(request("SECC-1"), "CP-1", SigningUse.V2G, NOW))
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [each.access_location.value for each in access] == ["http://ocsp.example/"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of others")
def test_what_root_makes_belongs_to_whom_the_folder_belongs_to(tmp_path):
    os.chown(tmp_path, 65534, 65534)
    places = Places(tmp_path / "ca")
    LocalAuthority.create(places, SETTINGS, NOW, ("ecdsa",)).issue_station("CP-1", NOW)
    owners = {each.stat().st_uid for each in [places.path, *places.path.rglob("*")]}
    assert owners == {65534}
