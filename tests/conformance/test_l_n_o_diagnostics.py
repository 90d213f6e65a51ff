"""Blocks L, N and O: firmware, logs, monitoring, customers, streams and displays, in each version's own words."""

import pytest

from engine.model.availability import ConnectorStatusChanged
from engine.model.commands import Result
from engine.model.diagnostics import (
    CustomerInformation,
    CustomerInformationRecorded,
    EventStreamOpened,
    GetLog,
    LogAsked,
    LogStatusRecorded,
    StreamValuesRecorded,
)
from engine.model.display_message import (
    DisplayMessage,
    DisplayMessageSet,
    DisplayMessagesRecorded,
    DisplayText,
    GetDisplayMessages,
    SetDisplayMessage,
)
from engine.model.firmware import FirmwareStatusRecorded, FirmwareUpdateAsked, FirmwareUpdateEnded, UpdateFirmware
from engine.model.monitoring import (
    EventsRecorded,
    GetMonitoringReport,
    MonitorSetting,
    MonitorsRecorded,
    MonitorsSet,
    MonitorType,
    SetVariableMonitoring,
)
from engine.model.provisioning import VariableRef
from engine.ocpp.versions import Version
from tests.conformance.conversation import V16, V21, V201, Conversation

TWO = [V201, V21]
AT = "2026-06-01T10:00:00.000Z"
SIGNED = {"signing_certificate": "PEM", "signature": "c2ln"}
HAPPY = ("Downloading", "Downloaded", "Installing", "Installed")


def numbered(conversation, payload):
    """With the requestId that the last command had on the wire; 1.6 has none in its plain messages."""
    return payload if conversation.version is V16 else payload | {"requestId": 1}


@pytest.mark.parametrize("version", Version)
def test_L02_TC_044_1_an_update_leaves_the_same_facts_in_all_versions(version):
    conversation = Conversation(version)
    action, _ = conversation.told(UpdateFirmware("ftp://h/f"))
    assert action == "UpdateFirmware"
    assert conversation.replies({} if version is V16 else {"status": "Accepted"}).result is Result.ACCEPTED
    for status in HAPPY:
        assert conversation.says("FirmwareStatusNotification", numbered(conversation, {"status": status})) == {}
    (asked,) = conversation.of(FirmwareUpdateAsked)
    told = conversation.of(FirmwareStatusRecorded)
    assert (asked.request_id, asked.accepted, asked.location) == (1, True, "ftp://h/f")
    assert [(fact.status, fact.request_id, fact.flags) for fact in told] == [(status, 1, ()) for status in HAPPY]
    assert told[-1].result == "installed"


@pytest.mark.parametrize("version", Version)
def test_L01_FR_10_a_signed_update_leaves_the_same_facts_in_all_versions(version):
    conversation = Conversation(version)
    action, payload = conversation.told(UpdateFirmware("https://h/f", **SIGNED))
    assert action == ("SignedUpdateFirmware" if version is V16 else "UpdateFirmware")
    assert payload["requestId"] == 1
    conversation.replies({"status": "Accepted"})
    notification = "SignedFirmwareStatusNotification" if version is V16 else "FirmwareStatusNotification"
    for status in ("Downloading", "Downloaded", "InvalidSignature"):
        assert conversation.says(notification, {"status": status, "requestId": 1}) == {}
    assert [fact.request_id for fact in conversation.of(FirmwareStatusRecorded)] == [1, 1, 1]
    assert conversation.of(FirmwareStatusRecorded)[-1].result == "failed"


@pytest.mark.parametrize("version", Version)
def test_L01_FR_24_an_update_that_was_replaced_is_cancelled(version):
    conversation = Conversation(version)
    for word in ("Accepted", "AcceptedCanceled"):
        conversation.told(UpdateFirmware("https://h/f", **SIGNED))
        conversation.replies({"status": word})
    assert [(fact.request_id, fact.result) for fact in conversation.of(FirmwareUpdateEnded)] == [(1, "cancelled")]


@pytest.mark.parametrize("version", Version)
def test_an_update_that_the_station_does_not_know_is_refused(version):
    conversation = Conversation(version)
    conversation.told(UpdateFirmware("https://h/f"))
    assert conversation.refuses("NotSupported").result is Result.FAILED
    assert conversation.of(FirmwareUpdateAsked)[0].accepted is False


@pytest.mark.parametrize("version", Version)
def test_N01_TC_045_1_an_upload_leaves_the_same_facts_in_all_versions(version):
    conversation = Conversation(version)
    action, _ = conversation.told(GetLog("ftp://h/d"))
    assert action == ("GetDiagnostics" if version is V16 else "GetLog")
    answer = {"fileName": "d.zip"} if version is V16 else {"status": "Accepted", "filename": "d.zip"}
    assert conversation.replies(answer).result is Result.ACCEPTED
    notification = "DiagnosticsStatusNotification" if version is V16 else "LogStatusNotification"
    failed = "UploadFailed" if version is V16 else "UploadFailure"
    for status in ("Uploading", failed):
        assert conversation.says(notification, numbered(conversation, {"status": status})) == {}
    (asked,) = conversation.of(LogAsked)
    told = conversation.of(LogStatusRecorded)
    assert (asked.request_id, asked.accepted, asked.file_name) == (1, True, "d.zip")
    assert [(fact.status, fact.request_id) for fact in told] == [("Uploading", 1), ("UploadFailure", 1)]


