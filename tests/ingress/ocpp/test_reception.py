"""The reception: handshakes that are odd, and stations known for it."""

import pytest

from engine.model.stations import StationRecord


async def test_a_station_that_names_no_subprotocol_can_be_taken_for_1_6(ingress, ask, frames):
    ingress.book.records["CP1"] = StationRecord("CP1", assume_ocpp16=True)
    async with ingress.connect(subprotocols=None) as silent:
        assert "Sec-WebSocket-Protocol" not in silent.response.headers
        assert (await ask(silent, frames.heartbeat("1")))[0] == 3
    assert ingress.server.health()["connections_by_version"] is not None


async def test_a_station_that_names_a_wrong_subprotocol_is_not_taken_for_1_6(ingress):
    ingress.book.records["CP1"] = StationRecord("CP1", assume_ocpp16=True)
    async with ingress.connect(subprotocols=["ocpp0.1"]) as odd:
        await odd.wait_closed()
        assert odd.close_code == 1002


HALF = (
    b"GET /CP1 HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Version: 13\r\n%b"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


@pytest.mark.parametrize(
    "headers", [b"", b"Upgrade: websocket\r\n", b"Connection: keep-alive\r\nUpgrade: websocket\r\n"]
)
@pytest.mark.parametrize("lenient", [True, False])
async def test_a_handshake_without_upgrade_headers_is_taken_only_from_stations_known_for_it(
    ingress, raw, headers, lenient
):
    ingress.book.records["CP1"] = StationRecord("CP1", lenient_upgrade=lenient)
    async with raw(ingress) as (reader, writer):
        writer.write(HALF % headers)
        line = await reader.readline()
    assert line.split()[1] == (b"101" if lenient else b"426")


async def test_a_station_known_for_both_may_lack_both(ingress, raw):
    ingress.book.records["CP1"] = StationRecord("CP1", lenient_upgrade=True, assume_ocpp16=True)
    async with raw(ingress) as (reader, writer):
        writer.write(HALF.replace(b"Sec-WebSocket-Protocol: ocpp1.6\r\n", b"") % b"")
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101")
    assert b"Sec-WebSocket-Accept" in head
    assert b"Sec-WebSocket-Protocol" not in head


async def test_what_lacks_more_than_that_is_no_handshake(ingress, raw):
    ingress.book.records["CP1"] = StationRecord("CP1", lenient_upgrade=True)
    async with raw(ingress) as (reader, writer):
        writer.write(b"GET /CP1 HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Version: 13\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"426"


async def test_a_bug_in_one_handshake_is_503_and_stops_nobody_else(ingress, raw):
    ingress.book.error = RuntimeError("a bug")
    async with raw(ingress) as (reader, writer):
        writer.write(HALF % b"Connection: Upgrade\r\nUpgrade: websocket\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert head.startswith("HTTP/1.1 503")
    assert "Retry-After: 30" in head
    ingress.book.error = None
    async with ingress.connect():
        pass
