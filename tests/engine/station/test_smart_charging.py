"""What a station holds, and what it and its cars tell, becomes facts and answers."""

import pytest

from engine.model.authorization import Token
from engine.model.charging_profiles import (
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
    ScheduleUpdate,
)
from engine.model.commands import Outcome, Result
from engine.model.ids import EvseRef
from engine.model.remote_control import RequestStart
from engine.model.smart_charging import (
    AcNeeds,
    ChargingFlag,
    ChargingNoted,
    ClearChargingProfile,
    CompositeSchedule,
    CompositeScheduleTold,
    DynamicScheduleUpdated,
    DynamicUpdateAnswer,
    DynamicUpdatePulled,
    EvNeeds,
    EvScheduleAnswer,
    EvScheduleRecorded,
    EvScheduleReported,
    GetChargingProfiles,
    GetCompositeSchedule,
    LimitImposed,
    LimitReleased,
    LimitReleaseReported,
    LimitReported,
    NeedsAnswer,
    NeedsRecorded,
    NeedsReported,
    NeedsVerdict,
    PriorityChanged,
    PriorityReported,
    ProfileAdopted,
    ProfileInstalled,
    ProfileRemoved,
    ProfilesReported,
    ProfilesReportEnded,
    ProfilesReportHeard,
    RemovalReason,
    SetChargingProfile,
    UpdateDynamicSchedule,
)
from engine.model.transactions import Stage, TransactionReported
from engine.station import charging_memory
from engine.station.decider import Tick, next_deadline
from engine.station.policy import ChargingPolicy, Policy
from tests.engine.station.charging import ask, end, profile, reply, start, tell, tx_profile

NO = Outcome(Result.REFUSED, "Rejected")
NEEDS = EvNeeds(energy_transfer="AC_three_phase", ac=AcNeeds(10_000.0, 6.0, 16.0, 400.0))


def held(actor):
    return [each.id for each in actor.state.charging.profiles]


def removals(facts):
    return [(fact.profile_id, fact.reason) for fact in facts if isinstance(fact, ProfileRemoved)]


def dynamic(number=7, **numbers):
    schedule = ChargingSchedule(unit=RateUnit.A, periods=(SchedulePeriod(start_s=0, **numbers),), id=number)
    return profile(number, kind=ProfileKind.DYNAMIC, schedules=(schedule,))


def test_TC_056_an_accepted_default_profile_is_held(actor):
    facts = tell(actor, SetChargingProfile(0, profile(1)))
    installed = [fact for fact in facts if isinstance(fact, ProfileInstalled)]
    assert [(fact.evse, fact.profile.id, fact.source) for fact in installed] == [(0, 1, "CSO")]
    assert held(actor) == [1]


@pytest.mark.parametrize("result", [Result.REFUSED, Result.TIMED_OUT, Result.FAILED, Result.LOST])
def test_a_profile_that_was_not_accepted_is_not_held(actor, result):
    tell(actor, SetChargingProfile(0, profile(1)), Outcome(result))
    assert held(actor) == []


def test_TC_057_K02_FR_05_a_transactions_profile_ends_with_it(actor):
    start(actor)
    tell(actor, SetChargingProfile(1, tx_profile()))
    tell(actor, SetChargingProfile(0, profile(2)), command_id="d")
    answer = end(actor)
    assert removals(actor.recorded) == [(1, RemovalReason.TRANSACTION_ENDED)]
    assert answer.stage is Stage.ENDED
    assert held(actor) == [2]


def test_K01_FR_05_the_same_id_replaces(actor):
    tell(actor, SetChargingProfile(0, profile(1)))
    facts = tell(actor, SetChargingProfile(1, profile(1, level=3)), command_id="d")
    assert removals(facts) == []
    assert [(each.id, each.evse, each.stack_level) for each in actor.state.charging.profiles] == [(1, 1, 3)]


def test_of_profiles_that_wait_for_one_slot_only_the_last_is_sent(make_actor):
    actor = make_actor()
    actor.connect()
    actor.boot()
    ask(actor, GetCompositeSchedule(1, 60), "busy")
    ask(actor, SetChargingProfile(1, profile(1)), "a")
    ask(actor, SetChargingProfile(2, profile(2)), "other place")
    ask(actor, SetChargingProfile(1, profile(3)), "b")
    waiting = [command.request.command_id for command in actor.state.queue.waiting]
    assert waiting == ["other place", "b"]


