"""The whole core in one process and virtual time: ingresses, directory, station actors and projector of the real house.

Without Ray (`faults.Network`), Redis (`MemoryStore`), PostgreSQL (`MemoryProjection`) and sockets (`stations.Line`);
everything between is the product's. A run is a seed: the same seed gives the same run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from structlog.testing import capture_logs

from actors.directory import Directory
from actors.gateway import Gateway
from actors.hosted_station import HostedStation
from actors.projector import ProjectorActor
from actors.router import DIRECTORY, IngressRoutes, Router
from actors.settings import ActorSettings
from actors.station_actor import StationActor
from engine.model.authorization import Token, TokenRecord
from engine.model.codec import decode_downlinks
from engine.model.commands import CommandRequest, Outcome
from engine.model.data_transfer import SendData
from engine.model.envelopes import CloseSession, Dispatch
from engine.model.ids import Unit, unit_of
from engine.model.sessions import SessionOpened
from engine.ports import ActorUnavailable, SeamError
from engine.station.policy import Policy
from engine.station.state import StationState
from ingress.metrics import MessageCounts
from ingress.ocpp.batching import Courier
from ingress.ocpp.session import StationSession, Surroundings, lost_command
from ingress.settings import OcppSettings
from storage import keys
from storage.journal_memory import MemoryJournalReader, MemoryStore
from storage.operator_book_memory import MemoryOperatorBook
from storage.projection_memory import MemoryTables
from tests.simulation.faults import FaultyJournal, FaultyProjection, Network, Reference, Weather
from tests.simulation.stations import Line, Station
from tests.simulation.virtual_time import Process, VirtualClock, VirtualLoop

VERSIONS = ("1.6", "2.0.1", "2.1")
INGRESSES = ("ingress-0", "ingress-1")
SHARDS = 4
STORM_S = 120.0
COMMAND_S = 30.0
CALM_S_MAX = 1_800.0
"""Stations that are not through after so long in calm weather never will be."""


class Ingress:
    """An ingress without its sockets: sessions, and the courier they share."""

    def __init__(self, process: Process, network: Network, *, literal: bool) -> None:
        self.router = Router(network, shards=SHARDS, literal=literal)
        self.lines: dict[str, Line] = {}
        self._name = process.name
        self._process = process
        self._clock = VirtualClock()
        settings = OcppSettings()
        self._courier = Courier(process.name, self.router, settings, lambda _closed: None)
        counts = MessageCounts()
        self._around = Surroundings(process.name, settings, self._clock, self._courier, counts)
        self._sessions = 0

    def connect(self, line: Line, station: Station) -> None:
        self._sessions += 1
        session = f"{self._name}:{self._process.pid}:{self._sessions}"
        opened = SessionOpened(session, self._name, station.version, "127.0.0.1", self._clock.now())
        line.session = StationSession(self._around, line, opened, station.identity, None)
        self.lines[session] = line
        line.session.open()

    async def receive_downlinks(self, downlinks: bytes) -> None:
        """As `ingress.ocpp.server` does."""
        for downlink in decode_downlinks(downlinks).downlinks:
            line = self.lines.get(downlink.session)
            is_open = line is not None and not line.lost.is_set()
            match downlink:
                case Dispatch() if is_open:
                    line.session.dispatch(downlink)
                case Dispatch():
                    lost_command(self._courier, downlink, self._clock.now())
                case CloseSession() if is_open:
                    line.close(4000, downlink.reason)


class House:
    """One run.

    Args:
        seed: Decides everything.
        literal: One actor per station.
    """

    def __init__(self, seed: int, *, literal: bool = False) -> None:
        self.weather = Weather(seed)
        self.dice = self.weather.dice
        self.store = MemoryStore()
        self.tables = MemoryTables()
        self.clock = VirtualClock()
        self.network = Network(self.weather)
        self.commands: dict[str, tuple[str, Outcome | None]] = {}
        self.logs: list[MutableMapping[str, Any]] = []
        self._literal = literal
        self._settings = ActorSettings(shards=SHARDS, stations_per_actor=1 if literal else 2)
        self._actors = [] if literal else ["stations-0", "stations-1"]
        self.stations = [
            Station(f"CP-{number}", self.dice.choice(VERSIONS), self._connect, self.dice) for number in range(6)
        ]

    # Its parts, each in a process of its own

    async def _station_actor(self, process: Process) -> StationActor:
        actor = StationActor(
            process.name,
            FaultyJournal(self.store, self.weather),
            IngressRoutes(self.network),
            self.clock,
            Policy(clock_skew_s_max=float("inf")),
            self._settings,
        )
        await actor.start()
        return actor

    async def _directory(self, _process: Process) -> Directory:
        units = () if self._literal else tuple(Unit(shard) for shard in range(SHARDS))
        actors = {name: Reference(name, self.network) for name in self._actors}
        journal = FaultyJournal(self.store, self.weather)
        made = Directory(journal, actors, units, self._spawn_station, literal_stations_max=100)
        await _insisted(made.start)
        return made

    def _spawn_station(self, station: str) -> Reference:
        name = f"station-{station}"
        if name in self.network.processes:
            return Reference(name, self.network)
        return self.network.add(Process(name, self._station_actor))

    async def _ingress(self, process: Process) -> Ingress:
        made = Ingress(process, self.network, literal=self._literal)
        await made.router.start()
        return made

    async def _projector(self, _process: Process) -> ProjectorActor:
        projection = FaultyProjection("t", self.tables)
        projection.weather = self.weather
        streams = (*(f"s{shard}" for shard in range(SHARDS)), keys.OPERATOR)
        made = ProjectorActor(MemoryJournalReader(self.store), projection, streams, self.clock)
        await made.start()
        return made

    def _connect(self, station: Station) -> Line | None:
        """A line to an ingress that takes it."""
        process = self.network.processes[self.dice.choice(INGRESSES)]
        if process.inside is None:
            return None
        line = Line(self.dice)
        process.run_inside(lambda: process.inside.connect(line, station))
        return line

    # A run

    async def run(self) -> None:
        """Storm, then calm, until everything is said and written down."""
        await MemoryOperatorBook(self.store, tenant="t").save_tokens([TokenRecord(Token("T"))], self.clock.now())
        for name in self._actors:
            self.network.add(Process(name, self._station_actor))
        self.network.add(Process(DIRECTORY, self._directory))
        for name in INGRESSES:
            self.network.add(Process(name, self._ingress))
        self.network.add(Process("projector", self._projector))
        lives = asyncio.gather(*(station.live(self.dice.randrange(1, 6)) for station in self.stations))
        storm = asyncio.create_task(self._storm())
        commands = asyncio.create_task(self._command())
        await storm
        async with asyncio.timeout(CALM_S_MAX):
            await asyncio.gather(lives, commands)
            await asyncio.gather(*(station.say("Heartbeat", {}) for station in self.stations))
            await asyncio.sleep(COMMAND_S)  # an actor that took over hears of open commands with the heartbeat
            assert await self.network.processes["projector"].call("caught_up", 600.0), "the projector is stuck"

    async def _storm(self) -> None:
        """One trouble after the other, some at the same time."""
        loop = asyncio.get_running_loop()
        kinds = (
            self._death,
            self._death,
            self._partition,
            self._outage,
            self._lost_replies,
            self._no_postgres,
            self._cut,
        )
        troubles: set[asyncio.Task[None]] = set()
        while loop.time() < STORM_S:
            await asyncio.sleep(self.dice.expovariate(1 / 4))
            troubles.add(asyncio.create_task(self.dice.choice(kinds)()))
        await asyncio.gather(*troubles)
        self.weather.stormy = False

    async def _death(self) -> None:
        """kill -9 of any process; Ray starts it again."""
        process = self.network.processes[self.dice.choice(sorted(self.network.processes))]
        if not process.alive:
            return
        lines = [*process.inside.lines.values()] if isinstance(process.inside, Ingress) else []
        process.kill()
        for line in lines:
            line.lost.set()
        await asyncio.sleep(self.dice.uniform(0.1, 3))
        process.start()

    async def _partition(self) -> None:
        """A station actor that lives and cannot be reached: the directory gives its stations to others."""
        names = [name for name in sorted(self.network.processes) if name.startswith("station")]
        if not names:
            return
        process = self.network.processes[self.dice.choice(names)]
        process.reachable = False
        await asyncio.sleep(self.dice.uniform(0.5, 10))
        process.reachable = True

    async def _outage(self) -> None:
        self.store.unavailable = True
        await asyncio.sleep(self.dice.uniform(0.1, 6))
        self.store.unavailable = False

    async def _lost_replies(self) -> None:
        self.store.replies_lost = True
        await asyncio.sleep(self.dice.uniform(0.1, 1))
        self.store.replies_lost = False

    async def _no_postgres(self) -> None:
        self.weather.postgres_away = True
        await asyncio.sleep(self.dice.uniform(0.5, 10))
        self.weather.postgres_away = False

    async def _cut(self) -> None:
        self.dice.choice(self.stations).cut()

    async def _command(self) -> None:
        """Somebody commands stations now and then."""
        router = Router(self.network, shards=SHARDS, literal=self._literal)
        gateway = Gateway(router, self.clock)
        waiting = []
        for number in range(12):
            await asyncio.sleep(self.dice.uniform(0, 15))
            waiting.append(asyncio.create_task(self._one_command(gateway, f"c{number}")))
        await asyncio.gather(*waiting)

    async def _one_command(self, gateway: Gateway, command_id: str) -> None:
        station = self.dice.choice(self.stations).identity
        now = self.clock.now()
        command = SendData("simulation", command_id)
        request = CommandRequest(command_id, station, command, now, now + timedelta(seconds=COMMAND_S))
        self.commands[command_id] = (station, None)
        with suppress(ActorUnavailable):  # whether it was taken is unknown
            self.commands[command_id] = (station, await gateway.command(request))

    # What came of it

    def state(self, station: str) -> StationState:
        """As it rests in the journal."""
        unit = unit_of(station, SHARDS, literal=self._literal)
        resting = self.store.values.get(keys.state_key(unit.shard, station))
        return HostedStation.from_rest(unit, station, resting).state


async def _insisted(start: Callable[[], Awaitable[None]]) -> None:
    """Ray starts an actor again that could not start."""
    while True:
        try:
            return await start()
        except SeamError:
            await asyncio.sleep(0.5)


@contextmanager
def simulated(seed: int, *, literal: bool = False) -> Iterator[House]:
    """A run that is over."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        house = House(seed, literal=literal)
        with capture_logs() as house.logs:
            runner.run(house.run())
        yield house
