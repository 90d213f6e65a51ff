"""What each kind of fault does. Chance says which strikes where; here it becomes true, and is over by itself."""

from collections.abc import Callable
from typing import Final, Protocol

from deploy.simulation.chance import Chance
from deploy.simulation.postgres import Postgres
from deploy.simulation.processes import WORLD, Network, Process
from deploy.simulation.redis import RedisServer
from deploy.simulation.station import Station
from deploy.simulation.virtual_time import VirtualLoop

DOWN_S: Final = (0.1, 20.0)
FROZEN_S: Final = (0.5, 60.0)
PARTED_S: Final = (0.5, 60.0)
REDIS_AWAY_S: Final = (0.05, 60.0)
SLOW_S: Final = (1.0, 60.0)
POSTGRES_AWAY_S: Final = (1.0, 3_600.0)
STORE_FULL_S: Final = (300.0, 1_800.0)
HOST_CLOCK_S: Final = 1_800.0
"""A host's clock is wrong by so much at most: one whose NTP or chrony died long ago."""
STATION_CLOCK_S: Final = 7_200.0
FLOOD_S: Final = (1_800.0, 5_400.0)


class Troubled(Protocol):
    """The house, as faults see it."""

    @property
    def loop(self) -> VirtualLoop:
        """Time."""

    @property
    def chance(self) -> Chance:
        """The dice."""

    @property
    def network(self) -> Network:
        """The processes."""

    @property
    def redis(self) -> RedisServer:
        """The journal's server."""

    @property
    def postgres(self) -> Postgres:
        """The database."""

    def role_of(self, name: str) -> str:
        """What a process is: ingress, actor, directory, projector."""

    def kill(self, process: Process) -> None:
        """Ends a process; stations at an ingress notice."""

    def lose_power(self, station: Station, off_s: float) -> None:
        """The station and the cars at it."""

    def tell(self, who: str, what: str) -> None:
        """For the trace."""


