"""The connection: what WebSocket allows and what closes it."""

import asyncio
import contextlib
import struct

import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from engine.model.sessions import SessionClosed
from ingress.ocpp.listening import Pause

HANDSHAKE = (
    b"GET /CP1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


def masked(text, head=0x81):
    data = text if isinstance(text, bytes) else text.encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
    return bytes([head]) + length + b"\0\0\0\0" + data


async def close_of(ingress):
    """How the session ended, as the actor heard it."""
    await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))
    return ingress.actors.of(SessionClosed)[0]


async def closed_by_us(station):
    with pytest.raises(ConnectionClosed):
        await station.recv()
    return station.close_code


@pytest.mark.parametrize("pieces", [1, 3])
async def test_a_binary_message_is_no_message_and_the_connection_goes_on(ingress, ask, frames, pieces):
    """Closing would only make the station come back and say it again."""
    data = frames.heartbeat().encode() + b"\xff\xfe"
    async with ingress.connect(version="2.0.1") as station:
        await station.send(data if pieces == 1 else [data[:3], data[3:9], data[9:]])
        assert orjson.loads(await station.recv())[:3] == [4, "-1", "RpcFrameworkError"]
        assert (await ask(station, frames.heartbeat("2")))[:2] == [3, "2"]
    [logged] = [message for message in ingress.log.messages if message.kind == "invalid"]
    assert logged.frame == f"<a binary message of {len(data)} bytes>"


async def test_a_message_of_the_largest_size_is_taken(make_ingress, ask, frames):
    ingress = await make_ingress(message_bytes_max=100_000)
    async with ingress.connect() as station:
        text = frames.data("1", "x" * 99_900)
        assert (await ask(station, text))[:2] == [3, "1"]


@pytest.mark.parametrize("pieces", [1, 10])
async def test_a_message_that_is_too_large_closes_with_1009(make_ingress, frames, pieces):
    ingress = await make_ingress(message_bytes_max=100_000)
    async with ingress.connect() as station:
        text = frames.data("1", "x" * 200_000)
        step = len(text) // pieces + 1
        with contextlib.suppress(ConnectionClosed):
            await station.send([text[at : at + step] for at in range(0, len(text), step)] if pieces > 1 else text)
        assert await closed_by_us(station) == 1009
    assert (await close_of(ingress)).code == 1009


async def test_a_message_in_fragments_is_one_message(ingress, frames):
    async with ingress.connect() as station:
        await station.send([*frames.data("1", "süß")])
        assert (await station.recv()).startswith('[3,"1"')


async def test_a_ping_amid_fragments_is_answered(ingress, raw, frames):
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        text = frames.heartbeat()
        writer.write(masked(text[:5], 0x01) + masked(b"hi", 0x89) + masked(text[5:], 0x80))
        assert await reader.readexactly(4) == b"\x8a\x02hi"
        assert (await reader.readexactly(2))[0] == 0x81


async def test_text_that_is_no_utf_8_closes_with_1007(ingress, raw):
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked(b'[2,"1","\xff\xfe",{}]'))
        frame = await reader.read()
        assert frame[0] == 0x88
        assert struct.unpack("!H", frame[2:4]) == (1007,)
    assert (await close_of(ingress)).code == 1007


async def test_an_unmasked_frame_closes_with_1002(ingress, raw):
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\x02[]")
        frame = await reader.read()
        assert struct.unpack("!H", frame[2:4]) == (1002,)


async def test_messages_sent_before_the_handshake_is_answered_are_not_lost(ingress, raw, frames, eventually):
    ingress.book.gate.clear()
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE + masked(frames.heartbeat("1")) + masked(frames.heartbeat("2")))
        await eventually(lambda: ingress.server.health()["handshakes"])
        ingress.book.gate.set()
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        for number in (b"1", b"2"):
            head = await reader.readexactly(2)
            assert (await reader.readexactly(head[1])).startswith(b'[3,"' + number)


async def test_messages_in_one_packet_with_the_close_are_still_delivered(ingress, raw, frames):
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked(frames.heartbeat("1")) + masked(b"\x03\xe8bye", 0x88))
        await reader.read()
    closed = await close_of(ingress)
    assert (closed.code, closed.reason) == (1000, "bye")
    assert [type(event).__name__ for event in ingress.actors.events] == ["SessionOpened", "Reported", "SessionClosed"]


async def test_an_empty_close_is_1005_and_a_lost_connection_1006(ingress, raw):
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked(b"", 0x88))
        assert await reader.read() == b"\x88\x00"
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
    await ingress.actors.until(lambda: len(ingress.actors.of(SessionClosed)) == 2)
    assert [event.code for event in ingress.actors.of(SessionClosed)] == [1005, 1006]


