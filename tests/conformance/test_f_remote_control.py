"""Block F, remote control: start, stop, unlock, trigger."""

import pytest

from engine.model.authorization import Token
from engine.model.commands import Result
from engine.model.ids import EvseRef
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version
from tests.conformance.charging import TX, Charging
from tests.conformance.conversation import DRIVER, V16, Conversation

TWO = [Version.V201, Version.V21]
START = RequestStart(token=Token(value=DRIVER, type="ISO14443"), evse=EvseRef(evse=1), remote_start_id=7)


def answered(conversation, status, result):
    outcome = conversation.replies({"status": status})
    assert (outcome.result, outcome.status) == (result, status)


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(("status", "result"), [("Accepted", Result.ACCEPTED), ("Rejected", Result.REFUSED)])
def test_F01_FR_01_a_start_names_token_and_place_and_its_answer_is_known(version, status, result):
    """Rejected: F01.FR.23, the EVSE is unavailable or faulted. 1.6 section 5.11."""
    conversation = Conversation(version)
    action, payload = conversation.told(START)
    if version is V16:
        assert (action, payload) == ("RemoteStartTransaction", {"idTag": DRIVER, "connectorId": 1})
    else:
        expected = {"idToken": {"idToken": DRIVER, "type": "ISO14443"}, "evseId": 1, "remoteStartId": 7}
        assert (action, payload) == ("RequestStartTransaction", expected)
    answered(conversation, status, result)


@pytest.mark.parametrize("version", TWO)
def test_F01_FR_03_the_token_of_a_remote_start_is_judged_in_its_transaction(version):
    conversation = Conversation(version)
    conversation.told(START)
    answered(conversation, "Accepted", Result.ACCEPTED)
    assert Charging(conversation).start("STRANGER")["status"] == "Invalid"


@pytest.mark.parametrize("version", TWO)
def test_F01_FR_25_the_transaction_knows_the_remote_start_that_it_came_from(version):
    """F02.FR.01: the first event after a remote start of a cable that was plugged in first."""
    conversation = Conversation(version)
    conversation.told(START)
    charging = Charging(conversation)
    charging.event("Started", "RemoteStart", 10, info={"remoteStartId": 7})
    assert charging.opened[0].remote_start_id == 7


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(("status", "result"), [("Accepted", Result.ACCEPTED), ("Rejected", Result.REFUSED)])
def test_F03_FR_01_a_stop_names_the_transaction(version, status, result):
    """F04.FR.01 for remote stops from inside; F03.FR.07 and 08: the station's answers. 1.6 section 5.12."""
    conversation = Conversation(version)
    charging = Charging(conversation)
    charging.start()
    action, payload = conversation.told(RequestStop(transaction_id=str(charging.transaction)))
    assert action == ("RemoteStopTransaction" if version is V16 else "RequestStopTransaction")
    assert payload == {"transactionId": charging.transaction}
    answered(conversation, status, result)


@pytest.mark.parametrize("version", TWO)
def test_F03_FR_02_a_stop_that_does_not_end_the_transaction_leaves_it_open(version):
    charging = Charging(Conversation(version))
    charging.start()
    charging.event("Updated", "RemoteStop", 60, info={"chargingState": "EVConnected"})
    assert (charging.updated[-1].trigger, charging.ended) == ("RemoteStop", [])


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("status", ["Unlocked", "UnlockFailed"])
def test_F05_FR_01_a_connector_is_unlocked_and_the_answer_known(version, status):
    """F05.FR.04 and 05. 1.6 section 5.18."""
    conversation = Conversation(version)
    action, payload = conversation.told(UnlockConnector(evse=EvseRef(evse=2, connector=1)))
    expected = {"connectorId": 2} if version is V16 else {"evseId": 2, "connectorId": 1}
    assert (action, payload) == ("UnlockConnector", expected)
    answered(conversation, status, Result.ACCEPTED if status == "Unlocked" else Result.REFUSED)


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize("status", ["OngoingAuthorizedTransaction", "UnknownConnector"])
def test_F05_FR_02_a_connector_that_is_in_use_or_unknown_is_not_unlocked(version, status):
    """F05.FR.03: UnknownConnector."""
    conversation = Conversation(version)
    conversation.told(UnlockConnector(evse=EvseRef(evse=2, connector=1)))
    answered(conversation, status, Result.REFUSED)


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("message", ["BootNotification", "Heartbeat", "MeterValues", "FirmwareStatusNotification"])
def test_F06_FR_01_a_trigger_says_which_message_it_wants(version, message):
    conversation = Conversation(version)
    said = conversation.told(TriggerMessage(message=message))
    if message == "BootNotification":  # F06.FR.17: not of a station that is accepted
        return
    action, payload = said
    assert (action, payload) == ("TriggerMessage", {"requestedMessage": message})
    answered(conversation, "NotImplemented", Result.REFUSED)


@pytest.mark.parametrize("version", Version)
def test_F06_FR_02_a_trigger_may_say_for_which_place(version):
    _, payload = Conversation(version).told(TriggerMessage(message="MeterValues", evse=EvseRef(evse=2)))
    assert (payload["connectorId"] if version is V16 else payload["evse"]["id"]) == 2


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize("evse", [None, EvseRef(evse=1)])
def test_F06_FR_13_a_status_is_asked_for_at_connector_level_only(version, evse):
    """F06.FR.12: the station may reject what names no connector."""
    with pytest.raises(NotExpressible, match="connector"):
        catalogue.command_call(version, TriggerMessage(message="StatusNotification", evse=evse))
    wanted = TriggerMessage(message="StatusNotification", evse=EvseRef(evse=1, connector=2))
    assert catalogue.command_call(version, wanted)[1]["evse"] == {"id": 1, "connectorId": 2}


@pytest.mark.parametrize("version", Version)
def test_F_a_command_that_the_station_answers_with_an_error_has_failed(version):
    conversation = Conversation(version)
    conversation.told(START)
    outcome = conversation.refuses("InternalError")
    assert (outcome.result, outcome.status) == (Result.FAILED, "InternalError")


def test_F_a_transaction_of_2_x_cannot_be_stopped_by_name_on_1_6():
    with pytest.raises(NotExpressible):
        catalogue.command_call(V16, RequestStop(transaction_id=TX))
