"""Block E, transactions: start, stop, offline, retries; what a station reports is neither lost nor counted twice."""

import pytest

from engine.model.metering import ReadingsRecorded
from engine.model.transactions import ChargingState, TransactionFlag, TransactionOpened
from engine.ocpp.versions import Version
from tests.conformance.charging import TX, Charging, at
from tests.conformance.conversation import DRIVER, V16, Conversation
from tests.conformance.deciding import token

TWO = [Version.V201, Version.V21]
TOKENS = (token(DRIVER, group="FLEET"), token("BLOCKED", blocked=True), token("FRIEND", group="FLEET"))


def charging_of(version, **more):
    return Charging(Conversation(version, tokens=TOKENS, **more))


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize(
    "trigger", ["CablePluggedIn", "Authorized", "EVDetected", "ChargingStateChanged", "RemoteStart"]
)
def test_E01_FR_01_a_transaction_begins_whatever_made_the_station_begin_it(version, trigger):
    """E01.FR.02 to 06: the other values of TxStartPoint."""
    charging = charging_of(version)
    assert charging.event("Started", trigger, 10) == {}
    assert charging.opened[0].trigger == trigger


@pytest.mark.parametrize("version", TWO)
def test_E01_FR_08_the_name_of_a_transaction_is_the_stations(version):
    charging = charging_of(version)
    charging.start()
    assert [fact.transaction_id for fact in charging.opened] == [TX]


@pytest.mark.parametrize("version", TWO)
def test_E01_FR_09_the_register_at_the_start_is_kept(version):
    charging = charging_of(version)
    charging.start(meter_wh=1_234)
    assert charging.opened[0].meter_start_wh == 1_234


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize(("value", "status"), [(DRIVER, "Accepted"), ("BLOCKED", "Blocked"), ("STRANGER", "Invalid")])
def test_E01_FR_11_the_token_of_a_transaction_event_is_judged(version, value, status):
    """Also E02.FR.02, E02.FR.04, E03.FR.02, E05.FR.01."""
    charging = charging_of(version)
    charging.event("Started", "CablePluggedIn", 10)
    answer = charging.event("Updated", "Authorized", 20, idToken={"idToken": value, "type": "ISO14443"})
    assert answer["idTokenInfo"]["status"] == status


@pytest.mark.parametrize("version", TWO)
def test_E01_FR_12_the_answer_names_status_and_group(version):
    answer = charging_of(version).start()
    assert (answer["status"], answer["groupIdToken"]["idToken"]) == ("Accepted", "FLEET")


@pytest.mark.parametrize("version", TWO)
def test_E01_FR_16_evse_and_connector_said_once_hold_for_the_whole_transaction(version):
    charging = charging_of(version)
    charging.start()
    answer = charging.conversation.says(
        "TransactionEvent",
        {
            "eventType": "Updated",
            "timestamp": at(60),
            "triggerReason": "MeterValuePeriodic",
            "seqNo": 1,
            "transactionInfo": {"transactionId": TX},
            "meterValue": [{"timestamp": at(60), "sampledValue": [{"value": 2_000}]}],
        },
    )
    assert answer == {}
    [recorded] = [fact for fact in charging.conversation.of(ReadingsRecorded) if fact.readings[0].value == 2_000]
    assert (recorded.evse.evse, recorded.evse.connector, recorded.transaction_id) == (1, 1, TX)


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize("state", ChargingState)
def test_E01_FR_18_every_charging_state_is_kept(version, state):
    """E01.FR.19: SuspendedEV; E01.FR.20: EVConnected."""
    charging = charging_of(version)
    charging.start()
    charging.event("Updated", "ChargingStateChanged", 60, info={"chargingState": state.value})
    assert charging.updated[-1].charging_state is state


@pytest.mark.parametrize("version", TWO)
def test_E02_FR_01_the_token_may_come_after_the_start(version):
    """Cable first: E02; the transaction gets its token with the next event."""
    charging = charging_of(version)
    charging.event("Started", "CablePluggedIn", 10)
    charging.event("Updated", "Authorized", 20, idToken={"idToken": DRIVER, "type": "ISO14443"})
    assert charging.updated[-1].token.value == DRIVER


@pytest.mark.parametrize("version", TWO)
def test_E04_FR_03_what_happened_offline_is_kept_as_such(version):
    charging = charging_of(version)
    charging.start(offline=True)
    charging.meter(2_000, offline=True)
    charging.stop(offline=True)
    assert [fact.offline for fact in (*charging.opened, *charging.ended)] == [True, True]