async def test_a_station_that_does_not_answer_the_close_is_cut(make_ingress, raw):
    ingress = await make_ingress(close_timeout_s=0.05)
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        next(iter(ingress.server._connections)).close(1000, "test")
        assert (await reader.readexactly(2))[0] == 0x88
        await reader.readexactly(6)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)


async def test_a_long_reason_is_cut_to_fit(ingress):
    async with ingress.connect() as station:
        next(iter(ingress.server._connections)).close(1000, "ü" * 200)
        await closed_by_us(station)
        assert station.close_reason == "ü" * 61


async def test_a_station_that_does_not_answer_pings_is_closed_and_that_is_on_record(make_ingress, raw):
    ingress = await make_ingress(ping_interval_s=0.5, pong_timeout_s=0.5)
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\x89\x00"
        closed = await close_of(ingress)
    assert closed.code == 1011
    assert "no sign of life" in closed.reason


async def test_a_station_that_answers_pings_stays(make_ingress, ask, frames, eventually):
    ingress = await make_ingress(ping_interval_s=0.5, pong_timeout_s=0.5)
    async with ingress.connect() as station:
        wheel = ingress.server.wheel
        until = wheel.tick + 5
        await eventually(lambda: wheel.tick >= until)
        assert (await ask(station, frames.heartbeat()))[0] == 3


async def test_a_station_that_does_not_read_is_not_read_from_and_closed_in_the_end(make_ingress, raw, frames):
    ingress = await make_ingress(write_stall_s=0.5, messages_per_s=100_000, messages_burst=1_000_000)
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        reader._transport.pause_reading()
        unknown = masked(frames.call("x" * 36, "Unknown" + "n" * 60, {}))
        ended = asyncio.create_task(close_of(ingress))
        while not ended.done():
            writer.write(unknown * 200)
            await asyncio.wait(
                {ended, asyncio.create_task(writer.drain())}, return_when=asyncio.FIRST_COMPLETED, timeout=0.1
            )
        assert (await ended).code == 1008
        writer.transport.abort()


async def test_compression_is_spoken_where_it_is_on(make_ingress, ask, frames):
    ingress = await make_ingress(compression=True)
    async with connect(ingress.url + "/CP1", subprotocols=["ocpp1.6"], compression="deflate") as station:
        assert "permessage-deflate" in station.response.headers["Sec-WebSocket-Extensions"]
        assert (await ask(station, frames.data("1", "x" * 5_000)))[0] == 3
        assert (await ask(station, frames.heartbeat("2")))[:2] == [3, "2"]


async def test_compression_is_declined_where_it_is_off(ingress, ask, frames):
    async with connect(ingress.url + "/CP1", subprotocols=["ocpp1.6"], compression="deflate") as station:
        assert "Sec-WebSocket-Extensions" not in station.response.headers
        assert (await ask(station, frames.heartbeat()))[0] == 3


@pytest.mark.parametrize("step", [1, 3, 7, 130, 100_000])
async def test_frames_are_read_however_the_network_cuts_them(ingress, raw, frames, step):
    sent = [frames.heartbeat("1"), frames.data("2", "x" * 300), frames.heartbeat("3"), frames.data("4", "y" * 70)]
    third = sent[2]
    stream = (
        masked(sent[0])
        + masked(b"hi", 0x89)
        + masked(sent[1])
        + masked(third[:9], 0x01)
        + masked(third[9:], 0x80)
        + masked(sent[3])
    )
    async with raw(ingress) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        for at in range(0, len(stream), step):
            writer.write(stream[at : at + step])
            await writer.drain()
            await asyncio.sleep(0)
        answers = []
        while len(answers) < 5:
            head = await reader.readexactly(2)
            answers.append(await reader.readexactly(head[1]))
    assert answers.index(b"hi") < 4
    assert [orjson.loads(each)[1] for each in answers if each != b"hi"] == ["1", "2", "3", "4"]


async def test_several_reasons_to_pause_must_all_end(ingress, frames):
    async with ingress.connect() as station:
        connection = next(iter(ingress.server._connections))
        connection.pause(Pause.HELD)
        connection.pause(Pause.RATE)
        assert ingress.server.health()["connections_paused"] == 1
        await station.send(frames.heartbeat())
        connection.resume(Pause.HELD)
        connection.resume(Pause.HELD)
        assert connection.deaf
        connection.resume(Pause.RATE)
        assert (await station.recv()).startswith('[3,"1"')
        assert ingress.server.health()["connections_paused"] == 0
