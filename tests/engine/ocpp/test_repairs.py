"""What is mended, what is tolerated, and what is not."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ocpp import repairs, schemas
from engine.ocpp.errors import ErrorCode, RemoteError
from engine.ocpp.versions import Version

V16, V201, V21 = Version.V16, Version.V201, Version.V21
START = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-05-01T10:00:00Z"}
STOP = {"transactionId": 7, "meterStop": 10, "timestamp": "2026-05-01T10:00:00Z"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
SAMPLE = {"timestamp": "2026-05-01T10:00:00Z", "sampledValue": [{"value": "1"}]}
EVENT = {
    "eventType": "Ended",
    "timestamp": "2026-05-01T10:00:00Z",
    "triggerReason": "EVDeparted",
    "seqNo": 1,
    "transactionInfo": {"transactionId": "T"},
}


def test_what_is_right_is_not_touched():
    assert repairs.accept(V16, "StartTransaction", "request", START) == (START, ())


@pytest.mark.parametrize(
    ("version", "action", "payload", "expected", "note"),
    [
        (V16, "BootNotification", {**BOOT, "iccid": None}, BOOT, "iccid: empty, dropped"),
        (V16, "BootNotification", {**BOOT, "iccid": None, "imsi": ""}, BOOT, "imsi: empty, dropped"),
        (V16, "StatusNotification", {**STATUS, "info": []}, STATUS, "info: empty, dropped"),
        (
            V16,
            "StatusNotification",
            {**STATUS, "status": "available"},
            STATUS,
            "status: spelled wrong, read as Available",
        ),
        (
            V16,
            "StatusNotification",
            {**STATUS, "errorCode": "Error"},
            {**STATUS, "errorCode": "OtherError"},
            "errorCode: no word of this version (Error), read as OtherError",
        ),
        (V16, "StatusNotification", {**STATUS, "connectorId": "1"}, STATUS, "connectorId: a number written as text"),
        (
            V16,
            "MeterValues",
            {"connectorId": 1, "meterValue": SAMPLE},
            {"connectorId": 1, "meterValue": [SAMPLE]},
            "meterValue: an object, made a list of one",
        ),
        (
            V16,
            "MeterValues",
            {"connectorId": 1, "meterValue": [SAMPLE, {**SAMPLE, "sampledValue": []}]},
            {"connectorId": 1, "meterValue": [SAMPLE]},
            "meterValue[1]: without a sampled value, dropped",
        ),
        (
            V16,
            "MeterValues",
            {"connectorId": 1, "meterValue": [{**SAMPLE, "sampledValue": [{"value": 1.5}]}]},
            {"connectorId": 1, "meterValue": [{**SAMPLE, "sampledValue": [{"value": "1.5"}]}]},
            "meterValue[0].sampledValue[0].value: no text, written as one",
        ),
        (
            V16,
            "DataTransfer",
            {"vendorId": "Growatt", "data": {"a": 1}},
            {"vendorId": "Growatt", "data": '{"a":1}'},
            "data: no text, written as one",
        ),
        (
            V16,
            "StartTransaction",
            {**START, "meterStart": 1234.6},
            {**START, "meterStart": 1235},
            "meterStart: a fraction (1234.6), rounded",
        ),
        (V16, "StartTransaction", {**START, "vendor": 1}, START, "vendor: no field of this version, dropped"),
        (
            V16,
            "StopTransaction",
            {**STOP, "reason": "Boredom"},
            {**STOP, "reason": "Other"},
            "reason: no word of this version (Boredom), read as Other",
        ),
        (
            V201,
            "TransactionEvent",
            {**EVENT, "transactionInfo": {"transactionId": "T", "stoppedReason": "Boredom"}},
            {**EVENT, "transactionInfo": {"transactionId": "T", "stoppedReason": "Other"}},
            "transactionInfo.stoppedReason: no word of this version (Boredom), read as Other",
        ),
        (
            V201,
            "TransactionEvent",
            {**EVENT, "transactionInfo": {"transactionId": "T", "chargingState": "Bored"}},
            EVENT,
            "transactionInfo.chargingState: no word of this version, dropped",
        ),
        (V201, "TransactionEvent", {**EVENT, "offline": "false"}, {**EVENT, "offline": False}, "offline: a boolean"),
        (V201, "TransactionEvent", {**EVENT, "seqNo": 1.0, "evse": {}}, EVENT, "evse: empty, dropped"),
    ],
)
def test_repairs_keep_the_meaning_and_are_told(version, action, payload, expected, note):
    before = copy.deepcopy(payload)
    mended, notes = repairs.accept(version, action, "request", payload)
    assert mended == expected
    assert any(told.startswith(note) for told in notes), notes
    assert payload == before
    schemas.check(version, action, "request", mended)


def test_numbers_in_configuration_answers_become_texts():
    payload = {"configurationKey": [{"key": "HeartbeatInterval", "readonly": "false", "value": 300}], "extra": 1}
    mended, notes = repairs.accept(V16, "GetConfiguration", "response", payload)
    assert mended == {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]}
    assert len(notes) == 3


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        (V16, "MeterValues", {"connectorId": 1, "meterValue": []}),
        (
            V16,
            "MeterValues",
            {"connectorId": 1, "meterValue": [{**SAMPLE, "sampledValue": [{"value": "1", "unit": "%"}]}]},
        ),
        (V16, "StartTransaction", {**START, "idTag": "x" * 21}),
        (V16, "BootNotification", {**BOOT, "chargePointSerialNumber": "x" * 40}),
    ],
)
def test_harmless_faults_are_tolerated_where_an_error_would_do_harm(version, action, payload):
    mended, notes = repairs.accept(version, action, "request", payload)
    assert mended == payload
    assert len(notes) == 1
    assert notes[0].endswith("; tolerated")


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("StartTransaction", {**START, "idTag": None}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("StartTransaction", {**START, "connectorId": "one"}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("StartTransaction", {**START, "connectorId": "9" * 30}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        ("StartTransaction", {"connectorId": 1}, ErrorCode.PROTOCOL_ERROR),
        ("Authorize", {"idTag": "x" * 21}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("Authorize", {"idTag": "A", "extra": 1}, ErrorCode.FORMAT_VIOLATION),
        ("StatusNotification", {**STATUS, "status": "Bored"}, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
    ],
)
def test_what_has_no_plain_meaning_is_refused(action, payload, code):
    with pytest.raises(RemoteError) as raised:
        repairs.accept(V16, action, "request", payload)
    assert raised.value.code is code


def test_the_number_of_notes_is_bounded():
    payload = {"connectorId": 1, "meterValue": [{**SAMPLE, "sampledValue": [{"value": 1}] * 1000}]}
    mended, notes = repairs.accept(V16, "MeterValues", "request", payload)
    assert len(mended["meterValue"][0]["sampledValue"]) == 1000
    assert len(notes) == 20


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["timestamp", "meterValue", "sampledValue", "value", "unit", "x", "transactionId"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from([V16, V201, V21]),
    st.dictionaries(st.sampled_from(["connectorId", "evseId", "meterValue", "transactionId", "z"]), json_values),
)
def test_any_payload_is_accepted_or_refused(version, payload):
    try:
        mended, _ = repairs.accept(version, "MeterValues", "request", payload)
    except RemoteError:
        return
    json.dumps(mended)
