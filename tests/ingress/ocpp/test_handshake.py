"""The handshake: paths, subprotocols, passwords, and every way to be turned away."""

import asyncio
import base64
import contextlib

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.model.stations import StationRecord
from engine.ports import JournalUnavailable
from ingress.ocpp.handshake import Credentials, Refusal, credentials_from, identity_from_path
from ingress.ocpp.passwords import hash_password

PASSWORD = "0123456789abcdef-secret"


@pytest.fixture(scope="module")
def password_hash():
    return hash_password(PASSWORD)


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(user + b":" + password).decode()}


async def refused(connecting):
    """Status, body and headers of the refusal."""
    with pytest.raises(InvalidStatus) as caught:
        async with connecting:
            pass
    response = caught.value.response
    return response.status_code, response.body.decode(), response.headers


# Paths


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/ocpp/CP1", "CP1"),
        ("/CP1", "CP1"),
        ("/ocpp/CP1/", "CP1"),
        ("/CP1/", "CP1"),
        ("/ocpp/CP1?token=x", "CP1"),
        ("/ocpp/a%20b", "a b"),
        ("/ocpp/a%2520b", "a%20b"),
        ("/ocpp/S%C3%BCd-1", "Süd-1"),
        ("/ocpp/RDAM|123", "RDAM|123"),
        ("/ocpp/ocpp", "ocpp"),
        ("/" + "x" * 48, "x" * 48),
    ],
)
def test_the_identity_is_the_last_segment_decoded_once(path, identity):
    assert identity_from_path(path) == identity


@pytest.mark.parametrize(
    "path",
    ["/", "", "//", "/ocpp", "/ocpp/", "/ocpp//", "/ocpp//CP1", "/a/b", "/ocpp/a/b", "/OCPP/a", "CP1", "/ocpp/a:b",
     "/ocpp/a%3Ab", "/ocpp/a%2Fb", "/ocpp/%FF", "/ocpp/a%00b", "/ocpp/a%0Ab", "/" + "x" * 49],
)  # fmt: skip
def test_a_path_without_a_proper_identity_is_not_found(path):
    with pytest.raises(Refusal) as caught:
        identity_from_path(path)
    assert (caught.value.status, caught.value.reason) == (404, "bad_path")


# Credentials


@pytest.mark.parametrize(
    ("header", "credentials"),
    [
        (base64.b64encode(b"CP1:pass"), Credentials(b"CP1", b"pass")),
        (base64.b64encode(b"CP1:pa:ss"), Credentials(b"CP1", b"pa:ss")),
        (base64.b64encode(b"CP1:\xff\x00:"), Credentials(b"CP1", b"\xff\x00:")),
        (base64.b64encode(b"no colon"), None),
        (b"%%%", None),
        (b"", None),
    ],
)
def test_credentials_are_bytes_split_at_the_first_colon(header, credentials):
    assert credentials_from(Headers({"Authorization": "Basic " + header.decode()})) == credentials


def test_the_scheme_is_basic_in_any_case_and_nothing_else():
    word = base64.b64encode(b"a:b").decode()
    assert credentials_from(Headers({"Authorization": f"bAsIc   {word} "})) == Credentials(b"a", b"b")
    assert credentials_from(Headers({"Authorization": f"Bearer {word}"})) is None
    assert credentials_from(Headers({})) is None
    twice = Headers([("Authorization", f"Basic {word}"), ("Authorization", f"Basic {word}")])
    assert credentials_from(twice) is None


# Subprotocols


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["ocpp1.6"], "ocpp1.6"),
        (["ocpp2.0.1"], "ocpp2.0.1"),
        (["ocpp2.1"], "ocpp2.1"),
        (["ocpp0.1", "ocpp1.6"], "ocpp1.6"),
        (["ocpp1.6", "ocpp2.1"], "ocpp1.6"),
        (["ocpp2.1", "ocpp1.6"], "ocpp2.1"),
    ],
)
async def test_the_first_subprotocol_of_the_station_that_we_speak_is_taken(ingress, offered, chosen):
    async with ingress.connect(subprotocols=offered) as station:
        assert station.subprotocol == chosen


@pytest.mark.parametrize("offered", [["ocpp0.1"], ["ocpp1.5", "ocpp2.0"], None])
async def test_without_a_common_subprotocol_the_handshake_completes_and_the_connection_closes(ingress, offered):
    async with ingress.connect(subprotocols=offered) as station:
        assert station.subprotocol is None
        assert "Sec-WebSocket-Protocol" not in station.response.headers
        with pytest.raises(ConnectionClosed):
            await station.recv()
        assert station.close_code == 1002
    assert ingress.actors.batches == []


# HTTP


async def test_a_bad_path_is_404_with_a_text(ingress):
    status, body, _ = await refused(ingress.connect("/a/b/c"))
    assert status == 404
    assert "/ocpp/<identity>" in body


async def test_a_browser_is_told_that_this_is_a_websocket(ingress, raw):
    async with raw(ingress) as (reader, writer):
        writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 426 ")


async def test_rubbish_instead_of_http_is_hung_up_on(ingress, raw):
    async with raw(ingress) as (reader, writer):
        writer.write(b"\x16\x03\x01 tls client hello\r\n\r\n")
        assert await reader.read() == b""


