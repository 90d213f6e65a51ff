"""The ledger: the transactions that a station's state remembers, and how facts change it.

It holds what is needed to understand the next message about a transaction, nothing else; the whole transaction is in
the journal. Everything is bounded:

    open        TRANSACTIONS_PER_PLACE_MAX at a place (EVSE and connector), TRANSACTIONS_OPEN_MAX in all. The oldest is
                forgotten, not ended: a later message opens it again as STARTED_UNSEEN, under the same id
    ended       the last TRANSACTIONS_ENDED_MAX, so that repeats and late messages are understood
    forgotten   checksums of the ids ended before those, so that a late message does not reopen one

Rests in Redis as arrays: fields are added at the end with a default, never removed or moved.
"""

import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.model.ids import EvseRef
from engine.model.transactions import (
    ChargingState,
    Gaps,
    Stage,
    TransactionEnded,
    TransactionFlag,
    TransactionOpened,
    TransactionUpdated,
)

TRANSACTIONS_PER_PLACE_MAX = 8
TRANSACTIONS_OPEN_MAX = 256
TRANSACTIONS_ENDED_MAX = 6
TRANSACTIONS_FORGOTTEN_MAX = 32
KEYS_OPEN_MAX = 8
KEYS_ENDED_MAX = 2


def message_key(stage: Stage, sequence: int, at: datetime, trigger: str | None) -> int:
    """What tells a 2.x transaction event from the others of its transaction, in 63 bits.

    The sequence number, and a checksum of the rest: some stations count 0, 0, 0 (ocpp.md section 2, 3).
    """
    return (sequence & 0x7FFFFFFF) << 32 | zlib.crc32(f"{stage.value}|{at.timestamp()}|{trigger}".encode())


