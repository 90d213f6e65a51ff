"""Framing: bounds of frames as websockets writes them, and texts as it reads them."""

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from ingress.ocpp.framing import bounds, is_plain_text, payload, text_frame

LENGTHS = (0, 1, 125, 126, 65_535, 65_536)


def written(length, *, mask=True, **frame):
    return Frame(frame.pop("opcode", Opcode.TEXT), b"x" * length, **frame).serialize(mask=mask)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("mask", [True, False])
def test_bounds_are_those_of_the_frame_wherever_it_begins(length, mask):
    frame = written(length, mask=mask)
    for before in (b"", b"other frames"):
        start, end = bounds(before + frame + b"more", len(before))
        assert (end - start, end) == (length, len(before) + len(frame))


@pytest.mark.parametrize("length", LENGTHS)
def test_half_a_header_has_no_bounds_and_a_whole_one_has(length):
    frame = written(length)
    header = len(frame) - length
    assert [bounds(frame[:size], 0) for size in range(header)] == [None] * header
    assert bounds(frame[:header], 0) == (header, len(frame))


def test_only_a_final_masked_text_frame_is_plain():
    assert is_plain_text(written(3), 0)
    assert not is_plain_text(written(3, mask=False), 0)
    assert not is_plain_text(written(3, opcode=Opcode.BINARY), 0)
    assert not is_plain_text(written(3, fin=False), 0)
    assert not is_plain_text(b"\xc1" + written(3)[1:], 0), "the first reserved bit: a compressed message"


@pytest.mark.parametrize("length", LENGTHS)
def test_a_station_reads_our_text_frames(length):
    station = ClientProtocol(parse_uri("ws://127.0.0.1/"), state=OPEN)
    station.receive_data(text_frame(b"x" * length))
    assert [(frame.opcode, bytes(frame.data)) for frame in station.events_received()] == [(Opcode.TEXT, b"x" * length)]


def test_a_payload_comes_out_clear():
    frame = Frame(Opcode.TEXT, "süß".encode()).serialize(mask=True)
    assert payload(b"before" + frame, 6 + 6, 6 + len(frame)) == "süß".encode()
