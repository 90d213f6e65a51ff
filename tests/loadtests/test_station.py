"""A station's whole life against a scripted CSMS, in all three versions. Every payload is checked by its schema."""

import contextlib
from dataclasses import replace

import pytest

from loadtests.link import Peer
from loadtests.station import Habits, Station
from loadtests.statistics import Statistics
from tests.loadtests.scripted import NOW, SILENCE, Csms, Error, Hangup, running
from tests.loadtests.test_link import QUICK

ACCEPTED = {"status": "Accepted"}
LONG = (1_000.0, 1_000.0)
ONE_CHARGE = Habits(
    meter_interval_s=0.01, charge_s=(0.06, 0.06), idle_s=LONG, first_charge_s_max=0.0, speed=3_000, patience=QUICK,
    reboot_s=0.0,
)  # fmt: skip
LONG_CHARGE = replace(ONE_CHARGE, charge_s=LONG)
VERSIONS = ("1.6", "2.0.1", "2.1")
versions = pytest.mark.parametrize("version", VERSIONS)
newer = pytest.mark.parametrize("version", VERSIONS[1:])


@contextlib.asynccontextmanager
async def station_at(csms, version, habits=ONE_CHARGE, tokens=("TOKEN",)):
    station = Station(Peer(csms.url, "ST"), version, tokens, habits, 3, Statistics())
    async with running(station.run()):
        yield station


def statuses(csms):
    return [each.get("status") or each["connectorStatus"] for each in csms.all_of("StatusNotification")]


async def started(csms, version):
    if version == "1.6":
        return (await csms.until_heard("StartTransaction"))[0]
    return (await csms.until_heard("TransactionEvent", eventType="Started"))[0]


async def ended(csms, version, count=1):
    if version == "1.6":
        return (await csms.until_heard("StopTransaction", count))[-1]
    return (await csms.until_heard("TransactionEvent", count, eventType="Ended"))[-1]


def reason(stop):
    return stop.get("reason") or stop["transactionInfo"]["stoppedReason"]


def number(stop):
    return stop.get("transactionId") or stop["transactionInfo"]["transactionId"]


def registers(csms):
    found = []
    for action, payload, _ in csms.heard:
        if action in ("StartTransaction", "StopTransaction"):
            found.append(payload.get("meterStart", payload.get("meterStop")))
        elif payload.get("meterValue"):
            found.append(float(payload["meterValue"][0]["sampledValue"][0]["value"]))
    return found


async def transaction_id(csms, station, version):
    await started(csms, version)
    if version == "1.6":
        await csms.until_heard("MeterValues")
    return station.connectors[0].charge.id


def remote_stop(version, name):
    if version == "1.6":
        return "RemoteStopTransaction", {"transactionId": int(name)}
    return "RequestStopTransaction", {"transactionId": name}


def remote_start(version, **more):
    if version == "1.6":
        return "RemoteStartTransaction", {"idTag": "REMOTE"} | more
    return "RequestStartTransaction", {"idToken": {"idToken": "REMOTE", "type": "Central"}, "remoteStartId": 5} | more


async def test_a_charge_of_16_is_told_in_order_with_the_number_that_the_csms_gave():
    async with Csms() as csms, station_at(csms, "1.6") as station:
        stop = await ended(csms, "1.6")
        await csms.until(lambda: statuses(csms)[-1] == "Available" and len(statuses(csms)) >= 5)
        actions = [action for action, _, _ in csms.heard if action not in ("StatusNotification", "MeterValues")]
        assert actions == ["BootNotification", "Authorize", "StartTransaction", "StopTransaction"]
        assert statuses(csms) == ["Available", "Preparing", "Charging", "Finishing", "Available"]
        assert {each["transactionId"] for each in csms.all_of("MeterValues")} == {41} == {stop["transactionId"]}
        assert stop["reason"] == "Local"
        assert registers(csms) == sorted(registers(csms))
        assert stop["meterStop"] == round(station.connectors[0].register_wh)
        assert station.statistics.charging == 0