class Faults:
    """Faults of one house."""

    def __init__(self, house: Troubled) -> None:
        self._house = house
        self._chance = house.chance

    # Of calls, of round trips to Redis, of writes to PostgreSQL

    def of_call(self, kind: str, caller: str, callee: str) -> None:
        """A fault beyond the call itself."""
        match kind:
            case "crash.ingress" | "crash.actor" | "crash.directory":
                self._crash(self._one_of(kind.partition(".")[2], caller, callee))
            case "freeze.ingress" | "freeze.actor":
                self._freeze(self._one_of(kind.partition(".")[2], caller, callee))
            case "partition.calls":
                seconds = self._chance.between(*PARTED_S)
                self._told("network", f"{caller} and {callee} are apart for {seconds:.1f} s")
                self._house.network.part(caller, callee, seconds)
            case "host.clock":
                self._turn_clock(self._house.network.processes[callee])
            case _:
                self._told(caller, f"{kind} on its way to {callee}")

    def of_redis(self, kind: str, who: str) -> None:
        """A fault beyond the round trip."""
        redis, now = self._house.redis, self._house.loop.time()
        name = who.partition(":")[0]
        match kind:
            case "crash.redis":
                redis.away_until = now + self._chance.between(*REDIS_AWAY_S)
                self._told("redis", f"is away until {redis.away_until - now:.1f} s from now")
            case "disk.slow":
                redis.slow_until = now + self._chance.between(*SLOW_S)
                self._told("redis", f"has a slow disk for {redis.slow_until - now:.1f} s")
            case "partition.redis":
                redis.cut[name] = now + self._chance.between(*PARTED_S)
                self._told("redis", f"cannot be reached by {name} for {redis.cut[name] - now:.1f} s")
            case "crash.actor" | "crash.directory":
                self._crash(self._one_of(kind.partition(".")[2], name, name))
            case _:
                self._told(who, f"{kind} on a round trip to redis")

    def of_apply(self, kind: str, who: str) -> None:
        """A fault beyond the write itself."""
        postgres, now = self._house.postgres, self._house.loop.time()
        match kind:
            case "postgres.away" | "store.full":
                bounds = POSTGRES_AWAY_S if kind == "postgres.away" else STORE_FULL_S
                postgres.away_until = now + self._chance.between(*bounds)
                self._told("postgres", f"is away for {postgres.away_until - now:.0f} s")
            case "crash.projector":
                self._crash(self._house.network.processes[who])
            case _:
                self._told(who, f"{kind} on a write to postgres")

    # Of stations and their lines

    def of_frame(self, kind: str, station: Station) -> None:
        """A fault of the frame that is about to leave."""
        chance, line = self._chance, station.line
        assert line is not None, "a station speaks on its line"
        match kind:
            case "link.cut":
                line.cut()
            case "link.silent":
                line.silent = True
            case "link.late":
                line.late_until = self._house.loop.time() + chance.between(1.0, 120.0)
            case "station.takeover":
                self._take_over(station)
            case "station.power":
                off_s = chance.between(5.0, 600.0)
                self._later(0.0, lambda: self._house.lose_power(station, off_s))
            case "station.clock":
                station.clock_ahead_s += chance.dice.uniform(-STATION_CLOCK_S, STATION_CLOCK_S)
            case "station.flap":
                for _ in range(chance.dice.randrange(3, 12)):
                    self._later(chance.dice.uniform(0.0, 60.0), station.drop)
            case "station.flood":
                station.offline(chance.between(*FLOOD_S))
            case _:
                pass
        self._told(station.identity, kind)

    def of_command(self, kind: str, station: Station) -> None:
        """A fault while the station hears a command."""
        if kind.startswith("crash"):
            self._crash(self._one_of(kind.partition(".")[2], station.line.holder if station.line else "", ""))
        elif station.line is not None:
            self.of_frame(kind, station)

    def _take_over(self, station: Station) -> None:
        """It connects anew, perhaps elsewhere, and leaves the old connection to its fate."""
        old = station.line
        assert old is not None, "a station speaks on its line"
        self._later(self._chance.between(0.0, 60.0), old.cut)
        self._house.loop.call_soon(station.lost, old, context=WORLD)

    # Of processes

    def _one_of(self, role: str, caller: str, callee: str) -> Process | None:
        """The process of this role that is concerned, or any."""
        names = [name for name in self._house.network.processes if self._house.role_of(name) == role]
        concerned = [name for name in (callee, caller) if name in names]
        if not names:
            return None
        return self._house.network.processes[concerned[0] if concerned else self._chance.dice.choice(names)]

    def _crash(self, process: Process | None) -> None:
        if process is not None and process.alive:
            self._later(self._chance.between(0.0, 0.01), lambda: self._kill(process))

    def _kill(self, process: Process) -> None:
        if process.alive:
            self._house.kill(process)
            self._later(self._chance.between(*DOWN_S), process.start)

    def _freeze(self, process: Process | None) -> None:
        if process is not None and process.life is not None:
            seconds = self._chance.between(*FROZEN_S)
            process.life.frozen_until = self._house.loop.time() + seconds
            self._told(process.name, f"is frozen for {seconds:.1f} s")

    def _turn_clock(self, process: Process) -> None:
        """A little wrong or very; sometimes it is the clock of Redis' host."""
        dice = self._chance.dice
        wrong_s = dice.choice((2.0, HOST_CLOCK_S)) * dice.uniform(-1.0, 1.0)
        if dice.random() < 0.2:
            self._house.redis.ahead_s = wrong_s
            self._told("redis", f"has a clock that is {wrong_s:+.2f} s wrong")
            return
        process.clock.ahead_s = wrong_s
        self._told(process.name, f"has a clock that is {wrong_s:+.2f} s wrong")

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._house.loop.call_later(seconds, action, context=WORLD)

    def _told(self, who: str, what: str) -> None:
        self._house.tell(who, f"!! {what}")
