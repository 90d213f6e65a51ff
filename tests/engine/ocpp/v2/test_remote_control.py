"""Remote control in both versions, and what they cannot say."""

import orjson
import pytest

from engine.model.authorization import Token
from engine.model.commands import Outcome, Result
from engine.model.ids import EvseRef
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.ocpp.translation import NotExpressible
from engine.ocpp.v2 import limits
from engine.ocpp.v2.dialect import dialect
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
CARD = Token(value="04AB", type="ISO14443")


def said(command, version=Version.V201):
    return dialect(version).commands[type(command)].call(command, version)


@BOTH
def test_a_start_names_token_and_remote_start_id(version):
    expected = {"idToken": {"idToken": "04AB", "type": "ISO14443"}, "remoteStartId": 7}
    assert said(RequestStart(token=CARD, remote_start_id=7), version) == ("RequestStartTransaction", expected)


@BOTH
@pytest.mark.parametrize("connector", [None, 1])
def test_a_start_at_place_n_is_at_evse_n(connector, version):
    command = RequestStart(token=CARD, evse=EvseRef(evse=2, connector=connector), remote_start_id=7)
    assert said(command, version)[1]["evseId"] == 2


@BOTH
@pytest.mark.parametrize(
    ("evse", "problem"),
    [
        (EvseRef(evse=0), "leave it out to let the station choose"),
        (EvseRef(evse=1, connector=2), "cannot choose its connector 2"),
        (EvseRef(evse=-1), "from 1"),
    ],
)
def test_a_start_elsewhere_is_not_expressible(evse, problem, version):
    with pytest.raises(NotExpressible, match=problem):
        said(RequestStart(token=CARD, evse=evse, remote_start_id=7), version)


@BOTH
def test_a_start_without_its_id_is_not_expressible(version):
    with pytest.raises(NotExpressible, match="give remote_start_id"):
        said(RequestStart(token=CARD), version)


def test_a_start_with_a_token_that_2_0_1_cannot_hold_is_expressible_in_2_1_only():
    command = RequestStart(token=Token(value="x" * 40, type="Central"), remote_start_id=7)
    assert said(command, Version.V21)[1]["idToken"]["idToken"] == "x" * 40
    with pytest.raises(NotExpressible, match="36 characters in a token"):
        said(command, Version.V201)


@BOTH
def test_a_stop_names_the_station_s_own_id(version):
    assert said(RequestStop(transaction_id="tx-1"), version) == ("RequestStopTransaction", {"transactionId": "tx-1"})
    with pytest.raises(NotExpressible, match="36 characters in a transactionId"):
        said(RequestStop(transaction_id="t" * 37), version)


@BOTH
def test_one_connector_is_unlocked(version):
    command = UnlockConnector(evse=EvseRef(evse=1, connector=2))
    assert said(command, version) == ("UnlockConnector", {"evseId": 1, "connectorId": 2})


@BOTH
@pytest.mark.parametrize("evse", [EvseRef(evse=0), EvseRef(evse=1)])
def test_no_connector_no_unlocking(evse, version):
    with pytest.raises(NotExpressible, match="one connector of one EVSE"):
        said(UnlockConnector(evse=evse), version)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (version, message)
        for version, bounds in limits.LIMITS_OF.items()
        for message in sorted(bounds.triggers - {"CustomTrigger"})
    ],
)
def test_every_trigger_of_a_version_is_one_that_its_schema_knows(version, message, judge):
    action, payload = said(TriggerMessage(message=message, evse=EvseRef(evse=1, connector=1)), version)
    assert payload == {"requestedMessage": message, "evse": {"id": 1, "connectorId": 1}}
    judge(version, action, "Request", payload)


@BOTH
@pytest.mark.parametrize("evse", [None, EvseRef(evse=0)])
def test_a_trigger_of_the_whole_station_names_no_evse(evse, version):
    command = TriggerMessage(message="BootNotification", evse=evse)
    assert said(command, version) == ("TriggerMessage", {"requestedMessage": "BootNotification"})


@BOTH
@pytest.mark.parametrize("evse", [None, EvseRef(evse=0), EvseRef(evse=1)])
def test_a_status_is_triggered_of_one_connector(evse, version):
    with pytest.raises(NotExpressible, match="StatusNotification for one connector of one EVSE"):
        said(TriggerMessage(message="StatusNotification", evse=evse), version)


@pytest.mark.parametrize(
    ("version", "message", "problem"),
    [
        (Version.V201, "DiagnosticsStatusNotification", "use one of BootNotification, "),
        (Version.V201, "SignV2G20Certificate", r"2\.0\.1 cannot trigger 'SignV2G20Certificate'"),
        (Version.V201, "CustomTrigger", r"2\.0\.1 cannot trigger 'CustomTrigger'"),
        (Version.V21, "CustomTrigger", "give both"),
        (Version.V21, "", "cannot trigger ''"),
    ],
)
def test_a_trigger_that_a_version_does_not_know_is_not_expressible(version, message, problem):
    with pytest.raises(NotExpressible, match=problem):
        said(TriggerMessage(message=message), version)


@BOTH
@pytest.mark.parametrize(
    ("action", "status", "result"),
    [
        ("RequestStartTransaction", "Accepted", Result.ACCEPTED),
        ("RequestStartTransaction", "Rejected", Result.REFUSED),
        ("RequestStopTransaction", "Rejected", Result.REFUSED),
        ("UnlockConnector", "Unlocked", Result.ACCEPTED),
        ("UnlockConnector", "UnlockFailed", Result.REFUSED),
        ("UnlockConnector", "OngoingAuthorizedTransaction", Result.REFUSED),
        ("UnlockConnector", "UnknownConnector", Result.REFUSED),
        ("TriggerMessage", "NotImplemented", Result.REFUSED),
        ("ChangeAvailability", "Scheduled", Result.ACCEPTED),
        ("Reset", "Scheduled", Result.ACCEPTED),
        ("ClearCache", "Rejected", Result.REFUSED),
    ],
)
def test_a_station_s_word_tells_how_it_ended(action, status, result, version):
    payload = {"status": status, "statusInfo": {"reasonCode": "Why", "additionalInfo": "because"}}
    expected = Outcome(result=result, status=status, detail="Why: because", payload=orjson.dumps(payload))
    assert dialect(version).from_csms[action].outcome(payload, version) == expected


def test_F06_a_custom_trigger_of_2_1_has_the_vendors_name(judge):
    command = TriggerMessage(message="CustomTrigger", custom="AcmeSelfTest", evse=EvseRef(evse=1))
    action, payload = said(command, Version.V21)
    expected = {"requestedMessage": "CustomTrigger", "customTrigger": "AcmeSelfTest", "evse": {"id": 1}}
    assert (action, payload) == ("TriggerMessage", expected)
    judge(Version.V21, action, "Request", payload)
    with pytest.raises(NotExpressible, match="give both"):
        said(TriggerMessage(message="Heartbeat", custom="x"), Version.V21)


@BOTH
def test_F01_a_start_names_the_group_of_its_token(version, judge):
    command = RequestStart(token=Token("A", "ISO14443"), remote_start_id=3, group=Token("G", "Central"))
    action, payload = said(command, version)
    assert payload["groupIdToken"] == {"idToken": "G", "type": "Central"}
    judge(version, action, "Request", payload)
