"""What a fleet counts: connections, messages, latencies, failures. Its memory does not grow with the run."""

import math
from collections import Counter
from dataclasses import dataclass, field

LATENCY_S_MIN = 1e-6
GROWTH = 1.02
BUCKETS = 1 + math.ceil(math.log(1000.0 / LATENCY_S_MIN) / math.log(GROWTH))
"""From a microsecond to 1,000 s in steps of 2 %."""
NAMES_MAX = 100
"""Distinct names of failures and of events that are kept apart; the rest is counted as OTHER."""
OTHER = "other"
_SCALE = 1.0 / math.log(GROWTH)


class Latencies:
    """A histogram of logarithmic buckets, 2 % wide. A percentile is never flattered: it is its bucket's upper edge."""

    def __init__(self) -> None:
        self.count = 0
        self.max_s = 0.0
        self._buckets = [0] * BUCKETS

    def add(self, latency_s: float) -> None:
        """One more."""
        position = 0 if latency_s <= LATENCY_S_MIN else math.ceil(math.log(latency_s / LATENCY_S_MIN) * _SCALE)
        self._buckets[min(position, BUCKETS - 1)] += 1
        self.count += 1
        self.max_s = max(self.max_s, latency_s)

    def percentile_s(self, share: float) -> float:
        """What this share (0 to 1) of the latencies did not exceed, at most 2 % too high; 0.0 before the first."""
        rank = max(1, math.ceil(share * self.count))
        seen = 0
        for position, count in enumerate(self._buckets):
            seen += count
            if seen >= rank and position < BUCKETS - 1:
                return min(self.max_s, LATENCY_S_MIN * GROWTH**position)
        return self.max_s


@dataclass
class Statistics:
    """Counts of one process.

    Attributes:
        connections: Open now, by subprotocol.
        actions: Calls of the stations that got a result, by action.
        failures: Calls that got an error or nothing, by action and reason.
        events: Everything else worth counting.
        latencies: From call to reply. Errors count as replies; a call without a reply counts with the time it waited.
        energy_wh: Charged by all.
        charging: Charges in progress.
        transactions: Starts that the CSMS answered.
        messages: Calls of the stations that got a result.
        last_connection_error: Why the last attempt to connect failed; None: none failed.
    """

    connections: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)
    energy_wh: float = 0.0
    charging: int = 0
    transactions: int = 0
    messages: int = 0
    connections_opened: int = 0
    last_connection_error: str | None = None

    def connected(self, subprotocol: str, change: int) -> None:
        """One connection more or less."""
        self.connections[subprotocol] += change
        if change > 0:
            self.connections_opened += 1
        self.count("connections opened" if change > 0 else "connections ended")

    def connection_failed(self, name: str, error: str) -> None:
        """An attempt to connect failed: a short name to count under, and the whole error."""
        self.last_connection_error = error
        self.count(f"connection: {name}")

    def answered(self, action: str, latency_s: float) -> None:
        """A call was answered."""
        self.actions[action] += 1
        self.latencies.add(latency_s)
        self.messages += 1

    def failed(self, action: str, why: str, latency_s: float) -> None:
        """A call got an error or no answer."""
        _count(self.failures, f"{action}: {why}")
        self.latencies.add(latency_s)

    def count(self, event: str) -> None:
        """Anything else."""
        _count(self.events, event)

    def percentile_ms(self, share: float) -> float:
        """Latency that this share of the calls did not exceed, in ms; 0.0 before the first."""
        return 1000.0 * self.latencies.percentile_s(share)


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < NAMES_MAX else OTHER] += 1
