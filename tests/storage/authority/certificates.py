"""Keys, requests and authorities of others, for tests."""

import atexit
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from storage.authority.folder import Places
from storage.authority.local import LocalAuthority
from storage.authority.settings import CertificateSettings


@cache
def _template():
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    LocalAuthority.create(Places(folder / "ca"), CertificateSettings(), datetime.now(UTC), ("ecdsa",))
    return folder / "ca"


def authority_in(folder):
    """The places of an authority of the default organisation without RSA: a copy, for making one takes a while."""
    shutil.copytree(_template(), folder / "ca")
    return Places(folder / "ca")


def ec_key(curve=None):
    return ec.generate_private_key(curve or ec.SECP256R1())


def rsa_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def name_of(common_name, organisation=None):
    attributes = []
    if common_name is not None:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    if organisation is not None:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(attributes)


def request(common_name="CP-1", organisation="City Power", key=None, digest=None, subject=None):
    """A CSR in PEM."""
    key = key or ec_key()
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject or name_of(common_name, organisation))
    return builder.sign(key, digest or hashes.SHA256()).public_bytes(Encoding.PEM).decode()


class Foreign:
    """An authority that is not ours: a root, and what it issues."""

    def __init__(self, now, name="MO Root", parent=None):
        self.now = now
        self.key = ec_key()
        self.parent = parent
        self.certificate = (parent or self)._certificate(name_of(name, "Mobility"), self.key.public_key(), ca=True)

    def _certificate(self, subject, key, *, ca, days=365, usage=None, begins=None):
        issuer = self.certificate.subject if hasattr(self, "certificate") else subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins or self.now - timedelta(days=1))
            .not_valid_after(self.now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, common_name, *, days=365, ca=False, begins=None):
        """A leaf."""
        return self._certificate(name_of(common_name), ec_key().public_key(), ca=ca, days=days, begins=begins)

    def responder(self):
        """An OCSP responder's key and certificate, appointed by this authority."""
        key = ec_key()
        certificate = self._certificate(
            name_of("Responder"), key.public_key(), ca=False, usage=ExtendedKeyUsageOID.OCSP_SIGNING
        )
        return key, certificate
