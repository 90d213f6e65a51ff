"""Rows as the binary format of COPY has them: one run of bytes per batch, without an object per value.

Fields are written as their length and their bytes, in the order in which the COPY statement names the columns. Texts
that come again and again (stations, sessions, actions) are encoded once per batch.
https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import attrgetter
from struct import Struct
from typing import NamedTuple
from uuid import UUID

import msgspec

from engine.model.messages import Direction, LoggedMessage
from engine.model.metering import Reading
from storage.projection.changes import NewExchange, NewMeterValue
from storage.projection.clean import text

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
NO_ANSWER = 5 * NULL
FLOAT8, TEXT = 701, 25
"""Types of arrays' elements, by their OID."""

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_US = 86_400_000_000
SHAPES_MAX = 10_000
"""Shapes that are remembered; stations have some dozens of ways to report, unless one makes up units."""

METER_VALUE_COLUMNS = (
    *("station", "evse", "connector", "transaction_id"),
    *("received_at", "sampled_at", "shape", "readings", "raws", "signeds"),
)
EXCHANGE_COLUMNS = (
    *("station", "session", "direction", "kind", "action", "outcome", "message_id", "at", "latency_ms", "frame"),
    *("answer_kind", "answer_outcome", "answered_at", "answer_latency_ms", "answer_frame"),
)

_length = Struct(">i").pack
_count = Struct(">h").pack
_bigint = Struct(">iq").pack
_float = Struct(">id").pack
_two_moments = Struct(">iqiq").pack
_moment_float = Struct(">iqid").pack
_array_head = Struct(">iiIii").pack
_words = attrgetter("measurand", "unit", "context", "location", "phase")

ShapeKey = tuple[tuple[str, str, str, str, str | None], ...]
"""Measurand, unit, context, location and phase of each reading, as they came."""


class Shape(NamedTuple):
    """What the readings of a meter value are. `field`: its id as COPY takes it."""

    id: UUID
    field: bytes
    measurands: list[str]
    units: list[str]
    contexts: list[str]
    locations: list[str]
    phases: list[str | None]


class Copied(NamedTuple):
    """Rows for COPY. `days`: the UTC days they lie in, counted from 2000-01-01."""

    data: bytes
    days: set[int]


