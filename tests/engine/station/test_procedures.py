"""Procedures: steps and their oddities, what is remembered, what a station said."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.model.commands import CommandRequest, CommandRequested, CommandSent, Outcome, Result
from engine.model.diagnostics import GetLog
from engine.station import procedures
from engine.station.procedures import Procedure, Said, Steps
from engine.station.queue import Queue

NOW = datetime(2026, 5, 1, 10, tzinfo=UTC)
STEPS = Steps(
    rank={"begun": 1, "half": 2, "done": 3, "broken": 3},
    ends=frozenset({"done", "broken"}),
    failures=frozenset({"broken"}),
    again=frozenset({"begun"}),
)


@pytest.mark.parametrize(
    ("before", "status", "flags"),
    [
        (Procedure(1), "begun", ()),
        (Procedure(1), "done", ()),
        (Procedure(1, "begun"), "done", ()),
        (Procedure(1, "half"), "half", ()),
        (Procedure(1, "half"), "begun", ()),
        (Procedure(1, "done", ended=True), "done", ()),
        (Procedure(1, "broken", ended=True), "begun", ()),
        (Procedure(1, "broken", ended=True), "half", (procedures.AFTER_END,)),
        (Procedure(1, "done", ended=True), "begun", (procedures.AFTER_END,)),
        (Procedure(1, "done"), "half", (procedures.OUT_OF_ORDER,)),
        (Procedure(1, "half", ended=True, cancelled=True), "done", (procedures.AFTER_CANCEL,)),
        (Procedure(1, "half"), "nothing", (procedures.IDLE_BEFORE_END,)),
        (Procedure(1, "done", ended=True), "nothing", ()),
        (Procedure(1), "nothing", ()),
    ],
)
def test_steps_may_be_skipped_and_repeated_but_not_go_back(before, status, flags):
    assert STEPS.flags(before, status) == flags


def test_without_a_number_the_youngest_under_way_is_meant():
    known = (Procedure(1), Procedure(2), Procedure(3, ended=True))
    assert procedures.find(known, None) is known[1]
    assert procedures.find(known, 3) is known[2]
    assert procedures.find(known, 4) is None
    assert procedures.find((), None) is None


def test_the_oldest_that_has_ended_is_forgotten_first():
    known = (Procedure(1), Procedure(2, ended=True), Procedure(3, ended=True))
    kept = procedures.put(known, Procedure(4), 3)
    assert [each.request_id for each in kept] == [1, 3, 4]
    full = (Procedure(1), Procedure(2))
    assert [each.request_id for each in procedures.put(full, Procedure(3), 2)] == [2, 3]
    assert procedures.put(full, Procedure(1, "half"), 2) == (Procedure(1, "half"), Procedure(2))


def test_what_is_cancelled_or_told_to_be_overdue_is_not_waited_for():
    known = (Procedure(1, expected_by=NOW), Procedure(2, expected_by=NOW + timedelta(seconds=1)))
    assert procedures.due_at(known) == NOW
    assert procedures.overdue(known, NOW) == known[:1]
    silenced = procedures.silenced(known, 1)
    assert procedures.due_at(silenced) == NOW + timedelta(seconds=1)
    cancelled = procedures.cancelled(silenced, 2)
    assert procedures.due_at(cancelled) is None
    assert (cancelled[1].ended, cancelled[1].cancelled) == (True, True)
    assert procedures.others_under_way(cancelled, 3) == (Procedure(1),)


def test_news_is_expected_after_what_must_not_happen_before():
    assert procedures.expected_by(NOW, 60, None) == NOW + timedelta(seconds=60)
    later = NOW + timedelta(days=1)
    assert procedures.expected_by(NOW, 60, None, later) == later + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome(Result.ACCEPTED, "AcceptedCanceled"), Said(accepted=True, answer="AcceptedCanceled")),
        (Outcome(Result.ACCEPTED), Said(accepted=True)),
        (Outcome(Result.REFUSED, "Rejected"), Said(accepted=False, answer="Rejected")),
        (Outcome(Result.REFUSED, payload=b"{}"), Said(accepted=False)),
        (Outcome(Result.FAILED, "NotImplemented"), Said(accepted=False, answer="NotImplemented")),
        (Outcome(Result.TIMED_OUT), Said()),
        (Outcome(Result.LOST), Said()),
        (Outcome(Result.REFUSED, detail="We refused."), None),
        (Outcome(Result.OFFLINE), None),
        (Outcome(Result.NOT_EXPRESSIBLE), None),
        (Outcome(Result.EXPIRED), None),
        (Outcome(Result.CANCELLED), None),
        (Outcome(Result.REPLACED), None),
    ],
)
def test_only_what_was_sent_is_followed(outcome, said):
    assert procedures.said(outcome) == said


def test_the_command_that_is_with_the_station_tells_what_was_asked():
    request = CommandRequest("c", "CP-1", GetLog("ftp://h", request_id=5), NOW, NOW)
    queue = Queue().requested(CommandRequested(request))
    assert procedures.sent_request(queue, GetLog, 5) is None, "it only waits"
    sent = queue.left(CommandSent("c", "s", NOW, NOW))
    assert procedures.sent_request(sent, GetLog, 5) == request
    assert procedures.sent_request(sent, GetLog, None) == request
    assert procedures.sent_request(sent, GetLog, 6) is None
    assert procedures.sent_request(sent, str, 5) is None
