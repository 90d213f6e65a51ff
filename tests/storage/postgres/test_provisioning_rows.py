"""Rows of the device model, reports, network profiles, follow-ups, availability; what 2.x says of transactions besides.

Alike in both twins.
"""

import pytest

from engine.model.availability import AvailabilityReached, AvailabilityWanted
from engine.model.device_model import (
    ReportFlag,
    ReportFollowed,
    ReportProgress,
    ReportStatus,
    VariableEntry,
    VariableSource,
    VariablesRecorded,
)
from engine.model.facts import JournalEntry, StationFacts
from engine.model.ids import EvseRef
from engine.model.provisioning import NetworkProfileAnswered, PasswordChangeAnswered, VariableRef
from engine.model.remote_control import FollowUp, FollowUpAwaited, FollowUpCame, FollowUpMissing
from engine.model.transactions import (
    TransactionEnded,
    TransactionExtras,
    TransactionFlag,
    TransactionLimit,
    TransactionOpened,
    TransactionUpdated,
)
from storage.blocks.availability import AVAILABILITY
from storage.blocks.device_model import REPORTS, VARIABLES
from storage.blocks.provisioning import NETWORK_PROFILES
from storage.blocks.remote_control import FOLLOW_UPS
from storage.journal_reader import StreamEntry
from storage.queries import EventFilter, Page
from tests.storage.postgres.stories import at

ALL = Page(limit=100)
INTERVAL = VariableRef(component="OCPPCommCtrlr", variable="HeartbeatInterval")
POWER = VariableRef(component="EVSE", variable="Power", evse=EvseRef(1), attribute="MaxSet", variable_instance="L1")
WHOLE = {"mutability": "ReadWrite", "data_type": "integer", "unit": "s", "limit_min": 1.0, "limit_max": 9.0}


@pytest.fixture
async def tell(projection):
    await projection.positions()
    count = 0

    async def tell(*facts, apart=True, station="CP-1"):
        nonlocal count
        for group in [(fact,) for fact in facts] if apart else [facts]:
            count += 1
            entry = JournalEntry(tenant="default", recorded_at=at(0), records=(StationFacts(station, group),))
            await projection.apply([StreamEntry("s0", f"{count}-0", entry)])
        return projection

    return tell


def learned(*entries, second=0, source=VariableSource.REPORT, **more):
    return VariablesRecorded(source=source, at=at(second), entries=entries, **more)


async def of(projection, table, **where):
    return (await projection.block(table, {"station": "CP-1", **where}, ALL)).rows


async def values(projection, **where):
    return {row.variable: row.value for row in await of(projection, VARIABLES, **where)}


async def test_a_reported_variable_is_a_row_with_all_it_has(tell):
    entry = VariableEntry(
        ref=POWER, value="7", values="1,2", persistent=True, constant=False, monitored=True, elements_max=3, **WHOLE
    )
    projection = await tell(learned(entry))
    (row,) = await of(projection, VARIABLES)
    assert row.address == "evse@1.power#l1/maxset"
    assert (row.component, row.variable, row.variable_instance, row.attribute) == ("EVSE", "Power", "L1", "MaxSet")
    assert (row.evse, row.connector, row.value, row.value_next) == (1, None, "7", None)
    assert (row.mutability, row.data_type, row.unit, row.limit_min, row.limit_max) == tuple(WHOLE.values())
    assert (row.allowed, row.persistent, row.constant, row.monitored) == ("1,2", True, False, True)
    assert (row.elements_max, row.source, row.told_at) == (3, "report", at(0))


@pytest.mark.parametrize("apart", [True, False])
async def test_a_read_and_a_write_keep_what_a_report_told(tell, apart):
    projection = await tell(
        learned(VariableEntry(ref=INTERVAL, value="300", **WHOLE)),
        learned(VariableEntry(ref=INTERVAL, value="200"), second=1, source=VariableSource.READ),
        learned(VariableEntry(ref=INTERVAL, value_next="60"), second=2, source=VariableSource.WRITTEN),
        apart=apart,
    )
    (row,) = await of(projection, VARIABLES)
    assert (row.value, row.value_next, row.unit, row.source, row.told_at) == ("200", "60", "s", "written", at(2))
    await tell(learned(VariableEntry(ref=INTERVAL, value="60"), second=3, source=VariableSource.READ))
    (row,) = await of(projection, VARIABLES)
    assert (row.value, row.value_next, row.mutability) == ("60", None, "ReadWrite")


