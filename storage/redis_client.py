"""Clients of Redis, and whether a Redis is fit to hold what stations were told.

Use clients through `storage.redis_link`: it bounds every wait. redis-py's own time-outs are off here (they cost a task
per send and break reads that block on purpose) and so are its retries (a commit must not be made twice).
"""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from engine.ports import JournalUnavailable
from storage.journal_scripts import COMMIT
from storage.redis_link import RedisLink
from storage.redis_settings import RedisSettings

VERSION_MIN: Final = (6, 2)

DURABLE: Final = {
    "appendonly": ("yes", "Narke would lose what it has answered to stations when Redis stops"),
    "appendfsync": ("always", "Narke would lose what it has answered to stations when the power fails"),
    "maxmemory-policy": ("noeviction", "Redis would throw facts away when its memory is full"),
}
"""Redis' settings that Narke cannot live without: value, and what happens otherwise."""


def redis_client(settings: RedisSettings) -> Redis:
    """A client for one process; close it with `aclose()`. Nothing is connected before the first command.

    Make a second one for `JournalReader`, so that its blocking reads keep no connection from the commits.
    """
    pool = BlockingConnectionPool.from_url(
        settings.url.get_secret_value(),
        max_connections=settings.connections_max,
        timeout=settings.command_timeout_s,
        socket_connect_timeout=settings.connect_timeout_s,
        socket_timeout=None,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
    )
    return Redis.from_pool(pool)


def redis_link(client: Redis, settings: RedisSettings) -> RedisLink:
    """The bounded way to use a client."""
    return RedisLink(client, timeout_s=settings.command_timeout_s, place=settings.place)


async def check_server(client: Redis, settings: RedisSettings) -> list[str]:
    """What keeps this Redis from being Narke's, each with what to do; empty: it is fit.

    `client`: made by `redis_client` from the same settings.
    """
    link = redis_link(client, settings)
    try:
        info = _fields_of_info(await link.command(b"INFO"))
    except JournalUnavailable as problem:
        return [str(problem)]
    if too_old := _version_problems(info, settings.place):
        return too_old
    problems = _state_problems(info, settings.place)
    if await _lacks(link, b"SCRIPT", b"LOAD", COMMIT.text):
        problems.append(
            f"Redis at {link.place}: its user may not run scripts (EVALSHA, SCRIPT LOAD): allow +@scripting"
        )
    return [*problems, *await _config_problems(link), *await _protection_problems(link, settings)]


def _fields_of_info(reply: bytes) -> dict[str, str]:
    lines = reply.decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))


def _version_problems(info: dict[str, str], place: str) -> list[str]:
    """Valkey tells the Redis version that it is compatible with, 7.2.4, under the same name."""
    version = info.get("redis_version", "unknown")
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers >= VERSION_MIN:
        return []
    return [f"Redis at {place} has version {version}: Narke needs 6.2 or later, or Valkey"]


def _state_problems(info: dict[str, str], place: str) -> list[str]:
    problems = []
    if info.get("role") == "slave":
        problems.append(f"Redis at {place} is a replica: give the URL of the primary")
    if info.get("aof_last_write_status", "ok") != "ok":
        problems.append(f"Redis at {place} cannot write its append-only file: free space on its disk, or repair it")
    return problems


async def _config_problems(link: RedisLink) -> list[str]:
    problems = []
    for name, (wanted, danger) in DURABLE.items():
        value = await _config(link, name)
        if value is None:
            problems.append(
                f"Redis at {link.place} does not tell its setting {name} (CONFIG GET is forbidden): allow it to "
                f"Narke's user with the ACL rule +config|get, and set '{name} {wanted}'"
            )
        elif value != wanted:
            problems.append(
                f"Redis at {link.place} has '{name} {value}', {danger}: put '{name} {wanted}' into its redis.conf, "
                f"now and without restart: redis-cli CONFIG SET {name} {wanted}"
            )
    return problems


async def _protection_problems(link: RedisLink, settings: RedisSettings) -> list[str]:
    """Whoever reaches an open Redis can forge transactions; only a loopback that nobody else reaches may be open."""
    parts = urlsplit(settings.url.get_secret_value())
    if parts.scheme == "unix" or not await _answers_strangers(settings):
        return []
    bound = (await _config(link, "bind") or "*").split()
    protected = await _config(link, "protected-mode") == "yes" or all(map(_is_loopback, bound))
    if protected and _is_loopback(parts.hostname or ""):
        return []
    problem = (
        f"Redis at {link.place} answers anybody without a password: put 'requirepass <long random word>' into its "
        "redis.conf and the same word into the Redis URL, redis://:<word>@host:port/0"
    )
    return [problem]


def _is_loopback(address: str) -> bool:
    """`address`: of a URL or of Redis' setting bind, where a leading '-' means 'if it exists'."""
    if address == "localhost":
        return True
    try:
        return ip_address(address.removeprefix("-")).is_loopback
    except ValueError:
        return False


async def _answers_strangers(settings: RedisSettings) -> bool:
    """Whether a connection without credentials is served."""
    parts = urlsplit(settings.url.get_secret_value())
    place = parts.netloc.rpartition("@")[2]
    stranger = settings.model_copy(
        update={
            "url": type(settings.url)(
                parts._replace(netloc=place, path="", query=_without_password(parts.query)).geturl()
            )
        }
    )
    client = redis_client(stranger)
    try:
        await redis_link(client, stranger).command(b"PING")
    except JournalUnavailable:
        return False
    else:
        return True
    finally:
        await client.aclose()


def _without_password(query: str) -> str:
    return "&".join(part for part in query.split("&") if part and part.split("=")[0] not in ("username", "password"))


async def _config(link: RedisLink, name: str) -> str | None:
    (reply,) = await link.round_trip([(b"CONFIG", b"GET", name.encode())])
    if isinstance(reply, ResponseError) or len(reply) < 2:
        return None
    return str(reply[1].decode(errors="replace"))


async def _lacks(link: RedisLink, *command: bytes) -> bool:
    (reply,) = await link.round_trip([command])
    return isinstance(reply, ResponseError)
