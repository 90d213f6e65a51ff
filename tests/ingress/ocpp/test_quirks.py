"""Quirks of a station where it is spoken to, through real sockets; silence; what is noticed of it."""

import asyncio
from datetime import UTC, datetime

import orjson
import pytest
from websockets.exceptions import ConnectionClosed

from engine.model.commands import CommandReplied, Result
from engine.model.envelopes import Answered, Refused, Reported
from engine.model.notices import RawCommand
from engine.model.provisioning import BootAnswer, BootReported, Registration
from engine.model.quirks import OdditiesReported, Quirks
from engine.model.sessions import SessionAnswer, SessionClosed, SessionOpened, SilenceReported, SpeechReported
from engine.model.stations import StationRecord
from ingress.ocpp import acquaintance

NOW = datetime(2025, 5, 1, 12, tzinfo=UTC)
HANDSHAKE = (
    b"GET /ocpp/CP1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)
WITHOUT_ZONE = (
    '[2,"1","StatusNotification",'
    '{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2025-05-01T12:00:00"}]'
)
BOOT = {"chargePointVendor": "Acme", "chargePointModel": "One"}
COMMAND = RawCommand("ClearCache", b"{}")


@pytest.fixture
def welcome(answering):
    """Makes the actor tell an ingress what a station is like; `boot`: what its boots are answered."""

    def welcome(ingress, boot=None, **told):
        def verdicts(batch):
            for delivery, verdict in zip(batch.deliveries, answering(batch), strict=True):
                event = delivery.event
                if isinstance(event, SessionOpened):
                    yield Answered(SessionAnswer(**told))
                elif boot is not None and isinstance(event, Reported) and isinstance(event.report, BootReported):
                    yield boot
                else:
                    yield verdict

        ingress.actors.script.extend([verdicts] * 20)

    return welcome


async def session_of(ingress):
    await ingress.actors.until(lambda: ingress.actors.of(SessionOpened))
    return ingress.actors.of(SessionOpened)[-1].session


def noticed(ingress, kind=OdditiesReported):
    return [event.report for event in ingress.actors.of(Reported) if isinstance(event.report, kind)]


async def noticed_at_end(ingress):
    await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))
    counts = {}
    for report in noticed(ingress):
        counts |= report.counts
    return counts


class TestReading:
    async def test_the_first_message_of_a_station_that_returns_is_read_with_its_quirks(
        self, ingress, frames, ask, welcome
    ):
        welcome(ingress, quirks=Quirks(lenient_actions=("*",)))
        async with ingress.connect() as station:
            assert await ask(station, frames.call("1", "Authorize", {"idTag": "x" * 40})) == [
                3, "1", {"idTagInfo": {"status": "Accepted"}},
            ]  # fmt: skip

    async def test_nothing_is_read_before_the_actor_has_said_what_it_is_like(self, ingress, frames, eventually):
        ingress.actors.gate.clear()
        async with ingress.connect() as station:
            await station.send(frames.heartbeat())
            await ingress.actors.until(lambda: ingress.actors.batches)
            assert ingress.server.paused == 1
            ingress.actors.gate.set()
            assert orjson.loads(await station.recv())[:2] == [3, "1"]
            assert [len(batch.deliveries) for _, batch in ingress.actors.batches] == [1, 1]
            await eventually(lambda: ingress.server.paused == 0)

    async def test_a_boot_tells_the_quirks_of_a_new_station(self, ingress, frames, ask, welcome):
        boot = Answered(BootAnswer(Registration.ACCEPTED, 300, NOW, Quirks(error_code="GenericError")))
        welcome(ingress, boot, booted=False)
        async with ingress.connect() as station:
            assert (await ask(station, frames.call("1", "Authorize", {})))[:3] == [4, "1", "ProtocolError"]
            await ask(station, frames.call("2", "BootNotification", BOOT))
            assert (await ask(station, frames.call("3", "Authorize", {})))[:3] == [4, "3", "GenericError"]

    async def test_the_names_in_its_record_go_to_the_actor(self, ingress):
        ingress.book.records["CP1"] = StationRecord("CP1", quirks=("meter-jitter",))
        async with ingress.connect():
            await session_of(ingress)
        assert ingress.actors.of(SessionOpened)[0].quirks == ("meter-jitter",)


