"""The ingress as stations meet it: real sockets, actors that are a double."""

import asyncio
import socket

import orjson
import pytest
import structlog
import uvloop
from prometheus_client import REGISTRY
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.model.codec import encode
from engine.model.envelopes import CloseSession, Downlinks, Reported
from engine.model.sessions import SessionClosed, SessionOpened
from engine.model.stations import StationRecord
from engine.ports import ActorUnavailable
from ingress.ocpp.passwords import hash_password
from ingress.ocpp.server import IngressServer
from ingress.settings import OcppSettings


async def test_a_message_is_answered_and_the_session_is_told_first_and_last(ingress, ask, frames):
    async with ingress.connect() as station:
        reply = await ask(station, frames.heartbeat())
        assert reply == [3, "1", {"currentTime": "2025-05-01T12:00:00.000Z"}]
    await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))
    opened, reported, closed = ingress.actors.events
    assert isinstance(opened, SessionOpened)
    assert isinstance(reported, Reported)
    assert isinstance(closed, SessionClosed)
    assert opened.session == reported.session == closed.session == "ingress-1:7:1"
    assert (opened.ingress, opened.version) == ("ingress-1", "1.6")
    assert opened.address.startswith("127.0.0.1:")
    assert closed.code == 1000


# Takeover


async def test_the_newest_connection_of_an_identity_wins(ingress, ask, frames):
    async with ingress.connect() as old, ingress.connect() as new:
        with pytest.raises(ConnectionClosed):
            await old.recv()
        assert old.close_code == 4000
        assert (await ask(new, frames.heartbeat()))[:2] == [3, "1"]
        await old.wait_closed()
        assert ingress.server.health()["connections"] == 1
        assert (await ask(new, frames.heartbeat("2")))[:2] == [3, "2"]
    await ingress.actors.until(lambda: len(ingress.actors.of(SessionClosed)) == 2)
    kinds = [(type(event).__name__, event.session[-1]) for event in ingress.actors.events]
    assert kinds == [
        ("SessionOpened", "1"),
        ("SessionClosed", "1"),
        ("SessionOpened", "2"),
        ("Reported", "2"),
        ("Reported", "2"),
        ("SessionClosed", "2"),
    ]


async def test_a_stranger_without_the_password_does_not_push_the_station_out(ingress, ask, frames):
    async with ingress.connect() as station:
        ingress.book.records["CP1"] = StationRecord("CP1", security_profile=1, password_hash=hash_password("x" * 20))
        with pytest.raises(InvalidStatus):
            await ingress.connect().__aenter__()
        assert (await ask(station, frames.heartbeat()))[:2] == [3, "1"]


async def test_two_devices_with_one_identity_cannot_fight_for_ever(make_ingress, ask, frames):
    ingress = await make_ingress(takeovers_per_min=2)
    async with ingress.connect(), ingress.connect(), ingress.connect() as third:
        with pytest.raises(InvalidStatus) as caught:
            await ingress.connect().__aenter__()
        assert caught.value.response.status_code == 503
        assert (await ask(third, frames.heartbeat()))[0] == 3


async def test_identities_that_differ_in_case_are_two_stations_where_that_is_asked_for(make_ingress):
    ingress = await make_ingress(identity_case="distinct")
    async with ingress.connect("/cp1"), ingress.connect("/CP1"):
        await ingress.actors.until(lambda: len(ingress.actors.decided) == 2)
        assert {delivery.station for delivery in ingress.actors.decided} == {"cp1", "CP1"}


async def test_an_actor_can_close_a_session(ingress):
    async with ingress.connect() as station:
        downlinks = Downlinks(
            (CloseSession("CP1", "ingress-1:7:1", "elsewhere now"), CloseSession("CP1", "i:0:0", "gone"))
        )
        await ingress.server.receive_downlinks(encode(downlinks))
        with pytest.raises(ConnectionClosed):
            await station.recv()
        assert (station.close_code, station.close_reason) == (4000, "elsewhere now")


async def test_stations_of_all_versions_are_counted(ingress):
    async with ingress.connect("/A"), ingress.connect("/B", "2.0.1"), ingress.connect("/C", "2.1"):
        health = ingress.server.health()
        assert health["connections"] == 3
        assert health["connections_by_version"] == {"1.6": 1, "2.0.1": 1, "2.1": 1}
    await ingress.actors.until(lambda: len(ingress.actors.of(SessionClosed)) == 3)
    assert ingress.server.health()["connections_by_version"] == {"1.6": 0, "2.0.1": 0, "2.1": 0}


async def test_what_many_stations_say_at_once_goes_in_few_calls(ingress, frames):
    stations = await asyncio.gather(*(ingress.connect(f"/S{n}").__aenter__() for n in range(40)))
    await ingress.actors.until(lambda: len(ingress.actors.decided) == 40)
    ingress.actors.gate.clear()
    before = len(ingress.actors.batches)
    for station in stations:
        await station.send(frames.heartbeat())
    ingress.actors.gate.set()
    for station in stations:
        assert (await station.recv()).startswith('[3,"1"')
    assert len(ingress.actors.batches) - before < 20
    for station in stations:
        await station.close()


# The door


