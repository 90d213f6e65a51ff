"""Mutations: what can be wrong with a frame, from one bit to its whole shape. Each takes a sound frame and spoils it.

Three tables, by what they spoil: `OF_VALUES` (the payload, which stays JSON), `OF_FRAMES` (the array around it) and
`OF_TEXTS` (the bytes on the wire).
"""

from collections.abc import Callable
from random import Random
from typing import Any

import orjson

from loadtests.fuzz.payloads import anything

Frame = list[Any]
_LONG = 3_000
_DEEP = (5, 90, 99, 101, 200, 1_100, 5_000)
_WRONG_TYPES: tuple[Any, ...] = (0, 1, 5, 6, 7, -2, 2.0, "2", True, None, [], {}, 2**70, 10**30)
_WRONG_IDS: tuple[Any, ...] = (
    None, "", 0, -1, 7, 1.5, 10**40, 2**63, True, [], {}, ["x"], "x" * 36, "x" * 37, "x" * 255, "x" * 5_000, "\x00",
    "-1", "🔌" * 36, '"', "\\", "\ud7ff", " ",
)  # fmt: skip
_WRONG_ACTIONS: tuple[Any, ...] = (
    "", None, 5, [], {}, True, "heartbeat", "Heartbeat ", "MakeCoffee", "🔌", "A" * 5_000, "\x00", "__class__",
    "Reset", "StartTransaction", "TransactionEvent", "NotifyPeriodicEventStream", "GetVariables",
)  # fmt: skip
_WRONG_PAYLOADS: tuple[Any, ...] = (None, [], [1], "", "x", 0, 1.5, True, [{}], [[[]]], {"": {}}, {"a": None})
_RAW_VALUES = (
    b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"1" + b"0" * 400, b"18446744073709551616", b"0x10",
    b"01", b"1.", b".5", b"+1", b'"\\ud800"', b'"\\u0000"', b"'x'", b"undefined", b"/* */ 1", b'"\t"', b"1E-999",
    b'"\\udc00\\ud800"', b"-0", b"1e-400", b"9007199254740993", b"-9223372036854775809",
)  # fmt: skip
_RAW_PIECES = (
    b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xef\xbb\xbf", b"{", b"}",
    b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"null", b"\n", b"\xe2\x80\xa8",
)  # fmt: skip


def _places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """All places inside a value that can be written to: (container, key)."""
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        found.append((value, key))
        if isinstance(inner, dict | list):
            _places(inner, found)
    return found


def _place(chance: Random, payload: Any) -> tuple[Any, Any]:
    """One place of the payload; it is given a field where it has none."""
    places = _places(payload, [])
    if not places:
        payload["x"] = None
        return payload, "x"
    return chance.choice(places)


# Of values


def _any_value(chance: Random, payload: Any) -> None:
    container, key = _place(chance, payload)
    container[key] = anything(chance)


def _wrong_kind(chance: Random, payload: Any) -> None:
    container, key = _place(chance, payload)
    value = container[key]
    match value:
        case str():
            container[key] = chance.choice(
                (0, True, None, [value], {"value": value}, value.upper(), value.lower() + " ")
            )
        case bool() | int() | float():
            container[key] = chance.choice((str(value), [value], None, not value, -value, value + 0.5))
        case list():
            container[key] = chance.choice(({}, [], None, "x", value[0] if value else 1, [None, *value], value * 3))
        case _:
            container[key] = chance.choice(([value], [], None, "x", {}, orjson.dumps(value).decode()))


def _missing(chance: Random, payload: Any) -> None:
    container, key = _place(chance, payload)
    del container[key]


def _surplus(chance: Random, payload: Any) -> None:
    containers = [payload, *(inner[key] for inner, key in _places(payload, []) if isinstance(inner[key], dict))]
    chance.choice(containers)[chance.choice(("x", "", "customdata", "transactionID", "🔌", "a" * 200))] = anything(
        chance
    )


def _too_long(chance: Random, payload: Any) -> None:
    container, key = _place(chance, payload)
    container[key] = chance.choice(("x" * _LONG, "🔌" * _LONG, [container[key]] * 200, 2**62, 10**18))


def _nested(chance: Random, payload: Any) -> None:
    container, key = _place(chance, payload)
    value = container[key]
    for _ in range(chance.choice((1, 10, 60, 95, 100, 120))):
        value = [value] if chance.random() < 0.5 else {"x": value}
    container[key] = value


def _exchanged(chance: Random, payload: Any) -> None:
    (one, first), (other, second) = _place(chance, payload), _place(chance, payload)
    values = orjson.loads(orjson.dumps([one[first], other[second]], option=orjson.OPT_NON_STR_KEYS))
    one[first], other[second] = values[1], values[0]


OF_VALUES: dict[str, Callable[[Random, Any], None]] = {
    "any value": _any_value,
    "wrong kind of value": _wrong_kind,
    "field missing": _missing,
    "field too many": _surplus,
    "value too long": _too_long,
    "deep value": _nested,
    "values exchanged": _exchanged,
}
"""They change the payload in place."""

