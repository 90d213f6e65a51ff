"""Redis in virtual time: bytes in, replies out, with the meaning of Narke's scripts; and the connections to it.

The real `storage.journal.RedisJournal` speaks to it, through what a redis-py pool and connection are to
`storage.redis_link`. Each command runs when it arrives, even if nobody waits for it any more; what was replied to is on
disk (`appendfsync always`), so a crash costs replies, never records.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from deploy.simulation.chance import Chance
from deploy.simulation.processes import WORLD
from deploy.simulation.virtual_time import VirtualLoop, current_life
from storage.arrivals import ARRIVE
from storage.journal_scripts import COMMIT, FENCE, RAISE, RECORD, RECORDED, RESERVE

TRANSIT_S_MAX = 0.001
LATE_S = (5.5, 25.0)
"""Beyond the time that a journal waits for a reply."""
SLOW_S_MAX = 4.0
_DAY_S = 86_400.0
"""On the clock of its host when a run begins."""


class Witness(Protocol):
    """Who looks at what Redis does."""

    def claimed(self, who: str, fence: str, stored: bytes | None, ours: int) -> None:
        """A process asks for a fence. `who`: process and its number."""

    def added(self, who: str, stream: str, number: int, entry: bytes, fence: str | None) -> None:
        """An entry stands in a stream."""

    def of_redis(self, kind: str, who: str) -> None:
        """A fault beyond the round trip."""


class RedisServer:
    """The keys, the streams and the clients' fate."""

    def __init__(self, loop: VirtualLoop, chance: Chance, witness: Witness) -> None:
        self.values: Final[dict[bytes, bytes]] = {}
        self.streams: Final[dict[str, list[tuple[int, bytes]]]] = {}
        self.last: Final[dict[str, int]] = {}
        self.away_until = 0.0
        self.slow_until = 0.0
        self.cut: Final[dict[str, float]] = {}
        """By process, until when it cannot be reached from there."""
        self.ahead_s = 0.0
        """How wrong the clock of its host is."""
        self.grown: Callable[[], None] = lambda: None
        self.full = 0
        """Commits refused because a stream was full."""
        self._loop = loop
        self._chance = chance
        self._witness = witness
        self._scripts: Final = {
            COMMIT.sha: self._commit,
            FENCE.sha: self._fence,
            RECORD.sha: self._record,
            RESERVE.sha: self._reserve,
            RAISE.sha: self._raise,
            ARRIVE.sha: self._arrival,
        }

    def calm(self) -> None:
        """All can reach it and it is quick."""
        self.away_until = self.slow_until = self.ahead_s = 0.0
        self.cut.clear()

    def round_trip(self, commands: list[list[bytes]], reply: asyncio.Future[list[Any]]) -> None:
        """Commands of one connection set out; `reply` gets what comes back, if it does."""
        life = current_life()
        who = "operator" if life is None else life.name
        chance, loop = self._chance, self._loop
        fault = chance.strikes("redis")
        if fault is not None:
            self._witness.of_redis(fault, who)
        out_s = chance.dice.random() * TRANSIT_S_MAX
        back_s = chance.dice.random() * TRANSIT_S_MAX
        if fault == "redis.late":
            out_s += chance.between(*LATE_S)
        if fault == "redis.lost" or self._unreachable(who):
            loop.call_later(back_s, _broken, reply)
            return
        if loop.time() < self.slow_until:
            back_s += chance.dice.random() * SLOW_S_MAX
        lost = fault == "redis.reply-lost"
        loop.call_later(out_s, self._arrive, who, commands, reply, back_s, lost, context=WORLD)

    def _unreachable(self, who: str) -> bool:
        now = self._loop.time()
        return now < self.away_until or (bool(self.cut) and now < self.cut.get(who.partition(":")[0], 0.0))

    def _arrive(
        self,
        who: str,
        commands: list[list[bytes]],
        reply: asyncio.Future[list[Any]],
        back_s: float,
        lost: bool,  # noqa: FBT001 (call_later has no keywords)
    ) -> None:
        if self._loop.time() < self.away_until:
            self._loop.call_later(back_s, _broken, reply, context=WORLD)
            return
        replies = [self._run(who, command) for command in commands]
        if lost or self._unreachable(who):
            self._loop.call_later(back_s, _broken, reply, context=WORLD)
        else:
            self._loop.call_later(back_s, _replied, reply, replies, context=WORLD)

    # What the commands mean

    def _run(self, who: str, command: Sequence[bytes]) -> Any:
        name = command[0]
        if name == b"EVALSHA":
            count = int(command[2])
            return self._scripts[bytes(command[1])](who, command[3 : 3 + count], command[3 + count :])
        if name == b"MGET":
            return [self.values.get(key) for key in command[1:]]
        if name == b"GET":
            return self.values.get(command[1])
        if name == b"INCR":
            return self._increased(command[1], 1)
        raise NotImplementedError(f"the simulated Redis has no {name!r}: add it to deploy/simulation/redis.py")

    def _commit(self, who: str, keys: Sequence[bytes], arguments: Sequence[bytes]) -> list[Any]:
        bound, key, argument = int(arguments[0]), 0, 1
        replies: list[Any] = []
        while key < len(keys):
            count = int(arguments[argument + 1])
            states = zip(keys[key + 2 : key + 2 + count], arguments[argument + 3 : argument + 3 + count], strict=True)
            reply = self._commit_unit(who, (keys[key], keys[key + 1]), arguments[argument], bound)
            if reply == RECORDED:
                self.add(who, _logical(keys[key + 1]), arguments[argument + 2], keys[key].decode())
                self.values.update(states)
            replies.append(reply)
            key += 2 + count
            argument += 3 + count
        return replies

    def _commit_unit(self, _who: str, keys: tuple[bytes, bytes], fence: bytes, bound: int) -> Any:
        """What the script replies for one unit; 1: it may write."""
        stored = self.values.get(keys[0])
        if not self.fits(stored, fence):
            return b"fence:" + (stored or b"")
        if (length := len(self.streams.get(_logical(keys[1]), ()))) >= bound:
            self.full += 1
            return b"full:%d" % length
        return RECORDED

    def fits(self, stored: bytes | None, carried: bytes) -> bool:
        """Whether a commit that carries this fence may write."""
        return stored == carried

    def _fence(self, who: str, keys: Sequence[bytes], arguments: Sequence[bytes]) -> bytes:
        stored = self.values.get(keys[0])
        epoch, _, generation = (stored or b"-1.0").partition(b".")
        ours, held, count = int(arguments[0]), int(epoch), int(generation)
        if held > ours or (held < ours and arguments[1] == b"renew"):
            return stored or b""
        if held < ours:
            count = 0
        fence = b"%d.%d" % (ours, count + 1)
        self._witness.claimed(who, keys[0].decode(), stored, ours)
        self.values[keys[0]] = fence
        return fence

    def _record(self, who: str, keys: Sequence[bytes], arguments: Sequence[bytes]) -> Any:
        self.add(who, _logical(keys[0]), arguments[1], None)
        self.values.update(zip(keys[1:], arguments[2:], strict=True))
        return 1

    def _reserve(self, _who: str, keys: Sequence[bytes], arguments: Sequence[bytes]) -> Any:
        return self._increased(keys[0], int(arguments[0]))

    def _raise(self, _who: str, keys: Sequence[bytes], arguments: Sequence[bytes]) -> Any:
        if int(self.values.get(keys[0], b"0")) < int(arguments[0]):
            self.values[keys[0]] = arguments[0]
        return 1

    def _arrival(self, _who: str, keys: Sequence[bytes], _arguments: Sequence[bytes]) -> bytes:
        now = int((_DAY_S + self._loop.time() + self.ahead_s) * 1e6)
        number = b"%d" % max(now, int(self.values.get(keys[0], b"0")) + 1)
        self.values[keys[0]] = number
        return number

    def _increased(self, key: bytes, by: int) -> int:
        value = int(self.values.get(key, b"0")) + by
        self.values[key] = b"%d" % value
        return value

    def add(self, who: str, stream: str, entry: bytes, fence: str | None) -> None:
        """XADD."""
        number = self.last.get(stream, 0) + 1
        self.last[stream] = number
        self.streams.setdefault(stream, []).append((number, entry))
        self._witness.added(who, stream, number, entry, fence)
        self.grown()


