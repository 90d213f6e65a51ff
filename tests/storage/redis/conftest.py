"""A Redis of the session, a Redis of a test, and the two worlds that every contract test runs in."""

import importlib.util
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from redis.asyncio import Redis

from engine.model.ids import DEFAULT_TENANT
from storage.journal import RedisJournal
from storage.journal_memory import MemoryJournal, MemoryJournalReader, MemoryStore
from storage.journal_reader import EntrySource, JournalReader
from storage.operator_book import RedisOperatorBook
from storage.operator_book_memory import MemoryOperatorBook
from storage.redis_client import redis_client
from storage.redis_settings import RedisSettings


def _sibling(name: str) -> ModuleType:
    """A plain module beside this file: with --import-mode=importlib tests are in no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RedisServer = _sibling("redis_server").RedisServer


@pytest.fixture(scope="session")
def _session_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[object]:
    """Makes servers of a test's own, which it may kill; all are ended with the test."""
    made = []

    def make(**options: str) -> object:
        directory = tmp_path / f"redis{len(made)}"
        directory.mkdir()
        server = RedisServer(directory, **options)
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.kill()


@pytest.fixture
def server(new_server):
    return new_server()


class RedisWorld:
    """All stores over one Redis."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clients: list[Redis] = []

    def settings(self, **changes: object) -> RedisSettings:
        return RedisSettings(url=self.url, **changes)

    def client(self, **changes: object) -> Redis:
        self.clients.append(redis_client(self.settings(**changes)))
        return self.clients[-1]

    def journal(self, **changes: object) -> RedisJournal:
        return RedisJournal(self.client(**changes), tenant=DEFAULT_TENANT, settings=self.settings(**changes))

    def book(self, **changes: object) -> RedisOperatorBook:
        return RedisOperatorBook(self.client(**changes), tenant=DEFAULT_TENANT, settings=self.settings(**changes))

    def reader(self, **changes: object) -> EntrySource:
        return JournalReader(self.client(**changes), self.settings(**changes))

    async def wipe(self) -> None:
        await self.client().flushdb()

    async def close(self) -> None:
        for client in self.clients:
            await client.aclose()


class MemoryWorld:
    """All stores over one `MemoryStore`."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    def settings(self, **changes: object) -> RedisSettings:
        return RedisSettings(**changes)

    def journal(self, **changes: object) -> MemoryJournal:
        return MemoryJournal(self.store, tenant=DEFAULT_TENANT, settings=self.settings(**changes))

    def book(self, **changes: object) -> MemoryOperatorBook:
        return MemoryOperatorBook(self.store, tenant=DEFAULT_TENANT, settings=self.settings(**changes))

    def reader(self, **_changes: object) -> EntrySource:
        return MemoryJournalReader(self.store)

    async def wipe(self) -> None:
        self.store.wipe()


@pytest.fixture
async def redis_world(request: pytest.FixtureRequest) -> AsyncIterator[RedisWorld]:
    """An empty Redis that other tests use too, one after the other."""
    world = RedisWorld(request.getfixturevalue("_session_server").url)
    await world.wipe()
    yield world
    await world.close()


@pytest.fixture
async def own_world(server) -> AsyncIterator[RedisWorld]:
    """A Redis of this test's own: `server` may be killed."""
    world = RedisWorld(server.url)
    yield world
    await world.close()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.integration)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[RedisWorld | MemoryWorld]:
    """Whatever is true in one must be true in the other."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    redis = RedisWorld(request.getfixturevalue("_session_server").url)
    await redis.wipe()
    yield redis
    await redis.close()


_proxies = _sibling("redis_proxy")


@pytest.fixture
async def proxy(server) -> AsyncIterator[object]:
    """A way to this test's own Redis that can be held up or cut."""
    made = _proxies.RedisProxy(server.port)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def proxied_world(server, proxy) -> AsyncIterator[RedisWorld]:
    """This test's own Redis through `proxy`."""
    world = RedisWorld(server.url.replace(str(server.port), str(proxy.port)))
    yield world
    await world.close()


@pytest.fixture
async def world_of_answer() -> AsyncIterator[object]:
    """Makes worlds whose Redis gives one answer to everything, but for the words named."""
    servers, worlds = [], []

    async def make(answer: bytes, answer_of_word: dict[bytes, bytes] | None = None) -> RedisWorld:
        servers.append(_proxies.OneAnswer(answer, answer_of_word or {}))
        await servers[-1].start()
        worlds.append(RedisWorld(f"redis://127.0.0.1:{servers[-1].port}/0"))
        return worlds[-1]

    yield make
    for world in worlds:
        await world.close()
    for made in servers:
        await made.stop()


@pytest.fixture
def unused_tcp_port_url() -> str:
    return f"redis://127.0.0.1:{_sibling('redis_server').free_port()}/0"
