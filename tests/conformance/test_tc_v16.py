"""Certification cases of OCPP 1.6 with the central system under test: Core and RemoteTrigger, told by a good station.

Ids and titles: OCPP compliance testing tool, test case document of 1.6. Those of the other profiles stand beside their
blocks' tests.
"""

import pytest

from engine.model.authorization import ClearCache, Token
from engine.model.availability import ConnectorStatusChanged
from engine.model.commands import Result
from engine.model.data_transfer import SendData
from engine.model.ids import EvseRef
from engine.model.provisioning import (
    GetVariables,
    ResetKind,
    ResetStation,
    SetVariables,
    StationBooted,
    VariableRef,
    VariableSetting,
)
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.model.transactions import TransactionOpened
from tests.conformance.charging import Charging
from tests.conformance.conversation import DRIVER, V16, Conversation
from tests.conformance.deciding import BEGIN, token
from tests.conformance.door import Door
from tests.conformance.samples.every import BOOT

TOKENS = (token(DRIVER), token("BLOCKED", blocked=True), token("EXPIRED", expires_at=BEGIN))
START = RequestStart(token=Token(value=DRIVER), evse=EvseRef(evse=1))
KEY = VariableRef(variable="MeterValueSampleInterval", component="")


@pytest.fixture
def station():
    return Conversation(V16, tokens=TOKENS)


@pytest.fixture
def charging(station):
    return Charging(station)


def statuses(station):
    return [fact.report.status.value for fact in station.of(ConnectorStatusChanged) if fact.report.evse.evse == 1]


def assert_whole(charging, reason="Local"):
    """One transaction, from its start to its end, with its energy."""
    [opened], [ended] = charging.opened, charging.ended
    assert (opened.number, opened.meter_start_wh, ended.energy_wh, ended.reason) == (
        charging.transaction,
        1_000,
        7_000,
        reason,
    )


def test_TC_001_cold_boot(station):
    assert station.booted["status"] == "Accepted"
    assert station.booted["interval"] > 0
    charging = Charging(station)
    assert [charging.status("Available"), station.says("Heartbeat", {}).keys()] == [{}, {"currentTime"}]


def test_TC_003_regular_charging_session_plugin_first(station, charging):
    charging.status("Preparing")
    assert charging.authorize()["status"] == "Accepted"
    assert charging.start()["status"] == "Accepted"
    charging.status("Charging", 20)
    assert charging.meter(4_000) == {}
    assert charging.authorize()["status"] == "Accepted"
    assert charging.stop(value=DRIVER)["status"] == "Accepted"
    charging.status("Finishing", 3_610)
    charging.status("Available", 3_620)
    assert_whole(charging)
    assert statuses(station) == ["Preparing", "Charging", "Finishing", "Available"]


def test_TC_004_1_regular_charging_session_identification_first(charging):
    assert charging.authorize()["status"] == "Accepted"
    charging.status("Preparing", 5)
    assert charging.start()["status"] == "Accepted"
    charging.status("Charging", 20)
    charging.stop()
    assert_whole(charging)


def test_TC_004_2_regular_charging_session_identification_first_connection_time_out(station, charging):
    assert charging.authorize()["status"] == "Accepted"
    charging.status("Preparing", 5)
    charging.status("Available", 65)
    assert station.of(TransactionOpened) == []


def test_TC_005_1_ev_side_disconnected(charging):
    charging.start()
    charging.status("SuspendedEV", 1_000)
    charging.stop("EVDisconnected")
    charging.status("Finishing", 3_601)
    charging.status("Available", 3_610)
    assert_whole(charging, "EVDisconnected")


def test_TC_007_regular_start_charging_session_cached_id(charging):
    """No Authorize: the station had the id in its cache."""
    charging.status("Preparing")
    assert charging.start()["status"] == "Accepted"
    charging.stop()
    assert_whole(charging)


@pytest.mark.parametrize("first", ["cable", "remote start"])
def test_TC_010_remote_start_charging_session(station, charging, first):
    """TC_010: cable first; TC_011_1: remote start first."""
    if first == "cable":
        charging.status("Preparing")
    assert station.told(START) == ("RemoteStartTransaction", {"idTag": DRIVER, "connectorId": 1})
    assert station.replies({"status": "Accepted"}).result is Result.ACCEPTED
    assert charging.authorize()["status"] == "Accepted"
    if first != "cable":
        charging.status("Preparing", 5)
    assert charging.start()["status"] == "Accepted"
    charging.status("Charging", 20)
    charging.stop("Remote")
    assert_whole(charging, "Remote")


def test_TC_011_1_remote_start_charging_session_remote_start_first(station, charging):
    test_TC_010_remote_start_charging_session(station, charging, "remote start")


