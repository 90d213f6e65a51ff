"""CertificateHashData there and back."""

from engine.model.certificates import CertificateHash, HashAlgorithm
from engine.ocpp.hash_data import certificate_hash_from, hash_data_of


def test_hash_data_go_back_as_they_came():
    entry = {"hashAlgorithm": "SHA384", "issuerNameHash": "aB", "issuerKeyHash": "Cd", "serialNumber": "00Ef"}
    found = certificate_hash_from(entry)
    assert found == CertificateHash(HashAlgorithm.SHA384, "aB", "Cd", "00Ef")
    assert found.key == ("SHA384", "ab", "cd", "ef")
    assert hash_data_of(found) == entry
