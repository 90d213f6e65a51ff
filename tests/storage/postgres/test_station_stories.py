"""What the planner begins with: what stations told and were told is told again, up to a place in the streams."""

import pytest
from msgspec.structs import replace

from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
    ScheduleUpdate,
)
from engine.model.commands import CommandRequest, CommandRequested, CommandSent, CommandSettled, Outcome, Result
from engine.model.device_model import VariableEntry, VariableSource, VariablesRecorded
from engine.model.metering import ReadingsRecorded
from engine.model.provisioning import StationBooted, VariableRef
from engine.model.sessions import SessionStarted
from engine.model.smart_charging import (
    AcNeeds,
    DynamicScheduleUpdated,
    EvNeeds,
    LimitImposed,
    LimitReported,
    NeedsRecorded,
    NeedsReported,
    NeedsVerdict,
    ProfileInstalled,
    ProfileRemoved,
    RemovalReason,
    SetChargingProfile,
)
from engine.model.transactions import TransactionOpened, TransactionUpdated
from storage.projection import Projector
from storage.queries import station_stories as module
from storage.queries.station_stories import station_stories
from tests.storage.postgres.stories import at, booted, entry, readings, session_ended, session_started, story_16

TENANT = "default"
SCHEDULE = ChargingSchedule(
    unit=RateUnit.A,
    periods=(SchedulePeriod(start_s=0, limit=16.0), SchedulePeriod(start_s=900, limit=6.0)),
    start_at=at(0),
)
PROFILE = ChargingProfile(
    id=7, stack_level=3, purpose=ProfilePurpose.TX, kind=ProfileKind.ABSOLUTE, schedules=(SCHEDULE,), transaction_id="1"
)
OPENED = TransactionOpened("1", at(5), at(6), meter_start_wh=100.0)
pytestmark = pytest.mark.integration


@pytest.fixture
def projector(pool):
    return Projector(pool, TENANT)


async def told(pool, projector, *facts, by="planner", meters=(), station="CP-1"):
    await projector.apply([entry("5-1", *facts, station=station)])
    stories = await station_stories(pool, TENANT, ["CP-1", "CP-2"], by=by, meters=meters)
    assert stories.positions["s1"] == "5-1"
    return [fact for fact, _ in stories.facts.get("CP-1", ())]


async def test_nothing_is_told_of_a_station_that_nobody_knows(pool):
    stories = await station_stories(pool, TENANT, ["CP-1"], by="planner")
    assert (stories.positions, stories.facts) == ({}, {})


async def test_a_session_and_a_make_are_told_while_it_is_connected(pool, projector):
    facts = await told(pool, projector, session_started(version="2.1"), booted())
    boot, session = facts
    assert isinstance(boot, StationBooted)
    assert boot.boot.vendor == booted().boot.vendor
    assert isinstance(session, SessionStarted)
    assert session.opened.version == "2.1"


async def test_a_session_that_ended_is_not_told(pool, projector):
    facts = await told(pool, projector, session_started(), session_ended(5))
    assert not [fact for fact in facts if isinstance(fact, SessionStarted)]


async def test_an_open_transaction_is_told_with_what_it_came_to(pool, projector):
    update = TransactionUpdated("1", at(60), at(61), meter_last_wh=900.0)
    facts = await told(pool, projector, OPENED, update)
    opened, updated = [fact for fact in facts if isinstance(fact, TransactionOpened | TransactionUpdated)]
    assert (opened.started_at, opened.meter_start_wh) == (at(5), 100.0)
    assert updated.meter_last_wh == 900.0


async def test_a_transaction_that_ended_is_not_told(pool, projector):
    await projector.apply(story_16())
    stories = await station_stories(pool, TENANT, ["CP-1"], by="planner")
    assert not [fact for fact, _ in stories.facts["CP-1"] if isinstance(fact, TransactionOpened)]


async def test_installed_profiles_are_told_whole_and_removed_ones_not(pool, projector):
    other = replace(PROFILE, id=8, purpose=ProfilePurpose.TX_DEFAULT, transaction_id=None)
    facts = await told(
        pool,
        projector,
        ProfileInstalled(1, PROFILE, at(1)),
        ProfileInstalled(1, other, at(2)),
        ProfileRemoved(8, 1, RemovalReason.CLEARED, at(3)),
    )
    assert facts == [ProfileInstalled(1, PROFILE, at(1))]


