"""What planners decided, on its way to their own stream; bounded, for Redis may be away for long."""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from actors import metrics
from engine.model.plans import LimitDecided, PlanFact
from engine.ports import Clock, JournalUnavailable, SiteBook

log = structlog.get_logger()

FACTS_MAX = 50_000
TELL_MAX = 500
RETRY_S = 5.0


class Telling:
    """Tells the book what was decided, in order.

    Args:
        book: Where it goes.
        clock: Time.
    """

    def __init__(self, book: SiteBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._facts: deque[PlanFact] = deque()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._facts)

    def record(self, facts: Sequence[PlanFact]) -> None:
        """Puts facts on their way. Where nobody takes them for long the oldest are dropped, decisions are counted."""
        self._facts.extend(facts)
        dropped = 0
        while len(self._facts) > FACTS_MAX:
            dropped += isinstance(self._facts.popleft(), LimitDecided)
        if dropped:
            metrics.planner_untold.inc(dropped)
        if self._facts:
            self._wake.set()

    async def run(self) -> None:
        """Tells for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._facts:
                batch = [self._facts[place] for place in range(min(TELL_MAX, len(self._facts)))]
                try:
                    await self._book.tell(batch, self._clock.now())
                except JournalUnavailable as error:
                    log.warning("decisions wait", why=str(error), facts=len(self._facts))
                    await asyncio.sleep(RETRY_S)
                    continue
                told = set(map(id, batch))
                while self._facts and id(self._facts[0]) in told:  # others may have been dropped meanwhile
                    self._facts.popleft()
