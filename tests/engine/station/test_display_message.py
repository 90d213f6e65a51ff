"""Display messages: which a station shows, until when, and what it cannot show."""

import re
from datetime import timedelta

import pytest

from engine.model.authorization import Token
from engine.model.commands import CommandReplied, CommandRequest, CommandSettled, Outcome, Result
from engine.model.device_model import VariableEntry, VariablesReported
from engine.model.display_message import (
    ClearDisplayMessage,
    DisplayMessage,
    DisplayMessageGone,
    DisplayMessagesAsked,
    DisplayMessageSet,
    DisplayMessagesRecorded,
    DisplayMessagesReported,
    DisplayReportMissing,
    DisplayText,
    GetDisplayMessages,
    MessageFormat,
    MessagePriority,
    MessageState,
    SetDisplayMessage,
)
from engine.model.ids import EvseRef
from engine.model.notices import NoticeAnswer
from engine.model.provisioning import VariableRef
from engine.model.transactions import Stage, TransactionReported
from engine.station import procedures
from engine.station.decider import Tick, next_deadline
from engine.station.display_memory import MESSAGES_MAX

ACCEPTED = Outcome(Result.ACCEPTED, "Accepted")


def ask(actor, command, outcome=None):
    """Gives a command, and the answer where there is one; returns its id."""
    ask.last += 1
    name = f"c{ask.last}"
    deadline_at = actor.now + timedelta(hours=1)
    actor.take(CommandRequest(name, "CP-1", command, requested_at=actor.now, deadline_at=deadline_at))
    if outcome is not None and actor.state.queue.find(name) is not None:
        actor.take(CommandReplied(name, outcome))
    return name


ask.last = 0


def message(number=1, **more):
    return DisplayMessage(number, **({"text": DisplayText("Hi")} | more))


def shows(actor, number=1, **more):
    ask(actor, SetDisplayMessage(message(number, **more)), ACCEPTED)
    return actor.of(DisplayMessageSet)[-1]


def part(actor, *messages, more=False, request_id=1):
    assert actor.says(DisplayMessagesReported(request_id, messages, more)) == NoticeAnswer()
    return actor.recorded[-1]


def transaction(actor, stage):
    actor.says(
        TransactionReported(
            stage=stage,
            transaction_id="tx",
            sequence=0 if stage is Stage.STARTED else 1,
            evse=EvseRef(1, 1),
            token=Token("04AB"),
            at=actor.now,
        )
    )


def gone(actor):
    return [(fact.message_id, fact.why) for fact in actor.of(DisplayMessageGone)]


def learn(actor, **variables):
    """The device model of the display, as a report tells it."""
    entries = tuple(
        VariableEntry(
            VariableRef(name, "DisplayMessageCtrlr"), value=None if name == "Language" else value, values=value
        )
        for name, value in variables.items()
    )
    actor.says(VariablesReported(request_id=1, sequence=0, entries=entries))


def objection(actor, command):
    ask(actor, command, ACCEPTED)
    return actor.of(CommandSettled)[-1].outcome.detail


@pytest.fixture
def station(actor):
    actor.wait(10)
    return actor


def test_O01_a_message_is_shown_once_it_is_accepted(station):
    assert shows(station) == DisplayMessageSet(message(), station.now)
    ask(station, SetDisplayMessage(message(2)), Outcome(Result.REFUSED, "NotSupportedPriority"))
    assert len(station.of(DisplayMessageSet)) == 1
    assert station.state.display.messages == (), "nothing of it has to be remembered"


def test_O01_FR_16_a_message_in_front_takes_the_place_of_another(station):
    front = {"priority": MessagePriority.ALWAYS_FRONT}
    assert shows(station, 1, **front).replaces is None
    assert shows(station, 2, **front).replaces == 1
    assert shows(station, 2, **front).replaces is None, "it replaces itself"
    assert [known.id for known in station.state.display.messages] == [2]


def test_O06_FR_01_a_message_that_is_replaced_has_the_new_parameters(station):
    shows(station, 1, end_at=station.now + timedelta(hours=1))
    shows(station, 1)
    assert next_deadline(station.state, station.policy) is None


def test_O01_FR_07_a_message_is_gone_after_its_end(station):
    end_at = station.now + timedelta(minutes=5)
    shows(station, 1, end_at=end_at)
    assert next_deadline(station.state, station.policy) == end_at
    station.wait(300)
    station.take(Tick())
    assert gone(station) == [(1, "expired")]
    assert next_deadline(station.state, station.policy) is None


def test_O02_FR_02_a_message_of_a_transaction_is_gone_after_it(station):
    transaction(station, Stage.STARTED)
    assert shows(station, 1, transaction_id="tx").follows
    station.take(Tick())
    assert gone(station) == []
    transaction(station, Stage.ENDED)
    assert next_deadline(station.state, station.policy) <= station.now
    station.take(Tick())
    assert gone(station) == [(1, "transaction_ended")]


def test_a_message_of_a_transaction_that_is_not_known_here_stays(station):
    assert shows(station, 1, transaction_id="other").follows is False
    station.take(Tick())
    assert gone(station) == []