def _broken(reply: asyncio.Future[list[Any]]) -> None:
    if not reply.done():
        reply.set_exception(RedisConnectionError("the connection broke"))
        reply.exception()  # whoever waited may be dead: nobody has to take it


def _replied(reply: asyncio.Future[list[Any]], replies: list[Any]) -> None:
    if not reply.done():
        reply.set_result(replies)


def _logical(key: bytes) -> str:
    """The logical name of a stream: `narke:{s17}:journal` is `s17`."""
    return key[key.index(b"{") + 1 : key.index(b"}")].decode()


class RedisClient:
    """Stands for a `redis.asyncio.Redis` of one process: it is its own pool."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    @property
    def connection_pool(self) -> "RedisClient":
        """Connections come from here."""
        return self

    async def get_connection(self) -> "_Connection":
        """A connection; there is always one."""
        return _Connection(self._server)

    async def release(self, connection: "_Connection") -> None:
        """It is not used any more."""


class _Connection:
    """One round trip."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._reply: asyncio.Future[list[Any]] | None = None
        self._taken = 0

    async def send_packed_command(self, data: bytes) -> None:
        """Commands in Redis' protocol."""
        self._reply = asyncio.get_running_loop().create_future()
        self._server.round_trip(_unpacked(data), self._reply)

    async def read_response(self) -> Any:
        """The next reply. Raises ConnectionError, ResponseError."""
        assert self._reply is not None, "nothing was sent"
        reply = (await self._reply)[self._taken]
        self._taken += 1
        if isinstance(reply, ResponseError):
            raise reply
        return reply

    async def disconnect(self, *, nowait: bool) -> None:
        """Replies that still come are lost."""


def _unpacked(data: bytes) -> list[list[bytes]]:
    """The commands in these bytes."""
    commands: list[list[bytes]] = []
    position, end = 0, len(data)
    while position < end:
        line = data.index(b"\r\n", position)
        count = int(data[position + 1 : line])
        position = line + 2
        command: list[bytes] = []
        for _ in range(count):
            line = data.index(b"\r\n", position)
            start = line + 2
            stop = start + int(data[position + 1 : line])
            command.append(data[start:stop])
            position = stop + 2
        commands.append(command)
    return commands
