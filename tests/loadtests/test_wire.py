"""The WebSocket client: what comes whole, in parts, slowly, badly, or not at all. Against real sockets."""

import asyncio
import contextlib
import ssl

import pytest
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import CloseCode
from websockets.uri import parse_uri

from loadtests import wire as wire_module
from loadtests.wire import Handshake, open_wire


class Ear:
    """Hears what the wire says."""

    def __init__(self):
        self.messages = []
        self.said = []
        self.news = asyncio.Event()

    def wire_opened(self, _wire):
        self._note("opened")

    def wire_message(self, message):
        self.messages.append(bytes(message))
        self.news.set()

    def wire_down(self):
        self._note("down")

    def wire_lost(self):
        self._note("lost")

    def _note(self, what):
        self.said.append(what)
        self.news.set()

    async def until(self, true):
        while not true():
            self.news.clear()
            await self.news.wait()


@contextlib.asynccontextmanager
async def server(handler, **options):
    sockets = []

    async def handle(socket):
        sockets.append(socket)
        with contextlib.suppress(ConnectionClosed):
            await handler(socket)

    async with serve(
        handle, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None, ping_interval=None, **options
    ) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/ocpp/ST"
        for socket in sockets:
            socket.transport.abort()
            await socket.wait_closed()


@contextlib.asynccontextmanager
async def raw_server(serve_one):
    """Bytes, not WebSocket."""
    tasks, writers = [], []

    async def connected(reader, writer):
        tasks.append(asyncio.current_task())
        writers.append(writer)
        with contextlib.suppress(ConnectionError):
            await serve_one(reader, writer)
        writer.close()

    running = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/ocpp/ST"
    finally:
        running.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await running.wait_closed()


def handshake(url, **changes):
    return Handshake(parse_uri(url), "ocpp1.6", {}, **changes)


async def echo(socket):
    async for frame in socket:
        await socket.send(frame)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
async def test_messages_of_every_length_come_back_as_they_went(size):
    async with server(echo) as url:
        ear = Ear()
        wire = await open_wire(handshake(url), ear)
        assert wire.subprotocol == "ocpp1.6"
        assert wire.send(b"x" * size)
        await ear.until(lambda: ear.messages)
        wire.abort()
        await ear.until(lambda: "lost" in ear.said)
    assert ear.messages == [b"x" * size]
    assert ear.said == ["opened", "down", "lost"]


async def test_a_fragmented_message_is_one_message():
    async def speak(socket):
        await socket.send(["[3,", '"1",', "{}]"])
        await socket.wait_closed()

    async with server(speak) as url:
        ear = Ear()
        wire = await open_wire(handshake(url), ear)
        await ear.until(lambda: ear.messages)
        wire.abort()
    assert ear.messages == [b'[3,"1",{}]']


async def test_binary_goes_out_as_binary():
    got = asyncio.get_running_loop().create_future()

    async def hear(socket):
        got.set_result(await socket.recv())

    async with server(hear) as url:
        wire = await open_wire(handshake(url), Ear())
        wire.send_binary(b"\x00\xff")
        assert await got == b"\x00\xff"
        wire.abort()


async def test_pings_are_answered_without_a_word_to_the_listener():
    answered = asyncio.Event()

    async def ping(socket):
        await (await socket.ping())
        answered.set()
        await socket.wait_closed()

    async with server(ping) as url:
        ear = Ear()
        wire = await open_wire(handshake(url), ear)
        await answered.wait()
        wire.abort()
    assert ear.messages == []


async def test_a_close_of_the_csms_is_answered_and_ends_the_connection():
    codes = []

    async def leave(socket):
        await socket.close(1012, "restart")
        codes.append((socket.close_code, socket.state.name))

    async with server(leave) as url:
        ear = Ear()
        wire = await open_wire(handshake(url), ear)
        await ear.until(lambda: "lost" in ear.said)
        assert not wire.send(b"late")
        assert wire.gone
    assert codes == [(1012, "CLOSED")]
    assert ear.said == ["opened", "down", "lost"]


async def test_our_close_says_why_and_ends_the_connection():
    seen = []

    async def hear(socket):
        with contextlib.suppress(ConnectionClosed):
            await socket.recv()
        seen.append(socket.close_code)

    async with server(hear) as url:
        ear = Ear()
        wire = await open_wire(handshake(url), ear)
        wire.close(CloseCode.GOING_AWAY)
        await ear.until(lambda: "lost" in ear.said)
    assert seen == [1001]


async def test_a_csms_that_never_closes_is_cut_off(monkeypatch):
    monkeypatch.setattr(wire_module, "CLOSE_S_MAX", 0.05)
    upgraded = asyncio.Event()

    async def deaf(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(_upgrade(request))
        upgraded.set()
        await asyncio.sleep(60)

    async with raw_server(deaf) as url:
        ear = Ear()
        wire = await open_wire(handshake(url), ear)
        wire.close(CloseCode.GOING_AWAY)
        await ear.until(lambda: "lost" in ear.said)


def _upgrade(request, more=b""):
    from websockets.utils import accept_key  # noqa: PLC0415

    key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Accept: "
        + accept_key(key.decode()).encode()
        + b"\r\n\r\n"
        + more
    )


