"""What every book of sites promises, in memory and in Redis: what is kept, what is refused, which facts are told."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from engine.model.caps import CapHeard, CapReleased, CapSaved, CapSource, CapStep, HeldCap
from engine.model.facts import OperatorEntry
from engine.model.ids import DEFAULT_TENANT
from engine.model.plans import Layer, SitePlanned
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
)
from engine.ports import JournalUnavailable
from storage import keys, site_book
from storage.journal_metrics import PLAN_ENTRIES_DROPPED
from storage.site_book import FACTS_PER_ENTRY, RedisSiteBook
from storage.site_book_memory import MemorySiteBook

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def site(ident: str = "depot", *stations: str, **more) -> Site:
    nodes = [SiteNode(node="grid", kind=NodeKind.GRID, limit_a=(63.0, 63.0, 63.0))]
    for station in stations or ("CP-1",):
        nodes.append(SiteNode(node=station, kind=NodeKind.STATION, parent="grid", station=station))
        outlet = Outlet(station=station, evse=1)
        nodes.append(SiteNode(node=f"{station}/1", kind=NodeKind.EVSE, parent=station, outlet=outlet))
    return Site(site=ident, nodes=tuple(nodes), **more)


def cap(source: str = "operator", kw: float | None = 30.0, **more) -> CapSource:
    return CapSource(**({"site": "depot", "source": source, "steps": (CapStep(NOW, kw),)} | more))


def planned(number: int) -> SitePlanned:
    return SitePlanned(
        site=f"site-{number}", at=NOW, layer=Layer.HORIZON, allocator="narke", cars=1, paused=0, changed=1,
        solve_ms=1.0, planned_kw=11.0, limit_kw=None,
    )  # fmt: skip


@pytest.fixture
def site_book_of(world):
    """A book in this world; several share what they keep."""

    def make(**changes):
        if hasattr(world, "store"):
            return MemorySiteBook(world.store, tenant=DEFAULT_TENANT, settings=world.settings(**changes))
        return RedisSiteBook(world.client(), tenant=DEFAULT_TENANT, settings=world.settings(**changes))

    return make


@pytest.fixture
def book(site_book_of):
    return site_book_of()


@pytest.fixture
def told(world):
    """The facts of a stream so far."""

    async def read(stream: str = keys.OPERATOR):
        entries = [entry.entry for entry in await world.reader().read({stream: keys.START}, 10_000)]
        assert all(isinstance(entry, OperatorEntry) for entry in entries)
        return [fact for entry in entries for fact in entry.facts]

    return read


async def test_a_site_is_read_as_it_was_saved(book, site_book_of, told):
    depot = site("depot", "CP-1", "CP-2", time_zone="Europe/Berlin")

    assert await book.save_site(depot, "ada", NOW) == 1

    other = site_book_of()
    assert await other.site("depot") == depot
    assert await other.held_site("depot") == HeldSite(depot, 1, "ada", NOW)
    assert await other.sites() == {"depot": depot}
    assert await other.site("nowhere") is None
    assert await told() == [SiteSaved(depot, 1, "ada", NOW)]


async def test_an_empty_book_has_nothing(book):
    assert await book.sites() == {}
    assert await book.caps() == {}
    assert await book.series() == {}
    assert await book.requests() == ()


async def test_only_a_change_makes_a_revision(book, told):
    await book.save_site(site(), "ada", NOW)
    assert await book.save_site(site(), "bob", LATER) == 1
    assert await book.save_site(site(enabled=False), "bob", LATER) == 2
    assert [fact.revision for fact in await told()] == [1, 2]


async def test_who_names_a_revision_overwrites_no_others_change(book):
    assert await book.save_site(site(), "ada", NOW, revision=0) == 1
    assert await book.save_site(site(enabled=False), "ada", NOW, revision=1) == 2
    with pytest.raises(ValueError, match="is at revision 2, not at 1"):
        await book.save_site(site(), "bob", LATER, revision=1)
    with pytest.raises(ValueError, match="is not there, not at 3"):
        await book.save_site(site("other", "CP-9"), "bob", LATER, revision=3)


async def test_a_station_belongs_to_one_site(book, told):
    await book.save_site(site("depot", "CP-1"), "ada", NOW)
    with pytest.raises(ValueError, match="station CP-1 belongs to site 'depot'"):
        await book.save_site(site("yard", "CP-2", "CP-1"), "ada", NOW)
    assert await book.site("yard") is None
    assert len(await told()) == 1

    await book.save_site(site("depot", "CP-3"), "ada", LATER)
    await book.save_site(site("yard", "CP-2", "CP-1"), "ada", LATER)
    with pytest.raises(ValueError, match="station CP-2 belongs to site 'yard'"):
        await book.save_site(site("depot", "CP-2"), "ada", LATER)


async def test_a_site_that_was_removed_is_gone_with_all_that_belonged_to_it(book, told):
    await book.save_site(site("depot", "CP-1"), "ada", NOW)
    await book.save_cap(cap(), "ada", NOW)
    await book.save_series(
        SiteSeries(site="depot", kind=SeriesKind.PRICE, start_at=NOW, step_s=900, values=(0.1,)), "ada", NOW
    )

    assert await book.remove_site("depot", "ada", LATER)
    assert not await book.remove_site("depot", "ada", LATER)

    assert (await told())[-1] == SiteRemoved("depot", "ada", LATER)
    assert await book.sites() == {}
    await book.save_site(site("yard", "CP-1"), "ada", LATER)
    assert await book.save_site(site("depot", "CP-2"), "ada", LATER) == 2, "history goes on"
    assert await book.caps() == {}
    assert await book.series() == {}


async def test_saves_at_one_time_are_all_made(site_book_of):
    books = [site_book_of() for _ in range(4)]
    sites = [site("depot", name=f"as of {number}") for number in range(4)]
    revisions = await asyncio.gather(*(book.save_site(one, "ada", NOW) for book, one in zip(books, sites, strict=True)))
    assert sorted(revisions) == [1, 2, 3, 4]


async def test_a_site_of_thousands_of_stations_is_kept_and_changed(book):
    names = [f"CP-{number:05}" for number in range(5_000)]
    await book.save_site(site("huge", *names), "ada", NOW)
    await book.save_site(site("huge", *names[1:]), "ada", LATER)
    assert (await book.site("huge")).stations == tuple(names[1:])
    await book.save_site(site("small", names[0]), "ada", LATER)
    with pytest.raises(ValueError, match="CP-04999 belongs to site 'huge'"):
        await book.save_site(site("small", names[0], names[-1]), "ada", LATER)
    assert await book.remove_site("huge", "ada", LATER)
    await book.save_site(site("small", *names), "ada", LATER)


async def test_more_sites_than_are_read_at_once(book):
    for number in range(site_book._SITES_AT_ONCE * 2 + 1):
        await book.save_site(site(f"site-{number:03}", f"CP-{number}"), "ada", NOW)
        await book.save_cap(cap(site=f"site-{number:03}"), "ada", NOW)
    assert list(await book.sites()) == [f"site-{number:03}" for number in range(site_book._SITES_AT_ONCE * 2 + 1)]
    assert len(await book.caps()) == site_book._SITES_AT_ONCE * 2 + 1


async def test_caps_are_saved_heard_and_released(book, told):
    await book.save_site(site(), "ada", NOW)
    await book.save_cap(cap(), "ada", NOW)
    await book.save_cap(cap("grid:north", 11.0, node="grid", heartbeat_s=60.0, fallback_kw=4.2), "north", NOW)

    assert await book.hear_cap("depot", "grid:north", LATER)
    assert not await book.hear_cap("depot", "grid:south", LATER)
    assert not await book.hear_cap("yard", "operator", LATER)

    caps = await book.caps()
    assert caps["depot", "operator"] == HeldCap(cap(), NOW, NOW)
    assert (caps["depot", "grid:north"].saved_at, caps["depot", "grid:north"].heard_at) == (NOW, LATER)
    assert await book.release_cap("depot", "operator", "ada", LATER)
    assert not await book.release_cap("depot", "operator", "ada", LATER)
    assert list(await book.caps()) == [("depot", "grid:north")]
    assert (await told())[1:] == [
        CapSaved(cap(), "ada", NOW),
        CapSaved(caps["depot", "grid:north"].cap, "north", NOW),
        CapHeard("depot", "grid:north", LATER),
        CapReleased("depot", "operator", "ada", LATER),
    ]


async def test_a_newer_cap_replaces_the_one_of_its_source_whole(book):
    await book.save_site(site(), "ada", NOW)
    await book.save_cap(cap(valid_until=LATER), "ada", NOW)
    await book.save_cap(cap(kw=7.0), "ada", LATER)
    assert await book.caps() == {("depot", "operator"): HeldCap(cap(kw=7.0), LATER, LATER)}


async def test_a_site_that_is_not_there_has_no_caps_and_no_prices(book, told):
    with pytest.raises(ValueError, match="there is no site 'depot'"):
        await book.save_cap(cap(), "ada", NOW)
    with pytest.raises(ValueError, match="there is no site 'depot'"):
        await book.save_series(
            SiteSeries(site="depot", kind=SeriesKind.CO2, start_at=NOW, step_s=900, values=(1.0,)), "ada", NOW
        )
    assert await told() == []


async def test_a_site_has_so_many_caps_at_most(book, monkeypatch):
    for module in ("storage.site_book", "storage.site_book_memory"):
        monkeypatch.setattr(f"{module}.CAPS_MAX", 2)
    await book.save_site(site(), "ada", NOW)
    await book.save_cap(cap("a"), "ada", NOW)
    await book.save_cap(cap("b"), "ada", NOW)
    with pytest.raises(ValueError, match="release some"):
        await book.save_cap(cap("c"), "ada", NOW)
    await book.save_cap(cap("b", 5.0), "ada", NOW)


async def test_series_are_kept_by_kind(book, told):
    await book.save_site(site(), "ada", NOW)
    price = SiteSeries(site="depot", kind=SeriesKind.PRICE, start_at=NOW, step_s=3600, values=(0.1, -0.02))
    co2 = SiteSeries(site="depot", kind=SeriesKind.CO2, start_at=NOW, step_s=3600, values=(310.0,))
    await book.save_series(msgspec.structs.replace(price, values=(9.0,)), "ada", NOW)
    await book.save_series(price, "ada", NOW)
    await book.save_series(co2, "ada", NOW)
    assert await book.series() == {("depot", SeriesKind.PRICE): price, ("depot", SeriesKind.CO2): co2}
    assert (await told())[-1] == SeriesSaved(co2, "ada", NOW)


async def test_a_newer_request_for_the_same_place_or_token_replaces_the_older(book):
    await book.ask(DriverRequest(token="04AB", energy_kwh=1.0), "app", NOW)
    await book.ask(DriverRequest(station="CP-1", evse=1, energy_kwh=2.0), "app", NOW + timedelta(seconds=1))
    await book.ask(DriverRequest(token="04ab", energy_kwh=3.0), "app", NOW + timedelta(seconds=2))
    await book.ask(DriverRequest(station="CP-1", evse=2, energy_kwh=4.0), "app", NOW + timedelta(seconds=3))
    assert [asked.request.energy_kwh for asked in await book.requests()] == [2.0, 3.0, 4.0]


async def test_requests_are_forgotten_after_two_days(book, world):
    await book.ask(DriverRequest(token="old"), "app", NOW)
    await book.ask(DriverRequest(token="young"), "app", NOW + timedelta(days=1))
    await book.ask(DriverRequest(token="new"), "app", NOW + timedelta(days=2, seconds=1))
    assert [asked.request.token for asked in await book.requests()] == ["young", "new"]
    assert [asked.request.token for asked in await book.requests(NOW + timedelta(days=3, seconds=1))] == ["new"]
    if not hasattr(world, "store"):
        assert await world.client().hlen(keys.DRIVER_REQUESTS) == 2


async def test_so_many_requests_are_kept_at_most(book, monkeypatch):
    for module in ("storage.site_book", "storage.site_book_memory"):
        monkeypatch.setattr(f"{module}.REQUESTS_MAX", 3)
    for number in range(5):
        await book.ask(DriverRequest(token=f"t{number}"), "app", NOW + timedelta(seconds=number))
    assert [asked.request.token for asked in await book.requests()] == ["t2", "t3", "t4"]


async def test_requests_come_back_as_they_were_asked(book):
    request = DriverRequest(
        station="CP-1", evse=1, energy_kwh=12.5, soc_percent=80.0, departs_at=LATER, priority=3, may_discharge=True
    )
    await book.ask(request, "app", NOW)
    assert await book.requests() == (DriverAsked(request, "app", NOW),)


async def test_what_the_planner_decides_is_in_a_stream_of_its_own(book, told):
    facts = [planned(number) for number in range(FACTS_PER_ENTRY + 1)]
    await book.tell(facts, NOW)
    await book.tell([], NOW)
    assert await told(keys.PLANS) == facts
    assert await told() == []


async def test_a_planner_whose_stream_is_full_goes_on_and_what_is_oldest_is_dropped_and_counted(site_book_of, told):
    book = site_book_of(plan_stream_entries_max=100)
    before = PLAN_ENTRIES_DROPPED._value.get()
    for number in range(350):
        await book.tell([planned(number)], NOW)
    kept = await told(keys.PLANS)
    assert 100 <= len(kept) <= 200
    assert kept == [planned(number) for number in range(350 - len(kept), 350)]
    assert PLAN_ENTRIES_DROPPED._value.get() - before == 350 - len(kept)


async def test_a_full_stream_of_the_operator_refuses_everything_but_plans(site_book_of):
    book = site_book_of(operator_stream_entries_max=1)
    await book.save_site(site(), "ada", NOW)
    refused = (
        lambda: book.save_site(site("yard", "CP-2"), "ada", NOW),
        lambda: book.remove_site("depot", "ada", NOW),
        lambda: book.save_cap(cap(), "ada", NOW),
        lambda: book.save_series(
            SiteSeries(site="depot", kind=SeriesKind.CO2, start_at=NOW, step_s=900, values=(1.0,)), "ada", NOW
        ),
        lambda: book.ask(DriverRequest(token="x"), "app", NOW),
    )
    for change in refused:
        with pytest.raises(JournalUnavailable, match="full"):
            await change()
    await book.tell([planned(1)], NOW)
    assert list(await book.sites()) == ["depot"]


async def test_a_store_that_does_not_answer_is_told_of():
    from storage.journal_memory import MemoryStore  # noqa: PLC0415 (only here)

    store = MemoryStore()
    book = MemorySiteBook(store, tenant=DEFAULT_TENANT)
    store.replies_lost = True
    with pytest.raises(JournalUnavailable):
        await book.save_site(site(), "ada", NOW)
    store.replies_lost = False
    assert await book.save_site(site(), "ada", NOW) == 1, "it had been made, and making it again does no harm"


@pytest.mark.integration
async def test_a_redis_that_is_gone_is_told_of(own_world, server):
    book = RedisSiteBook(own_world.client(), tenant=DEFAULT_TENANT, settings=own_world.settings(command_timeout_s=1))
    await book.save_site(site(), "ada", NOW)
    server.kill()
    for ask in (book.sites, book.caps, book.series, book.requests):
        with pytest.raises(JournalUnavailable):
            await ask()
    with pytest.raises(JournalUnavailable):
        await book.tell([planned(1)], NOW)


@pytest.mark.integration
async def test_a_site_that_redis_has_lost_comes_back_at_its_revision(redis_world):
    book = RedisSiteBook(redis_world.client(), tenant=DEFAULT_TENANT, settings=redis_world.settings())
    held = HeldSite(site(), 7, "ada", NOW)
    await book.restore(held)
    await book.restore(held)
    assert await book.held_site("depot") == held
    assert await book.save_site(site(enabled=False), "bob", LATER) == 8
