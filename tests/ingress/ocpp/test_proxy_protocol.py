"""The PROXY protocol's two versions, whole, in part, and wrong."""

import socket
import struct

import pytest

from ingress.ocpp.proxy_protocol import HEADER_BYTES_MAX, SIGNATURE_V2, BadHeader, ProxyHeader, parse


def v2(body=b"", command=0x21, family=0x11, size=None):
    return SIGNATURE_V2 + struct.pack("!BBH", command, family, len(body) if size is None else size) + body


TCP4 = socket.inet_aton("203.0.113.9") + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 4711, 9000)
TCP6 = socket.inet_pton(socket.AF_INET6, "2001:db8::9") * 2 + struct.pack("!HH", 4711, 9000)
SSL_YES = struct.pack("!BHBI", 0x20, 5, 0x01, 0)
SSL_NO = struct.pack("!BHBI", 0x20, 5, 0x00, 0)
OTHER = struct.pack("!BH", 0x01, 4) + b"h2xx"


@pytest.mark.parametrize(
    ("data", "header"),
    [
        (b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 9000\r\n", ProxyHeader(44, ("203.0.113.9", 4711))),
        (b"PROXY TCP6 2001:db8::9 ::1 4711 9000\r\n", ProxyHeader(38, ("2001:db8::9", 4711))),
        (b"PROXY UNKNOWN\r\n", ProxyHeader(15)),
        (b"PROXY UNKNOWN a b c d\r\n", ProxyHeader(23)),
        (v2(TCP4), ProxyHeader(28, ("203.0.113.9", 4711))),
        (v2(TCP6, family=0x21), ProxyHeader(52, ("2001:db8::9", 4711))),
        (v2(TCP4 + OTHER + SSL_YES), ProxyHeader(43, ("203.0.113.9", 4711), tls=True)),
        (v2(TCP4 + SSL_NO), ProxyHeader(36, ("203.0.113.9", 4711))),
        (v2(command=0x20, family=0), ProxyHeader(16)),
        (v2(b"x" * 7, family=0x31), ProxyHeader(23)),
    ],
)
def test_a_header_is_read_at_any_length_of_what_follows_and_no_sooner(data, header):
    for more in (b"", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01"):
        assert parse(data + more) == header
    for cut in range(len(data)):
        assert parse(data[:cut]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00",
        b"PROXY \r\n",
        b"PROXY TCP4 203.0.113.9\r\n",
        b"PROXY TCP4 somewhere 127.0.0.1 1 2\r\n",
        b"PROXY TCP4 2001:db8::9 ::1 1 2\r\n",
        b"PROXY TCP4 203.0.113.9 127.0.0.1 70000 2\r\n",
        b"PROXY TCP4 203.0.113.9 127.0.0.1 x 2\r\n",
        b"PROXY " + b"x" * 200,
        v2(TCP4, command=0x11),
        v2(TCP4, command=0x22),
        v2(TCP4[:5]),
        v2(TCP4 + struct.pack("!BH", 0x20, 900)),
        v2(size=HEADER_BYTES_MAX),
    ],
)
def test_what_is_no_header_is_refused(data):
    with pytest.raises(BadHeader):
        parse(data)
