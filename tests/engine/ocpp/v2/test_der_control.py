"""DER control in 2.1: any control the schema knows is understood and said again."""

import pytest

from engine.model.commands import Result
from engine.model.der_control import (
    ClearDerControl,
    ControlsSuperseded,
    DerAlarmReported,
    DerControl,
    DerControlType,
    DerStartStopReported,
    GetDerControl,
    SetDerControl,
)
from engine.ocpp.catalogue import command_call, outcome_of, understand
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V201, V21 = Version.V201, Version.V21


def test_a_whole_report_names_each_control_with_its_settings(sample):
    payload = sample(V21, "ReportDERControl", "Request", whole=True)
    payload["curve"][0]["curveType"] = "VoltVar"
    told = understand(V21, "ReportDERControl", payload).report
    assert len(told.controls) == 8, "one of each list"
    assert {control.type for control in told.controls} >= {DerControlType.FIXED_VAR, DerControlType.GRADIENTS}
    assert told.more is True
    for control in told.controls:
        command_call(V21, SetDerControl(control))


def test_the_type_decides_where_the_settings_stand():
    curve = {"priority": 0, "yUnit": "PctMaxW", "curveData": [{"x": 1, "y": 2}]}
    control = DerControl(id="c", type=DerControlType.VOLT_WATT, is_default=True, settings=curve)
    assert command_call(V21, SetDerControl(control))[1]["curve"] == curve
    with pytest.raises(NotExpressible, match="SetDERControl cannot say this"):
        command_call(
            V21, SetDerControl(DerControl(id="c", type=DerControlType.FIXED_VAR, is_default=True, settings={}))
        )


def test_superseded_controls_are_found_in_the_answer():
    found = outcome_of(V21, "SetDERControl", {"status": "Accepted", "supersededIds": ["a"]}).found
    assert found == ControlsSuperseded(("a",))
    assert outcome_of(V21, "SetDERControl", {"status": "Accepted"}).found is None


def test_R04_FR_30_not_found_answers_a_question_and_refuses_an_order():
    assert outcome_of(V21, "GetDERControl", {"status": "NotFound"}).result is Result.ACCEPTED
    assert outcome_of(V21, "ClearDERControl", {"status": "NotFound"}).result is Result.REFUSED


def test_alarms_and_starts():
    alarm = {"controlType": "VoltVar", "timestamp": "2026-05-01T10:00:00Z"}
    told = understand(V21, "NotifyDERAlarm", alarm).report
    assert isinstance(told, DerAlarmReported)
    assert (told.ended, told.fault) == (False, None)
    started = {"controlId": "c", "started": True, "timestamp": "2026-05-01T10:00:00Z", "supersededIds": ["b"]}
    told = understand(V21, "NotifyDERStartStop", started).report
    assert isinstance(told, DerStartStopReported)
    assert told.superseded_ids == ("b",)


@pytest.mark.parametrize("command", [ClearDerControl(is_default=True), GetDerControl(request_id=1)])
def test_2_0_1_has_no_controls(command):
    command_call(V21, command)
    with pytest.raises(NotExpressible, match="charging profile"):
        command_call(V201, command)