def test_on_1_6_a_new_profile_replaces_that_of_its_place_purpose_and_level(actor):
    tell(actor, SetChargingProfile(1, profile(1)))
    facts = tell(actor, SetChargingProfile(1, profile(2)), command_id="d")
    assert removals(facts) == [(1, RemovalReason.REPLACED)]
    assert held(actor) == [2]


def test_TC_067_clearing_an_id_removes_that_profile(actor):
    tell(actor, SetChargingProfile(0, profile(1)))
    tell(actor, SetChargingProfile(0, profile(2, level=1)), command_id="d")
    assert removals(tell(actor, ClearChargingProfile(profile_id=2), command_id="e")) == [(2, RemovalReason.CLEARED)]
    assert held(actor) == [1]


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({}, []),
        ({"evse": 1}, [1, 2]),
        ({"purpose": ProfilePurpose.TX_DEFAULT}, [2]),
        ({"purpose": ProfilePurpose.TX_DEFAULT, "stack_level": 1}, [1, 2]),
        ({"stack_level": 0, "evse": 0}, [3]),
        ({"profile_id": 9}, [1, 2, 3]),
    ],
)
def test_K10_FR_04_clearing_takes_what_fits_all_that_is_said(actor, criteria, left):
    tell(actor, SetChargingProfile(0, profile(1)), command_id="1")
    maximum = profile(2, ProfilePurpose.STATION_MAX, kind=ProfileKind.ABSOLUTE)
    schedule = ChargingSchedule(unit=RateUnit.A, periods=(SchedulePeriod(start_s=0, limit=63.0),), start_at=actor.now)
    tell(actor, SetChargingProfile(0, profile(2, maximum.purpose, kind=maximum.kind, schedules=(schedule,))), None, "2")
    tell(actor, SetChargingProfile(1, profile(3, level=1)), command_id="3")
    tell(actor, ClearChargingProfile(**criteria), command_id="4")
    assert held(actor) == left


def test_K10_FR_01_what_the_station_never_had_is_not_held_any_more(actor):
    tell(actor, SetChargingProfile(0, profile(1)))
    facts = tell(actor, ClearChargingProfile(profile_id=1), Outcome(Result.REFUSED, "Unknown"), "d")
    assert removals(facts) == [(1, RemovalReason.NOT_REPORTED)]


def test_an_unanswered_clear_changes_nothing(actor):
    tell(actor, SetChargingProfile(0, profile(1)))
    tell(actor, ClearChargingProfile(profile_id=1), Outcome(Result.TIMED_OUT), "d")
    assert held(actor) == [1]


