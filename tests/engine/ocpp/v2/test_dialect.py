"""Both dialects are complete, schema-valid in all they produce, and say the same words for the same payload."""

from datetime import UTC, datetime
from typing import get_args

import orjson
import pytest

from engine.model import codec
from engine.model.authorization import ClearCache, Token, TokenStatus, TokenVerdict
from engine.model.availability import ChangeAvailability
from engine.model.commands import Command, Result
from engine.model.data_transfer import SendData
from engine.model.device_model import (
    ComponentCriterion,
    GetBaseReport,
    GetReport,
    ReportBase,
)
from engine.model.envelopes import Batch, Delivery, Reported
from engine.model.ids import EvseRef
from engine.model.local_list import GetLocalListVersion, ListEntry, SendLocalList
from engine.model.notices import NoticeAnswer, RawCommand
from engine.model.provisioning import (
    ChangePassword,
    GetVariables,
    NetworkProfile,
    ResetKind,
    ResetStation,
    SetNetworkProfile,
    SetVariables,
    VariableRef,
    VariableSetting,
)
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.model.reservation import (
    CancelReservation,
    ReserveNow,
)
from engine.model.transactions import GetTransactionStatus
from engine.ocpp import catalogue
from engine.ocpp.errors import LocalError
from engine.ocpp.v2.dialect import DIALECT_21, DIALECT_201, dialect
from engine.ocpp.v16.dialect import DIALECT as DIALECT_V16
from engine.ocpp.versions import Version
from tests.engine.answering import answer_to

NOW = datetime(2026, 5, 1, 10, 0, 0, 123456, tzinfo=UTC)
BOTH = (Version.V201, Version.V21)
VERDICT = TokenVerdict(status=TokenStatus.ACCEPTED, expires_at=NOW, group="fleet")
STATION_ACTIONS_201 = {
    "Authorize",
    "BootNotification",
    "ClearedChargingLimit",
    "DataTransfer",
    "FirmwareStatusNotification",
    "Get15118EVCertificate",
    "GetCertificateStatus",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "NotifyChargingLimit",
    "NotifyCustomerInformation",
    "NotifyDisplayMessages",
    "NotifyEVChargingNeeds",
    "NotifyEVChargingSchedule",
    "NotifyEvent",
    "NotifyMonitoringReport",
    "NotifyReport",
    "PublishFirmwareStatusNotification",
    "ReportChargingProfiles",
    "ReservationStatusUpdate",
    "SecurityEventNotification",
    "SignCertificate",
    "StatusNotification",
    "TransactionEvent",
}
STATION_ACTIONS_21 = STATION_ACTIONS_201 | {
    "BatterySwap",
    "ClosePeriodicEventStream",
    "GetCertificateChainStatus",
    "NotifyDERAlarm",
    "NotifyDERStartStop",
    "NotifyPeriodicEventStream",
    "NotifyPriorityCharging",
    "NotifySettlement",
    "OpenPeriodicEventStream",
    "PullDynamicScheduleUpdate",
    "ReportDERControl",
    "VatNumberValidation",
}
PLACE = EvseRef(evse=1, connector=1)
REF = VariableRef(
    variable="Available",
    component="EVSE",
    component_instance="left",
    variable_instance="a",
    evse=PLACE,
    attribute="Target",
)
SAYABLE = (
    GetVariables(variables=(REF, VariableRef(variable="HeartbeatInterval", component="OCPPCommCtrlr"))),
    SetVariables(settings=(VariableSetting(ref=REF, value="60"),)),
    ResetStation(kind=ResetKind.IMMEDIATE),
    ResetStation(kind=ResetKind.ON_IDLE, evse=2),
    ChangeAvailability(evse=EvseRef(evse=0), operative=False),
    ChangeAvailability(evse=EvseRef(evse=1), operative=True),
    ChangeAvailability(evse=PLACE, operative=True),
    ClearCache(),
    RequestStart(token=Token(value="04AB"), remote_start_id=1),
    RequestStart(token=Token(value="x", type="eMAID"), evse=EvseRef(evse=1), remote_start_id=0),
    RequestStop(transaction_id="a" * 36),
    UnlockConnector(evse=PLACE),
    TriggerMessage(message="Heartbeat"),
    TriggerMessage(message="StatusNotification", evse=PLACE),
    TriggerMessage(message="MeterValues", evse=EvseRef(evse=1)),
    GetBaseReport(base=ReportBase.FULL, request_id=1),
    GetReport(criteria=(ComponentCriterion.PROBLEM,), request_id=2),
    ChangePassword(password="0123456789abcdef"),
    SetNetworkProfile(configuration_slot=1, profile=NetworkProfile(url="wss://x", security_profile=2)),
    GetTransactionStatus(transaction_id="tx"),
    SendData(vendor_id="v"),
    SendData(vendor_id="v", message_id="m", data=b"[1,null]"),
    SendLocalList(version=1, full=True),
    SendLocalList(
        version=2, entries=(ListEntry(Token("04AB"), TokenVerdict(TokenStatus.ACCEPTED)), ListEntry(Token("x")))
    ),
    GetLocalListVersion(),
    ReserveNow(token=Token(value="x"), expires_at=NOW, evse=EvseRef(evse=1), group="g", request_id=1),
    CancelReservation(reservation_id=1),
    RawCommand(action="GetBaseReport", payload=b'{"requestId":1,"reportBase":"FullInventory"}'),
)


