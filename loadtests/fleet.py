"""A fleet of virtual stations in one process, its live table and its result."""

import asyncio
import random
import resource
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import uvloop

from loadtests.link import Peer
from loadtests.station import Habits, Station
from loadtests.statistics import Statistics
from loadtests.wording import WORDING_OF_VERSION

FILES_SPARE = 200
"""Open files a process needs beside its sockets."""
TOKEN_CHARACTERS_MAX = {"1.6": 20, "2.0.1": 36, "2.1": 255}
IDENTITY_CHARACTERS_MAX = 48
SHOWS_PER_S = 2


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
        seed: How stations and drivers behave. Names of transactions and messages differ in each run.
        prefix: Identities are prefix-0001 and so on.
        password: HTTP Basic of all; None: security profile 0.
        connect_s: The fleet connects spread over this time.
        connect_s_max: Gives up when not one station could connect within this time.
        habits: How the stations behave.

    Raises:
        FleetError: Something of it cannot be met.
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
    connect_s_max: float = 30.0
    habits: Habits = field(default_factory=Habits)

    def __post_init__(self) -> None:
        for problem in (*_wrong_fleet(self), *_wrong_names(self), *_wrong_url(self.url), *_wrong_habits(self.habits)):
            raise FleetError(problem)


def _wrong_fleet(options: FleetOptions) -> Iterator[str]:
    if options.stations < 1:
        yield f"a fleet has at least one station, not {options.stations}"
    if options.duration_s is not None and options.duration_s <= 0:
        yield f"a fleet runs for more than 0 s, not {options.duration_s} (or leave the duration out)"
    if options.connect_s < 0 or options.connect_s_max <= 0:
        yield "the times to connect must not be negative, and connect_s_max not 0"
    needed = options.stations + FILES_SPARE
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and needed > files:
        yield (
            f"{options.stations} stations need {needed} open files and this process may have {files}: "
            f"raise the hard limit (ulimit -Hn {needed}) or run at most {files - FILES_SPARE}"
        )


def _wrong_names(options: FleetOptions) -> Iterator[str]:
    known = ", ".join(WORDING_OF_VERSION)
    if not options.versions:
        yield f"a fleet speaks at least one OCPP version: use {known}"
    unknown = sorted(set(options.versions) - WORDING_OF_VERSION.keys())
    if unknown:
        yield f"unknown OCPP version {', '.join(unknown)}: use {known}"
        return
    characters = min((TOKEN_CHARACTERS_MAX[each] for each in options.versions), default=0)
    for token in options.tokens:
        if not 0 < len(token) <= characters:
            yield f"a token has 1 to {characters} characters in these OCPP versions, this one does not: {token!r}"
    identity = f"{options.prefix}-{options.stations:04}"
    if ":" in identity or not identity.isascii() or not identity.isprintable():
        yield f"a prefix has printable ASCII characters without a colon, this one does not: {options.prefix!r}"
    if len(identity) > IDENTITY_CHARACTERS_MAX:
        yield f"identities have at most {IDENTITY_CHARACTERS_MAX} characters, {identity} is too long: shorten it"


def _wrong_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        complete = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        yield f"the URL {url} cannot be read: {error}"
        return
    if parts.scheme not in ("ws", "wss"):
        yield f"the URL must begin with ws:// or wss://, this one does not: {url}"
    elif not complete:
        yield f"the URL names no host: {url}; it looks like ws://127.0.0.1:9000/ocpp"
    elif parts.query or parts.fragment or parts.username:
        yield f"the URL must end with its path, and the password has an option of its own: {url}"


def _wrong_habits(habits: Habits) -> Iterator[str]:
    for name, (least, most) in (("charge_s", habits.charge_s), ("idle_s", habits.idle_s)):
        if not 0 <= least <= most:
            yield f"{name} must be two times, the lesser first, not {least} and {most}"
    if habits.meter_interval_s <= 0 or habits.speed <= 0:
        yield "meter_interval_s and speed must be more than 0"
    if habits.connectors < 1:
        yield f"a station has at least one connector, not {habits.connectors}"


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
                options.versions[(number - 1) % len(options.versions)],
                options.tokens,
                options.habits,
                chance.getrandbits(64),
                self.statistics,
            )
            for number in range(1, options.stations + 1)
        ]
        self._began = monotonic()
        self._at_end: FleetResult | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Connects everybody and lives until the duration is over or it is cancelled; then leaves.

        Raises:
            FleetError: Not one station could connect within `connect_s_max`.
        """
        _allow_files(self.options.stations + FILES_SPARE)
        self._began = monotonic()
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._spawn(self._watch_connections(), failed)
        self._spawn(self._start_stations(failed), failed)
        try:
            await asyncio.wait([failed], timeout=self.options.duration_s)
            if failed.done():
                failed.result()
        finally:
            self._at_end = self.result()
            failed.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None], failed: "asyncio.Future[None]") -> None:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None and not failed.done():
                failed.set_exception(error)

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        self._tasks.append(task)

    async def _start_stations(self, failed: "asyncio.Future[None]") -> None:
        """One after the other, evenly over `connect_s`; late is made up for."""
        for number, station in enumerate(self.stations):
            wait_s = self.options.connect_s * number / len(self.stations) - self.seconds
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._spawn(station.run(), failed)

    async def _watch_connections(self) -> None:
        await asyncio.sleep(self.options.connect_s_max)
        if self.statistics.connections_opened == 0:
            raise FleetError(
                f"not one of {len(self.stations)} stations could connect to {self.options.url} within "
                f"{self.options.connect_s_max:g} s; the last error was: "
                f"{self.statistics.last_connection_error or 'no answer at all'}. Is it the right address, does a CSMS "
                f"listen there, and does it know stations named {self.stations[0].identity}?"
            )

    @property
    def seconds(self) -> float:
        """Since the start."""
        return monotonic() - self._began

    def result(self) -> FleetResult:
        """What was counted so far; once the fleet left, what was true when it did."""
        if self._at_end is not None:
            return self._at_end
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


def _allow_files(needed: int) -> None:
    """Raises the soft limit of open files, as far as it must; the options made sure that the hard one allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


async def live(options: FleetOptions, show: Callable[[Fleet], None] | None = None) -> FleetResult:
    """Runs a fleet; calls `show` twice a second.

    Raises:
        FleetError: Not one station could connect.
    """
    fleet = Fleet(options)
    running = asyncio.create_task(fleet.run())
    try:
        while not running.done():
            if show is not None:
                show(fleet)
            await asyncio.wait([running], timeout=1 / SHOWS_PER_S)
        running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return fleet.result()


def run_fleet(options: FleetOptions, show: Callable[[Fleet], None] | None = None) -> FleetResult:
    """Runs a fleet in this process until its duration is over.

    Raises:
        FleetError: The options cannot be met, or not one station could connect.
    """
    return uvloop.run(live(options, show))
