"""The recorder tells kind, action, outcome and latency of every frame."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.model.messages import Direction
from ingress.ocpp.recorder import Recorder

AT = datetime(2025, 5, 1, tzinfo=UTC)


@pytest.fixture
def written():
    return []


@pytest.fixture
def recorder(written):
    class Log:
        def write(self, message):
            written.append(message)

    return Recorder("CP1", "i:1:1", Log())


def seen(message):
    return (message.direction, message.kind, message.message_id, message.action, message.outcome, message.latency_ms)


def test_an_answer_carries_the_action_and_the_latency_of_its_call(recorder, written):
    recorder.received('[2,"a","Heartbeat",{}]', AT)
    recorder.sent('[3,"a",{}]', AT + timedelta(milliseconds=12))
    assert [seen(message) for message in written] == [
        (Direction.IN, "call", "a", "Heartbeat", "ok", None),
        (Direction.OUT, "result", "a", "Heartbeat", "ok", 12.0),
    ]
    assert (written[0].station, written[0].session, written[0].at) == ("CP1", "i:1:1", AT)


def test_the_two_directions_do_not_mix_their_message_ids(recorder, written):
    recorder.received('[2,"a","Heartbeat",{}]', AT)
    recorder.sent('[2,"a","Reset",{"type":"Soft"}]', AT)
    recorder.received('[4,"a","NotSupported","",{}]', AT + timedelta(milliseconds=1))
    recorder.sent('[3,"a",{}]', AT + timedelta(milliseconds=2))
    assert [seen(message)[1:] for message in written[2:]] == [
        ("error", "a", "Reset", "NotSupported", 1.0),
        ("result", "a", "Heartbeat", "ok", 2.0),
    ]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"a":1}', "[2]", '[99,"a"]', '["2","a","Heartbeat",{}]', "[3,null,{}]"]
)
def test_what_is_no_frame_is_kept_as_invalid(recorder, written, text):
    recorder.received(text, AT)
    assert seen(written[0]) == (Direction.IN, "invalid", None, None, "invalid", None)
    assert written[0].frame == text


def test_an_answer_to_nothing_has_no_action(recorder, written):
    recorder.received('[3,"a",{}]', AT)
    assert seen(written[0]) == (Direction.IN, "result", "a", None, "ok", None)


def test_a_send_is_told_apart_and_numbers_are_ids(recorder, written):
    recorder.received('[6,5,"NotifyPeriodicEventStream",{}]', AT)
    assert seen(written[0]) == (Direction.IN, "send", "5", "NotifyPeriodicEventStream", "ok", None)


def test_calls_without_answer_are_remembered_within_a_bound(recorder, written):
    for number in range(1_000):
        recorder.received(f'[2,"{number}","Heartbeat",{{}}]', AT)
    recorder.sent('[3,"0",{}]', AT)
    recorder.sent('[3,"999",{}]', AT)
    assert [message.action for message in written[-2:]] == [None, "Heartbeat"]


def test_secrets_are_not_kept(recorder, written):
    recorder.sent('[2,"a","ChangeConfiguration",{"key":"AuthorizationKey","value":"abcdef"}]', AT)
    assert "abcdef" not in written[0].frame


@pytest.fixture
def sparse(written):
    class Log:
        def write(self, message):
            written.append(message)

    return Recorder("CP1", "i:1:1", Log(), sparse=True)


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Heartbeat", "{}"),
        ("MeterValues", '{"connectorId":1,"meterValue":[]}'),
        ("TransactionEvent", '{"eventType":"Updated","triggerReason":"MeterValuePeriodic"}'),
        ("TransactionEvent", '{"eventType":"Updated","triggerReason":"MeterValueClock"}'),
    ],
)
def test_a_sparse_log_leaves_out_what_is_said_all_the_time_unless_it_went_wrong(sparse, written, action, payload):
    sparse.received(f'[2,"a","{action}",{payload}]', AT)
    sparse.sent('[3,"a",{}]', AT)
    assert written == []
    sparse.received(f'[2,"b","{action}",{payload}]', AT)
    sparse.sent('[4,"b","InternalError","",{}]', AT + timedelta(milliseconds=5))
    assert [(each.direction, each.kind, each.action, each.message_id, each.outcome) for each in written] == [
        ("in", "call", action, "b", "ok"),
        ("out", "error", action, "b", "InternalError"),
    ]
    assert written[0].frame == f'[2,"b","{action}",{payload}]'
    assert written[1].latency_ms == 5


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("BootNotification", "{}"),
        ("TransactionEvent", '{"eventType":"Started","triggerReason":"MeterValuePeriodic"}'),
        ("TransactionEvent", '{"eventType":"Updated","triggerReason":"ChargingStateChanged"}'),
    ],
)
def test_a_sparse_log_has_everything_else(sparse, written, action, payload):
    sparse.received(f'[2,"a","{action}",{payload}]', AT)
    sparse.sent('[3,"a",{}]', AT)
    assert [(each.kind, each.action) for each in written] == [("call", action), ("result", action)]


def test_a_sparse_log_knows_the_answer_to_a_routine_call_whose_id_is_a_number(sparse, written):
    sparse.received('[2,17,"Heartbeat",{}]', AT)
    sparse.sent("[3,17,{}]", AT)
    assert written == []


def test_a_sparse_log_has_frames_that_nobody_could_read(sparse, written):
    sparse.received('[2,"a","Heartbeat",{]', AT, readable=False)
    assert [(each.kind, each.frame) for each in written] == [("invalid", '[2,"a","Heartbeat",{]')]