def each(calls):
    return [(version, action) for version in BOTH for action in sorted(getattr(dialect(version), calls))]


@pytest.mark.parametrize("version", BOTH)
def test_every_action_that_has_a_schema_can_be_said(version, actions):
    spoken = dialect(version)
    assert set(spoken.from_station) | set(spoken.from_csms) == actions(version)
    assert set(spoken.from_station) & set(spoken.from_csms) == {"DataTransfer"}


def test_the_stations_start_the_actions_of_their_version():
    assert set(DIALECT_201.from_station) == STATION_ACTIONS_201
    assert set(DIALECT_21.from_station) == STATION_ACTIONS_21
    assert (len(DIALECT_201.from_csms), len(DIALECT_21.from_csms)) == (40, 55)


def test_only_the_versions_of_the_family_have_a_dialect():
    assert (dialect(Version.V201), dialect(Version.V21)) == (DIALECT_201, DIALECT_21)
    with pytest.raises(KeyError):
        dialect(Version.V16)


def test_every_name_in_the_tables_is_the_call_s_own():
    for spoken in (DIALECT_201, DIALECT_21):
        for calls in (spoken.from_station, spoken.from_csms):
            assert all(name == call.action for name, call in calls.items())
        assert all(kind is translator.command for kind, translator in spoken.commands.items())


@pytest.mark.parametrize("version", BOTH)
def test_every_command_but_the_raw_one_has_a_translator(version):
    assert set(dialect(version).commands) == set(get_args(Command)) - {RawCommand}


def test_only_the_periodic_event_stream_is_a_send():
    sends = [action for action, call in DIALECT_21.from_station.items() if call.response is None]
    assert sends == ["NotifyPeriodicEventStream"]
    assert all(call.response is not None for call in DIALECT_201.from_station.values())


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("version", "action"), each("from_station"))
def test_every_report_becomes_a_word_that_travels_and_an_answer_that_the_schema_accepts(
    version, action, whole, sample, judge
):
    payload = sample(version, action, "Request", whole=whole)
    judge(version, action, "Request", payload)
    call = dialect(version).from_station[action]
    report = call.report(payload, version)
    assert catalogue.understand(version, action, payload) == (report, ())
    event = Reported(session="i:1:1", message_id="m", digest=b"0" * 16, report=report)
    batch = Batch(ingress="i", epochs=(), deliveries=(Delivery(station="CP", received_at=NOW, event=event),))
    assert codec.decode_batch(codec.encode(batch)) == batch
    if call.response is not None:
        answer = catalogue.answer_payload(version, action, answer_to(report))
        judge(version, action, "Response", answer)


