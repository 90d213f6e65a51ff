"""A station obeys its charging profiles: what it accepts, what its cars draw then, what it reports."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loadtests.smart_charging import PROFILES_MAX
from tests.loadtests.scripted import Csms
from tests.loadtests.test_station import (
    ACCEPTED,
    LONG_CHARGE,
    newer,
    remote_start,
    remote_stop,
    started,
    station_at,
    statuses,
    transaction_id,
    versions,
)

PROMPT = replace(LONG_CHARGE, reaction_s=0.0, speed=300.0)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # what the scripted CSMS says


def profile(version, limit, *, number=1, stack=0, purpose="TxDefaultProfile", unit="A", **more):
    """Relative, so that no clock matters; `schedule`: fields of the schedule."""
    schedule = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    } | more.pop("schedule", {})
    common = {"stackLevel": stack, "chargingProfilePurpose": purpose, "chargingProfileKind": "Relative"} | more
    if version == "1.6":
        return {"chargingProfileId": number, "chargingSchedule": schedule} | common
    return {"id": number, "chargingSchedule": [{"id": 1} | schedule]} | common


def station_profile(version, limit, **more):
    purpose = "ChargePointMaxProfile" if version == "1.6" else "ChargingStationMaxProfile"
    schedule = {"startSchedule": "2026-11-20T00:00:00Z"}
    return profile(version, limit, purpose=purpose, chargingProfileKind="Absolute", schedule=schedule, **more)


def setting(version, wire, evse=1):
    if version == "1.6":
        return "SetChargingProfile", {"connectorId": evse, "csChargingProfiles": wire}
    return "SetChargingProfile", {"evseId": evse, "chargingProfile": wire}


async def put(csms, version, limit, evse=1, **more):
    make = station_profile if more.pop("station", False) else profile
    return await csms.call(*setting(version, make(version, limit, **more), evse))


async def composite(csms, version, evse=1, unit="A", duration=600):
    place = "connectorId" if version == "1.6" else "evseId"
    asked = {place: evse, "duration": duration, "chargingRateUnit": unit}
    answer = await csms.call("GetCompositeSchedule", asked)
    schedule = answer.get("chargingSchedule") or answer["schedule"]
    return [(each["startPeriod"], each["limit"]) for each in schedule["chargingSchedulePeriod"]]


async def clear(csms, version, **criteria):
    if version == "1.6" or not criteria:
        return await csms.call("ClearChargingProfile", criteria)
    return await csms.call("ClearChargingProfile", {"chargingProfileCriteria": criteria})


def own(version, name):
    return int(name) if version == "1.6" else name


def currents(csms):
    """Per phase, of each message with meter values."""
    return [
        float(value["value"])
        for _, payload, _ in csms.heard
        for meter in payload.get("meterValue", ())
        for value in meter["sampledValue"]
        if value.get("measurand") == "Current.Import" and value["phase"] == "L1"
    ]


@versions
async def test_a_car_draws_what_its_profile_allows_and_waits_where_that_is_too_little(version):
    async with Csms() as csms, station_at(csms, version, PROMPT) as station:
        name = await transaction_id(csms, station, version)
        await csms.until(lambda: currents(csms)[-1:] >= [12])
        limits = {"purpose": "TxProfile", "transactionId": own(version, name)}
        assert await put(csms, version, 10, **limits) == ACCEPTED
        await csms.until(lambda: 9 < currents(csms)[-1] <= 10)
        assert await put(csms, version, 5.9, **limits) == ACCEPTED
        await csms.until(lambda: currents(csms)[-1] == 0)
        if version == "1.6":
            await csms.until(lambda: statuses(csms)[-1] == "SuspendedEVSE")
        else:
            await csms.until_heard("TransactionEvent", triggerReason="ChargingStateChanged", count=2)
            assert csms.all_of("TransactionEvent")[-1]["transactionInfo"]["chargingState"] == "SuspendedEVSE"
        assert await clear(csms, version, chargingProfilePurpose="TxProfile") == ACCEPTED
        await csms.until(lambda: currents(csms)[-1] > 10)


@versions
async def test_a_transactions_profile_needs_it_and_dies_with_it(version):
    async with Csms() as csms, station_at(csms, version, replace(PROMPT, idle_s=(1e3, 1e3))) as station:
        name = await transaction_id(csms, station, version)
        limits = {"purpose": "TxProfile", "transactionId": own(version, name)}
        wrong = limits | {"transactionId": own(version, "987654")}
        assert (await put(csms, version, 10, **wrong))["status"] == "Rejected"
        assert await put(csms, version, 10, **limits) == ACCEPTED
        assert await composite(csms, version) == [(0, 10)]
        await csms.call(*remote_stop(version, name))
        await csms.until(lambda: statuses(csms)[-1] == "Available")
        assert await composite(csms, version) == [(0, 32)]
        assert (await put(csms, version, 10, **limits))["status"] == "Rejected"


@newer
async def test_2x_says_why_it_refuses(version):
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")
        cases = {
            "UnknownEvse": profile(version, 9) | {"evse": 9},
            "TxNotFound": profile(version, 9, purpose="TxProfile", transactionId="x"),
            "InvalidStackLevel": profile(version, 9, stack=10),
            "UnsupportedPurpose": profile(version, 9, purpose="ChargingStationExternalConstraints"),
        }
        for reason, wire in cases.items():
            answer = await csms.call(*setting(version, wire, wire.pop("evse", 1)))
            assert answer == {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
        assert await put(csms, version, 9) == ACCEPTED
        assert (await put(csms, version, 7, number=2))["statusInfo"]["reasonCode"] == "DuplicateProfile"
        assert await put(csms, version, 7) == ACCEPTED  # the same id replaces
        assert await composite(csms, version) == [(0, 7)]


async def test_in_16_the_same_place_in_the_stack_replaces():
    async with Csms() as csms, station_at(csms, "1.6", tokens=()):
        await csms.until_heard("StatusNotification")
        assert await put(csms, "1.6", 9) == ACCEPTED
        assert await put(csms, "1.6", 7, number=2) == ACCEPTED
        assert await clear(csms, "1.6", id=1) == {"status": "Unknown"}
        assert await clear(csms, "1.6", id=2) == ACCEPTED


@versions
async def test_profiles_are_few(version):
    async with Csms() as csms, station_at(csms, version, replace(PROMPT, connectors=5), tokens=()):
        await csms.until_heard("StatusNotification")
        for number in range(PROFILES_MAX):
            place = {"stack": number % 10, "evse": 1 + number // 10}
            assert await put(csms, version, 9, number=number, **place) == ACCEPTED
        assert (await put(csms, version, 9, number=99, evse=5))["status"] == "Rejected"


@versions
async def test_clearing_needs_all_that_is_said_to_fit(version):
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")
        await put(csms, version, 9)
        await put(csms, version, 10, number=2, stack=1)
        await put(csms, version, 30, number=3, evse=0, station=True)
        assert await clear(csms, version, stackLevel=7) == {"status": "Unknown"}
        assert await clear(csms, version, stackLevel=1, chargingProfilePurpose="TxProfile") == {"status": "Unknown"}
        assert await clear(csms, version, stackLevel=1, chargingProfilePurpose="TxDefaultProfile") == ACCEPTED
        assert await composite(csms, version) == [(0, 9)]
        place = "connectorId" if version == "1.6" else "evseId"
        assert await clear(csms, version, **{place: 0}) == ACCEPTED
        assert await composite(csms, version, evse=0) == [(0, 9)]
        assert await clear(csms, version) == ACCEPTED
        assert await clear(csms, version) == {"status": "Unknown"}


@versions
async def test_composite_schedules_come_in_the_unit_that_is_asked_for(version):
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")
        await put(csms, version, 10)
        assert await composite(csms, version, unit="W") == [(0, 6900)]
        await put(csms, version, 5000, unit="W")
        assert await composite(csms, version) == [(0, 7.2)]  # 7.246: never more than the limit
        place = "connectorId" if version == "1.6" else "evseId"
        assert await csms.call("GetCompositeSchedule", {place: 9, "duration": 60}) == {"status": "Rejected"}


@versions
async def test_two_cars_share_the_stations_maximum(version):
    habits = replace(PROMPT, connectors=2)
    async with Csms() as csms, station_at(csms, version, habits) as station:
        await csms.until(lambda: all(each.charge is not None for each in station.connectors))
        assert await put(csms, version, 20, evse=0, station=True) == ACCEPTED
        await csms.until(lambda: all(each.limit.current_a == 10 for each in station.connectors))
        assert await put(csms, version, 11, evse=0, station=True) == ACCEPTED
        await csms.until(lambda: sorted(each.limit.current_a for each in station.connectors) == [0, 11])


@versions
async def test_a_remote_start_brings_its_profile(version):
    async with Csms() as csms, station_at(csms, version, PROMPT, tokens=()) as station:
        await csms.until_heard("StatusNotification")
        more = {"chargingProfile": profile(version, 8, purpose="TxProfile")}
        place = "connectorId" if version == "1.6" else "evseId"
        assert (await csms.call(*remote_start(version, **more, **{place: 1})))["status"] == "Accepted"
        await started(csms, version)
        assert station.connectors[0].limit.current_a == 8
        bad = {"chargingProfile": profile(version, 8, stack=77, purpose="TxProfile")}
        name = await transaction_id(csms, station, version)
        await csms.call(*remote_stop(version, name))
        await csms.until(lambda: station.connectors[0].idle)
        assert (await csms.call(*remote_start(version, **bad)))["status"] == "Rejected"


@newer
async def test_profiles_are_reported_by_evse(version):
    async with Csms() as csms, station_at(csms, version, replace(PROMPT, connectors=2), tokens=()):
        await csms.until_heard("StatusNotification")
        await put(csms, version, 9)
        await put(csms, version, 10, number=2, stack=1)
        await put(csms, version, 30, number=3, evse=0, station=True)

        async def asked(**more):
            return await csms.call("GetChargingProfiles", {"requestId": 7, "chargingProfile": {}} | more)

        assert await asked() == ACCEPTED
        reports = await csms.until_heard("ReportChargingProfiles", 2)
        assert [(each["evseId"], each.get("tbc", False), len(each["chargingProfile"])) for each in reports] == [
            (0, True, 1),
            (1, False, 2),
        ]
        assert await asked(evseId=2) == {"status": "NoProfiles"}
        assert await asked(chargingProfile={"chargingProfileId": [2]}) == ACCEPTED
        assert (await csms.until_heard("ReportChargingProfiles", 3))[2]["chargingProfile"][0]["id"] == 2


async def test_a_dynamic_profile_follows_its_updates_and_pulls_them():
    async with Csms() as csms, station_at(csms, "2.1", tokens=()):
        await csms.until_heard("StatusNotification")
        csms.answers["PullDynamicScheduleUpdate"] = [{"status": "Accepted", "scheduleUpdate": {"limit": 14}}]
        wire = profile("2.1", 9, chargingProfileKind="Dynamic", dynUpdateInterval=1)
        assert await csms.call(*setting("2.1", wire)) == ACCEPTED
        update = {"chargingProfileId": 1, "scheduleUpdate": {"limit": 12}}
        assert await csms.call("UpdateDynamicSchedule", update) == ACCEPTED
        assert await composite(csms, "2.1") == [(0, 12)]
        assert await csms.call("UpdateDynamicSchedule", update | {"chargingProfileId": 5}) == {"status": "Rejected"}
        assert (await csms.until_heard("PullDynamicScheduleUpdate"))[0] == {"chargingProfileId": 1}
        while await composite(csms, "2.1") != [(0, 14)]:  # the station heeds the reply a turn after it came
            pass


async def test_priority_charging_is_switched_on_and_told():
    async with Csms() as csms, station_at(csms, "2.1", PROMPT) as station:
        name = await transaction_id(csms, station, "2.1")
        use = {"transactionId": name, "activate": True}
        assert await csms.call("UsePriorityCharging", use) == {"status": "NoProfile"}
        await put(csms, "2.1", 9)
        assert await put(csms, "2.1", 30, number=2, purpose="PriorityCharging") == ACCEPTED
        assert await composite(csms, "2.1") == [(0, 9)]
        assert await csms.call("UsePriorityCharging", use) == ACCEPTED
        assert (await csms.until_heard("NotifyPriorityCharging"))[0] == {"transactionId": name, "activated": True}
        assert await composite(csms, "2.1") == [(0, 30)]
        assert await csms.call("UsePriorityCharging", use | {"transactionId": "x"}) == {"status": "Rejected"}


async def test_a_new_limit_takes_its_time():
    async with Csms() as csms, station_at(csms, "1.6", replace(PROMPT, reaction_s=1e3)) as station:
        await transaction_id(csms, station, "1.6")
        before = station.connectors[0].limit
        await put(csms, "1.6", 10)
        await csms.until_heard("MeterValues", len(csms.all_of("MeterValues")) + 2)
        assert station.connectors[0].limit == before
        assert station.connectors[0].reacts_at is not None


@pytest.mark.parametrize("version", ["1.6", "2.1"])
async def test_some_say_minus_one_for_no_limit(version):
    async with Csms() as csms, station_at(csms, version, replace(PROMPT, quirks=("negative_limits",)), tokens=()):
        await csms.until_heard("StatusNotification")
        assert await composite(csms, version) == [(0, -1)]


@versions
async def test_a_moody_station_rejects_some_profiles_for_nothing(version, monkeypatch):
    monkeypatch.setattr("loadtests.smart_charging.REJECTED_SHARE", 0.5)
    habits = replace(PROMPT, quirks=("rejects_some_profiles",))
    async with Csms() as csms, station_at(csms, version, habits, tokens=()):
        await csms.until_heard("StatusNotification")
        answers = [await put(csms, version, 10) for _ in range(40)]
        assert 5 < answers.count(ACCEPTED) < 35
        assert answers.count(ACCEPTED) + answers.count({"status": "Rejected"}) == 40
