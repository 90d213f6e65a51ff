"""Reservations from the command to their end."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.model.authorization import Token, TokenRecord
from engine.model.availability import ConnectorStatus, ConnectorStatusReported
from engine.model.commands import CommandReplied, CommandRequest, CommandSettled, Outcome, Result
from engine.model.ids import EvseRef
from engine.model.reservation import (
    CancelReservation,
    ReservationEnded,
    ReservationLapsed,
    ReservationMade,
    ReservationRefused,
    ReservationStatus,
    ReservationStatusAnswer,
    ReservationStatusReported,
    ReserveNow,
)
from engine.model.transactions import Stage, TransactionOpened, TransactionReported
from engine.station.decider import Tick, next_deadline
from engine.station.reserved import LAPSES_AFTER_S

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
UNTIL = START + timedelta(minutes=30)
TOKEN = Token("04AB")
OTHER = Token("FFFF")
ACCEPTED = Outcome(Result.ACCEPTED, "Accepted")
FIRST = EvseRef(1, 1)


def refused(word):
    return Outcome(Result.REFUSED, word)


@pytest.fixture
def actor(make_actor):
    actor = make_actor(tokens=[TokenRecord(TOKEN), TokenRecord(OTHER, group="family")])
    actor.connect()
    actor.boot()
    actor.wait(10)
    return actor


class Orders:
    """Gives commands and answers them."""

    last = 0

    @classmethod
    def give(cls, actor, command, outcome=None):
        """Returns the command's id; `outcome` None: no answer comes."""
        cls.last += 1
        name = f"c{cls.last}"
        actor.take(
            CommandRequest(
                command_id=name,
                station="CP-1",
                command=command,
                requested_at=actor.now,
                deadline_at=actor.now + timedelta(seconds=60),
            )
        )
        if outcome is not None and actor.state.queue.find(name) is not None:
            actor.take(CommandReplied(name, outcome))
        return name


def reserve(actor, outcome=ACCEPTED, **more):
    wanted = {"token": TOKEN, "expires_at": UNTIL, "evse": FIRST} | more
    return Orders.give(actor, ReserveNow(**wanted), outcome)


def objections(actor):
    return [fact.outcome.detail for fact in actor.of(CommandSettled) if fact.outcome.status is None]


def start(token=TOKEN, connector=1, **more):
    more = {"at": START} | more
    return TransactionReported(stage=Stage.STARTED, evse=EvseRef(connector, 1), token=token, meter_wh=0.0, **more)


def ends(actor):
    return [
        (fact.reservation_id, fact.status, fact.transaction_id, fact.unknown) for fact in actor.of(ReservationEnded)
    ]


def test_TC_046_a_reservation_is_made_with_a_number_of_ours(actor):
    name = reserve(actor)
    made = actor.of(ReservationMade)
    assert [(fact.reservation_id, fact.command_id, fact.evse, fact.certain) for fact in made] == [
        (1, name, FIRST, True)
    ]
    reserve(actor, evse=EvseRef(2, 1))
    assert [fact.reservation_id for fact in actor.of(ReservationMade)] == [1, 2]


def test_TC_046_the_transaction_that_names_it_uses_it_up(actor):
    reserve(actor)
    number = actor.says(start(reservation_id=1)).number
    assert ends(actor) == [(1, ReservationStatus.USED, str(number), False)]
    assert actor.state.reserved.reservations == ()


def test_H03_FR_01_a_start_of_its_token_at_its_place_uses_it_up_though_it_does_not_name_it(actor):
    reserve(actor)
    actor.says(start(OTHER))
    assert ends(actor) == []
    actor.says(start(TOKEN, connector=2))
    assert ends(actor) == []
    actor.says(start())
    assert [end[:2] for end in ends(actor)] == [(1, ReservationStatus.USED)]


@pytest.mark.parametrize("evse", [None, EvseRef(0)])
def test_TC_049_a_reservation_of_the_whole_station_is_used_at_any_connector(actor, evse):
    reserve(actor, evse=evse)
    actor.says(start(connector=2))
    assert [end[:2] for end in ends(actor)] == [(1, ReservationStatus.USED)]


def test_TC_053_a_token_of_the_reserved_group_uses_it_up(actor):
    reserve(actor, group="family")
    actor.says(start(OTHER))
    assert [end[:2] for end in ends(actor)] == [(1, ReservationStatus.USED)]


def test_a_repeated_start_uses_nothing_up_twice(actor):
    reserve(actor)
    actor.says(start(reservation_id=1), message_id="a")
    actor.says(start(reservation_id=1), message_id="b")
    assert len(ends(actor)) == 1


def test_H01_FR_15_a_reservation_that_is_named_and_not_known_stands_with_its_transaction(actor):
    actor.says(start(reservation_id=77))
    assert ends(actor) == []
    assert actor.of(TransactionOpened)[0].reservation_id == 77


@pytest.mark.parametrize("number", [0, -1])
def test_a_station_that_names_no_real_reservation_uses_up_the_one_at_the_place(actor, number):
    reserve(actor)
    actor.says(start(reservation_id=number))
    assert [end[:2] for end in ends(actor)] == [(1, ReservationStatus.USED)]


