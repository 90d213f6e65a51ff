"""A station of the swarm against a CSMS that checks all it hears."""

import asyncio
from random import Random

import gevent
import pytest

from loadtests.swarm.channel import Door
from loadtests.swarm.options import Options
from loadtests.swarm.samples import NoReply, Refused
from loadtests.swarm.station import Station
from loadtests.swarm.words import WORDS_OF_VERSION
from tests.loadtests.scripted import SILENCE, Csms, Error, Hangup
from tests.loadtests.swarm.greens import in_greenlets, until

VERSIONS = list(WORDS_OF_VERSION)


class Play:
    """A station, what it measured, and the end of it all."""

    def __init__(self, csms, version="1.6", **changes):
        settings = {"charge_s": 0.3, "meter_interval_s": 0.05, "tokens": ("GOOD",)} | changes
        door = Door(csms.url, None, settings.get("password"), settings.get("answer_s_max", 5.0))
        self.samples = []
        options = Options(**settings)
        words = WORDS_OF_VERSION[version]
        self.station = Station("ONE", words, options, door, self.samples.append, Random(3))

    def named(self, name):
        return [sample for sample in self.samples if sample.name == name]

    def __call__(self, work):
        def play():
            self.station.start()
            try:
                self.station.wait_ready()
                return work(self.station)
            finally:
                self.station.stop()

        return in_greenlets(play)

    @property
    def errors(self):
        return [(sample.name, sample.error) for sample in self.samples if sample.error is not None]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_charge_from_the_card_to_the_end(version):
    async with Csms() as csms:
        play = Play(csms, version)
        await play(Station.charge)
    said = [action for action, _, _ in csms.heard]
    began, ended = ("StartTransaction", "StopTransaction") if version == "1.6" else ("TransactionEvent",) * 2
    assert said[:3] == ["BootNotification", "StatusNotification", "StatusNotification"]
    assert said[3:5] == ["Authorize", began]
    assert said[-2:] == [ended, "StatusNotification"]
    assert len(said) > 8
    assert play.errors == []
    assert all(sample.took_ms > 0 for sample in play.samples)


async def test_a_bad_card_charges_nothing():
    async with Csms() as csms:
        csms.bad_tokens = {"GOOD"}
        await Play(csms)(Station.charge)
    assert csms.all_of("StartTransaction") == []
    assert csms.all_of("StatusNotification")[-1]["status"] == "Available"


async def test_a_boot_that_is_pending_is_repeated():
    async with Csms() as csms:
        csms.answers["BootNotification"] = [{"currentTime": "2026-11-21T12:00:00Z", "interval": 1, "status": "Pending"}]
        await Play(csms)(Station.heartbeat)
    assert len(csms.all_of("BootNotification")) == 2


async def test_a_callerror_and_a_silence_are_failures_with_their_reason():
    async with Csms() as csms:
        csms.answers["Heartbeat"] = [Error("GenericError", "why not"), SILENCE]
        play = Play(csms, answer_s_max=0.3)

        def work(station):
            station.heartbeat()
            station.heartbeat()
            station.heartbeat()

        await play(work)
    (_, refused), (_, silent) = play.errors
    assert isinstance(refused, Refused)
    assert str(refused) == "GenericError: why not"
    assert isinstance(silent, NoReply)
    assert "timeout" in str(silent)
    assert len(play.named("Heartbeat")) == 3


async def test_a_transaction_survives_a_lost_connection_and_repeats_under_the_same_id():
    async with Csms() as csms:
        csms.answers["StartTransaction"] = [Hangup()]
        play = Play(csms)
        await play(Station.charge)
    starts = [message_id for action, _, message_id in csms.heard if action == "StartTransaction"]
    assert len(starts) == 2
    assert len(set(starts)) == 1
    assert len(csms.all_of("BootNotification")) == 1
    assert len(csms.all_of("StopTransaction")) == 1
    assert {name for name, _ in play.errors} == {"StartTransaction", "(connection lost)"}


async def test_a_connection_that_the_swarm_cuts_is_no_failure():
    async with Csms() as csms:
        play = Play(csms)

        def work(station):
            station.cut(0.1)
            station.heartbeat()
            station.cut(power=True)
            station.heartbeat()

        await play(work)
    assert play.errors == []
    assert len(play.named("(connect)")) == 3
    assert len(csms.all_of("BootNotification")) == 2