async def test_a_dynamic_profile_is_told_with_its_numbers(pool, projector):
    dynamic = replace(PROFILE, kind=ProfileKind.DYNAMIC)
    update = DynamicScheduleUpdated(7, ScheduleUpdate(limit=9.0), at(2))
    facts = await told(pool, projector, ProfileInstalled(1, dynamic, at(1)), update)
    assert facts == [ProfileInstalled(1, dynamic, at(1)), update]


async def test_a_limit_of_others_is_told(pool, projector):
    imposed = LimitImposed(LimitReported("EMS", 1, grid_critical=True, schedules=(SCHEDULE,)), at(1))
    assert await told(pool, projector, imposed) == [imposed]


async def test_what_a_car_needs_is_told_while_its_transaction_is_open(pool, projector):
    report = NeedsReported(1, EvNeeds(energy_transfer="AC_three_phase", ac=AcNeeds(5000.0, 6.0, 32.0, 230.0)))
    needs = NeedsRecorded(report, NeedsVerdict.PROCESSING, at(7), "1")
    facts = await told(pool, projector, OPENED, needs, NeedsRecorded(report, NeedsVerdict.PROCESSING, at(8), "gone"))
    assert [fact for fact in facts if isinstance(fact, NeedsRecorded)] == [needs]


async def test_variables_of_smart_charging_are_told(pool, projector):
    entries = (
        VariableEntry(VariableRef("PeriodsPerSchedule", "SmartChargingCtrlr"), "24"),
        VariableEntry(VariableRef("Heartbeat", "OCPPCommCtrlr"), "300"),
    )
    facts = await told(pool, projector, VariablesRecorded(VariableSource.READ, at(1), entries))
    assert [(entry.ref.variable, entry.value) for fact in facts for entry in fact.entries] == [
        ("PeriodsPerSchedule", "24")
    ]


def request(command_id, by="planner"):
    return CommandRequest(command_id, "CP-1", SetChargingProfile(1, PROFILE), at(1), at(31), by)


@pytest.fixture
def _recently(monkeypatch):
    monkeypatch.setattr(module, "UNCERTAIN_FOR", at(0) - at(-86_400.0 * 36_500))


@pytest.mark.usefixtures("_recently")
async def test_commands_on_their_way_are_told_and_those_whose_fate_is_unknown(pool, projector):
    facts = await told(
        pool,
        projector,
        CommandRequested(request("open")),
        CommandSent("open", "i:1:1", at(2), at(32)),
        CommandRequested(request("lost")),
        CommandSettled("lost", Outcome(Result.LOST), at(9)),
        CommandRequested(request("done")),
        CommandSettled("done", Outcome(Result.ACCEPTED, "Accepted"), at(9)),
        CommandRequested(request("other", by="somebody")),
    )
    requested = {fact.request.command_id: fact.request for fact in facts if isinstance(fact, CommandRequested)}
    assert requested.keys() == {"open", "lost"}
    assert requested["open"].command == SetChargingProfile(1, PROFILE)
    assert [fact.command_id for fact in facts if isinstance(fact, CommandSent)] == ["open"]
    assert [(f.command_id, f.outcome.result) for f in facts if isinstance(f, CommandSettled)] == [("lost", Result.LOST)]


async def test_what_a_meter_said_lately_is_told_as_it_said_it(pool, projector, monkeypatch):
    monkeypatch.setattr(module, "METERED_FOR", at(0) - at(-86_400.0 * 36_500))
    said = readings(3, 10.0, 20.0, transaction_id=None)
    facts = await told(pool, projector, said, meters=["CP-1"])
    (heard,) = [fact for fact in facts if isinstance(fact, ReadingsRecorded)]
    assert heard.received_at == said.received_at
    assert [reading.value for reading in heard.readings] == [10.0, 20.0]


async def test_a_row_that_cannot_be_read_is_left_out_and_the_others_are_told(pool, projector):
    facts = [ProfileInstalled(1, PROFILE, at(1)), ProfileInstalled(1, replace(PROFILE, id=8, stack_level=4), at(2))]
    await projector.apply([entry("5-1", *facts)])
    async with pool.connection() as connection:
        await connection.execute('UPDATE charging_profiles SET profile = \'{"id": "x"}\' WHERE profile_id = 7')
    stories = await station_stories(pool, TENANT, ["CP-1"], by="planner")
    assert [fact.profile.id for fact, _ in stories.facts["CP-1"]] == [8]