async def test_when_too_much_waits_the_door_closes_and_nothing_is_lost(make_ingress, frames, eventually):
    ingress = await make_ingress(queue_deliveries_max=10, calls_open_max=4)
    stations = await asyncio.gather(*(ingress.connect(f"/S{n}").__aenter__() for n in range(8)))
    await ingress.actors.until(lambda: len(ingress.actors.decided) == 8)
    ingress.actors.gate.clear()
    for number in range(6):
        for station in stations:
            await station.send(frames.heartbeat(str(number)))
    await eventually(lambda: ingress.server.health()["connections_paused"] == 8)
    assert ingress.server.health()["queue_deliveries"] <= 12
    assert not ingress.server.health()["ready"]
    with pytest.raises(InvalidStatus) as caught:
        await ingress.connect("/late").__aenter__()
    assert caught.value.response.status_code == 503
    ingress.actors.gate.set()
    for station in stations:
        replies = [orjson.loads(await station.recv())[1] for _ in range(6)]
        assert replies == ["0", "1", "2", "3", "4", "5"]
    assert ingress.server.health()["ready"]
    assert ingress.server.health()["connections_paused"] == 0
    for station in stations:
        await station.close()


# Life


async def test_start_twice_is_once(ingress):
    port = ingress.server.port
    await asyncio.gather(ingress.server.start(), ingress.server.start())
    assert ingress.server.port == port > 0


async def test_two_ingresses_share_a_port_and_a_third_party_is_told(make_ingress, clock):
    first = await make_ingress()
    second = IngressServer(
        OcppSettings(port=first.server.port), "ingress-2", 1, first.actors, first.book, first.log, clock
    )
    await second.start()
    assert second.port == first.server.port
    await second.drain(0.1)
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    third = IngressServer(OcppSettings(port=port), "i", 1, first.actors, first.book, first.log, clock)
    with pytest.raises(OSError, match=f"127.0.0.1:{port} cannot be bound"):
        await third.start()
    taken.close()
    await third.drain(0.1)


async def test_drain_answers_what_is_open_then_closes_with_1001(ingress, frames):
    async with ingress.connect("/A") as idle, ingress.connect("/B") as busy:
        await ingress.actors.until(lambda: len(ingress.actors.decided) == 2)
        ingress.actors.gate.clear()
        await busy.send(frames.heartbeat("1"))
        await ingress.actors.until(lambda: len(ingress.actors.batches) >= 3)
        draining = asyncio.create_task(ingress.server.drain(10))
        with pytest.raises(ConnectionClosed):
            await idle.recv()
        assert (idle.close_code, idle.close_reason) == (1001, "service restart")
        await busy.send(frames.heartbeat("2"))
        with pytest.raises(OSError, match=r"."):
            await ingress.connect("/C").__aenter__()
        ingress.actors.gate.set()
        assert orjson.loads(await busy.recv())[:2] == [3, "1"]
        with pytest.raises(ConnectionClosed):
            await busy.recv()
        await draining
    assert [event.message_id for event in ingress.actors.of(Reported)] == ["1"]
    assert {event.code for event in ingress.actors.of(SessionClosed)} == {1001}
    assert len(ingress.actors.of(SessionClosed)) == 2


async def test_drain_ends_with_its_grace(ingress, frames):
    async with ingress.connect() as station:
        ingress.actors.gate.clear()
        await station.send(frames.heartbeat())
        await ingress.actors.until(lambda: ingress.actors.batches)
        await ingress.server.drain(0.1)
        with pytest.raises(ConnectionClosed):
            await station.recv()
    assert ingress.server.health()["ready"] is False


async def test_a_station_that_came_and_went_while_its_actor_was_away_leaves_at_most_its_session(ingress):
    ingress.actors.script.extend([ActorUnavailable("x")] * 3)
    async with ingress.connect():
        pass
    await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))
    assert [type(event).__name__ for event in ingress.actors.events] == ["SessionOpened", "SessionClosed"]


def test_it_runs_on_uvloop_too(doubles):
    async def story():
        actors, book, log, clock = doubles()
        server = IngressServer(OcppSettings(port=0), "i", 1, actors, book, log, clock)
        await server.start()
        async with connect(f"ws://127.0.0.1:{server.port}/CP1", subprotocols=["ocpp1.6"]) as station:
            actors.gate.clear()
            for number in range(100):
                await station.send(f'[2,"{number}","Heartbeat",{{}}]')
            await actors.until(lambda: actors.batches)
            actors.gate.set()
            for number in range(100):
                assert orjson.loads(await station.recv())[1] == str(number)
        await actors.until(lambda: actors.of(SessionClosed))
        await server.drain(1)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story())


async def test_one_line_per_connection_opened_and_closed_and_none_per_message(ingress, ask, frames):
    with structlog.testing.capture_logs() as lines:
        async with ingress.connect() as station:
            for number in range(5):
                await ask(station, frames.heartbeat(str(number)))
        await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))
    told = [line for line in lines if line["log_level"] != "debug"]
    assert [line["event"] for line in told] == ["station connected", "station disconnected"]
    for line in told:
        assert (line["station"], line["session"], line["version"]) == ("CP1", "ingress-1:7:1", "1.6")


async def test_messages_are_counted_by_version_action_and_outcome(ingress, ask, frames):
    def count(action, outcome):
        labels = {"version": "1.6", "action": action, "outcome": outcome}
        return REGISTRY.get_sample_value("narke_ingress_messages_total", labels) or 0

    before = (count("Heartbeat", "ok"), count("unknown", "NotImplemented"))
    async with ingress.connect() as station:
        await ask(station, frames.heartbeat())
        await ask(station, frames.call("2", "MakeCoffee", {}))
    ingress.server._counts.flush()
    assert (count("Heartbeat", "ok"), count("unknown", "NotImplemented")) == (before[0] + 1, before[1] + 1)
