"""The files of TLS: what can be used, and what is said when not."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

from ingress.ocpp.tls_files import TlsUnusable, load
from ingress.settings import OcppSettings
from tests.ingress.ocpp.authority import DAY, Authority, ecdsa, now, pem


def settings(*certificates, **more):
    return OcppSettings(tls_port=0, tls_certificates=certificates, **more)


def test_both_kinds_of_keys_are_loaded_and_their_ends_known(server_files):
    loaded = load(settings(*server_files))
    assert set(loaded.expires_at) == {"ecdsa", "rsa"}
    assert loaded.expires_at["rsa"] > now() + 20 * DAY


def test_keys_may_be_in_files_of_their_own(tmp_path, authority):
    certificate, key = authority.issue("csms.example")
    (tmp_path / "c.pem").write_bytes(pem(certificate))
    (tmp_path / "k.pem").write_bytes(pem(key))
    assert load(settings(tmp_path / "c.pem", tls_keys=(tmp_path / "k.pem",))).expires_at


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        (None, None, "cannot be read"),
        (b"rubbish", None, "no certificate in PEM"),
        ("certificate", None, "does not hold the key"),
        ("certificate", "other key", "does not hold the key"),
        ("certificate", "encrypted key", "is encrypted"),
        ("short", "short key", "1024 bits"),
    ],
)
def test_files_that_cannot_be_used_are_named_with_the_reason(tmp_path, authority, certificate, key, words):
    issued, right = authority.issue("csms.example")
    weak = rsa.generate_private_key(65_537, 1_024)
    things = {
        "certificate": pem(issued),
        "other key": pem(ecdsa()),
        "encrypted key": right.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        ),
        "short": pem(authority._sign(issued.subject, weak.public_key())),
        "short key": pem(weak),
    }
    file = tmp_path / "c.pem"
    if certificate is not None:
        file.write_bytes(things.get(certificate, certificate))
    keys = ()
    if key is not None:
        (tmp_path / "k.pem").write_bytes(things[key])
        keys = (tmp_path / "k.pem",)
    with pytest.raises(TlsUnusable, match=words) as caught:
        load(settings(file, tls_keys=keys))
    assert str(tmp_path) in str(caught.value)


def test_a_revocation_list_of_a_stranger_is_refused(tmp_path, authority, server_files):
    stranger = Authority(tmp_path, "Stranger").revoke()
    with pytest.raises(TlsUnusable, match="not signed by an authority"):
        load(settings(*server_files, tls_client_ca=authority.file, tls_crls=(stranger,)))


def test_what_is_no_revocation_list_is_refused(tmp_path, authority, server_files):
    (tmp_path / "crl.pem").write_bytes(b"rubbish")
    with pytest.raises(TlsUnusable, match="no revocation list"):
        load(settings(*server_files, tls_client_ca=authority.file, tls_crls=(tmp_path / "crl.pem",)))


def test_what_is_no_authority_is_refused(tmp_path, server_files):
    (tmp_path / "ca.pem").write_bytes(b"rubbish")
    with pytest.raises(TlsUnusable, match="no certificates in PEM"):
        load(settings(*server_files, tls_client_ca=tmp_path / "ca.pem"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"tls_keys": ("a", "b"), "tls_certificates": ("a",)}, "name one key for each"),
        ({"tls_crls": ("a",)}, "needs tls_client_ca"),
        ({"tls_crl_required": True}, "needs tls_crls"),
        ({"proxy_protocol": True}, "needs trusted_proxies"),
        ({"security_profile_min": 2}, "needs TLS"),
        ({"tls_certificates": ("a",), "port": 9443}, "different ports"),
        ({"trusted_proxies": ("10.0.0.1/8",)}, "no network"),
        ({"tls_ciphers": "NOTHING"}, "no cipher suite"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong, words):
    with pytest.raises(ValidationError, match=words):
        OcppSettings(**wrong)
