"""Remote control in 1.6."""

import pytest

from engine.model.authorization import Token
from engine.model.commands import Result
from engine.model.ids import EvseRef
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V16 = Version.V16
PLACE = EvseRef(evse=2, connector=1)
STATION = EvseRef(evse=0)


@pytest.mark.parametrize(
    ("command", "call"),
    [
        (RequestStart(token=Token(value="A")), ("RemoteStartTransaction", {"idTag": "A"})),
        (
            RequestStart(token=Token(value="A", type="ISO14443"), evse=PLACE, remote_start_id=9),
            ("RemoteStartTransaction", {"idTag": "A", "connectorId": 2}),
        ),
        (RequestStop(transaction_id="17"), ("RemoteStopTransaction", {"transactionId": 17})),
        (UnlockConnector(evse=PLACE), ("UnlockConnector", {"connectorId": 2})),
        (TriggerMessage(message="Heartbeat"), ("TriggerMessage", {"requestedMessage": "Heartbeat"})),
        (TriggerMessage(message="Heartbeat", evse=STATION), ("TriggerMessage", {"requestedMessage": "Heartbeat"})),
        (
            TriggerMessage(message="StatusNotification", evse=PLACE),
            ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 2}),
        ),
        (
            TriggerMessage(message="LogStatusNotification"),
            ("ExtendedTriggerMessage", {"requestedMessage": "LogStatusNotification"}),
        ),
    ],
)
def test_commands_are_said_in_16(command, call):
    assert catalogue.command_call(V16, command) == call


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (RequestStart(token=Token(value="x" * 21)), "idTag: is longer than 20"),
        (RequestStart(token=Token(value="A"), evse=STATION), "not the station itself"),
        (RequestStart(token=Token(value="A"), evse=EvseRef(evse=1, connector=2)), "connectorId n is EVSE n"),
        (RequestStop(transaction_id="b7e1"), "by number"),
        (RequestStop(transaction_id=""), "by number"),
        (RequestStop(transaction_id="9" * 30), "by number"),
        (UnlockConnector(evse=STATION), "not the station itself"),
        (TriggerMessage(message="TransactionEvent"), "use one of BootNotification, "),
        (TriggerMessage(message="CustomTrigger", custom="x"), "use send_data"),
        (RequestStart(token=Token(value="A"), group=Token(value="G")), "parentIdTag"),
    ],
)
def test_what_16_cannot_say_is_told(command, text):
    with pytest.raises(NotExpressible, match=text):
        catalogue.command_call(V16, command)


@pytest.mark.parametrize(
    ("action", "status", "result"),
    [
        ("RemoteStartTransaction", "Accepted", Result.ACCEPTED),
        ("RemoteStartTransaction", "Rejected", Result.REFUSED),
        ("RemoteStopTransaction", "Accepted", Result.ACCEPTED),
        ("UnlockConnector", "Unlocked", Result.ACCEPTED),
        ("UnlockConnector", "UnlockFailed", Result.REFUSED),
        ("UnlockConnector", "NotSupported", Result.REFUSED),
        ("TriggerMessage", "NotImplemented", Result.REFUSED),
    ],
)
def test_answers_have_their_outcome(action, status, result):
    outcome = catalogue.outcome_of(V16, action, {"status": status})
    assert (outcome.result, outcome.status) == (result, status)