class KnownTransaction(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is remembered of a transaction.

    `started`: its start was reported (False: STARTED_UNSEEN). `number`: the name we gave (1.6). `meter_last_wh`: the
    last register reading, after the end the meter's stop. `meter_location`: where the register of the start sits, so
    that stop and start are read at the same place; None: not known. `sequence_max`: the highest heard. `keys`: of the
    last messages. `unnamed`: the station has no id for it, we made one up. `sequence_min`: the lowest heard. `gaps`:
    sequence numbers between them that were not heard. `superseded`: a younger one began at its connector. `abandoned`:
    we ended it, the station did not tell.
    """

    transaction_id: str
    started_at: datetime
    started: bool
    number: int | None = None
    evse: int | None = None
    connector: int | None = None
    token_key: str | None = None
    meter_start_wh: float | None = None
    meter_last_wh: float | None = None
    meter_location: str | None = None
    charging_state: ChargingState | None = None
    sequence_max: int | None = None
    keys: tuple[int, ...] = ()
    ended_at: datetime | None = None
    unnamed: bool = False
    sequence_min: int | None = None
    gaps: Gaps = ()
    superseded: bool = False
    abandoned: bool = False

    @property
    def place(self) -> EvseRef | None:
        """Where it takes place; None: not said yet."""
        return None if self.evse is None else EvseRef(self.evse, self.connector)

    def has_heard(self, stage: Stage, sequence: int, at: datetime, trigger: str | None) -> bool:
        """Whether it was this very message, one of the last."""
        return bool(self.keys) and message_key(stage, sequence, at, trigger) in self.keys

    @classmethod
    def opened(cls, fact: TransactionOpened) -> "KnownTransaction":
        """As its first fact tells it."""
        started = TransactionFlag.STARTED_UNSEEN not in fact.flags
        place = fact.evse
        known = cls(
            transaction_id=fact.transaction_id,
            started_at=fact.started_at,
            started=started,
            number=fact.number,
            evse=None if place is None else place.evse,
            connector=None if place is None else place.connector,
            token_key=None if fact.token is None else fact.token.key,
            meter_start_wh=fact.meter_start_wh,
            meter_last_wh=fact.meter_start_wh,
            meter_location=fact.meter_location,
            charging_state=fact.charging_state,
            unnamed=TransactionFlag.NO_TRANSACTION_ID in fact.flags,
        )
        return known.heard(Stage.STARTED, fact.sequence, fact.started_at, fact.trigger)

    def updated(self, fact: TransactionUpdated) -> "KnownTransaction":
        """With what the fact adds."""
        changes: dict[str, Any] = {}
        if fact.meter_last_wh is not None:
            changes["meter_last_wh"] = fact.meter_last_wh
        if fact.meter_start_wh is not None:
            changes["meter_start_wh"] = fact.meter_start_wh
            changes["meter_location"] = fact.meter_location
        if fact.charging_state is not None:
            changes["charging_state"] = fact.charging_state
        if fact.evse is not None:
            changes["evse"] = fact.evse.evse
            changes["connector"] = fact.evse.connector
        if fact.token is not None:
            changes["token_key"] = fact.token.key
        if fact.stage is Stage.STARTED and not self.started:
            changes["started"] = True
            changes["started_at"] = fact.at
        if fact.gaps is not None:
            changes["gaps"] = fact.gaps
        if fact.flags and TransactionFlag.SUPERSEDED in fact.flags:
            changes["superseded"] = True
        known = replace(self, **changes) if changes else self
        return known.heard(fact.stage, fact.sequence, fact.at, fact.trigger)

    def ended(self, fact: TransactionEnded) -> "KnownTransaction":
        """Over; what only a running transaction needs is let go."""
        known = self.heard(Stage.ENDED, fact.sequence, fact.ended_at, fact.trigger)
        last_wh = self.meter_last_wh if fact.meter_stop_wh is None else fact.meter_stop_wh
        return replace(
            known,
            ended_at=fact.ended_at,
            meter_last_wh=last_wh,
            charging_state=None,
            keys=known.keys[-KEYS_ENDED_MAX:],
            gaps=self.gaps if fact.gaps is None else fact.gaps,
            abandoned=TransactionFlag.ABANDONED in fact.flags,
        )

    def heard(self, stage: Stage, sequence: int | None, at: datetime, trigger: str | None) -> "KnownTransaction":
        """With one more message to know again; without a sequence number there is nothing to know it by."""
        if sequence is None:
            return self
        key = message_key(stage, sequence, at, trigger)
        keys_max = KEYS_OPEN_MAX if self.ended_at is None else KEYS_ENDED_MAX
        keys = self.keys if key in self.keys else (*self.keys, key)[-keys_max:]
        if self.sequence_max is None or self.sequence_min is None:
            lowest = sequence if self.sequence_max is None else self.sequence_min
            highest = sequence if self.sequence_max is None else max(self.sequence_max, sequence)
            return replace(self, keys=keys, sequence_max=highest, sequence_min=lowest)
        if sequence > self.sequence_max:
            return replace(self, keys=keys, sequence_max=sequence)
        if sequence < self.sequence_min:
            return replace(self, keys=keys, sequence_min=sequence)
        return self if keys is self.keys else replace(self, keys=keys)


class Ledger(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One station's transactions, oldest first. `forgotten`: checksums. `unnamed_last`: how many we made ids for."""

    open: tuple[KnownTransaction, ...] = ()
    ended: tuple[KnownTransaction, ...] = ()
    forgotten: tuple[int, ...] = ()
    unnamed_last: int = 0

    def find(self, transaction_id: str) -> KnownTransaction | None:
        """By id, open or ended lately."""
        for known in self:
            if known.transaction_id == transaction_id:
                return known
        return None

    def __iter__(self) -> Iterator[KnownTransaction]:
        """The open ones, then those ended lately."""
        yield from self.open
        yield from self.ended

    def forgot(self, transaction_id: str) -> bool:
        """Whether it ended so long ago that only its checksum is kept."""
        return bool(self.forgotten) and checksum(transaction_id) in self.forgotten

    def opened(self, fact: TransactionOpened) -> "Ledger":
        """One more is open; the oldest beyond the bounds are forgotten."""
        if self.find(fact.transaction_id) is not None:
            return self
        known = KnownTransaction.opened(fact)
        unnamed_last = self.unnamed_last + known.unnamed
        return replace(self, open=_bounded((*self.open, known), known), unnamed_last=unnamed_last)

    def updated(self, fact: TransactionUpdated) -> "Ledger":
        """One is known better."""
        for index, known in enumerate(self.open):
            if known.transaction_id == fact.transaction_id:
                changed = known.updated(fact)
                opened = (*self.open[:index], changed, *self.open[index + 1 :])
                return replace(self, open=opened if fact.evse is None else _bounded(opened, changed))
        for index, known in enumerate(self.ended):
            if known.transaction_id == fact.transaction_id:
                changed = known.updated(fact)
                return replace(self, ended=(*self.ended[:index], changed, *self.ended[index + 1 :]))
        return self

    def closed(self, fact: TransactionEnded) -> "Ledger":
        """One is over; of the oldest ended only a checksum stays."""
        known = next((known for known in self.open if known.transaction_id == fact.transaction_id), None)
        if known is None:
            return self._closed_again(fact)
        ended = (*self.ended, known.ended(fact))
        old = tuple(checksum(known.transaction_id) for known in ended[:-TRANSACTIONS_ENDED_MAX])
        return replace(
            self,
            open=tuple(other for other in self.open if other is not known),
            ended=ended[-TRANSACTIONS_ENDED_MAX:],
            forgotten=(*self.forgotten, *old)[-TRANSACTIONS_FORGOTTEN_MAX:] if old else self.forgotten,
        )

    def _closed_again(self, fact: TransactionEnded) -> "Ledger":
        """The station told the end of one that we had ended."""
        ended = tuple(
            known.ended(fact) if known.transaction_id == fact.transaction_id else known for known in self.ended
        )
        return replace(self, ended=ended)


def _bounded(opened: tuple[KnownTransaction, ...], newcomer: KnownTransaction) -> tuple[KnownTransaction, ...]:
    """Without the oldest, where there are too many at the newcomer's place or in all."""
    if len(opened) <= TRANSACTIONS_PER_PLACE_MAX:
        return opened
    there = [known for known in opened if (known.evse, known.connector) == (newcomer.evse, newcomer.connector)]
    if len(there) > TRANSACTIONS_PER_PLACE_MAX:
        opened = tuple(known for known in opened if known is not there[0])
    return opened[-TRANSACTIONS_OPEN_MAX:]


def checksum(transaction_id: str) -> int:
    """32 bits of an id. Two agree once in 4 billion; then a message is filed as late instead of as unseen."""
    return zlib.crc32(transaction_id.encode(errors="surrogatepass"))
