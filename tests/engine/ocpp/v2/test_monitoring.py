"""Monitors, reports of them and events in both versions."""

from datetime import UTC, datetime

import pytest

from engine.model.commands import Result
from engine.model.ids import EvseRef
from engine.model.monitoring import (
    ClearVariableMonitoring,
    EventsReported,
    GetMonitoringReport,
    Monitor,
    MonitoringBase,
    MonitoringCriterion,
    MonitoringEvent,
    MonitorKind,
    MonitorResult,
    MonitorSetting,
    MonitorsGone,
    MonitorsReported,
    MonitorType,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetVariableMonitoring,
    StreamParameters,
)
from engine.model.notices import NoticeAnswer
from engine.model.provisioning import VariableRef
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
V21 = Version.V21
AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
ISO = "2026-05-01T10:00:00.000Z"
REF = VariableRef("Power", "EVSE", component_instance="left", variable_instance="a", evse=EvseRef(1))
COMPONENT = {"name": "EVSE", "instance": "left", "evse": {"id": 1}}
VARIABLE = {"name": "Power", "instance": "a"}


def understood(version, action, payload):
    return catalogue.understand(version, action, payload).report


def setting(**more):
    wanted = {"ref": REF, "type": MonitorType.UPPER_THRESHOLD, "value": 22000.0, "severity": 4} | more
    return SetVariableMonitoring((MonitorSetting(**wanted),))


@BOTH
def test_a_monitor_is_set(version):
    action, payload = catalogue.command_call(version, setting(id=7, transaction=True))
    assert action == "SetVariableMonitoring"
    assert payload["setMonitoringData"] == [
        {
            "value": 22000.0,
            "type": "UpperThreshold",
            "severity": 4,
            "component": COMPONENT,
            "variable": VARIABLE,
            "id": 7,
            "transaction": True,
        }
    ]
    bare = catalogue.command_call(version, setting(ref=VariableRef("Temp", "EVSE")))[1]["setMonitoringData"][0]
    assert set(bare) == {"value", "type", "severity", "component", "variable"}


@BOTH
@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (SetVariableMonitoring(()), "one monitor at least"),
        (ClearVariableMonitoring(()), "one monitor at least"),
        (setting(severity=10), "severities from 0"),
        (setting(severity=-1), "severities from 0"),
        (SetMonitoringLevel(10), "severities from 0"),
        (setting(type=MonitorType.DELTA, value=-1.0), r"N04\.FR\.14"),
        (setting(ref=VariableRef("Power")), "a component's name"),
        (setting(ref=VariableRef("", "EVSE")), "a variable's name"),
    ],
)
def test_what_no_station_could_take_is_not_expressible(version, command, problem):
    with pytest.raises(NotExpressible, match=problem):
        catalogue.command_call(version, command)


def test_targets_and_streams_are_2_1s():
    stream = setting(type=MonitorType.PERIODIC, value=1.0, stream=StreamParameters(60, 30))
    said = catalogue.command_call(V21, stream)[1]["setMonitoringData"][0]
    assert said["periodicEventStream"] == {"interval": 60, "values": 30}
    target = setting(type=MonitorType.TARGET_DELTA)
    assert catalogue.command_call(V21, target)[1]["setMonitoringData"][0]["type"] == "TargetDelta"
    with pytest.raises(NotExpressible, match="the values come as events"):
        catalogue.command_call(Version.V201, stream)
    with pytest.raises(NotExpressible, match="threshold or Delta"):
        catalogue.command_call(Version.V201, target)


def test_N11_FR_09_a_stream_needs_an_interval_or_a_number_of_values():
    with pytest.raises(NotExpressible, match=r"N11\.FR\.09"):
        catalogue.command_call(V21, setting(type=MonitorType.PERIODIC, stream=StreamParameters()))
    with pytest.raises(NotExpressible, match="use Periodic or Delta"):
        catalogue.command_call(V21, setting(stream=StreamParameters(5)))


@BOTH
def test_the_other_commands_are_said(version):
    assert catalogue.command_call(version, ClearVariableMonitoring((1, 2))) == (
        "ClearVariableMonitoring",
        {"id": [1, 2]},
    )
    assert catalogue.command_call(version, SetMonitoringBase(MonitoringBase.FACTORY_DEFAULT)) == (
        "SetMonitoringBase",
        {"monitoringBase": "FactoryDefault"},
    )
    assert catalogue.command_call(version, SetMonitoringLevel(0)) == ("SetMonitoringLevel", {"severity": 0})
    assert catalogue.command_call(version, GetMonitoringReport(request_id=2)) == (
        "GetMonitoringReport",
        {"requestId": 2},
    )