class TestReport:
    """Reports of profiles, in parts."""

    def asked(self, actor, **criteria):
        ask(actor, GetChargingProfiles(**criteria), "report")
        return actor.state.queue.sent.request.command.request_id

    def part(self, actor, request_id, *profiles, more=False, evse=0, source="CSO"):
        answer = actor.says(ProfilesReported(request_id, evse, source, profiles, more))
        assert answer == ChargingNoted()
        return actor.recorded

    def test_K09_FR_02_after_the_last_part_what_was_not_reported_is_gone(self, actor):
        for number in (1, 2, 3):
            tell(actor, SetChargingProfile(0, profile(number, level=number)), command_id=str(number))
        request_id = self.asked(actor)
        reply(actor, command_id="report")
        actor.wait(1)
        facts = self.part(actor, request_id, profile(1, level=1), more=True)
        assert removals(facts) == []
        facts = self.part(actor, request_id, profile(3, level=3))
        assert removals(facts) == [(2, RemovalReason.NOT_REPORTED)]
        assert isinstance(facts[-1], ProfilesReportEnded)
        assert held(actor) == [1, 3]

    def test_a_part_that_comes_before_the_answer_belongs_to_the_request(self, actor):
        tell(actor, SetChargingProfile(0, profile(1)))
        request_id = self.asked(actor)
        actor.wait(1)
        facts = self.part(actor, request_id, profile(5, level=5))
        assert removals(facts) == [(1, RemovalReason.NOT_REPORTED)]
        assert all(not fact.flags for fact in facts if isinstance(fact, ProfilesReportHeard))
        assert reply(actor, command_id="report")[-1:] == actor.recorded[-1:]
        assert next_deadline(actor.state, actor.policy) is None, "nothing more is awaited"

    def test_a_report_that_nobody_asked_for_is_kept_and_flagged_and_removes_nothing(self, actor):
        tell(actor, SetChargingProfile(0, profile(1)))
        facts = self.part(actor, 99, profile(5, level=5))
        assert [fact.flags for fact in facts if isinstance(fact, ProfilesReportHeard)] == [
            (ChargingFlag.UNKNOWN_REQUEST,)
        ]
        assert held(actor) == [1, 5]

    def test_only_what_was_asked_for_can_be_missing(self, actor):
        tell(actor, SetChargingProfile(0, profile(1)), command_id="1")
        tell(actor, SetChargingProfile(1, profile(2, level=1)), command_id="2")
        request_id = self.asked(actor, evse=1)
        reply(actor, command_id="report")
        facts = self.part(actor, request_id, profile(3, level=2), evse=1)
        assert removals(facts) == [(2, RemovalReason.NOT_REPORTED)]

    def test_what_was_installed_since_is_not_missing(self, actor):
        request_id = self.asked(actor)
        reply(actor, command_id="report")
        actor.wait(1)
        tell(actor, SetChargingProfile(0, profile(1)), command_id="1")
        assert removals(self.part(actor, request_id, profile(3, level=2))) == []

    def test_no_profiles_means_that_none_is_there(self, actor):
        tell(actor, SetChargingProfile(0, profile(1)))
        self.asked(actor)
        facts = reply(actor, Outcome(Result.ACCEPTED, "NoProfiles"), "report")
        assert removals(facts) == [(1, RemovalReason.NOT_REPORTED)]
        assert next_deadline(actor.state, actor.policy) is None

    def test_a_report_whose_last_part_never_comes_is_given_up_and_removes_nothing(self, actor):
        tell(actor, SetChargingProfile(0, profile(1)))
        self.asked(actor)
        reply(actor, command_id="report")
        actor.now = next_deadline(actor.state, actor.policy)
        actor.take(Tick())
        assert [fact.flags for fact in actor.recorded] == [(ChargingFlag.INCOMPLETE,)]
        assert held(actor) == [1]
        assert next_deadline(actor.state, actor.policy) is None

    def test_reported_profiles_of_others_are_held_with_their_source(self, actor):
        facts = self.part(actor, 5, profile(-1, ProfilePurpose.EXTERNAL), source="EMS")
        installed = [fact for fact in facts if isinstance(fact, ProfileInstalled)]
        assert [(fact.source, fact.reported) for fact in installed] == [("EMS", True)]


class TestRemoteStart:
    """A remote start that carries a profile."""

    START = RequestStart(token=Token("04AB"), evse=EvseRef(1), profile=tx_profile(4, transaction=None))

    def test_TC_059_K05_FR_03_its_profile_belongs_to_the_transaction_that_follows(self, actor):
        tell(actor, self.START)
        number = actor.state.queue.remote_start_last
        start(actor, remote_start_id=number)
        adopted = [fact for fact in actor.recorded if isinstance(fact, ProfileAdopted)]
        assert [(fact.profile_id, fact.evse, fact.transaction_id) for fact in adopted] == [(4, 1, "t-1")]
        end(actor)
        assert removals(actor.recorded) == [(4, RemovalReason.TRANSACTION_ENDED)]

    def test_on_1_6_it_is_the_next_transaction_at_the_connector(self, actor):
        tell(actor, self.START)
        report = TransactionReported(stage=Stage.STARTED, at=actor.now, evse=EvseRef(1, 1), token=Token("04AB"))
        number = actor.says(report).number
        assert [fact.transaction_id for fact in actor.recorded if isinstance(fact, ProfileAdopted)] == [str(number)]

    def test_a_transaction_of_another_start_does_not_get_it(self, actor):
        tell(actor, self.START)
        start(actor, remote_start_id=12345)
        assert not [fact for fact in actor.recorded if isinstance(fact, ProfileAdopted)]

    def test_a_transaction_that_began_before_the_answer_gets_it(self, actor):
        ask(actor, self.START)
        start(actor, remote_start_id=actor.state.queue.remote_start_last)
        facts = reply(actor)
        assert [fact.transaction_id for fact in facts if isinstance(fact, ProfileAdopted)] == ["t-1"]

    def test_without_a_transaction_it_is_given_up(self, actor):
        tell(actor, self.START)
        actor.wait(charging_memory.START_S)
        actor.take(Tick())
        assert removals(actor.recorded) == [(4, RemovalReason.NEVER_STARTED)]

    def test_K05_FR_02_another_purpose_is_objected_to(self, actor):
        refused = ask(actor, RequestStart(token=Token("04AB"), profile=profile(1)))
        assert "K05.FR.02" in refused