# Of frames


def _wrong_type(chance: Random, frame: Frame) -> Frame:
    return [chance.choice(_WRONG_TYPES), *frame[1:]]


def _wrong_id(chance: Random, frame: Frame) -> Frame:
    return [frame[0], chance.choice(_WRONG_IDS), *frame[2:]]


def _wrong_action(chance: Random, frame: Frame) -> Frame:
    return [*frame[:2], chance.choice(_WRONG_ACTIONS), *frame[3:]]


def _wrong_payload(chance: Random, frame: Frame) -> Frame:
    return [*frame[:-1], chance.choice(_WRONG_PAYLOADS)]


def _too_short(chance: Random, frame: Frame) -> Frame:
    return frame[: chance.randrange(len(frame))]


def _too_much(chance: Random, frame: Frame) -> Frame:
    return [*frame, *(anything(chance) for _ in range(chance.randint(1, 3)))]


def _shuffled(chance: Random, frame: Frame) -> Frame:
    return chance.sample(frame, len(frame))


def _no_list(chance: Random, frame: Frame) -> Any:
    return chance.choice((anything(chance), {"frame": frame}, frame[-1], [frame], str(frame)))


OF_FRAMES: dict[str, Callable[[Random, Frame], Any]] = {
    "wrong message type": _wrong_type,
    "wrong message id": _wrong_id,
    "wrong action": _wrong_action,
    "wrong payload": _wrong_payload,
    "array too short": _too_short,
    "array too long": _too_much,
    "array shuffled": _shuffled,
    "no frame": _no_list,
}
"""They give another frame, or anything."""

# Of texts


def _at(chance: Random, data: bytes) -> int:
    return chance.randrange(len(data) + 1)


def _cut(chance: Random, data: bytes) -> bytes:
    return data[: _at(chance, data)]


def _flipped(chance: Random, data: bytes) -> bytes:
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def _inserted(chance: Random, data: bytes) -> bytes:
    at = _at(chance, data)
    return data[:at] + chance.choice(_RAW_PIECES) * chance.randint(1, 3) + data[at:]


def _deleted(chance: Random, data: bytes) -> bytes:
    at = _at(chance, data)
    return data[:at] + data[at + chance.randint(1, 8) :]


def _raw_value(chance: Random, data: bytes) -> bytes:
    """Instead of one value, something that JSON may not be able to say."""
    starts = [at for at, byte in enumerate(data) if byte == 0x3A]
    if not starts:
        return data.replace(b"]", b"," + chance.choice(_RAW_VALUES) + b"]")
    at = chance.choice(starts) + 1
    ends = [end for end in (data.find(b",", at), data.find(b"}", at)) if end > 0]
    return data[:at] + chance.choice(_RAW_VALUES) + data[min(ends, default=len(data)) :]


def _duplicate_key(chance: Random, data: bytes) -> bytes:
    """One of its keys twice, with another value."""
    starts = [at for at, byte in enumerate(data) if byte == 0x7B]
    if not starts:
        return data + data
    at = chance.choice(starts) + 1
    key = data[at : data.find(b":", at)] if data[at : at + 1] == b'"' else b'"x"'
    value = chance.choice((b"1", b'"x"', b"null", b"{}", b"[]", *_RAW_VALUES))
    return data[:at] + key + b":" + value + b"," + key + b":" + value + b"," + data[at:]


def _deep(chance: Random, _data: bytes) -> bytes:
    depth = chance.choice(_DEEP)
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")))
    inner = opening * depth + b"1" + closing * (depth if chance.random() < 0.8 else 0)
    return b'[2,"deep","DataTransfer",{"vendorId":"v","data":' + inner + b"}]" if chance.random() < 0.7 else inner


def _doubled(chance: Random, data: bytes) -> bytes:
    return data + chance.choice((b"", b"\n", b",", b" ")) + data


def _decorated(chance: Random, data: bytes) -> bytes:
    return (
        chance.choice((b"\xef\xbb\xbf", b"\n\t ", b"while(1);", b")]}'", b"\x00"))
        + data
        + chance.choice((b"", b"\x00", b";", b"\r\n"))
    )


def _garbage(chance: Random, _data: bytes) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 2, 10, 200)))


def _other_encoding(chance: Random, data: bytes) -> bytes:
    return data.decode(errors="replace").encode(
        chance.choice(("utf-16", "utf-32", "utf-7", "utf-16-le")), errors="replace"
    )


OF_TEXTS: dict[str, Callable[[Random, bytes], bytes]] = {
    "cut": _cut,
    "bits flipped": _flipped,
    "bytes inserted": _inserted,
    "bytes deleted": _deleted,
    "no JSON value": _raw_value,
    "key twice": _duplicate_key,
    "deep": _deep,
    "two at once": _doubled,
    "decorated": _decorated,
    "garbage": _garbage,
    "another encoding": _other_encoding,
}
"""They give other bytes."""
