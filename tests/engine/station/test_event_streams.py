"""Event streams: opened or not, their values, and what is asked of them."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from engine.model.commands import CommandReplied, CommandRequest, Outcome, Result
from engine.model.diagnostics import (
    AdjustEventStream,
    EventStream,
    EventStreamAdjusted,
    EventStreamAnswer,
    EventStreamClosed,
    EventStreamGone,
    EventStreamOffered,
    EventStreamOpened,
    EventStreamsListed,
    GetEventStreams,
    StreamsFound,
    StreamValue,
    StreamValuesRecorded,
    StreamValuesReported,
)
from engine.model.notices import NoticeAnswer
from engine.station.event_streams import BEHIND, REOPENED, UNKNOWN_STREAM
from engine.station.policy import DiagnosticsPolicy, Policy

BASE = datetime(2026, 5, 1, tzinfo=UTC)
YES = EventStreamAnswer(accepted=True)
ONE = (StreamValue(0.0, "1"),)


def stream(number=1, monitor=11):
    return EventStream(number, monitor, interval_s=60)


def offers(actor, each=None):
    return actor.says(EventStreamOffered(each or stream()))


def sends(actor, pending=0, number=1, base_at=BASE):
    """A SEND: no message id, no answer."""
    assert actor.says(StreamValuesReported(number, pending, ONE, base_at), message_id=None) is None
    return actor.recorded[-1]


def ask(actor, command, outcome):
    deadline_at = actor.now + timedelta(hours=1)
    actor.take(CommandRequest("c", "CP-1", command, requested_at=actor.now, deadline_at=deadline_at))
    actor.take(CommandReplied("c", outcome))


@pytest.fixture
def station(actor):
    actor.wait(10)
    return actor


def test_N11_FR_06_a_stream_is_accepted_and_remembered(station):
    assert offers(station) == YES
    assert station.of(EventStreamOpened) == [EventStreamOpened(stream(), accepted=True, at=station.now)]
    fact = sends(station)
    assert (fact.monitor_id, fact.number, fact.values, fact.base_at, fact.flags) == (11, 1, ONE, BASE, ())


def test_N11_FR_05_a_stream_too_many_is_rejected_with_a_reason(make_actor):
    policy = msgspec.structs.replace(Policy(), diagnostics=DiagnosticsPolicy(event_streams_max=2))
    actor = make_actor(policy=policy)
    actor.connect()
    actor.boot()
    assert [offers(actor, stream(number)).accepted for number in (1, 2, 3)] == [True, True, False]
    answer = offers(actor, stream(4))
    assert answer.reason == "TooManyElements"
    assert offers(actor, stream(2, monitor=12)) == YES, "it takes the place of an open one"
    assert actor.of(EventStreamOpened)[-1].flags == (REOPENED,)
    assert [known.stream_id for known in actor.state.diagnostics.streams] == [1, 2]


def test_a_csms_that_wants_no_streams_says_so(make_actor):
    actor = make_actor(policy=msgspec.structs.replace(Policy(), diagnostics=DiagnosticsPolicy(event_streams_max=0)))
    actor.connect()
    actor.boot()
    assert offers(actor).reason == "NotEnabled"


def test_values_of_a_stream_that_nobody_knows_are_kept_and_flagged(station):
    fact = sends(station, number=9)
    assert (fact.monitor_id, fact.flags, fact.values) == (None, (UNKNOWN_STREAM,), ONE)


def test_values_without_a_time_are_of_when_they_came(station):
    assert sends(station, base_at=None).base_at == station.now


def test_each_message_has_a_number_of_its_own(station):
    offers(station)
    assert [sends(station, number=each).number for each in (1, 9, 1)] == [1, 2, 3]


def test_N13_FR_02_a_closed_stream_is_known_no_more(station):
    offers(station)
    assert station.says(EventStreamGone(1)) == NoticeAnswer()
    assert station.of(EventStreamClosed) == [EventStreamClosed(1, station.now)]
    assert sends(station).flags == (UNKNOWN_STREAM,)
    station.says(EventStreamGone(1))
    assert station.of(EventStreamClosed)[-1].flags == (UNKNOWN_STREAM,)


def test_N15_FR_05_a_station_that_falls_behind_is_told_once(station):
    offers(station)
    behind = [sends(station, pending=pending).behind for pending in range(1, BEHIND + 4)]
    assert behind == [False] * (BEHIND - 1) + [True] + [False] * 3
    sends(station, pending=0)
    again = [sends(station, pending=pending).behind for pending in range(1, BEHIND + 1)]
    assert again[-1], "it had caught up in between"


def test_N14_FR_03_another_rate_is_noted_when_the_station_takes_it(station):
    offers(station)
    ask(station, AdjustEventStream(1, interval_s=5), Outcome(Result.REFUSED, "Rejected"))
    assert station.of(EventStreamAdjusted) == []
    deadline_at = station.now + timedelta(hours=1)
    command = AdjustEventStream(1, interval_s=5)
    station.take(CommandRequest("d", "CP-1", command, requested_at=station.now, deadline_at=deadline_at))
    station.take(CommandReplied("d", Outcome(Result.ACCEPTED, "Accepted")))
    assert station.of(EventStreamAdjusted) == [EventStreamAdjusted(1, station.now, 5, None)]


def test_N12_FR_01_the_list_of_the_station_is_the_truth(station):
    offers(station, stream(1))
    found = StreamsFound((stream(2, 22), stream(3, 33)))
    ask(station, GetEventStreams(), Outcome(Result.ACCEPTED, found=found))
    assert station.of(EventStreamsListed) == [EventStreamsListed(found.streams, station.now)]
    assert sends(station, number=1).monitor_id is None
    assert sends(station, number=3).monitor_id == 33
    assert [fact.stream_id for fact in station.of(StreamValuesRecorded)] == [1, 3]


def test_no_list_is_no_news(station):
    offers(station)
    ask(station, GetEventStreams(), Outcome(Result.FAILED, "NotSupported"))
    assert station.of(EventStreamsListed) == []
