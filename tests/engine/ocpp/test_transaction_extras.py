"""What 2.x says of transactions besides, limits, and the question how a transaction is. 2.1 E14, E16, E17."""

import orjson
import pytest

from engine.model.authorization import TokenStatus, TokenVerdict
from engine.model.transactions import (
    GetTransactionStatus,
    Stage,
    TransactionAnswer,
    TransactionExtras,
    TransactionLimit,
)
from engine.ocpp.catalogue import answer_payload, command_call, outcome_of, understand
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
COST = {
    "totalCost": {"currency": "EUR", "typeOfCost": "NormalCost", "total": {"inclTax": 1.5}},
    "totalUsage": {"energy": 3.5, "chargingTime": 60, "idleTime": 0},
}


def event(version, kind="Updated", info=None, **more):
    payload = {
        "eventType": kind,
        "timestamp": "2026-11-21T10:00:00Z",
        "triggerReason": "TxResumed" if version is Version.V21 else "Trigger",
        "seqNo": 1,
        "transactionInfo": {"transactionId": "tx", **(info or {})},
        **more,
    }
    understood = understand(version, "TransactionEvent", payload)
    assert understood.repairs == ()
    return understood.report


def test_E16_FR_01_E17_FR_14_what_2_1_says_besides_is_kept():
    info = {
        "operationMode": "CentralSetpoint",
        "tariffId": "T1",
        "transactionLimit": {"maxCost": 20, "maxEnergy": 5000, "maxTime": 3600, "maxSoC": 80},
    }
    report = event(Version.V21, info=info, preconditioningStatus="Ready", evseSleep=False, costDetails=COST)
    assert report.trigger == "TxResumed"
    assert report.extras == TransactionExtras(
        operation_mode="CentralSetpoint",
        tariff_id="T1",
        limit=TransactionLimit(cost_max=20.0, energy_wh_max=5000.0, time_s_max=3600, soc_percent_max=80),
        preconditioning="Ready",
        evse_sleep=False,
        cost=orjson.dumps(COST),
    )


@BOTH
def test_an_event_that_says_nothing_besides_has_no_extras(version):
    info = {"chargingState": "Charging", "remoteStartId": 4, "timeSpentCharging": 4}
    assert event(version, info=info).extras is None


@BOTH
def test_the_end_says_how_long_was_charged(version):
    assert event(version, "Ended", info={"timeSpentCharging": 61}).extras == TransactionExtras(charging_s=61)


def test_E16_FR_02_a_limit_is_told_to_2_1_alone():
    limit = TransactionLimit(energy_wh_max=5000.0, time_s_max=3600)
    answer = TransactionAnswer(stage=Stage.STARTED, limit=limit)
    said = answer_payload(Version.V21, "TransactionEvent", answer)
    assert said == {"transactionLimit": {"maxEnergy": 5000.0, "maxTime": 3600}}
    assert answer_payload(Version.V201, "TransactionEvent", answer) == {}


def test_C17_FR_03_a_prepaid_credit_stands_beside_the_operators_limit():
    verdict = TokenVerdict(TokenStatus.ACCEPTED, cost_max=7.5)
    answer = TransactionAnswer(stage=Stage.STARTED, verdict=verdict, limit=TransactionLimit(time_s_max=60))
    said = answer_payload(Version.V21, "TransactionEvent", answer)
    assert said["transactionLimit"] == {"maxCost": 7.5, "maxTime": 60}


@BOTH
def test_E14_a_transactions_status_is_asked(version):
    expected = ("GetTransactionStatus", {"transactionId": "tx"})
    assert command_call(version, GetTransactionStatus("tx")) == expected
    assert command_call(version, GetTransactionStatus()) == ("GetTransactionStatus", {})
    with pytest.raises(NotExpressible, match="transactionId"):
        command_call(version, GetTransactionStatus("x" * 37))


@BOTH
@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        (
            {"ongoingIndicator": True, "messagesInQueue": False},
            "Ongoing",
            "the transaction goes on, no messages are queued",
        ),
        ({"ongoingIndicator": False, "messagesInQueue": True}, "Over", "the transaction is over, messages are queued"),
        ({"messagesInQueue": True}, None, "messages are queued"),
    ],
)
def test_E14_FR_02_to_08_the_answer_in_words(version, answer, status, detail):
    outcome = outcome_of(version, "GetTransactionStatus", answer)
    assert (outcome.result, outcome.status, outcome.detail) == ("accepted", status, detail)
