"""Commands: sent once, answered with an outcome whatever happens."""

import asyncio

import orjson
import pytest

from engine.model.commands import CommandReplied, Result
from engine.model.notices import RawCommand
from engine.model.provisioning import GetVariables, ResetKind, ResetStation, SetVariables, VariableRef, VariableSetting
from engine.model.sessions import SessionClosed, SessionOpened
from engine.ports import ActorUnavailable

RESET = ResetStation(ResetKind.ON_IDLE)
SESSION = "ingress-1:7:1"


async def outcome(ingress, count=1):
    """The last outcome when there are so many."""
    await ingress.actors.until(lambda: len(ingress.actors.of(CommandReplied)) >= count)
    replied = ingress.actors.of(CommandReplied)[count - 1]
    return replied.command_id, replied.outcome


@pytest.mark.parametrize(
    ("version", "payload"), [("1.6", {"type": "Soft"}), ("2.0.1", {"type": "OnIdle"}), ("2.1", {"type": "OnIdle"})]
)
async def test_a_command_is_said_in_the_version_s_words_and_its_answer_is_an_outcome(ingress, version, payload):
    async with ingress.connect(version=version) as station:
        await ingress.dispatch(SESSION, RESET)
        assert orjson.loads(await station.recv()) == [2, "c1", "Reset", payload]
        await station.send('[3,"c1",{"status":"Accepted"}]')
        command_id, result = await outcome(ingress)
    assert (command_id, result.result, result.status) == ("c1", Result.ACCEPTED, "Accepted")
    assert orjson.loads(result.payload) == {"status": "Accepted"}


async def test_a_refusal_an_error_and_an_answer_that_is_none(ingress):
    async with ingress.connect() as station:
        for number, (answer, result) in enumerate(
            [
                ('[3,"{}",{{"status":"Rejected"}}]', Result.REFUSED),
                ('[4,"{}","NotSupported","no reset here",{{}}]', Result.FAILED),
                ('[3,"{}",{{"status":7}}]', Result.FAILED),
                ('[3,"{}","nonsense"]', Result.FAILED),
            ]
        ):
            await ingress.dispatch(SESSION, RESET, command_id=f"c{number}")
            await station.recv()
            await station.send(answer.format(f"c{number}"))
            command_id, replied = await outcome(ingress, number + 1)
            assert (command_id, replied.result) == (f"c{number}", result)


async def test_what_2_1_cannot_read_of_an_answer_it_says(ingress):
    async with ingress.connect(version="2.1") as station:
        await ingress.dispatch(SESSION, RESET)
        await station.recv()
        await station.send('[3,"c1",{"status":{}}]')
        assert orjson.loads(await station.recv())[:2] == [5, "c1"]
    assert (await outcome(ingress))[1].result is Result.FAILED


@pytest.mark.parametrize(
    ("version", "command"),
    [
        ("1.6", ResetStation(ResetKind.IMMEDIATE, evse=1)),
        ("1.6", SetVariables((VariableSetting(VariableRef("A"), "1"), VariableSetting(VariableRef("B"), "2")))),
        ("2.0.1", GetVariables()),
        ("1.6", RawCommand("MakeCoffee", b"{}")),
        ("1.6", RawCommand("Reset", b'{"type":"Lukewarm"}')),
        ("1.6", RawCommand("Reset", b"no json")),
        ("1.6", RawCommand("Heartbeat", b"{}")),
    ],
)
async def test_what_a_version_cannot_say_is_told_at_once_and_nothing_is_sent(ingress, ask, frames, version, command):
    async with ingress.connect(version=version) as station:
        await ingress.dispatch(SESSION, command)
        _, result = await outcome(ingress)
        assert result.result is Result.NOT_EXPRESSIBLE
        assert result.detail
        assert (await ask(station, frames.heartbeat()))[0] == 3


async def test_a_raw_command_is_sent_as_it_is(ingress):
    async with ingress.connect() as station:
        await ingress.dispatch(SESSION, RawCommand("GetLocalListVersion", b"{}"))
        assert orjson.loads(await station.recv()) == [2, "c1", "GetLocalListVersion", {}]


async def test_the_same_command_id_is_sent_once(ingress, ask, frames):
    async with ingress.connect() as station:
        await ingress.dispatch(SESSION, RESET)
        await ingress.dispatch(SESSION, RESET)
        await station.recv()
        await station.send('[3,"c1",{"status":"Accepted"}]')
        await outcome(ingress)
        await ingress.dispatch(SESSION, RESET)
        assert (await ask(station, frames.heartbeat()))[0] == 3
    assert len(ingress.actors.of(CommandReplied)) == 1


