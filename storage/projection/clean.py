"""Makes text and JSON that PostgreSQL takes: NUL and lone surrogates become U+FFFD, what is no JSON a string."""

import json
import math
import re

import msgspec

REPLACEMENT = "\ufffd"
FORBIDDEN = re.compile("[\0\ud800-\udfff]")
SUSPECT_JSON = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|[eE][+-]?[0-9]{3}|[0-9]{300}")
"""Escapes that jsonb refuses, and numbers that it or a double may refuse."""
DEPTH_MAX = 200
"""Levels of JSON kept as such; deeper ones are kept as text."""


def text(value: str) -> str:
    """The text without what PostgreSQL refuses."""
    return FORBIDDEN.sub(REPLACEMENT, value) if not value.isascii() or "\0" in value else value


def text_or_none(value: str | None) -> str | None:
    """The same for a text that may be absent."""
    return None if value is None else text(value)


def json_text(payload: bytes | None) -> str | None:
    """JSON of a station as PostgreSQL takes it; what is no JSON is kept as a JSON string of what stood there."""
    if payload is None:
        return None
    if not SUSPECT_JSON.search(payload):
        try:
            value = msgspec.json.decode(payload)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return _mended(payload)
        if _depth(value) <= DEPTH_MAX:
            return payload.decode()
    return _mended(payload)


def json_of(value: object) -> str:
    """A value of ours as JSON that PostgreSQL takes."""
    encoded = msgspec.json.encode(value)
    return _mended(encoded) if SUSPECT_JSON.search(encoded) else encoded.decode()


def _mended(payload: bytes) -> str:
    written = payload.decode("utf-8", "replace")
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        value = written
    return json.dumps(_mend(value if _depth(value) <= DEPTH_MAX else written), ensure_ascii=False)


def _mend(value: object) -> object:
    match value:
        case str():
            return text(value)
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {text(str(key)): _mend(inner) for key, inner in value.items()}
        case list():
            return [_mend(inner) for inner in value]
        case _:
            return value


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level and depth <= DEPTH_MAX:
        depth += 1
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level = inner
    return depth