async def test_a_message_in_the_same_packet_as_the_upgrade_is_not_lost():
    async def hasty(reader, writer):
        writer.write(_upgrade(await reader.readuntil(b"\r\n\r\n"), b"\x81\x02[]"))
        await asyncio.sleep(60)

    async with raw_server(hasty) as url:
        ear = Ear()
        wire = await open_wire(handshake(url), ear)
        await ear.until(lambda: ear.messages)
        wire.abort()
    assert ear.said[0] == "opened"
    assert ear.messages == [b"[]"]


async def test_a_refused_upgrade_tells_its_status():
    async with server(echo, process_request=lambda socket, _: socket.respond(404, "who?\n")) as url:
        with pytest.raises(InvalidStatus) as caught:
            await open_wire(handshake(url), Ear())
    assert caught.value.response.status_code == 404


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
async def test_who_does_not_speak_websocket_is_an_error_not_a_hang(answer):
    async def other(_reader, writer):
        writer.write(answer)
        await writer.drain()

    async with raw_server(other) as url:
        with pytest.raises((InvalidHandshake, OSError)):
            await open_wire(handshake(url), Ear())


async def test_a_csms_that_never_answers_the_handshake_is_given_up(monkeypatch):
    monkeypatch.setattr(wire_module, "OPEN_S_MAX", 0.05)

    async def mute(_reader, _writer):
        await asyncio.sleep(60)

    async with raw_server(mute) as url:
        with pytest.raises(TimeoutError):
            await open_wire(handshake(url), Ear())


async def test_nobody_listening_is_refused():
    with pytest.raises(OSError, match=r"Connect|refused"):
        await open_wire(handshake("ws://127.0.0.1:9/ocpp/ST"), Ear())


async def test_who_does_not_speak_tls_is_refused_where_tls_is_asked_for():
    async def plain(_reader, writer):
        writer.write(b"not TLS")
        await writer.drain()

    async with raw_server(plain) as url:
        with pytest.raises(ssl.SSLError):
            await open_wire(handshake(url.replace("ws://", "wss://")), Ear())


async def test_a_source_address_is_where_it_comes_from():
    came = []

    async def look(socket):
        came.append(socket.remote_address[0])
        await socket.wait_closed()

    async with server(look) as url:
        ear = Ear()
        wire = await open_wire(handshake(url, source="127.0.0.9"), ear)
        wire.abort()
        await ear.until(lambda: "lost" in ear.said)
    assert came == ["127.0.0.9"]


async def test_a_slow_reader_gets_all_in_order_but_not_at_once():
    async def speak(socket):
        for number in range(6):
            await socket.send(f"[{number}]")
        await socket.wait_closed()

    async with server(speak) as url:
        ear = Ear()
        ear.wire_opened = lambda wire: wire.read_slowly(50.0)
        loop = asyncio.get_running_loop()
        began = loop.time()
        wire = await open_wire(handshake(url), ear)
        await ear.until(lambda: len(ear.messages) == 6)
        took_s = loop.time() - began
        wire.abort()
    assert ear.messages == [f"[{number}]".encode() for number in range(6)]
    assert took_s >= 5 / 50.0


async def test_who_reads_nothing_shuts_the_window_of_the_csms():
    stuck = asyncio.Event()

    async def flood(socket):
        with contextlib.suppress(ConnectionClosed):
            while True:
                sending = asyncio.ensure_future(socket.send("x" * 65_536))
                done, _ = await asyncio.wait([sending], timeout=0.3)
                if not done:
                    stuck.set()
                    sending.cancel()
                    return

    async with server(flood, write_limit=32_768, close_timeout=0.05) as url:
        ear = Ear()
        ear.wire_opened = lambda wire: wire.read_slowly(0.0)
        wire = await open_wire(handshake(url), ear)
        await stuck.wait()
        wire.abort()
    assert ear.messages == []


async def test_a_vanished_wire_is_silent_and_its_connection_stays_until_its_time():
    pinged = asyncio.Event()
    ended = asyncio.Event()

    async def ping(socket):
        await socket.recv()
        waiter = await socket.ping()
        done, _ = await asyncio.wait([asyncio.ensure_future(waiter)], timeout=0.1)
        assert not done
        pinged.set()
        await socket.wait_closed()
        ended.set()

    async with server(ping) as url:
        ear = Ear()
        wire = await open_wire(handshake(url), ear)
        wire.send(b"the last word")
        wire.vanish(0.3)
        await pinged.wait()
        await ended.wait()
    assert ear.said == ["opened"]
