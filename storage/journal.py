"""The journal in Redis: what is committed here is on disk, and only the owner of a unit can commit.

A commit is one script call for all units (`storage.journal_scripts` says why it is atomic for each).
When the outcome of a commit is unknown, the unit is *suspect*: before anything else is read or written for it, it gets
a new generation in Redis, after which the lost commit either has run and is seen, or never will.

Turns of one unit must not overlap: commit the next when the verdict on the last is known.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from time import perf_counter
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from engine.model.authorization import TokenRecord, TransactionUse
from engine.model.codec import decode_station_record, decode_tariff_book, decode_token_record, decode_uses, encode
from engine.model.facts import JournalEntry
from engine.model.ids import Unit
from engine.model.stations import StationRecord
from engine.model.tariff_and_cost import TariffBook
from engine.ports import Fenced, Fetched, JournalUnavailable, UnitCommit
from storage import journal_metrics, keys
from storage.journal_scripts import COMMIT, FENCE, RAISE, RECORDED, RESERVE, epoch_of, fenced, verdict
from storage.redis_client import redis_link
from storage.redis_link import Reply, unavailable
from storage.redis_settings import RedisSettings

TRANSACTION_NUMBER_MAX: Final = 2**31 - 1
"""1.6 names a transaction by a signed 32-bit integer."""

Verdict = Fenced | JournalUnavailable | None


class RedisJournal:
    """`engine.ports.Journal` in Redis. One per process: the fence tells its commits from those of any other."""

    def __init__(self, client: Redis, *, tenant: str, settings: RedisSettings) -> None:
        self._link: Final = redis_link(client, settings)
        self._tariffs: tuple[bytes | None, TariffBook] = (None, TariffBook())
        self._tenant: Final = tenant
        self._entries_max: Final = settings.stream_entries_max
        self._fences: Final[dict[Unit, bytes]] = {}
        """By unit, the fence that our commits carry. At most as many as there are units."""
        self._suspects: Final[dict[Unit, int]] = {}
        """By unit, the epoch of a commit whose outcome is unknown."""
        self._renewing: Final = asyncio.Lock()

    async def claim(self, unit: Unit, epoch: int) -> None:
        """See `engine.ports.Journal.claim`. Claimed again at the same epoch, the unit is this journal's alone."""
        _check_epoch(epoch)
        reply = await self._link.run_one(FENCE, [keys.epoch_key(unit)], [b"%d" % epoch, b"claim"])
        stored = epoch_of(reply)
        if stored != epoch:
            self._forget(unit)
            raise fenced(unit, epoch, stored)
        self._fences[unit] = reply
        self._suspects.pop(unit, None)

    async def fetch(
        self, states: Sequence[tuple[Unit, str]], tokens: Sequence[str], stations: Sequence[str]
    ) -> Fetched:
        """See `engine.ports.Journal.fetch`."""
        if self._suspects:
            await self._renew({unit: self._suspects[unit] for unit, _ in states if unit in self._suspects})
        by_shard: dict[int, list[str]] = {}
        for unit, station in states:
            by_shard.setdefault(unit.shard, []).append(station)
        commands = [
            (b"MGET", *[keys.state_key(shard, station) for station in in_shard]) for shard, in_shard in by_shard.items()
        ]
        operator_keys = [*map(keys.token_key, tokens), *map(keys.station_record_key, stations)]
        if operator_keys:
            commands.append((b"MGET", *operator_keys))
        replies = await self._read(commands)
        return _fetched(list(by_shard.values()), tokens, stations, replies)

    async def tariffs(self) -> TariffBook:
        """See `engine.ports.Journal.tariffs`. Decoded only when it has changed."""
        value = await self._link.command(b"GET", keys.TARIFFS)
        if value != self._tariffs[0]:
            self._tariffs = value, TariffBook() if value is None else decode_tariff_book(value)
        return self._tariffs[1]

    async def planned(self, stations: Sequence[str]) -> frozenset[str]:
        """See `engine.ports.Journal.planned`."""
        if not stations:
            return frozenset()
        command = (b"HMGET", keys.SITE_STATIONS, *(station.encode(errors="surrogatepass") for station in stations))
        sites = (await self._read([command]))[0]
        return frozenset(station for station, site in zip(stations, sites, strict=True) if site is not None)

    async def uses(self, names: Sequence[str]) -> Mapping[str, tuple[TransactionUse, ...]]:
        """See `engine.ports.Journal.uses`."""
        if not names:
            return {}
        replies = await self._read([(b"MGET", *map(keys.use_key, names))])
        return {name: decode_uses(value) for name, value in zip(names, replies[0], strict=True) if value is not None}

    async def commit(self, commits: Sequence[UnitCommit], now: datetime) -> Sequence[Verdict]:
        """See `engine.ports.Journal.commit`. A unit may be in it once."""
        if not commits:
            return []
        if len({commit.unit for commit in commits}) != len(commits):
            raise ValueError("a unit is twice in one commit: join its records and states into one UnitCommit")
        try:
            await self._renew({commit.unit: commit.epoch for commit in commits})
        except JournalUnavailable as error:
            return _counted([error] * len(commits))
        started = perf_counter()
        try:
            reply = await self._link.run_one(COMMIT, *self._call(commits, now))
        except JournalUnavailable as error:
            self._suspect(commits)
            return _counted([error] * len(commits))
        except BaseException:
            # Cancelled, most likely: the commands may have been sent.
            self._suspect(commits)
            raise
        journal_metrics.COMMIT_SECONDS.observe(perf_counter() - started)
        journal_metrics.COMMIT_STATIONS.observe(sum(len(commit.states) for commit in commits))
        return _counted([self._verdict(commit, unit_reply) for commit, unit_reply in zip(commits, reply, strict=True)])

    async def reserve_transaction_numbers(self, count: int) -> range:
        """See `engine.ports.Journal.reserve_transaction_numbers`. What a lost reply reserved is never given again.

        Raises:
            JournalUnavailable: Redis does not answer, or fewer than `count` numbers are left of the 2,147,483,647.
            ValueError: `count` is not positive.
        """
        if count < 1:
            raise ValueError(f"at least one transaction number can be reserved, not {count}")
        arguments = [b"%d" % count, b"%d" % TRANSACTION_NUMBER_MAX]
        reply = await self._link.run_one(RESERVE, [keys.TRANSACTION_NUMBERS], arguments)
        if not isinstance(reply, int):
            raise numbers_spent(reply)
        return range(reply - count + 1, reply + 1)

    async def next_epoch(self) -> int:
        """See `engine.ports.Journal.next_epoch`."""
        return int(await self._link.command(b"INCR", keys.EPOCH))

    async def raise_transaction_numbers(self, taken: int) -> None:
        """No number up to `taken` is given from now on: for a start on a new Redis beside an old PostgreSQL.

        Raises:
            JournalUnavailable: It is unknown whether that is so.
        """
        await self._link.run_one(RAISE, [keys.TRANSACTION_NUMBERS], [b"%d" % min(taken, TRANSACTION_NUMBER_MAX)])

    def _holds(self, unit: Unit, epoch: int) -> bool:
        fence = self._fences.get(unit)
        return fence is not None and unit not in self._suspects and epoch_of(fence) == epoch

    def _call(self, commits: Sequence[UnitCommit], now: datetime) -> tuple[list[bytes], list[bytes]]:
        """Keys and arguments of `COMMIT`. A unit without fence carries a bare epoch, which never matches."""
        names: list[bytes] = []
        arguments = [b"%d" % self._entries_max]
        for commit in commits:
            unit = commit.unit
            prefix = keys.state_prefix(unit.shard)
            entry = encode(JournalEntry(tenant=self._tenant, recorded_at=now, records=commit.records))
            names += (keys.epoch_key(unit), keys.stream_key(f"s{unit.shard}"))
            names += [prefix + station.encode() for station in commit.states]
            fence = self._fences.get(unit, b"%d" % commit.epoch)
            arguments += (fence, b"%d" % len(commit.states), entry, *commit.states.values())
        return names, arguments

    def _verdict(self, commit: UnitCommit, reply: Reply) -> Verdict:
        result = verdict(reply, commit.unit, commit.epoch, self._entries_max)
        if reply != RECORDED and isinstance(reply, bytes) and reply.startswith(b"fence:"):
            self._forget(commit.unit)
            if isinstance(result, JournalUnavailable):
                self._suspect((commit,))
        return result

    async def _renew(self, epochs: Mapping[Unit, int]) -> None:
        """Gives a new generation to suspect units, and to those this journal never claimed, where our epoch stands.

        Where it does not, the next commit will be fenced.

        Raises:
            JournalUnavailable: The units stay suspect.
        """
        if all(self._holds(unit, epoch) for unit, epoch in epochs.items()):
            return
        async with self._renewing:
            stale = {unit: epoch for unit, epoch in epochs.items() if not self._holds(unit, epoch)}
            calls = [([keys.epoch_key(unit)], [b"%d" % epoch, b"renew"]) for unit, epoch in stale.items()]
            replies = await self._link.run(FENCE, calls) if calls else []
            for (unit, epoch), reply in zip(stale.items(), replies, strict=True):
                if isinstance(reply, ResponseError):
                    raise unavailable(reply, self._link.place) from reply
                self._forget(unit)
                if epoch_of(reply) == epoch:
                    self._fences[unit] = reply

    def _suspect(self, commits: Iterable[UnitCommit]) -> None:
        self._suspects.update((commit.unit, commit.epoch) for commit in commits)

    def _forget(self, unit: Unit) -> None:
        self._fences.pop(unit, None)
        self._suspects.pop(unit, None)

    async def _read(self, commands: Sequence[tuple[bytes, ...]]) -> list[list[bytes | None]]:
        if not commands:
            return []
        replies = await self._link.round_trip(commands)
        for reply in replies:
            if isinstance(reply, ResponseError):
                raise unavailable(reply, self._link.place) from reply
        return replies


