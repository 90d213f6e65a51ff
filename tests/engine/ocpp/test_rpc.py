"""The RPC session: order, repeats, time-outs, and that the two directions never wait for each other."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ocpp import rpc
from engine.ocpp.errors import ErrorCode, LocalError, QueueFull, RemoteError
from engine.ocpp.rpc import Session
from engine.ocpp.versions import Version

V16, V201, V21 = Version.V16, Version.V201, Version.V21
NOT_IMPLEMENTED = RemoteError(ErrorCode.NOT_IMPLEMENTED, "no such action")


def heartbeat(message_id):
    return f'[2,"{message_id}","Heartbeat",{{}}]'


def test_a_call_is_received_and_answered():
    session = Session(V16)
    (event,) = session.receive('[2,"1","Authorize",{"idTag":"A"}]', 0.0)
    assert (event.message_id, event.action, event.payload) == ("1", "Authorize", {"idTag": "A"})
    assert len(event.digest) == 12
    assert session.answer("1", {"idTagInfo": {"status": "Accepted"}}) == ['[3,"1",{"idTagInfo":{"status":"Accepted"}}]']
    assert session.calls_open == 0


def test_answers_leave_in_the_order_of_the_calls():
    session = Session(V16)
    for message_id in "abc":
        session.receive(heartbeat(message_id), 0.0)
    assert session.answer("c", {"n": 3}) == []
    assert session.refuse("b", NOT_IMPLEMENTED) == []
    assert session.answer("a", {"n": 1}) == [
        '[3,"a",{"n":1}]',
        '[4,"b","NotImplemented","no such action",{}]',
        '[3,"c",{"n":3}]',
    ]


def test_errors_are_spelled_as_the_version_spells_them_and_cut_to_255_characters():
    session = Session(V16)
    session.receive(heartbeat("1"), 0.0)
    error = RemoteError(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, "x" * 300)
    assert json.loads(session.refuse("1", error)[0]) == [4, "1", "OccurenceConstraintViolation", "x" * 255, {}]


def test_a_numeric_id_is_answered_with_a_number():
    session = Session(V16)
    session.receive('[2,17,"Heartbeat",{}]', 0.0)
    assert session.answer("17", {}) == ["[3,17,{}]"]


def test_a_repeat_of_an_open_call_is_the_same_call():
    session = Session(V16)
    session.receive(heartbeat("1"), 0.0)
    assert session.receive(heartbeat("1"), 1.0) == [rpc.Repeated("1", "Heartbeat")]
    assert session.answer("1", {}) == ['[3,"1",{}]']
    with pytest.raises(LocalError):
        session.answer("1", {})


def test_another_call_under_an_open_id_is_refused_in_its_turn():
    session = Session(V201)
    session.receive(heartbeat("1"), 0.0)
    (event,) = session.receive('[2,"1","Authorize",{}]', 0.0)
    assert isinstance(event, rpc.Malformed)
    assert event.reply is None
    first, second = session.answer("1", {})
    assert first == '[3,"1",{}]'
    assert json.loads(second)[:3] == [4, "1", "RpcFrameworkError"]


def test_an_id_may_come_again_once_its_call_is_answered():
    session = Session(V16)
    session.receive(heartbeat("1"), 0.0)
    session.answer("1", {})
    (event,) = session.receive(heartbeat("1"), 1.0)
    assert isinstance(event, rpc.CallReceived)


def test_digests_tell_repeats_from_other_messages():
    def digest(text):
        return Session(V16).receive(text, 0.0)[0].digest

    start = '[2,"{}","StartTransaction",{{"connectorId":{}}}]'
    assert digest(start.format("1", 1)) == digest(start.format("1", 1))
    assert digest(start.format("1", 1)) == digest(start.format("1", 1).encode())
    assert digest(start.format("1", 1)) == digest(start.format("2", 1))
    assert digest(start.format("1", 1)) != digest(start.format("1", 2))
    assert digest('[2,"1","A",{}]') != digest('[2,"1","B",{}]')


def test_full_says_when_to_stop_reading_and_nothing_is_lost():
    session = Session(V16, calls_open_max=2)
    session.receive(heartbeat("1"), 0.0)
    assert not session.full
    session.receive(heartbeat("2"), 0.0)
    assert session.full
    (event,) = session.receive(heartbeat("3"), 0.0)
    assert isinstance(event, rpc.CallReceived)
    session.answer("1", {})
    assert session.full
    session.answer("2", {})
    assert not session.full


@pytest.mark.parametrize("version", [V201, V21])
def test_bad_json_gets_an_error_of_id_minus_one_in_2x(version):
    (event,) = Session(version).receive("{nonsense", 0.0)
    assert json.loads(event.reply)[:3] == [4, "-1", "RpcFrameworkError"]


def test_bad_json_is_dropped_in_16():
    (event,) = Session(V16).receive("{nonsense", 0.0)
    assert isinstance(event, rpc.Malformed)
    assert event.reply is None


def test_a_bad_call_is_refused_at_once_if_nothing_older_waits():
    (event,) = Session(V16).receive('[2,"1","A",7]', 0.0)
    assert json.loads(event.reply)[:3] == [4, "1", "FormationViolation"]


def test_a_bad_call_is_refused_behind_older_calls():
    session = Session(V16)
    session.receive(heartbeat("1"), 0.0)
    (event,) = session.receive('[2,"2","A",7]', 0.0)
    assert event.reply is None
    assert [json.loads(text)[:2] for text in session.answer("1", {})] == [[3, "1"], [4, "2"]]


@pytest.mark.parametrize("text", ['[9,"1"]', '[6,"1","X",{}]', "[3,null,{}]", "[4]"])
def test_what_is_to_be_ignored_gets_no_reply(text):
    (event,) = Session(V201).receive(text, 0.0)
    assert isinstance(event, rpc.Malformed)
    assert event.reply is None


def test_a_send_is_received_and_wants_no_answer():
    session = Session(V21)
    (event,) = session.receive('[6,"1","NotifyPeriodicEventStream",{"id":1}]', 0.0)
    assert isinstance(event, rpc.SendReceived)
    assert session.calls_open == 0


# Our calls


def calling(version=V16, **settings):
    session = Session(version, **settings)
    assert session.call("c1", "m1", "Reset", {"type": "Soft"}, 0.0, 30.0) == ['[2,"m1","Reset",{"type":"Soft"}]']
    return session


def test_one_call_is_in_flight_and_the_next_goes_after_its_answer():
    session = calling()
    assert session.call("c2", "m2", "ClearCache", {}, 1.0, 30.0) == []
    assert session.pump(1.0) == []
    (event,) = session.receive('[3,"m1",{"status":"Accepted"}]', 2.5)
    assert event == rpc.ReplyReceived("c1", "m1", "Reset", {"status": "Accepted"}, 2.5)
    assert session.pump(2.5) == ['[2,"m2","ClearCache",{}]']
    assert session.calls_waiting == 1


def test_a_refused_call_ends_too():
    session = calling()
    (event,) = session.receive('[4,"m1","NotSupported"]', 1.0)
    assert event == rpc.ErrorReceived("c1", "m1", "Reset", "NotSupported", "", {}, 1.0)
    assert session.calls_waiting == 0


def test_an_answer_that_is_none_ends_the_call_and_is_told_on_21():
    (event, told) = calling(V21).receive('[3,"m1","yes"]', 1.0)
    assert isinstance(event, rpc.ErrorReceived)
    assert event.unreadable
    assert json.loads(told.reply)[:3] == [5, "m1", "FormatViolation"]
    (event, told) = calling(V16).receive('[3,"m1","yes"]', 1.0)
    assert event.code == "FormationViolation"
    assert told.reply is None


def test_only_21_can_reject_a_result():
    error = RemoteError(ErrorCode.TYPE_CONSTRAINT_VIOLATION, "status: must be of type string")
    assert [json.loads(text)[:3] for text in Session(V21).reject_result("m1", error)] == [
        [5, "m1", "TypeConstraintViolation"]
    ]
    assert Session(V201).reject_result("m1", error) == []


def test_a_call_without_answer_times_out_and_the_next_goes():
    session = calling()
    session.call("c2", "m2", "ClearCache", {}, 10.0, 30.0)
    assert session.next_due == 30.0
    assert session.due(29.9) == []
    assert session.due(30.0) == [rpc.TimedOut("c1", "m1", "Reset", sent=True)]
    assert session.pump(30.0) == ['[2,"m2","ClearCache",{}]']
    assert session.next_due == 40.0


def test_a_call_can_time_out_in_the_queue():
    session = calling()
    session.call("c2", "m2", "ClearCache", {}, 0.0, 5.0)
    assert session.next_due == 5.0
    assert session.due(6.0) == [rpc.TimedOut("c2", "m2", "ClearCache", sent=False)]
    assert session.calls_waiting == 1


def test_a_late_answer_is_known_once_as_late():
    session = calling()
    session.due(30.0)
    (event,) = session.receive('[3,"m1",{}]', 31.0)
    assert event == rpc.ReplyReceived("c1", "m1", "Reset", {}, 31.0, late=True)
    assert session.receive('[3,"m1",{}]', 32.0) == [rpc.StrayAnswer("m1")]


def test_late_answers_are_remembered_within_a_bound():
    session = Session(V16)
    for n in range(20):
        session.call(f"c{n}", f"m{n}", "ClearCache", {}, n, 0.5)
        session.due(n + 0.5)
    assert session.receive('[3,"m0",{}]', 21.0) == [rpc.StrayAnswer("m0")]
    assert session.receive('[3,"m19",{}]', 21.0)[0].late


def test_answers_to_nothing_are_strays():
    session = calling()
    assert session.receive('[3,"x",{}]', 1.0) == [rpc.StrayAnswer("x")]
    assert session.receive('[4,"-1","FormatViolation","bad"]', 1.0) == [rpc.StrayAnswer("-1", "FormatViolation", "bad")]
    assert session.calls_waiting == 1


def test_a_station_that_cannot_read_our_answer_is_heard():
    (event,) = Session(V21).receive('[5,"1","FormatViolation","what?",{}]', 0.0)
    assert event == rpc.AnswerRefused("1", "FormatViolation", "what?")


def test_the_queue_has_a_bound():
    session = calling(calls_queued_max=2)
    session.call("c2", "m2", "ClearCache", {}, 0.0, 30.0)
    session.call("c3", "m3", "ClearCache", {}, 0.0, 30.0)
    with pytest.raises(QueueFull):
        session.call("c4", "m4", "ClearCache", {}, 0.0, 30.0)


@pytest.mark.parametrize("message_id", ["", "x" * 37])
def test_our_own_ids_keep_the_rules(message_id):
    with pytest.raises(LocalError):
        Session(V16).call("c", message_id, "ClearCache", {}, 0.0, 30.0)


def test_the_directions_never_wait_for_each_other():
    session = calling()
    (event,) = session.receive(heartbeat("1"), 0.0)
    assert isinstance(event, rpc.CallReceived)
    assert session.answer("1", {}) == ['[3,"1",{}]']
    session.receive(heartbeat("2"), 0.0)
    session.receive('[3,"m1",{}]', 0.0)
    assert session.call("c2", "m2", "ClearCache", {}, 0.0, 30.0) == ['[2,"m2","ClearCache",{}]']


def test_the_same_id_in_both_directions_does_no_harm():
    session = calling()
    (event,) = session.receive(heartbeat("m1"), 0.0)
    assert isinstance(event, rpc.CallReceived)
    assert session.answer("m1", {}) == ['[3,"m1",{}]']
    assert session.calls_waiting == 1


def test_the_end_tells_what_was_left_behind():
    session = calling()
    session.call("c2", "m2", "ClearCache", {}, 0.0, 30.0)
    assert session.close() == rpc.Abandoned("c1", ("c2",))
    assert session.close() == rpc.Abandoned(None, ())
    assert session.next_due is None


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_whatever_the_order_of_deciding_answers_leave_in_the_order_of_asking(ids, chance):
    session = Session(V16)
    opened = [
        event.message_id
        for n in ids
        for event in session.receive(heartbeat(n), 0.0)
        if isinstance(event, rpc.CallReceived)
    ]
    deciding = opened[:]
    chance.shuffle(deciding)
    left = [json.loads(text)[1] for message_id in deciding for text in session.answer(message_id, {})]
    assert left == opened
    assert session.calls_open == 0


fragments = st.sampled_from(
    [
        heartbeat("1"),
        heartbeat("2"),
        '[2,"1","Authorize",{}]',
        '[2,"1",7,{}]',
        '[3,"m1",{}]',
        '[3,"m1",7]',
        '[4,"m1"]',
        '[5,"m1"]',
        '[6,"1","X",{}]',
        "[[[",
    ]
)


@given(st.sampled_from(Version), st.lists(fragments | st.text() | st.binary(), max_size=20))
def test_nothing_a_station_sends_breaks_the_session(version, texts):
    session = calling(version)
    for now, text in enumerate(texts):
        for event in session.receive(text, float(now)):
            if isinstance(event, rpc.CallReceived):
                session.answer(event.message_id, {})
        session.pump(float(now))
    assert session.calls_open == 0
