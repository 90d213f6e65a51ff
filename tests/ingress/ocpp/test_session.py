"""The session: what stations say is understood, answered in order, and refused in the words of their version."""

import asyncio

import orjson
import pytest
from prometheus_client import REGISTRY
from websockets.exceptions import ConnectionClosed

from engine.model.data_transfer import DataAnswer
from engine.model.envelopes import Answered, Done, Refused, Reported, Retry, RetryReason, Superseded
from engine.model.provisioning import BootReported
from engine.model.quirks import OdditiesReported
from engine.model.sessions import SessionClosed, SessionOpened
from engine.model.stations import StationRecord
from engine.ports import ActorUnavailable


def reported(ingress):
    return [event.message_id for event in ingress.actors.of(Reported) if not isinstance(event.report, OdditiesReported)]


# Frames that break the protocol


@pytest.mark.parametrize(
    ("version", "code"),
    [("1.6", "ProtocolError"), ("2.0.1", "OccurrenceConstraintViolation"), ("2.1", "OccurrenceConstraintViolation")],
)
async def test_a_missing_field_is_refused_in_the_version_s_words_and_reaches_no_actor(
    ingress, ask, frames, version, code
):
    async with ingress.connect(version=version) as station:
        reply = await ask(station, frames.call("1", "BootNotification", {}))
        assert reply[:3] == [4, "1", code]
    assert reported(ingress) == []


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_an_unknown_action_is_not_implemented(ingress, ask, frames, version):
    async with ingress.connect(version=version) as station:
        assert (await ask(station, frames.call("1", "MakeCoffee", {})))[:3] == [4, "1", "NotImplemented"]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_text_that_is_no_json_is_an_rpc_error_in_2_x(ingress, ask, version):
    async with ingress.connect(version=version) as station:
        assert (await ask(station, "{broken"))[:3] == [4, "-1", "RpcFrameworkError"]


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "[2]", '[99,"1",{}]', '[3,"nobody asked",{}]', '[4,"nobody asked","X","",{}]']
)
async def test_rubbish_does_not_end_the_connection(ingress, frames, version, text):
    async with ingress.connect(version=version) as station:
        await station.send(text)
        await station.send(frames.heartbeat("after"))
        while (reply := orjson.loads(await station.recv()))[0] != 3:
            pass
        assert reply[1] == "after"


async def test_a_send_is_recorded_and_not_answered(ingress, frames):
    async with ingress.connect(version="2.1") as station:
        stream = {"data": [{"t": 0, "v": "1"}], "id": 1, "pending": 0, "basetime": "2025-05-01T12:00:00Z"}
        await station.send(orjson.dumps([6, "s1", "NotifyPeriodicEventStream", stream]).decode())
        await station.send(frames.heartbeat("1"))
        assert orjson.loads(await station.recv())[:2] == [3, "1"]
    assert reported(ingress) == [None, "1"]


async def test_a_send_as_a_call_is_refused(ingress, ask, frames):
    async with ingress.connect(version="2.1") as station:
        stream = {"data": [{"t": 0, "v": "1"}], "id": 1, "pending": 0, "basetime": "2025-05-01T12:00:00Z"}
        assert (await ask(station, frames.call("1", "NotifyPeriodicEventStream", stream)))[:3] == [
            4,
            "1",
            "ProtocolError",
        ]


# Verdicts


async def test_a_refusal_of_the_actor_is_a_security_error(ingress, ask, frames):
    async with ingress.connect() as station:
        await ingress.actors.until(lambda: ingress.actors.of(SessionOpened))
        ingress.actors.script.append(lambda _: [Refused("not accepted yet")])
        assert await ask(station, frames.heartbeat()) == [4, "1", "SecurityError", "not accepted yet", {}]


async def test_superseded_closes_the_connection(ingress, frames):
    async with ingress.connect() as station:
        await ingress.actors.until(lambda: ingress.actors.of(SessionOpened))
        ingress.actors.script.append(lambda _: [Superseded()])
        await station.send(frames.heartbeat())
        with pytest.raises(ConnectionClosed):
            await station.recv()
        assert station.close_code == 4000


@pytest.mark.parametrize("verdict", [Answered(DataAnswer("Accepted")), Done()])
async def test_an_answer_that_does_not_fit_is_an_internal_error(ingress, ask, frames, verdict):
    async with ingress.connect() as station:
        await ingress.actors.until(lambda: ingress.actors.of(SessionOpened))
        ingress.actors.script.append(lambda _: [verdict])
        assert (await ask(station, frames.heartbeat()))[:3] == [4, "1", "InternalError"]
        assert (await ask(station, frames.heartbeat("2")))[0] == 3


@pytest.mark.parametrize(
    "step", [ActorUnavailable("restarting"), lambda batch: [Retry(RetryReason.UNAVAILABLE) for _ in batch.deliveries]]
)
async def test_a_call_is_answered_though_the_actor_fails_first(ingress, ask, frames, step):
    ingress.actors.script.extend([step, step])
    async with ingress.connect() as station:
        assert (await ask(station, frames.heartbeat()))[:2] == [3, "1"]
    await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))
    assert [type(event) for event in ingress.actors.events] == [SessionOpened, Reported, SessionClosed]


# Order


async def test_pipelined_calls_are_delivered_and_answered_in_order(ingress, frames):
    async with ingress.connect() as station:
        for number in range(30):
            await station.send(frames.heartbeat(str(number)))
        replies = [orjson.loads(await station.recv())[1] for _ in range(30)]
    assert replies == [str(number) for number in range(30)]
    assert reported(ingress) == replies


