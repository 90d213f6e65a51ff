"""The operator's tariffs and whom they are for, in Redis; every change is also a fact on its way to PostgreSQL.

The whole book is one value: station actors read it at a glance. A change and its facts are written by one script; a
change whose reply was lost may have been made, and making it again does no harm.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from redis.asyncio import Redis

from engine.model.codec import decode_tariff_book, encode
from engine.model.facts import OperatorEntry, OperatorFact
from engine.model.tariff_and_cost import AssignedTo, TariffAssigned, TariffBook, TariffRemoved, TariffSaved
from engine.model.tariffs import Tariff
from engine.ports import JournalUnavailable
from storage import keys
from storage.journal_memory import MemoryStore
from storage.journal_scripts import RECORD, RECORDED, REPLACE, full
from storage.redis_client import redis_link
from storage.redis_settings import RedisSettings

_STREAM: Final = keys.stream_key(keys.OPERATOR)
_CHANGES_MAX: Final = 8
"""Times a change is made anew because somebody else changed the book in between."""

Change = Callable[[TariffBook], tuple[TariffBook, tuple[OperatorFact, ...]]]
"""The book after a change, and its facts; none: nothing changed. May raise ValueError."""


class TariffChanges:
    """What `engine.ports.TariffKeeper` does, over any place that keeps the book."""

    async def change(self, change: Change, now: datetime) -> TariffBook:
        """Makes a change in one step; the book as it became."""
        raise NotImplementedError

    async def save(self, tariff: Tariff, now: datetime) -> None:
        """See `engine.ports.TariffKeeper.save`."""

        def saved(book: TariffBook) -> tuple[TariffBook, tuple[OperatorFact, ...]]:
            return book.with_saved(tariff), (TariffSaved(tariff=tariff, at=now),)

        await self.change(saved, now)

    async def remove(self, tariff_id: str, now: datetime) -> bool:
        """See `engine.ports.TariffKeeper.remove`."""
        known = False

        def removed(book: TariffBook) -> tuple[TariffBook, tuple[OperatorFact, ...]]:
            nonlocal known
            known = tariff_id in book.tariffs
            if not known:
                return book, ()
            freed = tuple(
                TariffAssigned(to=to, name=name, tariff_id=None, at=now)
                for to, name, assigned in book.assigned()
                if assigned == tariff_id
            )
            return book.without(tariff_id), (TariffRemoved(tariff_id=tariff_id, at=now), *freed)

        await self.change(removed, now)
        return known

    async def assign(self, to: AssignedTo, name: str, tariff_id: str | None, now: datetime) -> None:
        """See `engine.ports.TariffKeeper.assign`."""

        def assigned(book: TariffBook) -> tuple[TariffBook, tuple[OperatorFact, ...]]:
            fact = TariffAssigned(to=to, name=name, tariff_id=tariff_id, at=now)
            return book.with_assigned(to, name, tariff_id), (fact,)

        await self.change(assigned, now)


class RedisTariffBook(TariffChanges):
    """`engine.ports.TariffKeeper` in Redis."""

    def __init__(self, client: Redis, *, tenant: str, settings: RedisSettings) -> None:
        self._link: Final = redis_link(client, settings)
        self._tenant: Final = tenant
        self._entries_max: Final = settings.operator_stream_entries_max

    async def book(self) -> TariffBook:
        """See `engine.ports.TariffKeeper.book`."""
        value = await self._link.command(b"GET", keys.TARIFFS)
        return TariffBook() if value is None else decode_tariff_book(value)

    async def change(self, change: Change, now: datetime) -> TariffBook:
        """Makes a change in one step.

        Raises:
            ValueError: The change cannot be made.
            JournalUnavailable: It is unknown whether it is made, or others change the book all the time; try again.
        """
        for _ in range(_CHANGES_MAX):
            value = await self._link.command(b"GET", keys.TARIFFS)
            before = TariffBook() if value is None else decode_tariff_book(value)
            book, facts = change(before)
            if not facts:
                return book
            entry = encode(OperatorEntry(tenant=self._tenant, recorded_at=now, facts=facts))
            if value is None:
                script, arguments = RECORD, [b"%d" % self._entries_max, entry, encode(book)]
            else:
                script, arguments = REPLACE, [b"%d" % self._entries_max, entry, value, encode(book)]
            reply = await self._link.run_one(script, [_STREAM, keys.TARIFFS], arguments)
            if reply == RECORDED:
                return book
            if reply != 0:
                raise full(keys.OPERATOR, int(reply.partition(b":")[2]), self._entries_max)
        raise JournalUnavailable(f"the tariffs were changed by others {_CHANGES_MAX} times meanwhile: try again later")


class MemoryTariffBook(TariffChanges):
    """`engine.ports.TariffKeeper` over a `MemoryStore`, for tests and simulated time."""

    def __init__(self, store: MemoryStore, *, tenant: str, settings: RedisSettings | None = None) -> None:
        self._store: Final = store
        self._tenant: Final = tenant
        self._settings: Final = settings or RedisSettings()

    async def book(self) -> TariffBook:
        """See `engine.ports.TariffKeeper.book`."""
        self._store.check_available()
        value = self._store.values.get(keys.TARIFFS)
        return TariffBook() if value is None else decode_tariff_book(value)

    async def change(self, change: Change, now: datetime) -> TariffBook:
        """See `RedisTariffBook.change`; nobody comes in between here."""
        book, facts = change(await self.book())
        if facts:
            entry = encode(OperatorEntry(tenant=self._tenant, recorded_at=now, facts=facts))
            self._store.add(keys.OPERATOR, entry, self._settings.operator_stream_entries_max)
            self._store.values[keys.TARIFFS] = encode(book)
            self._store.check_reply()
        return book
