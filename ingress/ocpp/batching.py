"""Batching: all that arrived in this turn of the loop for one actor goes as one call, and again until it is decided.

    lane      the events of one station in order; at most one call at a time carries events of a lane
    outbox    the lanes with something to say to one actor. A call costs the same with one event and with many, so a
              second one leaves beside the first only with many, and calls keep a few milliseconds' distance; an
              event that comes to an idle actor waits for nobody
    unit      a shard (or a literal station) whose owner failed is on hold: its lanes wait while we ask the directory
    door      closed while too much waits in all; the server stops reading from every station

Order per station holds through redelivery because a lane that is under way is never taken a second time, and what
comes back undecided goes to the front of its lane. Nothing is dropped, with one exception that the protocol allows:
calls that are unanswered when their connection is gone are not delivered *again*; the station repeats them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from itertools import islice
from time import perf_counter

import structlog

from engine.model.codec import decode_batch_reply, encode
from engine.model.envelopes import Batch, Reported, Retry, RetryReason, Superseded, Verdict
from engine.model.ids import Unit
from engine.model.sessions import SessionOpened
from engine.ports import ActorGone, ActorUnavailable, Placement, StationActors
from ingress import metrics
from ingress.ocpp.lanes import Lane, Parcel, Sender
from ingress.settings import OcppSettings

log = structlog.get_logger()

_LANES_BESIDE_MIN = 256
"""A call leaves beside another to the same actor only for so many stations."""


class _Outbox:
    """What waits for one actor. `left_at`: the loop's clock when the last call left."""

    __slots__ = ("calls", "lanes", "left_at", "scheduled")

    def __init__(self) -> None:
        self.lanes: deque[Lane] = deque()
        self.calls = 0
        self.left_at = 0.0
        self.scheduled = False


class _Hold:
    """A unit whose owner failed or does not take anything now. `tries` in a row made the wait longer."""

    __slots__ = ("active", "lanes", "tries")

    def __init__(self) -> None:
        self.lanes: list[Lane] = []
        self.active = False
        self.tries = 0


