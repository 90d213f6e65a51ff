"""Frames, right, odd and wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ocpp import frames
from engine.ocpp.errors import BadFrame, ErrorCode, LocalError
from engine.ocpp.frames import Call, CallError, CallResult, CallResultError, Send
from engine.ocpp.versions import Version

V16, V201, V21 = Version.V16, Version.V201, Version.V21


@pytest.mark.parametrize(
    ("version", "text", "expected"),
    [
        (V16, '[2,"1","Heartbeat",{}]', Call("1", "Heartbeat", {})),
        (V16, b'[2,"1","Heartbeat",{}]', Call("1", "Heartbeat", {})),
        (V16, '[2,"1","Heartbeat",null]', Call("1", "Heartbeat", {})),
        (V16, '[2,"1","Heartbeat",[]]', Call("1", "Heartbeat", {})),
        (V16, '[2,"1","Heartbeat"]', Call("1", "Heartbeat", {})),
        (V16, '[2,17,"Heartbeat",{}]', Call("17", "Heartbeat", {}, numeric_id=True)),
        (V16, '[2,"-1","Heartbeat",{}]', Call("-1", "Heartbeat", {})),
        (V16, '[2,"1","A",{"a":1,"a":2}]', Call("1", "A", {"a": 2})),
        (V16, '[2,"1","A",{"a\\u0000":["\\u0000b"]}]', Call("1", "A", {"a\ufffd": ["\ufffdb"]})),
        (V16, '[3,"1",{"status":"Accepted"}]', CallResult("1", {"status": "Accepted"})),
        (V16, '[3,"1",null]', CallResult("1", {})),
        (V16, '[3,"1"]', CallResult("1", {})),
        (V16, '[4,"1","GenericError","no",{"a":1}]', CallError("1", "GenericError", "no", {"a": 1})),
        (V16, '[4,"1","GenericError","no"]', CallError("1", "GenericError", "no")),
        (V16, '[4,"1","GenericError"]', CallError("1", "GenericError")),
        (V16, '[4,"1","GenericError",null,null]', CallError("1", "GenericError")),
        (V16, '[4,"1","GenericError","",""]', CallError("1", "GenericError")),
        (V16, '[4,"1","GenericError","no","text"]', CallError("1", "GenericError", "no", {"details": "text"})),
        (V16, '[4,"-1","FormatViolation","",{},"more"]', CallError("-1", "FormatViolation")),
        (V16, '[4,"1",null,7]', CallError("1", "GenericError", "7")),
        (V21, '[5,"1","FormatViolation","",{}]', CallResultError("1", "FormatViolation")),
        (V21, '[6,"1","NotifyPeriodicEventStream",{}]', Send("1", "NotifyPeriodicEventStream", {})),
    ],
)
def test_what_stations_send_is_read(version, text, expected):
    assert frames.decode(text, version) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{}",
        "[]",
        "42",
        "null",
        '[2,"1","A",{}',
        '[2,"1","A",{"a":NaN}]',
        '[2,"1","A",{"a":1e999}]',
        '[2,"1","A",{"a":"\\ud800"}]',
        b"[2,\xff]",
        "[" * 5000 + "]" * 5000,
        '[2,"1","A",{"a":' + "[" * 200 + "]" * 200 + "}]",
    ],
)
def test_what_is_no_frame_at_all_has_no_id(text):
    with pytest.raises(BadFrame) as raised:
        frames.decode(text, V16)
    assert (raised.value.code, raised.value.message_id) == (ErrorCode.RPC_FRAMEWORK_ERROR, None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[2,"1","A",{},{}]', ErrorCode.RPC_FRAMEWORK_ERROR),
        ('[2,"1"]', ErrorCode.RPC_FRAMEWORK_ERROR),
        ('[2,"1",7,{}]', ErrorCode.RPC_FRAMEWORK_ERROR),
        ('[2,"1","",{}]', ErrorCode.RPC_FRAMEWORK_ERROR),
        ('[2,"1","A",[1]]', ErrorCode.FORMAT_VIOLATION),
        ('[2,"1","A","payload"]', ErrorCode.FORMAT_VIOLATION),
    ],
)
def test_a_call_with_a_readable_id_can_be_refused_by_it(text, code):
    """No call at all is RpcFrameworkError; a payload of the wrong shape FormatViolation (2.1 part 4 table 9)."""
    with pytest.raises(BadFrame) as raised:
        frames.decode(text, V16)
    assert (raised.value.code, raised.value.message_id) == (code, "1")


@pytest.mark.parametrize("text", ["[2]", '[2,null,"A",{}]', '[2,true,"A",{}]', '[2,"","A",{}]', '[2,1.5,"A",{}]'])
def test_an_unreadable_id_is_none(text):
    with pytest.raises(BadFrame) as raised:
        frames.decode(text, V16)
    assert (raised.value.message_type, raised.value.message_id) == (2, None)


def test_ids_end_at_36_characters():
    assert frames.decode(f'[2,"{"x" * 36}","A",{{}}]', V16).message_id == "x" * 36
    with pytest.raises(BadFrame, match="37 characters"):
        frames.decode(f'[2,"{"x" * 37}","A",{{}}]', V16)


@pytest.mark.parametrize(("length", "given_back"), [(37, True), (255, True), (256, False), (100_000, False)])
def test_an_id_that_is_too_long_is_given_back_as_far_as_that_is_little_work(length, given_back):
    with pytest.raises(BadFrame) as raised:
        frames.decode(f'[2,"{"x" * length}","A",{{}}]', V201)
    assert raised.value.code == ErrorCode.RPC_FRAMEWORK_ERROR
    assert raised.value.message_id == ("x" * length if given_back else None)


@pytest.mark.parametrize(
    ("version", "text"),
    [(V16, '[7,"1"]'), (V16, '["2","1","A",{}]'), (V201, '[5,"1","A"]'), (V201, '[6,"1","A",{}]'), (V16, "[null]")],
)
def test_message_types_that_a_version_lacks_are_told_apart(version, text):
    with pytest.raises(BadFrame) as raised:
        frames.decode(text, version)
    assert raised.value.code is ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED


def test_many_brackets_side_by_side_are_no_depth():
    text = json.dumps([2, "1", "A", {"a": [[]] * 500}])
    assert frames.decode(text, V16).payload == {"a": [[]] * 500}


def test_a_numeric_id_goes_back_as_a_number():
    assert frames.encode(CallResult("17", {}, numeric_id=True)) == "[3,17,{}]"


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (Call("1", "Reset", {"type": "Soft"}), '[2,"1","Reset",{"type":"Soft"}]'),
        (CallError("1", "GenericError"), '[4,"1","GenericError","",{}]'),
        (CallResultError("1", "FormatViolation", "no", {"a": 1}), '[5,"1","FormatViolation","no",{"a":1}]'),
        (Send("1", "X", {}), '[6,"1","X",{}]'),
    ],
)
def test_what_we_send_has_all_its_elements(frame, expected):
    assert frames.encode(frame) == expected


def test_a_payload_that_is_no_json_is_our_fault():
    with pytest.raises(LocalError):
        frames.encode(CallResult("1", {"a": {1, 2}}))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.sampled_from(Version), st.text() | st.binary() | st.lists(json_values, max_size=6).map(json.dumps))
def test_any_input_is_a_frame_or_a_bad_frame(version, text):
    try:
        frame = frames.decode(text, version)
    except BadFrame:
        return
    assert frames.decode(frames.encode(frame), version) == frame


@given(
    st.text(min_size=1, max_size=36).filter(lambda text: "\x00" not in text),
    st.text(min_size=1).filter(lambda text: "\x00" not in text),
    st.dictionaries(st.text().filter(lambda text: "\x00" not in text), st.integers(-(2**53), 2**53)),
)
def test_a_call_survives_its_journey(message_id, action, payload):
    frame = Call(message_id, action, payload)
    assert frames.decode(frames.encode(frame), V16) == frame