async def test_one_command_is_under_way_and_others_wait(ingress):
    async with ingress.connect() as station:
        for number in range(3):
            await ingress.dispatch(SESSION, RESET, command_id=f"c{number}")
        for number in range(3):
            assert orjson.loads(await station.recv())[1] == f"c{number}"
            await station.send(f'[3,"c{number}",{{"status":"Accepted"}}]')
        await outcome(ingress, 3)


async def test_commands_and_calls_of_the_station_cross(ingress, ask, frames):
    async with ingress.connect() as station:
        await ingress.dispatch(SESSION, RESET, command_id="1")
        await station.recv()
        assert (await ask(station, frames.heartbeat("1")))[:2] == [3, "1"]
        await station.send('[3,"1",{"status":"Accepted"}]')
        assert (await outcome(ingress))[1].result is Result.ACCEPTED


async def test_no_answer_in_time_is_timed_out_and_a_late_answer_is_told_too(ingress):
    async with ingress.connect() as station:
        await ingress.dispatch(SESSION, RESET, seconds=0.1)
        await ingress.dispatch(SESSION, RESET, command_id="c2", seconds=0.1)
        await station.recv()
        await outcome(ingress, 2)
        first, second = ingress.actors.of(CommandReplied)
        assert (first.outcome.result, second.outcome.result) == (Result.TIMED_OUT, Result.TIMED_OUT)
        assert "may still" in first.outcome.detail
        assert "not sent" in second.outcome.detail
        await station.send('[3,"c1",{"status":"Accepted"}]')
        command_id, late = await outcome(ingress, 3)
        assert (command_id, late.result) == ("c1", Result.ACCEPTED)


async def test_the_next_command_goes_when_one_timed_out(ingress):
    async with ingress.connect() as station:
        await ingress.dispatch(SESSION, RESET, seconds=0.1)
        await ingress.dispatch(SESSION, RESET, command_id="c2")
        assert orjson.loads(await station.recv())[1] == "c1"
        assert orjson.loads(await station.recv())[1] == "c2"


async def test_a_deadline_that_is_over_is_timed_out_and_nothing_is_sent(ingress, ask, frames):
    async with ingress.connect() as station:
        await ingress.dispatch(SESSION, RESET, seconds=-1)
        assert (await outcome(ingress))[1].result is Result.TIMED_OUT
        assert (await ask(station, frames.heartbeat()))[0] == 3


async def test_the_end_of_the_connection_loses_what_was_sent_and_tells_what_was_not(ingress):
    async with ingress.connect() as station:
        await ingress.dispatch(SESSION, RESET)
        await ingress.dispatch(SESSION, RESET, command_id="c2")
        await station.recv()
    await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))
    kinds = [type(event) for event in ingress.actors.events]
    assert kinds == [SessionOpened, CommandReplied, CommandReplied, SessionClosed]
    replied = {event.command_id: event.outcome.result for event in ingress.actors.of(CommandReplied)}
    assert replied == {"c1": Result.LOST, "c2": Result.OFFLINE}


async def test_a_command_for_a_session_that_is_not_here_is_lost(ingress):
    await ingress.dispatch("ingress-1:6:99", RESET)
    assert (await outcome(ingress))[1].result is Result.LOST


async def test_too_many_commands_fail_at_once(make_ingress):
    ingress = await make_ingress(commands_waiting_max=2)
    async with ingress.connect():
        for number in range(4):
            await ingress.dispatch(SESSION, RESET, command_id=f"c{number}")
        command_id, result = await outcome(ingress)
        assert (command_id, result.result) == ("c3", Result.FAILED)


async def test_an_outcome_is_delivered_though_the_actor_was_away(ingress):
    async with ingress.connect() as station:
        await ingress.actors.until(lambda: ingress.actors.of(SessionOpened))
        ingress.actors.script.extend([ActorUnavailable("x")] * 2)
        await ingress.dispatch(SESSION, RESET)
        await station.recv()
        await station.send('[3,"c1",{"status":"Accepted"}]')
    assert (await outcome(ingress))[1].result is Result.ACCEPTED
    await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))


async def test_a_long_command_id_gets_a_message_id_that_fits(ingress):
    async with ingress.connect() as station:
        await ingress.dispatch(SESSION, RESET, command_id="c" * 60)
        message_id = orjson.loads(await station.recv())[1]
        assert len(message_id) <= 36
        await station.send(f'[3,"{message_id}",{{"status":"Accepted"}}]')
        assert (await outcome(ingress))[0] == "c" * 60


async def test_secrets_of_commands_are_not_logged(ingress):
    async with ingress.connect() as station:
        command = SetVariables((VariableSetting(VariableRef("AuthorizationKey"), "aabbccddeeff00112233445566778899"),))
        await ingress.dispatch(SESSION, command)
        assert "aabbccddeeff" in await station.recv()
        await asyncio.sleep(0)
    assert ingress.log.messages
    assert not any("aabbccddeeff" in message.frame for message in ingress.log.messages)
