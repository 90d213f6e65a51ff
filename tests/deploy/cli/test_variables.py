"""Names of variables on the command line, and back."""

import pytest

from deploy.cli.errors import CliError
from deploy.cli.variables import _name_of, _value_of, variable_of

BARE = {
    "component": "",
    "component_instance": None,
    "evse": None,
    "connector": None,
    "variable": "",
    "variable_instance": None,
    "attribute": "Actual",
    "value": None,
    "value_next": None,
}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("OCPPCommCtrlr.HeartbeatInterval", {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}),
        ("HeartbeatInterval", {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}),
        (
            "GetConfigurationMaxKeys",
            {"component": "DeviceDataCtrlr", "variable": "ItemsPerMessage", "variable_instance": "GetVariables"},
        ),
        ("BlinkRepeat", {"variable": "BlinkRepeat"}),
        (
            "Connector#left@1.2.Available#x/MaxSet",
            {
                "component": "Connector",
                "component_instance": "left",
                "evse": 1,
                "connector": 2,
                "variable": "Available",
                "variable_instance": "x",
                "attribute": "MaxSet",
            },
        ),
        ("EVSE@1.Power", {"component": "EVSE", "evse": 1, "variable": "Power"}),
    ],
)
def test_a_name_is_read(name, said):
    assert variable_of(name) == said


@pytest.mark.parametrize("name", ["", "A@x.B", "A.B/"])
def test_what_is_no_name_is_told(name):
    with pytest.raises(CliError):
        variable_of(name)


@pytest.mark.parametrize("name", ["EVSE@1.Power", "Connector#left@1.2.Available#x/MaxSet", "BlinkRepeat", "A.B"])
def test_a_row_is_shown_by_the_name_that_is_read_again(name):
    assert _name_of({**BARE, **variable_of(name)}) == name


def test_a_value_for_the_next_start_is_shown_beside_the_present_one():
    assert _value_of({**BARE, "value": "60"}) == "60"
    assert _value_of({**BARE, "value": "60", "value_next": "90"}) == "60 -> 90 (after a restart)"
