"""Fetches from the outside world: bounded in time and size, and only from addresses that stations may make us ask.

Stations (and cars behind them) name the URLs of OCSP responders and revocation lists. Without care that is a way into
the operator's network, so names are resolved here, private addresses refused, and the address that was judged is the
one that is spoken to. Redirects are not followed.
"""

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    import httpx2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CONNECTIONS_MAX = 32
_CHUNK_BYTES = 16_384


class OutsideFailed(Exception):  # noqa: N818 (says what it is)
    """Nothing usable came. The message says from where and why, for people."""


class _Target(msgspec.Struct, frozen=True):
    """A URL whose address is known and allowed."""

    url: str
    host: str
    address: str
    port: int
    secure: bool
    path: str


class Outside:
    """Fetches. One per process; `close` it.

    Args:
        wait_s_max: From the question to the whole answer.
        private: Private and loopback addresses, too.
    """

    def __init__(self, wait_s_max: float, *, private: bool) -> None:
        self._wait_s_max = wait_s_max
        self._private = private
        self._client: httpx2.AsyncClient | None = None

    async def fetch(self, url: str, *, bytes_max: int, body: bytes | None = None, body_type: str = "") -> bytes:
        """The body of a 200: by GET or, with a body, by POST.

        Raises:
            OutsideFailed: There is none, within the bounds.
        """
        try:
            async with asyncio.timeout(self._wait_s_max):
                target = await self._target(url)
                return await self._content(target, bytes_max, body, body_type)
        except TimeoutError:
            raise OutsideFailed(f"{url[:200]} did not answer within {self._wait_s_max:g} s") from None

    async def close(self) -> None:
        """Closes what is open."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _content(self, target: _Target, bytes_max: int, body: bytes | None, body_type: str) -> bytes:
        import httpx2  # noqa: PLC0415 (a quarter of a second that most processes never need)

        if self._client is None:
            limits = httpx2.Limits(max_connections=CONNECTIONS_MAX)
            self._client = httpx2.AsyncClient(trust_env=False, follow_redirects=False, limits=limits)
        headers = {"Host": _host_header(target), "Connection": "close", "Accept-Encoding": "identity"}
        if body is not None:
            headers["Content-Type"] = body_type
        try:
            request = self._client.build_request(
                "GET" if body is None else "POST",
                target.url,
                headers=headers,
                content=body,
                extensions={"sni_hostname": target.host},
            )
            response = await self._client.send(request, stream=True)
            try:
                return await _read(response, target, bytes_max)
            finally:
                await response.aclose()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:  # ValueError: a name that no header holds
            raise OutsideFailed(f"{target.host}: {type(error).__name__}: {error}") from None

    async def _target(self, url: str) -> _Target:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if host is None or parts.scheme not in ("http", "https") or parts.username is not None:
            raise OutsideFailed(f"{url[:200]!r} is no http or https address")
        secure = parts.scheme == "https"
        port = port or (443 if secure else 80)
        address = await self._address(host, port)
        shown = f"[{address}]" if ":" in address else address
        path = parts.path or "/"
        query = f"?{parts.query}" if parts.query else ""
        return _Target(f"{parts.scheme}://{shown}:{port}{path}{query}", host, address, port, secure, path)

    async def _address(self, host: str, port: int) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise OutsideFailed(f"{host}: its address cannot be found: {error}") from None
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if self._private or is_public(ipaddress.ip_address(address.partition("%")[0])):
                return address
        raise OutsideFailed(
            f"{host} is at {addresses[0]}, which is not a public address: certificates.outside_private allows it"
        )


def is_public(address: Address) -> bool:
    """Whether an address belongs to the internet at large, also when it is wrapped in another."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if wrapped is None and address in _NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if wrapped is not None:
            return is_public(wrapped)
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _host_header(target: _Target) -> str:
    usual = 443 if target.secure else 80
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == usual else f"{host}:{target.port}"


async def _read(response: "httpx2.Response", target: _Target, bytes_max: int) -> bytes:
    if response.status_code != 200:
        raise OutsideFailed(f"{target.host} answered HTTP {response.status_code}")
    content = bytearray()
    async for chunk in response.aiter_raw(_CHUNK_BYTES):
        content += chunk
        if len(content) > bytes_max:
            raise OutsideFailed(f"{target.host} answered with more than {bytes_max} bytes")
    return bytes(content)
