"""The generator's stations as a crew, against a CSMS in this process: way up, closed loop, pace, and all that fails."""

import json

import pytest

from loadtests.bench import crew as crew_module
from loadtests.bench.crew import Crew, Way, percentiles_ms
from loadtests.bench.driving import free_port
from tests.loadtests.bench.servers import Csms, until

QUICKLY = Way(per_s=0.0, statuses=True, transaction=True, deadline_s=20.0)


def crew_at(csms):
    return Crew(csms.url, "B-", "abcdefgh", "TOKEN", 1)


async def test_stations_come_up_as_far_as_they_are_told():
    async with Csms(StartTransaction={"transactionId": 77, "idTagInfo": {"status": "Accepted"}}).running() as csms:
        crew = crew_at(csms)
        told = await crew.grow(3, QUICKLY)
        assert (told["wanted"], told["up"], told["timeouts"], told["retries"]) == (3, 3, 0, {})
        assert 0 < told["connected_s"] <= told["booted_s"] <= told["seconds"]
        assert csms.heard == {"BootNotification": 3, "StatusNotification": 6, "StartTransaction": 3}
        assert sorted(csms.paths) == ["/ocpp/B-000000", "/ocpp/B-000001", "/ocpp/B-000002"]
        assert {station.transaction for station in crew.stations} == {77}
        crew.drop()


async def test_only_those_that_are_missing_come_up():
    async with Csms().running() as csms:
        crew = crew_at(csms)
        way = Way(per_s=1_000.0, statuses=False, transaction=False, deadline_s=20.0)
        await crew.grow(2, way)
        assert (await crew.grow(5, way))["wanted"] == 3
        assert (await crew.grow(5, way))["wanted"] == 0
        assert csms.heard == {"BootNotification": 5}
        crew.drop()
        await until(lambda: not csms.connections)


async def test_who_broke_down_comes_up_again_when_the_crew_is_asked_for():
    async with Csms().running() as csms:
        crew = crew_at(csms)
        await crew.grow(2, QUICKLY)
        broken = next(iter(csms.connections))
        await broken.close()
        await until(lambda: sum(station.is_up for station in crew.stations) == 1)
        told = await crew.grow(2, QUICKLY)
        assert (told["wanted"], told["up"]) == (1, 1)
        assert csms.heard["BootNotification"] == 3
        crew.drop()


async def test_who_is_refused_tries_again(monkeypatch):
    monkeypatch.setattr(crew_module, "BACKOFF_S_MAX", 0.001)
    async with Csms().running() as csms:
        csms.refuse = 2
        told = await crew_at(csms).grow(2, QUICKLY)
        assert (told["up"], told["retries"]) == (2, {"HTTP 503": 2})


async def test_who_is_not_up_at_the_deadline_is_given_up(monkeypatch):
    monkeypatch.setattr(crew_module, "BACKOFF_S_MAX", 0.001)
    async with Csms(BootNotification={"status": "Rejected"}).running() as csms:
        way = Way(per_s=0.0, statuses=False, transaction=False, deadline_s=0.2)
        told = await crew_at(csms).grow(1, way)
        assert told["up"] == 0
        assert told["retries"].keys() == {"boot answered Rejected"}


async def test_nobody_listens():
    crew = Crew(f"ws://127.0.0.1:{free_port()}/ocpp", "B-", "abcdefgh", "TOKEN", 1)
    told = await crew.grow(1, Way(0.0, statuses=False, transaction=False, deadline_s=0.1))
    assert told["up"] == 0
    assert told["retries"]


async def test_a_silent_server_is_a_time_out(monkeypatch):
    monkeypatch.setattr(crew_module, "ANSWER_S_MAX", 0.01)
    monkeypatch.setattr(crew_module, "BACKOFF_S_MAX", 0.001)
    silences = iter((1,))

    async def boot(connection, message_id):
        if next(silences, None) is None:
            await connection.send(json.dumps([3, message_id, {"status": "Accepted"}]))

    async with Csms(BootNotification=boot).running() as csms:
        told = await crew_at(csms).grow(1, Way(0.0, statuses=False, transaction=False, deadline_s=20.0))
        assert told["up"] == 1
        assert told["timeouts"] >= 1


async def test_in_closed_loop_each_sends_when_it_was_answered():
    async with Csms().running() as csms:
        crew = crew_at(csms)
        await crew.grow(4, QUICKLY)
        crew.load(3, in_flight=3, rate=0.0)
        assert crew.in_flight == 3
        await until(lambda: csms.heard["MeterValues"] > 50)
        assert crew.in_flight == 3
        assert await crew.halt(5.0) == 0
        told = crew.mark()
        assert told["answered"] == csms.heard["MeterValues"]
        assert told["failures"] == {}
        assert told["up"] == 4
        assert told["from_due_ms"] is None
        assert 0 < told["from_frame_ms"]["p50"] <= told["from_frame_ms"]["max"]
        senders = {frame[1].split("-")[1] for frame in csms.frames if frame[2] == "MeterValues"}
        assert senders == {"000000", "000001", "000002"}
        assert crew.mark()["answered"] == 0
        crew.drop()