@BOTH
def test_N02_FR_16_a_report_may_be_of_a_whole_component(version):
    criteria = (MonitoringCriterion.DELTAS, MonitoringCriterion.DELTAS, MonitoringCriterion.PERIODIC)
    command = GetMonitoringReport((VariableRef("", "EVSE"), REF), criteria, request_id=2)
    assert catalogue.command_call(version, command)[1] == {
        "requestId": 2,
        "monitoringCriteria": ["DeltaMonitoring", "PeriodicMonitoring"],
        "componentVariable": [
            {"component": {"name": "EVSE"}},
            {"component": COMPONENT, "variable": VARIABLE},
        ],
    }


@BOTH
def test_N04_FR_11_the_answer_tells_the_numbers_of_monitors(version):
    taken = {"id": 12, "status": "Accepted", "type": "Delta", "component": COMPONENT, "variable": VARIABLE}
    double = {**taken, "status": "Duplicate", "statusInfo": {"reasonCode": "DuplicateX"}}
    del double["id"]
    payload = {"setMonitoringResult": [{**taken, "severity": 5}, {**double, "severity": 6}]}
    outcome = catalogue.outcome_of(version, "SetVariableMonitoring", payload)
    assert (outcome.result, outcome.status) == (Result.REFUSED, "Duplicate")
    assert outcome.found.results == (
        MonitorResult(REF, MonitorType.DELTA, 5, "Accepted", 12),
        MonitorResult(REF, MonitorType.DELTA, 6, "Duplicate", None, "DuplicateX"),
    )


@BOTH
def test_N06_FR_02_a_monitor_that_is_not_there_is_gone_too(version):
    results = [{"id": 1, "status": "Accepted"}, {"id": 2, "status": "NotFound"}, {"id": 3, "status": "Rejected"}]
    outcome = catalogue.outcome_of(version, "ClearVariableMonitoring", {"clearMonitoringResult": results})
    assert (outcome.result, outcome.found) == (Result.REFUSED, MonitorsGone((1, 2)))


@BOTH
def test_a_part_of_a_report_is_understood(version):
    monitor = {"id": 1, "transaction": True, "value": 5, "type": "Periodic", "severity": 8}
    if version is V21:
        monitor["eventNotificationType"] = "PreconfiguredMonitor"
    payload = {
        "monitor": [{"component": COMPONENT, "variable": VARIABLE, "variableMonitoring": [monitor]}],
        "requestId": 2,
        "tbc": True,
        "seqNo": 3,
        "generatedAt": ISO,
    }
    kind = MonitorKind.PRECONFIGURED_MONITOR if version is V21 else None
    expected = Monitor(1, REF, MonitorType.PERIODIC, 5.0, 8, transaction=True, kind=kind)
    report = understood(version, "NotifyMonitoringReport", payload)
    assert report == MonitorsReported(2, 3, (expected,), more=True, generated_at=AT)
    assert (
        understood(version, "NotifyMonitoringReport", {"requestId": 2, "seqNo": 0, "generatedAt": ISO}).monitors == ()
    )


@BOTH
def test_N07_FR_06_an_event_names_what_caused_it(version):
    data = {
        "eventId": 5,
        "timestamp": ISO,
        "trigger": "Alerting",
        "cause": 4,
        "actualValue": "63.5",
        "techCode": "T1",
        "techInfo": "hot",
        "cleared": False,
        "transactionId": "tx",
        "variableMonitoringId": 9,
        "eventNotificationType": "CustomMonitor",
        "component": COMPONENT,
        "variable": VARIABLE,
    }
    report = understood(version, "NotifyEvent", {"generatedAt": ISO, "tbc": True, "seqNo": 1, "eventData": [data]})
    expected = MonitoringEvent(
        event_id=5,
        ref=REF,
        trigger="Alerting",
        value="63.5",
        kind=MonitorKind.CUSTOM_MONITOR,
        at=AT,
        cause=4,
        cleared=False,
        monitor_id=9,
        transaction_id="tx",
        tech_code="T1",
        tech_info="hot",
    )
    assert report == EventsReported((expected,), 1, more=True)


def test_2_1_tells_the_severity_of_an_event():
    data = {"eventId": 5, "timestamp": ISO, "trigger": "Delta", "actualValue": "", "severity": 2}
    data |= {"eventNotificationType": "HardWiredNotification", "component": {"name": "A"}, "variable": {"name": "B"}}
    report = understood(V21, "NotifyEvent", {"generatedAt": ISO, "seqNo": 0, "eventData": [data]})
    assert (report.events[0].severity, report.events[0].cleared) == (2, None)


@BOTH
@pytest.mark.parametrize("action", ["NotifyEvent", "NotifyMonitoringReport"])
def test_N07_FR_03_these_are_taken_note_of(version, action):
    assert catalogue.answer_payload(version, action, NoticeAnswer()) == {}