async def test_names_know_no_case_and_1_6_keys_stand_under_the_variable_that_they_mean(tell):
    upper = VariableRef(component="ocppcommctrlr", variable="HEARTBEATINTERVAL")
    key = VariableRef("HeartbeatInterval")
    projection = await tell(
        learned(VariableEntry(ref=INTERVAL, value="1")),
        learned(VariableEntry(ref=upper, value="2"), second=1),
        learned(VariableEntry(ref=key, value="3"), second=2, source=VariableSource.WRITTEN),
        learned(VariableEntry(ref=VariableRef("BlinkRepeat"), value="4"), second=3),
    )
    found = [(row.component, row.variable, row.value) for row in await of(projection, VARIABLES)]
    assert found == [("", "BlinkRepeat", "4"), ("OCPPCommCtrlr", "HeartbeatInterval", "3")]


@pytest.mark.parametrize("apart", [True, False])
async def test_B07_a_whole_inventory_removes_what_it_does_not_name(tell, apart):
    old = VariableRef(component="Old", variable="Old")
    projection = await tell(learned(VariableEntry(ref=old, value="1")))
    await tell(learned(VariableEntry(ref=old, value="x")), station="CP-2")
    await tell(
        learned(VariableEntry(ref=POWER, value="7"), second=10),
        learned(VariableEntry(ref=INTERVAL, value="300"), second=11, replaces_before=at(10)),
        apart=apart,
    )
    assert await values(projection) == {"Power": "7", "HeartbeatInterval": "300"}
    others = (await projection.block(VARIABLES, {"station": "CP-2"}, ALL)).rows
    assert [row.value for row in others] == ["x"]


async def test_a_variable_that_the_station_does_not_know_is_gone(tell):
    projection = await tell(
        learned(VariableEntry(ref=INTERVAL, value="300"), VariableEntry(ref=POWER, value="7")),
        learned(second=1, source=VariableSource.READ, gone=(INTERVAL,)),
    )
    assert await values(projection) == {"Power": "7"}


async def test_variables_are_found_by_name(tell):
    projection = await tell(learned(VariableEntry(ref=INTERVAL, value="300"), VariableEntry(ref=POWER, value="7")))
    assert await values(projection, component="EVSE") == {"Power": "7"}
    assert await values(projection, variable="HeartbeatInterval") == {"HeartbeatInterval": "300"}


async def test_a_report_is_a_row_with_what_is_missing(tell):
    asked = ReportProgress(request_id=4, status=ReportStatus.ASKED, kind="FullInventory")
    part = ReportProgress(
        request_id=4,
        status=ReportStatus.INCOMPLETE,
        kind="FullInventory",
        parts=2,
        missing=(1, 2),
        flags=(ReportFlag.REPEATED,),
        began_at=at(1),
    )
    projection = await tell(ReportFollowed(asked, noted_at=at(0)), learned(second=5, progress=part))
    (row,) = await of(projection, REPORTS)
    assert (row.request_id, row.kind, row.status, row.parts) == (4, "FullInventory", "Incomplete", 2)
    assert (row.missing, row.flags, row.began_at, row.changed_at) == ([1, 2], ["repeated"], at(1), at(5))


async def test_B09_a_network_profile_is_a_row_per_slot(tell):
    said = {"url": "wss://x", "security_profile": 2, "interface": "Wired0", "at": at(0)}
    projection = await tell(
        NetworkProfileAnswered(configuration_slot=1, status="Rejected", **said),
        NetworkProfileAnswered(configuration_slot=1, status="Accepted", **said),
        PasswordChangeAnswered(accepted=True, at=at(1)),
    )
    (row,) = await of(projection, NETWORK_PROFILES)
    assert (row.configuration_slot, row.status, row.url, row.security_profile) == (1, "Accepted", "wss://x", 2)
    events = await projection.events(EventFilter(station="CP-1"), ALL)
    assert {row.kind for row in events.rows} == {"network_profile_answered", "password_change_answered"}


