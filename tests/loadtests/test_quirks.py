"""Each quirk at a whole station: what is different, and that nothing else is."""

from dataclasses import replace

import pytest

from loadtests.quirks import QUIRKS, quirks_of
from loadtests.station import Habits
from tests.loadtests.scripted import NOW, Csms
from tests.loadtests.test_station import LONG_CHARGE, ONE_CHARGE, ended, newer, started, station_at, versions


def quirky(*names, habits=ONE_CHARGE):
    return replace(habits, quirks=names)


def test_a_quirk_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"no quirk 'levitates'.*ends_twice"):
        Habits(quirks=("levitates",))


@pytest.mark.parametrize("changes", [{"check_share": 1.5}, {"check_share": -0.1}, {"reaction_s": -1.0}])
def test_habits_out_of_bounds_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        Habits(**changes)


def test_every_quirk_says_what_and_whence():
    for name, quirk in QUIRKS.items():
        assert quirk.what, name
        assert quirk.source, name
        assert quirks_of((name,), quirk.versions[0]) == (quirk,)
    assert quirks_of(("meter_start_zero",), "2.1") == ()


@versions
async def test_all_quirks_together_still_make_a_charge(version):
    names = tuple(each for each in QUIRKS if each not in ("availability_as_event", "no_values_in_events"))
    async with Csms() as csms, station_at(csms, version, quirky(*names)) as station:
        await ended(csms, version)
        assert not station.statistics.failures
        csms.problems.clear()  # some quirks break a schema: that is their business


@newer
async def test_sequence_numbers_are_all_zero(version):
    async with Csms() as csms, station_at(csms, version, quirky("sequence_always_zero")):
        await ended(csms, version)
        assert {each["seqNo"] for each in csms.all_of("TransactionEvent")} == {0}


@newer
async def test_a_transaction_ends_twice(version):
    async with Csms() as csms, station_at(csms, version, quirky("ends_twice")):
        await ended(csms, version, 2)
        first, second = csms.all_of("TransactionEvent", eventType="Ended")
        assert second == first | {"seqNo": first["seqNo"] + 1}


@newer
async def test_a_token_changes_its_type(version):
    async with Csms() as csms, station_at(csms, version, quirky("authorizes_as_local")):
        start = await started(csms, version)
        assert csms.all_of("Authorize")[0]["idToken"]["type"] == "Local"
        assert start["idToken"]["type"] == "ISO14443"


async def test_values_come_after_the_stop():
    async with Csms() as csms, station_at(csms, "1.6", quirky("values_after_stop")):
        stop = await ended(csms, "1.6")
        place = [action for action, _, _ in csms.heard].index("StopTransaction")
        await csms.until(lambda: any(action == "MeterValues" for action, _, _ in csms.heard[place:]))
        assert csms.all_of("MeterValues")[-1]["transactionId"] == stop["transactionId"] == 41


@newer
async def test_events_lack_what_they_may_lack(version):
    async with Csms() as csms, station_at(csms, version, quirky("evse_without_connector", "no_values_in_events")):
        await ended(csms, version)
        events = csms.all_of("TransactionEvent")
        assert events[0]["evse"] == {"id": 1}
        assert not any("meterValue" in each for each in events)


@newer
async def test_values_come_beside_the_events(version):
    async with Csms() as csms, station_at(csms, version, quirky("values_beside_events", habits=LONG_CHARGE)):
        await csms.until_heard("MeterValues", 2)
        assert not csms.all_of("TransactionEvent", triggerReason="MeterValuePeriodic")


@newer
async def test_the_station_itself_has_a_status(version):
    async with Csms() as csms, station_at(csms, version, quirky("status_of_evse_zero")):
        await ended(csms, version)
        places = [(each["evseId"], each["connectorId"]) for each in csms.all_of("StatusNotification")]
        assert places[:2] == [(1, 1), (0, 0)]


@versions
async def test_each_status_is_told_twice(version):
    async with Csms() as csms, station_at(csms, version, quirky("statuses_twice"), tokens=()):
        first, second = (await csms.until_heard("StatusNotification", 2))[:2]
        assert first == second


@versions
async def test_a_triggered_message_comes_before_the_answer(version):
    async with Csms() as csms, station_at(csms, version, quirky("triggers_before_answer"), tokens=()):
        await csms.until_heard("StatusNotification")
        await csms.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        assert [action for action, _, _ in csms.heard][-1] == "Heartbeat"


@versions
async def test_pending_is_ignored(version):
    async with Csms() as csms:
        csms.answers["BootNotification"] = [{"currentTime": NOW, "interval": 3600, "status": "Pending"}]
        async with station_at(csms, version, quirky("ignores_pending")):
            await csms.until_heard("StatusNotification")
        assert len(csms.all_of("BootNotification")) == 1


async def test_energy_changes_its_unit():
    async with Csms() as csms, station_at(csms, "1.6", quirky("mixed_energy_units", habits=LONG_CHARGE)):

        def units():
            return {payload["meterValue"][0]["sampledValue"][0].get("unit") for payload in csms.all_of("MeterValues")}

        await csms.until(lambda: units() == {"kWh", None})


async def test_a_signed_record_hides_in_a_value():
    async with Csms() as csms, station_at(csms, "1.6", quirky("signed_value_in_string", habits=LONG_CHARGE)):
        values = (await csms.until_heard("MeterValues"))[0]["meterValue"][0]["sampledValue"]
        assert len(next(each["value"] for each in values if each.get("format") == "SignedData")) > 1_300


async def test_every_transaction_starts_at_zero():
    async with Csms() as csms, station_at(csms, "1.6", quirky("meter_start_zero")):
        assert (await started(csms, "1.6"))["meterStart"] == 0


async def test_message_ids_begin_anew_at_each_boot():
    async with Csms() as csms, station_at(csms, "1.6", quirky("message_ids_repeat"), tokens=()):
        await csms.until_heard("StatusNotification")
        await csms.call("Reset", {"type": "Soft"})
        await csms.until_heard("BootNotification", 2)
        ids = [name for action, _, name in csms.heard if action == "BootNotification"]
        assert ids == ["1", "1"]


@newer
async def test_what_happened_offline_does_not_say_so(version):
    habits = quirky("never_says_offline", habits=LONG_CHARGE)
    async with Csms() as csms, station_at(csms, version, habits) as station:
        await started(csms, version)
        station.link.drop()
        station.connectors[0].end(station.connectors[0].charge, "Local")
        await ended(csms, version)
        assert not any("offline" in each for each in csms.all_of("TransactionEvent"))


async def test_availability_is_an_event():
    async with Csms() as csms, station_at(csms, "2.1", quirky("availability_as_event"), tokens=()):
        event = (await csms.until_heard("NotifyEvent"))[0]["eventData"][0]
        assert event["actualValue"] == "Available"
        assert not csms.all_of("StatusNotification")


@versions
async def test_empty_strings_are_said(version):
    async with Csms() as csms, station_at(csms, version, quirky("empty_strings"), tokens=()):
        boot = (await csms.until_heard("BootNotification"))[0]
        assert "" in (boot.get("chargingStation") or boot).values()


async def test_a_skewed_clock_is_not_set():
    async with (
        Csms() as csms,
        station_at(csms, "1.6", replace(LONG_CHARGE, clock_skew_s=-7200.0), tokens=()) as station,
    ):
        await csms.until_heard("StatusNotification")
        assert station._clock_offset_s == -7200.0