def test_TC_011_2_remote_start_charging_session_time_out(station, charging):
    station.told(START)
    station.replies({"status": "Accepted"})
    charging.status("Preparing", 5)
    charging.status("Available", 65)
    assert station.of(TransactionOpened) == []


def test_TC_012_remote_stop_charging_session(station, charging):
    charging.start()
    assert station.told(RequestStop(transaction_id=str(charging.transaction))) == (
        "RemoteStopTransaction",
        {"transactionId": charging.transaction},
    )
    assert station.replies({"status": "Accepted"}).result is Result.ACCEPTED
    charging.stop("Remote")
    assert_whole(charging, "Remote")


@pytest.mark.parametrize(
    ("kind", "word", "reason"), [(ResetKind.IMMEDIATE, "Hard", "HardReset"), (ResetKind.ON_IDLE, "Soft", "SoftReset")]
)
def test_TC_013_reset_with_a_transaction(station, charging, kind, word, reason):
    """TC_013: hard; TC_014: soft. The stop may come only after the next boot."""
    charging.start()
    assert station.told(ResetStation(kind=kind)) == ("Reset", {"type": word})
    assert station.replies({"status": "Accepted"}).result is Result.ACCEPTED
    if kind is ResetKind.ON_IDLE:
        charging.stop(reason)
    station.station.wait(30)
    station.station.connect(V16)
    assert station.says("BootNotification", BOOT[V16])["status"] == "Accepted"
    if kind is ResetKind.IMMEDIATE:
        charging.stop(reason)
    assert_whole(charging, reason)
    assert len(station.of(StationBooted)) == 2


def test_TC_014_soft_reset(station, charging):
    test_TC_013_reset_with_a_transaction(station, charging, ResetKind.ON_IDLE, "Soft", "SoftReset")


@pytest.mark.parametrize("status", ["Unlocked", "NotSupported"])
def test_TC_017_1_unlock_connector_without_a_charging_session(station, status):
    """TC_017_1: the cable is not fixed, Unlocked; TC_017_2: it is, NotSupported."""
    assert station.told(UnlockConnector(evse=EvseRef(evse=1, connector=1))) == ("UnlockConnector", {"connectorId": 1})
    outcome = station.replies({"status": status})
    assert (outcome.result, outcome.status) == (
        Result.ACCEPTED if status == "Unlocked" else Result.REFUSED,
        status,
    )


def test_TC_017_2_unlock_connector_fixed_cable(station):
    test_TC_017_1_unlock_connector_without_a_charging_session(station, "NotSupported")


def test_TC_018_1_unlock_connector_with_a_charging_session(station, charging):
    charging.start()
    station.told(UnlockConnector(evse=EvseRef(evse=1, connector=1)))
    assert station.replies({"status": "Unlocked"}).result is Result.ACCEPTED
    charging.stop("UnlockCommand")
    assert_whole(charging, "UnlockCommand")


def test_TC_019_1_retrieve_all_configuration_keys(station):
    assert station.told(GetVariables()) == ("GetConfiguration", {})
    keys = [{"key": f"Key{number}", "readonly": False, "value": str(number)} for number in range(60)]
    outcome = station.replies({"configurationKey": keys})
    assert (outcome.result, len(outcome.variables)) == (Result.ACCEPTED, 60)
    assert [result.value for result in outcome.variables][-1] == "59"


def test_TC_019_2_retrieve_a_specific_configuration_key(station):
    assert station.told(GetVariables(variables=(KEY,))) == ("GetConfiguration", {"key": ["MeterValueSampleInterval"]})
    found = {"key": "MeterValueSampleInterval", "readonly": False, "value": "60"}
    assert station.replies({"configurationKey": [found]}).variables[0].value == "60"


def change(station, status):
    told = station.told(SetVariables(settings=(VariableSetting(ref=KEY, value="30"),)))
    assert told == ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "30"})
    outcome = station.replies({"status": status})
    return outcome.result, outcome.status


def test_TC_021_change_configuration(station):
    assert change(station, "Accepted") == (Result.ACCEPTED, "Accepted")


@pytest.mark.parametrize(("value", "status"), [("NOBODY", "Invalid"), ("EXPIRED", "Expired"), ("BLOCKED", "Blocked")])
def test_TC_023_1_start_charging_session_with_an_id_that_is_not_good(station, charging, value, status):
    """TC_023_1: invalid; TC_023_2: expired; TC_023_3: blocked."""
    assert charging.authorize(value)["status"] == status
    assert station.of(TransactionOpened) == []


def test_TC_023_2_start_charging_session_authorize_expired(station, charging):
    test_TC_023_1_start_charging_session_with_an_id_that_is_not_good(station, charging, "EXPIRED", "Expired")


def test_TC_023_3_start_charging_session_authorize_blocked(station, charging):
    test_TC_023_1_start_charging_session_with_an_id_that_is_not_good(station, charging, "BLOCKED", "Blocked")