class TestDynamic:
    """Dynamic profiles (2.1)."""

    def test_K28_FR_07_a_pull_is_answered_with_the_numbers_last_agreed(self, actor):
        tell(actor, SetChargingProfile(1, dynamic(limit=16.0)))
        assert actor.says(DynamicUpdatePulled(7)) == DynamicUpdateAnswer(ScheduleUpdate(limit=16.0))
        facts = tell(actor, UpdateDynamicSchedule(7, ScheduleUpdate(limit=8.0)), command_id="d")
        assert [fact.update.limit for fact in facts if isinstance(fact, DynamicScheduleUpdated)] == [8.0]
        assert actor.says(DynamicUpdatePulled(7)) == DynamicUpdateAnswer(ScheduleUpdate(limit=8.0))

    def test_an_update_keeps_what_it_does_not_say(self, actor):
        tell(actor, SetChargingProfile(1, dynamic(limit=16.0)))
        facts = tell(actor, UpdateDynamicSchedule(7, ScheduleUpdate(limit_l2=8.0)), command_id="d")
        assert [fact.update for fact in facts if isinstance(fact, DynamicScheduleUpdated)] == [
            ScheduleUpdate(limit=16.0, limit_l2=8.0)
        ]

    @pytest.mark.parametrize("installed", [None, profile(7)])
    def test_K28_FR_12_a_pull_of_no_dynamic_profile_is_rejected_and_flagged(self, actor, installed):
        if installed is not None:
            tell(actor, SetChargingProfile(1, installed))
        assert actor.says(DynamicUpdatePulled(7)) == DynamicUpdateAnswer(None)
        assert [fact.flags for fact in actor.recorded if isinstance(fact, DynamicScheduleUpdated)] == [
            (ChargingFlag.UNKNOWN_PROFILE,)
        ]

    def test_a_refused_update_changes_nothing(self, actor):
        tell(actor, SetChargingProfile(1, dynamic(limit=16.0)))
        tell(actor, UpdateDynamicSchedule(7, ScheduleUpdate(limit=8.0)), NO, "d")
        assert actor.says(DynamicUpdatePulled(7)).update.limit == 16.0


def test_TC_066_a_composite_schedule_is_recorded(actor):
    told = CompositeSchedule(evse=None, unit=RateUnit.W, periods=(SchedulePeriod(start_s=0, limit=-1.0),))
    facts = tell(actor, GetCompositeSchedule(1, 600), Outcome(Result.ACCEPTED, "Accepted", found=told))
    recorded = [fact for fact in facts if isinstance(fact, CompositeScheduleTold)]
    assert [(fact.schedule.evse, fact.schedule.periods, fact.asked_duration_s) for fact in recorded] == [
        (1, told.periods, 600)
    ]


class TestLimits:
    """Limits that others impose."""

    def test_K11_FR_02_a_limit_is_recorded(self, actor):
        report = LimitReported("EMS", evse=1, grid_critical=True)
        assert actor.says(report) == ChargingNoted()
        assert actor.recorded == [LimitImposed(report, actor.now)]

    def test_K13_FR_02_its_release_is_recorded(self, actor):
        actor.says(LimitReported("EMS"))
        actor.says(LimitReleaseReported("EMS"))
        assert actor.recorded == [LimitReleased("EMS", 0, actor.now)]

    @pytest.mark.parametrize("release", [LimitReleaseReported("SO"), LimitReleaseReported("EMS", evse=2)])
    def test_a_release_of_no_limit_is_recorded_and_flagged(self, actor, release):
        actor.says(LimitReported("EMS"))
        actor.says(release)
        assert actor.recorded[0].flags == (ChargingFlag.NOT_IMPOSED,)

    def test_K11_FR_05_a_limit_of_ours_is_flagged(self, actor):
        actor.says(LimitReported("CSO"))
        assert actor.recorded[0].flags == (ChargingFlag.SOURCE_IS_CSMS,)


