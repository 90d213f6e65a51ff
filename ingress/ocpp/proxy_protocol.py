"""The PROXY protocol, versions 1 and 2: what a proxy says about a connection before its first byte.

Source: "The PROXY protocol", HAProxy 2.x, doc/proxy-protocol.txt, sections 2.1 and 2.2. A pure parser: it says how
many bytes belong to the header, so that exactly these are taken from the socket.
"""

import ipaddress
import struct
from typing import Final, NamedTuple

SIGNATURE_V2: Final = b"\r\n\r\n\x00\r\nQUIT\n"
HEADER_BYTES_MAX: Final = 16 + 1024
"""Of version 2 with its additions; more than any proxy sends but those that add whole certificates."""
_V1 = b"PROXY "
_V1_BYTES_MAX = 107
_V2_FIXED_BYTES = 16
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21
_ADDRESS_BYTES = {_TCP4: 12, _TCP6: 36}
_TLV_SSL = 0x20
_CLIENT_SSL = 0x01


class BadHeader(ValueError):  # noqa: N818 (what it is about)
    """No PROXY header, or a broken one."""


class ProxyHeader(NamedTuple):
    """A header. `address`: of the client, None where the proxy speaks for itself. `tls`: the client spoke TLS."""

    length: int
    address: tuple[str, int] | None = None
    tls: bool = False


def parse(data: bytes) -> ProxyHeader | None:
    """The header that the data begins with; None: more bytes are needed.

    Raises:
        BadHeader: It begins with something else.
    """
    if data.startswith(SIGNATURE_V2):
        return _parse_v2(data)
    if data.startswith(_V1):
        return _parse_v1(data)
    if SIGNATURE_V2.startswith(data) or _V1.startswith(data):
        return None
    raise BadHeader("the connection does not begin with a PROXY header")


def _parse_v1(data: bytes) -> ProxyHeader | None:
    line, end, _ = data[:_V1_BYTES_MAX].partition(b"\r\n")
    if not end:
        if len(data) >= _V1_BYTES_MAX:
            raise BadHeader(f"a PROXY header of version 1 has no line end within {_V1_BYTES_MAX} bytes")
        return None
    length = len(line) + 2
    match line.split(b" "):
        case [b"PROXY", b"UNKNOWN", *_]:
            return ProxyHeader(length)
        case [b"PROXY", b"TCP4" | b"TCP6" as family, source, _, port, _]:
            try:
                address = ipaddress.ip_address(source.decode("ascii"))
                number = int(port)
            except ValueError:
                raise BadHeader(f"a PROXY header names no address: {line[:60]!r}") from None
            if address.version != int(family[-1:]) or not 0 <= number <= 65_535:
                raise BadHeader(f"a PROXY header contradicts itself: {line[:60]!r}")
            return ProxyHeader(length, (str(address), number))
        case _:
            raise BadHeader(f"a PROXY header of version 1 cannot be read: {line[:60]!r}")


def _parse_v2(data: bytes) -> ProxyHeader | None:
    if len(data) < _V2_FIXED_BYTES:
        return None
    command, family, size = struct.unpack_from("!BBH", data, len(SIGNATURE_V2))
    length = _V2_FIXED_BYTES + size
    if length > HEADER_BYTES_MAX:
        raise BadHeader(f"a PROXY header of {length} bytes is longer than {HEADER_BYTES_MAX}")
    if command not in {_LOCAL, _PROXY}:
        raise BadHeader(f"a PROXY header has the unknown version or command {command:#04x}")
    if len(data) < length:
        return None
    if command == _LOCAL or family not in _ADDRESS_BYTES:
        return ProxyHeader(length)
    body = data[_V2_FIXED_BYTES:length]
    addresses = _ADDRESS_BYTES[family]
    if len(body) < addresses:
        raise BadHeader(f"a PROXY header has {len(body)} bytes of addresses instead of {addresses}")
    width = 4 if family == _TCP4 else 16
    source = str(ipaddress.ip_address(body[:width]))
    (port,) = struct.unpack_from("!H", body, 2 * width)
    return ProxyHeader(length, (source, port), tls=_has_tls(body[addresses:]))


def _has_tls(additions: bytes) -> bool:
    """Whether the additions (type, length, value) say that the client spoke TLS with the proxy."""
    position = 0
    while position + 3 <= len(additions):
        kind, size = struct.unpack_from("!BH", additions, position)
        position += 3
        if position + size > len(additions):
            raise BadHeader("a PROXY header's addition is longer than the header")
        if kind == _TLV_SSL and size:
            return bool(additions[position] & _CLIENT_SSL)
        position += size
    return False
