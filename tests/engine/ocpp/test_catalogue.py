"""The catalogue: every action of every version, both ways."""

import copy
import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.commands import Outcome, Result
from engine.model.data_transfer import DataAnswer
from engine.model.envelopes import Reported
from engine.model.notices import NoticeAnswer, RawCommand
from engine.model.provisioning import (
    BootReported,
    HeartbeatAnswer,
    ResetKind,
    ResetStation,
)
from engine.model.transactions import Stage
from engine.ocpp import catalogue, schemas
from engine.ocpp.errors import ErrorCode, LocalError, RemoteError
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version
from tests.engine.answering import answer_to

V16, V201, V21 = Version.V16, Version.V201, Version.V21
NOW = datetime(2026, 5, 1, 10, tzinfo=UTC)

EVERY_ACTION = [(version, row) for version in Version for row in catalogue.actions(version).values()]
FROM_STATION = [(version, row.name) for version, row in EVERY_ACTION if row.from_station is not None]
FROM_CSMS = [(version, row.name) for version, row in EVERY_ACTION if row.from_csms is not None]
BLOCKS = {
    "security",
    "provisioning",
    "authorization",
    "local_list",
    "transactions",
    "remote_control",
    "availability",
    "reservation",
    "tariff_and_cost",
    "metering",
    "smart_charging",
    "firmware",
    "certificates",
    "diagnostics",
    "display_message",
    "data_transfer",
    "bidirectional",
    "der_control",
    "battery_swap",
}


@pytest.mark.parametrize(
    ("version", "station", "csms", "both"), [(V16, 13, 25, 1), (V201, 24, 39, 1), (V21, 36, 54, 1)]
)
def test_the_table_is_complete(version, station, csms, both):
    directions = [row.direction for row in catalogue.actions(version).values()]
    assert [directions.count(one) for one in ("station", "csms", "both")] == [station, csms, both]


def test_every_action_belongs_to_a_block_of_the_house():
    assert {row.block for _, row in EVERY_ACTION} <= BLOCKS


def test_the_only_send_is_the_event_stream():
    assert [row.name for _, row in EVERY_ACTION if row.is_send] == ["NotifyPeriodicEventStream"]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("version", "action"), FROM_STATION)
def test_whatever_a_station_may_say_is_understood_answered_and_travels(version, action, full, example):
    payload = example(version, action, "request", full=full)
    schemas.check(version, action, "request", payload)
    report, repaired = catalogue.understand(version, action, payload)
    assert repaired == ()
    reported = Reported(session="s", message_id="1", digest=b"", report=report)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(reported), type=Reported) == reported
    if not catalogue.actions(version)[action].is_send:
        schemas.check(version, action, "response", catalogue.answer_payload(version, action, answer_to(report)))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("version", "action"), FROM_CSMS)
def test_whatever_a_csms_may_say_can_be_sent_raw_and_its_answer_read(version, action, full, example):
    payload = example(version, action, "request", full=full)
    command = RawCommand(action=action, payload=json.dumps(payload).encode())
    assert catalogue.command_call(version, command) == (action, payload)
    outcome = catalogue.outcome_of(version, action, example(version, action, "response", full=full))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(outcome), type=Outcome) == outcome


@pytest.mark.parametrize("version", Version)
def test_an_unknown_action_is_not_implemented(version):
    with pytest.raises(RemoteError) as raised:
        catalogue.understand(version, "MakeCoffee", {})
    assert raised.value.code is ErrorCode.NOT_IMPLEMENTED


def test_actions_of_other_versions_are_unknown():
    for version, action in [(V16, "TransactionEvent"), (V201, "StartTransaction"), (V201, "BatterySwap")]:
        with pytest.raises(RemoteError) as raised:
            catalogue.understand(version, action, {})
        assert raised.value.code is ErrorCode.NOT_IMPLEMENTED


@pytest.mark.parametrize("version", Version)
def test_an_action_in_the_wrong_direction_is_not_supported(version):
    with pytest.raises(RemoteError) as raised:
        catalogue.understand(version, "Reset", {"type": "Hard"})
    assert raised.value.code is ErrorCode.NOT_SUPPORTED


def test_what_the_schema_refuses_is_not_understood():
    with pytest.raises(RemoteError) as raised:
        catalogue.understand(V16, "Authorize", {})
    assert raised.value.code is ErrorCode.PROTOCOL_ERROR


def test_what_was_repaired_is_told():
    boot = {"chargePointVendor": "V", "chargePointModel": "M", "iccid": None}
    report, repaired = catalogue.understand(V16, "BootNotification", boot)
    assert report == BootReported(vendor="V", model="M")
    assert repaired == ("iccid: empty, dropped",)


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": "noon"}),
        ("StartTransaction", {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "noon"}),
        ("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": "noon", "sampledValue": [{"value": "1"}]}]}),
    ],
)
def test_a_time_that_is_none_is_ignored_and_told(action, payload):
    _, repaired = catalogue.understand(V16, action, payload)
    assert len(repaired) == 1
    assert "is no time, ignored" in repaired[0]


