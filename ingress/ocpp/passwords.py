"""Passwords of stations: how they are hashed and verified. The one place that knows hashes and their parameters.

Two kinds of hash, told apart by their prefix (docs/security.md has the reasons):

    $argon2id$...          a password that a person may have chosen. 19 MiB and two passes (OWASP's second choice) take
                           about 19 ms; the library's defaults take 181 ms, too much when thousands reconnect
    $sha256$salt$digest    a password that a machine drew from 112 bits or more: there is nothing to guess, so a slow
                           hash adds nothing but its price (NIST SP 800-63B on look-up secrets)

`hash_password` blocks, and so does `verify_password` with an argon2 hash: call them in a thread.
"""

import base64
import hashlib
import hmac
import secrets
import string
from collections.abc import Iterator

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_PRINTABLE = frozenset(range(0x20, 0x7F))
_HEX_DIGITS = frozenset(string.hexdigits.encode())
_RAW_KEY_BYTES = range(16, 21)
"""Length of a 1.6 AuthorizationKey's bytes; twice that in hexadecimal digits (security whitepaper A00.FR.205)."""
_GENERATED_BYTES = 20
"""160 bits: as many as a 1.6 AuthorizationKey may have, and 40 digits, as many as every 2.x station takes."""
_RANDOM = "$sha256$"
_SALT_BYTES = 16
_RANDOM_LENGTH_MIN = 20
_RANDOM_DISTINCT_MIN = 8
"""Different characters. Of 32 random hexadecimal digits fewer are different once in a million draws."""


def generate_password() -> str:
    """A password for a station: 40 hexadecimal digits, right for 1.6 (AuthorizationKey) and 2.x (BasicAuthPassword)."""
    return secrets.token_hex(_GENERATED_BYTES)


def hash_password(password: str | bytes) -> str:
    """The salted hash under which a password is kept (PHC string). Blocks for about 20 ms."""
    return _HASHER.hash(password)


def hash_random_password(password: str) -> str:
    """The salted hash of a password that a machine drew at random: quick to make and to verify.

    Raises:
        ValueError: It is too short or too uniform to have been drawn from 112 bits.
    """
    if len(password) < _RANDOM_LENGTH_MIN or len(set(password)) < _RANDOM_DISTINCT_MIN:
        raise ValueError(
            f"a random password has {_RANDOM_LENGTH_MIN} characters or more, {_RANDOM_DISTINCT_MIN} or more of them "
            "different; this one looks chosen"
        )
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"{_RANDOM}{_text(salt)}${_text(_digest(salt, password.encode()))}"


def is_quick(password_hash: str) -> bool:
    """Whether verifying takes microseconds, not milliseconds."""
    return password_hash.startswith(_RANDOM)


def verify_password(password_hash: str, presented: bytes, *, hex_passwords: bool = True) -> bool:
    """Whether what a station presented is the password. Blocks for about 20 ms per form tried unless `is_quick`.

    Args:
        password_hash: From `hash_password` or `hash_random_password`.
        presented: The bytes after the first ':' of HTTP Basic credentials.
        hex_passwords: Also take the bytes that a hexadecimal password decodes to (1.6), and the digits in either case.

    Raises:
        InvalidHashError: `password_hash` is no hash of ours.
    """
    forms = _forms(presented) if hex_passwords else iter((presented,))
    matches = _matches_random if is_quick(password_hash) else _matches
    return any(matches(password_hash, form) for form in forms)


def _matches_random(password_hash: str, form: bytes) -> bool:
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in password_hash[len(_RANDOM) :].split("$"))
    except ValueError:
        raise InvalidHashError from None
    return hmac.compare_digest(_digest(salt, form), digest)


def _digest(salt: bytes, password: bytes) -> bytes:
    return hmac.digest(salt, password, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _matches(password_hash: str, form: bytes) -> bool:
    try:
        return _HASHER.verify(password_hash, form)
    except VerifyMismatchError:
        return False
    except InvalidHashError:
        raise
    except VerificationError:
        return False


def _forms(presented: bytes) -> Iterator[bytes]:
    """What the operator may have written down for what the station sent.

    Sixteen random bytes are all printable once in ten million keys, so printable ones are taken for a written password.
    """
    yield presented
    if len(presented) in _RAW_KEY_BYTES and not _PRINTABLE.issuperset(presented):
        digits = presented.hex().encode()
        yield digits
        yield digits.upper()
    elif len(presented) // 2 in _RAW_KEY_BYTES and len(presented) % 2 == 0 and _HEX_DIGITS.issuperset(presented):
        yield from {presented.lower(), presented.upper()} - {presented}
