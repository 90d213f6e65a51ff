"""Rows as bytes: what COPY is given, field by field. That PostgreSQL takes it, the projection's contract shows."""

import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.model.metering import Reading
from storage.projection import binary
from storage.projection.changes import NewExchange, NewMeterValue
from tests.storage.postgres.stories import at, message, theirs


def fields_of(data: bytes) -> list[list[bytes | None]]:
    """The rows of a binary COPY, taken apart as the documentation of the format says."""
    assert data.startswith(binary.HEADER)
    place, rows = len(binary.HEADER), []
    while (count := int.from_bytes(data[place : place + 2], "big", signed=True)) != -1:
        place += 2
        row: list[bytes | None] = []
        for _ in range(count):
            length = int.from_bytes(data[place : place + 4], "big", signed=True)
            place += 4
            row.append(None if length == -1 else data[place : place + length])
            place += max(0, length)
        rows.append(row)
    assert data[place:] == binary.TRAILER
    return rows


def value(*readings: Reading, **fields) -> NewMeterValue:
    given = {
        "station": "CP-1", "received_at": at(0), "sampled_at": theirs(0), "evse": 1, "connector": None,
        "transaction_id": "7", "readings": readings,
    }  # fmt: skip
    return NewMeterValue(**(given | fields))


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 11, 21, 10, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_a_moment_is_microseconds_since_2000_exactly(moment: datetime):
    assert binary.EPOCH + timedelta(microseconds=binary.micros(moment)) == moment


def test_a_row_has_every_column_in_its_place():
    copied, (shape,) = binary.meter_values("default", [value(Reading(at=None, value=2.5))], binary.Shapes())
    ((tenant, station, evse, connector, transaction_id, received, sampled, of, values, raws, signeds),) = fields_of(
        copied.data
    )
    assert (tenant, station, transaction_id) == (b"default", b"CP-1", b"7")
    assert (evse, connector, of) == (struct.pack(">q", 1), None, shape.id.bytes)
    assert received == struct.pack(">q", binary.micros(at(0)))
    assert sampled == struct.pack(">q", binary.micros(theirs(0)))
    assert (values or b"")[-8:] == struct.pack(">d", 2.5)
    assert (raws, signeds) == (None, None)
    assert {binary.EPOCH.date() + timedelta(days=day) for day in copied.days} == {at(0).date()}


def test_an_empty_text_is_not_none():
    reading = Reading(at=None, value=None, raw="")
    copied, _ = binary.meter_values("default", [value(reading)], binary.Shapes())
    *_, raws, signeds = fields_of(copied.data)[0]
    assert raws is not None
    assert signeds is None


def test_readings_of_the_same_kind_share_a_shape_whatever_their_values():
    shapes = binary.Shapes()
    first, second = Reading(at=None, value=1.0), Reading(at=theirs(5), value=2.0, raw="2,0")
    other = Reading(at=None, value=1.0, phase="L1")
    assert shapes.of([first, second]) == binary.Shapes().of([second, first])
    different = [shapes.of(one) for one in ([first], [first, first], [other], [first, other], [other, first])]
    assert len({shape.id for shape in different}) == 5


def test_words_that_could_run_into_each_other_make_shapes_of_their_own():
    shapes = binary.Shapes()
    one = shapes.of([Reading(at=None, value=1.0, unit='a","b'), Reading(at=None, value=1.0, unit="c")])
    two = shapes.of([Reading(at=None, value=1.0, unit="a"), Reading(at=None, value=1.0, unit='b","c')])
    assert one.id != two.id


def test_shapes_are_forgotten_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(binary, "SHAPES_MAX", 3)
    shapes = binary.Shapes()
    made = [shapes.of([Reading(at=None, value=1.0, unit=f"u{number}")]).id for number in range(10)]
    assert len(shapes._shapes) <= 3
    assert shapes.of([Reading(at=None, value=1.0, unit="u0")]).id == made[0]


def test_a_number_too_large_for_its_column_is_refused():
    with pytest.raises(struct.error):
        binary.meter_values("default", [value(Reading(at=None, value=1.0), evse=2**63)], binary.Shapes())


def test_frames_keep_their_text():
    frame = message(1, frame='[2,"ü\t\\N\n"]', message_id="ü")
    copied = binary.exchanges("default", [NewExchange(frame), NewExchange(frame, message(2, latency_ms=0.5))])
    alone, answered = fields_of(copied.data)
    assert (alone[7], alone[10]) == ("ü".encode(), '[2,"ü\t\\N\n"]'.encode())
    assert alone[11:] == [None] * 5
    assert answered[:11] == alone[:11]
    assert answered[13:] == [struct.pack(">q", binary.micros(at(2))), struct.pack(">d", 0.5), b"[2]"]
