"""Provisioning between wire and words: boots, clocks, variables, resets."""

from datetime import UTC, datetime

import orjson
import pytest

from engine.model.commands import Result
from engine.model.ids import EvseRef
from engine.model.provisioning import (
    BootAnswer,
    BootReported,
    GetVariables,
    HeartbeatAnswer,
    HeartbeatReported,
    Registration,
    ResetKind,
    ResetStation,
    SetVariables,
    VariableRef,
    VariableResult,
    VariableSetting,
)
from engine.ocpp.translation import NotExpressible
from engine.ocpp.v2 import provisioning
from engine.ocpp.versions import Version

NOW = datetime(2026, 5, 1, 10, 0, 0, 123456, tzinfo=UTC)
BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
INTERVAL = VariableRef(variable="HeartbeatInterval", component="OCPPCommCtrlr")
INTERVAL_NAMED = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}


def boot(**station):
    payload = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M", **station}}
    return provisioning.report_from_boot_notification(payload, Version.V201)


def test_a_boot_tells_who_started():
    said = boot(serialNumber="S", firmwareVersion="1.2", modem={"iccid": "89", "imsi": "26"})
    assert said == BootReported(
        vendor="V",
        model="M",
        serial_number="S",
        firmware_version="1.2",
        iccid="89",
        imsi="26",
        reason="PowerUp",
    )


def test_empty_texts_of_a_boot_are_not_said():
    assert boot(serialNumber="", firmwareVersion="", modem={"iccid": ""}) == boot()
    assert boot() == BootReported(vendor="V", model="M", reason="PowerUp")


@BOTH
@pytest.mark.parametrize("registration", Registration)
def test_a_boot_is_answered_with_clock_and_interval(registration, version, judge):
    answer = BootAnswer(registration=registration, interval_s=300, now=NOW)
    payload = provisioning.boot_notification_response(answer, version)
    expected = {"currentTime": "2026-05-01T10:00:00.123Z", "interval": 300, "status": registration.value}
    assert payload == expected
    judge(version, "BootNotification", "Response", payload)


def test_a_heartbeat_is_answered_with_the_clock():
    assert provisioning.report_from_heartbeat({}, Version.V21) == HeartbeatReported()
    payload = provisioning.heartbeat_response(HeartbeatAnswer(now=NOW), Version.V21)
    assert payload == {"currentTime": "2026-05-01T10:00:00.123Z"}


def test_a_variable_is_asked_for_by_all_parts_of_its_name():
    ref = VariableRef(
        variable="Power",
        component="EVSE",
        component_instance="left",
        variable_instance="peak",
        evse=EvseRef(evse=1, connector=2),
        attribute="MaxSet",
    )
    said = provisioning.get_variables_from_get_variables(GetVariables(variables=(INTERVAL, ref)), Version.V201)
    whole = {
        "component": {"name": "EVSE", "instance": "left", "evse": {"id": 1, "connectorId": 2}},
        "variable": {"name": "Power", "instance": "peak"},
        "attributeType": "MaxSet",
    }
    assert said == ("GetVariables", {"getVariableData": [INTERVAL_NAMED, whole]})


def test_a_variable_is_set_with_its_value():
    command = SetVariables(settings=(VariableSetting(ref=INTERVAL, value="60"),))
    said = provisioning.set_variables_from_set_variables(command, Version.V201)
    assert said == ("SetVariables", {"setVariableData": [{**INTERVAL_NAMED, "attributeValue": "60"}]})


@BOTH
@pytest.mark.parametrize(
    ("ref", "problem"),
    [
        (VariableRef(variable="AuthorizeRemoteTxRequests"), "has no component: name it"),
        (VariableRef(variable="", component="EVSE"), "needs a variable's name"),
        (VariableRef(variable="v" * 51, component="EVSE"), "50 characters in a variable's name"),
        (VariableRef(variable="v", component="c" * 51), "50 characters in a component's name"),
        (VariableRef(variable="v", component="EVSE", attribute="Minimum"), "no attribute 'Minimum'"),
        (VariableRef(variable="v", component="EVSE", evse=EvseRef(evse=-1)), "from 1"),
    ],
)
def test_a_variable_that_2_x_cannot_name_is_not_expressible(ref, problem, version):
    with pytest.raises(NotExpressible, match=problem):
        provisioning.get_variables_from_get_variables(GetVariables(variables=(ref,)), version)
    command = SetVariables(settings=(VariableSetting(ref=ref, value="1"),))
    with pytest.raises(NotExpressible, match=problem):
        provisioning.set_variables_from_set_variables(command, version)


@BOTH
def test_all_variables_at_once_and_none_at_all_are_not_expressible(version):
    with pytest.raises(NotExpressible, match="GetBaseReport"):
        provisioning.get_variables_from_get_variables(GetVariables(), version)
    with pytest.raises(NotExpressible, match="one variable at least"):
        provisioning.set_variables_from_set_variables(SetVariables(settings=()), version)


@pytest.mark.parametrize(("version", "length_max"), [(Version.V201, 1000), (Version.V21, 2500)])
def test_a_value_may_be_as_long_as_its_version_holds(version, length_max, judge):
    fitting = SetVariables(settings=(VariableSetting(ref=INTERVAL, value="x" * length_max),))
    judge(version, "SetVariables", "Request", provisioning.set_variables_from_set_variables(fitting, version)[1])
    too_long = SetVariables(settings=(VariableSetting(ref=INTERVAL, value="x" * (length_max + 1)),))
    with pytest.raises(NotExpressible, match=f"holds {length_max} characters in a value"):
        provisioning.set_variables_from_set_variables(too_long, version)


