"""Settings and clients of Redis, and what is said of a Redis that will not do."""

import asyncio

import pydantic
import pytest

from engine.ports import JournalUnavailable
from storage.redis_client import check_server, redis_client, redis_link
from storage.redis_link import packed
from storage.redis_settings import RedisSettings


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://127.0.0.1", "127.0.0.1:6379/0"),
        ("redis://:secret@redis.example:7000/3", "redis.example:7000/3"),
        ("rediss://me:secret@[::1]:7000/?ssl_ca_certs=/ca.pem", "[::1]:7000/0"),
        ("unix:///run/redis.sock?db=2&password=secret", "/run/redis.sock"),
    ],
)
def test_a_place_is_shown_without_its_password(url, place):
    settings = RedisSettings(url=url)

    assert settings.place == place
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://:secret@host", "starts with redis://"),
        ("127.0.0.1:6379", "starts with redis://"),
        ("redis://", "needs a host"),
        ("redis://host:notaport/0", "Port"),
        ("redis://host/notanumber", "number of a database"),
        ("unix://", "path of the socket"),
        ("redis://host?socket_timeout=1&decode_responses=yes", "cannot set decode_responses, socket_timeout"),
    ],
)
def test_a_wrong_url_is_refused_with_the_reason_and_without_its_password(url, word):
    with pytest.raises(pydantic.ValidationError, match=word) as refused:
        RedisSettings(url=url)
    assert "secret" not in str(refused.value)


def test_unknown_settings_are_refused():
    with pytest.raises(pydantic.ValidationError):
        RedisSettings(streams_entries_max=5)


def test_commands_are_packed_as_redis_wants_them():
    assert packed([(b"GET", b"\x00\r\n"), (b"PING",)]) == b"*2\r\n$3\r\nGET\r\n$3\r\n\x00\r\n\r\n*1\r\n$4\r\nPING\r\n"


async def test_a_redis_that_is_not_there_is_one_problem(unused_tcp_port_url):
    settings = RedisSettings(url=unused_tcp_port_url)
    client = redis_client(settings)

    (problem,) = await check_server(client, settings)

    assert "is it running" in problem


@pytest.fixture
async def check(new_server):
    """Checks a Redis that is started with the given options."""

    async def run(**options: str) -> list[str]:
        settings = RedisSettings(url=new_server(**options).url)
        client = redis_client(settings)
        problems = await check_server(client, settings)
        await client.aclose()
        return problems

    return run


@pytest.mark.integration
async def test_a_durable_protected_redis_has_no_problem(check):
    assert await check() == []


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("appendonly", "no", "appendonly yes"),
        ("appendfsync", "everysec", "appendfsync always"),
        ("maxmemory-policy", "allkeys-lru", "maxmemory-policy noeviction"),
    ],
)
async def test_a_setting_that_would_lose_facts_is_a_problem_with_its_remedy(check, name, value, wanted):
    (problem,) = await check(**{name: value})

    assert f"'{name} {value}'" in problem
    assert f"put '{wanted}' into its redis.conf" in problem
    assert f"redis-cli CONFIG SET {wanted}" in problem


@pytest.mark.integration
async def test_an_open_redis_on_loopback_alone_is_fine(check):
    assert await check(requirepass="") == []


@pytest.mark.integration
@pytest.mark.parametrize(
    ("bind", "protected", "problems"),
    [("0.0.0.0", "no", 1), ("* -::*", "no", 1), ("", "no", 1), ("0.0.0.0", "yes", 0), ("127.0.0.1 -::1", "no", 0)],
)
async def test_a_redis_without_password_must_be_out_of_reach(world_of_answer, bind, protected, problems):
    def pair(name: str, value: str) -> bytes:
        return b"*2\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(name), name.encode(), len(value), value.encode())

    wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
    settings = wanted | {"bind": bind, "protected-mode": protected}
    info = b"redis_version:7.0.15\r\nrole:master\r\n"
    answers = {name.encode(): pair(name, value) for name, value in settings.items()}
    answers[b"INFO"] = b"$%d\r\n%b\r\n" % (len(info), info)
    world = await world_of_answer(b"+PONG\r\n", answers)

    found = await check_server(world.client(), world.settings())

    assert len(found) == problems
    assert all("requirepass" in problem for problem in found)


@pytest.mark.integration
async def test_a_replica_is_a_problem(new_server):
    settings = RedisSettings(url=new_server().url)
    client = redis_client(settings)
    await client.replicaof("127.0.0.1", 1)

    problems = await check_server(client, settings)
    await client.aclose()

    assert any("is a replica" in problem for problem in problems)


@pytest.mark.integration
async def test_a_user_who_may_not_ask_or_run_scripts_is_told_what_to_allow(new_server):
    server = new_server()
    admin_settings = RedisSettings(url=server.url)
    admin = redis_client(admin_settings)
    await admin.execute_command("ACL", "SETUSER", "narke", "on", ">pw", "~narke:*", "+@all", "-config", "-@scripting")
    settings = RedisSettings(url=f"redis://narke:pw@127.0.0.1:{server.port}/0")
    client = redis_client(settings)

    problems = await check_server(client, settings)
    await client.aclose()
    await admin.aclose()

    assert len(problems) == 4
    assert any("EVALSHA" in problem for problem in problems)
    assert sum("CONFIG GET is forbidden" in problem for problem in problems) == 3


@pytest.mark.integration
async def test_an_old_redis_is_a_problem(world_of_answer):
    info = b"# Server\r\nredis_version:6.0.16\r\nrole:master\r\n"
    world = await world_of_answer(b"$%d\r\n%b\r\n" % (len(info), info))

    (problem,) = await check_server(world.client(), world.settings())

    assert "version 6.0.16: Narke needs 6.2" in problem


@pytest.mark.integration
async def test_a_unix_socket_works(tmp_path, new_server):
    path = tmp_path / "redis.sock"
    new_server(unixsocket=str(path), unixsocketperm="700")
    settings = RedisSettings(url=f"unix://{path}?password=only%20for%20tests")
    client = redis_client(settings)

    assert await check_server(client, settings) == []
    assert await redis_link(client, settings).command(b"PING") == b"PONG"
    await client.aclose()


@pytest.mark.integration
async def test_too_many_users_of_a_pool_wait_and_then_are_told(server):
    settings = RedisSettings(url=server.url, connections_max=1, command_timeout_s=0.2)
    client = redis_client(settings)
    blocking = redis_link(client, settings).command(b"BLPOP", b"narke:nothing", b"0", extra_s=0.3)
    others = redis_link(client, settings).command(b"PING")
    results = await asyncio.gather(blocking, others, return_exceptions=True)
    await client.aclose()

    assert all(isinstance(result, JournalUnavailable) for result in results)
