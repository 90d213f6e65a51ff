"""One round trip to Redis: commands out as bytes, replies in, nothing repeated by itself, everything bounded in time.

redis-py makes connections (TLS, password, pool); this module packs commands and awaits replies, because redis-py's own
pipeline spends twice the CPU on packing (64 messages over 32 shards: 9.3 against 5.6 us per message).

A command that was sent and whose reply did not come may have run, or may run later. Nothing here sends it again.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from engine.ports import JournalUnavailable
from storage.journal_scripts import Script

Reply = Any
"""int, bytes, None, a list of replies, or the `ResponseError` that Redis answered."""

Command = Sequence[bytes]

ADVICE_OF_ERROR: Final = (
    ("MISCONF", "Redis cannot write to its disk: free space or repair the disk; it then goes on by itself"),
    ("OOM", "Redis has reached its maxmemory: bring the projector and PostgreSQL up to date, or raise maxmemory"),
    ("LOADING", "Redis is reading its data after a start: wait"),
    ("READONLY", "this Redis is a read-only replica: give the URL of the primary"),
    ("MASTERDOWN", "this Redis is a replica without its primary: give the URL of the primary"),
    ("NOREPLICAS", "Redis has too few replicas to accept writes (min-replicas-to-write): bring them back"),
    ("BUSY", "Redis is busy with a script of somebody else: wait, or end it with SCRIPT KILL"),
    ("WRONGPASS", "Redis refuses user or password: correct the Redis URL"),
    ("NOAUTH", "Redis wants a password: put it into the Redis URL, redis://:password@host:port/0"),
    ("NOPERM", "the Redis user may not do this: allow it all commands and the keys narke:*"),
    ("invalid username-password", "Redis refuses user or password: correct the Redis URL"),
    ("Authentication required", "Redis wants a password: put it into the Redis URL, redis://:password@host:port/0"),
    ("max number of clients", "Redis has no connection left: raise its maxclients"),
    ("WRONGTYPE", "a key of Narke's holds something else: is this Redis shared with another program?"),
)
"""What to do about an error, by a word in its text, anywhere: 6.2 wraps the errors of scripts, 7 does not."""


def unavailable(error: BaseException, place: str) -> JournalUnavailable:
    """An error of Redis or of the way to it, said to a person who must do something about it."""
    text = f"{getattr(error, 'status_code', None) or ''} {error}".strip()
    for word, advice in ADVICE_OF_ERROR:
        if word in text:
            return JournalUnavailable(f"Redis at {place}: {advice} ({text})")
    if isinstance(error, ResponseError):
        return JournalUnavailable(f"Redis at {place} refused: {text}")
    return JournalUnavailable(f"Redis at {place} does not answer: is it running and reachable? ({text})")


def packed(commands: Iterable[Command]) -> bytes:
    """Commands in Redis' protocol."""
    out: list[bytes] = []
    for command in commands:
        out.append(b"*%d\r\n" % len(command))
        for argument in command:
            out += (b"$%d\r\n" % len(argument), argument, b"\r\n")
    return b"".join(out)


class RedisLink:
    """The way to one Redis. Several may share a client's pool."""

    def __init__(self, client: Redis, *, timeout_s: float, place: str) -> None:
        """`place`: where Redis is, for error texts, without credentials."""
        self._pool: Final = client.connection_pool
        self._timeout_s: Final = timeout_s
        self.place: Final = place

    async def round_trip(self, commands: Sequence[Command], *, extra_s: float = 0.0) -> list[Reply]:
        """Sends all commands together and awaits a reply to each, at most `timeout_s` + `extra_s` for all.

        Raises:
            JournalUnavailable: There is no connection, or it broke: which of the commands ran, or will, is unknown.
        """
        timeout_s = self._timeout_s + extra_s
        try:
            async with asyncio.timeout(timeout_s):
                connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]  # redis-py has no type here
                try:
                    await connection.send_packed_command(packed(commands))
                    return [await _reply(connection) for _ in commands]
                except BaseException:
                    # Replies may still be under way; the next user of the connection would take them for its own.
                    await connection.disconnect(nowait=True)
                    raise
                finally:
                    await self._pool.release(connection)
        except TimeoutError:
            text = f"Redis at {self.place} did not answer within {timeout_s:g} s: is it alive, is its disk slow?"
            raise JournalUnavailable(text) from None
        except (RedisError, OSError) as error:
            raise unavailable(error, self.place) from error

    async def command(self, *command: bytes, extra_s: float = 0.0) -> Reply:
        """One command, one reply.

        Raises:
            JournalUnavailable: No reply, or an error.
        """
        (reply,) = await self.round_trip((command,), extra_s=extra_s)
        if isinstance(reply, ResponseError):
            raise unavailable(reply, self.place) from reply
        return reply

    async def run(self, script: Script, calls: Sequence[tuple[Sequence[bytes], Sequence[bytes]]]) -> list[Reply]:
        """Runs a script once per call (keys, arguments), all in one round trip; a reply or `ResponseError` for each.

        Where Redis does not know the script (it was restarted) it learns it, and the calls that did not run are made.

        Raises:
            JournalUnavailable: As `round_trip`.
        """
        commands = [(b"EVALSHA", script.sha, b"%d" % len(keys), *keys, *arguments) for keys, arguments in calls]
        replies = await self.round_trip(commands)
        missed = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if missed:
            # LOAD travels in front of the calls on the same connection, so that no restart fits in between.
            load = (b"SCRIPT", b"LOAD", script.text)
            loaded, *again = await self.round_trip([load, *(commands[index] for index in missed)])
            for index, reply in zip(missed, again, strict=True):
                replies[index] = loaded if isinstance(loaded, ResponseError) else reply
        return replies

    async def run_one(self, script: Script, keys: Sequence[bytes], arguments: Sequence[bytes]) -> Reply:
        """Runs a script once.

        Raises:
            JournalUnavailable: No reply, or an error.
        """
        (reply,) = await self.run(script, ((keys, arguments),))
        if isinstance(reply, ResponseError):
            raise unavailable(reply, self.place) from reply
        return reply


async def _reply(connection: Any) -> Reply:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