@newer
async def test_a_charge_of_2x_is_told_in_order_without_gap(version):
    async with Csms() as csms, station_at(csms, version):
        await ended(csms, version)
        await csms.until(lambda: statuses(csms) == ["Available", "Occupied", "Available"])
        events = csms.all_of("TransactionEvent")
        assert [each["seqNo"] for each in events] == list(range(len(events)))
        assert len({each["transactionInfo"]["transactionId"] for each in events}) == 1
        assert (events[0]["eventType"], events[0]["triggerReason"]) == ("Started", "Authorized")
        states = [each["transactionInfo"]["chargingState"] for each in events]
        assert states[:2] == ["EVConnected", "Charging"]
        assert events[1]["triggerReason"] == "ChargingStateChanged"
        assert (events[-1]["triggerReason"], reason(events[-1])) == ("StopAuthorized", "Local")
        assert registers(csms) == sorted(registers(csms))
        assert not any("offline" in each for each in events)


@pytest.mark.parametrize(("version", "states"), [("1.6", None), ("2.1", ["EVConnected", "Charging", "SuspendedEV"])])
async def test_a_full_car_suspends_and_stays(version, states):
    async with Csms() as csms, station_at(csms, version, replace(LONG_CHARGE, speed=10_000_000)):
        if states is None:
            await csms.until(lambda: "SuspendedEV" in statuses(csms))
        else:
            await csms.until(
                lambda: (
                    list(
                        dict.fromkeys(
                            each["transactionInfo"]["chargingState"] for each in csms.all_of("TransactionEvent")
                        )
                    )
                    == states
                )
            )


@versions
async def test_boots_until_accepted_at_the_interval_of_the_csms_and_says_nothing_before(version, monkeypatch):
    pauses = []

    async def pause(_, seconds):
        pauses.append(seconds)

    monkeypatch.setattr(Station, "pause", pause)
    async with Csms() as csms:
        answers = [{"currentTime": NOW, "interval": 7, "status": each} for each in ("Pending", "Rejected")]
        answers += [{"currentTime": NOW, "interval": 0, "status": "Pending"}, Error()]
        csms.answers["BootNotification"] = answers
        async with station_at(csms, version):
            await csms.until_heard("StatusNotification")
        assert [action for action, _, _ in csms.heard][:5] == ["BootNotification"] * 5
        assert pauses[:3] == [7, 7, 60]


@versions
async def test_a_pending_station_boots_when_asked_and_starts_nothing(version):
    async with Csms() as csms:
        csms.answers["BootNotification"] = [{"currentTime": NOW, "interval": 3600, "status": "Pending"}]
        async with station_at(csms, version):
            await csms.until_heard("BootNotification")
            more = {} if version == "1.6" else {"evseId": 1}
            assert await csms.call(*remote_start(version, **more)) == {"status": "Rejected"}
            trigger = {"requestedMessage": "BootNotification"}
            assert await csms.call("TriggerMessage", trigger) == {"status": "Accepted"}
            await csms.until_heard("BootNotification", 2)


@versions
async def test_a_bad_token_charges_nothing(version):
    async with Csms() as csms:
        csms.bad_tokens.add("TOKEN")
        async with station_at(csms, version) as station:
            await csms.until_heard("Authorize")
            await csms.until(lambda: statuses(csms)[-1:] == ["Available"] and len(statuses(csms)) >= 3)
            assert station.statistics.energy_wh == 0
            assert station.statistics.events["drivers sent away"] == 1
        assert not csms.all_of("StartTransaction")
        assert not csms.all_of("TransactionEvent")


@versions
async def test_the_csms_starts_and_stops(version):
    async with Csms() as csms, station_at(csms, version, LONG_CHARGE, tokens=()) as station:
        await csms.until_heard("StatusNotification")
        assert await csms.call(*remote_start(version)) == {"status": "Accepted"}
        start = await started(csms, version)
        assert (await csms.call(*remote_start(version)))["status"] == "Rejected"
        name = await transaction_id(csms, station, version)
        assert (await csms.call(*remote_stop(version, "999999")))["status"] == "Rejected"
        assert (await csms.call(*remote_stop(version, name)))["status"] == "Accepted"
        stop = await ended(csms, version)
        assert reason(stop) == "Remote"
        assert not csms.all_of("Authorize")
        if version != "1.6":
            assert (start["triggerReason"], stop["triggerReason"]) == ("RemoteStart", "RemoteStop")
            assert start["transactionInfo"]["remoteStartId"] == 5


