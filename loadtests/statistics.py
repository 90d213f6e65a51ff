"""What a fleet counts: connections, messages, latencies, failures."""

from collections import Counter
from dataclasses import dataclass, field

LATENCIES_KEPT = 200_000


@dataclass
class Statistics:
    """Counts of one process. Latencies in seconds; the oldest are overwritten beyond `LATENCIES_KEPT`."""

    connections: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    energy_wh: float = 0.0
    charging: int = 0
    transactions: int = 0
    messages: int = 0

    def connected(self, subprotocol: str, change: int) -> None:
        """One connection more or less."""
        self.connections[subprotocol] += change
        self.events["connections opened" if change > 0 else "connections ended"] += 1

    def connection_failed(self, error: Exception) -> None:
        """An attempt to connect failed, or a connection broke."""
        self.events[f"connection: {type(error).__name__}"] += 1

    def answered(self, action: str, latency_s: float) -> None:
        """A call was answered."""
        self.actions[action] += 1
        if len(self.latencies_s) < LATENCIES_KEPT:
            self.latencies_s.append(latency_s)
        else:
            self.latencies_s[self.messages % LATENCIES_KEPT] = latency_s
        self.messages += 1

    def failed(self, action: str, why: str) -> None:
        """A call got an error or no answer."""
        self.failures[f"{action}: {why}"] += 1

    def count(self, event: str) -> None:
        """Anything else."""
        self.events[event] += 1

    def percentile_ms(self, share: float) -> float:
        """Latency that this share of the calls stayed below, in ms; 0.0 before the first."""
        if not self.latencies_s:
            return 0.0
        ordered = sorted(self.latencies_s)
        return 1000.0 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]
