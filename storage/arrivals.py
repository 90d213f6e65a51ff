"""In which order connections came: one counter in Redis, for all ingresses, that never stands still or goes back.

A number is drawn while a handshake is decided: after the station asked, before it is told that it is in. So if a
station knew that it was in (or had given up) before it dialled again, the later connection has the higher number, and
no clock of a host was asked. Numbers are microseconds of Redis' clock where that is ahead of the last number, and one
more than the last number where it is not: should the counter be lost (a Redis restored from an old copy, a failover
that forgot the last second) the next number is above all earlier ones still.
"""

import asyncio
from typing import Final

from redis.asyncio import Redis

from engine.ports import JournalUnavailable
from storage import keys
from storage.journal_scripts import Script
from storage.redis_client import redis_link
from storage.redis_settings import RedisSettings

ARRIVE: Final = Script("""
-- KEYS: last number
local time = redis.call('TIME')
local number = tonumber(time[1]) * 1000000 + tonumber(time[2])
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
if number <= last then number = last + 1 end
local text = string.format('%.0f', number)
redis.call('SET', KEYS[1], text)
return text
""")
"""Exact until the year 2255: 2^53 microseconds."""

_TOGETHER_MAX: Final = 500
"""Numbers drawn in one round trip."""


class RedisArrivals:
    """`engine.ports.Arrivals` in Redis."""

    def __init__(self, client: Redis, *, settings: RedisSettings) -> None:
        self._link: Final = redis_link(client, settings)
        self._waiting: list[asyncio.Future[int]] = []
        self._task: asyncio.Task[None] | None = None

    async def number(self) -> int:
        """See `engine.ports.Arrivals.number`.

        Raises:
            JournalUnavailable: Redis does not answer, or refuses.
        """
        loop = asyncio.get_running_loop()
        drawn: asyncio.Future[int] = loop.create_future()
        self._waiting.append(drawn)
        if self._task is None:
            self._task = loop.create_task(self._draw())
        return await drawn

    async def _draw(self) -> None:
        """Draws for all who wait, one round trip (and one write to the disk) at a time: they come by thousands."""
        while self._waiting:
            await asyncio.sleep(0)  # whoever comes in this turn goes along
            together, self._waiting = self._waiting[:_TOGETHER_MAX], self._waiting[_TOGETHER_MAX:]
            try:
                replies = await self._link.run(ARRIVE, [((keys.ARRIVALS,), ())] * len(together))
            except JournalUnavailable as error:
                replies = [error] * len(together)
            for drawn, reply in zip(together, replies, strict=True):
                if drawn.done():  # who asked has given up
                    continue
                if isinstance(reply, Exception):
                    drawn.set_exception(JournalUnavailable(str(reply)))
                else:
                    drawn.set_result(int(reply))
        self._task = None
