"""What a fleet counts: connections, messages, latencies, failures. Its memory does not grow with the run."""

import math
from collections import Counter
from collections.abc import Iterable
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

    def merge(self, other: "Latencies") -> None:
        """Takes in what another one counted."""
        self.count += other.count
        self.max_s = max(self.max_s, other.max_s)
        theirs = other._buckets  # noqa: SLF001 (another one of this class)
        self._buckets = [mine + more for mine, more in zip(self._buckets, theirs, strict=True)]

    def summary(self) -> dict[str, float]:
        """Count, and p50, p90, p99, p99.9 and maximum in ms."""
        shares = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "p99_9_ms": 0.999}
        percentiles = {name: round(1000.0 * self.percentile_s(share), 2) for name, share in shares.items()}
        return {"count": self.count, **percentiles, "max_ms": round(1000.0 * self.max_s, 2)}

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
    """Counts of one process, or of one group of its stations.

    Attributes:
        connections: Open now, by subprotocol.
        actions: Calls of the stations that got a result, by action.
        failures: Calls that got an error or nothing, by action and reason.
        events: Everything else worth counting.
        latencies_of: From call to reply by action. Errors count as replies; a call without a reply counts with the time
            it waited.
        connecting: From the first packet to the end of the WebSocket handshake, where it succeeded.
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
    latencies_of: dict[str, Latencies] = field(default_factory=dict)
    connecting: Latencies = field(default_factory=Latencies)
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
        self._latencies(action).add(latency_s)
        self.messages += 1

    def failed(self, action: str, why: str, latency_s: float) -> None:
        """A call got an error or no answer."""
        _count(self.failures, f"{action}: {why}")
        self._latencies(action).add(latency_s)

    def count(self, event: str) -> None:
        """Anything else."""
        _count(self.events, event)

    @property
    def latencies(self) -> Latencies:
        """Of all actions."""
        return _merged(self.latencies_of.values())

    def percentile_ms(self, share: float) -> float:
        """Latency that this share of the calls did not exceed, in ms; 0.0 before the first."""
        return 1000.0 * self.latencies.percentile_s(share)

    def merge(self, other: "Statistics") -> None:
        """Takes in what another process or group counted."""
        for mine, theirs in (
            (self.connections, other.connections),
            (self.actions, other.actions),
            (self.failures, other.failures),
            (self.events, other.events),
        ):
            mine.update(theirs)
        for action, latencies in other.latencies_of.items():
            self._latencies(action).merge(latencies)
        self.connecting.merge(other.connecting)
        self.energy_wh += other.energy_wh
        self.charging += other.charging
        self.transactions += other.transactions
        self.messages += other.messages
        self.connections_opened += other.connections_opened
        self.last_connection_error = other.last_connection_error or self.last_connection_error

    def _latencies(self, action: str) -> Latencies:
        latencies = self.latencies_of.get(action)
        if latencies is None:
            name = action if len(self.latencies_of) < NAMES_MAX else OTHER
            latencies = self.latencies_of.setdefault(name, Latencies())
        return latencies


def merged(parts: Iterable[Statistics]) -> Statistics:
    """All of them as one."""
    whole = Statistics()
    for part in parts:
        whole.merge(part)
    return whole


def _merged(parts: Iterable[Latencies]) -> Latencies:
    whole = Latencies()
    for part in parts:
        whole.merge(part)
    return whole


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < NAMES_MAX else OTHER] += 1
