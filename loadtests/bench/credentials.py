"""How the generator's stations prove who they are: a password each, and TLS that trusts one authority.

Passwords are not kept: driver and generator derive them from one secret of the run and the identity.
"""

import base64
import hashlib
import hmac
import ssl
from pathlib import Path

HOST = "localhost"
"""In the server's certificate; stations check it."""
_PASSWORD_BYTES = 20


def password(secret: str, identity: str) -> str:
    """A station's password: 160 bits in hexadecimal, as Narke itself would draw it. `secret`: hexadecimal."""
    return hmac.digest(bytes.fromhex(secret), identity.encode(), hashlib.sha256)[:_PASSWORD_BYTES].hex()


def authorization(secret: str, identity: str) -> str:
    """The header line of a station's handshake, with its line end."""
    word = base64.b64encode(f"{identity}:{password(secret, identity)}".encode()).decode()
    return f"Authorization: Basic {word}\r\n"


def client_context(ca: Path) -> ssl.SSLContext:
    """For stations: they trust this authority and nobody else."""
    return ssl.create_default_context(cafile=ca)