def numbers_spent(reply: bytes) -> JournalUnavailable:
    """The refusal of a reservation beyond the last number; `reply`: of `RESERVE`."""
    return JournalUnavailable(
        f"the names of OCPP 1.6 transactions are used up ({reply.decode().partition(':')[2]} of "
        f"{TRANSACTION_NUMBER_MAX} given): no 1.6 station of this installation can start a transaction any more; set "
        "up a new one with its own Redis"
    )


def _check_epoch(epoch: int) -> None:
    if epoch < 0:
        raise ValueError(f"an epoch is 0 or more, not {epoch}")


def _counted(verdicts: list[Verdict]) -> list[Verdict]:
    recorded = verdicts.count(None)
    journal_metrics.RECORDED_UNITS.inc(recorded)
    if recorded < len(verdicts):
        fenced_count = sum(isinstance(verdict, Fenced) for verdict in verdicts)
        journal_metrics.FENCED_UNITS.inc(fenced_count)
        journal_metrics.UNAVAILABLE_UNITS.inc(len(verdicts) - recorded - fenced_count)
    return verdicts


def _fetched(
    stations_of_shards: Sequence[Sequence[str]],
    tokens: Sequence[str],
    stations: Sequence[str],
    replies: Sequence[Sequence[bytes | None]],
) -> Fetched:
    """Puts names to replies: a list per shard, then one of token records followed by station records."""
    states = {
        station: value
        for names, values in zip(stations_of_shards, replies, strict=False)
        for station, value in zip(names, values, strict=True)
        if value is not None
    }
    records = replies[len(stations_of_shards)] if tokens or stations else ()
    token_records: dict[str, TokenRecord] = {
        key: decode_token_record(value) for key, value in zip(tokens, records, strict=False) if value is not None
    }
    station_records: dict[str, StationRecord] = {
        name: decode_station_record(value)
        for name, value in zip(stations, records[len(tokens) :], strict=True)
        if value is not None
    }
    return Fetched(states=states, tokens=token_records, stations=station_records)
