"""Which of the known transactions a message without a usable id is about."""

import pytest

from engine.model.authorization import Token
from engine.model.ids import EvseRef
from engine.model.metering import Reading
from engine.model.transactions import Stage, TransactionEnded, TransactionFlag, TransactionOpened, TransactionReported

A, B = Token("A"), Token("B")
ONE, TWO = EvseRef(1, 1), EvseRef(2, 1)
ORPHAN = (TransactionFlag.STARTED_UNSEEN, TransactionFlag.NO_TRANSACTION_ID)


def start(actor, place, token):
    report = TransactionReported(stage=Stage.STARTED, at=actor.wait(1), evse=place, token=token, meter_wh=0.0)
    return str(actor.says(report).number)


def stop(actor, transaction_id="-1", *, at=None, meter_wh=100.0, **more):
    report = TransactionReported(
        stage=Stage.ENDED, transaction_id=transaction_id, at=at or actor.wait(60), meter_wh=meter_wh, **more
    )
    return actor.says(report)


def meter(actor, place, value=50.0, transaction_id="-1"):
    report = TransactionReported(
        stage=Stage.UPDATED,
        transaction_id=transaction_id,
        at=actor.wait(60),
        evse=place,
        readings=(Reading(at=None, value=value),),
    )
    return actor.says(report)


def ended(actor):
    return [fact.transaction_id for fact in actor.of(TransactionEnded)]


def orphans(actor):
    return [fact.transaction_id for fact in actor.of(TransactionOpened) if fact.flags == ORPHAN]


@pytest.mark.parametrize("no_id", ["-1", "0", "9223372036854775807", "", None])
def test_a_stop_without_an_id_ends_the_transaction_of_its_token(actor, no_id):
    start(actor, ONE, A)
    number = start(actor, TWO, B)
    stop(actor, no_id, token=Token("b"))
    assert ended(actor) == [number]
    assert orphans(actor) == []


def test_meter_values_without_an_id_belong_to_the_transaction_on_their_connector(actor):
    start(actor, ONE, A)
    number = start(actor, TWO, B)
    meter(actor, TWO)
    assert actor.recorded[0].transaction_id == number
    assert orphans(actor) == []


def test_a_stop_that_says_neither_connector_nor_token_is_not_guessed(actor):
    start(actor, ONE, A)
    stop(actor)
    (orphan,) = orphans(actor)
    assert ended(actor) == [orphan]
    assert len(actor.state.ledger.open) == 1


def test_a_token_on_two_connectors_is_ambiguous(actor):
    start(actor, ONE, A)
    start(actor, TWO, A)
    stop(actor, token=A)
    assert ended(actor) == orphans(actor)
    assert len(actor.state.ledger.open) == 2


def test_another_token_contradicts(actor):
    start(actor, ONE, A)
    stop(actor, token=B)
    assert ended(actor) == orphans(actor)


def test_a_stop_from_before_the_start_contradicts(actor):
    at = actor.now
    start(actor, ONE, A)
    stop(actor, at=at, token=A)
    assert ended(actor) == orphans(actor)


def test_messages_without_an_id_on_one_connector_share_one_orphan(actor):
    for value in (10.0, 20.0, 30.0):
        meter(actor, ONE, value)
    assert len(orphans(actor)) == 1
    stop(actor, token=A)
    assert ended(actor) == orphans(actor)


def test_on_a_connector_with_two_open_transactions_one_orphan_is_made(actor):
    start(actor, ONE, A)
    start(actor, ONE, B)
    for value in (10.0, 20.0, 30.0):
        meter(actor, ONE, value)
    assert len(orphans(actor)) == 1


def test_a_token_points_past_an_orphan_elsewhere(actor):
    meter(actor, ONE)
    number = start(actor, TWO, B)
    stop(actor, token=B)
    assert ended(actor) == [number]


def test_a_stop_without_an_id_said_again_ends_nothing_more(actor):
    start(actor, ONE, A)
    at = actor.wait(60)
    for _ in range(3):
        stop(actor, at=at, token=A)
        stop(actor, at=at, meter_wh=7.0)
    assert len(ended(actor)) == 2
    assert actor.recorded == []


def test_orphans_have_ids_of_their_own(actor):
    for meter_wh in (1.0, 2.0, 3.0):
        stop(actor, at=actor.now, meter_wh=meter_wh)
    assert len(set(orphans(actor))) == 3
    assert all(len(orphan) <= 36 for orphan in orphans(actor))


def test_an_id_that_a_station_chose_itself_is_an_id_even_if_it_is_zero(actor):
    event = TransactionReported(stage=Stage.STARTED, transaction_id="0", at=actor.now, sequence=0, evse=ONE)
    actor.says(event)
    stop(actor, "0", sequence=1)
    assert ended(actor) == ["0"]
    assert orphans(actor) == []


def test_a_start_with_an_empty_id_is_opened_under_one_that_we_make_up(actor):
    actor.says(TransactionReported(stage=Stage.STARTED, transaction_id="", at=actor.now, sequence=0, evse=ONE))
    (opened,) = actor.recorded
    assert opened.transaction_id.startswith("unnamed-")
    assert opened.flags == (TransactionFlag.NO_TRANSACTION_ID,)
    stop(actor, "", sequence=1, evse=ONE)
    assert ended(actor) == [opened.transaction_id]
