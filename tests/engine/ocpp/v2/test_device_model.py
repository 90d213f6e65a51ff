"""Reports of the device model between wire and words. 2.1 B07, B08."""

from datetime import UTC, datetime

import pytest

from engine.model.device_model import (
    ComponentCriterion,
    ComponentVariable,
    GetBaseReport,
    GetReport,
    ReportBase,
    VariableEntry,
    VariablesAnswer,
    VariablesReported,
)
from engine.model.ids import EvseRef
from engine.model.provisioning import VariableRef
from engine.ocpp.catalogue import command_call, outcome_of, understand
from engine.ocpp.translation import NotExpressible
from engine.ocpp.v2 import device_model
from engine.ocpp.versions import Version

AT = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


def data(component="OCPPCommCtrlr", variable="HeartbeatInterval", attributes=({"value": "300"},), **more):
    return {
        "component": {"name": component},
        "variable": {"name": variable},
        "variableAttribute": list(attributes),
        **more,
    }


def part(version, *entries, **more):
    payload = {"requestId": 7, "seqNo": 1, "generatedAt": "2026-05-01T10:00:00Z", "reportData": list(entries), **more}
    understood = understand(version, "NotifyReport", payload)
    assert understood.repairs == ()
    return understood.report


@BOTH
def test_a_part_says_all_it_has(version):
    characteristics = {
        "dataType": "integer",
        "unit": "s",
        "minLimit": 1,
        "maxLimit": 3600,
        "valuesList": "1,2",
        "supportsMonitoring": True,
    }
    attributes = [
        {"value": "300", "mutability": "ReadWrite", "persistent": True, "constant": False},
        {"type": "MaxSet", "value": "900"},
    ]
    entry = {
        "component": {"name": "Connector", "instance": "left", "evse": {"id": 1, "connectorId": 2}},
        "variable": {"name": "X", "instance": "y"},
        "variableAttribute": attributes,
        "variableCharacteristics": characteristics,
    }
    said = part(version, entry, tbc=True)
    ref = VariableRef(
        variable="X",
        component="Connector",
        component_instance="left",
        variable_instance="y",
        evse=EvseRef(evse=1, connector=2),
    )
    more = {
        "data_type": "integer",
        "unit": "s",
        "limit_min": 1.0,
        "limit_max": 3600.0,
        "values": "1,2",
        "monitored": True,
    }
    maxset = VariableRef(**{name: getattr(ref, name) for name in ref.__struct_fields__} | {"attribute": "MaxSet"})
    assert said == VariablesReported(
        request_id=7,
        sequence=1,
        more=True,
        generated_at=AT,
        entries=(
            VariableEntry(ref=ref, value="300", mutability="ReadWrite", persistent=True, constant=False, **more),
            VariableEntry(ref=maxset, value="900", **more),
        ),
    )


@BOTH
def test_B07_without_tbc_it_is_the_last_part_and_may_be_empty(version):
    payload = {"requestId": 7, "seqNo": 0, "generatedAt": "2026-05-01T10:00:00Z"}
    report = understand(version, "NotifyReport", payload).report
    assert (report.more, report.entries) == (False, ())


@BOTH
@pytest.mark.parametrize(
    ("component", "variable", "attribute"),
    [
        ("SecurityCtrlr", "BasicAuthPassword", {}),
        ("NetworkConfiguration", "VpnKey", {}),
        ("NetworkConfiguration", "ApnPassword", {}),
        ("Anything", "Anything", {"mutability": "WriteOnly"}),
    ],
)
def test_B07_FR_03_the_value_of_a_secret_is_left_out(version, component, variable, attribute):
    said = part(version, data(component, variable, [{"value": "hush", **attribute}]))
    assert said.entries[0].value is None
    assert "hush" not in repr(said)


@BOTH
def test_the_answer_says_nothing(version):
    assert device_model.notify_report_response(VariablesAnswer(), version) == {}


@BOTH
@pytest.mark.parametrize("base", list(ReportBase))
def test_B07_a_base_report_is_asked_for(version, base):
    expected = {"requestId": 3, "reportBase": base.value}
    assert command_call(version, GetBaseReport(base, request_id=3)) == ("GetBaseReport", expected)


@BOTH
def test_B08_a_custom_report_names_variables_and_criteria(version):
    command = GetReport(
        variables=(
            ComponentVariable("Connector", "AvailabilityState", evse=1, connector=2, component_instance="i"),
            ComponentVariable("EVSE"),
            ComponentVariable("EVSE", "Power", variable_instance="L1", evse=0),
        ),
        criteria=(ComponentCriterion.PROBLEM,),
        request_id=4,
    )
    action, payload = command_call(version, command)
    assert (action, payload["requestId"], payload["componentCriteria"]) == ("GetReport", 4, ["Problem"])
    assert payload["componentVariable"] == [
        {
            "component": {"name": "Connector", "instance": "i", "evse": {"id": 1, "connectorId": 2}},
            "variable": {"name": "AvailabilityState"},
        },
        {"component": {"name": "EVSE"}},
        {"component": {"name": "EVSE"}, "variable": {"name": "Power", "instance": "L1"}},
    ]


@BOTH
@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (GetBaseReport(), "give request_id"),
        (GetReport(request_id=1), "name some"),
        (GetReport(criteria=(ComponentCriterion.ACTIVE,)), "give request_id"),
        (GetReport((ComponentVariable(""),), request_id=1), "a component's name"),
        (GetReport((ComponentVariable("x" * 51),), request_id=1), "holds 50"),
    ],
)
def test_what_cannot_be_asked_says_what_to_do(version, command, problem):
    with pytest.raises(NotExpressible, match=problem):
        command_call(version, command)


@BOTH
@pytest.mark.parametrize(
    ("status", "accepted"), [("Accepted", True), ("EmptyResultSet", True), ("Rejected", False), ("NotSupported", False)]
)
def test_the_answer_to_a_request_is_yes_no_or_nothing_there(version, status, accepted):
    for action in ("GetBaseReport", "GetReport"):
        outcome = outcome_of(version, action, {"status": status})
        assert (outcome.status, outcome.result == "accepted") == (status, accepted)
