"""The guarded door: TLS versions and suites, what is no TLS, slow handshakes, PROXY headers."""

import asyncio
import contextlib
import socket
import ssl
import struct

import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus

from engine.model.stations import StationRecord
from ingress import metrics
from ingress.ocpp.proxy_protocol import SIGNATURE_V2
from ingress.ocpp.server import IngressServer
from ingress.settings import OcppSettings
from tests.ingress.ocpp.authority import DAY, now

REQUEST = (
    b"GET /%b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


def outcomes(outcome):
    return metrics.tls_handshakes.labels(outcome)._value.get()


@pytest.fixture
def counted(eventually):
    """Waits until one more handshake had this outcome."""

    def begin(outcome):
        before = outcomes(outcome)
        return lambda: eventually(lambda: outcomes(outcome) == before + 1)

    return begin


async def plain(port):
    return await asyncio.open_connection("127.0.0.1", port)


async def status_line(reader):
    async with asyncio.timeout(20):
        return (await reader.readline()).decode().split(" ")[1:2]


# TLS


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_messages_travel_over_tls(make_tls_ingress, authority, ask, frames, version):
    ingress = await make_tls_ingress()
    context = authority.trusting()
    context.minimum_version = context.maximum_version = version
    async with ingress.connect(ssl=context) as station:
        assert (await ask(station, frames.heartbeat("1")))[:2] == [3, "1"]
        large = frames.data("2", "x" * 300_000)
        assert (await ask(station, large))[:2] == [3, "2"]
    assert ingress.server.health()["tls_port"] == ingress.server.tls_port


@pytest.mark.parametrize(
    "suite",
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
    ],
)
async def test_A00_FR_318_the_suites_of_the_specification_are_spoken(make_tls_ingress, authority, suite):
    ingress = await make_tls_ingress()
    context = authority.trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    async with ingress.connect(ssl=context) as station:
        assert station.transport.get_extra_info("cipher")[0] == suite
        assert station.transport.get_extra_info("compression") is None


async def test_A00_FR_315_tls_1_1_is_refused(make_tls_ingress, authority, counted):
    ingress = await make_tls_ingress()
    context = authority.trusting()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    refused = counted("version_too_low")
    with pytest.raises(OSError):  # noqa: PT011 (an alert, or the end of the connection)
        async with ingress.connect(ssl=context):
            pass
    await refused()


async def test_A00_FR_322_weak_suites_are_refused(make_tls_ingress, authority, counted):
    ingress = await make_tls_ingress()
    context = authority.trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    refused = counted("no_shared_cipher")
    with pytest.raises(OSError):  # noqa: PT011 (an alert, or the end of the connection)
        async with ingress.connect(ssl=context):
            pass
    await refused()


@pytest.mark.parametrize(("sent", "outcome"), [(REQUEST % b"CP1", "plain_http"), (b"\x00" * 100, "no_tls")])
async def test_what_is_no_tls_is_hung_up_on(make_tls_ingress, counted, sent, outcome):
    ingress = await make_tls_ingress()
    refused = counted(outcome)
    reader, writer = await plain(ingress.server.tls_port)
    writer.write(sent)
    with contextlib.suppress(ConnectionResetError):
        assert not (await reader.read()).startswith(b"HTTP")
    writer.close()
    await refused()
    assert ingress.server.health()["handshakes"] == 0


async def test_a_station_that_does_not_trust_the_server_leaves_no_trace(make_tls_ingress, counted):
    ingress = await make_tls_ingress()
    refused = counted("hung_up")
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        async with ingress.connect(ssl=context):
            pass
    await refused()
    assert ingress.server._connections == {}


async def test_slow_handshakes_are_bounded_in_time_and_number(make_tls_ingress, authority):
    ingress = await make_tls_ingress(tls_handshake_timeout_s=1, tls_handshakes_max=3)
    late = outcomes("late")
    idle = [await plain(ingress.server.tls_port) for _ in range(3)]
    async with ingress.connect(ssl=authority.trusting()) as station:  # waits in the kernel until there is room
        assert station.subprotocol == "ocpp1.6"
    assert outcomes("late") > late
    assert ingress.server._doors.guests <= 3
    for _, writer in idle:
        writer.close()


