"""Who charges where now: the open transactions of tokens and groups, from PostgreSQL to Redis, for ConcurrentTx.

The tables know of all stations, the decider of one knows of its own. What the tables say is written to Redis every
moment (`interval_s`), under the name that the decider asks by (`engine.station.authorization.use_key`). So it is behind
by that moment and by what the projection is behind; nothing of it is ever counted up or down, so no crash makes it
wrong for longer: each look replaces the last. A name that nobody writes any more is gone after TTL_S.

A transaction whose stop was lost counts until it was not heard of for `forgotten_h`.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from engine.model.authorization import TransactionUse
from engine.model.codec import encode
from engine.ports import Clock, SeamError
from storage import keys
from storage.redis_link import RedisLink

log = structlog.get_logger()

TTL_S: Final = 120
USES_MAX: Final = 200_000
USES_PER_KEY_MAX: Final = 64
_CHUNK: Final = 500
_AGAIN: Final = timedelta(seconds=TTL_S / 3)

_OPEN = """
SELECT open.station, open.transaction_id, open.token_key, tokens.token_group
  FROM transactions AS open
  JOIN tokens ON tokens.tenant = open.tenant AND tokens.token_key = open.token_key
 WHERE open.tenant = %(tenant)s AND open.ended_at IS NULL AND open.updated_at > %(heard_after)s
   AND (%(everybody)s OR tokens.concurrent_max > 0
        OR (%(per_group)s AND tokens.token_group IN (
              SELECT token_group FROM tokens WHERE tenant = %(tenant)s AND concurrent_max > 0)))
 ORDER BY open.started_at DESC
 LIMIT %(most)s
"""


class TokenUses:
    """Brings them over.

    Args:
        everybody: Whether each token has a limit; False: only those whose record has one.
        per_group: Whether transactions are counted by group, where the token has one.
        forgotten_h: See above.
    """

    def __init__(
        self,
        pool: AsyncConnectionPool[Any],
        link: RedisLink,
        tenant: str,
        *,
        everybody: bool,
        per_group: bool,
        forgotten_h: float,
    ) -> None:
        self._pool = pool
        self._link = link
        self._asked = {"tenant": tenant, "everybody": everybody, "per_group": per_group, "most": USES_MAX}
        self._per_group = per_group
        self._forgotten = timedelta(hours=forgotten_h)
        self._written: dict[str, bytes] = {}
        self._whole_at: datetime | None = None

    async def run(self, clock: Clock, interval_s: float) -> None:
        """Goes on for ever. While PostgreSQL or Redis do not answer, what was written last counts, and then nothing."""
        fails = False
        while True:
            try:
                await self.refresh(clock.now())
                fails = False
            except (psycopg.Error, SeamError) as error:
                if not fails:
                    log.warning("it is not known who charges where: no token is told ConcurrentTx", error=str(error))
                fails = True
            await asyncio.sleep(interval_s)

    async def refresh(self, now: datetime) -> None:
        """One look.

        Raises:
            psycopg.Error: PostgreSQL does not answer.
            JournalUnavailable: Redis does not.
        """
        uses = {key: encode(found) for key, found in (await self._open(now)).items()}
        whole = self._whole_at is None or now - self._whole_at >= _AGAIN
        changed = [key for key, value in uses.items() if whole or self._written.get(key) != value]
        gone = [key for key in self._written if key not in uses]
        commands: list[tuple[bytes, ...]] = [
            (b"SET", keys.use_key(key), uses[key], b"EX", b"%d" % TTL_S) for key in changed
        ]
        commands += [(b"DEL", keys.use_key(key)) for key in gone]
        whole_at, self._whole_at = now if whole else self._whole_at, None  # all again, should this break off
        for start in range(0, len(commands), _CHUNK):
            await self._link.round_trip(commands[start : start + _CHUNK])
        self._written = uses
        self._whole_at = whole_at

    async def _open(self, now: datetime) -> Mapping[str, list[TransactionUse]]:
        asked = self._asked | {"heard_after": now - self._forgotten}
        uses: dict[str, list[TransactionUse]] = {}
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_OPEN, asked)
            async for station, transaction_id, token_key, group in cursor:
                key = f"group:{group}" if self._per_group and group else f"token:{token_key}"
                found = uses.setdefault(key, [])
                if len(found) < USES_PER_KEY_MAX:
                    found.append(TransactionUse(station, transaction_id))
        return uses
