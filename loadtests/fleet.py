"""A fleet of virtual stations in one process, its live table and its result."""

import asyncio
import random
import resource
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from time import monotonic

import uvloop

from loadtests.link import Peer
from loadtests.station import Habits, Station
from loadtests.statistics import Statistics
from loadtests.wording import WORDING_OF_VERSION

FILES_SPARE = 200
"""Open files a process needs beside its sockets."""


class FleetError(Exception):
    """The fleet cannot run as asked; the message says what to do."""


@dataclass(frozen=True)
class FleetOptions:
    """What fleet to run.

    Attributes:
        stations: How many.
        versions: Dealt out in turn: 1.6, 2.0.1, 2.1.
        url: The CSMS' endpoint, e.g. ws://127.0.0.1:9000/ocpp.
        duration_s: After this the fleet leaves; None: when it is stopped.
        tokens: What drivers present; none: cars only come by remote start.
        seed: All chance of the fleet.
        prefix: Identities are prefix-0001 and so on.
        password: HTTP Basic of all; None: security profile 0.
        connect_s: The fleet connects spread over this time.
        habits: How the stations behave.
    """

    stations: int = 24
    versions: tuple[str, ...] = ("1.6", "2.0.1", "2.1")
    url: str = "ws://127.0.0.1:9000/ocpp"
    duration_s: float | None = None
    tokens: tuple[str, ...] = ()
    seed: int = 1
    prefix: str = "DEMO"
    password: str | None = None
    connect_s: float = 2.0
    habits: Habits = field(default_factory=Habits)

    def __post_init__(self) -> None:
        unknown = set(self.versions) - WORDING_OF_VERSION.keys()
        if unknown or not self.versions:
            raise FleetError(f"unknown OCPP version {', '.join(sorted(unknown))}: use {', '.join(WORDING_OF_VERSION)}")
        if self.stations < 1:
            raise FleetError(f"a fleet has at least one station, not {self.stations}")
        if not self.url.startswith(("ws://", "wss://")):
            raise FleetError(f"the URL must begin with ws:// or wss://, this one does not: {self.url}")
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if self.stations + FILES_SPARE > files:
            raise FleetError(
                f"{self.stations} stations need {self.stations + FILES_SPARE} open files and this process may have "
                f"{files}: raise it (ulimit -n {self.stations + FILES_SPARE}) or run at most {files - FILES_SPARE}"
            )


@dataclass(frozen=True)
class FleetResult:
    """What a run showed. Latencies in ms from call to reply; failures and events by name."""

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

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


class Fleet:
    """The stations of one process."""

    def __init__(self, options: FleetOptions) -> None:
        self.options = options
        self.statistics = Statistics()
        chance = random.Random(options.seed)
        self.stations = [
            Station(
                Peer(options.url, f"{options.prefix}-{number:04}", options.password),
                options.versions[number % len(options.versions)],
                options.tokens,
                options.habits,
                chance.getrandbits(64),
                self.statistics,
            )
            for number in range(1, options.stations + 1)
        ]
        self._began = monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Connects everybody and lives until the duration is over or it is cancelled; then leaves."""
        self._began = monotonic()
        pause_s = self.options.connect_s / len(self.stations)
        try:
            for station in self.stations:
                self._tasks.append(asyncio.create_task(station.run()))
                await asyncio.sleep(pause_s)
            left_s = None if self.options.duration_s is None else self.options.duration_s - self.seconds
            await asyncio.wait(self._tasks, timeout=left_s, return_when=asyncio.FIRST_EXCEPTION)
            for task in self._tasks:
                if task.done() and (error := task.exception()) is not None:
                    raise error
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return monotonic() - self._began

    def result(self) -> FleetResult:
        """What was counted so far."""
        counted = self.statistics
        return FleetResult(
            stations=len(self.stations),
            seconds=round(self.seconds, 1),
            connected=counted.connections.total(),
            messages=counted.messages,
            messages_per_second=round(counted.messages / max(self.seconds, 0.001), 1),
            transactions=counted.transactions,
            energy_wh=round(counted.energy_wh, 1),
            p50_ms=round(counted.percentile_ms(0.5), 2),
            p99_ms=round(counted.percentile_ms(0.99), 2),
            actions=dict(counted.actions),
            failures=dict(counted.failures),
            events=dict(counted.events),
        )


async def live(options: FleetOptions, show: Callable[[Fleet], None] | None = None) -> FleetResult:
    """Runs a fleet; calls `show` twice a second."""
    fleet = Fleet(options)
    running = asyncio.create_task(fleet.run())
    try:
        while not running.done():
            if show is not None:
                show(fleet)
            await asyncio.wait([running], timeout=0.5)
        connected_at_end = fleet.result()
        await running
    finally:
        running.cancel()
    return connected_at_end


def run_fleet(options: FleetOptions, show: Callable[[Fleet], None] | None = None) -> FleetResult:
    """Runs a fleet in this process until its duration is over.

    Raises:
        FleetError: The options cannot be met.
    """
    return uvloop.run(live(options, show))
