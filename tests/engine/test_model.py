"""Every word survives its journey as msgpack."""

from datetime import UTC, datetime

from engine.model import codec
from engine.model.envelopes import Batch, Delivery, Reported
from engine.model.ids import Unit, shard_of, unit_of
from engine.model.provisioning import HeartbeatReported

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def test_a_batch_arrives_as_it_was_sent():
    report = Reported(session="i:1:1", message_id="m", digest=b"0" * 16, report=HeartbeatReported())
    delivery = Delivery(station="CP-1", received_at=NOW, event=report)
    batch = Batch(ingress="i", epochs=((Unit(shard=3), 7),), deliveries=(delivery,))
    assert codec.decode_batch(codec.encode(batch)) == batch


def test_a_station_has_the_same_shard_for_ever():
    assert [shard_of(station, 64) for station in ("CP-1", "CP-2", "Ladesäule/3")] == [42, 16, 46]


def test_literal_mode_makes_every_station_a_unit_of_its_own():
    assert unit_of("CP-1", 64, literal=True).name == "s42:CP-1"
    assert unit_of("CP-1", 64, literal=False).name == "s42"
