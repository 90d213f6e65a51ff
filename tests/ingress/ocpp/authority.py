"""A certificate authority for tests: server and client certificates, right and wrong ones, and revocation lists."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


def now():
    return dt.datetime.now(dt.UTC)


def ecdsa():
    return ec.generate_private_key(ec.SECP256R1())


def name(common_name, organization="Operator"):
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def pem(*things):
    """Certificates, lists and keys as one PEM text."""
    written = b""
    for thing in things:
        if hasattr(thing, "private_bytes"):
            written += thing.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        else:
            written += thing.public_bytes(serialization.Encoding.PEM)
    return written


class Authority:
    """Issues what it is asked for into a folder."""

    def __init__(self, folder: Path, common_name="Test Root", key=None, issuer=None):
        self.folder = folder
        self.key = key or ecdsa()
        self.certificate = self._sign(
            name(common_name),
            self.key.public_key(),
            x509.BasicConstraints(ca=True, path_length=None),
            issuer=issuer,
        )
        self.file = self._write(f"{common_name}.pem", self.certificate)

    def server(self, kind="ecdsa", days=30):
        """A PEM file with a server's certificate and its key."""
        key = ecdsa() if kind == "ecdsa" else rsa.generate_private_key(65_537, 2_048)
        alternatives = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        certificate = self._sign(name("localhost"), key.public_key(), alternatives, until=now() + days * DAY)
        return self._write(f"server-{kind}.pem", certificate, key)

    def issue(self, common_name, *, organization="Operator", until=None, dns=None):
        """A station's certificate and key."""
        key = ecdsa()
        extensions = [x509.SubjectAlternativeName([x509.DNSName(dns)])] if dns else []
        certificate = self._sign(
            name(common_name, organization), key.public_key(), *extensions, until=until or now() + DAY
        )
        return certificate, key

    def client(self, common_name, *, trust=None, **options):
        """A client's TLS context with a certificate of this authority; it trusts this one, or another."""
        certificate, key = self.issue(common_name, **options)
        context = (trust or self).trusting()
        file = self._write(f"client-{common_name}-{certificate.serial_number}.pem", certificate, key)
        context.load_cert_chain(file)
        return context

    def trusting(self):
        """A client's TLS context without a certificate."""
        return ssl.create_default_context(cafile=self.file)

    def revoke(self, *certificates, next_update=None):
        """A file with the list of these revoked certificates."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now() - 2 * DAY)
            .next_update(next_update or now() + DAY)
        )
        for certificate in certificates:
            revoked = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(revoked.revocation_date(now() - DAY).build())
        return self._write("revoked.pem", builder.sign(self.key, hashes.SHA256()))

    def _sign(self, subject, public_key, *extensions, until=None, issuer=None):
        signer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signer.certificate.subject if hasattr(signer, "certificate") else subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - 30 * DAY)
            .not_valid_after(until or now() + 30 * DAY)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(signer.key, hashes.SHA256())

    def _write(self, file_name, *things):
        file = self.folder / file_name.replace("/", "_")
        file.write_bytes(pem(*things))
        return file
