"""Connectors' statuses, and what they tell of charging."""

from datetime import timedelta

import pytest

from engine.model.authorization import Token
from engine.model.availability import (
    ConnectorStatus,
    ConnectorStatusAnswer,
    ConnectorStatusChanged,
    ConnectorStatusReported,
)
from engine.model.ids import EvseRef
from engine.model.transactions import ChargingState, Stage, TransactionOpened, TransactionReported, TransactionUpdated


def status(word, *, connector=1, at=None):
    return ConnectorStatusReported(evse=EvseRef(connector, 1), status=word, at=at)


def start(actor, *, connector=1, at=None):
    report = TransactionReported(
        stage=Stage.STARTED, at=at or actor.now, evse=EvseRef(connector, 1), token=Token("A"), meter_wh=0.0
    )
    return actor.says(report).number


def test_every_status_is_recorded_and_answered(actor):
    report = status(ConnectorStatus.AVAILABLE)
    assert actor.says(report) == ConnectorStatusAnswer()
    assert actor.says(report) == ConnectorStatusAnswer()
    assert actor.of(ConnectorStatusChanged) == [ConnectorStatusChanged(report=report, received_at=actor.now)] * 2


@pytest.mark.parametrize(
    ("word", "charging_state"),
    [
        (ConnectorStatus.CHARGING, ChargingState.CHARGING),
        (ConnectorStatus.SUSPENDED_EV, ChargingState.SUSPENDED_EV),
        (ConnectorStatus.SUSPENDED_EVSE, ChargingState.SUSPENDED_EVSE),
    ],
)
def test_a_charging_status_tells_the_state_of_the_transaction_there(actor, word, charging_state):
    number = start(actor)
    actor.says(status(word))
    updates = [(fact.transaction_id, fact.charging_state) for fact in actor.of(TransactionUpdated)]
    assert updates == [(str(number), charging_state)]
    actor.says(status(word))
    assert len(actor.of(TransactionUpdated)) == 1


def test_a_status_says_nothing_of_transactions_on_other_connectors(actor):
    start(actor, connector=1)
    actor.says(status(ConnectorStatus.CHARGING, connector=2))
    assert actor.of(TransactionUpdated) == []


@pytest.mark.parametrize(
    "word", [ConnectorStatus.AVAILABLE, ConnectorStatus.FAULTED, ConnectorStatus.FINISHING, ConnectorStatus.UNAVAILABLE]
)
def test_no_status_ends_a_transaction(actor, word):
    start(actor)
    actor.says(status(word))
    assert len(actor.state.ledger.open) == 1
    assert actor.of(TransactionUpdated) == []


def test_a_status_from_before_the_start_says_nothing_of_the_transaction(actor):
    start(actor)
    actor.says(status(ConnectorStatus.CHARGING, at=actor.now - timedelta(seconds=1)))
    assert actor.of(TransactionUpdated) == []


def test_of_two_open_transactions_on_a_connector_the_status_is_the_youngers(actor):
    start(actor)
    younger = start(actor, at=actor.wait(60))
    actor.says(status(ConnectorStatus.CHARGING))
    told = [fact for fact in actor.of(TransactionUpdated) if fact.charging_state is not None]
    assert [fact.transaction_id for fact in told] == [str(younger)]


def test_a_charging_status_that_overtook_the_start_is_not_lost(actor):
    started_at = actor.now
    actor.says(status(ConnectorStatus.CHARGING, at=actor.wait(2)))
    start(actor, at=started_at)
    assert [fact.charging_state for fact in actor.of(TransactionOpened)] == [ChargingState.CHARGING]


def test_a_charging_status_of_an_earlier_transaction_is_not_the_next_ones(actor):
    actor.says(status(ConnectorStatus.CHARGING))
    start(actor, at=actor.wait(60))
    assert [fact.charging_state for fact in actor.of(TransactionOpened)] == [None]


def test_the_last_status_to_arrive_counts_and_connectors_are_bounded(actor):
    actor.says(status(ConnectorStatus.AVAILABLE, at=actor.now))
    actor.says(status(ConnectorStatus.FAULTED, at=actor.now - timedelta(hours=1)))
    assert [connector.status for connector in actor.state.connectors] == [ConnectorStatus.FAULTED]
    for connector in range(2, 600):
        actor.says(status(ConnectorStatus.AVAILABLE, connector=connector))
    assert len(actor.state.connectors) == 512


def test_a_time_without_a_zone_is_taken_as_utc(actor):
    start(actor)
    actor.says(status(ConnectorStatus.CHARGING, at=actor.wait(1).replace(tzinfo=None)))
    assert [fact.at for fact in actor.of(TransactionUpdated)] == [actor.now]