class TestAnswers:
    async def test_an_answer_waits_and_nothing_overtakes_it(self, ingress, frames, welcome):
        welcome(ingress, quirks=Quirks(answer_delay_ms={"Heartbeat": 80}))
        loop = asyncio.get_running_loop()
        async with ingress.connect() as station:
            await session_of(ingress)
            began = loop.time()
            await station.send(frames.heartbeat("1"))
            await station.send(frames.call("2", "DataTransfer", {"vendorId": "x"}))
            await station.send(frames.call("3", "Authorize", {}))
            assert [orjson.loads(await station.recv())[:2] for _ in range(3)] == [[3, "1"], [3, "2"], [4, "3"]]
            assert loop.time() - began >= 0.08

    async def test_an_unknown_action_is_met_with_silence(self, ingress, frames, ask, welcome):
        welcome(ingress, quirks=Quirks(unknown_actions_silent=True))
        async with ingress.connect() as station:
            await station.send(frames.call("1", "MakeCoffee", {}))
            assert (await ask(station, frames.heartbeat("2")))[:2] == [3, "2"]

    async def test_an_answer_that_waits_leaves_before_the_connection_closes_in_good_order(
        self, ingress, frames, welcome
    ):
        welcome(ingress, quirks=Quirks(answer_delay_ms={"*": 60}))
        async with ingress.connect() as station:
            await session_of(ingress)
            await station.send(frames.heartbeat())
            assert orjson.loads(await station.recv())[:2] == [3, "1"]


class TestCommands:
    async def test_they_wait_for_a_while_after_connecting(self, ingress, welcome):
        welcome(ingress, quirks=Quirks(call_after_connect_s=0.15))
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with ingress.connect() as station:
            await ingress.dispatch(await session_of(ingress), COMMAND)
            assert orjson.loads(await station.recv())[2] == "ClearCache"
            assert loop.time() - began >= 0.15

    async def test_they_wait_for_the_answer_to_a_boot_and_a_while(self, ingress, frames, welcome):
        quirks = Quirks(call_after_boot_s=0.1)
        boot = Answered(BootAnswer(Registration.ACCEPTED, 300, NOW, quirks))
        welcome(ingress, boot, quirks=quirks)
        async with ingress.connect() as station:
            session = await session_of(ingress)
            ingress.actors.gate.clear()
            await station.send(frames.call("1", "BootNotification", BOOT))
            await ingress.actors.until(lambda: len(ingress.actors.batches) == 2)
            await ingress.dispatch(session, COMMAND)
            ingress.actors.gate.set()
            assert orjson.loads(await station.recv())[:2] == [3, "1"]
            assert orjson.loads(await station.recv())[2] == "ClearCache"

    async def test_a_boot_that_is_refused_holds_nothing_back(self, ingress, frames, welcome):
        welcome(ingress, Refused("no"), quirks=Quirks(call_after_boot_s=60.0))
        async with ingress.connect() as station:
            session = await session_of(ingress)
            await station.send(frames.call("1", "BootNotification", BOOT))
            assert orjson.loads(await station.recv())[:2] == [4, "1"]
            await ingress.dispatch(session, COMMAND)
            assert orjson.loads(await station.recv())[2] == "ClearCache"

    async def test_one_that_waits_too_long_is_timed_out_and_not_sent(self, ingress, frames, ask, welcome):
        welcome(ingress, quirks=Quirks(call_after_connect_s=0.2))
        async with ingress.connect() as station:
            await ingress.dispatch(await session_of(ingress), COMMAND, seconds=0.05)
            await ingress.actors.until(lambda: ingress.actors.of(CommandReplied))
            assert (await ask(station, frames.heartbeat()))[:2] == [3, "1"]
        assert ingress.actors.of(CommandReplied)[0].outcome.result is Result.TIMED_OUT

    async def test_one_that_waits_when_the_connection_ends_was_not_sent(self, ingress, welcome):
        welcome(ingress, quirks=Quirks(call_after_connect_s=60.0))
        async with ingress.connect():
            await ingress.dispatch(await session_of(ingress), COMMAND)
        await ingress.actors.until(lambda: ingress.actors.of(CommandReplied))
        assert ingress.actors.of(CommandReplied)[0].outcome.result is Result.OFFLINE

    async def test_message_ids_are_digits(self, ingress, welcome):
        welcome(ingress, quirks=Quirks(message_ids="digits"))
        async with ingress.connect() as station:
            await ingress.dispatch(await session_of(ingress), COMMAND)
            message_id = orjson.loads(await station.recv())[1]
            assert message_id.isdigit()
            assert len(message_id) <= 9
            await station.send(orjson.dumps([3, message_id, {"status": "Accepted"}]).decode())
            await ingress.actors.until(lambda: ingress.actors.of(CommandReplied))
        assert ingress.actors.of(CommandReplied)[0].command_id == "c1"

    @pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
    async def test_a_station_that_never_boots_is_asked_to(self, ingress, welcome, frames, ask, version):
        welcome(ingress, booted=False, quirks=Quirks(boot_trigger_after_s=0.05))
        async with ingress.connect(version=version) as station:
            call = orjson.loads(await station.recv())
            assert call[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
            await station.send(orjson.dumps([3, call[1], {"status": "Accepted"}]).decode())
            assert (await ask(station, frames.heartbeat()))[:2] == [3, "1"]
        assert ingress.actors.of(CommandReplied) == []

    async def test_one_that_has_booted_is_not(self, ingress, welcome, frames, ask):
        welcome(ingress, booted=True, quirks=Quirks(boot_trigger_after_s=0.01))
        async with ingress.connect() as station:
            await session_of(ingress)
            await asyncio.sleep(0.05)
            assert (await ask(station, frames.heartbeat()))[:2] == [3, "1"]

    async def test_its_own_call_is_forgotten_with_the_connection(self, ingress, welcome):
        welcome(ingress, booted=False, quirks=Quirks(boot_trigger_after_s=0.01))
        async with ingress.connect() as station:
            await station.recv()
        await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))
        assert ingress.actors.of(CommandReplied) == []


