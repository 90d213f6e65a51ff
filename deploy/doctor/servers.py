"""PostgreSQL and Redis: the operator's own are asked, the embedded ones are looked for; clocks are compared."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from pydantic import SecretStr
from redis.exceptions import RedisError

from deploy.doctor.report import Check, fail, ok, warn
from deploy.servers.binaries import choose_postgres, choose_redis, postgres_programs, redis_programs
from deploy.servers.data_dir import DataDir
from deploy.servers.errors import BinariesMissing, DataDirError
from deploy.servers.identity import NOBODY, Identity, can_become
from deploy.servers.ports import LOOPBACK
from deploy.settings import Settings
from deploy.settings_catalogue import masked_url
from storage import postgres, redis_client
from storage.redis_settings import RedisSettings

OFFSET_S_WARN = 2.0
OFFSET_S_FAIL = 60.0
_ANSWER_S_MAX = 5.0


def examine(settings: Settings) -> Iterator[Check]:
    """All checks of this module."""
    data_dir = DataDir(settings.data_dir)
    url = settings.servers.postgres_url
    yield _embedded_postgres(data_dir) if url is None else _outside_postgres(url.get_secret_value())
    url = settings.servers.redis_url
    yield _embedded_redis(data_dir) if url is None else from_redis(settings.redis, url)
    if settings.servers.postgres_url is None or settings.servers.redis_url is None:
        yield _identity()
    yield from _offsets(settings)


def from_redis(settings: RedisSettings, url: SecretStr) -> Check:
    """An outside Redis: reachable, of the right version, and set up so that nothing is lost."""
    problems = asyncio.run(_redis_problems(settings.model_copy(update={"url": url})))
    if problems:
        return fail("redis", problems[0], "\n".join(problems[1:]) or "Correct that, or servers.redis_url.")
    return ok("redis", f"{masked_url(url.get_secret_value())} is fit for Narke")


def _outside_postgres(url: str) -> Check:
    problems = asyncio.run(postgres.check_server(url, timeout_s=_ANSWER_S_MAX))
    if problems:
        return fail("postgresql", problems[0], "\n".join(problems[1:]) or "Correct that, or servers.postgres_url.")
    return ok("postgresql", f"{masked_url(url)} is fit for Narke")


async def _redis_problems(settings: RedisSettings) -> list[str]:
    client = redis_client.redis_client(settings)
    try:
        return await redis_client.check_server(client, settings)
    finally:
        await client.aclose()


def _embedded_postgres(data_dir: DataDir) -> Check:
    try:
        program = choose_postgres(postgres_programs(), postgres_major(data_dir.path / "postgres"))
    except BinariesMissing as error:
        return fail("postgresql", "embedded", str(error))
    return ok("postgresql", f"embedded: {program}")


def postgres_major(folder: Path) -> int | None:
    """The major version that wrote a data folder; None: there is no data, or no access."""
    try:
        return int((folder / "PG_VERSION").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _embedded_redis(data_dir: DataDir) -> Check:
    try:
        note = data_dir.note("redis")
        program = choose_redis(redis_programs(), note.flavour, note.version)
    except DataDirError as error:
        return fail("redis", "embedded", str(error))
    except BinariesMissing as error:
        return fail("redis", "embedded", str(error))
    return ok("redis", f"embedded: {program}")


def _identity() -> Check:
    if os.geteuid() != 0:
        return ok("user of the servers", f"user {os.geteuid()}, as Narke itself")
    if can_become(Identity.NAMESPACE):
        return ok("user of the servers", f"root is called {NOBODY} in a user namespace")
    if can_become(Identity.NOBODY):
        return ok("user of the servers", f"user {NOBODY} (user namespaces are forbidden here)")
    return fail(
        "user of the servers",
        f"this root may neither make user namespaces nor become user {NOBODY}",
        "Run Narke as an ordinary user, or give --postgres-url and --redis-url.",
    )


def _offsets(settings: Settings) -> Iterator[Check]:
    """Their clocks against ours; those that do not run or do not let us in were dealt with above."""
    data_dir = DataDir(settings.data_dir)
    postgres_url = settings.servers.postgres_url or _embedded_url(data_dir, "postgres")
    redis_url = settings.servers.redis_url or _embedded_url(data_dir, "redis")
    for name, url, ask in (("PostgreSQL", postgres_url, _postgres_time_s), ("Redis", redis_url, _redis_time_s)):
        if url is None:
            continue
        before_s = time.time()  # noqa: TID251 (the clock itself is examined)
        try:
            theirs_s = ask(url.get_secret_value(), settings)
        except (OSError, psycopg.Error, RedisError):
            continue
        after_s = time.time()  # noqa: TID251 (as above)
        yield offset(name, theirs_s - (before_s + after_s) / 2)


def offset(name: str, offset_s: float) -> Check:
    """How far a server's clock is before ours."""
    found = f"{offset_s:+.3f} s"
    advice = f"Set the clocks of this machine and of {name}'s by NTP."
    if abs(offset_s) >= OFFSET_S_FAIL:
        return fail(f"clock of {name}", found, advice)
    return warn(f"clock of {name}", found, advice) if abs(offset_s) >= OFFSET_S_WARN else ok(f"clock of {name}", found)


def _embedded_url(data_dir: DataDir, name: str) -> SecretStr | None:
    """Where an embedded server is if it runs; None: never started, or its password is not ours to read."""
    try:
        port = data_dir.note(name).port
        password = (data_dir.secrets / f"{name}.password").read_text(encoding="ascii").strip()
    except (OSError, DataDirError, UnicodeDecodeError):
        return None
    if port is None:
        return None
    if name == "postgres":
        return SecretStr(f"postgresql://narke:{password}@{LOOPBACK}:{port}/narke")
    return SecretStr(f"redis://:{password}@{LOOPBACK}:{port}/0")


def _postgres_time_s(url: str, _settings: Settings) -> float:
    with psycopg.connect(url, connect_timeout=round(_ANSWER_S_MAX), autocommit=True) as connection:
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert row is not None
    return float(row[0])


def _redis_time_s(url: str, settings: Settings) -> float:
    return asyncio.run(_ask_redis_time(settings.redis.model_copy(update={"url": SecretStr(url)})))


async def _ask_redis_time(settings: RedisSettings) -> float:
    client = redis_client.redis_client(settings)
    try:
        async with asyncio.timeout(_ANSWER_S_MAX):
            seconds, microseconds = await client.time()
    finally:
        await client.aclose()
    return float(seconds) + float(microseconds) / 1e6
