"""Sites, caps and plans as rows: both twins hold the same, and a Redis that was lost gets them back."""

from datetime import timedelta

import msgspec
import pytest

from engine.model.caps import CapHeard, CapReleased, CapSaved, CapSource, CapStep, HeldCap
from engine.model.facts import OperatorEntry
from engine.model.plans import (
    AlertKind,
    Competitor,
    Layer,
    LimitDecided,
    PlanStep,
    SiteAlertCleared,
    SiteAlertRaised,
    SitePlanned,
    Why,
)
from engine.model.sites import (
    DriverAsked,
    DriverRequest,
    HeldSite,
    NodeKind,
    Outlet,
    SeriesKind,
    SeriesSaved,
    Site,
    SiteNode,
    SiteRemoved,
    SiteSaved,
    SiteSeries,
    TimedLimit,
)
from storage.blocks import caps, plans, sites
from storage.journal_reader import StreamEntry
from storage.postgres_settings import RetentionSettings
from storage.projection import Projector
from storage.queries.paging import Page
from storage.restore import site_records
from storage.retention import keep_retention
from tests.storage.postgres.conftest import TENANT
from tests.storage.postgres.stories import NOW, at, operator_entry

ALL = Page(limit=1000)


def depot(*stations: str, **more) -> Site:
    nodes = [
        SiteNode(
            node="grid",
            kind=NodeKind.GRID,
            limit_a=(63.0, 63.0, 63.0),
            limit_kw=40.0,
            timed=(TimedLimit(from_s=61_200, to_s=72_000, weekdays=(1, 2), limit_kw=20.0),),
        )
    ]
    for station in stations:
        nodes.append(SiteNode(node=f"at {station}", kind=NodeKind.STATION, parent="grid", station=station))
        nodes += [
            SiteNode(
                node=f"{station}/{evse}",
                kind=NodeKind.EVSE,
                parent=f"at {station}",
                outlet=Outlet(station=station, evse=evse),
            )
            for evse in (1, 2)
        ]
    return Site(site="depot", nodes=tuple(nodes), **more)


CAP = CapSource(
    site="depot",
    source="grid:north",
    steps=(CapStep(NOW, 11.0), CapStep(at(600), None)),
    fallback_kw=4.2,
    heartbeat_s=60.0,
)
SERIES = SiteSeries(site="depot", kind=SeriesKind.PRICE, start_at=NOW, step_s=3600, values=(0.31, -0.02))
DECIDED = LimitDecided(
    site="depot", node="CP-1/1", station="CP-1", evse=1, at=NOW, current_a=11.0, before_a=16.0, why=Why.ROW,
    layer=Layer.HORIZON, allocator="narke", transaction_id="t-1", binding="grid kW", binding_limit=40.0,
    binding_used=40.0, unit="kW", competitors=(Competitor("CP-2/1", 16.0, 1),), energy_kwh=12.5, departs_at=at(3600),
    need="token", plan=(PlanStep(NOW, 11.0), PlanStep(at(900), 6.0)), trigger="cap operator",
)  # fmt: skip
PLANNED = SitePlanned(
    site="depot", at=NOW, layer=Layer.REAL_TIME, allocator="narke", cars=3, paused=1, changed=2, solve_ms=0.8,
    planned_kw=22.0, limit_kw=40.0, note="the horizon was late", battery_kw=(("store", -5.0),),
)  # fmt: skip


@pytest.fixture
async def tell(projection):
    """Applies facts, one entry each; returns the projection."""
    await projection.positions()
    count = 0

    async def tell(*facts, stream="operator"):
        nonlocal count
        for fact in facts:
            count += 1
            entry = OperatorEntry(tenant=TENANT, recorded_at=NOW, facts=(fact,))
            await projection.apply([StreamEntry(stream, f"{count}-0", entry)])
        return projection

    return tell


async def rows(projection, table, **where):
    return (await projection.block(table, where, ALL)).rows


async def one(projection, table, **where):
    (row,) = await rows(projection, table, **where)
    return row


async def test_a_site_is_a_row_with_every_revision_whole(tell):
    first, second = depot("CP-1"), depot("CP-1", "CP-2", enabled=False)
    projection = await tell(SiteSaved(first, 1, "ada", at(0)), SiteSaved(second, 2, "bob", at(5)))

    row = await one(projection, sites.SITES)
    assert (row.revision, row.active, row.enabled, row.stations, row.evses, row.nodes) == (2, True, False, 2, 4, 7)
    assert (row.saved_by, row.limit_kw) == ("bob", 40.0)
    assert msgspec.convert(row.document, Site) == second
    versions = await rows(projection, sites.VERSIONS, site="depot")
    assert [(version.revision, version.saved_by) for version in versions] == [(2, "bob"), (1, "ada")]
    assert msgspec.convert(versions[1].document, Site) == first


