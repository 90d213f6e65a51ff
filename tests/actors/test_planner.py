"""The planner's process over memory twins: sites come and go, cars are planned, orders and decisions go out."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from actors import planner as module
from actors.planner import PlannerActor
from actors.planner_feed import Feed
from actors.planner_sites import SiteLoader
from actors.postgres_planner import ReadsFailed
from engine.model.caps import CapSource, CapStep
from engine.model.codec import decode_charging_profile
from engine.model.commands import CommandRequested, CommandSettled, Outcome, Result
from engine.model.facts import StationFacts
from engine.model.ids import EvseRef, unit_of
from engine.model.plans import LimitDecided, SitePlanned
from engine.model.provisioning import BootReported, Registration, StationBooted
from engine.model.sessions import SessionOpened, SessionStarted
from engine.model.smart_charging import ProfileInstalled, SetChargingProfile
from engine.model.transactions import ChargingState, TransactionOpened
from engine.ports import UnitCommit
from smartcharging.planning.settings import PlannerSettings
from smartcharging.planning.site_planner import SitePlanner
from storage import keys
from storage.journal_memory import MemoryJournal, MemoryJournalReader, MemoryStore
from storage.queries.station_stories import Stories
from storage.site_book_memory import MemorySiteBook
from tests.smartcharging.wire.fleet import VirtualStation, site_of

SHARDS = 8
SETTINGS = PlannerSettings(coalesce_s=0.01, pace_s=0.0)
SITE = site_of(2, limit_a=40.0, allocator="max-min")


def renamed(node):
    outlet = node.outlet and replace(node.outlet, station=f"X{node.outlet.station}")
    return replace(node, station=node.station and f"X{node.station}", outlet=outlet)


OTHER = replace(SITE, site="other", nodes=tuple(map(renamed, SITE.nodes)))


class Clock:
    def now(self):
        return datetime.now(UTC)


class Reads:
    """PostgreSQL, as of what was told."""

    def __init__(self):
        self.facts = {}
        self.positions = {}
        self.away = False
        self.asked = []

    async def stories(self, stations, meters):
        self._check()
        self.asked.append(tuple(stations))
        assert meters == []
        return Stories(dict(self.positions), {name: self.facts[name] for name in stations if name in self.facts})

    async def history(self, stations, now):
        self._check()
        del stations, now
        return ()

    def _check(self):
        if self.away:
            raise ReadsFailed("PostgreSQL is away")


class House:
    """Stations that obey, a journal that they write to, and planners over it. Implements `CommandGateway`."""

    def __init__(self):
        self.store = MemoryStore()
        self.journal = MemoryJournal(self.store, tenant="t")
        self.book = MemorySiteBook(self.store, tenant="t")
        self.reads = Reads()
        self.stations = {}
        self.orders = []
        self.planners = []
        self.failing = set()

    def planner(self, name="planner-0", peers=("planner-0",)):
        clock = Clock()
        made = len(self.planners)
        source = MemoryJournalReader(self.store)

        def make(site):
            if site.site in self.failing:
                raise ValueError("no allocator is called 'astrology'")
            return SitePlanner(site, SETTINGS, name=f"w{made}:{site.site}")

        planner = PlannerActor(
            SiteLoader(name, peers, self.book, self.reads, make, clock),
            Feed(source, shards=SHARDS),
            source,
            self.book,
            self,
            clock,
            reconcile_s=0.05,
        )
        self.planners.append(planner)
        return planner

    async def started(self, **how):
        planner = self.planner(**how)
        await planner.start()
        return planner

    async def close(self):
        for planner in self.planners:
            await planner.stop()

    # Stations

    async def connect(self, *names, version="1.6"):
        now = datetime.now(UTC)
        for name in names:
            self.stations[name] = VirtualStation(name, version)
            opened = SessionOpened(session=f"s-{name}", ingress="i", version=version, address="a", at=now)
            boot = StationBooted(BootReported("V", "M"), Registration.ACCEPTED, 300, now)
            await self.record(name, SessionStarted(opened), boot)

    async def start(self, name, transaction):
        now = datetime.now(UTC)
        self.stations[name].plugs_in(transaction)
        opened = TransactionOpened(transaction, now, now, evse=EvseRef(1, 1), charging_state=ChargingState.CHARGING)
        await self.record(name, opened)

    async def record(self, name, *facts):
        unit = unit_of(name, SHARDS, literal=False)
        await self.journal.claim(unit, 1)
        commit = UnitCommit(unit=unit, epoch=1, records=(StationFacts(name, facts),), states={})
        await self.journal.commit([commit], datetime.now(UTC))

    async def submit_many(self, requests):
        now = datetime.now(UTC)
        for request in requests:
            self.orders.append(request)
            outcome, more = Outcome(Result.OFFLINE), ()
            if request.station in self.stations:
                outcome = self.stations[request.station].do(request.command)
                if outcome.result is Result.ACCEPTED and isinstance(request.command, SetChargingProfile):
                    more = (ProfileInstalled(request.command.evse, request.command.profile, now),)
            settled = CommandSettled(request.command_id, outcome, now)
            await self.record(request.station, CommandRequested(request), settled, *more)
        return []

    def may_draw_a(self, name):
        return self.stations[name].may_draw_a(datetime.now(UTC))

    def told(self, kind):
        entries = [each.entry for each in self.store.entries(keys.PLANS)]
        return [fact for entry in entries for fact in entry.facts if isinstance(fact, kind)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name in ("RETRY_S_MIN", "RETRY_S_MAX"):
        monkeypatch.setattr(module, name, 0.01)


@pytest.fixture
async def house():
    made = House()
    yield made
    await made.close()


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def charging(house, *names):
    await house.book.save_site(SITE, "me", datetime.now(UTC))
    planner = await house.started()
    await house.connect("CP0", "CP1")
    await until(lambda: all(station.profiles for station in house.stations.values()))
    for number, name in enumerate(names):
        await house.start(name, str(100 + number))
    await until(lambda: all(house.may_draw_a(name) > 15 for name in names))
    return planner


async def test_a_site_is_planned_and_its_cars_are_told(house):
    planner = await charging(house, "CP0", "CP1")
    assert house.may_draw_a("CP0") + house.may_draw_a("CP1") <= 40.0 + 1e-6
    health = await planner.health()
    assert (health["failure"], health["sites"]) == ("", 1)
    assert all(request.by == "planner" for request in house.orders)
    assert len({request.command_id for request in house.orders}) == len(house.orders)


async def test_decisions_go_to_the_planners_own_stream(house):
    await charging(house, "CP0")
    await until(lambda: any(fact.station == "CP0" for fact in house.told(LimitDecided)))
    assert house.told(SitePlanned)


async def test_a_site_that_is_saved_later_is_planned_too(house):
    planner = await house.started()
    await until(lambda: not planner._failure)
    await house.connect("CP0", "CP1")
    await house.book.save_site(SITE, "me", datetime.now(UTC))
    await until(lambda: all(station.profiles for station in house.stations.values()))


async def test_a_site_that_changes_is_planned_as_it_is_now(house):
    await charging(house, "CP0", "CP1")
    grid, *others = SITE.nodes
    smaller = replace(SITE, nodes=(replace(grid, limit_a=(24.0, 24.0, 24.0)), *others))
    await house.book.save_site(smaller, "me", datetime.now(UTC))
    await until(lambda: house.may_draw_a("CP0") + house.may_draw_a("CP1") <= 24.0 + 1e-6)


@pytest.mark.parametrize("how", ["removed", "disabled"])
async def test_a_site_that_is_not_to_be_planned_is_left_alone(house, how):
    planner = await charging(house, "CP0")
    if how == "removed":
        await house.book.remove_site("site", "me", datetime.now(UTC))
    else:
        await house.book.save_site(replace(SITE, enabled=False), "me", datetime.now(UTC))
    await until(lambda: "site" not in planner._sites)
    before = len(house.orders)
    await house.start("CP1", "200")
    await asyncio.sleep(0.2)
    assert len(house.orders) == before


async def test_a_cap_reaches_the_cars(house):
    await charging(house, "CP0", "CP1")
    now = datetime.now(UTC)
    cap = CapSource(site="site", source="operator", steps=(CapStep(now - timedelta(seconds=1), 13.8),), emergency=True)
    await house.book.save_cap(cap, "me", now)
    await until(lambda: (house.may_draw_a("CP0") + house.may_draw_a("CP1")) * 0.69 <= 13.8 + 1e-6)
    urgent = [request for request in house.orders if request.priority > 50]
    assert {request.station for request in urgent} == {"CP0", "CP1"}


async def test_after_an_emergency_all_else_waits_for_a_bounded_time(house, monkeypatch):
    monkeypatch.setattr(module, "CALM_AFTER_EMERGENCY", timedelta(seconds=0.3))
    planner = await charging(house, "CP0")
    now = datetime.now(UTC)
    cap = CapSource(site="site", source="operator", steps=(CapStep(now - timedelta(seconds=1), 20.0),), emergency=True)
    await house.book.save_cap(cap, "me", now)
    await until(lambda: planner._hurry is not None)
    assert planner._is_in_a_hurry(datetime.now(UTC))
    await until(lambda: planner._hurry is None)
    await house.start("CP1", "200")
    await until(lambda: house.may_draw_a("CP1") > 10)
    planner._hurry = (datetime.now(UTC) - module.HURRY_MAX, datetime.now(UTC))
    assert not planner._is_in_a_hurry(datetime.now(UTC))


@pytest.mark.parametrize(
    ("began_s", "last_s", "is_hushed"),
    [(0.5, 0.5, True), (5.0, 1.0, True), (3.0, 2.5, False), (6.5, 0.1, False), (-5.0, -5.0, False)],
)
def test_stations_are_not_heard_while_they_are_told_of_emergencies_for_a_bounded_time(began_s, last_s, is_hushed):
    now = datetime.now(UTC)
    hurry = now - timedelta(seconds=began_s), now - timedelta(seconds=last_s)
    assert module._is_hushed(hurry, now) is is_hushed
    assert not module._is_hushed(None, now)


async def test_killed_it_goes_on_with_what_the_store_has(house):
    planner = await charging(house, "CP0", "CP1")
    await planner.stop()
    now = datetime.now(UTC)
    cap = CapSource(site="site", source="operator", steps=(CapStep(now - timedelta(seconds=1), 13.8),))
    await house.book.save_cap(cap, "me", now)
    await house.started()
    await until(lambda: (house.may_draw_a("CP0") + house.may_draw_a("CP1")) * 0.69 <= 13.8 + 1e-6)


async def test_without_postgres_it_waits_and_says_so(house):
    house.reads.away = True
    await house.book.save_site(SITE, "me", datetime.now(UTC))
    planner = await house.started()
    await until(lambda: planner._failure == "PostgreSQL is away")
    await house.connect("CP0")
    assert house.orders == []
    house.reads.away = False
    await until(lambda: house.stations["CP0"].profiles)
    assert (await planner.health())["failure"] == ""


async def test_while_redis_is_away_nothing_is_planned_and_then_it_begins_anew(house):
    planner = await charging(house, "CP0")
    house.store.unavailable = True
    await until(lambda: planner._failure)
    assert await planner.first_profile("CP1", 1) is None
    house.store.unavailable = False
    await until(lambda: not planner._failure)
    await house.start("CP1", "200")
    await until(lambda: house.may_draw_a("CP1") > 15)


async def test_a_site_that_cannot_be_planned_does_not_hinder_the_others(house):
    house.failing.add("other")
    await house.book.save_site(OTHER, "me", datetime.now(UTC))
    planner = await charging(house, "CP0")
    assert list(planner._sites) == ["site"]


async def test_a_planner_that_breaks_rests_and_the_others_go_on(house, monkeypatch):
    await house.book.save_site(OTHER, "me", datetime.now(UTC))
    planner = await charging(house, "CP0")
    broken = planner._sites["other"].planner
    monkeypatch.setattr(broken, "draft", lambda _now: 1 / 0)
    await house.connect("XCP0")
    await until(lambda: planner._sites["other"].rests_until is not None)
    await house.start("CP1", "200")
    await until(lambda: house.may_draw_a("CP1") > 15)


async def test_two_processes_share_the_sites(house):
    await house.book.save_site(SITE, "me", datetime.now(UTC))
    await house.book.save_site(OTHER, "me", datetime.now(UTC))
    peers = ("planner-0", "planner-1")
    planners = [await house.started(name=name, peers=peers) for name in peers]
    await until(lambda: not any(planner._failure for planner in planners))
    shared = [set(planner._sites) for planner in planners]
    assert shared[0] | shared[1] == {"site", "other"}
    assert not shared[0] & shared[1]


async def test_what_the_stream_did_not_tell_is_found_in_the_book(house):
    planner = await charging(house, "CP0", "CP1")
    planner._feed._positions[keys.OPERATOR] = "999999999-0"  # as if an entry had been missed
    now = datetime.now(UTC)
    cap = CapSource(site="site", source="operator", steps=(CapStep(now - timedelta(seconds=1), 13.8),))
    await house.book.save_cap(cap, "me", now)
    await until(lambda: (house.may_draw_a("CP0") + house.may_draw_a("CP1")) * 0.69 <= 13.8 + 1e-6)


async def test_a_start_gets_its_first_profile(house):
    planner = await charging(house, "CP0")
    profile = decode_charging_profile(await planner.first_profile("CP1", 1))
    assert profile.transaction_id is None
    assert await planner.first_profile("NOBODY", 1) is None