def micros(moment: datetime) -> int:
    """Microseconds since 2000, as timestamptz has them."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def field(value: str | None) -> bytes:
    """A text as a field."""
    if value is None:
        return NULL
    written = text(value).encode()
    return _length(len(written)) + written


class Shapes:
    """The shapes met so far, by what the readings say. At `SHAPES_MAX` it forgets them all."""

    def __init__(self) -> None:
        self._shapes: dict[ShapeKey, Shape] = {}

    def of(self, readings: Sequence[Reading]) -> Shape:
        """The shape of these readings; the same for the same words, in every process."""
        key = tuple(map(_words, readings))
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= SHAPES_MAX:
                self._shapes.clear()
            shape = self._shapes[key] = _shape(key)
        return shape


def _shape(key: ShapeKey) -> Shape:
    measurands, units, contexts, locations, phases = zip(*key, strict=True)
    words = [*map(text, measurands)], [*map(text, units)], [*map(text, contexts)], [*map(text, locations)]
    said = [None if phase is None else text(phase) for phase in phases]
    digest = hashlib.sha256(msgspec.json.encode((*words, said))).digest()[:16]
    return Shape(UUID(bytes=digest), _length(16) + digest, *words, said)


def meter_values(tenant: str, rows: Sequence[NewMeterValue], shapes: Shapes) -> tuple[Copied, list[Shape]]:
    """The rows of meter_values, and the shapes that they have.

    Raises:
        struct.error: A number is too large for its column.
    """
    parts, days = [HEADER], set()
    used: dict[bytes, Shape] = {}
    start = _count(1 + len(METER_VALUE_COLUMNS)) + field(tenant)
    heads: dict[tuple[str, int | None, int | None, str | None], bytes] = {}
    for row in rows:
        place = (row.station, row.evse, row.connector, row.transaction_id)
        head = heads.get(place)
        if head is None:
            head = heads[place] = start + _place_of_meter_value(row)
        received, sampled_at, readings = micros(row.received_at), row.sampled_at, row.readings
        days.add(received // DAY_US)
        if sampled_at is None:
            moments = _bigint(8, received) + NULL
        else:
            moments = _two_moments(8, received, 8, micros(sampled_at))
        shape = shapes.of(readings)
        used[shape.field] = shape
        parts += (head, moments, shape.field, *_values(readings))
    parts.append(TRAILER)
    return Copied(b"".join(parts), days), list(used.values())


def _place_of_meter_value(row: NewMeterValue) -> bytes:
    return field(row.station) + _number(row.evse) + _number(row.connector) + field(row.transaction_id)


def _values(readings: Sequence[Reading]) -> tuple[bytes, bytes]:
    """The fields readings, and raws with signeds. Nearly all readings are nothing but a number."""
    odd = [True for one in readings if one.raw is not None or one.signed is not None or one.value is None]
    values = [one.value for one in readings]
    if odd:
        raws, signeds = [one.raw for one in readings], [one.signed for one in readings]
        return _array(FLOAT8, [NULL if one is None else _float(8, one) for one in values]), _texts(raws) + _texts(
            signeds
        )
    count = len(values)
    elements: list[object] = [8] * (2 * count)
    elements[1::2] = values
    return _array_of(count)(20 + 12 * count, 1, 0, FLOAT8, count, 1, *elements), NULL + NULL


def exchanges(tenant: str, rows: Sequence[NewExchange]) -> Copied:
    """The rows of exchanges."""
    parts, days = [HEADER], set()
    start = _count(1 + len(EXCHANGE_COLUMNS)) + field(tenant)
    heads: dict[tuple[object, ...], bytes] = {}
    tails: dict[tuple[str, str], bytes] = {}
    for row in rows:
        frame, answer = row.frame, row.answer
        key = (frame.session, frame.action, frame.kind, frame.outcome, frame.direction is Direction.IN, frame.station)
        head = heads.get(key)
        if head is None:
            head = heads[key] = start + _words_of_exchange(frame)
        at = micros(frame.at)
        days.add(at // DAY_US)
        parts += (head, field(frame.message_id), _at_latency(at, frame.latency_ms), *_frame(frame.frame))
        if answer is None:
            parts.append(NO_ANSWER)
            continue
        said = (answer.kind, answer.outcome)
        tail = tails.get(said)
        if tail is None:
            tail = tails[said] = field(answer.kind) + field(answer.outcome)
        parts += (tail, _at_latency(micros(answer.at), answer.latency_ms), *_frame(answer.frame))
    parts.append(TRAILER)
    return Copied(b"".join(parts), days)


def _at_latency(at: int, latency_ms: float | None) -> bytes:
    return _bigint(8, at) + NULL if latency_ms is None else _moment_float(8, at, 8, latency_ms)


def _frame(frame: str) -> tuple[bytes, bytes]:
    """A long text as a field, its length and its bytes apart: they are copied once less."""
    if "\0" in frame or not frame.isascii():
        frame = text(frame)
    written = frame.encode()
    return _length(len(written)), written


def _words_of_exchange(frame: LoggedMessage) -> bytes:
    words = (frame.station, frame.session, frame.direction.value, frame.kind, frame.action, frame.outcome)
    return b"".join(map(field, words))


def _number(value: int | None) -> bytes:
    return NULL if value is None else _bigint(8, value)


@cache
def _array_of(count: int) -> Callable[..., bytes]:
    """Packs an array of doubles without nulls: its length, dimensions, null flag, type, size, first index, elements."""
    return Struct(">iiiIii" + "id" * count).pack


def _texts(values: list[str | None]) -> bytes:
    """An array of texts; null where there is none."""
    if values.count(None) == len(values):
        return NULL
    return _array(TEXT, list(map(field, values)))


def _array(kind: int, elements: list[bytes]) -> bytes:
    body = _array_head(1, 1, kind, len(elements), 1) + b"".join(elements)
    return _length(len(body)) + body
