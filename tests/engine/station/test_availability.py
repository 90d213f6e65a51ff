"""Connectors' statuses, and what they tell of charging."""

from datetime import timedelta

import pytest

from engine.model.authorization import Token
from engine.model.availability import (
    AvailabilityReached,
    AvailabilityWanted,
    ChangeAvailability,
    ConnectorStatus,
    ConnectorStatusAnswer,
    ConnectorStatusChanged,
    ConnectorStatusReported,
)
from engine.model.commands import Outcome, Result
from engine.model.ids import EvseRef
from engine.model.transactions import ChargingState, Stage, TransactionOpened, TransactionReported, TransactionUpdated
from tests.engine.station.test_device_model import answer, ask


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


class TestWanted:
    """What the operator wants of a place, and when it is so. 2.1 G03, G04."""

    CHANGE = ChangeAvailability(evse=EvseRef(1, 1), operative=False)

    def changed(self, actor, command, status, result=Result.ACCEPTED):
        ask(actor, command)
        answer(actor, Outcome(result, status=status))

    def test_G03_FR_05_a_scheduled_change_is_reached_when_the_connector_shows_it(self, actor):
        self.changed(actor, self.CHANGE, "Scheduled")
        assert [(fact.operative, fact.status) for fact in actor.of(AvailabilityWanted)] == [(False, "Scheduled")]
        actor.says(status(ConnectorStatus.CHARGING))
        actor.says(status(ConnectorStatus.FAULTED))
        assert actor.of(AvailabilityReached) == []
        actor.says(status(ConnectorStatus.UNAVAILABLE))
        reached = AvailabilityReached(evse=EvseRef(1, 1), operative=False, noted_at=actor.now)
        assert actor.of(AvailabilityReached) == [reached]
        actor.says(status(ConnectorStatus.UNAVAILABLE))
        assert len(actor.of(AvailabilityReached)) == 1

    def test_a_change_to_what_is_so_already_is_reached_at_once(self, actor):
        actor.says(status(ConnectorStatus.UNAVAILABLE))
        self.changed(actor, self.CHANGE, "Accepted")
        assert len(actor.of(AvailabilityReached)) == 1

    def test_the_whole_station_is_back_when_a_connector_of_it_is(self, actor):
        self.changed(actor, ChangeAvailability(evse=EvseRef(0), operative=True), "Accepted")
        actor.says(status(ConnectorStatus.AVAILABLE))
        assert [fact.evse for fact in actor.of(AvailabilityReached)] == [EvseRef(0)]

    def test_a_refused_change_is_told_and_awaited_no_more(self, actor):
        self.changed(actor, self.CHANGE, "Rejected", Result.REFUSED)
        assert [fact.status for fact in actor.of(AvailabilityWanted)] == ["Rejected"]
        assert actor.state.service.changing == ()

    def test_no_answer_tells_nothing(self, actor):
        self.changed(actor, self.CHANGE, None, Result.TIMED_OUT)
        assert actor.of(AvailabilityWanted) == []

    def test_a_status_that_shows_it_still_tells_the_charging_state(self, actor):
        start(actor)
        self.changed(actor, ChangeAvailability(evse=EvseRef(1, 1), operative=True), "Scheduled")
        actor.says(status(ConnectorStatus.CHARGING))
        assert len(actor.of(AvailabilityReached)) == 1
        assert [fact.charging_state for fact in actor.of(TransactionUpdated)] == [ChargingState.CHARGING]
