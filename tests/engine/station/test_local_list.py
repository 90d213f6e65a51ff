"""What a station's answers say of its local list."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.model.authorization import Token, TokenStatus, TokenVerdict
from engine.model.commands import CommandReplied, CommandRequest, CommandRequested, CommandSettled, Outcome, Result
from engine.model.local_list import (
    GetLocalListVersion,
    ListEntry,
    ListState,
    ListVersion,
    LocalListChecked,
    LocalListDoubted,
    LocalListRefused,
    LocalListUpdated,
    SendLocalList,
)
from engine.station.decider import Tick, next_deadline
from engine.station.local_list import ASK_AFTER_BOOT_S
from engine.station.policy import AuthorizationPolicy, Policy

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ACCEPTED = Outcome(Result.ACCEPTED, "Accepted")
ENTRY = ListEntry(Token("04AB"), TokenVerdict(TokenStatus.ACCEPTED))
GONE = ListEntry(Token("04AB"))


@pytest.fixture
def ready(make_actor):
    def of(**policy):
        actor = make_actor(policy=Policy(authorization=AuthorizationPolicy(**policy)))
        actor.connect()
        actor.boot()
        actor.wait(10)
        return actor

    return of


@pytest.fixture
def actor(ready):
    return ready()


def order(actor, command, outcome):
    name = f"c{len(actor.of(CommandRequested))}"
    deadline_at = actor.now + timedelta(seconds=60)
    actor.take(CommandRequest(name, "CP-1", command, actor.now, deadline_at))
    if actor.state.queue.find(name) is not None:
        actor.take(CommandReplied(name, outcome))
    return name


def version(number):
    return Outcome(Result.ACCEPTED, found=ListVersion(number))


def asked(actor):
    return [fact for fact in actor.of(CommandRequested) if isinstance(fact.request.command, GetLocalListVersion)]


def test_TC_043_4_an_accepted_list_is_the_stations(actor):
    order(actor, SendLocalList(3, (ENTRY,), full=True, total=1), ACCEPTED)
    updated = actor.of(LocalListUpdated)[0]
    assert (updated.version, updated.full, updated.entries, updated.total) == (3, True, (ENTRY,), 1)
    assert actor.state.known_list.version == 3
    assert actor.state.known_list.state is ListState.IN_SYNC


def test_TC_043_5_a_part_of_a_change_leaves_it_syncing(actor):
    order(actor, SendLocalList(3, (ENTRY,), more=True), ACCEPTED)
    assert actor.state.known_list.state is ListState.SYNCING


@pytest.mark.parametrize("word", ["Failed", "VersionMismatch"])
def test_TC_043_3_D01_FR_03_a_refused_change_makes_it_stale(actor, word):
    order(actor, SendLocalList(3, (ENTRY,)), Outcome(Result.REFUSED, word))
    assert [(fact.status, fact.state) for fact in actor.of(LocalListRefused)] == [(word, ListState.STALE)]
    assert asked(actor) == []


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(Result.REFUSED, "NotSupported"),
        Outcome(Result.FAILED, "NotImplemented"),
        Outcome(Result.FAILED, "NotSupported"),
    ],
)
def test_TC_043_1_a_station_without_lists_is_known_as_such(actor, outcome):
    order(actor, SendLocalList(3, (ENTRY,)), outcome)
    assert actor.state.known_list.state is ListState.UNSUPPORTED


@pytest.mark.parametrize("result", [Result.TIMED_OUT, Result.LOST])
def test_a_change_without_an_answer_makes_it_stale_and_its_version_is_asked_for(actor, result):
    order(actor, SendLocalList(3, (ENTRY,)), Outcome(result))
    assert actor.state.known_list.state is ListState.STALE
    assert len(asked(actor)) == 1
    assert asked(actor)[0].request.waits


def test_a_change_that_was_never_sent_changes_nothing(actor):
    order(actor, SendLocalList(3, (ENTRY,)), Outcome(Result.NOT_EXPRESSIBLE))
    assert actor.of(LocalListRefused) == []
    assert actor.state.known_list.state is None


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (SendLocalList(0, (ENTRY,)), "D01.FR.18"),
        (SendLocalList(-4, (ENTRY,)), "D01.FR.18"),
        (SendLocalList(1, (ENTRY, ListEntry(Token("04ab")))), "D01.FR.06"),
        (SendLocalList(1, (GONE,), full=True), "takes nothing out"),
    ],
)
def test_D01_FR_06_and_18_a_list_that_breaks_the_rules_is_not_sent(actor, command, why):
    order(actor, command, ACCEPTED)
    assert why in actor.of(CommandSettled)[-1].outcome.detail
    assert actor.of(LocalListUpdated) == []


def test_D02_FR_01_the_version_it_should_have_keeps_it_in_sync(actor):
    order(actor, SendLocalList(3, (ENTRY,), full=True), ACCEPTED)
    order(actor, GetLocalListVersion(), version(3))
    checked = actor.of(LocalListChecked)[0]
    assert (checked.version, checked.known, checked.state) == (3, True, ListState.IN_SYNC)


@pytest.mark.parametrize("told", [0, 2, 17])
def test_another_version_makes_it_stale(actor, told):
    order(actor, SendLocalList(3, (ENTRY,), full=True), ACCEPTED)
    order(actor, GetLocalListVersion(), version(told))
    checked = actor.of(LocalListChecked)[0]
    assert (checked.version, checked.known, checked.state) == (told, False, ListState.STALE)
    assert actor.state.known_list.version == told


def test_TC_042_1_minus_one_says_that_it_has_no_lists(actor):
    order(actor, GetLocalListVersion(), version(-1))
    assert actor.state.known_list.state is ListState.UNSUPPORTED


def test_TC_042_2_D02_FR_02_zero_says_that_there_is_none_and_none_was_sent(actor):
    order(actor, GetLocalListVersion(), version(0))
    assert actor.of(LocalListChecked)[0].known
    assert actor.state.known_list.state is ListState.IN_SYNC


def test_an_unanswered_question_changes_nothing(actor):
    order(actor, GetLocalListVersion(), Outcome(Result.TIMED_OUT))
    assert actor.of(LocalListChecked) == []


def test_a_station_that_boots_is_asked_for_its_version_a_moment_later(actor):
    order(actor, SendLocalList(3, (ENTRY,), full=True), ACCEPTED)
    actor.boot()
    assert actor.of(LocalListDoubted)[0].ask_at == actor.now + timedelta(seconds=ASK_AFTER_BOOT_S)
    assert next_deadline(actor.state, actor.policy) == actor.now + timedelta(seconds=ASK_AFTER_BOOT_S)
    assert asked(actor) == []
    actor.wait(ASK_AFTER_BOOT_S)
    actor.take(Tick())
    assert len(asked(actor)) == 1
    assert actor.state.known_list.ask_at is None


def test_a_station_without_a_list_of_ours_is_not_asked(actor, ready):
    actor.boot()
    assert actor.of(LocalListDoubted) == []
    silent = ready(check_list_after_boot=False)
    order(silent, SendLocalList(3, (ENTRY,), full=True), ACCEPTED)
    silent.boot()
    assert silent.of(LocalListDoubted) == []