def results(*entries):
    return [{**INTERVAL_NAMED, **entry} for entry in entries]


def got(*entries):
    payload = {"getVariableResult": results(*entries)}
    return payload, provisioning.outcome_from_get_variables_response(payload, Version.V201)


def changed(*entries):
    payload = {"setVariableResult": results(*entries)}
    return payload, provisioning.outcome_from_set_variables_response(payload, Version.V201)


def test_values_come_back_with_their_names_and_the_answer_verbatim():
    payload, outcome = got({"attributeStatus": "Accepted", "attributeValue": "60", "attributeType": "Actual"})
    assert outcome.variables == (VariableResult(ref=INTERVAL, status="Accepted", value="60"),)
    assert (outcome.result, outcome.status, outcome.detail) == (Result.ACCEPTED, "Accepted", None)
    assert orjson.loads(outcome.payload) == payload


@pytest.mark.parametrize("name", ["BasicAuthPassword", "basicauthpassword", "ApnPassword", "VpnKey", "SimPin"])
def test_a_secret_that_a_station_gives_out_is_not_kept(name):
    named = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": name}}
    answer = {"getVariableResult": [{**named, "attributeStatus": "Accepted", "attributeValue": "hunter2"}]}
    outcome = provisioning.outcome_from_get_variables_response(answer, Version.V201)
    assert [result.value for result in outcome.variables] == ["(secret)"]
    assert b"hunter2" not in outcome.payload
    assert answer["getVariableResult"][0]["attributeValue"] == "hunter2"


def test_a_result_names_its_variable_as_it_was_asked_for():
    ref = VariableRef(
        variable="Power",
        component="EVSE",
        component_instance="left",
        variable_instance="peak",
        evse=EvseRef(evse=1, connector=2),
        attribute="MaxSet",
    )
    _, payload = provisioning.get_variables_from_get_variables(GetVariables(variables=(ref,)), Version.V201)
    answer = {"getVariableResult": [{**payload["getVariableData"][0], "attributeStatus": "Accepted"}]}
    outcome = provisioning.outcome_from_get_variables_response(answer, Version.V201)
    assert [result.ref for result in outcome.variables] == [ref]


def test_a_question_is_answered_when_one_value_came():
    reason = {"reasonCode": "UnknownVar", "additionalInfo": "no such"}
    _, outcome = got(
        {"attributeStatus": "Accepted", "attributeValue": "60"},
        {"attributeStatus": "UnknownVariable", "attributeStatusInfo": reason},
    )
    assert (outcome.result, outcome.status) == (Result.ACCEPTED, None)
    assert outcome.detail == (
        "1 of 2 not accepted: OCPPCommCtrlr.HeartbeatInterval: UnknownVariable (UnknownVar: no such)"
    )


def test_a_question_without_any_value_is_refused():
    _, outcome = got({"attributeStatus": "UnknownComponent"}, {"attributeStatus": "UnknownComponent"})
    assert (outcome.result, outcome.status) == (Result.REFUSED, "UnknownComponent")
    assert outcome.detail == "2 of 2 not accepted: OCPPCommCtrlr.HeartbeatInterval: UnknownComponent"


@pytest.mark.parametrize(
    ("words", "result", "status"),
    [
        (["Accepted"], Result.ACCEPTED, "Accepted"),
        (["RebootRequired"], Result.ACCEPTED, "RebootRequired"),
        (["Accepted", "RebootRequired"], Result.ACCEPTED, None),
        (["Accepted", "Rejected"], Result.REFUSED, None),
        (["Rejected", "Rejected"], Result.REFUSED, "Rejected"),
    ],
)
def test_a_change_is_made_only_when_every_variable_took_its_value(words, result, status):
    _, outcome = changed(*({"attributeStatus": word} for word in words))
    assert (outcome.result, outcome.status) == (result, status)
    assert [variable.status for variable in outcome.variables] == words


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (ResetStation(kind=ResetKind.IMMEDIATE), {"type": "Immediate"}),
        (ResetStation(kind=ResetKind.ON_IDLE, evse=0), {"type": "OnIdle"}),
        (ResetStation(kind=ResetKind.ON_IDLE, evse=3), {"type": "OnIdle", "evseId": 3}),
    ],
)
@BOTH
def test_a_reset_is_of_the_station_or_of_one_evse(command, expected, version):
    assert provisioning.reset_from_reset_station(command, version) == ("Reset", expected)


def test_only_2_1_resumes_after_a_reset(judge):
    command = ResetStation(kind=ResetKind.IMMEDIATE_AND_RESUME)
    _, payload = provisioning.reset_from_reset_station(command, Version.V21)
    judge(Version.V21, "Reset", "Request", payload)
    with pytest.raises(NotExpressible, match=r"2\.0\.1 has no reset of kind ImmediateAndResume: use Immediate"):
        provisioning.reset_from_reset_station(command, Version.V201)


@BOTH
def test_there_is_no_negative_evse_to_reset(version):
    with pytest.raises(NotExpressible, match="no EVSE -1"):
        provisioning.reset_from_reset_station(ResetStation(kind=ResetKind.IMMEDIATE, evse=-1), version)