@pytest.mark.parametrize("version", Version)
def test_N01_FR_05_no_log_is_no_upload(version):
    conversation = Conversation(version)
    conversation.told(GetLog("ftp://h/d"))
    assert conversation.replies({} if version is V16 else {"status": "Rejected"}).result is Result.REFUSED
    assert conversation.of(LogAsked)[0].accepted is False


@pytest.mark.parametrize("version", Version)
def test_a_triggered_status_before_its_answer_is_understood(version):
    conversation = Conversation(version)
    conversation.told(GetLog("ftp://h/d"))
    notification = "DiagnosticsStatusNotification" if version is V16 else "LogStatusNotification"
    assert conversation.says(notification, numbered(conversation, {"status": "Uploading"})) == {}
    assert conversation.of(LogStatusRecorded)[0].request_id == 1


@pytest.mark.parametrize("version", TWO)
def test_N02_N04_monitors_are_set_and_reported(version):
    conversation = Conversation(version)
    ref = VariableRef("Power", "EVSE")
    conversation.told(SetVariableMonitoring((MonitorSetting(ref, MonitorType.DELTA, 5.0, 4),)))
    names = {"component": {"name": "EVSE"}, "variable": {"name": "Power"}}
    result = {"id": 7, "status": "Accepted", "type": "Delta", "severity": 4, **names}
    conversation.replies({"setMonitoringResult": [result]})
    assert [monitor.id for monitor in conversation.of(MonitorsSet)[0].monitors] == [7]
    conversation.told(GetMonitoringReport())
    conversation.replies({"status": "Accepted"})
    monitor = {"id": 7, "transaction": False, "value": 5, "type": "Delta", "severity": 4}
    if version is V21:
        monitor["eventNotificationType"] = "CustomMonitor"
    part = {"requestId": 1, "seqNo": 0, "generatedAt": AT, "monitor": [{**names, "variableMonitoring": [monitor]}]}
    assert conversation.says("NotifyMonitoringReport", part) == {}
    (fact,) = conversation.of(MonitorsRecorded)
    assert (fact.first, fact.complete, fact.flags) == (True, True, ())


@pytest.mark.parametrize("version", TWO)
def test_G01_FR_03_an_event_and_a_status_notification_tell_the_same_of_a_connector(version):
    by_event, by_status = Conversation(version), Conversation(version)
    event = {
        "eventId": 1,
        "timestamp": AT,
        "trigger": "Delta",
        "actualValue": "Occupied",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "AvailabilityState"},
    }
    assert by_event.says("NotifyEvent", {"generatedAt": AT, "seqNo": 0, "eventData": [event]}) == {}
    status = {"evseId": 1, "connectorId": 1, "connectorStatus": "Occupied", "timestamp": AT}
    assert by_status.says("StatusNotification", status) == {}
    told = [conversation.of(ConnectorStatusChanged)[0].report for conversation in (by_event, by_status)]
    assert told[0] == told[1]
    assert len(by_event.of(EventsRecorded)) == 1


@pytest.mark.parametrize("version", TWO)
def test_N09_FR_05_what_a_station_keeps_of_a_customer_is_put_together(version):
    conversation = Conversation(version)
    conversation.told(CustomerInformation(report=True, clear=False, customer_identifier="Jane"))
    conversation.replies({"status": "Accepted"})
    for sequence, text in enumerate(("Ja", "ne")):
        part = {"data": text, "tbc": sequence == 0, "seqNo": sequence, "generatedAt": AT, "requestId": 1}
        assert conversation.says("NotifyCustomerInformation", part) == {}
    last = conversation.of(CustomerInformationRecorded)[-1]
    assert (last.text, last.complete) == ("Jane", True)


def test_N11_N15_values_of_a_stream_belong_to_its_monitor():
    conversation = Conversation(V21)
    data = {"id": 3, "params": {"interval": 5}, "variableMonitoringId": 11}
    assert conversation.says("OpenPeriodicEventStream", {"constantStreamData": data}) == {"status": "Accepted"}
    values = {"id": 3, "pending": 0, "basetime": AT, "data": [{"t": 0, "v": "1"}]}
    assert conversation.says("NotifyPeriodicEventStream", values) is None
    assert conversation.of(EventStreamOpened)[0].accepted
    assert conversation.of(StreamValuesRecorded)[0].monitor_id == 11


@pytest.mark.parametrize("version", TWO)
def test_O01_O03_messages_are_shown_and_reported(version):
    conversation = Conversation(version)
    conversation.told(SetDisplayMessage(DisplayMessage(1, DisplayText("Hi"))))
    conversation.replies({"status": "Accepted"})
    assert conversation.of(DisplayMessageSet)[0].message.id == 1
    conversation.told(GetDisplayMessages())
    conversation.replies({"status": "Accepted"})
    info = {"id": 1, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "Hi"}}
    assert conversation.says("NotifyDisplayMessages", {"requestId": 1, "messageInfo": [info]}) == {}
    assert conversation.of(DisplayMessagesRecorded)[0].report.messages == (DisplayMessage(1, DisplayText("Hi")),)
