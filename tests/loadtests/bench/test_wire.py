"""Frames and messages of the generator, read by others' code."""

import json
import random
from importlib import resources

import pytest
from jsonschema_rs import validator_for
from websockets.datastructures import Headers
from websockets.frames import Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from loadtests.bench import wire

CHANCE = random.Random(1)
MESSAGE = wire.meter_values(b"abcdefgh-000001-7", 12, b"2026-05-01T12:00:00.000Z", 4_000)


def server_frame(payload, opcode=Opcode.TEXT):
    server = ServerProtocol(state=State.OPEN)
    send = server.send_text if opcode is Opcode.TEXT else server.send_ping
    send(payload)
    return b"".join(server.data_to_send())


def handshaken(key, subprotocols=("ocpp1.6",)):
    """The answer of websockets' server to our request."""
    server = ServerProtocol(subprotocols=subprotocols)
    server.receive_data(wire.handshake("127.0.0.1", 9000, "/ocpp/A", key))
    [request] = server.events_received()
    server.send_response(server.accept(request))
    return server, b"".join(server.data_to_send())


def test_the_message_obeys_the_official_schema():
    schema = json.loads(resources.files("ocpp.v16").joinpath("schemas/MeterValues.json").read_text("utf-8-sig"))
    kind, message_id, action, payload = json.loads(MESSAGE)
    assert (kind, message_id, action) == (2, "abcdefgh-000001-7", "MeterValues")
    validator_for(schema).validate(payload)
    [values] = payload["meterValue"]
    assert len(values["sampledValue"]) == wire.SAMPLED_VALUES
    assert payload["transactionId"] == 12
    assert values["sampledValue"][0]["value"] == "4000"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 500, 65_535, 65_536, 70_000])
def test_a_frame_of_any_size_is_read_by_a_server_as_it_was_meant(size):
    server, _ = handshaken(wire.handshake_key(CHANCE))
    payload = CHANCE.randbytes(size).hex()[:size].encode()
    server.receive_data(wire.client_frame(payload, CHANCE))
    [frame] = server.events_received()
    assert (frame.opcode, bytes(frame.data)) == (Opcode.TEXT, payload)


def test_no_two_frames_have_the_same_mask():
    assert wire.client_frame(MESSAGE, CHANCE)[4:8] != wire.client_frame(MESSAGE, CHANCE)[4:8]


def test_a_sound_handshake_is_accepted():
    key = wire.handshake_key(CHANCE)
    head, _, rest = handshaken(key)[1].partition(b"\r\n\r\n")
    wire.check_handshake(head, key)
    assert rest == b""


def test_the_answer_to_another_key_is_refused():
    head = handshaken(wire.handshake_key(CHANCE))[1].partition(b"\r\n\r\n")[0]
    with pytest.raises(wire.Broken, match="another's key"):
        wire.check_handshake(head, wire.handshake_key(CHANCE))


def test_a_server_without_the_subprotocol_is_refused():
    key = wire.handshake_key(CHANCE)
    server = ServerProtocol()
    request = Request("/", Headers({"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}))
    request.headers["Sec-WebSocket-Key"] = key.decode()
    server.send_response(server.accept(request))
    with pytest.raises(wire.Broken, match=r"does not speak ocpp1\.6"):
        wire.check_handshake(b"".join(server.data_to_send()).partition(b"\r\n\r\n")[0], key)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30", "HTTP 503"),
        (b"HTTP/1.1", "no answer in HTTP"),
        (b"SSH-2.0-OpenSSH", "no answer in HTTP"),
        (b"", "no answer in HTTP"),
    ],
)
def test_a_refusal_says_what_came(head, why):
    with pytest.raises(wire.Broken, match=why):
        wire.check_handshake(head, b"key")


def test_the_usual_reply_is_recognised_and_nothing_else():
    reply = server_frame(b'[3,"id-1",{}]')
    assert wire.usual_reply_to(reply, b"id-1")
    for other in (
        server_frame(b'[3,"id-12",{}]'),
        server_frame(b'[3,"id-2",{}]'),
        server_frame(b'[4,"id-1","InternalError","",{}]'),
        server_frame(b'[3, "id-1", {}]'),
        server_frame(b'[3,"id-1",{}]', Opcode.PING),
        reply + reply,
        reply[:-1],
        b'\x81\x08[3,"id-1',
        b"\x81",
        b"",
    ):
        assert not wire.usual_reply_to(other, b"id-1")


def test_frames_in_pieces_come_out_whole_and_in_order():
    whole = server_frame(b"x" * 10) + server_frame(b"y" * 200) + server_frame(b"z" * 70_000)
    whole += server_frame(b"ping", Opcode.PING)
    buffer, found = bytearray(), []
    for start in range(0, len(whole), 997):
        buffer += whole[start : start + 997]
        found += wire.frames(buffer)
    assert found == [(1, b"x" * 10), (1, b"y" * 200), (1, b"z" * 70_000), (9, b"ping")]
    assert not buffer


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x01\x01a", "fragmented"),
        (b"\x81\x81\0\0\0\0a", "masked"),
        (b"\x81\x7f" + (2**40).to_bytes(8, "big"), "bytes"),
    ],
)
def test_what_no_server_may_send_is_refused(data, why):
    with pytest.raises(wire.Broken, match=why):
        list(wire.frames(bytearray(data)))


def test_a_call_is_a_json_array():
    assert json.loads(wire.call(b"7", "Heartbeat", {})) == [2, "7", "Heartbeat", {}]
