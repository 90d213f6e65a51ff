"""Which commands a station may be sent in which state, and the ids of remote starts."""

from datetime import timedelta

import pytest

from engine.model.authorization import Token
from engine.model.commands import CommandReplied, CommandRequest, CommandRequested, Outcome, Result
from engine.model.notices import RawCommand
from engine.model.provisioning import GetVariables, Registration
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage
from engine.station.effects import Send, Settle

START = RequestStart(Token("A"))
ASKS = [GetVariables(), TriggerMessage("BootNotification"), RawCommand("GetBaseReport", b"{}")]
STARTS_AND_STOPS = [START, RequestStop("1"), RawCommand("RemoteStartTransaction", b"{}")]


def send(actor, command, command_id="c", *, answered=True):
    """The result, None where it was sent."""
    request = CommandRequest(
        command_id=command_id,
        station="CP-1",
        command=command,
        requested_at=actor.now,
        deadline_at=actor.now + timedelta(seconds=30),
    )
    effects = actor.take(request)
    settled = [effect.outcome for effect in effects if isinstance(effect, Settle)]
    assert len(settled) + len([effect for effect in effects if isinstance(effect, Send)]) == 1
    if answered:
        actor.take(CommandReplied(command_id, Outcome(Result.ACCEPTED, "Accepted")))
    return settled[0] if settled else None


def registered(make_actor, registration):
    actor = make_actor()
    actor.judge(registration)
    actor.connect()
    actor.boot()
    return actor


@pytest.mark.parametrize("command", ASKS, ids=str)
def test_a_pending_station_may_be_asked(make_actor, command):
    assert send(registered(make_actor, Registration.PENDING), command) is None


@pytest.mark.parametrize("command", STARTS_AND_STOPS, ids=str)
def test_a_pending_station_must_not_start_or_stop(make_actor, command):
    outcome = send(registered(make_actor, Registration.PENDING), command)
    assert outcome.result is Result.REFUSED
    assert "Pending" in outcome.detail


@pytest.mark.parametrize("command", ASKS + STARTS_AND_STOPS, ids=str)
def test_a_rejected_station_is_sent_nothing(make_actor, command):
    outcome = send(registered(make_actor, Registration.REJECTED), command)
    assert outcome.result is Result.REFUSED
    assert "Rejected" in outcome.detail


def test_a_station_that_never_booted_is_judged_by_its_record(make_actor):
    actor = make_actor()
    actor.judge(Registration.PENDING)
    actor.connect()
    assert send(actor, START).result is Result.REFUSED
    actor.judge(Registration.ACCEPTED)
    assert send(actor, START, "d") is None


def test_a_boot_is_asked_only_of_stations_that_have_not_booted(make_actor, actor):
    assert send(actor, TriggerMessage("BootNotification")).result is Result.REFUSED
    silent = make_actor()
    silent.connect()
    assert send(silent, TriggerMessage("BootNotification")) is None


def given(actor):
    return [fact.request.command.remote_start_id for fact in actor.of(CommandRequested)]


def test_every_remote_start_has_an_id_of_its_own(actor):
    send(actor, START, "a")
    send(actor, START, "b")
    send(actor, RequestStart(Token("A"), remote_start_id=7), "c")
    send(actor, START, "d")
    assert given(actor) == [1, 2, 7, 8]


def test_a_start_that_is_asked_for_twice_keeps_its_id(actor):
    send(actor, START, "a", answered=False)
    (dispatch,) = [effect.downlink for effect in actor.effects if isinstance(effect, Send)]
    send(actor, START, "a", answered=False)
    assert [effect.downlink for effect in actor.effects] == [dispatch]
    assert given(actor) == [1]


def test_ids_of_remote_starts_fit_31_bits(actor):
    send(actor, RequestStart(Token("A"), remote_start_id=2**31 - 1), "a")
    send(actor, START, "b")
    send(actor, START, "c")
    assert given(actor) == [2**31 - 1, 1, 2]
