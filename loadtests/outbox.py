"""What a station must not lose: told in order, again after every failure, until it was answered, as real stations do.

A repeat says the same words. It also keeps its message id where the version allows that, so that the CSMS can see that
it is one (1.6: allowed by its errata; 2.x: forbidden, there transaction and sequence number tell).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from loadtests.link import Link, Refused
from loadtests.statistics import Statistics
from loadtests.wording import Call, Payload

MESSAGES_MAX = 1_000
ATTEMPTS_MAX = 3
"""Of a transaction message that is answered by a CALLERROR (TransactionMessageAttempts, 1.6 section 3.7.1)."""

Words = Callable[[], Call]
Answered = Callable[[Payload], None]


@dataclass(eq=False)
class _Message:
    words: Words
    answered: Answered | None
    vital: bool
    attempts_max: int
    id: str | None = None
    call: Call | None = None
    refusals: int = 0
    in_flight: bool = False


class Outbox:
    """The messages of one station that wait for their turn or for their answer.

    Args:
        link: The station's connection.
        statistics: Where losses are counted.
        keeps_ids: Whether a repeat has the message id of the first attempt.
        depth: Messages that may be in flight at once. They go out in order; where the CSMS names transactions (1.6),
            nothing overtakes a start or a stop.
    """

    def __init__(self, link: Link, statistics: Statistics, *, keeps_ids: bool, depth: int = 1) -> None:
        self._link = link
        self._statistics = statistics
        self._keeps_ids = keeps_ids
        self._depth = depth
        self._messages: deque[_Message] = deque()
        self._changed = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._open = asyncio.Event()

    def __len__(self) -> int:
        return len(self._messages)

    def tell(
        self, words: Words, answered: Answered | None = None, *, vital: bool = False, attempts_max: int = 1
    ) -> None:
        """Queues a message.

        Args:
            words: Called when it is first sent, for a 1.6 transaction's number is known only when the start was
                answered; repeats say the same.
            answered: Called with the reply; not called when the CSMS refused it for good.
            vital: When the queue is full, others go first.
            attempts_max: How often it is sent when the CSMS answers by CALLERROR.
        """
        if len(self._messages) >= MESSAGES_MAX:
            self._make_room()
        self._messages.append(_Message(words, answered, vital, attempts_max))
        self._changed.set()
        if self._open.is_set():
            self._drained.clear()

    def open(self) -> None:
        """From now on messages are sent: the CSMS accepted the boot."""
        self._open.set()
        if self._messages:
            self._drained.clear()

    def close(self) -> None:
        """Messages wait from now on: before a boot was accepted a station says nothing else (1.6 4.2, 2.x B01-B03)."""
        self._open.clear()
        self._drained.set()

    async def drained(self) -> None:
        """Waits until everything was answered, or nothing can be: the outbox is closed."""
        await self._drained.wait()

    async def run(self) -> None:
        """Sends until cancelled."""
        if self._depth == 1:
            while True:
                await self._deliver(await self._next())
        slots = asyncio.Semaphore(self._depth)
        async with asyncio.TaskGroup() as group:
            while True:
                await slots.acquire()
                group.create_task(self._deliver(await self._next())).add_done_callback(lambda _: slots.release())

    async def _next(self) -> _Message:
        """The first that is not in flight, once it may go."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            waiting = next((each for each in self._messages if not each.in_flight), None)
            if waiting is not None and not self._must_wait():
                waiting.in_flight = True
                self._changed.set()  # there may be more
                return waiting

    def _must_wait(self) -> bool:
        """What follows may need the number that the CSMS gives in its answer."""
        return self._keeps_ids and any(each.vital and each.in_flight for each in self._messages)

    async def _deliver(self, message: _Message) -> None:
        """Until it was answered or given up."""
        wait_s: float | None = 0.0
        while wait_s is not None:
            await self._open.wait()
            await self._link.up()
            if not self._open.is_set():
                continue
            wait_s = await self._attempt(message)
            if wait_s is not None:
                await asyncio.sleep(wait_s)
        self._messages.remove(message)
        self._changed.set()
        if not self._messages:
            self._drained.set()

    async def _attempt(self, message: _Message) -> float | None:
        """Sends the message once; returns None when it is done with, else after how many s to send it again."""
        if message.call is None:
            message.call = message.words()
        if message.id is None or not self._keeps_ids:
            message.id = self._link.new_id()
        try:
            reply = await self._link.ask(*message.call, message_id=message.id)
        except ConnectionError:
            self._statistics.count("messages repeated")
            return 0.0  # waits for the next connection
        except TimeoutError:
            self._statistics.count("messages repeated")
            return self._link.patience.retry_s
        except Refused:
            message.refusals += 1
            if message.refusals >= message.attempts_max:
                self._statistics.count("messages given up")
                return None
            return self._link.patience.retry_s * message.refusals
        if message.answered is not None:
            message.answered(reply)
        return None

    def _make_room(self) -> None:
        """Removes the oldest that can be spared; never the first nor what is in flight."""
        self._statistics.count("queue overflows")
        there = [each for each in range(1, len(self._messages)) if not self._messages[each].in_flight]
        spared = next((each for each in there if not self._messages[each].vital), there[0])
        del self._messages[spared]