class TestSilence:
    async def silent(self, ingress, station_ticks=100):
        connection = next(iter(ingress.server._connections))
        connection.message_tick -= station_ticks
        return connection

    async def test_one_that_says_nothing_for_some_heartbeats_is_told_and_told_again_when_it_speaks(
        self, make_ingress, welcome, frames, ask, eventually
    ):
        ingress = await make_ingress(unresponsive_heartbeats=3, ping_interval_s=1)
        welcome(ingress, heartbeat_s=10)
        async with ingress.connect() as station:
            connection = await self.silent(ingress)
            await eventually(lambda: connection.silence_ticks == 60)
            await ingress.actors.until(lambda: noticed(ingress, SilenceReported))
            assert (await ask(station, frames.heartbeat()))[:2] == [3, "1"]
            await ingress.actors.until(lambda: noticed(ingress, SpeechReported))
        assert len(noticed(ingress, SilenceReported)) == 1
        assert noticed(ingress, SilenceReported)[0].silent_s >= 30

    async def test_it_is_closed_where_the_operator_wants_it(self, make_ingress, welcome, eventually):
        ingress = await make_ingress(unresponsive_heartbeats=3, unresponsive_close=True, ping_interval_s=1)
        welcome(ingress, heartbeat_s=10)
        async with ingress.connect() as station:
            connection = next(iter(ingress.server._connections))
            await eventually(lambda: connection.silence_ticks == 60)
            connection.message_tick -= 100
            with pytest.raises(ConnectionClosed):
                await station.recv()
        await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))
        assert ingress.actors.of(SessionClosed)[0].reason.startswith("unresponsive")

    async def test_a_station_that_is_sent_no_pings_is_closed_in_any_case(self, make_ingress, welcome, eventually):
        ingress = await make_ingress(unresponsive_heartbeats=3, ping_interval_s=1)
        welcome(ingress, heartbeat_s=10, quirks=Quirks(ping=False))
        async with ingress.connect() as station:
            connection = next(iter(ingress.server._connections))
            await eventually(lambda: connection.silence_ticks == 60)
            assert not connection.wants_pings
            connection.message_tick -= 100
            with pytest.raises(ConnectionClosed):
                await station.recv()

    @pytest.mark.parametrize(
        ("heartbeats", "told", "ticks"),
        [
            (3, {"heartbeat_s": 10}, 60),
            (0, {"heartbeat_s": 10}, 0),
            (3, {"heartbeat_s": 0}, 0),
            (3, {"heartbeat_s": 10, "quirks": Quirks(heartbeat_s=100)}, 600),
            (3, {"heartbeat_s": 10, "quirks": Quirks(heartbeat_s=0)}, 0),
            (3, {"heartbeat_s": 10, "quirks": Quirks(pong_timeout_s=60.0)}, 60),
        ],
    )
    async def test_how_long_that_is(self, make_ingress, welcome, eventually, heartbeats, told, ticks):
        ingress = await make_ingress(unresponsive_heartbeats=heartbeats)
        welcome(ingress, **told)
        async with ingress.connect():
            connection = next(iter(ingress.server._connections))
            await eventually(lambda: not connection.deaf)
            assert connection.silence_ticks == ticks
            assert connection.pong_ticks == (120 if told.get("quirks", Quirks()).pong_timeout_s else 0)

    async def test_the_interval_of_its_boot_counts(self, make_ingress, welcome, frames, ask):
        ingress = await make_ingress(unresponsive_heartbeats=2)
        welcome(ingress, Answered(BootAnswer(Registration.ACCEPTED, 50, NOW)), heartbeat_s=10)
        async with ingress.connect() as station:
            await ask(station, frames.call("1", "BootNotification", BOOT))
            assert next(iter(ingress.server._connections)).silence_ticks == 200


