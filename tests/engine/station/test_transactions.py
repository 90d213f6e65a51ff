"""What a message about a transaction makes true."""

from datetime import timedelta

import pytest

from engine.model.authorization import Token, TokenChecked, TokenRecord, TokenStatus
from engine.model.authorization import TokenVerdict as Verdict
from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.transactions import (
    ChargingState,
    Stage,
    TransactionAnswer,
    TransactionEnded,
    TransactionFlag,
    TransactionOpened,
    TransactionReported,
    TransactionUpdated,
)
from engine.station.ledger import TRANSACTIONS_ENDED_MAX, TRANSACTIONS_PER_PLACE_MAX
from engine.station.policy import Policy

TOKEN = Token("A")
ACCEPTED = Verdict(TokenStatus.ACCEPTED)
INVALID = Verdict(TokenStatus.INVALID)
PLACE = EvseRef(1, 1)


@pytest.fixture
def actor(make_actor):
    actor = make_actor(tokens=[TokenRecord(TOKEN)])
    actor.connect()
    actor.boot()
    return actor


def kinds(facts):
    return [type(fact).__name__ for fact in facts]


def energy(value, context="Sample.Periodic"):
    return Reading(at=None, value=value, context=context)


class TestNamedByUs:
    """OCPP 1.6."""

    @staticmethod
    def start(actor, *, at=None, place=PLACE, token=TOKEN, meter_wh=100.0):
        report = TransactionReported(
            stage=Stage.STARTED, at=at or actor.now, evse=place, token=token, meter_wh=meter_wh, reservation_id=7
        )
        return actor.says(report)

    @staticmethod
    def meter(actor, transaction_id, *values, at=None):
        readings = tuple(energy(value) for value in values)
        report = TransactionReported(
            stage=Stage.UPDATED, transaction_id=transaction_id, at=at or actor.now, evse=PLACE, readings=readings
        )
        return actor.says(report)

    @staticmethod
    def stop(actor, transaction_id, meter_wh=600.0, *, at=None, token=None, readings=()):
        report = TransactionReported(
            stage=Stage.ENDED,
            transaction_id=transaction_id,
            at=at or actor.now,
            token=token,
            meter_wh=meter_wh,
            readings=readings,
        )
        return actor.says(report)

    def test_a_start_is_given_a_number(self, actor):
        received_at = actor.now + timedelta(seconds=2)
        report = TransactionReported(
            stage=Stage.STARTED, at=actor.now, evse=PLACE, token=TOKEN, meter_wh=100.0, reservation_id=7
        )
        answer = actor.says(report, received_at=received_at)
        assert answer == TransactionAnswer(stage=Stage.STARTED, number=1, verdict=ACCEPTED)
        opened = TransactionOpened(
            transaction_id="1",
            started_at=actor.now,
            received_at=received_at,
            number=1,
            evse=PLACE,
            token=TOKEN,
            verdict=ACCEPTED,
            meter_start_wh=100.0,
            reservation_id=7,
        )
        assert actor.recorded == [opened]

    def test_a_start_is_given_a_number_whatever_the_verdict(self, actor):
        answer = self.start(actor, token=Token("stranger"))
        assert answer == TransactionAnswer(stage=Stage.STARTED, number=1, verdict=INVALID)
        assert [fact.flags for fact in actor.recorded] == [(TransactionFlag.UNKNOWN_TOKEN,)]

    def test_a_start_that_is_said_again_has_the_same_number_and_is_not_recorded(self, actor):
        at = actor.now
        first = self.start(actor)
        actor.wait(120)
        assert self.start(actor, at=at) == first
        assert actor.recorded == []

    def test_a_start_that_is_said_again_after_its_stop_has_the_same_number(self, actor):
        at = actor.now
        first = self.start(actor)
        self.stop(actor, "1", at=actor.wait(60))
        assert self.start(actor, at=at) == first
        assert actor.recorded == []

    @pytest.mark.parametrize(
        "other",
        [{"place": EvseRef(2, 1)}, {"token": Token("B")}, {"meter_wh": 101.0}],
        ids=["connector", "token", "meter"],
    )
    def test_a_start_that_differs_is_another_transaction(self, actor, other):
        self.start(actor)
        assert self.start(actor, **other).number == 2

    def test_a_start_on_a_busy_connector_leaves_the_older_transaction_open(self, actor):
        self.start(actor)
        assert self.start(actor, at=actor.wait(60)).number == 2
        assert self.stop(actor, "1", at=actor.wait(60)) == TransactionAnswer(stage=Stage.ENDED)
        assert [fact.transaction_id for fact in actor.of(TransactionEnded)] == ["1"]
        assert [known.transaction_id for known in actor.state.ledger.open] == ["2"]

    def test_a_stop_ends_it_with_its_energy(self, actor):
        self.start(actor)
        assert self.stop(actor, "1", at=actor.wait(60), token=TOKEN).verdict == ACCEPTED
        ended = TransactionEnded(
            transaction_id="1",
            ended_at=actor.now,
            received_at=actor.now,
            reason="Local",
            token=TOKEN,
            meter_stop_wh=600.0,
            energy_wh=500.0,
            verdict=ACCEPTED,
        )
        assert actor.recorded == [ended]

    def test_a_stop_with_readings_records_them_before_the_end(self, actor):
        self.start(actor)
        readings = (energy(100.0, "Transaction.Begin"), energy(600.0, "Transaction.End"))
        self.stop(actor, "1", readings=readings)
        assert kinds(actor.recorded) == ["ReadingsRecorded", "TransactionEnded"]
        assert actor.recorded[0].evse == PLACE

    def test_a_stop_twice_has_the_same_answer_and_one_end(self, actor):
        self.start(actor)
        at = actor.wait(60)
        first = self.stop(actor, "1", at=at, token=TOKEN)
        actor.wait(60)
        assert self.stop(actor, "1", at=at, token=TOKEN) == first
        assert actor.recorded == []

    def test_another_stop_of_an_ended_transaction_is_recorded_and_ends_nothing(self, actor):
        self.start(actor)
        self.stop(actor, "1", at=actor.wait(60))
        self.stop(actor, "1", 700.0, at=actor.wait(60), readings=(energy(700.0),))
        assert kinds(actor.recorded) == ["ReadingsRecorded", "TransactionUpdated"]
        updated = actor.recorded[1]
        assert (updated.stage, updated.meter_last_wh, updated.flags) == (
            Stage.ENDED,
            700.0,
            (TransactionFlag.AFTER_END,),
        )

    def test_meter_values_are_recorded_and_tell_the_last_value(self, actor, fields):
        self.start(actor)
        assert self.meter(actor, "1", 150.0) == TransactionAnswer(stage=Stage.UPDATED)
        assert kinds(actor.recorded) == ["ReadingsRecorded", "TransactionUpdated"]
        readings, updated = actor.recorded
        assert readings.transaction_id == "1"
        assert fields(updated) == {
            "transaction_id": "1",
            "at": actor.now,
            "meter_last_wh": 150.0,
            "stage": Stage.UPDATED,
        }
        self.meter(actor, "1", 150.0)
        assert kinds(actor.recorded) == ["ReadingsRecorded"]

    def test_meter_values_right_after_the_stop_are_recorded_and_reopen_nothing(self, actor):
        self.start(actor)
        self.stop(actor, "1")
        self.meter(actor, "1", 590.0)
        assert kinds(actor.recorded) == ["ReadingsRecorded", "TransactionUpdated"]
        assert actor.recorded[1].flags == (TransactionFlag.AFTER_END,)
        assert actor.recorded[1].meter_last_wh is None
        assert actor.state.ledger.open == ()

    def test_a_stop_of_an_unknown_transaction_is_recorded_as_an_orphan(self, actor):
        self.stop(actor, "42", 600.0, token=TOKEN)
        opened, ended = actor.recorded
        assert (opened.transaction_id, opened.number, opened.token) == ("42", None, None)
        assert opened.flags == (TransactionFlag.STARTED_UNSEEN,)
        assert (ended.meter_stop_wh, ended.energy_wh, ended.token) == (600.0, None, TOKEN)

    def test_meter_values_of_an_unknown_transaction_open_it_without_a_meter_start(self, actor):
        self.meter(actor, "42", 500.0)
        opened, readings, updated = actor.recorded
        assert opened.flags == (TransactionFlag.STARTED_UNSEEN,)
        assert (opened.meter_start_wh, updated.meter_start_wh, updated.meter_last_wh) == (None, None, 500.0)
        assert isinstance(readings, ReadingsRecorded)
        self.stop(actor, "42", 600.0)
        assert [(fact.meter_stop_wh, fact.energy_wh) for fact in actor.recorded] == [(600.0, None)]

    def test_a_meter_that_runs_backwards_gives_no_energy(self, actor):
        self.start(actor, meter_wh=700.0)
        self.stop(actor, "1", 600.0)
        (ended,) = actor.recorded
        assert (ended.energy_wh, ended.meter_stop_wh) == (None, 600.0)
        assert ended.flags == (TransactionFlag.METER_BACKWARDS,)

    def test_a_meter_that_is_no_number_gives_no_energy(self, actor):
        self.start(actor, meter_wh=float("nan"))
        self.stop(actor, "1", float("inf"))
        assert [(fact.meter_stop_wh, fact.energy_wh) for fact in actor.recorded] == [(None, None)]

    def test_a_clock_far_from_ours_is_flagged_and_kept(self, actor):
        at = actor.now - timedelta(seconds=301)
        self.start(actor, at=at)
        (opened,) = actor.recorded
        assert (opened.started_at, opened.flags) == (at, (TransactionFlag.CLOCK_SKEW,))

    def test_a_message_sent_offline_may_be_old(self, actor):
        report = TransactionReported(
            stage=Stage.STARTED,
            at=actor.now - timedelta(hours=3),
            evse=PLACE,
            token=TOKEN,
            meter_wh=0.0,
            offline=True,
        )
        actor.says(report)
        assert [(fact.offline, fact.flags) for fact in actor.recorded] == [(True, ())]

    def test_a_start_without_time_happened_when_it_was_received(self, actor):
        received_at = actor.now - timedelta(seconds=1)
        actor.says(TransactionReported(stage=Stage.STARTED, token=TOKEN), received_at=received_at)
        assert actor.recorded[0].started_at == received_at

    def test_a_number_that_the_station_has_from_another_csms_is_not_given(self, actor):
        self.stop(actor, "1")
        self.meter(actor, "2", 100.0)
        assert self.start(actor).number == 3


