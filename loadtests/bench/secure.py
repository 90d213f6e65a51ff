"""Security profile 2 for the benchmark: a certificate for Narke's TLS port, and stations registered with passwords."""

import contextlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from loadtests.bench.credentials import HOST, password
from loadtests.bench.driving import Failed, free_port
from loadtests.bench.system import Narke

_CHUNK = 1_000


@dataclass(frozen=True)
class Secure:
    """How stations connect with security profile 2.

    Attributes:
        port: Of TLS.
        certificate: PEM file with the server's certificate, which is its own authority, and its key.
        secret: What all passwords are derived from, hexadecimal.
    """

    port: int
    certificate: Path
    secret: str

    @property
    def settings(self) -> Mapping[str, str]:
        """For Narke, as `--set` takes them."""
        return {
            "ocpp.tls_port": str(self.port),
            "ocpp.tls_certificates": json.dumps([str(self.certificate)]),
            "ocpp.security_profile_min": "2",
            "ocpp.unknown_stations": "refuse",
        }

    @property
    def url(self) -> str:
        """Where stations connect, without the identity."""
        return f"wss://127.0.0.1:{self.port}/ocpp"

    @property
    def arguments(self) -> Sequence[str]:
        """For the generator."""
        return ("--ca", str(self.certificate), "--secret", self.secret)


def secure(folder: Path) -> Secure:
    """A certificate (ECDSA P-256) in this folder, a free port, and a secret of this run."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "tls.pem"
    file.touch(mode=0o600)
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Secure(free_port(), file, secrets.token_hex(32))


def register(narke: Narke, way: Secure, identities: Sequence[str]) -> None:
    """Registers stations with profile 2 and their passwords, by REST.

    Raises:
        Failed: Narke refused.
    """
    with contextlib.closing(narke.door()) as door:
        for begin in range(0, len(identities), _CHUNK):
            body = [
                {
                    "station": identity,
                    "security_profile": 2,
                    "password": password(way.secret, identity),
                    "passwords_are_random": True,
                }
                for identity in identities[begin : begin + _CHUNK]
            ]
            status, said = narke.ask(door, "POST", "/api/v1/stations", body)
            if status != HTTPStatus.OK:
                raise Failed(f"stations could not be registered: HTTP {status} {said[:200]!r}")
