"""What a reply acknowledges, in both dialects."""

import pytest

from loadtests.audit.acknowledged import Event, Value, acknowledged, milliseconds
from tests.loadtests.audit.books import at_ms, story2, story16


def events(story):
    return [acknowledged(*each).event for each in story]


def test_16_messages_of_a_transaction():
    assert events(story16()) == [
        Event("41", "start", at_ms(1), meter_wh=1000.0, token="DRIVER", evse=1),
        Event("41", "update", None),
        Event("41", "update", None),
        Event("41", "stop", at_ms(4), meter_wh=1040.0, reason="Local"),
    ]


def test_2_messages_of_a_transaction():
    assert events(story2()) == [
        Event("tx-2", "start", at_ms(1), 0, 500, "DRIVER", 1),
        Event("tx-2", "update", at_ms(2), 1, 510),
        Event("tx-2", "stop", at_ms(3), 2, 530, "DRIVER", reason="Local"),
    ]


def test_what_is_not_said_is_what_the_specification_says():
    payload = {
        "connectorId": 1,
        "meterValue": [{"timestamp": "2026-11-21T13:00:00+01:00", "sampledValue": [{"value": "3"}]}],
    }
    entry = acknowledged("MeterValues", payload, {})
    assert entry.event is None
    assert entry.values == (
        Value(at_ms(0), "Sample.Periodic", "Energy.Active.Import.Register", "Outlet", "", "Wh", 3.0),
    )


def test_a_stop_without_a_reason_is_local_and_brings_its_readings():
    data = [{"timestamp": "2026-11-21T12:00:00Z", "sampledValue": [{"value": "3", "context": "Transaction.End"}]}]
    said = {"transactionId": 7, "meterStop": 3, "timestamp": "2026-11-21T12:00:00Z", "transactionData": data}
    entry = acknowledged("StopTransaction", said, {})
    assert entry.event.reason == "Local"
    assert entry.values[0].context == "Transaction.End"


def test_other_calls_acknowledge_nothing_that_is_compared():
    assert acknowledged("Heartbeat", {}, {"currentTime": "2026-11-21T12:00:00Z"}).event is None


@pytest.mark.parametrize("text", ["2026-11-21T12:00:00.0004Z", "2026-11-21T11:59:59.9996Z"])
def test_times_are_kept_to_the_millisecond(text):
    assert milliseconds(text) == at_ms(0)


def test_values_that_differ_in_anything_have_different_digests():
    one = Value(1, "c", "m", "l", "L1", "A", 7.4)
    others = [one._replace(**{field: "x"}) for field in ("context", "measurand", "location", "phase", "unit")]
    others += [one._replace(value=7.5)]
    assert one.digest not in {each.digest for each in others}
    assert one.digest == one._replace(at_ms=2).digest, "the time is the moment's"
