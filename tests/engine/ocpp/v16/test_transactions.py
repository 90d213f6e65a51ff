"""Transactions in 1.6."""

from datetime import UTC, datetime

import pytest

from engine.model.authorization import Token, TokenStatus, TokenVerdict
from engine.model.ids import EvseRef
from engine.model.metering import Reading
from engine.model.transactions import Stage, TransactionAnswer, TransactionReported
from engine.ocpp import catalogue
from engine.ocpp.errors import LocalError
from engine.ocpp.versions import Version

V16 = Version.V16
NOW = datetime(2026, 5, 1, 10, tzinfo=UTC)
STOP = {"transactionId": 17, "meterStop": 1500, "timestamp": "2026-05-01T10:00:00Z"}


def test_a_start_has_no_name_yet():
    payload = {
        "connectorId": 2,
        "idTag": "ABC",
        "meterStart": 1000,
        "timestamp": "2026-05-01T10:00:00Z",
        "reservationId": 5,
    }
    assert catalogue.understand(V16, "StartTransaction", payload).report == TransactionReported(
        stage=Stage.STARTED,
        at=NOW,
        evse=EvseRef(evse=2, connector=1),
        token=Token(value="ABC"),
        meter_wh=1000.0,
        reservation_id=5,
    )


def test_a_start_is_answered_with_its_number_whatever_the_verdict():
    blocked = TransactionAnswer(stage=Stage.STARTED, number=17, verdict=TokenVerdict(status=TokenStatus.BLOCKED))
    assert catalogue.answer_payload(V16, "StartTransaction", blocked) == {
        "transactionId": 17,
        "idTagInfo": {"status": "Blocked"},
    }
    assert catalogue.answer_payload(V16, "StartTransaction", TransactionAnswer(stage=Stage.STARTED, number=18)) == {
        "transactionId": 18,
        "idTagInfo": {"status": "Accepted"},
    }


def test_a_start_without_number_cannot_be_answered():
    with pytest.raises(LocalError, match="number is None"):
        catalogue.answer_payload(V16, "StartTransaction", TransactionAnswer(stage=Stage.STARTED))


def test_a_stop_tells_no_more_than_it_says():
    assert catalogue.understand(V16, "StopTransaction", STOP).report == TransactionReported(
        stage=Stage.ENDED, transaction_id="17", at=NOW, meter_wh=1500.0
    )
    assert catalogue.answer_payload(V16, "StopTransaction", TransactionAnswer(stage=Stage.ENDED)) == {}


def test_a_stop_can_bring_token_reason_and_readings():
    payload = {
        **STOP,
        "idTag": "ABC",
        "reason": "EVDisconnected",
        "transactionData": [
            {"timestamp": "2026-05-01T10:00:00Z", "sampledValue": [{"value": "1.5", "unit": "kWh"}]},
        ],
    }
    assert catalogue.understand(V16, "StopTransaction", payload).report == TransactionReported(
        stage=Stage.ENDED,
        transaction_id="17",
        at=NOW,
        token=Token(value="ABC"),
        meter_wh=1500.0,
        readings=(Reading(at=NOW, value=1500.0, raw="1.5"),),
        stop_reason="EVDisconnected",
    )
    answer = TransactionAnswer(stage=Stage.ENDED, verdict=TokenVerdict(status=TokenStatus.ACCEPTED))
    assert catalogue.answer_payload(V16, "StopTransaction", answer) == {"idTagInfo": {"status": "Accepted"}}


@pytest.mark.parametrize("number", [-1, 0, 9223372036854775807])
def test_numbers_that_we_never_gave_are_told_as_they_are(number):
    report = catalogue.understand(V16, "StopTransaction", {**STOP, "transactionId": number}).report
    assert report.transaction_id == str(number)


@pytest.mark.parametrize(("connector_id", "evse"), [(0, EvseRef(evse=0)), (-1, None)])
def test_an_odd_connector_is_no_reason_not_to_answer_a_start(connector_id, evse):
    payload = {"connectorId": connector_id, "idTag": "A", "meterStart": 0, "timestamp": "2026-05-01T10:00:00Z"}
    assert catalogue.understand(V16, "StartTransaction", payload).report.evse == evse


def test_a_start_at_no_readable_time_is_still_a_start():
    payload = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "noon"}
    report, repaired = catalogue.understand(V16, "StartTransaction", payload)
    assert report.at is None
    assert repaired == ("timestamp: 'noon' is no time, ignored",)
