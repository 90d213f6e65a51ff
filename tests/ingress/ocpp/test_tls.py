"""TLS in force: changes of its files without a restart, and what is told of them."""

import shutil

import pytest
from cryptography import x509

from engine.model.stations import StationRecord
from ingress import metrics
from ingress.ocpp.tls import Tls
from ingress.settings import OcppSettings
from tests.ingress.ocpp.authority import DAY, now, pem


def settings(*certificates, **more):
    return OcppSettings(tls_port=0, tls_certificates=certificates, **more)


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
