"""One measurement: a load on a system for some seconds, what was answered, and what that cost.

The cost is read when the system is quiet before, and again when all that the load caused is done: replies, and rows in
PostgreSQL. So work that is put off is paid for too.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from loadtests.bench.driving import Failed, Generator
from loadtests.bench.processes import difference

FAILURES_SHARE_MAX = 0.001
"""Of messages that may fail before a row counts as failed."""


class System(Protocol):
    """What is measured."""

    def cpu_s(self) -> dict[str, float]:
        """Seconds of CPU so far, by part."""

    def settle(self) -> float:
        """Waits until nothing is left to do; returns the seconds that it took."""


@dataclass(frozen=True)
class Load:
    """What is offered: so many stations, closed loop with `in_flight` messages (0: one each), or `rate` a second."""

    stations: int
    seconds: float
    in_flight: int = 0
    rate: float = 0.0


@dataclass(frozen=True)
class Measured:
    """What came of a load.

    Attributes:
        answered: Messages answered, the last ones after the load's end included.
        per_s: Messages answered a second, from the first frame to the last reply.
        cpu_us: By part, microseconds of CPU per message answered.
        generator_us: The generator's own, not part of `cpu_us`.
        settle_s: Until all was in PostgreSQL, after the last reply.
        from_frame_ms: Latencies from frame to reply, see `crew.percentiles_ms`; None: nothing was answered.
        from_due_ms: From when the frame was due; only of paced loads.
    """

    answered: int
    per_s: float
    cpu_us: Mapping[str, float]
    generator_us: float
    settle_s: float
    from_frame_ms: Mapping[str, float] | None
    from_due_ms: Mapping[str, float] | None
    failures: Mapping[str, int] = field(default_factory=dict)

    @property
    def cpu_us_all(self) -> float:
        """Over all parts."""
        return sum(self.cpu_us.values())

    def told(self) -> dict[str, Any]:
        """For the result file."""
        return {
            "answered": self.answered,
            "messages_per_second": round(self.per_s, 1),
            "cpu_us_per_message": {part: round(spent, 2) for part, spent in self.cpu_us.items()},
            "cpu_us_per_message_all": round(self.cpu_us_all, 2),
            "generator_us_per_message": round(self.generator_us, 2),
            "settle_s": round(self.settle_s, 2),
            "latency_ms": _rounded(self.from_frame_ms),
            "latency_from_due_ms": _rounded(self.from_due_ms),
            "failures": dict(self.failures),
        }


def measure(system: System, generator: Generator, load: Load) -> Measured:
    """Offers the load and reads the bill.

    Raises:
        Failed: Nothing was answered, messages failed, or the system does not come to rest.
    """
    system.settle()
    before, began = system.cpu_s(), generator.mark()
    generator.load(load.stations, in_flight=load.in_flight or load.stations, rate=load.rate)
    time.sleep(load.seconds)
    ended = generator.mark()
    generator.halt()
    rest = generator.mark()
    settle_s = system.settle()
    answered = ended["answered"] + rest["answered"]
    failures = _sum(ended["failures"], rest["failures"])
    if not answered or sum(failures.values()) > FAILURES_SHARE_MAX * answered:
        raise Failed(f"{answered} messages were answered, {sum(failures.values())} failed: {failures or 'no reply'}")
    spent = difference(before, system.cpu_s())
    return Measured(
        answered=answered,
        per_s=answered / (rest["answered_at"] - began["at"]),
        cpu_us={part: 1e6 * seconds / answered for part, seconds in spent.items()},
        generator_us=1e6 * (rest["cpu_s"] - began["cpu_s"]) / answered,
        settle_s=settle_s,
        from_frame_ms=ended["from_frame_ms"],
        from_due_ms=ended["from_due_ms"],
        failures=failures,
    )


def warm_up(generator: Generator, load: Load) -> None:
    """The same load for a while, of which nothing is kept."""
    generator.load(load.stations, in_flight=load.in_flight or load.stations, rate=load.rate)
    time.sleep(load.seconds)
    generator.halt()
    generator.mark()


def middle(rounds: Sequence[Measured]) -> Measured:
    """The round whose cost per message is the median (the upper of two)."""
    return sorted(rounds, key=lambda each: each.cpu_us_all)[len(rounds) // 2]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {why: one.get(why, 0) + other.get(why, 0) for why in {*one, *other}}


def _rounded(figures: Mapping[str, float] | None) -> dict[str, float] | None:
    return None if figures is None else {name: round(value, 2) for name, value in figures.items()}
