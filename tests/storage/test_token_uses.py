"""Who charges where: from the tables of a real PostgreSQL to a real Redis, as deciders ask for it."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.model.authorization import Token, TokenRecord, TokenRemoved, TokenSaved, TransactionUse
from engine.model.facts import JournalEntry, OperatorEntry, StationFacts
from engine.model.transactions import TransactionEnded, TransactionOpened
from storage import keys
from storage.journal import RedisJournal
from storage.journal_reader import StreamEntry
from storage.postgres import open_pool
from storage.postgres_settings import PostgresSettings
from storage.redis_client import redis_client, redis_link
from storage.redis_settings import RedisSettings
from storage.token_uses import TTL_S, TokenUses
from tests.storage.postgres.conftest import PostgresProjection, Servers
from tests.storage.redis.redis_server import RedisServer

pytestmark = pytest.mark.integration

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TENANT = "default"


@pytest.fixture(scope="module")
def postgres():
    servers = Servers()
    yield servers.get("embedded")
    servers.stop()


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server.url
    server.stop()


class World:
    """The tables, Redis and what is between them."""

    def __init__(self, pool, client, settings):
        self.pool, self.client = pool, client
        self.projection = PostgresProjection(pool, TENANT)
        self.link = redis_link(client, settings)
        self.journal = RedisJournal(client, tenant=TENANT, settings=settings)
        self.entries = 0

    async def tell(self, station, *facts):
        self.entries += 1
        entry = JournalEntry(tenant=TENANT, recorded_at=NOW, records=(StationFacts(station, facts),))
        await self.projection.apply([StreamEntry("s0", f"{self.entries}-0", entry)])

    async def keep(self, *facts):
        self.entries += 1
        entry = OperatorEntry(tenant=TENANT, recorded_at=NOW, facts=facts)
        await self.projection.apply([StreamEntry("operator", f"{self.entries}-0", entry)])

    def uses(self, *, everybody=True, per_group=False):
        return TokenUses(self.pool, self.link, TENANT, everybody=everybody, per_group=per_group, forgotten_h=24)

    async def read(self, *names):
        found = await self.journal.uses(names)
        return {name: {(use.station, use.transaction_id) for use in uses} for name, uses in found.items()}


@pytest.fixture
async def world(postgres, redis_url):
    url = postgres.new_database("narke_template")
    pool = await open_pool(url, PostgresSettings(), name="tests")
    settings = RedisSettings(url=redis_url)
    client = redis_client(settings)
    await client.flushdb()
    made = World(pool, client, settings)
    await made.projection.positions()
    await made.keep(
        TokenSaved(TokenRecord(Token("A"), group="g"), NOW),
        TokenSaved(TokenRecord(Token("B"), group="g", concurrent_max=1), NOW),
        TokenSaved(TokenRecord(Token("C")), NOW),
    )
    yield made
    await client.aclose()
    await pool.close()
    postgres.drop_database(url)


def opened(name, token, at=NOW):
    return TransactionOpened(transaction_id=name, started_at=at, received_at=at, token=Token(token))


def ended(name):
    return TransactionEnded(transaction_id=name, ended_at=NOW, received_at=NOW)


async def test_open_transactions_are_found_by_their_token_over_all_stations(world):
    await world.tell("CP-1", opened("1", "a"), opened("2", "C"))
    await world.tell("CP-2", opened("1", "A"))
    await world.uses().refresh(NOW)
    assert await world.read("token:a", "token:b", "token:c") == {
        "token:a": {("CP-1", "1"), ("CP-2", "1")},
        "token:c": {("CP-1", "2")},
    }


async def test_they_are_found_by_their_group_where_that_counts(world):
    await world.tell("CP-1", opened("1", "A"), opened("2", "C"))
    await world.tell("CP-2", opened("3", "B"))
    await world.uses(per_group=True).refresh(NOW)
    assert await world.read("group:g", "token:c", "token:a") == {
        "group:g": {("CP-1", "1"), ("CP-2", "3")},
        "token:c": {("CP-1", "2")},
    }


@pytest.mark.parametrize(("per_group", "names"), [(False, {"token:b"}), (True, {"group:g"})])
async def test_where_only_some_have_a_limit_only_those_are_looked_at(world, per_group, names):
    await world.tell("CP-1", opened("1", "A"), opened("2", "C"), opened("3", "B"))
    await world.uses(everybody=False, per_group=per_group).refresh(NOW)
    assert set(await world.read("token:a", "token:b", "token:c", "group:g")) == names


async def test_one_that_ends_is_gone_with_the_next_look(world):
    uses = world.uses()
    await world.tell("CP-1", opened("1", "A"), opened("2", "A"))
    await uses.refresh(NOW)
    await world.tell("CP-1", ended("1"))
    await uses.refresh(NOW)
    assert await world.read("token:a") == {"token:a": {("CP-1", "2")}}
    await world.tell("CP-1", ended("2"))
    await uses.refresh(NOW)
    assert await world.read("token:a") == {}


async def test_one_whose_stop_was_lost_is_forgotten_in_time(world):
    await world.tell("CP-1", opened("1", "A"))
    uses = world.uses()
    await uses.refresh(NOW + timedelta(hours=23))
    assert await world.read("token:a") != {}
    await uses.refresh(NOW + timedelta(hours=25))
    assert await world.read("token:a") == {}


async def test_tokens_that_are_not_known_any_more_do_not_count(world):
    await world.tell("CP-1", opened("1", "A"))
    await world.keep(TokenRemoved(Token("A"), NOW))
    await world.uses().refresh(NOW)
    assert await world.read("token:a") == {}


async def test_what_nobody_keeps_up_goes_by_itself_and_what_is_kept_up_does_not(world):
    uses = world.uses()
    await world.tell("CP-1", opened("1", "A"))
    await uses.refresh(NOW)
    assert 0 < await world.client.ttl(keys.use_key("token:a")) <= TTL_S
    await world.client.expire(keys.use_key("token:a"), 5)
    await uses.refresh(NOW + timedelta(seconds=1))
    assert await world.client.ttl(keys.use_key("token:a")) <= 5
    await uses.refresh(NOW + timedelta(seconds=TTL_S / 2))
    assert await world.client.ttl(keys.use_key("token:a")) > 5


async def test_a_process_that_comes_back_writes_all_of_it_again(world):
    await world.tell("CP-1", opened("1", "A"))
    await world.uses().refresh(NOW)
    await world.client.flushdb()
    await world.uses().refresh(NOW)
    assert await world.journal.uses(["token:a"]) == {"token:a": (TransactionUse("CP-1", "1"),)}


async def test_nothing_asked_is_nothing_read(world):
    assert await world.journal.uses([]) == {}
