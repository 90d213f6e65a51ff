"""From request to outcome."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from engine.model.commands import (
    CommandCancel,
    CommandReplied,
    CommandRequest,
    CommandRequested,
    CommandSent,
    CommandSettled,
    Outcome,
    Result,
)
from engine.model.envelopes import Dispatch
from engine.model.ids import EvseRef
from engine.model.provisioning import HeartbeatReported
from engine.model.remote_control import UnlockConnector
from engine.model.sessions import SessionClosed
from engine.station import commands
from engine.station.decider import Tick, next_deadline, resend
from engine.station.effects import Record, Send, Settle

COMMAND = UnlockConnector(EvseRef(1, 1))
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


def sent(actor, asked, *, for_s=30):
    until = actor.now + timedelta(seconds=for_s)
    return Record(CommandSent(command_id=asked.command_id, session="i:1:1", at=actor.now, answer_by=until))


def test_a_command_is_recorded_and_sent_over_the_stations_session(actor):
    asked = request(actor)
    assert actor.take(asked) == (Record(CommandRequested(asked)), sent(actor, asked), dispatch(asked))


def test_the_next_command_waits_until_the_first_is_answered(actor):
    one, two = request(actor, "one"), request(actor, "two")
    actor.take(one)
    assert actor.take(two) == (Record(CommandRequested(two)),)
    effects = actor.take(CommandReplied("one", YES))
    assert effects[2:] == (sent(actor, two), dispatch(two))


def test_the_next_command_goes_when_the_station_did_not_answer_the_first(actor):
    """2.1 part 2 section 3.2: 30 s; the deadline of a command is its own business."""
    actor.take(request(actor, "one", for_s=3600))
    actor.take(request(actor, "two", for_s=3600))
    assert next_deadline(actor.state, actor.policy) == actor.now + timedelta(seconds=30)
    actor.wait(30)
    actor.take(Tick())
    assert results(actor) == [Result.TIMED_OUT]
    assert actor.of(CommandSent)[-1].command_id == "two"
    late = actor.take(CommandReplied("one", YES))
    assert late[0] == Record(CommandSettled(command_id="one", outcome=YES, at=actor.now))
    assert [command.request.command_id for command in actor.state.queue.open] == ["two"]


def test_the_highest_priority_goes_first_and_of_equals_the_oldest(actor):
    for name, priority in (("first", 0), ("bulk", -10), ("urgent", 50), ("plain", 0)):
        actor.take(replace(request(actor, name), priority=priority))
    while actor.state.queue.sent is not None:
        actor.take(CommandReplied(actor.state.queue.sent.request.command_id, YES))
    assert [fact.command_id for fact in actor.of(CommandSent)] == ["first", "urgent", "plain", "bulk"]


def test_a_command_that_waits_can_be_taken_back(actor):
    actor.take(request(actor, "one"))
    actor.take(request(actor, "two"))
    settled, told, answered = actor.take(CommandCancel("two", "CP-1", by="Ann"))
    assert settled.fact.outcome.result is Result.CANCELLED
    assert told == Settle("two", settled.fact.outcome)
    assert answered == Settle("cancel:two", settled.fact.outcome)
    actor.take(CommandReplied("one", YES))
    assert [fact.command_id for fact in actor.of(CommandSent)] == ["one"]


def test_a_command_that_was_sent_or_is_unknown_cannot_be_taken_back(actor):
    actor.take(request(actor, "one"))
    (told,) = actor.take(CommandCancel("one", "CP-1"))
    assert told.outcome.result is Result.REFUSED
    assert "with the station" in told.outcome.detail
    (told,) = actor.take(CommandCancel("other", "CP-1"))
    assert told.outcome.result is Result.REFUSED
    actor.take(CommandReplied("one", YES))
    assert actor.take(CommandCancel("one", "CP-1")) == (Settle("cancel:one", YES),)


def test_a_command_that_waits_for_an_absent_station_goes_after_it_connected(make_actor):
    """Not at once: the answer to its boot must come first (ocpp.md 23)."""
    actor = make_actor()
    actor.take(replace(request(actor, for_s=3600), waits=True))
    assert results(actor) == []
    actor.wait(600)
    actor.connect()
    assert actor.of(CommandSent) == []
    due = next_deadline(actor.state, actor.policy)
    assert due == actor.now + timedelta(seconds=2)
    actor.wait(1)
    assert actor.take(Tick()) == ()
    actor.wait(1)
    actor.take(Tick())
    assert [fact.command_id for fact in actor.of(CommandSent)] == ["c"]


def test_a_command_that_waits_too_long_expires_and_was_never_sent(make_actor):
    actor = make_actor()
    actor.take(replace(request(actor, for_s=60), waits=True))
    actor.wait(60)
    actor.take(Tick())
    assert results(actor) == [Result.EXPIRED]
    assert actor.of(CommandSent) == []


def test_the_end_of_a_connection_loses_what_was_sent_and_keeps_what_waits(actor):
    actor.take(request(actor, "sent"))
    actor.take(request(actor, "impatient"))
    actor.take(replace(request(actor, "patient", for_s=600), waits=True))
    actor.take(SessionClosed(session="i:1:1", code=1006, reason="", at=actor.now))
    outcomes = {fact.command_id: fact.outcome.result for fact in actor.of(CommandSettled)}
    assert outcomes == {"sent": Result.LOST, "impatient": Result.OFFLINE}
    actor.connect("i:1:2", at=actor.wait(10))
    actor.wait(2)
    actor.take(Tick())
    assert actor.of(CommandSent)[-1].command_id == "patient"


def test_of_the_commands_in_one_slot_only_the_last_counts(actor, monkeypatch):
    monkeypatch.setattr(commands, "slot_of", lambda command: type(command).__name__)
    actor.take(request(actor, "busy"))
    for name in ("one", "two", "three"):
        actor.take(request(actor, name))
    outcomes = {fact.command_id: fact.outcome.result for fact in actor.of(CommandSettled)}
    assert outcomes == {"one": Result.REPLACED, "two": Result.REPLACED}
    assert [command.request.command_id for command in actor.state.queue.waiting] == ["three"]


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
    assert results(actor) == [Result.EXPIRED]
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
    assert next_deadline(actor.state, actor.policy) == actor.now + timedelta(seconds=10)
    actor.wait(9)
    assert actor.take(Tick()) == ()
    actor.wait(1)
    recorded, settle, *following = actor.take(Tick())
    assert recorded.fact.outcome.result is Result.TIMED_OUT
    assert settle.command_id == "soon"
    assert following[0].fact.command_id == "late"
    actor.wait(60)
    actor.take(Tick())
    assert results(actor) == [Result.TIMED_OUT, Result.TIMED_OUT]
    assert next_deadline(actor.state, actor.policy) is None


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
    assert resend(actor.state) == (dispatch(one),)
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
