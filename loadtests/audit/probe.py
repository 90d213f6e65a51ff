"""What a station feels while parts die: a heartbeat five times a second, from one station after the other."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from loadtests.link import Refused
from loadtests.station import Station

EVERY_S = 0.2
IN_FLIGHT_MAX = 100


@dataclass(frozen=True)
class Felt:
    """Of some stretch of time.

    Attributes:
        p50_ms: Of the heartbeats that were answered; None: not one was.
        max_ms: The longest that one waited; None: not one was answered.
        failed: Heartbeats without an answer: no connection, or it broke.
        silence_s: The longest time in which not one call of the whole fleet was answered.
    """

    p50_ms: float | None
    max_ms: float | None
    failed: int
    silence_s: float


class Probe:
    """Asks and notes down.

    Args:
        stations: Whose connections it uses.
        answers: How many calls of the fleet were answered so far.
        began: When time 0 was, `monotonic`.
    """

    def __init__(self, stations: Sequence[Station], answers: Callable[[], int], began: float) -> None:
        self._stations = itertools.cycle(stations)
        self._answers = answers
        self._began = began
        self._asked: list[tuple[float, float | None]] = []
        self._news: list[float] = [0.0]
        """When answers had come since the look before."""

    async def run(self) -> None:
        """Until cancelled."""
        before = 0
        async with asyncio.TaskGroup() as group:
            under_way: set[asyncio.Task[None]] = set()
            while True:
                await asyncio.sleep(EVERY_S)
                now = self._answers()
                if now != before:
                    before = now
                    self._news.append(monotonic() - self._began)
                if len(under_way) < IN_FLIGHT_MAX:
                    task = group.create_task(self._ask(next(self._stations)))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)

    async def _ask(self, station: Station) -> None:
        began = monotonic()
        latency_s: float | None = None
        try:
            await station.link.ask("Heartbeat", {})
            latency_s = monotonic() - began
        except (OSError, Refused):
            pass
        self._asked.append((began - self._began, latency_s))

    def felt(self, from_s: float, to_s: float) -> Felt:
        """Of the calls that were made then."""
        mine = [latency_s for asked_s, latency_s in self._asked if from_s <= asked_s <= to_s]
        answered = sorted(1000 * latency_s for latency_s in mine if latency_s is not None)
        news = [from_s, *(at_s for at_s in self._news if from_s < at_s < to_s), to_s]
        silence_s = max(after - before for before, after in itertools.pairwise(news))
        return Felt(
            p50_ms=answered[len(answered) // 2] if answered else None,
            max_ms=answered[-1] if answered else None,
            failed=len(mine) - len(answered),
            silence_s=silence_s,
        )