async def test_a_few_in_flight_go_round_all_stations():
    async with Csms().running() as csms:
        crew = crew_at(csms)
        await crew.grow(5, QUICKLY)
        crew.load(5, in_flight=2, rate=0.0)
        await until(lambda: csms.heard["MeterValues"] >= 20)
        await crew.halt(5.0)
        senders = [frame[1].split("-")[1] for frame in csms.frames if frame[2] == "MeterValues"]
        assert len(set(senders[:10])) == 5
        crew.drop()


async def test_a_pace_is_kept_whatever_the_server_does():
    held = []

    async def hold(_connection, message_id):
        held.append(message_id)

    async with Csms(MeterValues=hold).running() as csms:
        crew = crew_at(csms)
        await crew.grow(2, QUICKLY)
        crew.load(2, in_flight=0, rate=500.0)
        await until(lambda: crew.mark()["behind"] > 5)
        assert crew.in_flight == 2
        csms.answers["MeterValues"] = {}
        [connection, other] = csms.connections
        for message_id in held:
            for each in (connection, other):
                if each.request.path.endswith(message_id.split("-")[1]):
                    await each.send(f'[3,"{message_id}",{{}}]')
        await until(lambda: csms.heard["MeterValues"] > 10)
        await crew.halt(5.0)
        told = crew.mark()
        assert told["behind"] == 0
        assert told["from_due_ms"]["max"] >= told["from_frame_ms"]["p50"]
        crew.drop()


async def test_halt_says_how_many_never_came_back():
    async def silence(_connection, _message_id):
        pass

    async with Csms(MeterValues=silence).running() as csms:
        crew = crew_at(csms)
        await crew.grow(2, QUICKLY)
        crew.load(2, in_flight=2, rate=0.0)
        assert await crew.halt(0.01) == 2
        crew.drop()


async def test_a_refusal_counts_as_a_failure_and_the_station_goes_on():
    async def refuse(connection, message_id):
        csms.answers["MeterValues"] = {}
        await connection.send(json.dumps([4, message_id, "InternalError", "sorry", {}]))

    async with Csms(MeterValues=refuse).running() as csms:
        crew = crew_at(csms)
        await crew.grow(1, QUICKLY)
        crew.load(1, in_flight=1, rate=0.0)
        await until(lambda: csms.heard["MeterValues"] > 3)
        await crew.halt(5.0)
        told = crew.mark()
        assert told["failures"] == {"CALLERROR InternalError sorry": 1}
        assert told["answered"] == csms.heard["MeterValues"] - 1
        crew.drop()


async def test_a_lost_connection_is_counted_and_that_station_is_not_asked_again():
    async def hang_up(connection, _message_id):
        csms.answers["MeterValues"] = {}
        await connection.close(1011, "no more")

    async with Csms(MeterValues=hang_up).running() as csms:
        crew = crew_at(csms)
        await crew.grow(1, QUICKLY)
        crew.load(1, in_flight=1, rate=0.0)
        await until(lambda: not crew.in_flight)
        assert await crew.halt(5.0) == 0
        told = crew.mark()
        assert told["up"] == 0
        assert told["failures"] == {"connection lost": 1, "B-*: closed with 1011 no more": 1}
        crew.drop()


async def test_calls_of_the_csms_are_answered_also_under_load():
    async with Csms().running() as csms:
        crew = crew_at(csms)
        await crew.grow(1, QUICKLY)
        crew.load(1, in_flight=1, rate=0.0)
        [connection] = csms.connections
        await connection.send('[2,"c1","TriggerMessage",{"requestedMessage":"Heartbeat"}]')
        await connection.send('[2,"c2","SendLocalList",{}]')
        await (await connection.ping())
        await until(lambda: sum(frame[0] != 2 for frame in csms.frames) == 2)
        await crew.halt(5.0)
        assert [frame for frame in csms.frames if frame[0] != 2] == [
            [3, "c1", {"status": "Accepted"}],
            [4, "c2", "NotImplemented", "", {}],
        ]
        assert crew.mark()["failures"] == {}
        crew.drop()


async def test_the_reply_to_nothing_ends_the_connection():
    async with Csms().running() as csms:
        crew = crew_at(csms)
        await crew.grow(1, QUICKLY)
        [connection] = csms.connections
        await connection.send('[3,"another",{}]')
        await until(lambda: not crew.stations[0].is_up)
        [why] = crew.mark()["failures"]
        assert "neither a call nor the reply to ours" in why


async def test_two_replies_in_one_piece_are_two_replies():
    async def twice(connection, message_id):
        frame = f'[2,"c-{message_id}","ClearCache",{{}}]'.encode()
        reply = f'[3,"{message_id}",{{}}]'.encode()
        connection.transport.write(bytes((0x81, len(frame))) + frame + bytes((0x81, len(reply))) + reply)

    async with Csms(MeterValues=twice).running() as csms:
        crew = crew_at(csms)
        await crew.grow(1, QUICKLY)
        crew.load(1, in_flight=1, rate=0.0)
        await until(lambda: csms.heard["MeterValues"] > 3)
        await crew.halt(5.0)
        assert crew.mark()["failures"] == {}
        crew.drop()


def test_percentiles_are_those_of_the_list():
    assert percentiles_ms([]) is None
    assert percentiles_ms([0.002]) == {"p50": 2.0, "p99": 2.0, "p99_9": 2.0, "max": 2.0}
    thousand = percentiles_ms([number / 1000 for number in range(1, 1001)])
    assert thousand == pytest.approx({"p50": 501.0, "p99": 991.0, "p99_9": 1000.0, "max": 1000.0})
