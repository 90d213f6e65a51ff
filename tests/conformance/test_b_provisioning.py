"""Block B, provisioning: boot accepted, pending and rejected (B01 to B03), reconnection (B04), variables (B05, B06)."""

import pytest

from engine.model.authorization import ClearCache, Token
from engine.model.commands import Result
from engine.model.envelopes import Answered
from engine.model.provisioning import (
    GetVariables,
    Registration,
    ResetKind,
    ResetStation,
    SetVariables,
    StationBooted,
    VariableRef,
    VariableSetting,
)
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage
from engine.ocpp.versions import Version
from engine.station.policy import Policy
from tests.conformance.charging import Charging
from tests.conformance.conversation import SECURITY_ERROR, V16, V201, Conversation
from tests.conformance.deciding import judged
from tests.conformance.samples.every import BOOT, FROM_STATION

TWO = [Version.V201, Version.V21]
HEARTBEAT_INTERVAL = VariableRef(variable="HeartbeatInterval", component="OCPPCommCtrlr")
MESSAGES = {
    version: [name for name in said if name not in ("BootNotification", "NotifyPeriodicEventStream")]
    for version, said in FROM_STATION.items()
}


def of(registration, version, **more):
    return Conversation(version, record=judged(registration), **more)


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("registration", Registration)
def test_B01_FR_02_a_boot_is_answered_with_whether_the_station_is_accepted(version, registration):
    conversation = of(registration, version)
    assert conversation.booted["status"] == registration.value
    assert conversation.booted["currentTime"].endswith("Z")
    assert conversation.of(StationBooted)[-1].registration is registration


@pytest.mark.parametrize("version", Version)
def test_B01_FR_04_the_interval_of_an_accepted_station_is_that_of_its_heartbeats(version):
    conversation = Conversation(version, policy=Policy(heartbeat_interval_s=240, boot_retry_s=33))
    assert conversation.booted["interval"] == 240


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize("registration", [Registration.PENDING, Registration.REJECTED])
def test_B01_FR_10_what_a_station_says_that_is_not_accepted_is_a_security_error(version, registration):
    conversation = of(registration, version)
    for action in ("Heartbeat", "Authorize", "StatusNotification", "MeterValues", "TransactionEvent"):
        assert (action, conversation.says(action, FROM_STATION[version][action])) == (action, SECURITY_ERROR)


@pytest.mark.parametrize("version", Version)
def test_B02_FR_01_a_pending_station_can_be_asked_and_configured(version):
    conversation = of(Registration.PENDING, version)
    action, _ = conversation.told(GetVariables(variables=(HEARTBEAT_INTERVAL,)))
    assert action == ("GetConfiguration" if version is V16 else "GetVariables")
    conversation.refuses("InternalError")
    action, _ = conversation.told(SetVariables(settings=(VariableSetting(ref=HEARTBEAT_INTERVAL, value="60"),)))
    assert action == ("ChangeConfiguration" if version is V16 else "SetVariables")


@pytest.mark.parametrize("version", Version)
def test_B02_FR_05_a_pending_station_is_not_asked_to_start_or_stop(version):
    conversation = of(Registration.PENDING, version)
    for command in (RequestStart(token=Token(value="T"), remote_start_id=1), RequestStop(transaction_id="1")):
        assert conversation.told(command).result is Result.REFUSED
    assert conversation.station.sent == []


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("registration", [Registration.PENDING, Registration.REJECTED])
def test_B02_FR_08_the_interval_of_a_station_that_is_not_accepted_is_the_wait_before_its_next_boot(
    version, registration
):
    """B03.FR.06 says it of rejected ones."""
    conversation = of(registration, version, policy=Policy(heartbeat_interval_s=240, boot_retry_s=33))
    assert conversation.booted["interval"] >= 33


@pytest.mark.parametrize("version", TWO)
def test_B02_FR_09_a_pending_station_may_say_what_it_was_triggered_to_say_and_nothing_else(version):
    conversation = of(Registration.PENDING, version)
    assert conversation.says("StatusNotification", FROM_STATION[version]["StatusNotification"]) == SECURITY_ERROR
    conversation.told(TriggerMessage(message="Heartbeat"))
    conversation.replies({"status": "Accepted"})
    assert "currentTime" in conversation.says("Heartbeat", {})
    assert conversation.says("StatusNotification", FROM_STATION[version]["StatusNotification"]) == SECURITY_ERROR


@pytest.mark.parametrize("version", TWO)
def test_B02_FR_02_a_pending_station_may_send_the_report_that_it_was_asked_for(version):
    conversation = of(Registration.PENDING, version)
    assert conversation.says("NotifyReport", FROM_STATION[version]["NotifyReport"]) == {}