@versions
async def test_a_token_that_the_start_refuses_ends_the_charge(version):
    async with Csms() as csms:
        info = "idTagInfo" if version == "1.6" else "idTokenInfo"
        answer = {info: {"status": "Blocked"}} | ({"transactionId": 8} if version == "1.6" else {})
        csms.answers["StartTransaction" if version == "1.6" else "TransactionEvent"] = [answer]
        async with station_at(csms, version, LONG_CHARGE):
            assert reason(await ended(csms, version)) == "DeAuthorized"


@pytest.mark.parametrize(
    ("version", "kind", "why"),
    [
        ("1.6", "Soft", "SoftReset"),
        ("2.0.1", "Immediate", "ImmediateReset"),
        ("2.1", "Immediate", "ImmediateReset"),
    ],
)
async def test_a_reset_ends_charges_then_boots(version, kind, why):
    async with Csms() as csms, station_at(csms, version, LONG_CHARGE):
        await started(csms, version)
        assert await csms.call("Reset", {"type": kind}) == {"status": "Accepted"}
        await csms.until_heard("BootNotification", 2)
        assert reason(await ended(csms, version)) == why
        actions = [action for action, _, _ in csms.heard]
        stop = "StopTransaction" if version == "1.6" else "TransactionEvent"
        assert actions[::-1].index("BootNotification") < actions[::-1].index(stop)
        assert len(csms.requests) == 2
        if version != "1.6":
            assert csms.all_of("BootNotification")[1]["reason"] == "RemoteReset"