async def test_a_refusal_waits_for_the_answers_to_older_calls(ingress, frames):
    ingress.actors.gate.clear()
    async with ingress.connect() as station:
        await station.send(frames.heartbeat("1"))
        await station.send(frames.call("2", "MakeCoffee", {}))
        await station.send(frames.heartbeat("3"))
        await ingress.actors.until(lambda: ingress.actors.batches)
        ingress.actors.gate.set()
        assert [orjson.loads(await station.recv())[:2] for _ in range(3)] == [[3, "1"], [4, "2"], [3, "3"]]


async def test_the_same_call_again_while_it_is_open_is_one_call(ingress, ask, frames):
    ingress.actors.gate.clear()
    async with ingress.connect() as station:
        await station.send(frames.heartbeat("1"))
        await station.send(frames.heartbeat("1"))
        await ingress.actors.until(lambda: ingress.actors.batches)
        ingress.actors.gate.set()
        assert orjson.loads(await station.recv())[:2] == [3, "1"]
        assert (await ask(station, frames.heartbeat("2")))[:2] == [3, "2"]
    assert reported(ingress) == ["1", "2"]


async def test_the_words_reach_the_actor_with_the_time_and_the_digest(ingress, ask, frames):
    boot = {"chargePointVendor": "Acme", "chargePointModel": "One"}
    async with ingress.connect() as station:
        await ask(station, frames.call("1", "BootNotification", boot))
        await ask(station, frames.call("2", "BootNotification", boot))
    first, second = ingress.actors.of(Reported)
    assert first.report == BootReported("Acme", "One")
    assert len(first.digest) == 12
    assert first.digest == second.digest


# Slowing down


async def test_a_station_that_floods_is_slowed_and_loses_nothing(make_ingress, frames):
    ingress = await make_ingress(messages_per_s=200, messages_burst=10)
    before = REGISTRY.get_sample_value("narke_ingress_throttled_total")
    async with ingress.connect() as station:

        async def send():
            for number in range(60):
                await station.send(frames.heartbeat(str(number)))

        sending = asyncio.create_task(send())
        replies = [orjson.loads(await station.recv())[1] for _ in range(60)]
        await sending
    assert REGISTRY.get_sample_value("narke_ingress_throttled_total") > before
    assert replies == [str(number) for number in range(60)]


async def test_a_station_with_too_many_open_calls_is_not_read_from_and_loses_nothing(make_ingress, frames):
    ingress = await make_ingress(calls_open_max=4, messages_per_s=100_000, messages_burst=1_000_000)
    ingress.actors.gate.clear()
    text = "x" * 50_000
    async with ingress.connect() as station:
        count = 0

        async def send():
            nonlocal count
            for number in range(400):
                await station.send(frames.data(str(number), text))
                count += 1

        sending = asyncio.create_task(send())
        await ingress.actors.until(lambda: ingress.actors.batches)
        seen = -1
        while seen != count:  # until the buffers of TCP are full
            seen = count
            await asyncio.sleep(0.1)
        assert count < 400
        assert ingress.server.health()["connections_paused"] == 1
        assert ingress.server.health()["queue_deliveries"] <= 5
        ingress.actors.gate.set()
        replies = [orjson.loads(await station.recv())[1] for _ in range(400)]
        await sending
    assert replies == [str(number) for number in range(400)]
    assert reported(ingress) == replies


async def test_a_station_whose_journal_is_away_is_not_read_from_until_it_is_back(ingress, frames, eventually):
    away = asyncio.Event()

    def unavailable(batch):
        away.set()
        return [Retry(RetryReason.UNAVAILABLE) for _ in batch.deliveries]

    ingress.actors.script.extend([unavailable] * 4)
    async with ingress.connect() as station:
        await station.send(frames.heartbeat())
        await away.wait()
        await eventually(lambda: ingress.server.health()["connections_paused"])
        assert orjson.loads(await station.recv())[:2] == [3, "1"]
        assert ingress.server.health()["connections_paused"] == 0


# The log


async def test_every_frame_is_logged_both_ways_with_its_latency(ingress, ask, frames):
    async with ingress.connect() as station:
        await ask(station, frames.heartbeat("1"))
        await ask(station, frames.call("2", "MakeCoffee", {}))
    told = [(m.direction.value, m.kind, m.message_id, m.action, m.outcome) for m in ingress.log.messages]
    assert told == [
        ("in", "call", "1", "Heartbeat", "ok"),
        ("out", "result", "1", "Heartbeat", "ok"),
        ("in", "call", "2", "MakeCoffee", "ok"),
        ("out", "error", "2", "MakeCoffee", "NotImplemented"),
    ]
    assert ingress.log.messages[1].latency_ms >= 0
    assert {message.session for message in ingress.log.messages} == {"ingress-1:7:1"}


@pytest.mark.parametrize(
    ("everywhere", "here", "logged"),
    [
        ("all", None, True),
        ("off", None, False),
        ("all", False, False),
        ("off", True, True),
        ("sparse", None, False),
        ("sparse", True, True),
    ],
)
async def test_the_log_is_switched_for_all_and_for_each_station(make_ingress, ask, frames, everywhere, here, logged):
    ingress = await make_ingress(message_log=everywhere)
    ingress.book.records["CP1"] = StationRecord("CP1", message_log=here)
    async with ingress.connect() as station:
        await ask(station, frames.heartbeat())
    assert bool(ingress.log.messages) is logged