@pytest.mark.parametrize("version", Version)
def test_B03_FR_03_a_rejected_station_is_sent_nothing(version):
    conversation = of(Registration.REJECTED, version)
    for command in (ClearCache(), ResetStation(kind=ResetKind.IMMEDIATE), TriggerMessage(message="BootNotification")):
        assert conversation.told(command).result is Result.REFUSED
    assert conversation.station.sent == []


@pytest.mark.parametrize("version", Version)
def test_B03_FR_07_whatever_a_rejected_station_says_is_a_security_error(version):
    conversation = of(Registration.REJECTED, version)
    for action in MESSAGES[version]:
        assert (action, conversation.says(action, FROM_STATION[version][action])) == (action, SECURITY_ERROR)


@pytest.mark.parametrize("version", Version)
def test_B03_a_rejected_station_that_is_accepted_later_is_heard_from_its_next_boot_on(version):
    conversation = of(Registration.REJECTED, version)
    conversation.station.turns._journal._records["CP-1"] = judged(Registration.ACCEPTED)
    assert conversation.says("BootNotification", BOOT[version])["status"] == "Accepted"
    assert "currentTime" in conversation.says("Heartbeat", {})


@pytest.mark.parametrize("version", Version)
def test_B04_FR_01_a_station_that_comes_back_need_not_boot_and_tells_its_connectors(version):
    """2.0.1 B04.FR.01 and 02; in 2.1 they are gone."""
    conversation = Conversation(version)
    charging = Charging(conversation)
    charging.start()
    conversation.station.wait(600)
    conversation.station.connect(version)
    assert charging.status("Charging", 700) == {}
    assert charging.meter(3_000, 710) == {}
    assert len(charging.opened) == 1, "the transaction went on"


RETRIES = VariableRef(variable="MessageAttempts", component="OCPPCommCtrlr", variable_instance="TransactionEvent")


@pytest.mark.parametrize("version", TWO)
def test_B05_FR_01_each_variable_that_is_set_has_its_result(version):
    conversation = Conversation(version)
    settings = (VariableSetting(ref=HEARTBEAT_INTERVAL, value="60"), VariableSetting(ref=RETRIES, value="3"))
    action, payload = conversation.told(SetVariables(settings=settings))
    first, second = payload["setVariableData"]
    assert (action, first["attributeValue"], second["attributeValue"]) == ("SetVariables", "60", "3")
    assert second["variable"] == {"name": "MessageAttempts", "instance": "TransactionEvent"}
    results = [
        {"component": asked["component"], "variable": asked["variable"], "attributeStatus": status}
        for asked, status in ((first, "RebootRequired"), (second, "Rejected"))
    ]
    outcome = conversation.replies({"setVariableResult": results})
    assert [result.status for result in outcome.variables] == ["RebootRequired", "Rejected"]


@pytest.mark.parametrize("version", TWO)
def test_B06_FR_01_each_variable_that_is_asked_for_has_its_result(version):
    conversation = Conversation(version)
    action, payload = conversation.told(GetVariables(variables=(HEARTBEAT_INTERVAL, RETRIES)))
    first, second = payload["getVariableData"]
    assert action == "GetVariables"
    results = [
        {**first, "attributeStatus": "Accepted", "attributeValue": "300"},
        {**second, "attributeStatus": "UnknownVariable"},
    ]
    outcome = conversation.replies({"getVariableResult": results})
    assert [(result.status, result.value) for result in outcome.variables] == [
        ("Accepted", "300"),
        ("UnknownVariable", None),
    ]


@pytest.mark.parametrize(("kind", "word"), [(ResetKind.ON_IDLE, "OnIdle"), (ResetKind.IMMEDIATE, "Immediate")])
@pytest.mark.parametrize("version", TWO)
def test_B11_FR_01_a_reset_is_of_the_kind_that_the_operator_asked_for(version, kind, word):
    """B11 without, B12 with an ongoing transaction: the station answers Scheduled for OnIdle then (B12.FR.01)."""
    conversation = Conversation(version)
    assert conversation.told(ResetStation(kind=kind)) == ("Reset", {"type": word})
    outcome = conversation.replies({"status": "Scheduled"})
    assert (outcome.result, outcome.status) == (Result.ACCEPTED, "Scheduled")


def test_B11_FR_08_one_evse_can_be_reset():
    conversation = Conversation(V201)
    assert conversation.told(ResetStation(kind=ResetKind.IMMEDIATE, evse=2))[1] == {"type": "Immediate", "evseId": 2}


@pytest.mark.parametrize("version", Version)
def test_B_a_repeated_boot_is_answered_again_and_ends_no_transaction(version):
    conversation = Conversation(version)
    charging = Charging(conversation)
    charging.start()
    assert conversation.says("BootNotification", BOOT[version])["status"] == "Accepted"
    charging.stop("PowerLoss", 3_600, 5_000)
    [ended] = charging.ended
    assert (ended.reason, ended.energy_wh) == ("PowerLoss", 4_000)
    assert isinstance(conversation.station.says(conversation.of(StationBooted)[0].boot), Answered)
