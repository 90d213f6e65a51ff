"""The pool, the ping, and what is said about servers that cannot be used."""

import asyncio
import socket

import psycopg
import psycopg_pool
import pytest

from storage.postgres import BadPostgresUrl, Pool, check_server, open_pool, ping, place_of_url
from storage.postgres_settings import PostgresSettings
from tests.storage.postgres.conftest import Server


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.integration
async def test_a_good_server_has_no_problems(empty_database: str):
    assert await check_server(empty_database) == []


async def test_a_server_that_does_not_answer_is_named_without_its_password(free_port: int):
    (problem,) = await check_server(f"postgresql://narke:secret@127.0.0.1:{free_port}/narke")
    assert problem.startswith(f"PostgreSQL at 127.0.0.1:{free_port}, database narke cannot be used: ")
    assert "secret" not in problem


async def test_a_server_that_accepts_and_says_nothing_is_given_up():
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        (problem,) = await check_server(f"postgresql://narke@127.0.0.1:{mute.getsockname()[1]}/x", timeout_s=0.2)
    assert problem.endswith("did not answer within 0.2 s: is it running and reachable?")


async def test_what_is_no_url_is_called_so():
    assert await check_server("postgres//typo") == [
        "this is no URL of PostgreSQL; write postgresql://user:password@host:5432/database"
    ]
    with pytest.raises(BadPostgresUrl):
        place_of_url("nonsense")


@pytest.mark.integration
async def test_a_database_that_does_not_exist_is_named(server: Server):
    (problem,) = await check_server(server.url("nowhere"))
    assert 'database "nowhere" does not exist' in problem


@pytest.mark.integration
async def test_each_fault_of_a_database_is_told_with_its_remedy(server: Server):
    url = server.new_database(encoding="LATIN1")
    name = url.rsplit("/", 1)[1]
    role = f"weak_{name}"
    server.execute(f"CREATE ROLE {role} LOGIN")
    server.execute("REVOKE CREATE ON SCHEMA public FROM public", name)
    server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    problems = await check_server(url.replace("narke@", f"{role}@"))
    for expected in ("has encoding LATIN1", "is read-only", f"GRANT CREATE ON SCHEMA public TO {role}"):
        assert any(expected in problem for problem in problems), problems
    assert len(problems) == 3
    server.drop_database(url)
    server.execute(f"DROP ROLE {role}")


@pytest.mark.integration
async def test_connections_are_in_utc_and_cancel_what_takes_too_long(database: str):
    pool = await open_pool(database, PostgresSettings(query_timeout_s=1), name="tests")
    async with pool.connection() as connection:
        assert await (await connection.execute("SHOW timezone")).fetchone() == ("UTC",)
        with pytest.raises(psycopg.errors.QueryCanceled):
            await connection.execute("SELECT pg_sleep(30)")
    await pool.close()


@pytest.mark.integration
async def test_connections_that_were_cut_are_not_lent(pool: Pool, database: str):
    await ping(pool)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
        await other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'narke tests' AND datname = current_database()"
        )
    await ping(pool)


async def test_a_pool_may_be_opened_before_its_server(free_port: int):
    url = f"postgresql://narke@127.0.0.1:{free_port}/narke"
    settings = PostgresSettings(connect_timeout_s=1)
    with pytest.raises(psycopg_pool.PoolTimeout):
        await open_pool(url, settings, name="tests")
    pool = await open_pool(url, settings, name="tests", wait=False)
    with pytest.raises((psycopg.Error, asyncio.TimeoutError)):
        await ping(pool, timeout_s=0.2)
    await pool.close()
