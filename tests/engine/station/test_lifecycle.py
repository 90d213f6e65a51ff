"""The lifecycle table of docs/transactions.md, the rows that are not in test_transactions.py: gaps, reordering, floods,
starts without stops, wrong connectors, limits, what a station says of a transaction. 1.6 4.8, 4.10; 2.1 E."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.authorization import Token, TokenRecord
from engine.model.commands import Outcome, Result
from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.transactions import (
    GetTransactionStatus,
    Stage,
    TransactionEnded,
    TransactionExtras,
    TransactionFlag,
    TransactionLimit,
    TransactionOpened,
    TransactionReported,
    TransactionStatusTold,
    TransactionUpdated,
)
from engine.station.policy import Policy, Superseded, TransactionPolicy
from engine.station.sequences import GAPS_MAX
from tests.engine.station.conftest import START, Actor
from tests.engine.station.test_device_model import answer, ask

TOKEN = Token("A")
PLACE = EvseRef(1, 1)


def accepted(**policy):
    actor = Actor(tokens=[TokenRecord(TOKEN)], policy=Policy(transactions=TransactionPolicy(**policy)))
    actor.connect()
    actor.boot()
    return actor


@pytest.fixture
def actor():
    return accepted()


def start_16(actor, *, place=PLACE, meter_wh=100.0, at=None):
    report = TransactionReported(stage=Stage.STARTED, at=at or actor.now, evse=place, token=TOKEN, meter_wh=meter_wh)
    return str(actor.says(report).number)


def stop_16(actor, transaction_id, *, meter_wh=500.0, at=None):
    report = TransactionReported(
        stage=Stage.ENDED, transaction_id=transaction_id, at=at or actor.now, meter_wh=meter_wh, stop_reason="Local"
    )
    return actor.says(report)


def meter_16(actor, transaction_id, value, *, place=PLACE):
    reading = Reading(at=actor.now, value=value)
    report = TransactionReported(
        stage=Stage.UPDATED, transaction_id=transaction_id, at=actor.now, evse=place, readings=(reading,)
    )
    return actor.says(report)


def event(actor, stage, sequence, *, at=None, transaction_id="tx", **more):
    report = TransactionReported(
        stage=stage,
        transaction_id=transaction_id,
        sequence=sequence,
        at=at or actor.now,
        trigger=more.pop("trigger", "Trigger"),
        **more,
    )
    return actor.says(report)


def gaps(actor):
    told = [fact.gaps for fact in actor.facts if getattr(fact, "gaps", None) is not None]
    return told[-1] if told else ()


class TestStartWithoutStop:
    def test_a_start_at_a_connector_in_use_flags_the_older_one_once(self, actor):
        older = start_16(actor)
        actor.wait(60)
        start_16(actor)
        flagged = [fact for fact in actor.of(TransactionUpdated) if TransactionFlag.SUPERSEDED in fact.flags]
        assert [fact.transaction_id for fact in flagged] == [older]
        assert len(actor.state.ledger.open) == 2
        actor.wait(60)
        start_16(actor)
        flagged = [fact for fact in actor.of(TransactionUpdated) if TransactionFlag.SUPERSEDED in fact.flags]
        assert [fact.transaction_id for fact in flagged] == [older, "2"]

    def test_its_stop_ends_it_as_if_nothing_had_been(self, actor):
        older = start_16(actor)
        actor.wait(60)
        start_16(actor)
        stop_16(actor, older)
        (ended,) = actor.of(TransactionEnded)
        assert (ended.transaction_id, ended.energy_wh, ended.reason) == (older, 400.0, "Local")

    def test_the_policy_closes_it_with_its_last_reading(self):
        actor = accepted(superseded=Superseded.CLOSE)
        older = start_16(actor)
        meter_16(actor, older, 250.0)
        actor.wait(60)
        start_16(actor)
        (ended,) = actor.of(TransactionEnded)
        assert (ended.transaction_id, ended.meter_stop_wh, ended.energy_wh) == (older, 250.0, 150.0)
        assert (ended.reason, ended.ended_at) == ("Abandoned", actor.now)
        assert ended.flags == (TransactionFlag.SUPERSEDED, TransactionFlag.ABANDONED)
        assert [known.transaction_id for known in actor.state.ledger.open] == ["2"]

    def test_a_stop_that_comes_after_all_corrects_what_we_closed(self):
        actor = accepted(superseded=Superseded.CLOSE)
        older = start_16(actor)
        actor.wait(60)
        start_16(actor)
        at = actor.now - timedelta(seconds=5)
        stop_16(actor, older, meter_wh=700.0, at=at)
        ended = actor.of(TransactionEnded)[-1]
        assert (ended.ended_at, ended.energy_wh, ended.reason, ended.flags) == (at, 600.0, "Local", ())
        stop_16(actor, older, meter_wh=700.0, at=at)
        assert len(actor.of(TransactionEnded)) == 2, "that one said again is a repeat"
        assert not actor.state.ledger.ended[-1].abandoned

    def test_an_older_start_that_comes_late_supersedes_nothing(self):
        actor = accepted(superseded=Superseded.CLOSE)
        start_16(actor)
        start_16(actor, at=actor.now - timedelta(hours=1))
        assert actor.of(TransactionEnded) == []

    def test_a_start_at_another_connector_supersedes_nothing(self):
        actor = accepted(superseded=Superseded.CLOSE)
        start_16(actor)
        actor.wait(60)
        start_16(actor, place=EvseRef(2, 1))
        assert actor.of(TransactionEnded) == []

    def test_2_x_is_treated_alike(self):
        actor = accepted(superseded=Superseded.CLOSE)
        event(actor, Stage.STARTED, 0, transaction_id="a", evse=PLACE)
        actor.wait(60)
        event(actor, Stage.STARTED, 0, transaction_id="b", evse=PLACE)
        assert [fact.transaction_id for fact in actor.of(TransactionEnded)] == ["a"]
        event(actor, Stage.ENDED, 3, transaction_id="a", stop_reason="EVDisconnected")
        assert actor.of(TransactionEnded)[-1].reason == "EVDisconnected"


class TestWrongConnector:
    @pytest.mark.parametrize("place", [None, EvseRef(0)])
    def test_a_start_at_no_connector_is_named_stored_and_flagged(self, actor, place):
        assert start_16(actor, place=place) == "1"
        assert actor.of(TransactionOpened)[0].flags == (TransactionFlag.WRONG_CONNECTOR,)

    @pytest.mark.parametrize("place", [EvseRef(0), EvseRef(2, 1)])
    def test_meter_values_with_another_connector_do_not_move_it(self, actor, place):
        transaction_id = start_16(actor)
        meter_16(actor, transaction_id, 200.0, place=place)
        updated = actor.of(TransactionUpdated)[-1]
        assert (updated.flags, updated.evse, updated.meter_last_wh) == ((TransactionFlag.WRONG_CONNECTOR,), None, 200.0)
        assert actor.state.ledger.open[0].place == PLACE
        assert actor.of(ReadingsRecorded)[-1].evse == place, "where they were read is as the station says"

    def test_2_x_a_second_evse_does_not_move_it(self, actor):
        event(actor, Stage.STARTED, 0, evse=PLACE)
        event(actor, Stage.UPDATED, 1, evse=EvseRef(2, 1))
        assert actor.of(TransactionUpdated)[-1].flags == (TransactionFlag.WRONG_CONNECTOR,)
        assert actor.state.ledger.open[0].place == PLACE

    def test_2_x_a_transaction_without_a_place_gets_the_first_that_is_named(self, actor):
        event(actor, Stage.STARTED, 0)
        event(actor, Stage.UPDATED, 1, evse=PLACE)
        assert actor.of(TransactionUpdated)[-1].flags == ()
        assert actor.state.ledger.open[0].place == PLACE


class TestGaps:
    def test_numbers_in_order_leave_none(self, actor):
        for sequence, stage in enumerate((Stage.STARTED, Stage.UPDATED, Stage.UPDATED, Stage.ENDED)):
            event(actor, stage, sequence)
        assert gaps(actor) == ()
        assert [fact.gaps for fact in actor.of(TransactionUpdated)] == [None, None]

    def test_E01_FR_07_missing_numbers_are_kept_and_filled_by_late_ones(self, actor):
        event(actor, Stage.STARTED, 10)
        event(actor, Stage.UPDATED, 14)
        assert gaps(actor) == ((11, 13),)
        event(actor, Stage.UPDATED, 12)
        assert gaps(actor) == ((11, 11), (13, 13))
        event(actor, Stage.ENDED, 16)
        assert gaps(actor) == ((11, 11), (13, 13), (15, 15))
        event(actor, Stage.UPDATED, 11)
        event(actor, Stage.UPDATED, 13)
        event(actor, Stage.UPDATED, 15)
        assert gaps(actor) == ()

    def test_a_start_after_later_messages_tells_what_is_missing_between(self, actor):
        event(actor, Stage.UPDATED, 5)
        assert gaps(actor) == ()
        event(actor, Stage.STARTED, 2)
        assert gaps(actor) == ((3, 4),)

    def test_a_station_that_always_counts_zero_has_none(self, actor):
        for stage in (Stage.STARTED, Stage.UPDATED, Stage.ENDED):
            actor.wait(1)
            event(actor, stage, 0)
        assert gaps(actor) == ()

    def test_many_gaps_are_bounded(self, actor):
        event(actor, Stage.STARTED, 0)
        for sequence in range(2, 60, 2):
            event(actor, Stage.UPDATED, sequence)
        assert len(gaps(actor)) == GAPS_MAX
        assert gaps(actor)[-1][1] == 57


LAST = 9


@settings(max_examples=60)
@given(
    order=st.permutations(range(LAST + 1)),
    lost=st.sets(st.integers(1, LAST - 1)),
    repeats=st.lists(st.integers(0, LAST), max_size=4),
)
def test_an_offline_flood_in_any_order_leaves_the_same_transaction(order, lost, repeats):
    """2.x: whatever order its events come in, with losses and repeats: one transaction, its energy, its gaps."""
    actor = accepted()
    for sequence in (*order, *repeats):
        if sequence in lost:
            continue
        stage = Stage.STARTED if sequence == 0 else Stage.ENDED if sequence == LAST else Stage.UPDATED
        context = {0: "Transaction.Begin", LAST: "Transaction.End"}.get(sequence, "Sample.Periodic")
        reading = Reading(at=None, value=100.0 * sequence, context=context)
        event(actor, stage, sequence, at=START + timedelta(seconds=sequence), readings=(reading,), offline=True)
    (ended,) = actor.of(TransactionEnded)
    assert len(actor.of(TransactionOpened)) == 1
    assert ended.meter_stop_wh == 100.0 * LAST
    starts = [fact.meter_start_wh for fact in actor.facts if getattr(fact, "meter_start_wh", None) is not None]
    assert starts[-1] == 0.0
    missing = {number for first, last in gaps(actor) for number in range(first, last + 1)}
    assert missing == lost
    assert actor.state.ledger.open == ()


@settings(max_examples=40)
@given(order=st.permutations(range(4)), repeats=st.lists(st.integers(0, 3), max_size=3))
def test_messages_of_1_6_after_the_start_in_any_order_leave_the_same_transaction(order, repeats):
    """1.6: a start must come first, for we name it; stop and meter values may come in any order and again."""
    actor = accepted()
    transaction_id = start_16(actor, at=START)
    for number in (*order, *repeats):
        if number == 3:
            stop_16(actor, transaction_id, meter_wh=900.0, at=START + timedelta(seconds=9))
        else:
            meter_16(actor, transaction_id, 200.0 * (number + 1))
    (ended,) = actor.of(TransactionEnded)
    assert (ended.energy_wh, ended.meter_stop_wh) == (800.0, 900.0)
    assert actor.state.ledger.open == ()


class TestLimits:
    LIMIT = TransactionLimit(energy_wh_max=5000.0, time_s_max=3600)

    def test_E16_FR_02_a_transaction_that_starts_is_told_its_limit_once(self):
        actor = accepted(limit=self.LIMIT)
        assert event(actor, Stage.STARTED, 0).limit == self.LIMIT
        assert event(actor, Stage.UPDATED, 1).limit is None

    def test_E16_FR_08_a_tighter_limit_of_the_driver_is_not_answered(self):
        actor = accepted(limit=self.LIMIT)
        tighter = TransactionExtras(limit=TransactionLimit(energy_wh_max=4000.0, time_s_max=3600))
        assert event(actor, Stage.STARTED, 0, extras=tighter).limit is None

    def test_E16_FR_07_a_wider_one_is_overruled(self):
        actor = accepted(limit=self.LIMIT)
        wider = TransactionExtras(limit=TransactionLimit(energy_wh_max=4000.0))
        assert event(actor, Stage.STARTED, 0, extras=wider).limit == self.LIMIT

    def test_without_one_nothing_is_told(self, actor):
        assert event(actor, Stage.STARTED, 0).limit is None


class TestExtras:
    def test_what_is_said_besides_goes_into_the_facts(self, actor):
        extras = TransactionExtras(operation_mode="CentralSetpoint")
        event(actor, Stage.STARTED, 0, extras=extras)
        assert actor.of(TransactionOpened)[0].extras == extras
        event(actor, Stage.UPDATED, 1, extras=TransactionExtras(evse_sleep=True))
        assert actor.of(TransactionUpdated)[-1].extras == TransactionExtras(evse_sleep=True)
        event(actor, Stage.ENDED, 2, extras=TransactionExtras(charging_s=9))
        assert actor.of(TransactionEnded)[0].extras == TransactionExtras(charging_s=9)
        assert len(actor.recorded) == 1

    def test_E17_a_resumed_transaction_is_the_same_one(self, actor):
        event(actor, Stage.STARTED, 0, evse=PLACE)
        actor.boot()
        event(actor, Stage.UPDATED, 1, trigger="TxResumed")
        event(actor, Stage.ENDED, 2)
        assert len(actor.of(TransactionOpened)) == len(actor.of(TransactionEnded)) == 1


class TestStatus:
    def told(self, actor, answered, transaction_id="tx"):
        ask(actor, GetTransactionStatus(transaction_id))
        answer(actor, Outcome(Result.ACCEPTED, payload=answered))
        return actor.of(TransactionStatusTold)[-1]

    def test_E14_FR_03_one_that_is_over_there_with_nothing_to_come_is_over_here(self, actor):
        event(actor, Stage.STARTED, 0, evse=PLACE)
        told = self.told(actor, b'{"ongoingIndicator":false,"messagesInQueue":false}')
        assert (told.ongoing, told.messages_in_queue, told.transaction_id) == (False, False, "tx")
        (ended,) = actor.of(TransactionEnded)
        assert (ended.reason, ended.flags) == ("Abandoned", (TransactionFlag.ABANDONED,))

    @pytest.mark.parametrize(
        "answered",
        [
            b'{"ongoingIndicator":true,"messagesInQueue":false}',
            b'{"ongoingIndicator":false,"messagesInQueue":true}',
            b'{"messagesInQueue":false}',
        ],
    )
    def test_E14_one_that_goes_on_or_has_messages_queued_stays_open(self, actor, answered):
        event(actor, Stage.STARTED, 0, evse=PLACE)
        self.told(actor, answered)
        assert actor.of(TransactionEnded) == []

    def test_E14_FR_07_without_a_transaction_only_the_queue_is_told(self, actor):
        told = self.told(actor, b'{"messagesInQueue":true}', None)
        assert (told.ongoing, told.messages_in_queue) == (None, True)

    def test_no_answer_tells_nothing(self, actor):
        ask(actor, GetTransactionStatus("tx"))
        answer(actor, Outcome(Result.TIMED_OUT))
        assert actor.of(TransactionStatusTold) == []


def test_every_test_that_the_page_names_is_there():
    page = Path("docs/transactions.md").read_text()
    here = Path("tests/engine/station")
    known = "".join((here / f"test_{name}.py").read_text() for name in ("transactions", "lifecycle", "identification"))
    named = set(re.findall(r"`(test_\w+|Test\w+)`", page))
    assert named
    assert {name for name in named if f"def {name}(" not in known and f"class {name}:" not in known} == set()
