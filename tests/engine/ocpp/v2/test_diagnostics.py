"""Logs, customer information and event streams in both versions."""

from datetime import UTC, datetime

import pytest

from engine.model.authorization import Token
from engine.model.certificates import CertificateHash, HashAlgorithm
from engine.model.commands import Result
from engine.model.diagnostics import (
    AdjustEventStream,
    CustomerInformation,
    CustomerInformationReported,
    EventStream,
    EventStreamAnswer,
    EventStreamGone,
    EventStreamOffered,
    GetEventStreams,
    GetLog,
    LogFile,
    LogKind,
    LogStatus,
    LogStatusReported,
    StreamsFound,
    StreamValue,
    StreamValuesReported,
)
from engine.model.notices import NoticeAnswer
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
V21 = Version.V21
AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
ISO = "2026-05-01T10:00:00.000Z"
HASH = CertificateHash(HashAlgorithm.SHA256, "aa", "bb", "cc")
STREAM = {"id": 3, "params": {"interval": 60, "values": 20}, "variableMonitoringId": 11}


def understood(version, action, payload):
    return catalogue.understand(version, action, payload).report


def asked(**who):
    return CustomerInformation(report=True, clear=False, request_id=4, **who)


@BOTH
def test_a_log_is_asked_for_with_its_span(version):
    command = GetLog("https://h/", LogKind.SECURITY, AT, AT, 3, 60, request_id=7)
    assert catalogue.command_call(version, command) == (
        "GetLog",
        {
            "log": {"remoteLocation": "https://h/", "oldestTimestamp": ISO, "latestTimestamp": ISO},
            "logType": "SecurityLog",
            "requestId": 7,
            "retries": 3,
            "retryInterval": 60,
        },
    )


def test_the_log_of_a_data_collector_is_2_1s():
    command = GetLog("https://h/", LogKind.DATA_COLLECTOR, request_id=7)
    assert catalogue.command_call(V21, command)[1]["logType"] == "DataCollectorLog"
    with pytest.raises(NotExpressible, match="DiagnosticsLog or SecurityLog"):
        catalogue.command_call(Version.V201, command)


@BOTH
@pytest.mark.parametrize("status", list(LogStatus))
def test_every_status_of_an_upload_is_understood(version, status):
    report = understood(version, "LogStatusNotification", {"status": status.value, "requestId": 7})
    assert report == LogStatusReported(status, 7)
    assert understood(version, "LogStatusNotification", {"status": status.value}) == LogStatusReported(status)


@BOTH
def test_N01_FR_01_the_answer_names_the_file(version):
    outcome = catalogue.outcome_of(version, "GetLog", {"status": "Accepted", "filename": "d.zip"})
    assert (outcome.result, outcome.found) == (Result.ACCEPTED, LogFile("d.zip"))
    assert catalogue.outcome_of(version, "GetLog", {"status": "Accepted"}).found is None


@BOTH
@pytest.mark.parametrize(
    ("who", "field", "written"),
    [
        ({"token": Token("04AB", "ISO14443")}, "idToken", {"idToken": "04AB", "type": "ISO14443"}),
        ({"customer_identifier": "Jane"}, "customerIdentifier", "Jane"),
        (
            {"certificate": HASH},
            "customerCertificate",
            {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "cc"},
        ),
    ],
)
def test_N09_FR_04_a_customer_is_named_in_one_of_three_ways(version, who, field, written):
    action, payload = catalogue.command_call(version, asked(**who))
    assert action == "CustomerInformation"
    assert payload == {"requestId": 4, "report": True, "clear": False, field: written}


@BOTH
@pytest.mark.parametrize("who", [{}, {"token": Token("1", "Central"), "customer_identifier": "x"}])
def test_N09_FR_09_a_customer_named_in_no_or_several_ways_is_not_expressible(version, who):
    with pytest.raises(NotExpressible, match="exactly one way"):
        catalogue.command_call(version, asked(**who))