async def test_commands_are_answered_while_the_station_is_idle():
    async with Csms() as csms:
        play = Play(csms, charge_s=60.0)
        done = []
        running = asyncio.create_task(play(lambda _: until(lambda: done)))
        await csms.until_heard("StatusNotification")
        assert await csms.call("RemoteStartTransaction", {"idTag": "AFAR"}) == {"status": "Accepted"}
        await csms.until_heard("MeterValues")
        assert await csms.call("RemoteStopTransaction", {"transactionId": 41}) == {"status": "Accepted"}
        (stop,) = await csms.until_heard("StopTransaction")
        trigger = {"requestedMessage": "Heartbeat"}
        assert await csms.call("TriggerMessage", trigger) == {"status": "Accepted"}
        await csms.until_heard("Heartbeat")
        done.append(True)
        await running
    assert stop["reason"] == "Remote"
    kinds = [sample.name for sample in play.samples if sample.kind == "CSMS-command"]
    assert kinds == ["RemoteStartTransaction", "RemoteStopTransaction", "TriggerMessage"]


async def test_a_reset_is_answered_and_then_obeyed():
    async with Csms() as csms:
        play = Play(csms, "2.0.1")
        done = []
        running = asyncio.create_task(play(lambda _: until(lambda: done)))
        await csms.until_heard("StatusNotification")
        assert await csms.call("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
        await csms.until_heard("BootNotification", reason="RemoteReset")
        done.append(True)
        await running
    assert play.errors == []


async def test_new_firmware_is_told_step_by_step_and_booted():
    async with Csms() as csms:
        play = Play(csms, "2.1")

        def work(station):
            station.update_firmware()
            until(lambda: len(play.named("FirmwareStatusNotification")) == 4)

        await play(work)
    steps = [payload["status"] for payload in csms.all_of("FirmwareStatusNotification")]
    assert steps == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert [boot["reason"] for boot in csms.all_of("BootNotification")] == ["PowerUp", "FirmwareUpdate"]


async def test_a_slow_reader_has_rows_of_its_own():
    async with Csms() as csms:
        play = Play(csms)

        def work(station):
            station.read_slowly(50.0, 200.0)
            until(lambda: len(csms.all_of("Heartbeat")) > 20)
            station.heartbeat()

        await play(work)
    assert [sample.kind for sample in play.named("Heartbeat")] == ["OCPP1.6 slow"]


async def test_who_cannot_connect_says_why_and_tries_again():
    async with Csms(subprotocols=("ocpp2.0.1",)) as csms:
        play = Play(csms, "1.6")

        def work():
            play.station.start()
            until(lambda: len(play.errors) > 1)
            play.station.stop()

        await in_greenlets(work)
    assert {name for name, _ in play.errors} == {"(connect)"}


async def test_a_station_that_ends_ends_its_transaction():
    async with Csms() as csms:
        play = Play(csms, charge_s=60.0)

        def work(station):
            gevent.spawn(station.charge)
            until(lambda: csms.all_of("MeterValues"))

        await play(work)
    assert csms.all_of("StopTransaction")[0]["transactionId"] == 41


async def test_a_goodbye_that_nobody_answers_is_no_failure_and_does_not_take_long(monkeypatch):
    monkeypatch.setattr("loadtests.swarm.station.GOODBYE_S_MAX", 0.2)
    async with Csms() as csms:
        csms.answers["StopTransaction"] = [SILENCE]
        play = Play(csms, charge_s=60.0, answer_s_max=60.0)

        def work(station):
            gevent.spawn(station.charge)
            until(lambda: csms.all_of("MeterValues"))

        await play(work)
    assert len(csms.all_of("StopTransaction")) == 1
    assert play.errors == []


async def test_a_boot_that_is_cut_off_is_said_again_on_the_next_connection():
    async with Csms() as csms:
        csms.answers["BootNotification"] = [Hangup(), Hangup()]
        play = Play(csms)
        await play(Station.heartbeat)
    assert len(csms.all_of("BootNotification")) == 3
    assert len(csms.all_of("Heartbeat")) == 1