async def test_a_storm_waits_in_the_kernel(make_tls_ingress, authority):
    ingress = await make_tls_ingress(tls_handshakes_per_s=20)
    loop = asyncio.get_running_loop()
    began = loop.time()
    stations = await asyncio.gather(
        *(ingress.connect(f"/S{n}", ssl=authority.trusting()).__aenter__() for n in range(8))
    )
    assert loop.time() - began > 5 / 20  # two at once, the others one by one
    for station in stations:
        await station.close()


async def test_above_the_bound_of_connections_not_even_tls_is_begun(make_tls_ingress, counted):
    ingress = await make_tls_ingress(connections_max=1, handshakes_max=1)
    waiting = [await plain(ingress.server.port) for _ in range(2)]
    refused = counted("connections_max")
    reader, writer = await plain(ingress.server.tls_port)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    await refused()
    for _, each in [*waiting, (reader, writer)]:
        each.close()


async def test_a_drain_says_good_bye_over_tls(make_tls_ingress, authority):
    ingress = await make_tls_ingress()
    async with ingress.connect(ssl=authority.trusting()) as station:
        half = await plain(ingress.server.tls_port)
        await asyncio.gather(ingress.server.drain(5), station.wait_closed())
        assert station.close_code == 1001
    half[1].close()
    assert ingress.server._connections == {}


async def test_a_port_that_is_taken_is_said(make_tls_ingress):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="cannot be bound"):
        await make_tls_ingress(tls_port=taken.getsockname()[1])


def test_all_of_it_runs_on_uvloop_too(doubles, authority, server_files):
    """What the product runs on: its TLS is another than asyncio's own."""

    async def main():
        actors, book, log, clock = doubles()
        settings = OcppSettings(
            port=0, tls_port=0, tls_certificates=server_files, tls_client_ca=authority.file, tls_handshake_timeout_s=0.5
        )
        book.records["CP1"] = StationRecord("CP1", security_profile=3)
        server = IngressServer(settings, "ingress-1", 1, actors, book, log, clock)
        await server.start()
        url = f"wss://localhost:{server.tls_port}"
        before = {word: outcomes(word) for word in ("late", "plain_http", "certificate_expired")}
        _, idle = await plain(server.tls_port)
        reader, http = await plain(server.tls_port)
        http.write(REQUEST % b"CP1")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        async with connect(
            url + "/CP1", ssl=authority.client("CP1"), subprotocols=["ocpp1.6"], host="127.0.0.1"
        ) as one:
            await one.send('[2,"1","Heartbeat",{}]')
            assert (await one.recv()).startswith('[3,"1"')
            expired = authority.client("CP1", until=now() - DAY)
            with pytest.raises((OSError, InvalidMessage)):
                async with connect(url + "/CP1", ssl=expired, subprotocols=["ocpp1.6"], host="127.0.0.1"):
                    pass
            with pytest.raises(InvalidStatus):
                async with connect(url + "/CP1", ssl=authority.trusting(), host="127.0.0.1"):
                    pass
            while any(outcomes(word) == count for word, count in before.items()):
                await asyncio.sleep(0.01)
        await server.drain(1)
        assert server._connections == {}
        for writer in (idle, http):
            writer.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


# PROXY headers


def v2(source, port, *, tls=False, family=0x11, command=0x21):
    addresses = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + struct.pack("!HH", port, 9000)
    addition = struct.pack("!BHBI", 0x20, 5, 0x01, 0) if tls else b""
    body = addresses + addition
    return SIGNATURE_V2 + struct.pack("!BBH", command, family, len(body)) + body


async def introduced(ingress, header, port=None, identity=b"CP1"):
    """Sends a PROXY header and a request; returns reader and writer."""
    reader, writer = await plain(port or ingress.server.port)
    writer.write(header + REQUEST % identity)
    return reader, writer


