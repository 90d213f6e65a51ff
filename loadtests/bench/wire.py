"""The generator's side of the wire: a handshake, masked frames, MeterValues; and what comes back, read fast.

Written by hand because the generator shares its cores with what it measures: each microsecond here is one less there.
Every frame carries a fresh random mask, as RFC 6455 section 5.3 demands. Replies of the usual form are recognised by
comparison; everything else goes through a parser.
"""

import base64
import hashlib
from collections.abc import Iterator
from random import Random

import orjson
from websockets.frames import Opcode
from websockets.speedups import apply_mask

SUBPROTOCOL = "ocpp1.6"
HEAD_BYTES_MAX = 16_384
"""Of an answer to a handshake."""
FRAME_BYTES_MAX = 1_048_576
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FINAL = 0x80
_MASKED = 0x80
_TEXT_FRAME = _FINAL | Opcode.TEXT
_LENGTH_16, _LENGTH_64 = 126, 127
_REPLY_START = b'[3,"'

_METER_VALUES = (
    b'[2,"%b","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%b","sampledValue":['
    b'{"value":"%d","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","location":"Outlet",'
    b'"unit":"Wh"},'
    b'{"value":"11040.0","context":"Sample.Periodic","measurand":"Power.Active.Import","location":"Outlet","unit":"W"},'
    b'{"value":"16.0","context":"Sample.Periodic","measurand":"Current.Import","phase":"L1","location":"Outlet",'
    b'"unit":"A"},'
    b'{"value":"16.0","context":"Sample.Periodic","measurand":"Current.Import","phase":"L2","location":"Outlet",'
    b'"unit":"A"},'
    b'{"value":"16.0","context":"Sample.Periodic","measurand":"Current.Import","phase":"L3","location":"Outlet",'
    b'"unit":"A"}]}]}]'
)
SAMPLED_VALUES = 5
"""Values in each MeterValues, so rows in PostgreSQL for each message."""


class Broken(Exception):  # noqa: N818 (what the peer did, not a fault of ours)
    """The peer said what a WebSocket server does not say; the message tells what."""


def meter_values(message_id: bytes, transaction: int, timestamp: bytes, register_wh: int) -> bytes:
    """A MeterValues call of OCPP 1.6 with five sampled values: energy register, power, current of three phases."""
    return _METER_VALUES % (message_id, transaction, timestamp, register_wh)


def handshake(host: str, port: int, path: str, key: bytes, more: str = "") -> bytes:
    """The opening request; `key`: 16 random bytes in base64; `more`: further header lines, each with its end."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n"
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n{more}\r\n"
    ).encode()


def handshake_key(chance: Random) -> bytes:
    """A key for `handshake`."""
    return base64.b64encode(chance.randbytes(16))


def check_handshake(head: bytes, key: bytes) -> None:
    """Judges the answer to a handshake, without its empty line at the end.

    Raises:
        Broken: It was refused (the message begins with `HTTP` and the status), or it is not an answer to ours.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1."):
        raise Broken(f"no answer in HTTP/1.1 to the handshake: {first[:80]!r}")
    if words[1] != "101":
        raise Broken(f"HTTP {words[1]}")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    # SHA-1 is what RFC 6455 section 4.2.2 names; nothing is kept secret by it.
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()
    if headers.get("sec-websocket-accept") != accept:
        raise Broken("the handshake's answer is to another's key")
    if headers.get("sec-websocket-protocol") != SUBPROTOCOL:
        raise Broken(f"the server does not speak {SUBPROTOCOL}")


def client_frame(payload: bytes, chance: Random, opcode: int = Opcode.TEXT) -> bytes:
    """A whole frame of a client, masked with four bytes of `chance`."""
    mask = chance.getrandbits(32).to_bytes(4, "big")
    size = len(payload)
    if size < _LENGTH_16:
        head = bytes((_FINAL | opcode, _MASKED | size))
    elif size < 65_536:
        head = bytes((_FINAL | opcode, _MASKED | _LENGTH_16, size >> 8, size & 0xFF))
    else:
        head = bytes((_FINAL | opcode, _MASKED | _LENGTH_64)) + size.to_bytes(8, "big")
    return head + mask + apply_mask(payload, mask)


def usual_reply_to(data: bytes, message_id: bytes) -> bool:
    """Whether these bytes are exactly one short frame with a CALLRESULT to this call. False: look with `frames`."""
    if len(data) < 2 or data[0] != _TEXT_FRAME or data[1] != len(data) - 2:
        return False
    return (
        data.startswith(_REPLY_START, 2)
        and data.startswith(message_id, 6)
        and data.startswith(b'"', 6 + len(message_id))
    )


def frames(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Takes all whole frames of a server out of the buffer, as (opcode, payload); a part of one stays in it.

    Raises:
        Broken: A frame that is masked, fragmented or larger than `FRAME_BYTES_MAX`.
    """
    while len(buffer) >= 2:
        if not buffer[0] & _FINAL:
            raise Broken("a fragmented message; this generator reads whole ones")
        if buffer[1] & _MASKED:
            raise Broken("a masked frame of a server (RFC 6455 section 5.1 forbids it)")
        size, start = buffer[1], 2
        if size == _LENGTH_16:
            start, size = 4, int.from_bytes(buffer[2:4], "big")
        elif size == _LENGTH_64:
            start, size = 10, int.from_bytes(buffer[2:10], "big")
        if len(buffer) < start:
            return
        if size > FRAME_BYTES_MAX:
            raise Broken(f"a frame of {size} bytes")
        if len(buffer) < start + size:
            return
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        yield opcode, payload


def call(message_id: bytes, action: str, payload: dict[str, object]) -> bytes:
    """Any call, for what is not measured."""
    return orjson.dumps([2, message_id.decode(), action, payload])