@BOTH
def test_N09_FR_07_a_question_that_asks_for_nothing_is_not_expressible(version):
    with pytest.raises(NotExpressible, match="set one of them"):
        catalogue.command_call(
            version, CustomerInformation(report=False, clear=False, customer_identifier="x", request_id=1)
        )


@BOTH
def test_a_part_about_a_customer_is_understood(version):
    payload = {"data": "Name: Jane", "tbc": True, "seqNo": 2, "generatedAt": ISO, "requestId": 4}
    expected = CustomerInformationReported(4, 2, "Name: Jane", more=True)
    assert understood(version, "NotifyCustomerInformation", payload) == expected
    del payload["tbc"]
    assert understood(version, "NotifyCustomerInformation", payload).more is False


@BOTH
@pytest.mark.parametrize("action", ["LogStatusNotification", "NotifyCustomerInformation"])
def test_these_are_taken_note_of(version, action):
    assert catalogue.answer_payload(version, action, NoticeAnswer()) == {}


def test_N11_FR_04_an_offered_stream_names_its_monitor():
    report = understood(V21, "OpenPeriodicEventStream", {"constantStreamData": STREAM})
    assert report == EventStreamOffered(EventStream(3, 11, 60, 20))
    assert understood(V21, "ClosePeriodicEventStream", {"id": 3}) == EventStreamGone(3)


def test_N11_FR_05_FR_06_a_stream_is_accepted_or_not():
    yes = catalogue.answer_payload(V21, "OpenPeriodicEventStream", EventStreamAnswer(accepted=True))
    no = EventStreamAnswer(accepted=False, reason="TooManyElements", detail="x" * 2000)
    refused = catalogue.answer_payload(V21, "OpenPeriodicEventStream", no)
    assert yes == {"status": "Accepted"}
    assert refused["status"] == "Rejected"
    assert refused["statusInfo"] == {"reasonCode": "TooManyElements", "additionalInfo": "x" * 1024}
    assert catalogue.answer_payload(V21, "ClosePeriodicEventStream", NoticeAnswer()) == {}


def test_N15_FR_02_values_of_a_stream_have_no_answer():
    payload = {"id": 3, "pending": 4, "basetime": ISO, "data": [{"t": 0, "v": "1.5"}, {"t": 2.5, "v": "x"}]}
    report = understood(V21, "NotifyPeriodicEventStream", payload)
    assert report == StreamValuesReported(3, 4, (StreamValue(0.0, "1.5"), StreamValue(2.5, "x")), AT)
    assert catalogue.actions(V21)["NotifyPeriodicEventStream"].is_send


def test_N14_FR_01_a_rate_is_an_interval_or_a_number_of_values():
    adjusted = catalogue.command_call(V21, AdjustEventStream(3, interval_s=5))
    assert adjusted == ("AdjustPeriodicEventStream", {"id": 3, "params": {"interval": 5}})
    with pytest.raises(NotExpressible, match="interval_s or values"):
        catalogue.command_call(V21, AdjustEventStream(3))


def test_N12_FR_01_the_answer_lists_the_open_streams():
    assert catalogue.command_call(V21, GetEventStreams()) == ("GetPeriodicEventStream", {})
    outcome = catalogue.outcome_of(V21, "GetPeriodicEventStream", {"constantStreamData": [STREAM]})
    assert (outcome.result, outcome.found) == (Result.ACCEPTED, StreamsFound((EventStream(3, 11, 60, 20),)))
    assert catalogue.outcome_of(V21, "GetPeriodicEventStream", {}).found == StreamsFound()


@pytest.mark.parametrize("command", [AdjustEventStream(3, 5), GetEventStreams()])
def test_2_0_1_has_no_streams(command):
    with pytest.raises(NotExpressible, match="periodic monitor"):
        catalogue.command_call(Version.V201, command)