class TestNoticed:
    @pytest.mark.parametrize(
        ("text", "oddity"),
        [
            ('[2,"1","Heartbeat",{"a":null}]', "repaired"),
            ('[2,"1","MakeCoffee",{}]', "unknown_action"),
            ('[2,"1","Authorize",{}]', "refused"),
            (WITHOUT_ZONE, "time_without_zone"),
            ('[3,"nobody-asked",{}]', "stray_answer"),
        ],
    )
    async def test_what_is_odd_is_told_when_the_connection_ends(self, ingress, text, oddity, frames, ask):
        async with ingress.connect() as station:
            await station.send(text)
            if not text.startswith("[3"):
                await station.recv()
            assert (await ask(station, frames.heartbeat("2")))[:2] == [3, "2"]
        assert await noticed_at_end(ingress) == {oddity: 1}

    async def test_an_ordinary_station_tells_nothing(self, ingress, frames, ask):
        async with ingress.connect() as station:
            await ask(station, frames.call("1", "BootNotification", BOOT))
            await ask(station, frames.heartbeat("2"))
        assert await noticed_at_end(ingress) == {}
        assert noticed(ingress) == []

    async def test_a_late_answer_is_noticed_and_recorded(self, ingress):
        async with ingress.connect() as station:
            await ingress.dispatch(await session_of(ingress), COMMAND, seconds=0.05)
            message_id = orjson.loads(await station.recv())[1]
            await ingress.actors.until(lambda: ingress.actors.of(CommandReplied))
            await station.send(orjson.dumps([3, message_id, {"status": "Accepted"}]).decode())
            await ingress.actors.until(lambda: len(ingress.actors.of(CommandReplied)) == 2)
        results = [each.outcome.result for each in ingress.actors.of(CommandReplied)]
        assert results == [Result.TIMED_OUT, Result.ACCEPTED]
        assert await noticed_at_end(ingress) == {"answer_late": 1}

    async def test_one_that_never_answers_a_ping_is_noticed(self, make_ingress, raw):
        ingress = await make_ingress(ping_interval_s=0.5, pong_timeout_s=0.5)
        async with raw(ingress) as (reader, writer):
            writer.write(HANDSHAKE)
            await reader.readuntil(b"\r\n\r\n")
            assert await noticed_at_end(ingress) == {"pong_missing": 1}

    async def test_one_that_never_booted_is_noticed_where_it_had_the_time(self, ingress, welcome, monkeypatch):
        monkeypatch.setattr(acquaintance, "BOOT_S", 0.0)
        welcome(ingress, booted=False)
        async with ingress.connect():
            await session_of(ingress)
        assert await noticed_at_end(ingress) == {"never_booted": 1}