@newer
async def test_a_reset_when_idle_waits_for_the_charge(version):
    async with Csms() as csms, station_at(csms, version, LONG_CHARGE) as station:
        name = await transaction_id(csms, station, version)
        assert await csms.call("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
        assert len(csms.all_of("BootNotification")) == 1
        await csms.call(*remote_stop(version, name))
        boots = await csms.until_heard("BootNotification", 2)
        assert boots[1]["reason"] == "ScheduledReset"


async def test_one_evse_resets_without_a_boot():
    async with Csms() as csms, station_at(csms, "2.0.1", LONG_CHARGE):
        await started(csms, "2.0.1")
        assert await csms.call("Reset", {"type": "Immediate", "evseId": 9}) == {"status": "Rejected"}
        assert await csms.call("Reset", {"type": "Immediate", "evseId": 1}) == {"status": "Accepted"}
        assert reason(await ended(csms, "2.0.1")) == "ImmediateReset"
        assert len(csms.all_of("BootNotification")) == 1


async def test_a_hard_reset_tells_the_stop_only_after_the_boot():
    async with Csms() as csms, station_at(csms, "1.6", LONG_CHARGE):
        await started(csms, "1.6")
        await csms.until_heard("MeterValues")
        assert await csms.call("Reset", {"type": "Hard"}) == {"status": "Accepted"}
        stop = await ended(csms, "1.6")
        assert (stop["reason"], stop["transactionId"]) == ("HardReset", 41)
        actions = [action for action, _, _ in csms.heard]
        assert len(actions) - actions[::-1].index("BootNotification") <= actions.index("StopTransaction") + 1
        assert actions.count("BootNotification") == 2


async def test_a_loss_of_power_tells_nothing_before_the_boot():
    async with Csms() as csms, station_at(csms, "2.1", LONG_CHARGE) as station:
        await started(csms, "2.1")
        station.outbox.close()
        station.reset("PowerLoss")
        assert reason(await ended(csms, "2.1")) == "PowerLoss"
        assert [each["reason"] for each in csms.all_of("BootNotification")] == ["PowerUp", "PowerUp"]
        actions = [action for action, _, _ in csms.heard]
        assert actions.index("BootNotification", 1) < csms.heard.index(
            next(each for each in csms.heard if each[1].get("eventType") == "Ended")
        )


async def test_a_charge_is_resumed_after_the_reset_that_asks_for_it():
    async with Csms() as csms, station_at(csms, "2.1", LONG_CHARGE) as station:
        name = await transaction_id(csms, station, "2.1")
        assert await csms.call("Reset", {"type": "ImmediateAndResume"}) == {"status": "Accepted"}
        resumed = (await csms.until_heard("TransactionEvent", triggerReason="TxResumed"))[0]
        assert resumed["transactionInfo"]["transactionId"] == name
        assert len(csms.all_of("BootNotification")) == 2
        assert not csms.all_of("TransactionEvent", eventType="Ended")
        told = len(csms.all_of("TransactionEvent"))
        await csms.until_heard("TransactionEvent", told + 2)  # and it draws on
        events = csms.all_of("TransactionEvent")
        assert registers(csms)[-1] > registers(csms)[events.index(resumed)]


async def test_an_older_version_resumes_nothing():
    async with Csms() as csms, station_at(csms, "2.0.1", tokens=()):
        await csms.until_heard("StatusNotification")
        assert (await csms.call("Reset", {"type": "ImmediateAndResume"}))[2] == "PropertyConstraintViolation"


def unlock(version, connector=1):
    return {"connectorId": connector} if version == "1.6" else {"evseId": connector, "connectorId": 1}


async def test_unlocking_ends_the_charge_in_16():
    async with Csms() as csms, station_at(csms, "1.6", LONG_CHARGE):
        await started(csms, "1.6")
        assert await csms.call("UnlockConnector", unlock("1.6", 7)) == {"status": "NotSupported"}
        assert await csms.call("UnlockConnector", unlock("1.6")) == {"status": "Unlocked"}
        assert reason(await ended(csms, "1.6")) == "UnlockCommand"


@newer
async def test_unlocking_waits_for_the_charge_in_2x(version):
    async with Csms() as csms, station_at(csms, version, LONG_CHARGE):
        await started(csms, version)
        assert await csms.call("UnlockConnector", unlock(version)) == {"status": "OngoingAuthorizedTransaction"}
        assert await csms.call("UnlockConnector", unlock(version, 7)) == {"status": "UnknownConnector"}


def availability(version, word, connector):
    if version == "1.6":
        return {"connectorId": connector, "type": word}
    return {"operationalStatus": word} | ({"evse": {"id": connector}} if connector else {})


@versions
@pytest.mark.parametrize("connector", [0, 1])
async def test_availability_changes_at_once_when_idle_and_back(version, connector):
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")
        words = availability(version, "Inoperative", connector)
        assert await csms.call("ChangeAvailability", words) == {"status": "Accepted"}
        assert (await csms.call(*remote_start(version)))["status"] == "Rejected"
        await csms.call("ChangeAvailability", availability(version, "Operative", connector))
        await csms.until(lambda: statuses(csms) == ["Available", "Unavailable", "Available"])
        assert await csms.call("ChangeAvailability", availability(version, "Operative", 5)) == {"status": "Rejected"}


@versions
async def test_availability_waits_for_the_charge(version):
    async with Csms() as csms, station_at(csms, version, LONG_CHARGE) as station:
        name = await transaction_id(csms, station, version)
        words = availability(version, "Inoperative", 1)
        assert await csms.call("ChangeAvailability", words) == {"status": "Scheduled"}
        assert "Unavailable" not in statuses(csms)
        await csms.call(*remote_stop(version, name))
        await csms.until(lambda: statuses(csms)[-1] == "Unavailable")


@versions
async def test_triggers_are_followed_after_their_answer(version):
    async with Csms() as csms, station_at(csms, version, LONG_CHARGE):
        await started(csms, version)
        for message, action in (("Heartbeat", "Heartbeat"), ("StatusNotification", None), ("MeterValues", None)):
            before = len(csms.all_of(action or message))
            assert await csms.call("TriggerMessage", {"requestedMessage": message}) == {"status": "Accepted"}
            await csms.until_heard(action or message, before + 1)
        assert await csms.call("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}) == ACCEPTED
        assert await csms.until_heard("FirmwareStatusNotification") == [{"status": "Idle"}]
        evse = {"connectorId": 9} if version == "1.6" else {"evse": {"id": 9}}
        words = {"requestedMessage": "StatusNotification"} | evse
        assert await csms.call("TriggerMessage", words) == {"status": "Rejected"}
        if version != "1.6":
            words = {"requestedMessage": "TransactionEvent"}
            assert await csms.call("TriggerMessage", words) == {"status": "Accepted"}
            await csms.until_heard("TransactionEvent", triggerReason="Trigger")


@versions
async def test_what_happened_offline_is_told_later_in_order_and_once(version):
    async with Csms() as csms:
        habits = replace(LONG_CHARGE, patience=replace(QUICK, backoff_s_min=0.2, backoff_s_max=0.2))
        async with station_at(csms, version, habits) as station:
            await transaction_id(csms, station, version)
            station.link.drop()
            station.connectors[0].end(station.connectors[0].charge, "Local")
            stop = await ended(csms, version)
        assert len(csms.all_of("BootNotification")) == 1
        assert registers(csms) == sorted(registers(csms))
        stamps = [
            payload["timestamp"] if "timestamp" in payload else payload["meterValue"][0]["timestamp"]
            for action, payload, _ in csms.heard
            if action in ("MeterValues", "StopTransaction", "TransactionEvent")
        ]
        assert stamps == sorted(stamps)
        if version == "1.6":
            assert number(stop) == 41
            messages = [str(payload) for payload in csms.all_of("MeterValues")]
            assert len(csms.all_of("StopTransaction")) == 1
        else:
            assert stop["offline"] is True
            events = csms.all_of("TransactionEvent")
            messages = [str(payload) for payload in events]
            unique = list(dict.fromkeys(each["seqNo"] for each in events))
            assert unique == list(range(len(unique)))
        # At most the one in flight when the connection went is heard twice.
        assert len(messages) - len(set(messages)) <= 1


@newer
async def test_events_without_a_connection_say_that_they_are_offline(version):
    async with Csms() as csms, station_at(csms, version, LONG_CHARGE) as station:
        await started(csms, version)
        station.link.drop()
        station.connectors[0].end(station.connectors[0].charge, "Local")
        station.tell_update(station.connectors[0], "MeterValuePeriodic")
        later = await csms.until_heard("TransactionEvent", offline=True)
        assert later[0]["eventType"] == "Updated"
        await ended(csms, version)


async def test_a_start_whose_answer_was_lost_is_repeated_with_words_and_id_the_same():
    async with Csms() as csms:
        csms.answers["StartTransaction"] = [Hangup()]
        async with station_at(csms, "1.6") as station:
            stop = await ended(csms, "1.6")
            starts = [(payload, name) for action, payload, name in csms.heard if action == "StartTransaction"]
            assert len(starts) == 2
            assert starts[0] == starts[1]
            assert stop["transactionId"] == 41
            assert station.statistics.transactions == 1


async def test_a_start_that_is_refused_for_good_does_not_block_the_rest():
    async with Csms() as csms:
        csms.answers["StartTransaction"] = [Error()] * 3
        async with station_at(csms, "1.6"):
            stop = await ended(csms, "1.6")
        assert len(csms.all_of("StartTransaction")) == 3
        assert stop["transactionId"] == -1
        assert stop["reason"] == "Local"


@versions
async def test_a_call_of_no_sense_gets_an_error_and_the_station_lives(version):
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")
        code = "ProtocolError" if version == "1.6" else "OccurrenceConstraintViolation"
        for action in ("Reset", "UnlockConnector", "TriggerMessage", remote_start(version)[0]):
            assert (await csms.call(action, {}))[2] == code
        assert (await csms.call("NeverHeardOf", {}))[2] == "NotImplemented"
        assert await csms.call("ClearCache", {}) == {"status": "Accepted"}
        assert (await csms.call("DataTransfer", {"vendorId": "x"}))["status"] == "UnknownVendorId"


@pytest.mark.parametrize("time", ["yesterday", None, "2026-11-21T12:00:00"])
async def test_a_csms_with_a_strange_clock_stops_nobody(time):
    async with Csms() as csms:
        csms.problems = []
        csms.answers["BootNotification"] = [{"currentTime": time, "interval": 60, "status": "Accepted"}]
        async with station_at(csms, "1.6"):
            await ended(csms, "1.6")


async def test_a_silent_csms_is_asked_again():
    async with Csms() as csms:
        csms.answers["BootNotification"] = [SILENCE]
        habits = replace(ONE_CHARGE, patience=replace(QUICK, answer_s_max=0.05))
        async with station_at(csms, "2.1", habits):
            await csms.until_heard("BootNotification", 2)
            await csms.until_heard("StatusNotification")
