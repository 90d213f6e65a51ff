"""Stations' certificates: names, organisations, dates, revocation by whom it may concern."""

import pytest
from cryptography.hazmat.primitives import serialization

from ingress.ocpp.certificates import (
    BadCertificate,
    BadCrl,
    CertificateRules,
    certificate_from_der,
    revocations_from_pem,
)
from tests.ingress.ocpp.authority import DAY, Authority, now, pem


def read(certificate):
    return certificate_from_der(certificate.public_bytes(serialization.Encoding.DER))


def verdict(rules, certificate, name="CP1", at=None):
    """The reason for which it is refused; None: it is good."""
    try:
        rules.judge(read(certificate), name, at or now())
    except BadCertificate as error:
        return error.reason
    return None


def rules_of(authority, *crls, **more):
    revocations = revocations_from_pem([crl.read_bytes() for crl in crls], authority.file.read_bytes())
    return CertificateRules(revocations=revocations, **more)


def test_the_names_are_the_common_name_and_dns_names(authority):
    certificate = read(authority.issue("SN-1", dns="cp1.example")[0])
    assert certificate.names == {"SN-1", "cp1.example"}
    assert certificate.organizations == {"Operator"}


def test_a_name_counts_as_a_whole_and_with_its_case(authority):
    certificate, _ = authority.issue("CP1")
    rules = CertificateRules()
    assert verdict(rules, certificate) is None
    for other in ("CP", "CP11", "cp1", ""):
        assert verdict(rules, certificate, other) == "certificate_name_wrong"


def test_one_of_the_organisations_must_be_there_where_any_is_demanded(authority):
    certificate, _ = authority.issue("CP1", organization="Maker")
    assert verdict(CertificateRules(frozenset({"Operator", "Maker"})), certificate) is None
    assert verdict(CertificateRules(frozenset({"Operator"})), certificate) == "certificate_organization_wrong"


def test_dates_are_looked_at_again(authority):
    certificate, _ = authority.issue("CP1", until=now() + DAY)
    assert verdict(CertificateRules(), certificate, at=now() + 2 * DAY) == "certificate_expired"
    assert verdict(CertificateRules(), certificate, at=now() - 99 * DAY) == "certificate_expired"


def test_a_revoked_certificate_is_no_good_and_others_are(authority):
    bad, _ = authority.issue("CP1")
    good, _ = authority.issue("CP1")
    rules = rules_of(authority, authority.revoke(bad))
    assert (verdict(rules, bad), verdict(rules, good)) == ("certificate_revoked", None)


def test_a_number_that_another_authority_revoked_is_not_revoked(tmp_path, authority):
    other = Authority(tmp_path, "Other")
    certificate, _ = authority.issue("CP1")
    both = pem(authority.certificate, other.certificate)
    revocations = revocations_from_pem([other.revoke(certificate).read_bytes()], both)
    assert verdict(CertificateRules(revocations=revocations), certificate) is None


def test_what_a_revoked_authority_issued_is_revoked(tmp_path):
    root = Authority(tmp_path, "Root")
    issuing = Authority(tmp_path, "Issuing", issuer=root)
    certificate, _ = issuing.issue("CP1")
    both = pem(root.certificate, issuing.certificate)
    lists = root.revoke(issuing.certificate).read_bytes()
    rules = CertificateRules(revocations=revocations_from_pem([lists], both))
    assert verdict(rules, certificate) == "certificate_revoked"


def test_where_a_list_is_required_a_stale_or_missing_one_is_no_answer(tmp_path, authority):
    certificate, _ = authority.issue("CP1")
    stale = authority.revoke(next_update=now() - DAY)
    assert verdict(rules_of(authority, stale), certificate) is None
    assert verdict(rules_of(authority, stale, crl_required=True), certificate) == "crl_missing"
    assert verdict(CertificateRules(crl_required=True), certificate) == "crl_missing"
    assert verdict(rules_of(authority, authority.revoke(), crl_required=True), certificate) is None
    other = Authority(tmp_path, "Other")
    assert verdict(rules_of(other, other.revoke(), crl_required=True), certificate) == "crl_missing"


def test_several_lists_in_one_file_and_in_der_are_read(tmp_path, authority):
    other = Authority(tmp_path, "Other")
    content = authority.revoke().read_bytes() + other.revoke().read_bytes()
    both = pem(authority.certificate, other.certificate)
    assert len(revocations_from_pem([content], both).serials) == 2


def test_a_forged_list_is_refused(tmp_path, authority):
    forger = Authority(tmp_path, "Test Root")
    with pytest.raises(BadCrl, match="not signed"):
        revocations_from_pem([forger.revoke().read_bytes()], authority.file.read_bytes())


@pytest.mark.parametrize("der", [b"", b"rubbish", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_certificate_is_refused(der):
    with pytest.raises(BadCertificate, match="cannot be read"):
        certificate_from_der(der)
