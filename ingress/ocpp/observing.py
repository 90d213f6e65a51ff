"""Observing: what is odd about one station's connection, gathered and told to its actor now and then.

There is no observer before the first oddity. What is told is a statistic: a delivery that comes twice counts twice.
"""

import asyncio
from collections.abc import Callable

from engine.model.quirks import OdditiesReported, Oddity

FLUSH_S = 600.0
"""From the first oddity to telling it, with all that came meanwhile."""
EXAMPLE_MAX = 200


class Observer:
    """Counts the oddities of one connection.

    Args:
        tell: Sends what was gathered to the actor.
    """

    __slots__ = ("_counts", "_examples", "_tell", "_timer")

    def __init__(self, tell: Callable[[OdditiesReported], None]) -> None:
        self._tell = tell
        self._counts: dict[str, int] = {}
        self._examples: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None

    def note(self, oddity: Oddity, example: str = "") -> None:
        """One more. `example`: for people; the first since it was last told is kept."""
        name = oddity.value
        self._counts[name] = self._counts.get(name, 0) + 1
        if example and name not in self._examples:
            self._examples[name] = example[:EXAMPLE_MAX]
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self.flush)

    def flush(self) -> None:
        """Tells what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._counts:
            told = OdditiesReported(counts=self._counts, examples=self._examples)
            self._counts, self._examples = {}, {}
            self._tell(told)
