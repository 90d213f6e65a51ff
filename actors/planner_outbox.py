"""The planner's outbox: orders of the wire become commands on record, the urgent first, many in one call.

An order's id is its command's: no two planners that ever lived give the same (`deploy.wiring.planner_process`).
What cannot be put on record is tried again under the same id until its deadline; then its site hears that nobody knows
what became of it, and counts with both.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from actors import metrics
from engine.model.commands import CommandRequest, Outcome, Result
from engine.ports import Clock, CommandGateway
from smartcharging.planning.settings import BY
from smartcharging.words import Order

log = structlog.get_logger()

PRIORITY = 20
PRIORITY_URGENT = 60
BATCH_MAX = 2_000
CALLS_MAX = 4
"""Batches on their way at once: one that waits for an actor that restarts must not hold up the others."""
RETRY_S = 0.5

Unsent = Callable[[str, Outcome, datetime], None]
"""Told of an order that came to nothing: its id, what is known, when."""


class _Post(NamedTuple):
    """An order on its way, and whom to tell if it cannot be sent."""

    site: str
    request: CommandRequest
    unsent: Unsent


class Outbox:
    """Sends orders.

    Args:
        gateway: The way to the stations.
        clock: Time.
    """

    def __init__(self, gateway: CommandGateway, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock
        self._urgent: deque[_Post] = deque()
        self._waiting: deque[_Post] = deque()
        self._on_the_way: dict[str, int] = {}
        """By site, how many are not on record yet."""
        self._leaving: set[str] = set()
        """Sites of which nothing is tried again."""
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(self._on_the_way.values())

    def hand_over(self, site: str, orders: Iterable[Order], unsent: Unsent) -> int:
        """Takes orders to be sent at once; how many they are. Their number is bounded by the wires' own bounds."""
        now = self._clock.now()
        count = 0
        for order in orders:
            request = CommandRequest(
                command_id=order.order_id,
                station=order.station,
                command=order.command,
                requested_at=now,
                deadline_at=now + timedelta(seconds=order.deadline_s),
                by=BY,
                priority=PRIORITY_URGENT if order.urgent else PRIORITY,
            )
            post = _Post(site, request, unsent)
            (self._urgent if order.urgent else self._waiting).append(post)
            count += 1
        if count:
            self._on_the_way[site] = self._on_the_way.get(site, 0) + count
            metrics.planner_orders.inc(count)
            self._wake.set()
        return count

    async def run(self) -> None:
        """Sends for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._urgent or self._waiting:
                if len(self._calls) >= CALLS_MAX:
                    await asyncio.wait(self._calls, return_when=asyncio.FIRST_COMPLETED)
                call = asyncio.create_task(self._send(self._take()))
                self._calls.add(call)
                call.add_done_callback(self._calls.discard)
                await asyncio.sleep(0)

    async def nothing_left(self, site: str) -> None:
        """Takes back what a site did not send yet, and waits until what it sent is on record or given up."""
        for queue in (self._urgent, self._waiting):
            mine = [post for post in queue if post.site == site]
            for post in mine:
                queue.remove(post)
            self._done(site, len(mine))
        self._leaving.add(site)
        while self._on_the_way.get(site):
            self._moved.clear()
            await self._moved.wait()
        self._leaving.discard(site)

    def _take(self) -> list[_Post]:
        taken: list[_Post] = []
        for queue in (self._urgent, self._waiting):
            while queue and len(taken) < BATCH_MAX:
                taken.append(queue.popleft())
        return taken

    async def _send(self, posts: list[_Post]) -> None:
        if not posts:
            return
        try:
            failed = await self._gateway.submit_many([post.request for post in posts])
        except Exception:  # a bug of ours must not lose orders: they are tried again until their deadline
            log.exception("orders could not be handed over", orders=len(posts))
            failed = [post.request for post in posts]
        left = {request.command_id for request in failed}
        sent = 0
        for post in posts:
            if post.request.command_id not in left:
                sent += 1
                self._done(post.site, 1)
        metrics.planner_orders_recorded.inc(sent)
        if left:
            await self._again([post for post in posts if post.request.command_id in left])

    async def _again(self, posts: list[_Post]) -> None:
        """What could not be put on record waits for another try, or is given up."""
        log.warning("orders wait: their stations' actors do not take them", orders=len(posts))
        await asyncio.sleep(RETRY_S)
        now = self._clock.now()
        for post in posts:
            if post.site in self._leaving:
                self._done(post.site, 1)
            elif post.request.deadline_at <= now:
                self._done(post.site, 1)
                lost = Outcome(Result.LOST, detail="It is unknown whether the station's actor took it.")
                post.unsent(post.request.command_id, lost, now)
            else:
                (self._urgent if post.request.priority == PRIORITY_URGENT else self._waiting).append(post)
        self._wake.set()

    def _done(self, site: str, count: int) -> None:
        left = self._on_the_way.get(site, 0) - count
        if left > 0:
            self._on_the_way[site] = left
        else:
            self._on_the_way.pop(site, None)
        self._moved.set()
