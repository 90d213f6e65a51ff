"""The files of TLS: what can be used, what is said when not, and changes without a restart."""

import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

from engine.model.stations import StationRecord
from ingress import metrics
from ingress.ocpp.tls import Tls, TlsUnusable, load
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


async def test_changed_files_are_in_force_without_a_restart_and_broken_ones_are_not(
    make_tls_ingress, authority, tmp_path, eventually
):
    file, crl = tmp_path / "server.pem", tmp_path / "crl.pem"
    shutil.copy(authority.server("ecdsa", days=3), file)
    certificate, key = authority.issue("CP1")
    (tmp_path / "client.pem").write_bytes(pem(certificate, key))
    context = authority.trusting()
    context.load_cert_chain(tmp_path / "client.pem")
    shutil.copy(authority.revoke(), crl)
    ingress = await make_tls_ingress(tls_certificates=[file], tls_crls=[crl], tls_reload_s=0.02)
    ingress.book.records["CP1"] = StationRecord("CP1", security_profile=3)
    tls = ingress.server._doors._tls

    async with ingress.connect(ssl=context) as station:
        first = station.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        failed = metrics.tls_reloads.labels("failed")._value.get()
        file.write_bytes(b"half a fi")
        await eventually(lambda: metrics.tls_reloads.labels("failed")._value.get() == failed + 1)
        async with ingress.connect("/other", ssl=context):
            pass

        reloads = metrics.tls_reloads.labels("ok")._value.get()
        shutil.copy(authority.server("ecdsa", days=9), tmp_path / "new.pem")
        (tmp_path / "new.pem").replace(file)
        shutil.copy(authority.revoke(certificate), tmp_path / "new.crl")
        (tmp_path / "new.crl").replace(crl)
        await eventually(lambda: metrics.tls_reloads.labels("ok")._value.get() > reloads)
        await eventually(lambda: tls.rules.revocations.serials[certificate.issuer.public_bytes()])
        async with ingress.connect("/other", ssl=authority.client("other")) as other:
            second = other.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert x509.load_der_x509_certificate(first) != x509.load_der_x509_certificate(second)
        assert station.state.name == "OPEN"
    with pytest.raises(Exception, match="403"):
        async with ingress.connect(ssl=context):
            pass


async def test_untouched_files_are_not_read_again(server_files, monkeypatch):
    tls = Tls(settings(*server_files))
    monkeypatch.setattr("ingress.ocpp.tls.load", None)
    assert await tls.look() is False


async def test_when_certificates_and_lists_end_is_told(authority, server_files):
    ends = now() + 2 * DAY
    crl = authority.revoke(next_update=ends)
    Tls(settings(*server_files, tls_client_ca=authority.file, tls_crls=(crl,)))
    assert metrics.tls_crl_expires._value.get() == int(ends.timestamp())
    assert metrics.tls_certificate_expires.labels("rsa")._value.get() > now().timestamp()
