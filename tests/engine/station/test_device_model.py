"""Reports in many parts, and values read and written, as facts. 2.1 B05 to B08, 1.6 GetConfiguration."""

from datetime import timedelta

import pytest

from engine.model.commands import CommandReplied, CommandRequest, CommandRequested, Outcome, Result
from engine.model.device_model import (
    GetBaseReport,
    GetReport,
    InventoryAsked,
    InventoryPlanned,
    ReportBase,
    ReportFlag,
    ReportFollowed,
    ReportStatus,
    VariableEntry,
    VariablesAnswer,
    VariableSource,
    VariablesRecorded,
    VariablesReported,
)
from engine.model.provisioning import (
    BootReported,
    GetVariables,
    Registration,
    SetVariables,
    VariableRef,
    VariableResult,
    VariableSetting,
)
from engine.station.decider import Tick, next_deadline
from engine.station.inventory import REPORTS_OPEN_MAX
from engine.station.policy import OnBoot, Policy, ProvisioningPolicy
from engine.station.provisioning import part_of

INTERVAL = VariableRef(component="OCPPCommCtrlr", variable="HeartbeatInterval")
ENTRY = VariableEntry(ref=INTERVAL, value="300", mutability="ReadWrite")
PASSWORD = VariableRef(component="SecurityCtrlr", variable="BasicAuthPassword")
YES = Outcome(Result.ACCEPTED, status="Accepted")


def ask(actor, command, command_id="c"):
    actor.take(
        CommandRequest(
            command_id=command_id,
            station="CP-1",
            command=command,
            requested_at=actor.now,
            deadline_at=actor.now + timedelta(seconds=30),
        )
    )
    return actor.of(CommandRequested)[-1].request.command


def answer(actor, outcome, command_id="c"):
    actor.take(CommandReplied(command_id=command_id, outcome=outcome))
    return actor.recorded


def part(actor, request_id, sequence, *, more=False, entries=(ENTRY,)):
    told = actor.says(VariablesReported(request_id=request_id, sequence=sequence, more=more, entries=entries))
    assert told == VariablesAnswer()
    return actor.of(VariablesRecorded)[-1]


def settled(actor):
    return [fact for fact in actor.recorded if isinstance(fact, VariablesRecorded | ReportFollowed)]


