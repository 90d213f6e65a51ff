"""Framing: the two things that are done with nearly every WebSocket frame, without the library's detours.

Where a frame begins and ends, and how a short text is written (RFC 6455 section 5.2). Everything that is not a whole,
final, masked text frame is left to `websockets`.
"""

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # it is C where there is a wheel

_TEXT_FINAL = 0x81
_MASKED = 0x80
_LENGTH = 0x7F


def bounds(data: bytes, position: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `position` begins and ends (perhaps behind `data`); None: half a header."""
    left = len(data) - position
    if left < 2:
        return None
    second = data[position + 1]
    length = second & _LENGTH
    header = 6 if second & _MASKED else 2
    if length > 125:
        wide = 2 if length == 126 else 8
        length = int.from_bytes(data[position + 2 : position + 2 + wide])
        header += wide
    if left < header:
        return None
    return position + header, position + header + length


def is_plain_text(data: bytes, position: int) -> bool:
    """Whether the frame at `position` is a final, masked text frame without extensions."""
    return data[position] == _TEXT_FINAL and data[position + 1] & _MASKED != 0


def payload(data: bytes, start: int, end: int) -> bytes:
    """A masked payload in the clear; its mask is in front of it."""
    clear: bytes = apply_mask(data[start:end], data[start - 4 : start])
    return clear


def text_frame(payload: bytes) -> bytes:
    """What `ServerProtocol.send_text` would write, at a fifth of its price."""
    length = len(payload)
    if length < 126:
        return bytes((_TEXT_FINAL, length)) + payload
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


def told_of_binary(binary: bytes | bytearray | memoryview) -> bytes:
    """The text that stands for a binary message: OCPP-J has none, and it is told so like any text that is no frame.

    RFC 6455 section 7.4.1 lets us close with 1003 instead; then the station comes back and says it again, for ever.
    """
    return b"<a binary message of %d bytes>" % len(binary)
