"""What a run of a fleet showed: figures of one process (`Part`), and of all of them as one result."""

import platform
import resource
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from loadtests.statistics import Statistics, merged
from loadtests.waves import Wave


@dataclass
class Group:
    """The stations of one behaviour in one process.

    Attributes:
        stations: How many.
        blameless: Whether all their calls must be answered.
        steady: Whether they must be connected at the end.
        connected: How many are, by station: a rival of the same identity does not count.
        registered: Of how many the CSMS accepted the boot.
    """

    blameless: bool
    steady: bool
    stations: int = 0
    connected: int = 0
    registered: int = 0
    statistics: Statistics = field(default_factory=Statistics)

    def merge(self, other: "Group") -> None:
        """Takes in the same group of another process."""
        self.stations += other.stations
        self.connected += other.connected
        self.registered += other.registered
        self.statistics.merge(other.statistics)


@dataclass
class Part:
    """The figures of one process.

    Attributes:
        seconds: Since the fleet's start.
        groups: By behaviour.
        cpu_s: User and system time of the process since then.
        pss_bytes: Its memory, shared pages counted by share.
    """

    seconds: float
    groups: dict[str, Group]
    waves: list[Wave]
    cpu_s: float
    pss_bytes: int


@dataclass(frozen=True)
class FleetResult:
    """What a run showed. Latencies in ms from call to reply; failures and events by name.

    `actions`, `failures`, latencies and messages are of the stations whose every call must be answered; what the others
    met is in `behaviours`.

    Attributes:
        connected: Stations connected now, of whatever behaviour.
        registered: Stations whose boot was accepted.
        latencies: By action: count, p50, p90, p99, p99.9 and maximum.
        connecting: The same of the time from the first packet to the end of the handshake.
        waves: By storm: how many stations connected, booted and reported their connectors, and after how long all had.
        behaviours: By name: stations, blameless, steady, connected, registered, messages, failures, events.
        cpu_us_per_message: CPU of the fleet's own processes per message, everything included.
        pss_mib: Memory of the fleet's own processes.
        invariants: What was to hold: name, held, found.
    """

    stations: int
    seconds: float
    connected: int
    messages: int
    messages_per_second: float
    transactions: int
    energy_wh: float
    p50_ms: float
    p99_ms: float
    actions: dict[str, int]
    failures: dict[str, int]
    events: dict[str, int]
    p90_ms: float = 0.0
    p99_9_ms: float = 0.0
    max_ms: float = 0.0
    registered: int = 0
    charging: int = 0
    processes: int = 1
    latencies: dict[str, dict[str, float]] = field(default_factory=dict)
    connecting: dict[str, float] = field(default_factory=dict)
    waves: list[dict[str, object]] = field(default_factory=list)
    behaviours: dict[str, dict[str, Any]] = field(default_factory=dict)
    cpu_us_per_message: float = 0.0
    pss_mib: float = 0.0
    last_connection_error: str | None = None
    invariants: list[dict[str, object]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @property
    def violated(self) -> list[str]:
        """The invariants that did not hold."""
        return [str(each["invariant"]) for each in self.invariants if not each["held"]]


def result_of(parts: Sequence[Part]) -> FleetResult:
    """The parts as one; without invariants."""
    groups = _groups_of(parts)
    counted = merged(group.statistics for group in groups.values() if group.blameless)
    everybody = merged(group.statistics for group in groups.values())
    seconds = max(part.seconds for part in parts)
    latencies = counted.latencies.summary()
    return FleetResult(
        stations=sum(group.stations for group in groups.values()),
        seconds=round(seconds, 1),
        connected=sum(group.connected for group in groups.values()),
        registered=sum(group.registered for group in groups.values()),
        messages=counted.messages,
        messages_per_second=round(counted.messages / max(seconds, 0.001), 1),
        transactions=counted.transactions,
        charging=everybody.charging,
        energy_wh=round(everybody.energy_wh, 1),
        p50_ms=latencies["p50_ms"],
        p90_ms=latencies["p90_ms"],
        p99_ms=latencies["p99_ms"],
        p99_9_ms=latencies["p99_9_ms"],
        max_ms=latencies["max_ms"],
        actions=dict(counted.actions),
        failures=dict(counted.failures),
        events=dict(counted.events),
        processes=len(parts),
        latencies={action: each.summary() for action, each in sorted(counted.latencies_of.items())},
        connecting=everybody.connecting.summary(),
        waves=[wave.as_dict() for wave in _waves_of(parts)],
        behaviours={name: _shown(group) for name, group in groups.items()},
        cpu_us_per_message=round(1e6 * sum(part.cpu_s for part in parts) / max(1, everybody.messages), 1),
        pss_mib=round(sum(part.pss_bytes for part in parts) / 2**20, 1),
        last_connection_error=everybody.last_connection_error,
    )


def _groups_of(parts: Sequence[Part]) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for part in parts:
        for name, group in part.groups.items():
            groups.setdefault(name, Group(group.blameless, group.steady)).merge(group)
    return groups


def _waves_of(parts: Sequence[Part]) -> list[Wave]:
    """Processes begin the same waves in the same order; one that is a moment ahead may have begun one more."""
    waves: list[Wave] = []
    for part in parts:
        for number, wave in enumerate(part.waves):
            if number == len(waves):
                waves.append(Wave(wave.name, wave.began_at, 0, wave.boots))
            waves[number].merge(wave)
    return waves


def _shown(group: Group) -> dict[str, Any]:
    counted = group.statistics
    return {
        "stations": group.stations,
        "blameless": group.blameless,
        "steady": group.steady,
        "connected": group.connected,
        "registered": group.registered,
        "messages": counted.messages,
        "failures": dict(counted.failures),
        "events": dict(counted.events),
    }


def cpu_s() -> float:
    """User and system time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def pss_bytes() -> int:
    """Memory of this process, shared pages counted by share; where the kernel does not tell, all of it."""
    try:
        text = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return int(psutil.Process().memory_info().rss)
    return 1024 * next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def machine() -> Mapping[str, object]:
    """What the figures were measured on."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_mib": psutil.virtual_memory().total // 2**20,
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
