"""The station actor: the mailbox in front of `actors.turn`, the clock behind it, and what leaves after a commit.

Calls put their items into the mailbox; one loop takes all that waits, decides and commits it in one turn, and only then
resolves the calls. Load makes the turns larger and the messages cheaper.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence

import msgspec
import structlog

from actors import metrics
from actors.settings import ActorSettings
from actors.taken import Taken
from actors.transaction_numbers import TransactionNumbers
from actors.turn import UNAVAILABLE, Item, TurnResult, Turns
from engine.model.codec import (
    decode_batch,
    decode_command_cancel,
    decode_command_request,
    decode_command_requests,
    encode,
)
from engine.model.commands import CommandReplied, Outcome, Result
from engine.model.envelopes import BatchReply, Dispatch, Downlink, Downlinks, Retry, RetryReason, Verdict
from engine.model.ids import Unit, unit_of
from engine.ports import ActorGone, ActorUnavailable, Clock, Fenced, Ingresses, Journal, JournalUnavailable, Placement
from engine.station.commands import CANCEL
from engine.station.decider import Item as Event
from engine.station.decider import Tick
from engine.station.policy import Policy

log = structlog.get_logger()

TICK_S = 1.0
SEND_RETRY_S = 0.2
SEND_TRIES_MAX = 25
_OURS = -1
"""The epoch of items that name none: whatever we own."""


def _taken(item: Item) -> Taken:
    if isinstance(item.verdict, Retry):
        return Taken.MOVED if item.verdict.reason is RetryReason.MOVED else Taken.UNAVAILABLE
    return Taken.RECORDED if item.epoch != _OURS else Taken.MOVED


class _Parcel(msgspec.Struct):
    """Items that came with one call, and who waits for them."""

    items: list[Item]
    done: asyncio.Future[None]


class _Waiter(msgspec.Struct):
    """Who waits for a command's outcome, and the unit of the command's station."""

    unit: Unit
    outcome: asyncio.Future[Outcome]


class StationActor:
    """Hosts the stations of some shards, or (literal mode) one station.

    Args:
        name: Its name in Ray.
        journal: The durable record.
        ingresses: The way to the sessions.
        clock: Time.
        policy: The rules of the domain.
        settings: Bounds.
    """

    def __init__(
        self,
        name: str,
        journal: Journal,
        ingresses: Ingresses,
        clock: Clock,
        policy: Policy,
        settings: ActorSettings,
    ) -> None:
        self._name = name
        self._ingresses = ingresses
        self._clock = clock
        self._policy = policy
        self._settings = settings
        self._turns = Turns(journal, policy, TransactionNumbers(journal), stations_max=settings.stations_per_actor)
        self._mailbox: deque[_Parcel] = deque()
        self._waiting_items = 0
        self._wake = asyncio.Event()
        self._waiters: dict[str, list[_Waiter]] = {}
        self._releases: list[tuple[Placement, ...]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begins to take turns."""
        self._spawn(self._work())
        self._spawn(self._tick())

    async def deliver(self, batch: bytes) -> bytes:
        """Decides an encoded `Batch`; returns an encoded `BatchReply`."""
        opened = decode_batch(batch)
        epochs = dict(opened.epochs)
        items = []
        for delivery in opened.deliveries:
            unit = self._unit_of(delivery.station)
            epoch = epochs.get(unit, _OURS)
            items.append(Item(delivery.station, unit, epoch, delivery.event, delivery.received_at))
        if not await self._decided(items):
            return encode(BatchReply((UNAVAILABLE,) * len(items)))
        verdicts: list[Verdict] = [item.verdict or UNAVAILABLE for item in items]
        return encode(BatchReply(tuple(verdicts)))

    async def command(self, placement: Placement, request: bytes) -> bytes:
        """Takes an encoded `CommandRequest`; returns the encoded `Outcome` when there is one.

        Raises:
            Fenced: We do not own the unit of `placement`.
            JournalUnavailable: The command was not taken.
        """
        asked = decode_command_request(request)
        return await self._outcome(placement, asked.station, asked, asked.command_id)

    async def submit(self, placement: Placement, request: bytes) -> None:
        """Takes an encoded `CommandRequest` and returns when it is on record, whatever will come of it.

        Raises:
            Fenced, JournalUnavailable: As for `command`.
        """
        asked = decode_command_request(request)
        await self._take_command(placement, asked.station, asked)

    async def submit_many(self, placements: tuple[Placement, ...], requests: bytes) -> bytes:
        """Takes commands to many stations, encoded as one tuple, in one turn; returns when it is committed.

        A byte for each, a `Taken`: which are on record, whatever will come of them.
        """
        epochs = {placement.unit: placement.epoch for placement in placements}
        now = self._clock.now()
        items = []
        for asked in decode_command_requests(requests):
            unit = self._unit_of(asked.station)
            items.append(Item(asked.station, unit, epochs.get(unit, _OURS), asked, now))
        if not await self._decided(items):
            return bytes([Taken.UNAVAILABLE] * len(items))
        return bytes([_taken(item) for item in items])

    async def cancel(self, placement: Placement, cancel: bytes) -> bytes:
        """Takes back the command of an encoded `CommandCancel`; returns the encoded `Outcome`: what is true of it now.

        CANCELLED: it was taken back. REFUSED: it is with the station, or unknown. Else: it was over before.

        Raises:
            Fenced, JournalUnavailable: As for `command`.
        """
        asked = decode_command_cancel(cancel)
        return await self._outcome(placement, asked.station, asked, CANCEL + asked.command_id)

    async def _outcome(self, placement: Placement, station: str, asked: Event, name: str) -> bytes:
        """Lets an item be decided and waits for what is settled under this name."""
        waiter = _Waiter(placement.unit, asyncio.get_running_loop().create_future())
        self._waiters.setdefault(name, []).append(waiter)
        try:
            await self._take_command(placement, station, asked)
            return encode(await waiter.outcome)
        finally:
            self._waiters[name].remove(waiter)
            if not self._waiters[name]:
                del self._waiters[name]

    async def _take_command(self, placement: Placement, station: str, asked: Event) -> None:
        """Lets an item be decided that must be on record before its sender goes on."""
        item = Item(station, placement.unit, placement.epoch, asked, self._clock.now())
        taken = await self._decided([item])
        if not taken or item.verdict == UNAVAILABLE:
            raise JournalUnavailable("the command could not be recorded; nothing was sent")
        if isinstance(item.verdict, Retry) and item.verdict.reason is RetryReason.MOVED:
            raise Fenced(f"{self._name} does not own {placement.unit.name}")

    async def release(self, placements: tuple[Placement, ...]) -> None:
        """These units are other actors' now. Their stations are forgotten, after the turn that is under way.

        Whoever waits here for the outcome of a command to one of them gets `Fenced`, and asks the new owner.
        """
        self._releases.append(placements)
        self._wake.set()

    async def health(self) -> dict[str, object]:
        """For people and readiness."""
        return {
            "stations": len(self._turns.stations),
            "units": len(self._turns.units),
            "mailbox": self._waiting_items,
        }

    async def _decided(self, items: list[Item]) -> bool:
        """Waits until a turn decided the items; False: the mailbox is full, nothing was taken."""
        if self._waiting_items + len(items) > self._settings.mailbox_deliveries_max:
            return False
        parcel = _Parcel(items, asyncio.get_running_loop().create_future())
        self._mailbox.append(parcel)
        self._waiting_items += len(items)
        metrics.mailbox_deliveries.set(self._waiting_items)
        self._wake.set()
        await parcel.done
        return True

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._forget_released()
            while self._mailbox:
                await self._turn(self._take())
                self._forget_released()

    def _forget_released(self) -> None:
        released, self._releases = self._releases, []
        for placement in (placement for placements in released for placement in placements):
            if self._turns.release(placement.unit, placement.epoch):
                self._send_away(placement)

    def _send_away(self, placement: Placement) -> None:
        waiters = [waiter for waiting in self._waiters.values() for waiter in waiting if waiter.unit == placement.unit]
        for waiter in waiters:
            if not waiter.outcome.done():
                waiter.outcome.set_exception(Fenced(f"{placement.unit.name} is {placement.actor}'s now"))
                waiter.outcome.exception()  # seen, also if nobody waits for it in the end

    def _take(self) -> list[_Parcel]:
        """Parcels for one turn: at least one, then as many as the bound allows."""
        parcels = [self._mailbox.popleft()]
        count = len(parcels[0].items)
        while self._mailbox and count + len(self._mailbox[0].items) <= self._settings.turn_deliveries_max:
            parcels.append(self._mailbox.popleft())
            count += len(parcels[-1].items)
        self._waiting_items -= count
        metrics.mailbox_deliveries.set(self._waiting_items)
        metrics.turn_deliveries.observe(count)
        return parcels

    async def _turn(self, parcels: Sequence[_Parcel]) -> None:
        items = [item for parcel in parcels for item in parcel.items]
        for item in items:
            if item.epoch == _OURS:
                item.epoch = self._turns.units.get(item.unit, _OURS)
        try:
            result = await self._turns.take([item for item in items if item.epoch != _OURS], self._clock.now())
        except Exception:  # a bug: nothing was decided; the senders try again
            metrics.bugs.inc()
            log.exception("a turn failed", actor=self._name, deliveries=len(items))
            self._turns.forget_all()
            for item in items:
                item.verdict = UNAVAILABLE
        else:
            self._let_out(result)
        for parcel in parcels:
            if not parcel.done.done():
                parcel.done.set_result(None)

    def _let_out(self, result: TurnResult) -> None:
        """Wakes who waits for outcomes, and sends what goes to stations."""
        for command_id, outcome in result.settled:
            for waiter in self._waiters.get(command_id, ()):
                if not waiter.outcome.done():
                    waiter.outcome.set_result(outcome)
        by_ingress: dict[str, list[Downlink]] = {}
        for ingress, downlink in result.downlinks:
            by_ingress.setdefault(ingress, []).append(downlink)
        for ingress, downlinks in by_ingress.items():
            self._spawn(self._send(ingress, tuple(downlinks)))

    async def _send(self, ingress: str, downlinks: tuple[Downlink, ...]) -> None:
        """Hands downlinks to an ingress; commands for one that is gone are lost, and that is recorded."""
        encoded = encode(Downlinks(downlinks))
        for _ in range(SEND_TRIES_MAX):
            try:
                await self._ingresses.send(ingress, encoded)
            except ActorUnavailable:
                await asyncio.sleep(SEND_RETRY_S)
            except ActorGone:
                break
            else:
                return
        await self._report_lost(ingress, downlinks)

    async def _report_lost(self, ingress: str, downlinks: tuple[Downlink, ...]) -> None:
        outcome = Outcome(Result.LOST, detail=f"ingress {ingress}, which held the connection, is gone")
        lost = [
            (each.station, CommandReplied(each.command_id, outcome)) for each in downlinks if isinstance(each, Dispatch)
        ]
        items = [self._own_item(station, replied) for station, replied in lost]
        if items:
            await self._decided(items)

    async def _tick(self) -> None:
        """Lets time pass for stations whose commands are due."""
        while True:
            await asyncio.sleep(TICK_S)
            now = self._clock.now()
            deadlines = ((name, hosted.due_at(self._policy)) for name, hosted in self._turns.stations.items())
            due = [station for station, deadline in deadlines if deadline is not None and deadline <= now]
            if due:
                await self._decided([self._own_item(station, Tick()) for station in due])

    def _own_item(self, station: str, what: Tick | CommandReplied) -> Item:
        return Item(station, self._unit_of(station), _OURS, what, self._clock.now())

    def _unit_of(self, station: str) -> Unit:
        return unit_of(station, self._settings.shards, literal=self._settings.literal)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the station actor failed", actor=self._name, error=repr(error))