async def test_stations_of_a_site_are_those_of_its_last_revision(tell):
    projection = await tell(
        SiteSaved(depot("CP-1", "CP-2"), 1, "ada", at(0)), SiteSaved(depot("CP-2"), 2, "ada", at(1))
    )
    row = await one(projection, sites.STATIONS)
    assert (row.site, row.station, row.node, row.evses, row.nodes) == (
        "depot", "CP-2", "at CP-2", 2, ["CP-2/1", "CP-2/2"],
    )  # fmt: skip


async def test_a_site_that_was_removed_leaves_its_history(tell):
    projection = await tell(
        SiteSaved(depot("CP-1"), 1, "ada", at(0)),
        SeriesSaved(SERIES, "ada", at(1)),
        CapSaved(CAP, "north", at(2)),
        SiteRemoved("depot", "bob", at(9)),
    )
    row = await one(projection, sites.SITES)
    assert (row.active, row.removed_by, row.removed_at) == (False, "bob", at(9))
    assert await rows(projection, sites.STATIONS) == ()
    assert await rows(projection, sites.SERIES) == ()
    assert await rows(projection, caps.CAPS) == ()
    assert len(await rows(projection, sites.VERSIONS)) == 1
    assert [row.event for row in await rows(projection, caps.HISTORY)] == ["saved"]


async def test_a_site_that_comes_back_is_there(tell):
    saved = SiteSaved(depot("CP-1"), 1, "ada", at(0))
    projection = await tell(saved, SiteRemoved("depot", "bob", at(1)), SiteSaved(depot("CP-1"), 2, "ada", at(2)))
    row = await one(projection, sites.SITES)
    assert (row.active, row.removed_at, row.removed_by, row.revision) == (True, None, None, 2)


async def test_caps_are_told_heard_and_released(tell):
    projection = await tell(CapSaved(CAP, "north", at(0)), CapHeard("depot", "grid:north", at(30)))
    row = await one(projection, caps.CAPS, site="depot", active=True)
    assert (row.saved_at, row.heard_at, row.fallback_kw, row.direction) == (at(0), at(30), 4.2, "import")
    assert [step["kw"] for step in row.steps] == [11.0, None]

    await tell(CapReleased("depot", "grid:north", "north", at(60)))
    row = await one(projection, caps.CAPS)
    assert (row.active, row.released_at, row.released_by) == (False, at(60), "north")
    assert [(row.event, row.at) for row in await rows(projection, caps.HISTORY)] == [
        ("released", at(60)),
        ("saved", at(0)),
    ]

    await tell(CapSaved(CAP, "north", at(90)))
    row = await one(projection, caps.CAPS)
    assert (row.active, row.released_at, row.heard_at) == (True, None, at(90))


async def test_prices_and_requests(tell):
    asked = DriverAsked(DriverRequest(station="CP-1", evse=2, energy_kwh=20.0, departs_at=at(3600)), "app", at(1))
    by_token = DriverAsked(DriverRequest(token="04AB", may_discharge=True), "app", at(2))
    projection = await tell(SeriesSaved(SERIES, "ada", at(0)), asked, by_token)
    row = await one(projection, sites.SERIES, kind="price")
    assert (row.start_at, row.step_s, row.numbers) == (NOW, 3600, [0.31, -0.02])
    newest, oldest = await rows(projection, sites.REQUESTS)
    assert (oldest.place, oldest.energy_kwh, oldest.departs_at) == ("CP-1/2", 20.0, at(3600))
    assert (newest.place, newest.token, newest.may_discharge) == ("token:04AB", "04AB", True)


async def test_a_decision_tells_what_why_and_beside_whom(tell):
    later = msgspec.structs.replace(DECIDED, at=at(60), sent=False)
    projection = await tell(DECIDED, later, stream="plans")
    newest, oldest = await rows(projection, plans.DECISIONS, station="CP-1")
    assert (newest.at, newest.sent, oldest.sent) == (at(60), False, True)
    assert (oldest.current_a, oldest.before_a, oldest.why, oldest.layer) == (11.0, 16.0, "row", "horizon")
    assert (oldest.binding, oldest.binding_limit, oldest.binding_used, oldest.unit) == ("grid kW", 40.0, 40.0, "kW")
    assert oldest.details["competitors"] == [{"node": "CP-2/1", "current_a": 16.0, "priority": 1}]
    assert [step["current_a"] for step in oldest.details["plan"]] == [11.0, 6.0]
    assert oldest.details["need"] == "token"