class Courier:
    """Brings events of stations to their actors and the verdicts back.

    Args:
        ingress: Name of this ingress, as batches carry it.
        actors: The way to the actors.
        settings: Bounds.
        door: Called with True when too much waits and reading must stop, with False when it may go on.
    """

    def __init__(
        self, ingress: str, actors: StationActors, settings: OcppSettings, door: Callable[[bool], None]
    ) -> None:
        self._ingress = ingress
        self._actors = actors
        self._settings = settings
        self._door = door
        self._lanes: dict[str, Lane] = {}
        self._outboxes: dict[str, _Outbox] = {}
        self._holds: dict[Unit, _Hold] = {}
        self._locating = asyncio.Semaphore(settings.locates_max)
        self._tasks: set[asyncio.Task[None]] = set()
        self._deliveries = 0
        self._bytes = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.closed_door = False

    @property
    def waiting(self) -> int:
        """Events without a verdict, those under way included."""
        return self._deliveries

    @property
    def units_held(self) -> int:
        """Units whose owner does not answer or take anything now."""
        return sum(1 for hold in self._holds.values() if hold.active)

    def open_lane(self, station: str) -> Lane:
        """The station's lane; give it back with `leave_lane`."""
        lane = self._lanes.get(station)
        if lane is None:
            lane = self._lanes[station] = Lane(station, self._actors.unit_of(station))
        lane.users += 1
        return lane

    def leave_lane(self, lane: Lane) -> None:
        """The session is over; what it left in the lane is still delivered."""
        lane.users -= 1
        self._forget_if_unused(lane)

    def submit(self, lane: Lane, parcel: Parcel) -> None:
        """Queues an event behind those of its station; it leaves at once when its actor is idle."""
        self._idle.clear()
        lane.parcels.append(parcel)
        self._deliveries += 1
        self._bytes += parcel.size_bytes
        if not (lane.queued or lane.under_way):
            self._queue(lane)
        if not self.closed_door and self._is_full():
            self._set_door(closed=True)

    def withdraw(self, lane: Lane, sender: Sender) -> bool:
        """Takes back what a session has in the lane, if the actor cannot know of the session; whether that was so."""
        waiting = [parcel for parcel in lane.parcels if parcel.sender is sender]
        if not waiting or not isinstance(waiting[0].delivery.event, SessionOpened):
            return False
        under_way = any(parcel.sender is sender for parcel in islice(lane.parcels, lane.under_way))
        if under_way or waiting[0].perhaps_taken:
            return False
        lane.parcels = deque(parcel for parcel in lane.parcels if parcel.sender is not sender)
        self._settled(waiting)
        return True

    async def wait_idle(self) -> None:
        """Returns when everything has its verdict."""
        await self._idle.wait()

    async def close(self) -> None:
        """Ends all calls and waits. What has no verdict stays undecided."""
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Towards the actor

    def _queue(self, lane: Lane) -> None:
        """Puts a lane where its unit's events leave from."""
        lane.queued = True
        hold = self._holds.get(lane.unit)
        if hold is not None and hold.active:
            hold.lanes.append(lane)
            self._hold_senders(lane)
            return
        placement = self._actors.placement(lane.unit)
        if placement is None:
            self._hold(lane.unit, [lane], None)
            return
        outbox = self._outboxes.get(placement.actor)
        if outbox is None:
            outbox = self._outboxes[placement.actor] = _Outbox()
        outbox.lanes.append(lane)
        self._schedule(placement.actor, outbox)

    def _schedule(self, actor: str, outbox: _Outbox) -> None:
        """Lets a call leave as soon as it may; where it may not, the next call that returns asks again."""
        if outbox.scheduled or not outbox.lanes or outbox.calls >= self._settings.calls_per_actor_max:
            return
        if outbox.calls and len(outbox.lanes) < _LANES_BESIDE_MIN:
            return
        outbox.scheduled = True
        loop = asyncio.get_running_loop()
        distance_s = outbox.left_at + self._settings.batch_wait_ms / 1000 - loop.time()
        loop.call_later(max(0.0, distance_s), self._flush, actor, outbox)

    def _flush(self, actor: str, outbox: _Outbox) -> None:
        """Starts one call with what waits for the actor."""
        outbox.scheduled = False
        load, epochs = self._load(actor, outbox)
        if load:
            outbox.calls += 1
            outbox.left_at = asyncio.get_running_loop().time()
            self._spawn(self._deliver(actor, outbox, load, epochs))
        self._schedule(actor, outbox)

    def _load(self, actor: str, outbox: _Outbox) -> tuple[list[Lane], dict[Unit, Placement]]:
        """Lanes for one call, up to the bounds, and the placement of each unit. Lanes that moved go elsewhere."""
        load: list[Lane] = []
        epochs: dict[Unit, Placement] = {}
        count_max, size_max = self._settings.batch_deliveries_max, self._settings.batch_bytes_max
        count = size = 0
        full = False
        while outbox.lanes and not full:
            lane = outbox.lanes.popleft()
            placement = self._actors.placement(lane.unit)
            if placement is None or placement.actor != actor or self._is_held(lane.unit):
                self._queue(lane)
                continue
            taken = 0
            for parcel in lane.parcels:
                full = count >= count_max or (count > 0 and size + parcel.size_bytes > size_max)
                if full:
                    break
                taken += 1
                count += 1
                size += parcel.size_bytes
            if not taken:
                if lane.parcels:
                    outbox.lanes.appendleft(lane)
                else:
                    self._empty(lane)
                continue
            lane.queued = False
            lane.under_way = taken
            load.append(lane)
            epochs[lane.unit] = placement
        return load, epochs

    async def _deliver(self, actor: str, outbox: _Outbox, load: list[Lane], placements: dict[Unit, Placement]) -> None:
        """One call: hands the batch over and gives out the verdicts, or keeps everything for another try."""
        deliveries = tuple(parcel.delivery for lane in load for parcel in islice(lane.parcels, lane.under_way))
        epochs = tuple((unit, placement.epoch) for unit, placement in placements.items())
        metrics.batch_deliveries.observe(len(deliveries))
        started = perf_counter()
        try:
            verdicts = await self._call(actor, Batch(self._ingress, epochs, deliveries))
        except (ActorUnavailable, ActorGone) as error:
            self._failed(load, placements, type(error).__name__, str(error))
        except Exception as error:  # whatever went wrong there, the events are still undecided
            log.exception("a batch could not be delivered", actor=actor, deliveries=len(deliveries))
            self._failed(load, placements, "error", repr(error))
        else:
            metrics.ACTOR.observe(perf_counter() - started)
            self._hand_out(load, placements, verdicts)
        finally:
            outbox.calls -= 1
            self._schedule(actor, outbox)

    async def _call(self, actor: str, batch: Batch) -> Sequence[Verdict]:
        """The verdicts, one per delivery.

        Raises:
            ActorUnavailable: No answer, or one that does not fit.
            ActorGone: From the port.
        """
        try:
            async with asyncio.timeout(self._settings.deliver_timeout_s):
                verdicts = decode_batch_reply(await self._actors.deliver(actor, encode(batch))).verdicts
        except TimeoutError:
            raise ActorUnavailable(f"actor {actor} gave no answer in {self._settings.deliver_timeout_s:g} s") from None
        if len(verdicts) != len(batch.deliveries):
            raise ActorUnavailable(f"actor {actor} gave {len(verdicts)} verdicts on {len(batch.deliveries)} events")
        return verdicts

    # Back from the actor

    def _hand_out(self, load: list[Lane], placements: dict[Unit, Placement], verdicts: Sequence[Verdict]) -> None:
        position = 0
        undecided: dict[tuple[Unit, RetryReason], list[Lane]] = {}
        for lane in load:
            mine = verdicts[position : position + lane.under_way]
            position += lane.under_way
            reason = self._take_verdicts(lane, mine)
            if reason is not None:
                undecided.setdefault((lane.unit, reason), []).append(lane)
                continue
            if lane.held:
                self._release_senders(lane)
            if lane.parcels:
                if not lane.queued:
                    self._queue(lane)
            else:
                self._forget_if_unused(lane)
        for unit in placements.keys() - {unit for unit, _ in undecided}:
            if not self._is_held(unit):
                self._holds.pop(unit, None)
        for (unit, reason), lanes in undecided.items():
            self._hold(unit, lanes, placements[unit] if reason is RetryReason.MOVED else None)

    def _take_verdicts(self, lane: Lane, verdicts: Sequence[Verdict]) -> RetryReason | None:
        """Gives out what was decided; what was not stays at the front of the lane. Returns why it was not."""
        carried = [lane.parcels.popleft() for _ in range(lane.under_way)]
        lane.under_way = 0
        lane.queued = True  # nobody else queues it while senders are told
        reason: RetryReason | None = None
        again: list[Parcel] = []
        decided: list[Parcel] = []
        for parcel, verdict in zip(carried, verdicts, strict=True):
            if isinstance(verdict, Retry):
                reason = reason or verdict.reason
                again.append(parcel)
            elif reason is not None and isinstance(verdict, Superseded):
                again.append(parcel)  # its session's opening is still undecided, so nobody can know this
            else:
                decided.append(parcel)
                parcel.sender.decided(parcel, verdict)
        self._settled(decided)
        lane.queued = False
        if reason is not None:
            metrics.retries.labels(reason.value).inc(len(again))
            self._put_back(lane, again)
        return reason

    def _failed(self, load: list[Lane], placements: dict[Unit, Placement], kind: str, why: str) -> None:
        """It is unknown whether the batch was taken: all of it again."""
        by_unit: dict[Unit, list[Lane]] = {}
        count = 0
        for lane in load:
            count += lane.under_way
            carried = [lane.parcels.popleft() for _ in range(lane.under_way)]
            for parcel in carried:
                parcel.perhaps_taken = True
            lane.under_way = 0
            self._put_back(lane, carried)
            by_unit.setdefault(lane.unit, []).append(lane)
        metrics.retries.labels(kind).inc(count)
        log.warning("a batch is to be delivered again", deliveries=count, units=len(by_unit), why=why)
        for unit, lanes in by_unit.items():
            self._hold(unit, lanes, placements[unit])

    def _put_back(self, lane: Lane, carried: Sequence[Parcel]) -> None:
        """To the front of the lane, without the calls nobody waits for any more."""
        unwanted = [parcel for parcel in carried if parcel.sender.gone and isinstance(parcel.delivery.event, Reported)]
        if unwanted:
            self._settled(unwanted)
            carried = [parcel for parcel in carried if parcel not in unwanted]
        lane.parcels.extendleft(reversed(carried))

    # Units on hold

    def _is_held(self, unit: Unit) -> bool:
        hold = self._holds.get(unit)
        return hold is not None and hold.active

    def _hold(self, unit: Unit, lanes: list[Lane], suspect: Placement | None) -> None:
        """The lanes wait until their unit's owner is known and may be asked again."""
        hold = self._holds.get(unit)
        if hold is None:
            hold = self._holds[unit] = _Hold()
        for lane in lanes:
            lane.queued = True
            self._hold_senders(lane)
        hold.lanes.extend(lanes)
        if not hold.active:
            hold.active = True
            self._spawn(self._recover(unit, hold, suspect))

    async def _recover(self, unit: Unit, hold: _Hold, suspect: Placement | None) -> None:
        """Finds the owner, waits a little if it is the same, and lets the lanes go on."""
        while True:
            if suspect is not None or self._actors.placement(unit) is None:
                found = await self._locate(unit, suspect)
                if found is not None and (suspect is None or found != suspect):
                    break
                await self._wait(hold)
                if found is not None:
                    break
            else:
                await self._wait(hold)
                break
        hold.active = False
        lanes, hold.lanes = hold.lanes, []
        for lane in lanes:
            if lane.parcels:
                self._queue(lane)
            else:
                self._empty(lane)

    async def _locate(self, unit: Unit, suspect: Placement | None) -> Placement | None:
        """The owner; None: the directory does not answer now."""
        try:
            async with self._locating, asyncio.timeout(self._settings.deliver_timeout_s):
                return await self._actors.locate(unit, suspect=suspect)
        except (ActorUnavailable, ActorGone, TimeoutError) as error:
            log.warning("the owner of a unit is unknown; asking again", unit=unit.name, why=str(error))
        except Exception:  # the question can always be asked again
            log.exception("the directory failed; asking again", unit=unit.name)
        return None

    async def _wait(self, hold: _Hold) -> None:
        longest = self._settings.redelivery_wait_s_max
        delay = min(longest, self._settings.redelivery_wait_s_min * 2 ** min(hold.tries, 16))
        hold.tries += 1
        await asyncio.sleep(delay)

    def _empty(self, lane: Lane) -> None:
        """What stood in the queue for this lane was withdrawn."""
        lane.queued = False
        self._release_senders(lane)
        self._forget_if_unused(lane)

    def _hold_senders(self, lane: Lane) -> None:
        for parcel in lane.parcels:
            if parcel.sender not in lane.held:
                lane.held.append(parcel.sender)
                parcel.sender.hold()

    def _release_senders(self, lane: Lane) -> None:
        held, lane.held = lane.held, []
        for sender in held:
            sender.release()

    # Bounds

    def _settled(self, parcels: Sequence[Parcel]) -> None:
        """These wait no more."""
        self._deliveries -= len(parcels)
        for parcel in parcels:
            self._bytes -= parcel.size_bytes
        if not self._deliveries:
            self._idle.set()
        if self.closed_door and self._is_low():
            self._set_door(closed=False)

    def _is_full(self) -> bool:
        return self._deliveries >= self._settings.queue_deliveries_max or self._bytes >= self._settings.queue_bytes_max

    def _is_low(self) -> bool:
        return (
            self._deliveries <= self._settings.queue_deliveries_max // 2
            and self._bytes <= self._settings.queue_bytes_max // 2
        )

    def _set_door(self, *, closed: bool) -> None:
        self.closed_door = closed
        if closed:
            metrics.door_closed.inc()
        log.warning(
            "too much waits for the station actors: reading stops" if closed else "reading goes on",
            deliveries=self._deliveries,
            message_bytes=self._bytes,
        )
        self._door(closed)

    def _forget_if_unused(self, lane: Lane) -> None:
        if not (lane.users or lane.parcels or lane.queued):
            self._lanes.pop(lane.station, None)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