def test_an_answer_that_the_schema_refuses_is_our_fault():
    with pytest.raises(LocalError, match="status"):
        catalogue.answer_payload(V16, "DataTransfer", DataAnswer(status="Perhaps"))


def test_an_answer_to_another_message_is_our_fault():
    with pytest.raises(LocalError, match="not with a HeartbeatAnswer"):
        catalogue.answer_payload(V16, "BootNotification", HeartbeatAnswer(now=NOW))


@pytest.mark.parametrize("action", ["MakeCoffee", "Reset"])
def test_answers_to_what_no_station_sends_are_our_fault(action):
    with pytest.raises(LocalError):
        catalogue.answer_payload(V16, action, NoticeAnswer())


@pytest.mark.parametrize(
    ("action", "payload", "text"),
    [
        ("MakeCoffee", b"{}", "has no action 'MakeCoffee'"),
        ("reset", b"{}", "case-sensitive"),
        ("Heartbeat", b"{}", "sent by stations"),
        ("Reset", b"{", "is no JSON"),
        ("Reset", b"[]", "is no JSON object"),
        ("Reset", b'{"type":"Gently"}', "type: must be one of"),
        ("Reset", b"", "type is missing"),
    ],
)
@pytest.mark.parametrize("version", Version)
def test_a_raw_command_that_cannot_be_sent_says_why(version, action, payload, text):
    with pytest.raises(NotExpressible, match=text):
        catalogue.command_call(version, RawCommand(action=action, payload=payload))


def test_a_command_is_said_by_each_version():
    command = ResetStation(kind=ResetKind.ON_IDLE)
    assert catalogue.command_call(V16, command) == ("Reset", {"type": "Soft"})
    assert catalogue.command_call(V201, command) == ("Reset", {"type": "OnIdle"})
    assert catalogue.command_call(V21, command) == ("Reset", {"type": "OnIdle"})


def test_an_unintelligible_answer_is_the_stations_fault():
    with pytest.raises(RemoteError):
        catalogue.outcome_of(V21, "Reset", {"status": 7})


def test_reading_the_answer_to_what_we_never_send_is_our_fault():
    with pytest.raises(LocalError):
        catalogue.outcome_of(V16, "Heartbeat", {})


def test_a_callerror_is_a_failure_with_the_stations_own_words():
    expected = Outcome(result=Result.FAILED, status="NotSupported", detail="no", payload=b'{"a":1}')
    assert catalogue.outcome_of_error("NotSupported", "no", {"a": 1}) == expected
    assert catalogue.outcome_of_error("X", "", {}) == Outcome(result=Result.FAILED, status="X")


def test_all_versions_report_the_same_transaction_stage():
    event = {
        "eventType": "Started",
        "timestamp": "2026-05-01T10:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "T"},
    }
    start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-05-01T10:00:00Z"}
    reports = [
        catalogue.understand(V16, "StartTransaction", start).report,
        catalogue.understand(V201, "TransactionEvent", event).report,
        catalogue.understand(V21, "TransactionEvent", event).report,
    ]
    assert {(report.stage, report.at) for report in reports} == {(Stage.STARTED, NOW)}


JUNK = [
    None,
    "",
    [],
    {},
    -1,
    1.0,
    1.5,
    True,
    "x" * 300,
    "noon",
    "1",
    "Hz",
    2**63 - 1,
    2**63,
    2**64 - 1,
    -(2**63),
    1e29,
    1e308,
    5e-324,
    [None],
    [{}],
    {"a": 1},
]


def places_in(value, path=()):
    """Every place in a payload, as paths."""
    if path:
        yield path
    for step in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places_in(value[step], (*path, step))


def spoil(payload, draw):
    """The payload with one value dropped, added or replaced."""
    places = list(places_in(payload))
    junk = copy.deepcopy(draw(st.sampled_from(JUNK)))
    if not places:
        return {"extra": junk}
    *path, last = draw(st.sampled_from(places))
    inner = payload
    for step in path:
        inner = inner[step]
    match draw(st.sampled_from(["drop", "add", "replace", "replace"])):
        case "drop":
            del inner[last]
        case "add" if isinstance(inner, dict):
            inner["extra"] = junk
        case _:
            inner[last] = junk
    return payload


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_spoiled_payload_does_more_than_be_refused(example, data):
    version, action = data.draw(st.sampled_from(FROM_STATION))
    payload = example(version, action, "request", full=data.draw(st.booleans()))
    for _ in range(data.draw(st.integers(1, 3))):
        payload = spoil(payload, data.draw)
    try:
        report, _ = catalogue.understand(version, action, payload)
    except RemoteError:
        return
    reported = Reported(session="s", message_id="1", digest=b"", report=report)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(reported), type=Reported) == reported


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_spoiled_answer_does_more_than_be_refused(example, data):
    version, action = data.draw(st.sampled_from(FROM_CSMS))
    payload = example(version, action, "response", full=data.draw(st.booleans()))
    for _ in range(data.draw(st.integers(1, 3))):
        payload = spoil(payload, data.draw)
    try:
        outcome = catalogue.outcome_of(version, action, payload)
    except RemoteError:
        return
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(outcome), type=Outcome) == outcome
