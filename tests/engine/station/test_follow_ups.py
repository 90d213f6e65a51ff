"""What must follow from commands, and that it did or did not. 2.1 F01 to F03, B11."""

import msgspec
import pytest

from engine.model.authorization import Token
from engine.model.commands import Outcome, Result
from engine.model.ids import EvseRef
from engine.model.provisioning import ResetKind, ResetStation
from engine.model.remote_control import (
    FollowUp,
    FollowUpAwaited,
    FollowUpCame,
    FollowUpMissing,
    RequestStart,
    RequestStop,
)
from engine.model.transactions import Stage, TransactionReported
from engine.station.awaited import FOLLOW_UPS_MAX
from engine.station.decider import Tick, next_deadline
from tests.engine.station.test_device_model import YES, answer, ask

TOKEN = Token("DRIVER")
PLACE = EvseRef(1, 1)


def started(actor, **more):
    fields = {"stage": Stage.STARTED, "at": actor.now, "evse": PLACE, "token": TOKEN, "meter_wh": 0.0} | more
    actor.says(TransactionReported(**fields))


def awaiting(actor):
    return [item.what for item in actor.state.awaited.items]


def test_a_remote_start_awaits_its_transaction_until_time_is_over(actor):
    ask(actor, RequestStart(TOKEN, PLACE))
    answer(actor, YES)
    (awaited,) = actor.of(FollowUpAwaited)
    assert (awaited.what, awaited.token, awaited.evse) == (FollowUp.START, "driver", PLACE)
    assert awaited.remote_start_id == 1
    assert next_deadline(actor.state, actor.policy) == awaited.due_at
    actor.now = awaited.due_at
    actor.take(Tick())
    assert actor.of(FollowUpMissing) == [FollowUpMissing("c", FollowUp.START, actor.now)]
    assert awaiting(actor) == []


def test_TC_011_a_start_with_the_token_at_the_place_is_what_was_awaited(actor):
    ask(actor, RequestStart(TOKEN, PLACE))
    answer(actor, YES)
    started(actor, token=Token("driver"))
    assert actor.of(FollowUpCame) == [FollowUpCame("c", FollowUp.START, actor.now, transaction_id="1")]


@pytest.mark.parametrize("more", [{"token": Token("OTHER")}, {"evse": EvseRef(2, 1)}])
def test_another_start_is_not_what_was_awaited(actor, more):
    ask(actor, RequestStart(TOKEN, PLACE))
    answer(actor, YES)
    started(actor, **more)
    assert awaiting(actor) == [FollowUp.START]


def test_F01_FR_25_the_remote_start_id_tells_the_transaction_in_whichever_message(actor):
    ask(actor, RequestStart(TOKEN, PLACE))
    answer(actor, YES)
    started(actor, transaction_id="tx", sequence=0, token=None, meter_wh=None)
    assert awaiting(actor) == [FollowUp.START]
    update = TransactionReported(
        stage=Stage.UPDATED, transaction_id="tx", sequence=1, at=actor.now, remote_start_id=1, trigger="RemoteStart"
    )
    actor.says(update)
    assert actor.of(FollowUpCame)[0].transaction_id == "tx"
    assert awaiting(actor) == []


def test_a_start_that_came_before_the_answer_counts(actor):
    ask(actor, RequestStart(TOKEN, PLACE))
    started(actor)
    answer(actor, YES)
    assert awaiting(actor) == []
    assert [fact.transaction_id for fact in actor.of(FollowUpCame)] == ["1"]


def test_nothing_is_awaited_of_what_was_refused(actor):
    for number, command in enumerate((RequestStart(TOKEN), RequestStop("1"), ResetStation(ResetKind.IMMEDIATE))):
        ask(actor, command, str(number))
        answer(actor, Outcome(Result.REFUSED, status="Rejected"), str(number))
    assert actor.of(FollowUpAwaited) == []


def test_a_remote_stop_awaits_the_end_of_the_transaction(actor):
    started(actor)
    ask(actor, RequestStop("1"))
    answer(actor, YES)
    assert awaiting(actor) == [FollowUp.STOP]
    actor.says(TransactionReported(stage=Stage.ENDED, transaction_id="1", at=actor.now, meter_wh=5.0))
    assert awaiting(actor) == []


def test_a_remote_stop_of_what_is_over_awaits_nothing(actor):
    started(actor)
    ask(actor, RequestStop("1"))
    actor.says(TransactionReported(stage=Stage.ENDED, transaction_id="1", at=actor.now, meter_wh=5.0))
    answer(actor, YES)
    assert awaiting(actor) == []


def test_B11_a_reset_awaits_a_boot_until_time_is_over(actor):
    ask(actor, ResetStation(ResetKind.IMMEDIATE))
    answer(actor, YES)
    actor.wait(actor.policy.provisioning.reset_s)
    actor.take(Tick())
    assert [fact.what for fact in actor.of(FollowUpMissing)] == [FollowUp.BOOT]


def test_B12_a_scheduled_reset_has_all_the_time_and_a_boot_fulfils_it(actor):
    ask(actor, ResetStation(ResetKind.ON_IDLE))
    answer(actor, Outcome(Result.ACCEPTED, status="Scheduled"))
    assert actor.of(FollowUpAwaited)[0].due_at is None
    assert next_deadline(actor.state, actor.policy) is None
    actor.boot()
    assert [fact.what for fact in actor.of(FollowUpCame)] == [FollowUp.BOOT]


def test_the_reset_of_an_evse_boots_nothing(actor):
    ask(actor, ResetStation(ResetKind.IMMEDIATE, evse=1))
    answer(actor, YES)
    assert awaiting(actor) == []


def test_what_is_awaited_is_bounded(actor):
    for number in range(FOLLOW_UPS_MAX + 5):
        ask(actor, RequestStart(TOKEN), str(number))
        answer(actor, YES, str(number))
    assert len(actor.state.awaited.items) == FOLLOW_UPS_MAX


def test_an_empty_part_costs_nothing_at_rest(actor):
    assert b"awaited" not in msgspec.msgpack.encode(actor.state)
    assert b"service" not in msgspec.msgpack.encode(actor.state)
