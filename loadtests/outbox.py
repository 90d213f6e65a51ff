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


class Outbox:
    """The messages of one station that wait for their turn or for their answer.

    Args:
        link: The station's connection.
        statistics: Where losses are counted.
        keeps_ids: Whether a repeat has the message id of the first attempt.
    """

    def __init__(self, link: Link, statistics: Statistics, *, keeps_ids: bool) -> None:
        self._link = link
        self._statistics = statistics
        self._keeps_ids = keeps_ids
        self._messages: deque[_Message] = deque()
        self._filled = asyncio.Event()
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
        self._filled.set()
        self._drained.clear()

    def open(self) -> None:
        """From now on messages are sent: the CSMS accepted the boot."""
        self._open.set()

    def close(self) -> None:
        """Messages wait from now on: before a boot was accepted a station says nothing else (1.6 4.2, 2.x B01-B03)."""
        self._open.clear()

    async def drained(self) -> None:
        """Waits until everything was answered."""
        await self._drained.wait()

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            await self._filled.wait()
            await self._open.wait()
            await self._link.up()
            if not self._open.is_set():
                continue
            message = self._messages[0]  # only this task takes the first away
            wait_s = await self._attempt(message)
            if wait_s is not None:
                await asyncio.sleep(wait_s)
                continue
            self._messages.popleft()
            if not self._messages:
                self._filled.clear()
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
        """Removes the oldest that can be spared; never the first, which may be in flight."""
        self._statistics.count("queue overflows")
        positions = range(1, len(self._messages))
        spared = next((each for each in positions if not self._messages[each].vital), 1)
        del self._messages[spared]