async def test_who_does_not_ask_in_time_is_hung_up_on(make_ingress, raw):
    ingress = await make_ingress(handshake_timeout_s=0.1)
    async with raw(ingress) as (reader, writer):
        writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""


# Who may come in


async def test_an_unknown_station_is_welcome_unless_the_operator_says_otherwise(make_ingress, ingress):
    async with ingress.connect():
        pass
    strict = await make_ingress(unknown_stations="refuse")
    status, body, _ = await refused(strict.connect())
    assert status == 404
    assert "CP1" in body
    strict.book.records["CP1"] = StationRecord("CP1")
    async with strict.connect():
        pass


async def test_a_station_with_a_password_must_present_it(ingress, password_hash):
    ingress.book.records["CP1"] = StationRecord("CP1", security_profile=1, password_hash=password_hash)
    for headers in ({}, basic(b"CP1", b"wrong"), basic(b"CP2", PASSWORD.encode()), basic(b"cp1", PASSWORD.encode()),
                    {"Authorization": "Basic !!"}):  # fmt: skip
        status, _, answer = await refused(ingress.connect(additional_headers=headers))
        assert status == 401
        assert answer["WWW-Authenticate"].startswith("Basic ")
    async with ingress.connect(additional_headers=basic(b"CP1", PASSWORD.encode())):
        pass


async def test_a_password_counts_even_on_profile_0(ingress, password_hash):
    ingress.book.records["CP1"] = StationRecord("CP1", password_hash=password_hash)
    assert (await refused(ingress.connect()))[0] == 401


async def test_a_changed_password_shuts_the_old_one_out(ingress, password_hash):
    ingress.book.records["CP1"] = StationRecord("CP1", security_profile=1, password_hash=password_hash)
    headers = basic(b"CP1", PASSWORD.encode())
    async with ingress.connect(additional_headers=headers):
        pass
    ingress.book.records["CP1"] = StationRecord(
        "CP1", security_profile=1, password_hash=hash_password("another-password")
    )
    assert (await refused(ingress.connect(additional_headers=headers)))[0] == 401


async def test_a_raw_key_of_1_6_opens_the_door(ingress):
    key = bytes.fromhex("00ff3aee20dd30cc40bb50aa60998877")  # with a colon and bytes that are no UTF-8
    ingress.book.records["CP1"] = StationRecord("CP1", security_profile=1, password_hash=hash_password(key.hex()))
    async with ingress.connect(additional_headers=basic(b"CP1", key)):
        pass


async def test_profile_1_without_a_password_set_lets_nobody_in(make_ingress, ingress):
    ingress.book.records["CP1"] = StationRecord("CP1", security_profile=1)
    assert (await refused(ingress.connect(additional_headers=basic(b"CP1", b""))))[0] == 401
    strict = await make_ingress(security_profile_min=1)
    assert (await refused(strict.connect()))[0] == 401


# Not now


@pytest.mark.parametrize(
    "error", [JournalUnavailable("Redis is away"), ConnectionRefusedError("gone"), RuntimeError("a bug")]
)
async def test_a_book_that_cannot_be_read_is_503_with_retry_after(ingress, error):
    ingress.book.error = error
    status, _, headers = await refused(ingress.connect())
    assert (status, headers["Retry-After"]) == (503, "30")


async def test_too_many_handshakes_are_503(make_ingress, eventually):
    ingress = await make_ingress(handshakes_max=1)
    ingress.book.gate.clear()
    first = asyncio.create_task(ingress.connect("/A").__aenter__())
    await eventually(lambda: ingress.server.health()["handshakes"])
    assert (await refused(ingress.connect("/B")))[0] == 503
    ingress.book.gate.set()
    await (await first).close()


async def test_too_many_connections_are_503(make_ingress):
    ingress = await make_ingress(connections_max=1)
    async with ingress.connect("/A"):
        status, body, headers = await refused(ingress.connect("/B"))
        assert (status, headers["Retry-After"]) == (503, "30")
        assert "connections" in body
        async with ingress.connect("/A") as again:  # its old connection may be dead: it takes no more room
            assert again.subprotocol == "ocpp1.6"


async def test_handshakes_wait_for_their_turn(make_ingress):
    ingress = await make_ingress(accepts_per_s=50, accepts_burst=1)
    stations = await asyncio.gather(*(ingress.connect(f"/S{n}").__aenter__() for n in range(5)))
    assert ingress.server.health()["connections"] == 5
    for station in stations:
        await station.close()


async def test_handshakes_that_would_wait_too_long_are_503(make_ingress):
    ingress = await make_ingress(accepts_per_s=0.01, accepts_burst=1)
    async with ingress.connect("/A"):
        assert (await refused(ingress.connect("/B")))[0] == 503


async def test_a_station_that_leaves_during_its_handshake_leaves_no_trace(ingress, raw, eventually):
    ingress.book.gate.clear()
    async with raw(ingress) as (_, writer):
        writer.write(
            b"GET /CP1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
        )
        await eventually(lambda: ingress.server.health()["handshakes"])
    ingress.book.gate.set()
    await eventually(lambda: not (ingress.server.health()["handshakes"] or ingress.server._connections))
    assert ingress.server.health()["connections"] == 0