def test_TC_024_start_charging_session_lock_failure(station, charging):
    assert charging.authorize()["status"] == "Accepted"
    said = {"connectorId": 1, "errorCode": "ConnectorLockFailure", "status": "Faulted"}
    assert station.says("StatusNotification", said) == {}
    [fact] = station.of(ConnectorStatusChanged)
    assert (fact.report.error_code, fact.report.status) == ("ConnectorLockFailure", "Faulted")


def test_TC_026_remote_start_charging_session_rejected(station):
    station.told(START)
    assert station.replies({"status": "Rejected"}).result is Result.REFUSED


def test_TC_028_remote_stop_charging_session_rejected(station, charging):
    charging.start()
    station.told(RequestStop(transaction_id="999"))
    assert station.replies({"status": "Rejected"}).result is Result.REFUSED
    assert charging.ended == []


def test_TC_030_unlock_connector_unlock_failure(station):
    station.told(UnlockConnector(evse=EvseRef(evse=1, connector=1)))
    outcome = station.replies({"status": "UnlockFailed"})
    assert (outcome.result, outcome.status) == (Result.REFUSED, "UnlockFailed")


def test_TC_031_unlock_connector_unknown_connector(station):
    """Errata 3.87: NotSupported."""
    station.told(UnlockConnector(evse=EvseRef(evse=99, connector=1)))
    outcome = station.replies({"status": "NotSupported"})
    assert (outcome.result, outcome.status) == (Result.REFUSED, "NotSupported")


def test_TC_032_1_power_failure_boot_charging_point_stop_transactions(station, charging):
    charging.start()
    station.station.wait(120)
    station.station.connect(V16)
    assert station.says("BootNotification", BOOT[V16])["status"] == "Accepted"
    charging.stop("PowerLoss")
    charging.status("Available", 3_700)
    assert_whole(charging, "PowerLoss")


def test_TC_037_1_offline_start_transaction_valid_id_tag(station, charging):
    station.station.wait(600)
    station.station.connect(V16)
    assert charging.start()["status"] == "Accepted"
    charging.stop()
    assert_whole(charging)


def test_TC_037_3_offline_start_transaction_invalid_id_tag(station, charging):
    station.station.wait(600)
    station.station.connect(V16)
    assert charging.start("NOBODY")["status"] == "Invalid"
    assert charging.transaction > 0, "it has its number all the same"
    charging.stop("DeAuthorized")
    assert_whole(charging, "DeAuthorized")


def test_TC_039_offline_transaction(station, charging):
    """Start and stop reach us together, later."""
    station.station.wait(7_200)
    station.station.connect(V16)
    assert charging.start()["status"] == "Accepted"
    assert charging.stop(value=DRIVER)["status"] == "Accepted"
    assert_whole(charging)


def test_TC_040_1_configuration_key_not_supported(station):
    assert change(station, "NotSupported") == (Result.REFUSED, "NotSupported")


def test_TC_040_2_configuration_key_invalid_value(station):
    assert change(station, "Rejected") == (Result.REFUSED, "Rejected")


def test_TC_054_trigger_message(station):
    for message in ("MeterValues", "Heartbeat", "StatusNotification", "DiagnosticsStatusNotification"):
        assert station.told(TriggerMessage(message=message)) == ("TriggerMessage", {"requestedMessage": message})
        assert station.replies({"status": "Accepted"}).result is Result.ACCEPTED


def test_TC_055_trigger_message_rejected(station):
    station.told(TriggerMessage(message="MeterValues", evse=EvseRef(evse=9)))
    assert station.replies({"status": "Rejected"}).result is Result.REFUSED


def test_TC_061_clear_authorization_data_in_authorization_cache(station):
    assert station.told(ClearCache()) == ("ClearCache", {})
    assert station.replies({"status": "Accepted"}).result is Result.ACCEPTED


def test_TC_064_data_transfer_to_central_system(station):
    """An answer, never an error: UnknownVendorId (section 4.3)."""
    said = {"vendorId": "org.example", "messageId": "Hello", "data": "text"}
    assert station.says("DataTransfer", said) == {"status": "UnknownVendorId"}
    assert station.told(SendData(vendor_id="org.example", message_id="Back"))[0] == "DataTransfer"


async def test_TC_088_websocket_subprotocol_validation():
    """A subprotocol that we do not speak is refused; of several, the one that we speak is taken."""
    async with Door() as door:
        async with door.connect(subprotocols=["ocpp0.1"]) as socket:
            await socket.wait_closed()
            assert socket.subprotocol is None
        async with door.connect(subprotocols=["ocpp0.1", "ocpp1.6"]) as socket:
            assert socket.subprotocol == "ocpp1.6"
