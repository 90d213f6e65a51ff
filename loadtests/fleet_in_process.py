"""The stations of one process: deals them out, runs them, plays the scenario with them, counts."""

import asyncio
import contextlib
import copy
import gc
import random
import resource
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from loadtests.behaviour import Behaviour
from loadtests.connector import Driver
from loadtests.fleet_options import FILES_SPARE, FleetError, FleetOptions
from loadtests.fleet_result import FleetResult, Group, Part, cpu_s, pss_bytes, result_of
from loadtests.invariants import OF_EVERY_FLEET, judged
from loadtests.link import Observer, Peer
from loadtests.mix import dealt
from loadtests.parameters import changed
from loadtests.station import Station
from loadtests.statistics import Statistics, merged
from loadtests.waves import Waves

GC_THRESHOLD = (100_000, 20, 1_000)
LEAVE_S_MAX = 20.0
"""For all stations to say goodbye; those of a CSMS that does not answer any more are cut off."""
PSS_S = 10.0
"""Memory is not looked at more often: the kernel walks over all pages for it."""


@dataclass(frozen=True)
class Casting:
    """What one station of the fleet is; `number` counts from 0, `group` is its behaviour's name."""

    number: int
    version: str
    group: str
    behaviour: Behaviour
    habits: dict[str, object]
    seed: int


def cast(options: FleetOptions) -> list[Casting]:
    """All stations of the fleet: the same ones for the same options, however many processes there are."""
    count = options.stations
    chance = random.Random(options.seed)
    seeds = [chance.getrandbits(64) for _ in range(count)]
    turn = options.versions
    versions = (
        dealt(options.mix.versions, count, chance)
        if options.mix.versions
        else [turn[number % len(turn)] for number in range(count)]
    )
    behaviours = dealt(options.mix.behaviours, count, chance)
    habits = dealt(options.mix.habits, count, chance)
    casting = []
    for number in range(count):
        group, behaviour = behaviours[number]
        other = options.played.behaviour(number / count)
        if other is not None:
            group, behaviour = type(other).__name__, other
        changes = {**habits[number], **behaviour.habits(), **options.played.habits()}
        casting.append(Casting(number, versions[number], group, behaviour, changes, seeds[number]))
    return casting