@pytest.mark.parametrize("version", TWO)
def test_E04_FR_07_a_gap_in_the_sequence_is_normal(version):
    """A station that runs low on memory drops intermediate Updated events."""
    charging = charging_of(version)
    charging.start()
    charging.sequence += 25
    charging.stop(meter_wh=9_000)
    assert (charging.ended[0].sequence, charging.ended[0].energy_wh) == (26, 8_000)
    assert TransactionFlag.STARTED_UNSEEN not in charging.ended[0].flags


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("value", ["BLOCKED", "STRANGER"])
def test_E05_FR_01_a_start_with_a_bad_token_is_recorded_and_the_token_refused(version, value):
    """The station stops it or not as it is configured: E05.FR.02, 09, 10. 1.6 section 3.5.4."""
    charging = charging_of(version)
    assert charging.start(value)["status"] != "Accepted"
    assert charging.opened[0].verdict.status != "Accepted"
    charging.stop("DeAuthorized", 60, 1_010)
    assert charging.ended[0].reason == "DeAuthorized"


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    "reason", ["EVDisconnected", "Local", "Remote", "PowerLoss", "EmergencyStop", "Reboot", "Other"]
)
def test_E06_FR_04_a_transaction_ends_for_whatever_reason_and_its_energy_is_known(version, reason):
    """E06.FR.01 and following: TxStopPoint; 1.6 section 4.10."""
    charging = charging_of(version)
    charging.start(meter_wh=1_000)
    charging.stop(reason, meter_wh=8_500)
    [ended] = charging.ended
    assert (ended.reason, ended.meter_stop_wh, ended.energy_wh) == (reason, 8_500, 7_500)


@pytest.mark.parametrize("version", Version)
def test_E07_FR_02_another_token_of_the_group_may_stop_and_is_kept(version):
    charging = charging_of(version)
    charging.start()
    assert charging.stop(value="FRIEND")["status"] == "Accepted"
    assert charging.ended[0].token.value == "FRIEND"


@pytest.mark.parametrize("version", Version)
def test_E08_FR_01_the_same_token_stops(version):
    charging = charging_of(version)
    charging.start()
    assert charging.stop(value=DRIVER)["status"] == "Accepted"


@pytest.mark.parametrize("version", Version)
def test_E11_FR_01_a_queue_of_a_whole_offline_transaction_is_taken_in_order(version):
    """E12.FR.02: sent when the connection is restored, long after it happened."""
    charging = charging_of(version)
    charging.conversation.station.wait(86_400)
    charging.start(seconds=10)
    for number in range(20):
        charging.meter(1_000 + number * 100, 60 * number + 60)
    charging.stop(seconds=1_300, meter_wh=3_000)
    [opened], [ended] = charging.opened, charging.ended
    assert (opened.started_at.second, ended.energy_wh) == (10, 2_000)
    assert (ended.ended_at - opened.started_at).total_seconds() == 1_290


@pytest.mark.parametrize("version", Version)
def test_E13_FR_01_what_is_said_again_is_recorded_once(version):
    """Retries of transaction messages, with a new message id each time. 1.6 section 3.7.1."""
    charging = charging_of(version)
    first = charging.start()
    if version is V16:
        number = charging.transaction
        again = charging.start()
        assert (again, charging.transaction) == (first, number)
    else:
        charging.sequence -= 1
        assert charging.start() == first
    for _ in range(2):
        charging.stop()
        charging.sequence -= 1
    assert (len(charging.opened), len(charging.ended)) == (1, 1)
    assert len(charging.conversation.of(TransactionOpened)) == 1


@pytest.mark.parametrize("version", Version)
def test_E15_FR_02_an_end_without_meter_data_is_an_end(version):
    charging = charging_of(version)
    charging.start()
    if version is V16:
        charging.stop()
    else:
        charging.event("Ended", "StopAuthorized", 3_600, info={"stoppedReason": "Local"})
    assert len(charging.ended) == 1


@pytest.mark.parametrize("version", TWO)
def test_E_an_update_or_end_before_any_start_makes_the_transaction_known_and_flags_it(version):
    charging = charging_of(version)
    charging.meter(5_000)
    charging.stop(meter_wh=6_000)
    assert TransactionFlag.STARTED_UNSEEN in charging.opened[0].flags
    assert len(charging.ended) == 1


@pytest.mark.parametrize("version", TWO)
def test_E_a_late_update_does_not_reopen_what_has_ended(version):
    charging = charging_of(version)
    charging.start()
    charging.stop()
    charging.meter(7_000, 1_800)
    assert len(charging.opened) == len(charging.ended) == 1
    assert TransactionFlag.AFTER_END in charging.updated[-1].flags