async def test_F02_a_follow_up_is_awaited_and_comes_or_is_missing(tell):
    awaited = FollowUpAwaited(
        command_id="a", what=FollowUp.START, noted_at=at(0), due_at=at(9), token="t", evse=EvseRef(1), remote_start_id=3
    )
    other = FollowUpAwaited(command_id="b", what=FollowUp.BOOT, noted_at=at(1))
    projection = await tell(awaited, other)
    second, first = await of(projection, FOLLOW_UPS)
    assert (first.what, first.status, first.token, first.evse, first.due_at) == ("start", "awaited", "t", 1, at(9))
    assert (second.what, second.status, second.due_at) == ("boot", "awaited", None)
    await tell(
        FollowUpCame(command_id="a", what=FollowUp.START, noted_at=at(5), transaction_id="tx"),
        FollowUpMissing(command_id="b", what=FollowUp.BOOT, noted_at=at(6)),
    )
    second, first = await of(projection, FOLLOW_UPS)
    assert (first.status, first.over_at, first.transaction_id, first.token) == ("came", at(5), "tx", "t")
    assert (second.status, second.over_at) == ("missing", at(6))


async def test_G03_what_is_wanted_of_a_place_and_when_it_was_reached(tell):
    place = EvseRef(1, 2)
    projection = await tell(AvailabilityWanted(evse=place, operative=False, status="Scheduled", at=at(0)))
    (row,) = await of(projection, AVAILABILITY)
    assert (row.evse, row.connector, row.wanted, row.answer) == (1, 2, "Inoperative", "Scheduled")
    assert (row.answered_at, row.reached_at) == (at(0), None)
    await tell(AvailabilityReached(evse=place, operative=False, noted_at=at(3)))
    (row,) = await of(projection, AVAILABILITY)
    assert (row.reached_at, row.answer) == (at(3), "Scheduled")
    await tell(AvailabilityWanted(evse=place, operative=True, status="Accepted", at=at(4)))
    (row,) = await of(projection, AVAILABILITY)
    assert (row.wanted, row.reached_at) == ("Operative", None)


async def test_a_transactions_gaps_and_what_is_said_besides(tell):
    limit = TransactionLimit(energy_wh_max=5000.0)
    opened = TransactionOpened("tx", at(0), at(0), extras=TransactionExtras(operation_mode="ChargingOnly"))
    updated = TransactionUpdated(
        "tx", at(1), at(1), gaps=((1, 2), (4, 4)), extras=TransactionExtras(limit=limit, cost=b'{"totalCost":{}}')
    )
    projection = await tell(opened, updated)
    row = (await projection.transaction("CP-1", "tx")).transaction
    besides = {"operation_mode": "ChargingOnly", "limit": {"energy_wh_max": 5000.0}, "cost": {"totalCost": {}}}
    assert (row.gaps, row.details) == ("1-2, 4", besides)
    await tell(
        TransactionUpdated("tx", at(2), at(2), gaps=()),
        TransactionEnded("tx", at(3), at(3), extras=TransactionExtras(charging_s=60)),
    )
    row = (await projection.transaction("CP-1", "tx")).transaction
    assert (row.gaps, row.details) == (None, {**besides, "charging_s": 60})


async def test_an_end_of_ours_is_corrected_by_the_stations(tell):
    projection = await tell(
        TransactionOpened("tx", at(0), at(0), meter_start_wh=0.0),
        TransactionEnded(
            "tx",
            at(9),
            at(9),
            reason="Abandoned",
            meter_stop_wh=100.0,
            energy_wh=100.0,
            flags=(TransactionFlag.ABANDONED,),
        ),
        TransactionEnded("tx", at(5), at(20), reason="Local", meter_stop_wh=150.0, energy_wh=150.0),
    )
    row = (await projection.transaction("CP-1", "tx")).transaction
    assert (row.ended_at, row.stop_reason, row.meter_stop_wh, row.energy_wh) == (at(5), "Local", 150.0, 150.0)
    assert row.flags == ("abandoned",)