@pytest.mark.parametrize("header", [b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 9000\r\n", v2("203.0.113.9", 4711)])
async def test_a_trusted_proxy_introduces_its_clients(make_ingress, header):
    ingress = await make_ingress(proxy_protocol=True, trusted_proxies=["127.0.0.1"])
    reader, writer = await introduced(ingress, header)
    assert await status_line(reader) == ["101"]
    (session,) = ingress.server._by_station.values()
    assert session._opened.address == "203.0.113.9:4711"
    writer.close()


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", v2("203.0.113.9", 1, command=0x20)])
async def test_a_proxy_that_speaks_for_itself_is_the_caller(make_ingress, header):
    ingress = await make_ingress(proxy_protocol=True, trusted_proxies=["127.0.0.1"])
    reader, writer = await introduced(ingress, header)
    assert await status_line(reader) == ["101"]
    (session,) = ingress.server._by_station.values()
    assert session._opened.address.startswith("127.0.0.1:")
    writer.close()


@pytest.mark.parametrize(
    ("settings", "header", "outcome"),
    [
        ({"trusted_proxies": ["10.0.0.0/8"]}, b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 9000\r\n", "proxy_untrusted"),
        ({"trusted_proxies": ["127.0.0.1"]}, b"", "proxy_header_bad"),
        ({"trusted_proxies": ["127.0.0.1"]}, b"PROXY TCP4 nonsense\r\n", "proxy_header_bad"),
    ],
)
async def test_without_a_header_of_a_trusted_proxy_nobody_comes_in(make_ingress, counted, settings, header, outcome):
    ingress = await make_ingress(proxy_protocol=True, **settings)
    refused = counted(outcome)
    reader, writer = await introduced(ingress, header)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    await refused()
    writer.close()


async def test_a_header_that_does_not_come_is_not_waited_for_for_ever(make_ingress, counted):
    ingress = await make_ingress(proxy_protocol=True, trusted_proxies=["127.0.0.1"], tls_handshake_timeout_s=0.2)
    late = counted("proxy_header_late")
    reader, writer = await plain(ingress.server.port)
    writer.write(b"PROXY TCP4 203.")
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    await late()
    writer.close()


async def test_a_header_in_two_pieces_is_one(make_ingress):
    ingress = await make_ingress(proxy_protocol=True, trusted_proxies=["127.0.0.1"])
    reader, writer = await plain(ingress.server.port)
    writer.write(b"PROXY TCP4 203.0.113.9 ")
    await asyncio.sleep(0.05)  # so that it is seen alone
    writer.write(b"127.0.0.1 4711 9000\r\n" + REQUEST % b"CP1")
    assert await status_line(reader) == ["101"]
    writer.close()


async def test_a_header_says_that_the_proxy_spoke_tls(make_ingress):
    ingress = await make_ingress(proxy_protocol=True, trusted_proxies=["127.0.0.1"])
    ingress.book.records["CP1"] = StationRecord("CP1", security_profile=2)
    for tls, status in ((True, "401"), (False, "403")):
        reader, writer = await introduced(ingress, v2("203.0.113.9", 1, tls=tls))
        assert await status_line(reader) == [status]
        writer.close()


async def test_headers_of_http_are_not_believed_when_the_proxy_named_a_stranger(make_ingress):
    ingress = await make_ingress(proxy_protocol=True, trusted_proxies=["127.0.0.1"])
    reader, writer = await plain(ingress.server.port)
    lie = b"X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\n"
    writer.write(v2("203.0.113.9", 5) + (REQUEST % b"CP1").replace(b"Host: x\r\n", b"Host: x\r\n" + lie))
    assert await status_line(reader) == ["101"]
    (session,) = ingress.server._by_station.values()
    assert session._opened.address == "203.0.113.9:5"
    writer.close()


async def test_tls_begins_after_the_header(make_tls_ingress, authority):
    ingress = await make_tls_ingress(proxy_protocol=True, trusted_proxies=["127.0.0.1"])
    ingress.book.records["CP1"] = StationRecord("CP1", security_profile=3)
    sock = socket.create_connection(("127.0.0.1", ingress.server.tls_port))
    sock.sendall(v2("203.0.113.9", 4711))
    async with ingress.connect(ssl=authority.client("CP1"), sock=sock, host=None) as station:
        assert station.subprotocol == "ocpp1.6"
        (session,) = ingress.server._by_station.values()
        assert session._opened.address == "203.0.113.9:4711"