@pytest.mark.parametrize(("word", "why"), [("Accepted", "cleared"), ("Unknown", "unknown")])
def test_O05_FR_01_FR_02_a_cleared_message_is_gone(station, word, why):
    shows(station, 1, end_at=station.now + timedelta(hours=1))
    ask(station, ClearDisplayMessage(1), Outcome(Result.ACCEPTED, word))
    assert gone(station) == [(1, why)]
    assert station.state.display.messages == ()


def test_O05_FR_03_a_message_that_could_not_be_cleared_stays(station):
    ask(station, ClearDisplayMessage(1), Outcome(Result.REFUSED, "Rejected"))
    assert gone(station) == []


def test_O03_FR_04_the_first_part_of_a_report_of_all_begins_anew(station):
    shows(station, 7, end_at=station.now + timedelta(hours=1))
    ask(station, GetDisplayMessages(), ACCEPTED)
    first = part(station, message(1, end_at=station.now + timedelta(hours=2)), more=True)
    assert (first.first, first.flags) == (True, ())
    second = part(station, message(2))
    assert (second.first, second.flags) == (False, ())
    assert [known.id for known in station.state.display.messages] == [1]
    assert next_deadline(station.state, station.policy) == station.now + timedelta(hours=2)


def test_O04_a_report_of_some_leaves_the_others(station):
    shows(station, 7, priority=MessagePriority.ALWAYS_FRONT)
    ask(station, GetDisplayMessages(state=MessageState.IDLE), ACCEPTED)
    assert part(station, message(1)).first is False
    assert station.state.display.front == 7


def test_O03_FR_06_there_are_no_messages(station):
    shows(station, 7, priority=MessagePriority.ALWAYS_FRONT)
    ask(station, GetDisplayMessages(), Outcome(Result.ACCEPTED, "Unknown"))
    fact = station.of(DisplayMessagesAsked)[0]
    assert (fact.whole, fact.empty) == (True, True)
    assert station.state.display.messages == ()
    ask(station, GetDisplayMessages(ids=(3, 4)), Outcome(Result.ACCEPTED, "Unknown"))
    assert gone(station) == [(3, "unknown"), (4, "unknown")]
    ask(station, GetDisplayMessages(ids=(3,), priority=MessagePriority.IN_FRONT), Outcome(Result.ACCEPTED, "Unknown"))
    assert len(gone(station)) == 2, "it may be there with another priority"


def test_oddities_of_a_report_are_flagged(station):
    assert part(station, message(), request_id=9).flags == (procedures.UNKNOWN_REQUEST,)
    ask(station, GetDisplayMessages(), ACCEPTED)
    part(station, message())
    assert part(station, message(2)).flags == (procedures.AFTER_END,)


def test_a_part_may_come_before_the_answer(station):
    name = ask(station, GetDisplayMessages())
    assert part(station, message()).first is True
    station.take(CommandReplied(name, ACCEPTED))
    assert [fact.accepted for fact in station.of(DisplayMessagesAsked)] == [None, True]
    assert next_deadline(station.state, station.policy) is None


def test_the_rest_that_does_not_come_is_missed_once(station):
    ask(station, GetDisplayMessages(), ACCEPTED)
    station.wait(station.policy.diagnostics.report_silence_s)
    station.take(Tick())
    assert station.recorded == [DisplayReportMissing(1, station.now)]
    assert next_deadline(station.state, station.policy) is None


def test_a_reported_message_of_an_open_transaction_is_followed(station):
    transaction(station, Stage.STARTED)
    fact = part(station, message(3, transaction_id="tx"), message(4, transaction_id="other"), request_id=9)
    assert fact.following == (3,)
    transaction(station, Stage.ENDED)
    station.take(Tick())
    assert gone(station) == [(3, "transaction_ended")]


def test_what_is_remembered_is_bounded(station):
    later = station.now + timedelta(hours=1)
    part(station, *(message(number, end_at=later) for number in range(MESSAGES_MAX + 5)), request_id=9)
    assert len(station.state.display.messages) == MESSAGES_MAX


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (SetDisplayMessage(message(text=DisplayText("x", MessageFormat.HTML))), "format HTML: .*SupportedFormats has"),
        (SetDisplayMessage(message(priority=MessagePriority.IN_FRONT)), "priority InFront: .*SupportedPriorities"),
        (SetDisplayMessage(message(state=MessageState.FAULTED)), "state Faulted: .*SupportedStates"),
        (SetDisplayMessage(message(others=(DisplayText("x", language="nl"),))), "language nl: .*Language has en, de"),
    ],
)
def test_O01_FR_01_to_FR_03_FR_18_what_the_device_model_excludes_is_not_sent(station, command, problem):
    assert objection(station, command) is None, "nothing is known yet"
    learn(
        station,
        SupportedFormats="ASCII,UTF8",
        SupportedPriorities="NormalCycle, AlwaysFront",
        SupportedStates="Idle,Charging",
        Language="en,de",
    )
    detail = objection(station, command)
    assert detail is not None
    assert re.search(problem, detail)


def test_what_the_device_model_has_is_sent(station):
    learn(station, SupportedFormats="ascii,UTF8", SupportedPriorities="", Language="en,de")
    text = DisplayText("Hi", MessageFormat.ASCII, "EN")
    assert objection(station, SetDisplayMessage(message(text=text, state=MessageState.IDLE))) is None
    assert len(station.of(DisplayMessagesRecorded)) == 0