class Fleet:
    """The stations of one process; a scenario's `Stage`.

    Args:
        options: The whole fleet.
        observer: Is told of each call of a station that got its reply; None: nobody is.
        process: Which of `options.processes` this is, from 0; it has each n-th station.
        began_at: When the fleet began, by CLOCK_MONOTONIC; None: when it runs.
    """

    def __init__(
        self,
        options: FleetOptions,
        observer: Observer | None = None,
        *,
        process: int = 0,
        began_at: float | None = None,
    ) -> None:
        self.options = options
        self.is_first = process == 0
        self.chance = random.Random(options.seed + process)
        self.groups: dict[str, Group] = {}
        self._casting = cast(options)[process :: options.processes]
        self.waves = Waves(observer)
        self.stations = [self._hire(casting) for casting in self._casting]
        expected = [each for each, casting in self._pairs() if casting.behaviour.blameless]
        self.waves.expect({station.identity: len(station.connectors) for station in expected})
        self._began_at = began_at
        self._began = began_at if began_at is not None else monotonic()
        self._cpu_s_before = cpu_s()
        self._at_end: Part | None = None
        self._pss = (-PSS_S, 0)
        self._tasks: list[asyncio.Task[None]] = []

    def _hire(self, casting: Casting) -> Station:
        options, behaviour = self.options, casting.behaviour
        group = self.groups.setdefault(casting.group, Group(behaviour.blameless, behaviour.steady))
        group.stations += 1
        identity = f"{options.prefix}-{casting.number + 1:04}"
        station = Station(
            Peer(options.url, identity, options.password, options.source_of(casting.number)),
            casting.version,
            options.tokens,
            changed(options.habits, casting.habits),
            casting.seed,
            group.statistics,
            observer=self.waves,
            behaviour=behaviour,
        )
        station.link.on_up = self.waves.connected
        return station

    def _pairs(self) -> Iterator[tuple[Station, Casting]]:
        return zip(self.stations, self._casting, strict=True)

    async def run(self) -> None:
        """Connects everybody and lives until the duration is over or it is cancelled; then leaves.

        Raises:
            FleetError: Not one station could connect within `connect_s_max`.
        """
        _allow_files(len(self.stations) + FILES_SPARE)
        self._began = self._began_at if self._began_at is not None else monotonic()
        self._cpu_s_before = cpu_s()
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waves.begin("start", boots=True)
        self._spawn(self._watch_connections(), failed)
        self._spawn(self._start_stations(failed), failed)
        self._spawn(self.options.played.play(self), failed)
        duration_s = self.options.duration_s
        try:
            await asyncio.wait([failed], timeout=None if duration_s is None else max(0.0, duration_s - self.seconds))
            if failed.done():
                failed.result()
        finally:
            self._at_end = copy.deepcopy(self.part(exact=True))  # what is counted while all leave is left out
            failed.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=LEAVE_S_MAX)

    def _spawn(self, work: Coroutine[Any, Any, None], failed: "asyncio.Future[None]") -> None:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None and not failed.done():
                failed.set_exception(error)

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        self._tasks.append(task)

    async def _start_stations(self, failed: "asyncio.Future[None]") -> None:
        """One after the other as they arrive; late is made up for."""
        for station, casting in self._pairs():
            rank = casting.number / self.options.stations
            wait_s = self.options.played.arrival_s(rank, self.options.connect_s) - self.seconds
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._spawn(station.run(), failed)

    async def _watch_connections(self) -> None:
        """Ends a fleet that reaches nobody; not when nobody is meant to come in."""
        await asyncio.sleep(self.options.connect_s_max)
        counted = self.statistics
        admitted = any(casting.behaviour.admitted for casting in self._casting)
        if counted.connections_opened == 0 and admitted:
            raise FleetError(
                f"not one of {len(self.stations)} stations could connect to {self.options.url} within "
                f"{self.options.connect_s_max:g} s; the last error was: "
                f"{counted.last_connection_error or 'no answer at all'}. Is it the right address, does a CSMS "
                f"listen there, and does it know stations named {self.stations[0].identity}?"
            )

    # For whoever looks on

    @property
    def statistics(self) -> Statistics:
        """Of all stations, as one."""
        return merged(group.statistics for group in self.groups.values())

    @property
    def seconds(self) -> float:
        """Since the start."""
        return monotonic() - self._began

    def part(self, *, exact: bool = False) -> Part:
        """What was counted so far; once the fleet left, what was true when it did. `exact`: memory as of now."""
        if self._at_end is not None:
            return self._at_end
        if exact or self.seconds - self._pss[0] >= PSS_S:
            self._pss = (self.seconds, pss_bytes())
        for group in self.groups.values():
            group.connected = group.registered = 0
        for station, casting in self._pairs():
            group = self.groups[casting.group]
            group.connected += station.link.is_up
            group.registered += station.registered
        return Part(self.seconds, self.groups, self.waves.waves, cpu_s() - self._cpu_s_before, self._pss[1])

    def result(self) -> FleetResult:
        """The same, with percentiles and verdicts."""
        return judged(result_of([self.part()]), OF_EVERY_FLEET + self.options.played.invariants)

    # For scenarios

    @property
    def tokens(self) -> tuple[str, ...]:
        """What drivers present."""
        return self.options.tokens

    def region(self, share: float) -> list[Station]:
        """The first stations of the whole fleet, this share of it."""
        return [station for station, casting in self._pairs() if casting.number < share * self.options.stations]

    async def until(self, seconds: float) -> None:
        """Waits until so long after the last station began to connect."""
        await asyncio.sleep(max(0.0, self.options.connect_s + seconds - self.seconds))

    def wave(self, name: str, stations: Sequence[Station], *, boots: bool) -> None:
        """From now on these stations must come back."""
        self.waves.begin(name, [station.identity for station in stations], boots=boots)

    def cut_power(self, station: Station, off_s: float) -> None:
        """The station goes dark without a word, comes back after so long and boots."""
        station.outbox.close()
        station.link.stay_away(off_s)
        station.reset("PowerLoss")

    def send_driver(self, station: Station) -> bool:
        """A driver walks up to a free connector of the station."""
        connector = next((each for each in station.connectors if each.takes_remote()), None)
        if connector is None or not self.tokens:
            return False
        connector.remote.put_nowait(Driver(self.chance.choice(self.tokens)))
        return True


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Looks for garbage in circles seldom, in processes that do nothing else.

    A large fleet lives long: to walk over all of it again and again took 40 % of its CPU.
    """
    before = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _allow_files(needed: int) -> None:
    """Raises the soft limit of open files, as far as it must; the options made sure that the hard one allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
