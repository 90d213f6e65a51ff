import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from engine.model.certificates import SigningUse
from storage.authority.pem import chain_text
from storage.authority.signing_requests import RequestRefused, checked, key_of_request
from tests.storage.authority.certificates import Foreign, ec_key, name_of, request, rsa_key
from tests.storage.authority.conftest import NOW


def judged(csr, identity="CP-1", use=None, **more):
    return checked(csr, identity, use, "City Power", **more)


def refusal(csr, identity="CP-1", use=None):
    with pytest.raises(RequestRefused) as caught:
        judged(csr, identity, use)
    return caught.value


@pytest.mark.parametrize("key", [ec_key(), ec_key(ec.SECP224R1()), ec_key(ec.SECP521R1()), rsa_key(2048)])
def test_A00_FR_502_503_keys_of_enough_bits_pass(key):
    assert judged(request(key=key)).is_signature_valid


def test_csrs_are_read_as_stations_write_them():
    csr = request()
    body = "".join(csr.split("\n")[1:-2])
    for odd in (csr.replace("\n", "\r\n"), csr.replace("\n", "\\n"), f"  {csr}\n\n", body):
        assert judged(odd) == judged(csr)


@pytest.mark.parametrize(
    ("csr", "why"),
    [
        (request("CP-2"), "common name is 'CP-2', the station is 'CP-1'"),
        (request(organisation="Somebody"), "organisation (O) is 'Somebody'"),
        (request(organisation=None), "organisation (O) is None"),
        (request(subject=name_of(None, "City Power")), "no single common name"),
        (request(key=rsa_key(1024)), "RSA of 1024 bits"),
        (request(key=ec_key(ec.SECP192R1())), "secp192r1"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "PKCS #10"),
        ("hello", "base64"),
        ("", "missing"),
        ("A" * 5501, "5501 characters"),
    ],
)
def test_A02_FR_12_what_cannot_be_signed_is_refused_with_the_reason(csr, why):
    assert why in str(refusal(csr))


def test_a_certificate_is_no_request():
    assert "nothing but a certificate signing request" in str(refusal(chain_text(Foreign(NOW).certificate)))


def test_two_requests_at_once_are_refused():
    assert "2 certificate signing requests" in str(refusal(request() + request()))


def test_two_common_names_are_refused():
    subject = x509.Name([*name_of("CP-1"), *name_of("CP-1", "City Power")])
    assert "no single common name" in str(refusal(request(subject=subject)))


def test_a_request_that_the_key_did_not_sign_is_refused():
    der = bytearray(judged(request()).public_bytes(Encoding.DER))
    der[der.index(b"City Power")] = ord("B")
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()
    with pytest.raises(RequestRefused, match="signature is not by the key"):
        checked(forged, "CP-1", None, "Bity Power")


@pytest.mark.parametrize("name", ["https://cp-1.example", "10.0.0.7"])
def test_A00_FR_511_a_station_is_not_named_like_a_server(name):
    assert "URL or an IP address" in str(refusal(request(name), name))


def test_an_identity_that_fits_no_certificate_is_refused():
    assert "CN" in str(refusal(request(subject=x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "X")]))))


def test_any_name_where_the_operator_says_so():
    assert judged(request("serial-77"), any_name=True)


@pytest.mark.parametrize(
    ("use", "key", "good"),
    [
        (SigningUse.V2G, ec_key(), True),
        (SigningUse.V2G, ec_key(ec.SECP384R1()), False),
        (SigningUse.V2G, rsa_key(), False),
        (SigningUse.V2G20, ec_key(ec.SECP521R1()), True),
        (SigningUse.V2G20, ec_key(), False),
    ],
)
def test_v2g_keys_are_those_of_iso_15118(use, key, good):
    csr = request("SECC-1", key=key)
    if good:
        assert judged(csr, use=use)
    else:
        assert "wants ECDSA on P-" in str(refusal(csr, use=use))


def test_v2g20_may_use_ed448():
    builder = x509.CertificateSigningRequestBuilder().subject_name(name_of("SECC-1", "City Power"))
    csr = builder.sign(ed448.Ed448PrivateKey.generate(), None).public_bytes(Encoding.PEM).decode()
    assert judged(csr, use=SigningUse.V2G20)
    assert "Ed448" in str(refusal(csr))


def test_ed25519_is_not_for_stations():
    builder = x509.CertificateSigningRequestBuilder().subject_name(name_of("CP-1", "City Power"))
    csr = builder.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.PEM).decode()
    assert "Ed25519" in str(refusal(csr))


def test_a_request_is_known_again_whatever_its_spelling_but_not_at_another_authority():
    csr = request()
    again = judged(csr.replace("\n", "\r\n"))
    assert key_of_request(judged(csr), "v2g", "CP-1") == key_of_request(again, "v2g", "CP-1")
    assert key_of_request(judged(csr), "v2g", "CP-1") != key_of_request(again, "v2g20", "CP-1")
    assert key_of_request(judged(csr), "v2g", "CP-1") != key_of_request(again, "v2g", "CP-2")


def test_stronger_hashes_pass():
    assert judged(request(digest=hashes.SHA512()))
