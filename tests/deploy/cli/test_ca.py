"""`narke ca`: an authority on this machine, whether Narke runs or not."""

import json
import stat

import pytest
from cryptography import x509
from typer.testing import CliRunner

from deploy.cli import app
from storage.authority.pem import certificates_from, chain_text
from tests.storage.authority.certificates import Foreign
from tests.storage.authority.conftest import NOW


@pytest.fixture
def ca(tmp_path):
    def run(*arguments, code=0):
        env = {"NARKE_DATA_DIR": str(tmp_path), "NARKE_URL": "", "NARKE_API_KEY": "", "COLUMNS": "200"}
        result = CliRunner().invoke(app, ["ca", *arguments], env=env)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def made(ca):
    ca("init", "--no-rsa", "--organisation", "City Power")
    return ca


def test_an_authority_is_made_once_and_shown(made, tmp_path):
    shown = json.loads(made("show", "--json").stdout)
    assert shown["organisation"] == "City Power"
    assert [each["name"] for each in shown["authorities"]] == [
        "root-ecdsa",
        "root-v2g",
        "root-v2g20",
        "server-ecdsa",
        "station-ecdsa",
        "v2g",
        "v2g20",
    ]
    assert stat.S_IMODE((tmp_path / "ca" / "authorities" / "root-ecdsa.key").stat().st_mode) == 0o600
    assert "already" in made("init", code=2).stderr


def test_without_an_authority_the_way_to_one_is_told(ca):
    for arguments in (["show"], ["list"], ["issue", "station", "CP-1"], ["issue", "server", "x"], ["crl"]):
        assert "narke ca init" in ca(*arguments, code=3).stderr


def test_the_organisation_of_the_authority_is_that_of_its_certificates(made, tmp_path):
    made("issue", "station", "CP-1")
    leaf, _ = certificates_from((tmp_path / "ca/stations/CP-1/ecdsa.pem").read_text())
    assert leaf.subject.rfc4514_string() == "O=City Power,CN=CP-1"


def test_a_server_certificate_says_how_to_use_it(made, tmp_path):
    result = made("issue", "server", "csms.example", "10.0.0.1")
    chain = tmp_path / "ca/server/ecdsa.pem"
    assert f'tls_certificates = ["{chain}"]' in result.stderr
    assert f'tls_client_ca = "{tmp_path / "ca/clients.pem"}"' in result.stderr
    leaf, _ = certificates_from(chain.read_text())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["csms.example"]


def test_certificates_of_several_stations_are_made_and_listed(made):
    rows = json.loads(made("issue", "station", "CP-1", "CP 2", "--json").stdout)
    assert [row["name"] for row in rows] == ["CP-1", "CP 2"]
    assert rows[1]["file"].endswith("/stations/CP%202/ecdsa.pem")
    listed = json.loads(made("list", "--json").stdout)
    assert [row["name"] for row in listed][:2] in (["CP-1", "CP 2"], ["CP 2", "CP-1"])


@pytest.mark.parametrize("name", ["", "a:b", "x" * 65])
def test_what_is_no_identity_is_refused(made, name):
    assert "no OCPP identity" in made("issue", "station", name, code=2).stderr


def test_a_kind_of_key_that_the_authority_has_not_is_refused(made):
    assert "no authority for RSA" in made("issue", "station", "CP-1", "--rsa", code=2).stderr


def test_certificates_are_revoked_by_number_or_by_station(made):
    first, second = json.loads(made("issue", "station", "CP-1", "CP-2", "--json").stdout)
    assert f"{first['serial_number']}: revoked" in made("revoke", first["serial_number"]).stdout
    assert second["serial_number"] in made("revoke", "--station", "CP-2", "--reason", "keyCompromise").stdout
    assert "no certificate was revoked" in made("revoke", "--station", "CP-2", code=3).stderr
    rows = json.loads(made("list", "--revoked", "--json").stdout)
    assert {row["reason"] for row in rows} == {None, "unspecified", "keyCompromise"}
    assert "is no reason" in made("revoke", "1", "--reason", "boredom", code=2).stderr
    assert "to revoke" in made("revoke", code=2).stderr


def test_lists_are_written_anew(made, tmp_path):
    before = (tmp_path / "ca/crl/clients.pem").read_bytes()
    made("crl")
    assert (tmp_path / "ca/crl/clients.pem").read_bytes() != before


def test_roots_of_others_are_trusted_and_nonsense_is_not(ca, tmp_path):
    root = tmp_path / "mo-root.crt"
    root.write_text(chain_text(Foreign(NOW, "MO Root").certificate))
    assert "CN=MO Root: trusted" in ca("trust", str(root)).stdout
    assert len(certificates_from((tmp_path / "ca/trust/mo-root.pem").read_text())) == 1
    root.write_text("nonsense")
    assert "PEM" in ca("trust", str(root), code=2).stderr
