"""Both versions leave the same facts: one story for every block, told in OCPP 1.6, 2.0.1 and 2.1.

The raw payloads of a story (`tests.stories_of_versions`) go through the catalogue and the decider, the answers back
through their schemas. Facts are compared field by field but for what a version cannot say, which is listed (`UNSAID`)
and shown to be needed.
"""

from typing import Any

import msgspec
import pytest

from engine.model.commands import CommandReplied, CommandRequest, Outcome, Result
from engine.model.envelopes import Reported
from engine.model.facts import Fact
from engine.model.sessions import SessionOpened
from engine.ocpp.catalogue import answer_payload, command_call, outcome_of, outcome_of_error, understand
from engine.ocpp.versions import Version
from engine.station.context import Context
from engine.station.decider import Item, decide, questions
from engine.station.effects import Effect, Record, Reply, Send, Settle
from engine.station.state import evolve, fresh
from tests.stories_of_versions import BEAT, NOON, STORIES, UNSAID, Says, Story, Told

V2 = (Version.V201, Version.V21)
ALWAYS = ("SessionOpened.version",)


class Player:
    """A station of one version, and the core that hears it."""

    def __init__(self, version: Version, story: Story) -> None:
        self.facts: list[Fact] = []
        self.verdicts: list[str] = []
        self._version = version
        self._story = story
        self._state = fresh("CP-1")
        self._now = NOON
        self._numbers = iter(range(1, 100))
        self._names = iter(range(1, 1000))
        self._decide(SessionOpened("i:1:1", "i", version.value, "127.0.0.1", NOON))

    def play(self) -> "Player":
        """The whole story."""
        for number, beat in enumerate(self._story.beats):
            self._now = NOON + number * BEAT
            for step in beat.v16 if self._version is Version.V16 else beat.v2:
                self._says(step) if isinstance(step, Says) else self._is_told(step)
        return self

    def transaction_number(self) -> int:
        """Implements `engine.ports.Ids`."""
        return next(self._numbers)

    def _says(self, says: Says) -> None:
        report = understand(self._version, says.action, says.payload).report
        effects = self._decide(Reported("i:1:1", f"m{next(self._names)}", bytes(16), report))
        (answer,) = (effect.answer for effect in effects if isinstance(effect, Reply))
        payload = answer_payload(self._version, says.action, answer)
        verdict = payload.get("idTagInfo") or payload.get("idTokenInfo")
        if verdict is not None:
            self.verdicts.append(verdict["status"])

    def _is_told(self, told: Told) -> None:
        command_id = f"c{next(self._names)}"
        request = CommandRequest(command_id, "CP-1", told.command, self._now, self._now + BEAT / 2)
        effects = self._decide(request)
        dispatches = [effect.downlink for effect in effects if isinstance(effect, Send)]
        for dispatch in dispatches:
            action, _ = command_call(self._version, dispatch.command)
            if isinstance(told.answer, str):
                outcome = outcome_of_error(told.answer, "", {})
            else:
                outcome = outcome_of(self._version, action, told.answer)
            settled = [
                effect for effect in self._decide(CommandReplied(command_id, outcome)) if isinstance(effect, Settle)
            ]
            assert settled == [Settle(command_id, outcome)]
        assert bool(dispatches) == (told.answer is not None)

    def _decide(self, item: Item) -> tuple[Effect, ...]:
        asked = questions(self._state, item)
        tokens = {record.token.key: record for record in self._story.tokens}
        context = Context(
            now=self._now,
            received_at=self._now,
            ids=self,
            policy=self._story.policy,
            tokens={key: tokens[key] for key in asked.tokens if key in tokens},
            record=self._story.record if asked.record else None,
        )
        effects = decide(self._state, item, context)
        for effect in effects:
            if isinstance(effect, Record):
                self._state = evolve(self._state, effect.fact)
                self.facts.append(effect.fact)
        return effects


def comparable(facts: list[Fact], unsaid: tuple[str, ...] = ()) -> list[Any]:
    """The facts as plain values, without the fields that are not to be compared."""
    left_out = [path.split(".") for path in unsaid]
    return [_without(msgspec.to_builtins(fact), left_out, ()) for fact in facts]


def _without(value: Any, left_out: list[list[str]], path: tuple[str, ...]) -> Any:
    """`path`: the word and the fields that lead here, once for each word that it lies in."""
    if isinstance(value, list | tuple):
        return [_without(part, left_out, path) for part in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for field, part in value.items():
        names = ((*path, field), (value.get("is", ""), field))
        if not any(list(name[-len(each) :]) == each for each in left_out for name in names):
            kept[field] = _without(part, left_out, (*(path or (value.get("is", ""),)), field))
    return kept


def played(name: str, version: Version) -> Player:
    return Player(version, STORIES[name]).play()


def unsaid_in(name: str) -> tuple[str, ...]:
    return ALWAYS + STORIES[name].unsaid


@pytest.mark.parametrize("name", STORIES)
def test_the_versions_leave_the_same_facts(name):
    old, new = (comparable(played(name, version).facts, unsaid_in(name)) for version in (Version.V16, Version.V21))
    assert old == new
    assert len(old) > 1


@pytest.mark.parametrize("name", STORIES)
def test_2_0_1_and_2_1_leave_identical_facts(name):
    first, second = (comparable(played(name, version).facts, ALWAYS) for version in V2)
    assert first == second


@pytest.mark.parametrize("name", STORIES)
def test_stations_are_told_the_same_of_a_token(name):
    told = [played(name, version).verdicts for version in Version]
    assert told[0] == told[1] == told[2]


EACH_UNSAID = [(name, field) for name in STORIES for field in unsaid_in(name)]


@pytest.mark.parametrize(("name", "field"), EACH_UNSAID)
def test_nothing_is_left_out_that_the_versions_agree_on(name, field):
    others = tuple(other for other in unsaid_in(name) if other != field)
    old, new = (comparable(played(name, version).facts, others) for version in (Version.V16, Version.V21))
    assert old != new


def test_the_table_and_the_stories_name_the_same_fields():
    assert {field for name in STORIES for field in unsaid_in(name)} == UNSAID.keys()


def test_the_energy_is_the_same_in_all_versions():
    ended = [played("transactions: from plug to plug", version).facts[-1] for version in Version]
    assert [(fact.meter_stop_wh, fact.energy_wh) for fact in ended] == [(8500.0, 7500.0)] * 3


def test_a_command_that_fails_is_a_failure_in_all_versions():
    settled = [played("remote control: a station that errs", version).facts[-1] for version in Version]
    assert [fact.outcome for fact in settled] == [Outcome(Result.FAILED, "InternalError")] * 3
