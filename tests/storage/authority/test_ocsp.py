from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as wire

from engine.model.certificates import CertificateHash, CertificateState, HashAlgorithm
from storage.authority.hash_data import hash_data, issued_by
from storage.authority.ocsp import BadAnswer, is_signed, question, read_answer
from tests.storage.authority.certificates import Foreign
from tests.storage.authority.conftest import NOW


def answered(issuer, leaf, key=None, responder=None, *, status=wire.OCSPCertStatus.GOOD, begins=NOW):
    """An answer of a foreign responder, DER."""
    key, responder = key or issuer.key, responder or issuer.certificate
    builder = wire.OCSPResponseBuilder().add_response(
        cert=leaf,
        issuer=issuer.certificate,
        algorithm=hashes.SHA256(),
        cert_status=status,
        this_update=begins,
        next_update=begins + timedelta(days=1),
        revocation_time=begins if status is wire.OCSPCertStatus.REVOKED else None,
        revocation_reason=None,
    )
    builder = builder.responder_id(wire.OCSPResponderEncoding.HASH, responder)
    if responder is not issuer.certificate:
        builder = builder.certificates([responder])
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.fixture(scope="module")
def issuer():
    return Foreign(NOW)


@pytest.fixture(scope="module")
def leaf(issuer):
    return issuer.issue("contract")


def test_a_question_asks_for_the_very_certificate(issuer, leaf):
    for algorithm in HashAlgorithm:
        named = hash_data(leaf, issuer.certificate, algorithm)
        asked = wire.load_der_ocsp_request(question(named))
        assert asked.serial_number == leaf.serial_number
        assert asked.issuer_key_hash.hex() == named.issuer_key_hash
        assert issued_by(issuer.certificate, named)


@pytest.mark.parametrize("field", ["issuer_name_hash", "issuer_key_hash", "serial_number"])
def test_hashes_that_are_no_hexadecimal_are_refused(field):
    values = {"issuer_name_hash": "00" * 32, "issuer_key_hash": "00" * 32, "serial_number": "1"} | {field: "xyz"}
    with pytest.raises(ValueError, match=r"hexadecimal|base 16"):
        question(CertificateHash(algorithm=HashAlgorithm.SHA256, **values))


def test_hashes_of_another_length_are_refused():
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        question(CertificateHash(HashAlgorithm.SHA256, "00" * 20, "00" * 20, "1"))


def test_an_answer_by_the_issuer_itself_counts(issuer, leaf):
    named = hash_data(leaf, issuer.certificate)
    answer = read_answer(answered(issuer, leaf), named, NOW)
    assert answer.state is CertificateState.GOOD
    assert is_signed(answer, named, [issuer.certificate], NOW)


def test_an_answer_by_an_appointed_responder_counts(issuer, leaf):
    named = hash_data(leaf, issuer.certificate)
    answer = read_answer(answered(issuer, leaf, *issuer.responder()), named, NOW)
    assert is_signed(answer, named, [issuer.certificate], NOW)
    assert not is_signed(answer, named, [issuer.certificate], NOW + timedelta(days=400))  # its time is over


def test_an_answer_by_somebody_else_does_not_count(issuer, leaf):
    named = hash_data(leaf, issuer.certificate)
    stranger = Foreign(NOW)
    for key, responder in ((stranger.key, stranger.certificate), stranger.responder()):
        answer = read_answer(answered(issuer, leaf, key, responder), named, NOW)
        assert not is_signed(answer, named, [issuer.certificate, stranger.certificate], NOW)


def test_a_responder_without_the_usage_does_not_count(issuer, leaf):
    named = hash_data(leaf, issuer.certificate)
    sub = Foreign(NOW, "not a responder", parent=issuer)
    answer = read_answer(answered(issuer, leaf, sub.key, sub.certificate), named, NOW)
    assert not is_signed(answer, named, [issuer.certificate], NOW)


def test_revoked_is_told(issuer, leaf):
    named = hash_data(leaf, issuer.certificate)
    der = answered(issuer, leaf, status=wire.OCSPCertStatus.REVOKED)
    assert read_answer(der, named, NOW).state is CertificateState.REVOKED


def test_answers_of_another_time_are_refused(issuer, leaf):
    named = hash_data(leaf, issuer.certificate)
    with pytest.raises(BadAnswer, match="begins to count"):
        read_answer(answered(issuer, leaf, begins=NOW + timedelta(hours=1)), named, NOW)
    with pytest.raises(BadAnswer, match="counted until"):
        read_answer(answered(issuer, leaf, begins=NOW - timedelta(days=3)), named, NOW)


def test_answers_about_another_certificate_are_refused(issuer, leaf):
    other = hash_data(issuer.issue("other"), issuer.certificate)
    with pytest.raises(BadAnswer, match="another certificate"):
        read_answer(answered(issuer, leaf), other, NOW)


@pytest.mark.parametrize("der", [b"", b"nonsense", b"<html>captive portal</html>"])
def test_what_is_no_answer_is_refused(issuer, leaf, der):
    with pytest.raises(BadAnswer, match="no OCSP response"):
        read_answer(der, hash_data(leaf, issuer.certificate), NOW)


def test_a_responder_that_says_try_later_has_not_answered(issuer, leaf):
    der = wire.OCSPResponseBuilder.build_unsuccessful(wire.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)
    with pytest.raises(BadAnswer, match="try_later"):
        read_answer(der, hash_data(leaf, issuer.certificate), NOW)


def test_hash_data_wants_the_right_issuer(leaf):
    with pytest.raises(ValueError, match="issued by"):
        hash_data(leaf, Foreign(NOW, "Another").certificate)


def test_hash_data_are_compared_whatever_their_spelling(issuer, leaf):
    named = hash_data(leaf, issuer.certificate)
    spelled = CertificateHash(
        named.algorithm,
        named.issuer_name_hash.upper(),
        named.issuer_key_hash.upper(),
        f"00{named.serial_number.upper()}",
    )
    assert spelled.key == named.key
    assert issued_by(issuer.certificate, spelled)