@pytest.mark.parametrize("word", ["Faulted", "Occupied", "Unavailable", "Rejected"])
def test_TC_048_what_the_station_refuses_was_never_reserved(actor, word):
    reserve(actor, refused(word))
    assert [fact.status for fact in actor.of(ReservationRefused)] == [ReservationStatus(word)]
    assert actor.state.reserved.reservations == ()


def test_TC_047_a_reservation_that_1_6_says_no_more_of_lapses_a_minute_after_its_end(actor):
    reserve(actor)
    assert next_deadline(actor.state, actor.policy) == UNTIL + timedelta(seconds=LAPSES_AFTER_S)
    actor.now = UNTIL + timedelta(seconds=LAPSES_AFTER_S - 1)
    actor.take(Tick())
    assert actor.of(ReservationLapsed) == []
    actor.wait(1)
    actor.take(Tick())
    assert [fact.reservation_id for fact in actor.of(ReservationLapsed)] == [1]
    assert next_deadline(actor.state, actor.policy) is None


@pytest.mark.parametrize("word", ["Expired", "Removed", "NoTransaction"])
def test_H04_FR_01_the_station_says_what_became_of_it(actor, word):
    reserve(actor)
    answer = actor.says(ReservationStatusReported(1, ReservationStatus(word)))
    assert answer == ReservationStatusAnswer()
    assert ends(actor) == [(1, ReservationStatus(word), None, False)]
    assert actor.state.reserved.reservations == ()


def test_what_it_says_of_an_unknown_one_is_recorded_flagged_and_answered(actor):
    assert actor.says(ReservationStatusReported(9, ReservationStatus.EXPIRED)) == ReservationStatusAnswer()
    assert ends(actor) == [(9, ReservationStatus.EXPIRED, None, True)]


def test_TC_051_H02_FR_02_a_cancelled_one_is_over(actor):
    reserve(actor)
    Orders.give(actor, CancelReservation(1), ACCEPTED)
    assert ends(actor) == [(1, ReservationStatus.CANCELLED, None, False)]


def test_TC_052_H02_FR_01_one_that_the_station_does_not_know_is_over_too(actor):
    reserve(actor)
    Orders.give(actor, CancelReservation(1), refused("Rejected"))
    assert ends(actor) == [(1, ReservationStatus.REMOVED, None, False)]
    Orders.give(actor, CancelReservation(1), refused("Rejected"))
    assert len(ends(actor)) == 1


def test_an_unanswered_cancellation_changes_nothing(actor):
    reserve(actor)
    Orders.give(actor, CancelReservation(1), Outcome(Result.LOST))
    assert ends(actor) == []
    assert actor.state.reserved.find(1) is not None


def test_an_unanswered_reservation_counts_until_a_late_answer_says_no(actor):
    name = reserve(actor, Outcome(Result.TIMED_OUT))
    assert [fact.certain for fact in actor.of(ReservationMade)] == [False]
    actor.take(CommandReplied(name, refused("Occupied")))
    assert actor.of(CommandSettled)[-1].outcome.status == "Occupied"


def test_H01_FR_02_the_same_id_replaces_the_reservation(actor):
    reserve(actor)
    later = UNTIL + timedelta(hours=1)
    reserve(actor, request_id=1, expires_at=later, token=OTHER)
    kept = actor.state.reserved.reservations
    assert [(one.reservation_id, one.expires_at, one.token_key) for one in kept] == [(1, later, "ffff")]


def test_a_place_that_is_reserved_is_not_reserved_again(actor):
    reserve(actor)
    reserve(actor, token=OTHER)
    assert "reservation 1" in objections(actor)[-1]
    reserve(actor, token=OTHER, evse=EvseRef(1))
    assert "reservation 1" in objections(actor)[-1]
    assert [fact.status for fact in actor.of(ReservationRefused)] == [ReservationStatus.FAILED] * 2


def test_a_place_where_a_transaction_runs_is_not_reserved_unless_forced(actor):
    actor.says(start())
    reserve(actor)
    assert "A transaction runs at EVSE 1" in objections(actor)[-1]
    reserve(actor, force=True)
    assert len(actor.of(ReservationMade)) == 1


@pytest.mark.parametrize("status", [ConnectorStatus.OCCUPIED, ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE])
def test_H01_FR_11_a_place_that_is_not_free_is_not_reserved(actor, status):
    actor.says(ConnectorStatusReported(FIRST, status))
    reserve(actor)
    assert status.value in objections(actor)[-1]
    actor.says(ConnectorStatusReported(EvseRef(1, 2), ConnectorStatus.AVAILABLE))
    reserve(actor)
    assert len(actor.of(ReservationMade)) == 1


def test_a_reservation_must_end_later_than_now_and_name_one_thing(actor):
    reserve(actor, expires_at=START)
    assert "which is over" in objections(actor)[-1]
    reserve(actor, connector_type="cCCS2")
    assert "name one of them" in objections(actor)[-1]
    reserve(actor, evse=None, connector_type="cCCS2")
    assert len(actor.of(ReservationMade)) == 1
