"""The whole core in one process and virtual time: ingresses, directory, station actors and projector of the real house.

Simulated are Ray (`processes`), Redis (`redis`, below the real journal), PostgreSQL (`postgres`, around the real fold)
and sockets (`line`); everything between is the product's. A run is a seed: the same seed gives the same run.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import msgspec

from actors.directory import SHARD_PREFIX, STATION_PREFIX
from actors.gateway import Gateway
from actors.hosted_station import HostedStation
from actors.router import DIRECTORY, Router
from actors.settings import ActorSettings
from deploy.simulation.chance import KINDS, Chance, dice_of
from deploy.simulation.charging import DAY_S, TOKENS, Place
from deploy.simulation.faults import Faults
from deploy.simulation.ingress import Ingress
from deploy.simulation.line import TRANSIT_S_MAX, Line
from deploy.simulation.parts import SHARDS, TENANT, Parts, Site
from deploy.simulation.postgres import Postgres
from deploy.simulation.processes import WORLD, Network, Process
from deploy.simulation.redis import RedisClient, RedisServer
from deploy.simulation.station import Station
from deploy.simulation.trace import Trace
from deploy.simulation.virtual_time import Life, VirtualClock, VirtualLoop
from deploy.simulation.witness import Witness
from deploy.simulation.wording import VERSIONS
from engine.model.authorization import ClearCache, Token, TokenRecord
from engine.model.commands import Command, CommandRequest, Outcome
from engine.model.data_transfer import SendData
from engine.model.ids import unit_of
from engine.model.remote_control import TriggerMessage
from engine.ports import ActorUnavailable
from engine.station.state import StationState
from storage import keys
from storage.operator_book import RedisOperatorBook
from storage.redis_settings import RedisSettings

INGRESSES: Final = ("ingress-0", "ingress-1")
PROJECTOR: Final = "projector"
COMMANDS_PER_STATION_DAY: Final = 4.0
COMMAND_S: Final = 30.0
CALM_S_MAX: Final = 3_600.0
"""Stations that are not through after so long in calm weather never will be."""
CALM_STEP_S: Final = 5.0
STREAM_ENTRIES_FEW: Final = 24
"""Bound of a stream in runs that fill it."""
HEARTBEAT_S: Final = 1_800.0


class Setting(msgspec.Struct, frozen=True):
    """What a run is made of, besides its seed."""

    stations: int = 3
    days: float = 1.0
    kinds: tuple[str, ...] = KINDS
    often: float | None = None
    """How often faults strike, see `chance.OFTEN`; None: drawn."""
    literal: bool | None = None
    """One actor per station; None: drawn."""


class House:
    """One run.

    Args:
        seed: Decides everything.
        setting: Its size, and the faults that may strike.
        traced: Whether somebody will read the trace.
    """

    def __init__(self, seed: int, setting: Setting, *, traced: bool = False) -> None:
        self.seed: Final = seed
        self.setting: Final = setting
        self.loop: VirtualLoop = VirtualLoop()  # type: ignore[abstract]  # a run asks no more of a loop
        self.chance: Final = Chance(seed, setting.kinds, setting.often)
        self.trace: Final = Trace(self.loop) if traced else None
        self.violations: Final[list[str]] = []
        self.clock: Final = VirtualClock()
        self.network: Final = Network(self.loop, self.chance, self.trace)
        few = "store.full" in self.chance.kinds
        self.redis_settings: Final = RedisSettings(stream_entries_max=STREAM_ENTRIES_FEW) if few else RedisSettings()
        said = self.tell if traced else None
        self.witness: Final = Witness(self.violated, said, self.redis_settings.stream_entries_max)
        self.redis: Final = RedisServer(self.loop, self.chance, self.witness)
        self.witness.watch_lengths(lambda stream: len(self.redis.streams.get(stream, ())))
        self.postgres: Final = Postgres()
        self.faults: Final = Faults(self)
        self.network.faults = self.faults
        self.witness.of_redis = self.faults.of_redis
        self.commands: Final[dict[str, tuple[str, Outcome | None]]] = {}
        """By id: the station, and what whoever asked was told; None: that it is unknown."""
        self.sessions = 0
        drawn_literal = self.chance.dice.random() < 0.1
        self.literal: Final = drawn_literal if setting.literal is None else setting.literal
        few_in_memory = self.chance.dice.random() < 0.2
        lag_s = self.chance.dice.choice((0.0, 1.0, 30.0, 300.0))
        count = 0 if self.literal else self.chance.dice.randrange(1, 4)
        actors = tuple(f"{SHARD_PREFIX}{number}" for number in range(count))
        per_actor = 1 if self.literal else 2 if few_in_memory else 5_000
        self.parts: Final = Parts(
            Site(
                network=self.network,
                redis=self.redis,
                postgres=self.postgres,
                chance=self.chance,
                faults=self.faults,
                settings=ActorSettings(shards=SHARDS, stations_per_actor=per_actor),
                redis_settings=self.redis_settings,
                actors=actors,
                literal=self.literal,
                lag_s=lag_s,
            )
        )
        self._operator = Life("operator", self.loop)
        self.places: Final[dict[str, tuple[Place, ...]]] = {}
        self.stations: Final = [self._station(number) for number in range(setting.stations)]

    def _station(self, number: int) -> Station:
        dice = dice_of(self.seed, f"station {number}")
        station = Station(f"CP-{number}", dice.choice(VERSIONS), self, dice, HEARTBEAT_S)
        connectors = 2 if dice.random() < 0.3 else 1
        self.places[station.identity] = tuple(
            Place(station, connector, self.setting.days) for connector in range(1, connectors + 1)
        )
        return station

    # What others need of it

    @property
    def traced(self) -> bool:
        """Whether somebody reads the trace."""
        return self.trace is not None

    def tell(self, who: str, what: str) -> None:
        """For the trace."""
        if self.trace is not None:
            self.trace.say(who, what)

    def violated(self, who: str, what: str) -> None:
        """An invariant is broken."""
        self.tell(who, f"VIOLATION {what}")
        self.violations.append(f"{who}: {what}")

    def strikes(self, station: Station) -> str | None:
        """A fault of the frame that a station is about to say."""
        fault = self.chance.strikes("frame")
        if fault is not None:
            self.faults.of_frame(fault, station)
        return fault

    def commanded(self, station: Station) -> None:
        """A station hears a command."""
        fault = self.chance.strikes("command")
        if fault is not None:
            self.faults.of_command(fault, station)

    def connect(self, station: Station) -> Line | None:
        """A line to an ingress that takes it; None: none does now."""
        process = self.network.processes[self.chance.dice.choice(INGRESSES)]
        if process.inside is None or process.life is None or process.life.frozen_until > self.loop.time():
            return None
        line = Line(self.loop, process.life, station, self._link_transit_s)
        process.life.run(process.inside.connect, line, station.identity, station.wording.version)
        line.on_sent = lambda text: self._about_to_answer(station, text)
        name, dialled_s = line.name, self.loop.time()
        self.witness.dialled(name, dialled_s)
        line.on_accepted = lambda: self.witness.accepted(name, self.loop.time())
        self.sessions += 1
        self.network.heat()
        self.tell(station.identity, f"connects, session {line.name}")
        return line

    def lose_power(self, station: Station, off_s: float) -> None:
        """The station and the cars at it."""
        station.lose_power(off_s)
        for place in self.places[station.identity]:
            place.lose_power()

    def kill(self, process: Process) -> None:
        """Ends it as kill -9 does; stations at an ingress notice."""
        lines = [*process.inside.lines.values()] if isinstance(process.inside, Ingress) else []
        process.kill()
        for line in lines:
            line.cut()

    def role_of(self, name: str) -> str:
        """What a process is."""
        return "actor" if name.startswith((SHARD_PREFIX, STATION_PREFIX)) else name.partition("-")[0]

    def _link_transit_s(self) -> float:
        return self.chance.dice.random() * TRANSIT_S_MAX

    def _about_to_answer(self, station: Station, text: str) -> None:
        """A reply never precedes its record."""
        if not text.startswith("[3,"):
            return
        said = station.known(text[4 : text.index('"', 4)])
        if said is None:
            return
        recorded = self.witness.recorded.get(station.identity)
        for evidence in said.evidence:
            if recorded is None or evidence not in recorded.evidence:
                what = f"{said.action} {said.message_id} is answered before {evidence} is recorded"
                self.violated(station.identity, what)

    # A run

    def run(self) -> None:
        """Some days in bad weather, then calm, until everything is said and written down."""
        self.loop.run_until_complete(self._operator.spawn(self._run()))

    def close(self) -> None:
        """Everybody is gone; the run may be forgotten."""
        for process in self.network.processes.values():
            process.kill()
        self._operator.end()

    async def _run(self) -> None:
        await self._move_in()
        ends_s = self.setting.days * DAY_S
        commands = [
            asyncio.get_running_loop().create_task(self._command(number))
            for number in range(round(COMMANDS_PER_STATION_DAY * len(self.stations) * self.setting.days))
        ]
        for station in self.stations:
            station.begin()
        await asyncio.sleep(ends_s)
        self._calm()
        for task in commands:
            await task
        for station in self.stations:
            station.heartbeat()
        if await self._until(lambda: all(station.idle for station in self.stations), "stations are not through"):
            for station in self.stations:
                station.heartbeat()
            await asyncio.sleep(COMMAND_S + 2 * CALM_STEP_S)  # an actor that took over hears of open commands so
            await self._until(lambda: all(station.idle for station in self.stations), "stations are not through")
        await self._carried()

    async def _move_in(self) -> None:
        """Everybody is up and the operator's tokens are known before the first fault."""
        self.chance.stormy = False
        client: Any = RedisClient(self.redis)
        book = RedisOperatorBook(client, tenant=TENANT, settings=self.redis_settings)
        await book.save_tokens([TokenRecord(Token(token)) for token in TOKENS], self.clock.now())
        for name in self.parts.site.actors:
            self.network.add(name, self.parts.station_actor)
        self.network.add(DIRECTORY, self.parts.directory)
        for name in INGRESSES:
            self.network.add(name, self.parts.ingress)
        self.network.add(PROJECTOR, self.parts.projector)
        await asyncio.sleep(1.0)
        self.chance.stormy = True

    def _calm(self) -> None:
        """No fault any more; what is dead comes back, what is apart finds together."""
        self.tell("weather", "is calm from now on")
        self.chance.stormy = False
        self.network.heal()
        self.redis.calm()
        self.postgres.away_until = 0.0
        for process in self.network.processes.values():
            process.clock.ahead_s = 0.0
            if process.life is not None:
                process.life.frozen_until = 0.0
        for station in self.stations:
            if station.line is not None:
                station.line.late_until = 0.0
            station.network_back()

    async def _until(self, done: Callable[[], bool], otherwise: str) -> bool:
        deadline = self.loop.time() + CALM_S_MAX
        while not done():
            if self.loop.time() > deadline:
                late = [f"{each.identity} waits with {each.waiting}" for each in self.stations if not each.idle]
                self.violated("liveness", f"{otherwise} {CALM_S_MAX / 3_600:g} h after the last fault: {late}")
                return False
            await asyncio.sleep(CALM_STEP_S)
        return True

    async def _carried(self) -> None:
        projector = self.network.processes[PROJECTOR]
        reader = self.parts.reader
        assert reader is not None, "the projector has read"
        for _ in range(3):
            self.loop.call_later(1.0, reader.wake, context=WORLD)
            with suppress(ActorUnavailable):
                if await self.network.call(PROJECTOR, "caught_up", 3_600.0):
                    return
        self.violated(projector.name, "has not carried everything an hour after the last fault")

    async def _command(self, number: int) -> None:
        """Somebody commands a station some time."""
        dice = dice_of(self.seed, f"command {number}")
        await asyncio.sleep(dice.uniform(120.0, self.setting.days * DAY_S))
        command_id = f"c{number}"
        station = self.stations[dice.randrange(len(self.stations))].identity
        command: Command = dice.choice((SendData("simulation", command_id), ClearCache(), TriggerMessage("Heartbeat")))
        now = self.clock.now()
        request = CommandRequest(command_id, station, command, now, now + timedelta(seconds=COMMAND_S))
        self.commands[command_id] = (station, None)
        router = Router(self.network, shards=SHARDS, literal=self.literal)  # type: ignore[arg-type]  # as above
        self.tell("operator", f"commands {station}: {type(command).__name__} {command_id}")
        with suppress(ActorUnavailable):  # whether it was taken is unknown
            self.commands[command_id] = (station, await Gateway(router, self.clock).command(request))
        self.tell("operator", f"hears of {command_id}: {self.commands[command_id][1]}")

    # What came of it

    def state(self, station: str) -> StationState:
        """As it rests in the journal."""
        unit = unit_of(station, SHARDS, literal=self.literal)
        resting = self.redis.values.get(keys.state_key(unit.shard, station))
        return HostedStation.from_rest(unit, station, resting).state

    def insides(self, kind: type) -> Sequence[Any]:
        """What lives in the processes of one kind."""
        return [each.inside for each in self.network.processes.values() if isinstance(each.inside, kind)]
