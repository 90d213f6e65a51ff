"""Diagnostics in 1.6: two ways to ask for a log, and what came with 2.0.1."""

from datetime import UTC, datetime

import pytest

from engine.model.commands import Result
from engine.model.diagnostics import (
    AdjustEventStream,
    CustomerInformation,
    GetEventStreams,
    GetLog,
    LogFile,
    LogKind,
    LogStatus,
    LogStatusReported,
)
from engine.model.display_message import (
    ClearDisplayMessage,
    DisplayMessage,
    DisplayText,
    GetDisplayMessages,
    SetDisplayMessage,
)
from engine.model.monitoring import (
    ClearVariableMonitoring,
    GetMonitoringReport,
    MonitoringBase,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetVariableMonitoring,
)
from engine.model.notices import NoticeAnswer
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V16 = Version.V16
AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
ISO = "2026-05-01T10:00:00.000Z"


def said(command):
    return catalogue.command_call(V16, command)


def understood(action, payload):
    return catalogue.understand(V16, action, payload).report


def test_TC_045_diagnostics_are_asked_for_as_every_station_knows_it():
    command = GetLog("ftp://h/d", oldest_at=AT, latest_at=AT, retries=2, retry_interval_s=5, request_id=3)
    payload = {"location": "ftp://h/d", "startTime": ISO, "stopTime": ISO, "retries": 2, "retryInterval": 5}
    assert said(command) == ("GetDiagnostics", payload)
    assert said(GetLog("ftp://h/d", request_id=3)) == ("GetDiagnostics", {"location": "ftp://h/d"})


def test_the_security_log_is_asked_for_as_the_whitepaper_says():
    command = GetLog("https://h/d", LogKind.SECURITY, oldest_at=AT, retries=2, request_id=3)
    assert said(command) == (
        "GetLog",
        {
            "log": {"remoteLocation": "https://h/d", "oldestTimestamp": ISO},
            "logType": "SecurityLog",
            "requestId": 3,
            "retries": 2,
        },
    )


def test_1_6_has_no_data_collector():
    with pytest.raises(NotExpressible, match="DiagnosticsLog or SecurityLog"):
        said(GetLog("https://h/d", LogKind.DATA_COLLECTOR, request_id=3))


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (SetVariableMonitoring(()), "StatusNotification"),
        (ClearVariableMonitoring((1,)), "StatusNotification"),
        (GetMonitoringReport(request_id=1), "StatusNotification"),
        (SetMonitoringBase(MonitoringBase.ALL), "StatusNotification"),
        (SetMonitoringLevel(3), "StatusNotification"),
        (CustomerInformation(report=True, clear=False, customer_identifier="x", request_id=1), "clear_cache"),
        (AdjustEventStream(1, 5), "MeterValueSampleInterval"),
        (GetEventStreams(), "MeterValueSampleInterval"),
        (SetDisplayMessage(DisplayMessage(1, DisplayText("Hi"))), "send_data"),
        (GetDisplayMessages(request_id=1), "send_data"),
        (ClearDisplayMessage(1), "send_data"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_came_with_2_0_1_is_not_expressible_and_says_what_to_use(command, advice):
    with pytest.raises(NotExpressible, match=advice):
        said(command)


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("Idle", LogStatus.IDLE),
        ("Uploading", LogStatus.UPLOADING),
        ("Uploaded", LogStatus.UPLOADED),
        ("UploadFailed", LogStatus.UPLOAD_FAILURE),
    ],
)
def test_a_status_of_diagnostics_is_one_of_a_log(written, status):
    assert understood("DiagnosticsStatusNotification", {"status": written}) == LogStatusReported(status)


def test_a_status_of_a_log_names_its_upload():
    payload = {"status": "PermissionDenied", "requestId": 4}
    assert understood("LogStatusNotification", payload) == LogStatusReported(LogStatus.PERMISSION_DENIED, 4)


@pytest.mark.parametrize("action", ["DiagnosticsStatusNotification", "LogStatusNotification"])
def test_a_status_is_taken_note_of(action):
    assert catalogue.answer_payload(V16, action, NoticeAnswer()) == {}


def test_an_answer_with_a_file_name_is_a_yes():
    outcome = catalogue.outcome_of(V16, "GetDiagnostics", {"fileName": "d.zip"})
    assert (outcome.result, outcome.status, outcome.found) == (Result.ACCEPTED, None, LogFile("d.zip"))


@pytest.mark.parametrize("payload", [{}, {"fileName": ""}])
def test_an_answer_without_a_file_name_means_that_there_are_no_diagnostics(payload):
    outcome = catalogue.outcome_of(V16, "GetDiagnostics", payload)
    assert (outcome.result, outcome.found) == (Result.REFUSED, None)
    assert "no diagnostics" in outcome.detail
    assert outcome.payload is not None, "the station said it, so it can be told from a refusal of ours"


def test_an_answer_to_get_log_may_name_its_file():
    outcome = catalogue.outcome_of(V16, "GetLog", {"status": "AcceptedCanceled", "filename": "s.log"})
    assert (outcome.result, outcome.found) == (Result.ACCEPTED, LogFile("s.log"))
    assert catalogue.outcome_of(V16, "GetLog", {"status": "Rejected"}).found is None