class TestNeeds:
    """What cars need."""

    def test_K15_FR_04_without_a_planner_no_profile_is_promised(self, actor):
        start(actor)
        report = NeedsReported(1, NEEDS, periods_max=24)
        assert actor.says(report) == NeedsAnswer(NeedsVerdict.NO_PROFILE)
        assert actor.recorded == [NeedsRecorded(report, NeedsVerdict.NO_PROFILE, actor.now, "t-1")]

    def test_K15_FR_05_the_operator_may_promise_one(self, make_actor):
        actor = make_actor(policy=Policy(charging=ChargingPolicy(needs=NeedsVerdict.PROCESSING)))
        actor.connect()
        actor.boot()
        assert actor.says(NeedsReported(1, NEEDS)) == NeedsAnswer(NeedsVerdict.PROCESSING)

    def test_needs_without_a_transaction_or_parameters_are_flagged(self, actor):
        actor.says(NeedsReported(1, EvNeeds(energy_transfer="DC")))
        assert actor.recorded[0].flags == (ChargingFlag.NO_TRANSACTION, ChargingFlag.NO_PARAMETERS)


class TestEvSchedule:
    """How cars plan to charge."""

    def given(self, actor, *limits):
        start(actor)
        actor.says(NeedsReported(1, NEEDS))
        tell(actor, SetChargingProfile(1, tx_profile(limits=limits)))

    def plan(self, actor, *limits):
        periods = tuple(SchedulePeriod(start_s=60 * place, limit=limit) for place, limit in enumerate(limits))
        schedule = ChargingSchedule(unit=RateUnit.A, periods=periods, id=1)
        answer = actor.says(EvScheduleReported(1, actor.now, schedule))
        recorded = [fact for fact in actor.recorded if isinstance(fact, EvScheduleRecorded)]
        return answer, recorded[0]

    def test_K15_FR_11_a_plan_within_its_profile_is_accepted(self, actor):
        self.given(actor, 16.0, 8.0)
        answer, fact = self.plan(actor, 10.0, 8.0)
        assert answer == EvScheduleAnswer(within=True)
        assert (fact.transaction_id, fact.flags) == ("t-1", ())

    def test_K15_FR_12_a_plan_beyond_its_profile_is_rejected_and_flagged(self, actor):
        self.given(actor, 16.0, 8.0)
        answer, fact = self.plan(actor, 10.0)
        assert answer == EvScheduleAnswer(within=False)
        assert fact.flags == (ChargingFlag.BEYOND_LIMIT,)

    def test_a_plan_without_a_profile_is_accepted_unchecked(self, actor):
        start(actor)
        answer, fact = self.plan(actor, 10.0)
        assert answer == EvScheduleAnswer(within=True)
        assert fact.flags == (ChargingFlag.UNCHECKED,)


def test_K21_FR_09_priority_is_recorded(actor):
    start(actor)
    assert actor.says(PriorityReported("t-1", active=True)) == ChargingNoted()
    assert actor.recorded == [PriorityChanged("t-1", active=True, at=actor.now)]


def test_priority_of_an_unknown_transaction_is_flagged(actor):
    actor.says(PriorityReported("t-9", active=True))
    assert actor.recorded[0].flags == (ChargingFlag.UNKNOWN_TRANSACTION,)


def test_what_is_remembered_is_bounded(actor):
    for number in range(charging_memory.PROFILES_MAX + 3):
        actor.says(ProfilesReported(9, 0, "CSO", (profile(number, level=number),), more=True))
    assert len(actor.state.charging.profiles) == charging_memory.PROFILES_MAX
    for evse in range(charging_memory.NEEDS_MAX + 3):
        actor.says(NeedsReported(evse + 1, NEEDS))
    assert len(actor.state.charging.needs) == charging_memory.NEEDS_MAX
    for number in range(charging_memory.LIMITS_MAX + 3):
        actor.says(LimitReported(f"S{number}"))
    assert len(actor.state.charging.limits) == charging_memory.LIMITS_MAX
