"""Retention: partitions are there before they are needed and gone when nobody wants them any more."""

from datetime import date, timedelta

import psycopg
import pytest

from engine.model.campaigns import CampaignStarted
from engine.model.commands import CommandRequest, CommandRequested, CommandSettled, Outcome, Result
from engine.model.provisioning import ResetKind, ResetStation
from storage.blocks.campaigns import CAMPAIGNS
from storage.blocks.registry import TABLES
from storage.blocks.table import Table
from storage.partitions import Partition, partition_named
from storage.postgres import Pool
from storage.postgres_settings import RetentionSettings
from storage.projection import Projector
from storage.queries import CommandFilter, EventFilter, MessageFilter, MeterValueFilter, Page, Queries
from storage.retention import expired, keep_retention
from tests.storage.postgres.stories import NOW, at, booted, entry, message, operator_entry, readings

SETTINGS = RetentionSettings(meter_values_days=10, messages_days=3, events_days=31, commands_days=10)
DAY_S = 86_400


@pytest.mark.integration
async def test_partitions_are_made_for_today_and_two_days_more(pool: Pool):
    kept = await keep_retention(pool, SETTINGS, NOW)
    assert kept.made == (
        "exchanges_20261121", "exchanges_20261122", "exchanges_20261123", "meter_values_20261121",
        "meter_values_20261122", "meter_values_20261123", "station_events_202611",
    )  # fmt: skip
    assert (await keep_retention(pool, SETTINGS, NOW)).made == ()


@pytest.mark.integration
async def test_rows_older_than_their_setting_go_and_all_others_stay(pool: Pool):
    days = (0, 2, 3, 4, 10, 11, 60)
    facts = [fact for day in days for fact in (readings(-day * DAY_S, float(day)), booted(-day * DAY_S))]
    await Projector(pool, "default").apply(
        [entry("1-0", *facts), ("messages", "1-0", [message(-day * DAY_S) for day in days])]
    )
    kept = await keep_retention(pool, SETTINGS, NOW)
    assert kept.dropped == (
        "station_events_202609",
        "exchanges_20260922",
        "meter_values_20260922",
        "exchanges_20261110",
        "meter_values_20261110",
        "exchanges_20261111",
        "exchanges_20261117",
    )
    queries = Queries(pool, "default")
    values = await queries.meter_values(MeterValueFilter(station="CP-1"), Page())
    assert [row.value for row in values.rows] == [0.0, 2.0, 3.0, 4.0, 10.0]
    messages = await queries.messages(MessageFilter(), Page(oldest_first=True))
    assert [row.at for row in messages.rows] == [at(-day * DAY_S) for day in (0, 2, 3)]
    events = await queries.events(EventFilter(), Page(oldest_first=True))
    assert [row.at for row in events.rows] == [at(-day * DAY_S) for day in (0, 2, 3, 4, 10, 11)]
    assert (await keep_retention(pool, SETTINGS, NOW)).dropped == ()


@pytest.mark.integration
async def test_a_partition_that_somebody_reads_is_left_for_the_next_time(
    pool: Pool, database: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("storage.retention.LOCK_TIMEOUT_MS", 50)
    await Projector(pool, "default").apply([("messages", "1-0", [message(-9 * DAY_S), message(-8 * DAY_S)])])
    async with await psycopg.AsyncConnection.connect(database) as reader:
        await reader.execute("SELECT * FROM exchanges_20261112")
        kept = await keep_retention(pool, SETTINGS, NOW)
        assert (kept.dropped, kept.busy) == (("exchanges_20261113",), ("exchanges_20261112",))
    assert (await keep_retention(pool, SETTINGS, NOW)).dropped == ("exchanges_20261112",)


@pytest.mark.integration
async def test_an_entry_older_than_the_retention_is_written_and_goes_with_the_next_run(pool: Pool):
    projector = Projector(pool, "default")
    await keep_retention(pool, SETTINGS, NOW)
    for number in (1, 2):
        await projector.apply([("messages", f"{number}-0", [message(-100 * DAY_S)])])
        assert (await keep_retention(pool, SETTINGS, NOW)).dropped == ("exchanges_20260813",)
    assert (await Queries(pool, "default").counts(NOW)).bad_entries == 0


@pytest.mark.integration
async def test_old_commands_go_when_they_are_settled(pool: Pool):
    def requested(command_id: str, days: int) -> CommandRequested:
        moment = NOW - timedelta(days=days)
        reset = ResetStation(kind=ResetKind.IMMEDIATE)
        request = CommandRequest(
            command_id=command_id, station="CP-1", command=reset, requested_at=moment, deadline_at=moment
        )
        return CommandRequested(request=request)

    def settled(command_id: str) -> CommandSettled:
        return CommandSettled(command_id=command_id, outcome=Outcome(result=Result.ACCEPTED), at=NOW)

    facts = [requested("old", 11), settled("old"), requested("open", 11), requested("new", 9), settled("new")]
    await Projector(pool, "default").apply([entry("1-0", *facts)])
    assert (await keep_retention(pool, SETTINGS, NOW)).commands == 1
    rows = (await Queries(pool, "default").commands(CommandFilter(), Page())).rows
    assert [row.command_id for row in rows] == ["new", "open"]


@pytest.mark.integration
async def test_old_rows_of_blocks_go(pool: Pool):
    """A campaign stands for all tables that grow old."""
    projector = Projector(pool, "default")
    facts = tuple(
        CampaignStarted(name, ResetStation(kind=ResetKind.IMMEDIATE), ("CP-1",), 1.0, 30.0, NOW - timedelta(days=days))
        for name, days in (("old", 401), ("new", 399))
    )
    await projector.apply([operator_entry("1-0", *facts)])
    assert (await keep_retention(pool, SETTINGS, NOW)).rows == 1
    page = await Queries(pool, "default").block(CAMPAIGNS, {}, Page())
    assert [row.campaign_id for row in page.rows] == ["new"]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_rows_grow_old_by_a_time(table: Table):
    assert table.ages_by is None or table.kinds()[table.ages_by] == "timestamptz"


def test_a_month_of_events_goes_only_as_a_whole():
    october = Partition("station_events", date(2026, 10, 1))
    settings = RetentionSettings(events_days=31)
    assert expired({october}, settings, at(10 * DAY_S)) == []  # the 1st of December: the 31st of October is 31 days old
    assert expired({october}, settings, at(11 * DAY_S)) == [october]


@pytest.mark.parametrize(
    "name",
    ["exchanges_202611", "messages_20261121", "station_events_20261121", "tokens_20261121", "exchanges_old", "x"],
)
def test_tables_that_are_not_named_as_partitions_are_not_touched(name: str):
    assert partition_named(name) is None


def test_a_partition_is_known_by_its_name():
    for partition in (Partition("exchanges", date(2026, 11, 21)), Partition("station_events", date(2026, 2, 1))):
        assert partition_named(partition.name) == partition
