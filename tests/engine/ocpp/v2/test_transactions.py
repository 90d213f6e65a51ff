"""Transactions between wire and words: what an event says, and only that."""

from datetime import UTC, datetime

import pytest

from engine.model.authorization import Token, TokenStatus, TokenVerdict
from engine.model.ids import EvseRef
from engine.model.metering import Reading
from engine.model.transactions import ChargingState, Stage, TransactionAnswer, TransactionReported
from engine.ocpp import catalogue
from engine.ocpp.v2 import transactions
from engine.ocpp.versions import Version

AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
LEAST = {
    "eventType": "Updated",
    "timestamp": "2026-05-01T10:00:00Z",
    "triggerReason": "MeterValuePeriodic",
    "seqNo": 3,
    "transactionInfo": {"transactionId": "tx-1"},
}
BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


def report(**changes):
    return transactions.report_from_transaction_event({**LEAST, **changes}, Version.V201)


@BOTH
def test_what_an_event_does_not_say_stays_none(version):
    assert transactions.report_from_transaction_event(LEAST, version) == TransactionReported(
        stage=Stage.UPDATED, transaction_id="tx-1", at=AT, sequence=3, trigger="MeterValuePeriodic"
    )


@BOTH
def test_a_start_says_everything_it_has(version):
    payload = {
        "eventType": "Started",
        "timestamp": "2026-05-01T10:00:00Z",
        "triggerReason": "RemoteStart",
        "seqNo": 0,
        "offline": True,
        "numberOfPhasesUsed": 3,
        "cableMaxCurrent": 32,
        "reservationId": 9,
        "transactionInfo": {
            "transactionId": "tx-1",
            "chargingState": "EVConnected",
            "timeSpentCharging": 0,
            "remoteStartId": 77,
        },
        "evse": {"id": 1, "connectorId": 2},
        "idToken": {"idToken": "04AB", "type": "ISO14443"},
        "meterValue": [
            {"timestamp": "2026-05-01T10:00:00Z", "sampledValue": [{"value": 12.5, "context": "Transaction.Begin"}]}
        ],
    }
    assert transactions.report_from_transaction_event(payload, version) == TransactionReported(
        stage=Stage.STARTED,
        transaction_id="tx-1",
        at=AT,
        evse=EvseRef(evse=1, connector=2),
        token=Token(value="04AB", type="ISO14443"),
        readings=(Reading(at=AT, value=12.5, context="Transaction.Begin"),),
        sequence=0,
        trigger="RemoteStart",
        charging_state=ChargingState.EV_CONNECTED,
        reservation_id=9,
        remote_start_id=77,
        offline=True,
        phases_used=3,
        cable_a_max=32.0,
    )


def test_an_end_says_why():
    info = {"transactionId": "tx-1", "stoppedReason": "EVDisconnected", "chargingState": "Idle"}
    ended = report(eventType="Ended", triggerReason="EVCommunicationLost", transactionInfo=info)
    expected = (Stage.ENDED, "EVDisconnected", ChargingState.IDLE)
    assert (ended.stage, ended.stop_reason, ended.charging_state) == expected


def test_an_end_without_a_reason_does_not_get_one_here():
    assert report(eventType="Ended").stop_reason is None


def test_zero_is_a_sequence_number_and_false_is_said():
    said = report(seqNo=0, offline=False, numberOfPhasesUsed=0, cableMaxCurrent=0, reservationId=0)
    assert (said.sequence, said.offline, said.phases_used, said.cable_a_max, said.reservation_id) == (
        0,
        False,
        0,
        0.0,
        0,
    )


@pytest.mark.parametrize("state", ChargingState)
def test_every_charging_state_has_its_word(state):
    assert report(transactionInfo={"transactionId": "t", "chargingState": state.value}).charging_state is state


def test_an_evse_without_a_connector_does_not_get_one():
    assert report(evse={"id": 1}).evse == EvseRef(evse=1, connector=None)


def test_no_authorization_is_a_token():
    said = report(idToken={"idToken": "", "type": "NoAuthorization"})
    assert said.token == Token(value="", type="NoAuthorization")


def test_what_only_2_1_can_say_disturbs_nothing(sample):
    payload = sample(Version.V21, "TransactionEvent", "Request", whole=True)
    said = transactions.report_from_transaction_event(payload, Version.V21)
    assert (said.transaction_id, said.phases_used, len(said.readings)) == ("x", 1, 1)


@BOTH
@pytest.mark.parametrize("stage", Stage)
def test_an_answer_without_anything_to_say_is_empty(stage, version):
    assert transactions.transaction_event_response(TransactionAnswer(stage=stage), version) == {}


@BOTH
def test_a_verdict_is_told_where_there_is_one(version, judge):
    verdict = TokenVerdict(status=TokenStatus.CONCURRENT_TX, group="fleet")
    answer = TransactionAnswer(stage=Stage.STARTED, verdict=verdict)
    payload = transactions.transaction_event_response(answer, version)
    assert payload == {
        "idTokenInfo": {"status": "ConcurrentTx", "groupIdToken": {"idToken": "fleet", "type": "Central"}}
    }
    judge(version, "TransactionEvent", "Response", payload)


@pytest.mark.parametrize("total_cost", [0.0, 12.34])
def test_a_total_is_told_where_it_is_known_and_free_is_known(total_cost):
    answer = TransactionAnswer(stage=Stage.ENDED, total_cost=total_cost)
    assert transactions.transaction_event_response(answer, Version.V201) == {"totalCost": total_cost}


def test_what_real_stations_write_is_understood():
    """Repairs come first; what they tolerate (unknown words in samples, empty lists) must not stop a translator."""
    payload = {
        **LEAST,
        "seqNo": "4",
        "offline": "true",
        "evse": {"id": 1, "connectorId": None},
        "idToken": {},
        "reservationId": None,
        "transactionInfo": {"transactionId": "tx-1", "chargingState": "Discharging", "stoppedReason": ""},
        "vendorField": 1,
        "meterValue": {
            "timestamp": "2026-05-01 10:00:00",
            "sampledValue": [
                {"value": "0.15005000000000002", "measurand": "Energy.Unheard", "unitOfMeasure": {"unit": "kWh"}},
                {"value": 1, "phase": "", "context": "sample.clock", "location": "Roof", "unitOfMeasure": None},
            ],
        },
    }
    understood = catalogue.understand(Version.V201, "TransactionEvent", payload)
    assert understood.repairs
    assert understood.report == TransactionReported(
        stage=Stage.UPDATED,
        transaction_id="tx-1",
        at=AT,
        evse=EvseRef(evse=1),
        sequence=4,
        trigger="MeterValuePeriodic",
        offline=True,
        readings=(
            Reading(at=AT, value=150.05, measurand="Energy.Unheard", raw="0.15005000000000002"),
            Reading(at=AT, value=1.0, context="Sample.Clock", location="Roof"),
        ),
    )


@pytest.mark.parametrize("nothing", [[], None, [{"timestamp": "2026-05-01T10:00:00Z", "sampledValue": []}]])
def test_an_event_whose_meter_values_are_empty_is_still_an_event(nothing):
    understood = catalogue.understand(Version.V21, "TransactionEvent", {**LEAST, "meterValue": nothing})
    assert understood.report == report()


def test_a_sequence_number_beyond_32_bits_is_kept():
    payload = {**LEAST, "seqNo": 1_777_777_777_777}
    assert catalogue.understand(Version.V201, "TransactionEvent", payload).report.sequence == 1_777_777_777_777