class TestReports:
    def test_B07_FR_04_the_parts_carry_the_request_id_that_we_gave(self, actor):
        assert ask(actor, GetBaseReport()).request_id == 1
        answer(actor, YES)
        assert ask(actor, GetReport(), "d").request_id == 2

    def test_a_report_in_three_parts_is_complete_and_replaces_what_it_does_not_name(self, actor):
        request_id = ask(actor, GetBaseReport()).request_id
        answer(actor, YES)
        (followed,) = settled(actor)
        assert followed.progress.status is ReportStatus.ASKED
        began_at = actor.now
        first = part(actor, request_id, 0, more=True)
        assert (first.progress.status, first.replaces_before) == (ReportStatus.RECEIVING, None)
        actor.wait(3)
        part(actor, request_id, 1, more=True)
        last = part(actor, request_id, 2)
        assert (last.progress.status, last.progress.parts) == (ReportStatus.COMPLETE, 3)
        assert last.progress.kind == ReportBase.FULL
        assert last.replaces_before == began_at
        assert actor.state.inventory.reports == ()

    @pytest.mark.parametrize("base", [ReportBase.CONFIGURATION, ReportBase.SUMMARY])
    def test_a_report_of_some_variables_replaces_nothing(self, actor, base):
        request_id = ask(actor, GetBaseReport(base)).request_id
        answer(actor, YES)
        assert part(actor, request_id, 0).replaces_before is None

    def test_parts_may_come_before_the_answer_to_the_request(self, actor):
        request_id = ask(actor, GetBaseReport()).request_id
        first = part(actor, request_id, 0, more=True)
        assert (first.progress.kind, first.progress.flags) == (ReportBase.FULL, ())
        assert not [fact for fact in answer(actor, YES) if isinstance(fact, ReportFollowed)]
        assert part(actor, request_id, 1).progress.status is ReportStatus.COMPLETE

    def test_B07_FR_10_a_missing_part_is_told_and_a_late_one_completes(self, actor):
        request_id = ask(actor, GetBaseReport()).request_id
        answer(actor, YES)
        part(actor, request_id, 0, more=True)
        last = part(actor, request_id, 3)
        assert (last.progress.status, last.progress.missing) == (ReportStatus.RECEIVING, (1, 2))
        part(actor, request_id, 2, more=True)
        assert part(actor, request_id, 1, more=True).progress.status is ReportStatus.COMPLETE

    def test_a_part_that_never_comes_leaves_the_report_incomplete(self, actor):
        request_id = ask(actor, GetBaseReport()).request_id
        answer(actor, YES)
        part(actor, request_id, 1)
        due = next_deadline(actor.state, actor.policy)
        assert due == actor.now + timedelta(seconds=actor.policy.provisioning.report_part_s)
        actor.wait(121)
        actor.take(Tick())
        (followed,) = settled(actor)
        assert (followed.progress.status, followed.progress.missing) == (ReportStatus.INCOMPLETE, (0,))
        assert next_deadline(actor.state, actor.policy) is None

    def test_a_report_of_which_nothing_comes_is_overdue(self, actor):
        ask(actor, GetBaseReport())
        answer(actor, YES)
        actor.wait(121)
        actor.take(Tick())
        assert settled(actor)[0].progress.status is ReportStatus.OVERDUE

    def test_a_part_for_a_request_that_nobody_made_is_stored_and_flagged(self, actor):
        fact = part(actor, 77, 0)
        assert (fact.entries, fact.progress.flags) == ((ENTRY,), (ReportFlag.UNASKED,))
        assert fact.replaces_before is None

    def test_a_part_that_comes_twice_is_stored_and_flagged(self, actor):
        request_id = ask(actor, GetBaseReport()).request_id
        part(actor, request_id, 0, more=True)
        assert part(actor, request_id, 0, more=True).progress.flags == (ReportFlag.REPEATED,)

    def test_B08_FR_15_an_empty_result_is_no_refusal(self, actor):
        ask(actor, GetReport())
        answer(actor, Outcome(Result.ACCEPTED, status="EmptyResultSet"))
        assert settled(actor)[0].progress.status is ReportStatus.EMPTY

    def test_B07_FR_02_a_refused_report_is_told(self, actor):
        ask(actor, GetBaseReport())
        answer(actor, Outcome(Result.REFUSED, status="NotSupported"))
        assert settled(actor)[0].progress.status is ReportStatus.REFUSED

    def test_what_never_reached_the_station_leaves_no_report(self, actor):
        ask(actor, GetBaseReport())
        assert not [fact for fact in answer(actor, Outcome(Result.NOT_EXPRESSIBLE)) if isinstance(fact, ReportFollowed)]

    def test_the_reports_under_way_are_bounded(self, actor):
        for request_id in range(100, 110):
            part(actor, request_id, 0, more=True)
        assert len(actor.state.inventory.reports) == REPORTS_OPEN_MAX

    def test_a_wild_sequence_number_makes_no_endless_list(self, actor):
        fact = part(actor, 5, 2**31 - 1)
        assert len(fact.progress.missing) == 32

    def test_the_inventory_of_1_6_comes_with_the_answer(self, actor):
        ask(actor, GetBaseReport())
        results = (VariableResult(ref=INTERVAL, status="Accepted", value="300", readonly=True),)
        answer(actor, Outcome(Result.ACCEPTED, variables=results))
        (fact,) = settled(actor)
        assert fact.entries == (VariableEntry(ref=INTERVAL, value="300", mutability="ReadOnly"),)
        assert (fact.progress.status, fact.replaces_before) == (ReportStatus.COMPLETE, actor.now)


