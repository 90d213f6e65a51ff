"""Free ports of 127.0.0.1 for embedded servers.

Chosen below the kernel's ephemeral range (32768 and up on Linux), so that no outgoing connection takes one while its
server restarts, and above the range of Ray's workers (10002 to 19999).
"""

import secrets
import socket

from deploy.servers.errors import ServerError

LOOPBACK = "127.0.0.1"
FIRST = 20_100
LAST = 32_700
_TRIES_MAX = 200


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Nobody listens there, and we may."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_port(remembered: int | None) -> int:
    """The port of last time if it is free, else any.

    Raises:
        ServerError: None was found.
    """
    if remembered is not None and is_free(remembered):
        return remembered
    for _ in range(_TRIES_MAX):
        port = FIRST + secrets.randbelow(LAST - FIRST)
        if is_free(port):
            return port
    raise ServerError(f"no free TCP port was found between {FIRST} and {LAST} on {LOOPBACK}: close some programs.")
