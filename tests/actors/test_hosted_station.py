"""A station in memory survives its rest in Redis, and remembers as many replies as can be asked for again."""

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace

from actors.hosted_station import REPLIES_MAX, HostedStation
from engine.model.authorization import ClearCache
from engine.model.availability import ConnectorStatusAnswer
from engine.model.commands import CommandRequest
from engine.model.envelopes import Answered, Done, Refused, Reported
from engine.model.ids import Unit
from engine.model.metering import ReadingsAnswer
from engine.model.provisioning import HeartbeatReported
from engine.model.transactions import Stage, TransactionAnswer
from engine.station.decider import next_deadline
from engine.station.policy import Policy
from engine.station.queue import OpenCommand, Queue
from engine.station.state import fresh
from ingress.settings import OcppSettings

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
UNIT = Unit(3)
ANSWER = Answered(ReadingsAnswer())


def reported(message_id, digest=b"d"):
    return Reported(session="i:a:1", message_id=message_id, digest=digest, report=HeartbeatReported())


def test_one_that_was_never_heard_of_is_fresh():
    assert HostedStation.from_rest(UNIT, "CP-1", None).state == fresh("CP-1")


def test_state_and_replies_survive_their_rest():
    hosted = HostedStation(UNIT, fresh("CP-1"))
    hosted.remember(reported("m1"), ANSWER)
    again = HostedStation.from_rest(UNIT, "CP-1", hosted.to_rest())
    assert (again.state, again.replies) == (hosted.state, hosted.replies)
    assert again.recorded(reported("m1")) == ANSWER


@pytest.mark.parametrize(
    "verdict",
    [
        ANSWER,
        Answered(TransactionAnswer(stage=Stage.UPDATED)),
        Answered(TransactionAnswer(stage=Stage.STARTED, number=7)),
        Answered(ConnectorStatusAnswer()),
        Refused("not now"),
        Done(),
    ],
)
def test_a_repeat_gets_the_very_verdict_of_the_first(verdict):
    hosted = HostedStation(UNIT, fresh("CP-1"))
    hosted.remember(reported("m1"), verdict)
    assert HostedStation.from_rest(UNIT, "CP-1", hosted.to_rest()).recorded(reported("m1")) == verdict


def test_the_same_id_with_other_content_is_another_message():
    hosted = HostedStation(UNIT, fresh("CP-1"))
    hosted.remember(reported("m1"), ANSWER)
    assert hosted.recorded(reported("m1", b"other")) is None


def test_the_oldest_replies_are_forgotten():
    hosted = HostedStation(UNIT, fresh("CP-1"))
    for number in range(REPLIES_MAX + 3):
        hosted.remember(reported(f"m{number}", bytes([number])), ANSWER)
        if number == 1:
            hosted = HostedStation.from_rest(UNIT, "CP-1", hosted.to_rest())
    known = [number for number in range(REPLIES_MAX + 3) if hosted.recorded(reported(f"m{number}", bytes([number])))]
    assert known == list(range(3, REPLIES_MAX + 3))


def test_more_replies_are_kept_than_an_ingress_holds_calls_open():
    calls_open_max = OcppSettings.model_fields["calls_open_max"].metadata
    (bound,) = [each.le for each in calls_open_max if hasattr(each, "le")]
    assert bound < REPLIES_MAX


def test_garbage_is_told_apart():
    with pytest.raises(msgspec.MsgspecError):
        HostedStation.from_rest(UNIT, "CP-1", b"garbage")


def test_it_knows_its_deadline_in_every_state():
    hosted = HostedStation(UNIT, fresh("CP-1"))
    assert hosted.due_at(Policy()) is None
    request = CommandRequest("c1", "CP-1", ClearCache(), NOW, NOW)
    hosted.state = replace(hosted.state, queue=Queue(open=(OpenCommand(request),)))
    assert hosted.due_at(Policy()) == next_deadline(hosted.state, Policy()) == NOW
    hosted.state = replace(hosted.state, queue=Queue())
    assert hosted.due_at(Policy()) is None
