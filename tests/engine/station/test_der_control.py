"""DER controls: which a station has, what it runs of them, and alarms."""

from msgspec.structs import replace

from engine.model.commands import Outcome, Result
from engine.model.der_control import (
    ClearDerControl,
    ControlsSuperseded,
    DerAlarmEnded,
    DerAlarmRaised,
    DerAlarmReported,
    DerControl,
    DerControlInstalled,
    DerControlRan,
    DerControlRemoved,
    DerControlsReported,
    DerControlsSuperseded,
    DerControlType,
    DerFlag,
    DerNoted,
    DerRemovalReason,
    DerReportEnded,
    DerReportHeard,
    DerStartStopReported,
    GetDerControl,
    SetDerControl,
)
from engine.station.decider import Tick, next_deadline
from tests.engine.station.charging import ask, reply, tell

DEFAULT = DerControl(id="d-1", type=DerControlType.VOLT_VAR, is_default=True, settings={"priority": 1})
TIMED = {"priority": 1, "startTime": "2026-11-21T10:00:00Z", "duration": 60}
SCHEDULED = replace(DEFAULT, id="s-1", is_default=False, settings=TIMED)


def of(actor, kind):
    return [fact for fact in actor.recorded if isinstance(fact, kind)]


def held(actor):
    return [control.id for control in actor.state.der.controls]


def removals(facts):
    return [(fact.control_id, fact.reason) for fact in facts if isinstance(fact, DerControlRemoved)]


def test_R04_FR_02_an_accepted_control_is_held(actor):
    facts = tell(actor, SetDerControl(DEFAULT))
    assert [fact.control for fact in facts if isinstance(fact, DerControlInstalled)] == [DEFAULT]
    assert held(actor) == ["d-1"]


def test_R04_FR_08_superseded_controls_are_recorded(actor):
    outcome = Outcome(Result.ACCEPTED, "Accepted", found=ControlsSuperseded(("old",)))
    facts = tell(actor, SetDerControl(DEFAULT), outcome)
    assert [fact.control_ids for fact in facts if isinstance(fact, DerControlsSuperseded)] == [("old",)]


def test_times_belong_to_scheduled_controls_alone(actor):
    assert "leave it out" in ask(actor, SetDerControl(replace(DEFAULT, settings=TIMED)))
    assert "name both" in ask(actor, SetDerControl(replace(SCHEDULED, settings={"priority": 1})), "d")
    gradients = replace(SCHEDULED, type=DerControlType.GRADIENTS)
    assert "default control only" in ask(actor, SetDerControl(gradients), "e")


def test_R04_FR_44_clearing_takes_what_fits(actor):
    tell(actor, SetDerControl(DEFAULT), command_id="1")
    tell(actor, SetDerControl(SCHEDULED), command_id="2")
    assert removals(tell(actor, ClearDerControl(is_default=False), command_id="3")) == [
        ("s-1", DerRemovalReason.CLEARED)
    ]
    not_found = Outcome(Result.REFUSED, "NotFound")
    assert removals(tell(actor, ClearDerControl(is_default=True), not_found, "4")) == [
        ("d-1", DerRemovalReason.NOT_REPORTED)
    ]


def test_R04_FR_32_after_the_last_part_what_was_not_reported_is_gone(actor):
    tell(actor, SetDerControl(DEFAULT), command_id="1")
    ask(actor, GetDerControl(), "report")
    request_id = actor.state.queue.sent.request.command.request_id
    actor.wait(1)
    assert actor.says(DerControlsReported(request_id, (), more=True), message_id="a") == DerNoted()
    reply(actor, command_id="report")
    actor.says(DerControlsReported(request_id, (SCHEDULED,)), message_id="b")
    assert removals(actor.recorded) == [("d-1", DerRemovalReason.NOT_REPORTED)]
    assert held(actor) == ["s-1"]
    assert next_deadline(actor.state, actor.policy) is None


def test_a_report_that_nobody_asked_for_is_kept_and_flagged(actor):
    actor.says(DerControlsReported(9, (DEFAULT,)))
    assert of(actor, DerReportHeard)[0].flags == (DerFlag.UNKNOWN_REQUEST,)
    assert held(actor) == ["d-1"]


def test_a_report_without_an_end_is_given_up(actor):
    tell(actor, GetDerControl())
    actor.now = next_deadline(actor.state, actor.policy)
    actor.take(Tick())
    assert of(actor, DerReportEnded)[0].flags == (DerFlag.INCOMPLETE,)


def test_R04_FR_30_no_controls_answer_the_question(actor):
    tell(actor, SetDerControl(DEFAULT), command_id="1")
    facts = tell(actor, GetDerControl(), Outcome(Result.ACCEPTED, "NotFound"), "2")
    assert removals(facts) == [("d-1", DerRemovalReason.NOT_REPORTED)]


def test_R04_FR_22_a_scheduled_control_whose_time_is_over_is_gone(actor):
    tell(actor, SetDerControl(SCHEDULED))
    actor.says(DerStartStopReported("s-1", started=True, superseded_ids=("x",)), message_id="a")
    assert of(actor, DerControlsSuperseded)[0].by == "s-1"
    actor.says(DerStartStopReported("s-1", started=False), message_id="b")
    assert removals(actor.recorded) == [("s-1", DerRemovalReason.ENDED)]


def test_an_unknown_control_that_runs_is_flagged(actor):
    actor.says(DerStartStopReported("x", started=True))
    assert of(actor, DerControlRan)[0].flags == (DerFlag.UNKNOWN_CONTROL,)


def test_R05_FR_03_an_alarm_that_another_control_takes_over_is_the_same(actor):
    raised_at = actor.now
    actor.says(DerAlarmReported(DerControlType.VOLT_VAR), message_id="a")
    actor.wait(10)
    actor.says(DerAlarmReported(DerControlType.FREQ_WATT), message_id="b")
    assert of(actor, DerAlarmRaised)[0].raised_at == raised_at
    actor.says(DerAlarmReported(DerControlType.FREQ_WATT, ended=True), message_id="c")
    assert (of(actor, DerAlarmEnded)[0].raised_at, of(actor, DerAlarmEnded)[0].flags) == (raised_at, ())
    actor.says(DerAlarmReported(DerControlType.FREQ_WATT, ended=True), message_id="d")
    assert of(actor, DerAlarmEnded)[0].flags == (DerFlag.NO_ALARM,)
