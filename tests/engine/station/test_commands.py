"""From request to outcome."""

from datetime import timedelta

import pytest

from engine.model.commands import (
    CommandReplied,
    CommandRequest,
    CommandRequested,
    CommandSettled,
    Outcome,
    Result,
)
from engine.model.envelopes import Dispatch
from engine.model.provisioning import HeartbeatReported, ResetKind, ResetStation
from engine.model.sessions import SessionClosed
from engine.station.decider import Tick, next_deadline, resend
from engine.station.effects import Record, Send, Settle

COMMAND = ResetStation(ResetKind.ON_IDLE)
YES = Outcome(Result.ACCEPTED, "Accepted", payload=b'{"status":"Accepted"}')


def request(actor, command_id="c", *, for_s=30):
    deadline_at = actor.now + timedelta(seconds=for_s)
    return CommandRequest(
        command_id=command_id, station="CP-1", command=COMMAND, requested_at=actor.now, deadline_at=deadline_at, by="me"
    )


def dispatch(asked):
    return Send(
        "i",
        Dispatch(
            station="CP-1",
            session="i:1:1",
            command_id=asked.command_id,
            command=COMMAND,
            deadline_at=asked.deadline_at,
        ),
    )


def results(actor):
    return [fact.outcome.result for fact in actor.of(CommandSettled)]


def test_a_command_is_recorded_and_sent_over_the_stations_session(actor):
    asked = request(actor)
    assert actor.take(asked) == (Record(CommandRequested(asked)), dispatch(asked))


def test_an_answer_settles_it(actor):
    actor.take(request(actor))
    effects = actor.take(CommandReplied("c", YES))
    assert effects == (Record(CommandSettled(command_id="c", outcome=YES, at=actor.now)), Settle("c", YES))
    assert actor.state.queue.open == ()


def test_an_answer_that_is_reported_twice_is_recorded_once(actor):
    actor.take(request(actor))
    actor.take(CommandReplied("c", YES))
    assert actor.take(CommandReplied("c", YES)) == ()


def test_the_same_request_twice_is_sent_again_and_recorded_once(actor):
    asked = request(actor)
    actor.take(asked)
    assert actor.take(asked) == (dispatch(asked),)


def test_the_same_request_after_its_answer_is_told_the_outcome(actor):
    asked = request(actor)
    actor.take(asked)
    actor.take(CommandReplied("c", YES))
    assert actor.take(asked) == (Settle("c", YES),)


def test_a_station_that_is_not_connected_is_sent_nothing(make_actor):
    actor = make_actor()
    asked = request(actor)
    requested, settled, settle = actor.take(asked)
    assert requested == Record(CommandRequested(asked))
    assert settled.fact.outcome.result is Result.OFFLINE
    assert settle == Settle("c", settled.fact.outcome)


def test_a_command_whose_deadline_is_over_is_not_sent(actor):
    actor.take(request(actor, for_s=0))
    assert results(actor) == [Result.TIMED_OUT]
    assert actor.state.queue.open == ()


def test_commands_beyond_the_bound_are_refused_and_say_why(actor):
    for n in range(33):
        actor.take(request(actor, f"c{n}"))
    (refused,) = actor.of(CommandSettled)
    assert (refused.command_id, refused.outcome.result) == ("c32", Result.REFUSED)
    assert "32 commands" in refused.outcome.detail
    assert len(actor.state.queue.open) == 32


def test_time_that_passes_gives_up_commands_past_their_deadline(actor):
    actor.take(request(actor, "soon", for_s=10))
    actor.take(request(actor, "late", for_s=20))
    assert next_deadline(actor.state) == actor.now + timedelta(seconds=10)
    actor.wait(9)
    assert actor.take(Tick()) == ()
    actor.wait(1)
    recorded, settle = actor.take(Tick())
    assert recorded.fact.outcome.result is Result.TIMED_OUT
    assert settle.command_id == "soon"
    actor.wait(60)
    actor.take(Tick())
    assert results(actor) == [Result.TIMED_OUT, Result.TIMED_OUT]
    assert next_deadline(actor.state) is None


@pytest.mark.parametrize("given_up", ["deadline", "session"])
def test_a_late_answer_is_recorded_once_more(actor, given_up):
    actor.take(request(actor))
    actor.wait(30)
    end = SessionClosed(session="i:1:1", code=1006, reason="", at=actor.now)
    actor.take(Tick() if given_up == "deadline" else end)
    effects = actor.take(CommandReplied("c", YES))
    assert effects == (Record(CommandSettled(command_id="c", outcome=YES, at=actor.now)), Settle("c", YES))
    assert actor.take(CommandReplied("c", YES)) == ()


def test_an_uncertain_result_adds_nothing_to_one_that_was_given_up(actor):
    actor.take(request(actor))
    actor.wait(30)
    actor.take(Tick())
    assert actor.take(CommandReplied("c", Outcome(Result.TIMED_OUT))) == ()
    assert actor.take(CommandReplied("c", Outcome(Result.LOST))) == ()


def test_an_answer_to_a_forgotten_command_is_recorded(actor):
    actor.take(CommandReplied("long ago", YES))
    assert results(actor) == [Result.ACCEPTED]
    assert actor.take(CommandReplied("long ago", YES)) == ()


def test_open_commands_can_be_sent_again_after_a_recovery(actor):
    one, two = request(actor, "one"), request(actor, "two")
    actor.take(one)
    actor.take(two)
    assert resend(actor.state) == (dispatch(one), dispatch(two))
    actor.take(SessionClosed(session="i:1:1", code=1006, reason="", at=actor.now))
    assert resend(actor.state) == ()


def test_settled_commands_are_remembered_for_a_bounded_time_and_number(actor):
    for n in range(20):
        actor.take(request(actor, f"c{n}"))
        actor.take(CommandReplied(f"c{n}", YES))
    assert len(actor.state.queue.settled) == 8
    actor.wait(91)
    actor.says(HeartbeatReported())
    actor.wait(300)
    actor.says(HeartbeatReported())
    assert actor.state.queue.settled == ()


def test_a_long_answer_is_recorded_whole_and_not_kept_in_the_state(actor):
    long = Outcome(Result.ACCEPTED, "Accepted", payload=b"x" * 100_000)
    asked = request(actor)
    actor.take(asked)
    actor.take(CommandReplied("c", long))
    assert actor.of(CommandSettled)[0].outcome == long
    (settle,) = actor.take(asked)
    assert (settle.outcome.result, settle.outcome.payload) == (Result.ACCEPTED, None)
    assert "too long" in settle.outcome.detail