class TestValues:
    def test_values_that_were_read_are_kept_and_unknown_ones_are_gone(self, actor):
        other = VariableRef(component="X", variable="Y")
        ask(actor, GetVariables((INTERVAL, other)))
        results = (
            VariableResult(ref=INTERVAL, status="Accepted", value="300"),
            VariableResult(ref=other, status="UnknownComponent"),
        )
        answer(actor, Outcome(Result.ACCEPTED, variables=results))
        (fact,) = settled(actor)
        assert fact.source is VariableSource.READ
        assert fact.entries == (VariableEntry(ref=INTERVAL, value="300"),)
        assert (fact.gone, fact.replaces_before) == ((other,), None)

    def test_reading_all_keys_of_1_6_replaces_what_is_gone(self, actor):
        ask(actor, GetVariables())
        results = (VariableResult(ref=INTERVAL, status="Accepted", value="300", readonly=False),)
        answer(actor, Outcome(Result.ACCEPTED, variables=results))
        assert settled(actor)[0].replaces_before == actor.now

    def test_the_value_of_a_secret_is_never_kept(self, actor):
        ask(actor, GetVariables((PASSWORD,)))
        answer(actor, Outcome(Result.ACCEPTED, variables=(VariableResult(PASSWORD, "Accepted", "open sesame"),)))
        assert settled(actor)[0].entries == (VariableEntry(ref=PASSWORD),)
        ask(actor, SetVariables((VariableSetting(PASSWORD, "open sesame"),)), "d")
        answer(actor, Outcome(Result.ACCEPTED, variables=(VariableResult(PASSWORD, "Accepted"),)), "d")
        assert settled(actor) == []

    def test_B05_a_value_that_was_taken_is_the_variables(self, actor):
        ask(actor, SetVariables((VariableSetting(INTERVAL, "60"),)))
        answer(actor, Outcome(Result.ACCEPTED, status="Accepted", variables=(VariableResult(INTERVAL, "Accepted"),)))
        assert settled(actor)[0].entries == (VariableEntry(ref=INTERVAL, value="60"),)

    def test_TC_021_a_key_of_1_6_that_was_taken_is_the_variables(self, actor):
        ask(actor, SetVariables((VariableSetting(VariableRef("HeartbeatInterval"), "60"),)))
        answer(actor, YES)
        assert settled(actor)[0].entries == (VariableEntry(ref=VariableRef("HeartbeatInterval"), value="60"),)

    def test_a_value_that_wants_a_restart_is_the_next_one(self, actor):
        ask(actor, SetVariables((VariableSetting(INTERVAL, "60"),)))
        answer(actor, Outcome(Result.ACCEPTED, status="RebootRequired"))
        assert settled(actor)[0].entries == (VariableEntry(ref=INTERVAL, value_next="60"),)
        assert actor.state.inventory.restart_awaited

    @pytest.mark.parametrize("status", ["Rejected", "NotSupported", "NotSupportedAttributeType"])
    def test_TC_040_a_value_that_was_refused_changes_nothing(self, actor, status):
        ask(actor, SetVariables((VariableSetting(INTERVAL, "60"),)))
        answer(actor, Outcome(Result.REFUSED, status=status, variables=(VariableResult(INTERVAL, status),)))
        assert settled(actor) == []

    def test_of_several_settings_each_has_its_own_word(self, actor):
        upper = VariableRef(component="OCPPCOMMCTRLR", variable="heartbeatinterval")
        other = VariableRef(component="X", variable="Y")
        ask(actor, SetVariables((VariableSetting(INTERVAL, "60"), VariableSetting(other, "1"))))
        results = (VariableResult(upper, "Accepted"), VariableResult(other, "Rejected"))
        answer(actor, Outcome(Result.REFUSED, variables=results))
        assert settled(actor)[0].entries == (VariableEntry(ref=INTERVAL, value="60"),)


class TestOnBoot:
    POLICY = Policy(provisioning=ProvisioningPolicy(on_boot=OnBoot.REPORT, on_boot_spread_s=60))

    def planned(self, actor):
        return [fact for fact in actor.recorded if isinstance(fact, InventoryPlanned)]

    def full_report(self, actor):
        actor.now = actor.state.inventory.ask_at
        actor.take(Tick())
        assert any(isinstance(fact, InventoryAsked) for fact in actor.recorded)
        (request,) = [fact.request for fact in actor.recorded if isinstance(fact, CommandRequested)]
        assert isinstance(request.command, GetBaseReport)
        answer(actor, YES, request.command_id)
        part(actor, request.command.request_id, 0)

    def test_B07_FR_14_a_station_whose_model_is_not_known_is_asked_after_its_boot(self, make_actor):
        actor = make_actor(policy=self.POLICY)
        actor.connect()
        actor.boot()
        (planned,) = self.planned(actor)
        after_s = 5 + 60 * part_of("CP-1")
        assert planned.due_at == actor.now + timedelta(seconds=after_s)
        assert next_deadline(actor.state, actor.policy) == planned.due_at
        self.full_report(actor)
        actor.boot()
        assert self.planned(actor) == []

    def test_B07_FR_14_new_firmware_is_asked_again(self, make_actor):
        actor = make_actor(policy=self.POLICY)
        actor.connect()
        actor.boot()
        self.full_report(actor)
        actor.says(BootReported(vendor="Acme", model="One", firmware_version="2"))
        assert len(self.planned(actor)) == 1

    def test_a_value_that_waited_for_the_restart_is_read_again(self, make_actor):
        actor = make_actor(policy=self.POLICY)
        actor.connect()
        actor.boot()
        self.full_report(actor)
        ask(actor, SetVariables((VariableSetting(INTERVAL, "60"),)))
        answer(actor, Outcome(Result.ACCEPTED, status="RebootRequired"))
        actor.boot()
        assert len(self.planned(actor)) == 1

    def test_nobody_is_asked_unless_the_policy_says_so(self, actor):
        assert actor.of(InventoryPlanned) == []

    @pytest.mark.parametrize("registration", [Registration.PENDING, Registration.REJECTED])
    def test_a_station_that_is_not_accepted_is_not_asked(self, make_actor, registration):
        actor = make_actor(policy=self.POLICY)
        actor.judge(registration)
        actor.connect()
        actor.boot()
        assert actor.of(InventoryPlanned) == []
