"""What a certificate says that somebody wants a station to trust."""

from datetime import UTC, datetime

import pytest

from engine.station.roots import BadRoot, read_root
from storage.authority.pem import chain_text
from tests.storage.authority.certificates import Foreign

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_root_is_read():
    made = Foreign(NOW, "Root X")
    root = read_root(chain_text(made.certificate))
    assert (root.subject, root.authority) == ("O=Mobility,CN=Root X", True)
    assert root.serial_number == f"{made.certificate.serial_number:x}"
    assert root.begins_at < NOW < root.expires_at


def test_a_leaf_is_no_authority():
    assert read_root(chain_text(Foreign(NOW).issue("leaf"))).authority is False


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "é"])
def test_what_is_no_certificate_is_refused(text):
    with pytest.raises(BadRoot):
        read_root(text)


def test_two_certificates_are_refused():
    made = Foreign(NOW)
    with pytest.raises(BadRoot, match="has 2"):
        read_root(chain_text(made.certificate, made.certificate))
