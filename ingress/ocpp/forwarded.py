"""Where a connection comes from: the socket's word, or a trusted proxy's. RFC 7239, RFC 9440, X-Forwarded-*.

Headers are believed only from `ocpp.trusted_proxies`; from anybody else they are as if they were not there. Of a chain
of proxies the address that counts is the last one that no trusted proxy has, for all before it may be invented.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from websockets.datastructures import Headers

_PAIR = re.compile(r'\s*([A-Za-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^",;]*)\s*')
_HOPS_MAX = 32
"""Of a chain of proxies; what is before is not looked at."""
_SECURE = frozenset({"https", "wss"})
_CERTIFICATE_CHARACTERS_MAX = 32_768


class Caller(NamedTuple):
    """Who is at the other end of a connection.

    `host`: address of the station, as far as we know. `port` None: not known. `peer`: of the TCP connection. `tls`: the
    station speaks TLS, with us or with a trusted proxy. `certificate`: DER of its certificate, verified by whom it
    speaks TLS with; None: it presented none.
    """

    host: str
    port: int | None
    peer: str
    tls: bool = False
    certificate: bytes | None = None

    @property
    def address(self) -> str:
        """For people."""
        if self.port is None:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Proxies:
    """Whom to believe.

    Args:
        networks: Addresses of trusted proxies, as networks.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: Final = tuple(ipaddress.ip_network(network) for network in networks)

    def trusts(self, address: str) -> bool:
        """Whether this is a trusted proxy's address."""
        if not self._networks:
            return False
        ip = _ip(address)
        return ip is not None and any(ip in network for network in self._networks)

    def resolve(self, caller: Caller, headers: Headers) -> Caller:
        """The caller as the headers tell it, where they come from a trusted proxy; else as it is."""
        if not self.trusts(caller.host):
            return caller
        hops, secure = _told(headers)
        host, port = caller.host, caller.port
        for hop in reversed(hops[-_HOPS_MAX:]):
            if hop is None:
                break
            host, port = hop
            if not self.trusts(host):
                break
        tls = caller.tls if secure is None else secure
        certificate = _certificate(headers) if tls else None  # one of the socket is the proxy's own
        return caller._replace(host=host, port=port, tls=tls, certificate=certificate)


def _told(headers: Headers) -> tuple[Sequence[tuple[str, int | None] | None], bool | None]:
    """The hops, nearest last (None: one that hides), and whether the last one before us spoke TLS (None: not said)."""
    elements = list(_elements(headers.get_all("Forwarded")))
    if elements:
        protocols = [element["proto"] for element in elements if "proto" in element]
        hops = [_node(element["for"]) for element in elements if "for" in element]
    else:
        protocols = list(_words(headers.get_all("X-Forwarded-Proto")))
        hops = [_node(word) for word in _words(headers.get_all("X-Forwarded-For"))]
    return hops, protocols[-1].lower() in _SECURE if protocols else None


def _words(values: Iterable[str]) -> Iterable[str]:
    return (word.strip() for value in values for word in value.split(",") if word.strip())


def _elements(values: Iterable[str]) -> Iterable[dict[str, str]]:
    """RFC 7239 section 4: elements separated by commas, pairs by semicolons; what cannot be read ends the reading."""
    for value in values:
        element: dict[str, str] = {}
        position = 0
        while position < len(value):
            match = _PAIR.match(value, position)
            if match is None:
                break
            word = match[2]
            element[match[1].lower()] = re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word.strip()
            position = match.end()
            mark = value[position : position + 1]
            position += 1
            if mark == ",":
                yield element
                element = {}
            elif mark not in {";", ""}:
                break
        if element:
            yield element


def _node(word: str) -> tuple[str, int | None] | None:
    """An address with its port, if any: `192.0.2.1`, `192.0.2.1:47`, `[2001:db8::1]:47`, `2001:db8::1`; else None."""
    if word.startswith("["):
        host, _, rest = word[1:].partition("]")
        port = rest.removeprefix(":")
    elif word.count(":") == 1:
        host, _, port = word.partition(":")
    else:
        host, port = word, ""
    ip = _ip(host)
    if ip is None:
        return None
    return str(ip), int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else None


def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def _certificate(headers: Headers) -> bytes | None:
    """The station's certificate as the proxy tells it: `Client-Cert: :base64:` (RFC 9440 section 2.2)."""
    values = headers.get_all("Client-Cert")
    if len(values) != 1 or len(values[0]) > _CERTIFICATE_CHARACTERS_MAX:
        return None
    word = values[0].strip()
    if len(word) < 2 or not (word.startswith(":") and word.endswith(":")):
        return None
    try:
        return base64.b64decode(word[1:-1], validate=True)
    except binascii.Error:
        return None
