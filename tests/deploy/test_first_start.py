"""The first start makes everything right, every later one compares, and a new Redis is filled from PostgreSQL."""

from datetime import UTC, datetime

import pytest

from deploy.first_start import prepare
from deploy.servers.local import LocalServers
from deploy.settings import Settings
from deploy.wiring.parts import book_of, journal_of, postgres_url, site_book_of
from engine.model.authorization import Token, TokenRecord, TokenSaved
from engine.model.caps import CapHeard, CapSaved, CapSource, CapStep, HeldCap
from engine.model.facts import JournalEntry, OperatorEntry, StationFacts
from engine.model.sites import (
    HeldSite,
    NodeKind,
    SeriesKind,
    SeriesSaved,
    Site,
    SiteNode,
    SiteSaved,
    SiteSeries,
)
from engine.model.stations import StationRecord, StationRegistered
from engine.model.transactions import TransactionOpened
from storage.layout import LayoutDiffers
from storage.postgres import open_pool
from storage.projection.projector import Projector
from storage.redis_client import redis_client

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HEARD = datetime(2026, 11, 21, 10, 1, tzinfo=UTC)
TOKEN = TokenRecord(Token("T-1"), group="G")
STATION = StationRecord("CP-1", security_profile=1, password_hash="$argon2id$...")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Settings with running servers."""
    plain = Settings(data_dir=tmp_path_factory.mktemp("first") / "data")
    servers = LocalServers(plain)
    urls = servers.start()
    yield plain.with_servers(postgres_url=urls.postgres_url, redis_url=urls.redis_url)
    servers.stop()


def with_actors(settings, **changes):
    return settings.model_copy(update={"actors": settings.actors.model_copy(update=changes)})


async def test_a_second_start_finds_all_as_it_was(settings):
    await prepare(settings)
    key = (settings.data_dir / "api-key").read_text()
    await prepare(settings)
    assert (settings.data_dir / "api-key").read_text() == key
    assert (settings.data_dir / "api-key").stat().st_mode & 0o777 == 0o600


async def test_another_number_of_shards_is_refused(settings):
    await prepare(settings)
    with pytest.raises(LayoutDiffers, match=r"set actors\.shards = 64"):
        await prepare(with_actors(settings, shards=32))


async def test_the_other_actor_mode_is_refused(settings):
    await prepare(settings)
    with pytest.raises(LayoutDiffers, match="several stations per actor"):
        await prepare(with_actors(settings, stations_per_actor=1))


async def test_an_empty_redis_is_filled_from_postgres(settings):
    await prepare(settings)
    opened = TransactionOpened(transaction_id="4711", started_at=NOW, received_at=NOW, number=4711)
    operator = OperatorEntry(settings.tenant, NOW, (TokenSaved(TOKEN, NOW), StationRegistered(STATION, NOW)))
    journal = JournalEntry(settings.tenant, NOW, (StationFacts("CP-1", (opened,)),))
    pool = await open_pool(postgres_url(settings), settings.postgres, name="test")
    await Projector(pool, settings.tenant).apply([("operator", "1-1", operator), ("s1", "1-1", journal)])
    await pool.close()
    redis = redis_client(settings.redis)
    await redis.execute_command("FLUSHALL")

    await prepare(settings)

    book = book_of(settings, redis)
    assert await book.token("t-1") == TOKEN
    assert await book.station("CP-1") == STATION
    assert (await journal_of(settings, redis).reserve_transaction_numbers(1))[0] == 4712
    await redis.aclose()


async def test_an_older_redis_gives_no_number_that_postgres_has(settings):
    older = settings.model_copy(update={"tenant": "older"})
    await prepare(older)
    opened = TransactionOpened(transaction_id="5000", started_at=NOW, received_at=NOW, number=5000)
    pool = await open_pool(postgres_url(older), older.postgres, name="test")
    entry = JournalEntry("older", NOW, (StationFacts("CP-1", (opened,)),))
    await Projector(pool, "older").apply([("s1", "1-1", entry)])
    await pool.close()

    await prepare(older)

    redis = redis_client(older.redis)
    assert (await journal_of(older, redis).reserve_transaction_numbers(1))[0] == 5001
    await redis.aclose()


async def test_an_empty_redis_gets_sites_caps_and_prices_back(settings):
    await prepare(settings)
    site = Site(site="depot", nodes=(SiteNode(node="grid", kind=NodeKind.GRID, limit_kw=40.0),))
    cap = CapSource(site="depot", source="grid:north", steps=(CapStep(NOW, 11.0),), fallback_kw=4.2, heartbeat_s=60.0)
    price = SiteSeries(site="depot", kind=SeriesKind.PRICE, start_at=NOW, step_s=900, values=(0.3,))
    facts = (
        SiteSaved(site, 3, "ada", NOW),
        CapSaved(cap, "north", NOW),
        CapHeard("depot", "grid:north", HEARD),
        SeriesSaved(price, "ada", NOW),
    )
    pool = await open_pool(postgres_url(settings), settings.postgres, name="test")
    entry = OperatorEntry(settings.tenant, NOW, facts)
    await Projector(pool, settings.tenant).apply([("plans", "1-1", entry)])
    await pool.close()
    redis = redis_client(settings.redis)
    await redis.execute_command("FLUSHALL")

    await prepare(settings)

    book = site_book_of(settings, redis)
    assert await book.held_site("depot") == HeldSite(site, 3, "ada", NOW)
    assert await book.caps() == {("depot", "grid:north"): HeldCap(cap, NOW, HEARD)}
    assert await book.series() == {("depot", SeriesKind.PRICE): price}
    await redis.aclose()
