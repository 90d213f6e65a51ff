"""Passwords of stations: how they are hashed and verified. The one place that knows argon2 and its parameters.

19 MiB and two passes (OWASP's second choice) take about 19 ms; the library's defaults take 181 ms, too much when
thousands of stations reconnect. Both functions block: call `verify_password` in a thread.
"""

import string
from collections.abc import Iterator

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_PRINTABLE = frozenset(range(0x20, 0x7F))
_HEX_DIGITS = frozenset(string.hexdigits.encode())
_RAW_KEY_BYTES = range(16, 21)
"""Length of a 1.6 AuthorizationKey's bytes; twice that in hexadecimal digits (security whitepaper A00.FR.205)."""


def hash_password(password: str | bytes) -> str:
    """The salted hash under which a password is kept (PHC string). Blocks for about 20 ms."""
    return _HASHER.hash(password)


def verify_password(password_hash: str, presented: bytes, *, hex_passwords: bool = True) -> bool:
    """Whether what a station presented is the password. Blocks for about 20 ms per form tried.

    Args:
        password_hash: From `hash_password`.
        presented: The bytes after the first ':' of HTTP Basic credentials.
        hex_passwords: Also take the bytes that a hexadecimal password decodes to (1.6), and the digits in either case.

    Raises:
        InvalidHashError: `password_hash` is no argon2 hash.
    """
    forms = _forms(presented) if hex_passwords else iter((presented,))
    return any(_matches(password_hash, form) for form in forms)


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