async def test_plans_are_a_history(tell):
    projection = await tell(PLANNED, stream="plans")
    row = await one(projection, plans.PLANS, site="depot")
    assert (row.layer, row.cars, row.paused, row.planned_kw) == ("real_time", 3, 1, 22.0)
    assert (row.note, row.battery_kw) == ("the horizon was late", {"store": -5.0})


async def test_alerts_come_change_and_go(tell):
    raised = SiteAlertRaised(
        site="depot", kind=AlertKind.OVERLOAD, node="grid", at=at(0), detail="too much", over=3.0, unit="kW"
    )
    worse = msgspec.structs.replace(raised, at=at(10), over=5.0)
    projection = await tell(raised, worse, stream="plans")
    row = await one(projection, plans.ALERTS, active=True)
    assert (row.at, row.over, row.detail) == (at(10), 5.0, "too much")

    await tell(SiteAlertCleared("depot", AlertKind.OVERLOAD, "grid", at(20)), stream="plans")
    row = await one(projection, plans.ALERTS)
    assert (row.active, row.cleared_at, row.detail) == (False, at(20), "too much")
    assert [(row.event, row.over) for row in await rows(projection, plans.ALERT_HISTORY)] == [
        ("cleared", None),
        ("raised", 5.0),
        ("raised", 3.0),
    ]

    await tell(SiteRemoved("depot", "ada", at(30)))
    assert await rows(projection, plans.ALERTS) == ()


async def test_two_streams_keep_their_own_places(projection):
    await projection.positions()
    saved = OperatorEntry(tenant=TENANT, recorded_at=NOW, facts=(SiteSaved(depot("CP-1"), 1, "ada", NOW),))
    planned = OperatorEntry(tenant=TENANT, recorded_at=NOW, facts=(PLANNED,))
    await projection.apply([StreamEntry("operator", "7-0", saved), StreamEntry("plans", "3-0", planned)])
    await projection.apply([StreamEntry("operator", "7-0", saved), StreamEntry("plans", "3-0", planned)])
    assert len(await rows(projection, plans.PLANS)) == 1
    assert (await projection.positions())["plans"] == "3-0"


@pytest.mark.integration
async def test_what_grows_goes_in_time_and_what_stands_stays(pool):
    projector = Projector(pool, TENANT)
    asked = DriverAsked(DriverRequest(token="x"), "app", NOW)
    facts = (SiteSaved(depot("CP-1"), 1, "ada", NOW), CapSaved(CAP, "north", NOW), asked, DECIDED, PLANNED)
    await projector.apply([operator_entry("1-0", *facts)])
    kept = RetentionSettings(history_days=400, private_days=30, values_days=90)

    assert (await keep_retention(pool, kept, NOW + timedelta(days=31))).rows == 1, "the request"
    assert (await keep_retention(pool, kept, NOW + timedelta(days=91))).rows == 2, "decision and plan"
    assert (await keep_retention(pool, kept, NOW + timedelta(days=401))).rows == 1, "what was said about caps"
    assert (await site_records(pool, TENANT)).sites == [HeldSite(depot("CP-1"), 1, "ada", NOW)]


@pytest.mark.integration
async def test_a_redis_that_was_lost_gets_sites_caps_and_prices_back(pool):
    projector = Projector(pool, TENANT)
    gone = msgspec.structs.replace(CAP, source="gone")
    await projector.apply(
        [
            operator_entry("1-0", SiteSaved(depot("CP-1"), 1, "ada", at(0)), SiteSaved(depot("CP-2"), 2, "bob", at(1))),
            operator_entry("2-0", CapSaved(CAP, "north", at(2)), CapHeard("depot", "grid:north", at(3))),
            operator_entry("3-0", CapSaved(gone, "x", at(2)), CapReleased("depot", "gone", "x", at(3))),
            operator_entry("4-0", SeriesSaved(SERIES, "ada", at(4))),
        ]
    )
    found = await site_records(pool, TENANT)
    assert found.sites == [HeldSite(depot("CP-2"), 2, "bob", at(1))]
    assert found.caps == [(HeldCap(CAP, at(2), at(3)), "north")]
    assert found.series == [(SERIES, "ada")]
