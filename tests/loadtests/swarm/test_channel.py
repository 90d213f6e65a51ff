"""The WebSocket for greenlets, against `websockets`' own server."""

import asyncio
import contextlib
import shutil
import ssl

import pytest
from websockets.asyncio.server import basic_auth, serve

from loadtests.swarm.channel import ConnectFailed, ConnectionLost, Door, open_channel
from loadtests.swarm.options import Options
from tests.loadtests.swarm.greens import in_greenlets

OCPP = "ocpp1.6"


@contextlib.asynccontextmanager
async def served(handler, scheme="ws", **settings):
    async with serve(handler, "127.0.0.1", 0, subprotocols=[OCPP], close_timeout=0.1, **settings) as server:
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"


async def echo(socket):
    async for message in socket:
        await socket.send(message)


def talk(door, *messages):
    def play():
        channel = open_channel(door, "ONE", OCPP)
        heard = []
        for message in messages:
            channel.send(message)
            heard.append(channel.receive())
        channel.close()
        return heard

    return in_greenlets(play)


def why(door):
    def play():
        with pytest.raises(ConnectFailed) as caught:
            open_channel(door, "ONE", OCPP)
        return str(caught.value)

    return in_greenlets(play)


async def test_messages_come_back_whole_in_order_and_of_any_size():
    messages = [b"[]", b"x" * 200_000, "ä€".encode()]
    async with served(echo) as url:
        assert await talk(Door(url), *messages) == messages


async def test_a_fragmented_message_is_one():
    async def handler(socket):
        await socket.recv()
        await socket.send(["[3,", '"a",', "{}]"])

    async with served(handler) as url:
        assert await talk(Door(url), b"go") == [b'[3,"a",{}]']


async def test_the_identity_is_quoted_and_authenticated():
    asked = []

    async def handler(socket):
        asked.append(socket.request.path)
        await echo(socket)

    async with served(handler, process_request=basic_auth(credentials=("A B", "secret"))) as url:
        door = Door(url, password="secret")
        await in_greenlets(lambda: open_channel(door, "A B", OCPP).close())
        assert await why(door) == "HTTP 401"  # the identity is the user
    assert asked == ["/ocpp/A%20B"]


async def test_refusals_say_why_and_nothing_that_differs_by_station():
    async with served(echo, process_request=lambda socket, _: socket.respond(503, "full")) as url:
        assert await why(Door(url)) == "HTTP 503"
    assert await why(Door(url)) == "Connection refused"
    async with served(echo, select_subprotocol=lambda *_: None) as url:
        assert "subprotocol None" in await why(Door(url))


async def test_a_peer_that_hangs_in_the_handshake_is_given_up():
    gone = asyncio.Event()

    async def stalled(reader, writer):
        await reader.read(-1)  # until the station gives up
        writer.close()
        gone.set()

    async with await asyncio.start_server(stalled, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await why(Door(f"ws://127.0.0.1:{port}/ocpp", answer_s_max=0.2)) == "no connection within 0.2 s"
        await gone.wait()


async def test_the_end_is_told_to_who_reads_and_who_sends():
    async def handler(socket):
        await socket.send("last")
        await socket.close(1012)

    def play(door):
        channel = open_channel(door, "ONE", OCPP)
        assert channel.receive() == b"last"
        with pytest.raises(ConnectionLost, match="closed by the CSMS with 1012"):
            channel.receive()
        with pytest.raises(ConnectionLost):
            channel.send(b"late")
        channel.abort()

    async with served(handler) as url:
        await in_greenlets(lambda: play(Door(url)))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
async def test_tls_is_checked_unless_told_otherwise(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-subj", "/CN=csms", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with served(echo, "wss", ssl=context) as url:
        assert await talk(Door(url, Options(ca_file=str(certificate)).tls()), b"hello") == [b"hello"]
        assert await talk(Door(url, Options(insecure=True).tls()), b"hello") == [b"hello"]
        assert "CERTIFICATE_VERIFY_FAILED" in await why(Door(url, Options().tls()))