class TestNamedByTheStation:
    """OCPP 2.x."""

    @staticmethod
    def event(actor, stage, sequence, *, at=None, trigger="MeterValuePeriodic", transaction_id="tx", **more):
        report = TransactionReported(
            stage=stage, transaction_id=transaction_id, sequence=sequence, at=at or actor.now, trigger=trigger, **more
        )
        return actor.says(report)

    def started(self, actor, sequence=0, **more):
        return self.event(actor, Stage.STARTED, sequence, trigger="Authorized", **more)

    def updated(self, actor, sequence, **more):
        return self.event(actor, Stage.UPDATED, sequence, **more)

    def ended(self, actor, sequence, **more):
        return self.event(actor, Stage.ENDED, sequence, trigger="EVDeparted", **more)

    def test_a_start_tells_all_it_says(self, actor, fields):
        answer = self.started(
            actor,
            evse=PLACE,
            token=TOKEN,
            readings=(energy(100.0),),
            charging_state=ChargingState.EV_CONNECTED,
            remote_start_id=5,
            phases_used=3,
            cable_a_max=32.0,
        )
        assert answer == TransactionAnswer(stage=Stage.STARTED, verdict=ACCEPTED)
        opened, readings = actor.recorded
        assert fields(opened) == {
            "transaction_id": "tx",
            "started_at": actor.now,
            "evse": PLACE,
            "token": TOKEN,
            "verdict": ACCEPTED,
            "meter_start_wh": 100.0,
            "meter_location": "Outlet",
            "sequence": 0,
            "trigger": "Authorized",
            "charging_state": ChargingState.EV_CONNECTED,
            "remote_start_id": 5,
            "phases_used": 3,
            "cable_a_max": 32.0,
        }
        assert readings.transaction_id == "tx"

    @pytest.mark.parametrize("stage", list(Stage))
    def test_a_message_said_again_is_answered_and_not_recorded(self, actor, stage):
        said = {
            "at": actor.now,
            "token": TOKEN,
            "readings": (energy(100.0),),
            "charging_state": ChargingState.CHARGING,
        }
        if stage is not Stage.STARTED:
            self.started(actor)
        first = self.event(actor, stage, 3, **said)
        assert actor.recorded != []
        actor.wait(60)
        assert self.event(actor, stage, 3, **said) == first
        assert actor.recorded == []

    def test_a_station_that_always_counts_zero_loses_nothing(self, actor):
        self.started(actor)
        self.updated(actor, 0, at=actor.wait(60), readings=(energy(10.0),))
        self.updated(actor, 0, at=actor.wait(60), readings=(energy(20.0),))
        self.updated(actor, 0, charging_state=ChargingState.CHARGING)
        self.updated(actor, 0, charging_state=ChargingState.SUSPENDED_EV)
        self.ended(actor, 0, at=actor.wait(60), readings=(energy(30.0),))
        assert [fact.energy_wh for fact in actor.of(TransactionEnded)] == [20.0]
        assert len(actor.of(ReadingsRecorded)) == 3
        states = [fact.charging_state for fact in actor.of(TransactionUpdated) if fact.charging_state]
        assert states == [ChargingState.CHARGING, ChargingState.SUSPENDED_EV]

    def test_gaps_are_normal(self, actor):
        self.started(actor, 10)
        self.updated(actor, 15)
        self.ended(actor, 20)
        assert kinds(actor.facts[2:]) == ["TransactionOpened", "TransactionUpdated", "TransactionEnded"]
        assert [fact.flags for fact in actor.facts[2:]] == [(), (), ()]

    def test_what_is_said_once_is_kept(self, actor):
        self.started(actor, evse=PLACE, token=TOKEN, charging_state=ChargingState.CHARGING)
        self.updated(actor, 1)
        (known,) = actor.state.ledger.open
        assert (known.place, known.token_key) == (PLACE, "a")
        assert known.charging_state is ChargingState.CHARGING

    def test_an_absent_connector_does_not_replace_a_known_one(self, actor):
        self.started(actor, evse=EvseRef(1))
        self.updated(actor, 1, evse=EvseRef(1, 2))
        assert actor.recorded[0].evse == EvseRef(1, 2)
        self.updated(actor, 2, evse=EvseRef(1))
        assert actor.recorded[0].evse is None
        assert actor.state.ledger.open[0].place == EvseRef(1, 2)

    def test_a_token_presented_later_becomes_the_transactions(self, actor):
        self.started(actor)
        answer = self.updated(actor, 1, trigger="Authorized", token=TOKEN)
        assert answer.verdict == ACCEPTED
        assert [(fact.token, fact.verdict) for fact in actor.recorded] == [(TOKEN, ACCEPTED)]

    def test_another_token_is_judged_and_does_not_replace_the_first(self, actor):
        self.started(actor, token=TOKEN)
        answer = self.updated(actor, 1, trigger="StopAuthorized", token=Token("B"))
        assert answer.verdict == INVALID
        assert actor.of(TokenChecked) == [TokenChecked(token=Token("B"), verdict=INVALID, at=actor.now)]
        assert [fact.token for fact in actor.of(TransactionUpdated)] == [None]

    def test_a_token_that_stops_is_not_the_one_that_started(self, actor):
        self.started(actor)
        self.updated(actor, 1, trigger="StopAuthorized", token=TOKEN)
        assert actor.state.ledger.open[0].token_key is None
        self.ended(actor, 2, token=TOKEN)
        assert [(fact.token, fact.verdict) for fact in actor.of(TransactionEnded)] == [(TOKEN, ACCEPTED)]

    def test_a_token_without_authorization_is_accepted(self, actor):
        assert self.started(actor, token=Token("", "NoAuthorization")).verdict == ACCEPTED
        assert actor.recorded[0].flags == ()

    def test_an_update_before_the_start_opens_it_and_the_start_fills_in(self, actor, fields):
        started_at = actor.now
        actor.wait(60)
        self.updated(actor, 1, readings=(energy(150.0),), charging_state=ChargingState.CHARGING)
        opened = actor.of(TransactionOpened)[0]
        assert fields(opened) == {
            "transaction_id": "tx",
            "started_at": actor.now,
            "flags": (TransactionFlag.STARTED_UNSEEN,),
        }
        answer = self.started(
            actor,
            at=started_at,
            evse=PLACE,
            token=TOKEN,
            readings=(energy(100.0),),
            charging_state=ChargingState.EV_CONNECTED,
            remote_start_id=5,
        )
        assert answer.verdict == ACCEPTED
        filled = actor.recorded[1]
        assert fields(filled) == {
            "transaction_id": "tx",
            "at": started_at,
            "stage": Stage.STARTED,
            "sequence": 0,
            "trigger": "Authorized",
            "evse": PLACE,
            "token": TOKEN,
            "verdict": ACCEPTED,
            "meter_start_wh": 100.0,
            "meter_location": "Outlet",
            "remote_start_id": 5,
        }
        (known,) = actor.state.ledger.open
        assert (known.started, known.started_at, known.meter_last_wh) == (True, started_at, 150.0)
        assert known.charging_state is ChargingState.CHARGING
        self.ended(actor, 2, at=actor.wait(60), readings=(energy(300.0),))
        assert [fact.energy_wh for fact in actor.of(TransactionEnded)] == [200.0]
        assert len(actor.of(TransactionOpened)) == 1

    def test_an_end_before_the_start_is_filled_in_later_and_not_reopened(self, actor):
        self.ended(actor, 5, readings=(energy(300.0),))
        assert kinds(actor.recorded) == ["TransactionOpened", "ReadingsRecorded", "TransactionEnded"]
        self.started(actor, at=actor.now - timedelta(seconds=60), readings=(energy(100.0),), evse=PLACE)
        updated = actor.of(TransactionUpdated)[0]
        assert (updated.stage, updated.meter_start_wh, updated.evse) == (Stage.STARTED, 100.0, PLACE)
        assert updated.flags == (TransactionFlag.AFTER_END,)
        assert actor.state.ledger.open == ()
        assert len(actor.of(TransactionEnded)) == 1

    def test_a_late_update_after_the_end_is_recorded_and_reopens_nothing(self, actor):
        self.started(actor)
        self.ended(actor, 5, readings=(energy(300.0),))
        self.updated(actor, 3, readings=(energy(200.0),), charging_state=ChargingState.CHARGING)
        assert kinds(actor.recorded) == ["ReadingsRecorded", "TransactionUpdated"]
        updated = actor.recorded[1]
        assert updated.flags == (TransactionFlag.AFTER_END,)
        assert (updated.sequence, updated.meter_last_wh, updated.charging_state) == (3, None, None)
        assert actor.state.ledger.open == ()

    def test_a_late_update_does_not_turn_back_meter_or_state(self, actor):
        self.started(actor, readings=(energy(0.0),))
        self.updated(actor, 2, readings=(energy(200.0),), charging_state=ChargingState.SUSPENDED_EV)
        self.updated(actor, 1, readings=(energy(100.0),), charging_state=ChargingState.CHARGING)
        assert kinds(actor.recorded) == ["ReadingsRecorded", "TransactionUpdated"]
        (known,) = actor.state.ledger.open
        assert (known.meter_last_wh, known.charging_state) == (200.0, ChargingState.SUSPENDED_EV)

    def test_a_second_end_is_no_end_and_what_it_says_is_recorded(self, actor):
        self.started(actor, readings=(energy(0.0),))
        self.ended(actor, 1)
        self.ended(actor, 2, readings=(energy(50.0, "Transaction.End"),))
        assert kinds(actor.recorded) == ["ReadingsRecorded", "TransactionUpdated"]
        updated = actor.recorded[1]
        assert (updated.stage, updated.meter_last_wh) == (Stage.ENDED, 50.0)
        assert updated.flags == (TransactionFlag.AFTER_END,)
        assert len(actor.of(TransactionEnded)) == 1

    def test_an_end_keeps_the_reason_that_was_given(self, actor):
        self.started(actor)
        self.ended(actor, 1, stop_reason="EVDisconnected")
        assert [fact.reason for fact in actor.recorded] == ["EVDisconnected"]

    def test_an_end_that_brings_news_updates_first(self, actor):
        self.started(actor)
        self.ended(actor, 1, charging_state=ChargingState.IDLE, evse=PLACE, readings=(energy(5.0),))
        assert kinds(actor.recorded) == ["ReadingsRecorded", "TransactionUpdated", "TransactionEnded"]
        assert (actor.recorded[1].charging_state, actor.recorded[1].evse) == (ChargingState.IDLE, PLACE)

    def test_a_transaction_ended_long_ago_is_not_brought_to_life(self, actor):
        for n in range(TRANSACTIONS_ENDED_MAX + 5):
            self.started(actor, transaction_id=f"tx-{n}")
            self.ended(actor, 1, transaction_id=f"tx-{n}")
        self.updated(actor, 1, transaction_id="tx-0", readings=(energy(1.0),))
        assert kinds(actor.recorded) == ["ReadingsRecorded", "TransactionUpdated"]
        assert actor.recorded[1].flags == (TransactionFlag.AFTER_END,)
        assert actor.state.ledger.open == ()

    def test_transactions_that_are_never_ended_are_bounded(self, actor):
        for n in range(50):
            self.started(actor, transaction_id=f"tx-{n}", evse=PLACE)
        assert len(actor.state.ledger.open) == TRANSACTIONS_PER_PLACE_MAX
        assert actor.state.ledger.open[-1].transaction_id == "tx-49"

    def test_an_unknown_token_is_flagged_where_it_became_the_transactions(self, make_actor):
        actor = make_actor(policy=Policy(unknown_tokens=TokenStatus.ACCEPTED))
        self.started(actor)
        assert self.updated(actor, 1, token=TOKEN).verdict == ACCEPTED
        assert actor.recorded[-1].flags == (TransactionFlag.UNKNOWN_TOKEN,)
