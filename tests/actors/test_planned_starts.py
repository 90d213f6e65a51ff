"""A remote start at an EVSE of a site carries its first profile; without an answer it goes out all the same."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from actors import planned_starts as module
from actors.planned_starts import PlannedStarts
from engine.model.authorization import ClearCache, Token
from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
)
from engine.model.codec import encode
from engine.model.commands import CommandCancel, CommandRequest, Outcome, Result
from engine.model.ids import EvseRef
from engine.model.remote_control import RequestStart
from engine.ports import ActorUnavailable

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
SCHEDULE = ChargingSchedule(unit=RateUnit.A, periods=(SchedulePeriod(start_s=0, limit=6.0),), start_at=NOW)
PROFILE = ChargingProfile(
    id=1, stack_level=0, purpose=ProfilePurpose.TX, kind=ProfileKind.ABSOLUTE, schedules=(SCHEDULE,)
)
START = RequestStart(Token("T"), EvseRef(1))


class Book:
    """Planners by name: what they say, or what they raise."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    async def call(self, name, method, *arguments):
        self.asked.append((name, method, arguments))
        answer = self.answers[name]
        if answer is NotImplemented:
            await asyncio.sleep(60)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Gateway:
    def __init__(self):
        self.requests = []

    async def command(self, request):
        self.requests.append(request)
        return Outcome(Result.ACCEPTED)

    async def submit(self, request):
        self.requests.append(request)

    async def submit_many(self, requests):
        self.requests += requests
        return requests[:1]

    async def cancel(self, cancel):
        return Outcome(Result.CANCELLED, detail=cancel.command_id)


def request(command=START):
    return CommandRequest("c1", "CP-1", command, NOW, NOW + timedelta(seconds=30))


async def sent(command, **answers):
    book, gateway = Book(**answers), Gateway()
    outcome = await PlannedStarts(gateway, book, tuple(answers)).command(request(command))
    assert outcome == Outcome(Result.ACCEPTED)
    (asked,) = gateway.requests
    return asked.command, book.asked


async def test_a_start_carries_what_its_planner_says():
    command, asked = await sent(START, a=None, b=encode(PROFILE))
    assert command == replace(START, profile=PROFILE)
    assert asked == [("a", "first_profile", ("CP-1", 1)), ("b", "first_profile", ("CP-1", 1))]


@pytest.mark.parametrize("command", [ClearCache(), replace(START, profile=PROFILE), replace(START, evse=None)])
async def test_what_needs_no_profile_asks_nobody(command):
    assert await sent(command, a=encode(PROFILE)) == (command, [])


@pytest.mark.parametrize("answer", [None, ActorUnavailable("restarting"), NotImplemented])
async def test_without_an_answer_it_goes_out_as_it_is(answer, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_S_MAX", 0.01)
    command, _ = await sent(START, a=answer)
    assert command == START


async def test_submitted_starts_carry_it_too_and_those_not_taken_come_back_as_they_were_asked():
    gateway = Gateway()
    starts = PlannedStarts(gateway, Book(a=encode(PROFILE)), ("a",))
    await starts.submit(request())
    assert await starts.submit_many([request()]) == [request()]
    assert [each.command.profile for each in gateway.requests] == [PROFILE, PROFILE]


async def test_taking_back_is_handed_on():
    outcome = await PlannedStarts(Gateway(), Book(), ()).cancel(CommandCancel("c1", "CP-1"))
    assert outcome.detail == "c1"