@pytest.mark.parametrize(
    "action",
    [
        "Authorize",
        "BootNotification",
        "DataTransfer",
        "Heartbeat",
        "MeterValues",
        "StatusNotification",
        "TransactionEvent",
    ],
)
def test_the_answer_to_another_message_is_our_own_mistake(action):
    with pytest.raises(LocalError, match=f"{action} is answered with a"):
        DIALECT_201.from_station[action].response(NoticeAnswer(), Version.V201)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("action", sorted(STATION_ACTIONS_201))
def test_both_versions_say_the_same_words_for_the_same_payload(action, whole, sample):
    payload = sample(Version.V201, action, "Request", whole=whole)
    words = [dialect(version).from_station[action].report(payload, version) for version in BOTH]
    assert words[0] == words[1]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("action", sorted(DIALECT_201.from_csms))
def test_both_versions_read_the_same_outcome_from_the_same_answer(action, whole, sample):
    payload = sample(Version.V201, action, "Response", whole=whole)
    outcomes = [dialect(version).from_csms[action].outcome(payload, version) for version in BOTH]
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("version", "action"), each("from_csms"))
def test_every_answer_of_a_station_becomes_an_outcome_that_travels(version, action, whole, sample, judge):
    payload = sample(version, action, "Response", whole=whole)
    judge(version, action, "Response", payload)
    outcome = dialect(version).from_csms[action].outcome(payload, version)
    assert outcome.result in (Result.ACCEPTED, Result.REFUSED)
    assert orjson.loads(outcome.payload) == payload
    assert codec.decode_outcome(codec.encode(outcome)) == outcome


@pytest.mark.parametrize("command", SAYABLE, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("version", BOTH)
def test_every_command_becomes_a_call_that_the_schema_accepts(version, command, judge):
    action, payload = catalogue.command_call(version, command)
    assert action in dialect(version).from_csms
    judge(version, action, "Request", payload)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("version", "action"), each("from_csms"))
def test_every_action_of_ours_can_be_said_raw(version, action, whole, sample, judge):
    payload = sample(version, action, "Request", whole=whole)
    judge(version, action, "Request", payload)
    command = RawCommand(action=action, payload=orjson.dumps(payload))
    assert catalogue.command_call(version, command) == (action, payload)


def test_every_command_has_a_translator_somewhere():
    said = {*DIALECT_V16.commands, *DIALECT_201.commands, *DIALECT_21.commands}
    assert said == {*get_args(Command)} - {RawCommand}


def outcome(action, payload, version=Version.V21):
    return dialect(version).from_csms[action].outcome(payload, version)


@pytest.mark.parametrize(
    ("action", "payload", "result"),
    [
        ("CostUpdated", {}, Result.ACCEPTED),
        ("GetLocalListVersion", {"versionNumber": 0}, Result.ACCEPTED),
        ("GetTransactionStatus", {"messagesInQueue": False}, Result.ACCEPTED),
        ("GetDisplayMessages", {"status": "Unknown"}, Result.ACCEPTED),
        ("ClearDisplayMessage", {"status": "Unknown"}, Result.REFUSED),
        ("GetChargingProfiles", {"status": "NoProfiles"}, Result.ACCEPTED),
        ("GetReport", {"status": "EmptyResultSet"}, Result.ACCEPTED),
        ("UnpublishFirmware", {"status": "Unpublished"}, Result.ACCEPTED),
        ("UnpublishFirmware", {"status": "DownloadOngoing"}, Result.REFUSED),
        ("UpdateFirmware", {"status": "AcceptedCanceled"}, Result.ACCEPTED),
        ("SendLocalList", {"status": "VersionMismatch"}, Result.REFUSED),
    ],
)
def test_an_answered_question_and_a_yes_are_accepted(action, payload, result):
    assert outcome(action, payload).result is result
