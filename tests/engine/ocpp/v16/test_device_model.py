"""The inventory of a 1.6 station: its configuration keys. Section 5.8."""

import pytest

from engine.model.device_model import ComponentCriterion, GetBaseReport, GetReport, ReportBase
from engine.model.provisioning import NetworkProfile, SetNetworkProfile
from engine.model.transactions import GetTransactionStatus
from engine.ocpp.catalogue import command_call, outcome_of
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version


@pytest.mark.parametrize("base", [ReportBase.FULL, ReportBase.CONFIGURATION])
def test_TC_019_1_all_keys_are_the_inventory(base):
    assert command_call(Version.V16, GetBaseReport(base, request_id=1)) == ("GetConfiguration", {})


def test_the_inventory_is_the_answer_without_secrets():
    keys = [{"key": "AuthorizationKey", "readonly": False, "value": "hush"}, {"key": "X", "readonly": True}]
    outcome = outcome_of(Version.V16, "GetConfiguration", {"configurationKey": keys})
    assert b"hush" not in (outcome.payload or b"")
    assert [result.ref.variable for result in outcome.variables] == ["AuthorizationKey", "X"]


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (GetBaseReport(ReportBase.SUMMARY, request_id=1), "trigger_message StatusNotification"),
        (GetReport(criteria=(ComponentCriterion.ACTIVE,), request_id=1), "get_variables"),
        (SetNetworkProfile(1, NetworkProfile("ws://x", 1)), "set_variables SecurityProfile"),
        (GetTransactionStatus("1"), "trigger_message MeterValues"),
    ],
)
def test_what_1_6_cannot_say_comes_with_advice(command, advice):
    with pytest.raises(NotExpressible, match=advice):
        command_call(Version.V16, command)
