"""The stations of some sites under real trouble, and the meters that look at them each second.

Cars are difficult (`loadtests.garage`), stations are late, moody and lose answers, connections are lost for a while.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic, time
from typing import Any

from loadtests.behaviour import GOOD, Behaviour
from loadtests.behaviours import BadRadio
from loadtests.car import NOMINAL_V
from loadtests.connector import Connector, Driver
from loadtests.habits import Habits
from loadtests.link import Patience, Peer
from loadtests.sites.building import Building, building_of, tell_building
from loadtests.sites.plan_of_sites import BUILDING_KW_MAX, RESERVE_KW, SitePlan
from loadtests.sites.site_meter import Excess, SiteMeter
from loadtests.sites.tree import NOTHING, Cap, Draw, SiteTree
from loadtests.smart_charging import SmartCharging
from loadtests.station import Station
from loadtests.statistics import Statistics

LOOK_S = 1.0
BOOT_S_MAX = 60.0
BAD_RADIO_SHARE = 0.4
CHANGED_A_MIN = 1.0
"""A limit that moved by less did not change (as in the figures of docs/smart-bench.md)."""
AWAY_S_MAX = 60.0
"""For so long at most a planner may be away while buildings move; their reserve covers it."""
_COMMANDS = ("commands SetChargingProfile", "commands UpdateDynamicSchedule", "commands ClearChargingProfile")


@dataclass(frozen=True)
class Trouble:
    """How bad it is; times in s.

    Attributes:
        delay_s: Answers to commands come up to so late, at the stations with a bad radio.
        lost_share: Of their answers.
        rejections: Whether 2 % of profiles are rejected for nothing.
        reaction_s: From a new limit to the power of the car, between these; a car has 5 s (IEC 61851-1).
        garage: Which cars come.
        meter_s: Between meter values.
    """

    delay_s: float = 1.5
    lost_share: float = 0.02
    rejections: bool = True
    reaction_s: tuple[float, float] = (0.3, 3.0)
    garage: str = "difficult"
    meter_s: float = 5.0

    def habits(self, chance: random.Random) -> Habits:
        """Of one station."""
        return Habits(
            meter_interval_s=self.meter_s,
            charge_s=(60.0, 300.0),
            idle_s=(5.0, 40.0),
            reaction_s=chance.uniform(*self.reaction_s),
            garage=self.garage,
            quirks=("rejects_some_profiles",) if self.rejections else (),
            patience=Patience(backoff_s_min=0.5, backoff_s_max=5.0),
        )

    def behaviour(self, chance: random.Random) -> Behaviour:
        """Of its connection."""
        bad = chance.random() < BAD_RADIO_SHARE
        return BadRadio(delay_s=self.delay_s, share=self.lost_share) if bad else GOOD


@dataclass
class Site:
    """A site that is played: its plan, tree, meter and building."""

    plan: SitePlan
    meter: SiteMeter
    building: Building | None = None
    caps: list[Cap] = field(default_factory=list)

    def loads(self, at: float) -> dict[str, tuple[float, float, float]]:
        """What draws there beside cars, by node."""
        return {self.meter.tree.root: self.building.kw(at)} if self.building is not None else {}


@dataclass
class Counted:
    """What was seen at the connectors, summed over them.

    Attributes:
        charging_s: Somebody was plugged in and charging or waiting to.
        changes: Limits that moved by an ampere or more while that was so.
        uncontrolled_s: The station held no profile at all while that was so.
        paused_s: The limit was below what a car needs.
        asleep_s: The car could charge and did not wake up.
    """

    charging_s: float = 0.0
    changes: int = 0
    uncontrolled_s: float = 0.0
    paused_s: float = 0.0
    asleep_s: float = 0.0


class SiteCrowd:
    """All stations of some sites.

    Args:
        plans: The sites.
        url: Where the CSMS listens.
        tokens: What drivers present.
        seed: Of everything.
        trouble: How bad it is.
        versions: OCPP versions, dealt out in turn.
    """

    def __init__(
        self,
        plans: Sequence[SitePlan],
        url: str,
        tokens: tuple[str, ...],
        seed: int,
        trouble: Trouble,
        versions: Sequence[str] = ("1.6", "2.0.1", "2.1"),
    ) -> None:
        self.chance = random.Random(seed)
        self.trouble = trouble
        self.statistics = Statistics()
        self._drivers = tokens
        self.stations: dict[str, Station] = {}
        self.sites: dict[str, Site] = {}
        self.counted = Counted()
        self._before: dict[tuple[str, int], float] = {}
        self._looked_at: float | None = None
        self._tasks: list[asyncio.Task[None]] = []
        number = 0
        for plan in plans:
            self.sites[plan.name] = self._site(plan)
            for identity in plan.stations:
                version = versions[number % len(versions)]
                self._hire(Peer(url, identity), version, trouble.behaviour(self.chance))
                number += 1
            if plan.building is not None:
                self._hire(Peer(url, plan.building), versions[number % len(versions)], GOOD)

    def _site(self, plan: SitePlan) -> Site:
        building = None
        if plan.building is not None:
            building = building_of(BUILDING_KW_MAX, self.chance, kw_per_s_max=RESERVE_KW / AWAY_S_MAX)
        return Site(plan, SiteMeter(SiteTree(plan.site)), building)

    def _hire(self, peer: Peer, version: str, behaviour: Behaviour) -> None:
        """Nobody comes to charge yet."""
        habits, seed = self.trouble.habits(self.chance), self.chance.getrandbits(64)
        self.stations[peer.identity] = Station(
            peer, version, (), habits, seed, self.statistics, behaviour=behaviour
        )  # fmt: skip

    # Its life

    async def start(self) -> None:
        """Returns when all have booted.

        Raises:
            TimeoutError: They have not, in time.
        """
        for station in self.stations.values():
            self._spawn(station.run())
        for site in self.sites.values():
            if site.building is not None and site.plan.building is not None:
                station, building = self.stations[site.plan.building], site.building
                self._spawn(tell_building(station, partial(_now, building), self.trouble.meter_s))
        ends = monotonic() + BOOT_S_MAX
        while not all(station.registered for station in self.stations.values()):
            self.check()
            if monotonic() > ends:
                missing = [name for name, station in self.stations.items() if not station.registered]
                raise TimeoutError(f"{len(missing)} of {len(self.stations)} stations could not boot: {missing[0]}, ...")
            await asyncio.sleep(LOOK_S / 4)

    @property
    def bare(self) -> list[str]:
        """Charging stations that hold no profile."""
        return [
            name
            for site in self.sites.values()
            for name in site.plan.stations
            if not (self.stations[name].has_block(SmartCharging) and self.stations[name].block(SmartCharging).holds_any)
        ]

    def open_doors(self, within_s: float) -> None:
        """From now on drivers come, the first to each connector within so long."""
        for site in self.sites.values():
            for name in site.plan.stations:
                station = self.stations[name]
                station.tokens = self._drivers
                for connector in station.connectors:
                    driver = Driver(self.chance.choice(self._drivers))
                    station.later(self.chance.uniform(0.0, within_s), partial(_send, connector, driver))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def watch(self) -> None:
        """Looks at all meters each second, until cancelled."""
        ends = monotonic()
        while True:
            self.look(time())
            self.check()
            ends += LOOK_S
            await asyncio.sleep(max(0.0, ends - monotonic()))

    async def leave(self) -> None:
        """All connections end; what the meters still see is judged."""
        for site in self.sites.values():
            site.meter.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def check(self) -> None:
        """Raises what ended a station, if anything did."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    def lose_connections(self, share: float, seconds: float) -> list[str]:
        """Some stations are offline for so long; returns which."""
        cars = [name for site in self.sites.values() for name in site.plan.stations]
        lost = self.chance.sample(sorted(cars), max(1, round(share * len(cars))))
        for name in lost:
            self.stations[name].link.stay_away(seconds)
        return lost

    # What is seen

    def look(self, now: float) -> None:
        """Reads all meters once."""
        passed_s = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        draws: dict[tuple[str, int], Draw] = {}
        for name, station in self.stations.items():
            for connector in station.connectors:
                draws[name, connector.number] = draw_of(connector)
                self._count(station, connector, passed_s)
        for site in self.sites.values():
            site.meter.look(now, draws, site.loads(now), site.caps)

    def _count(self, station: Station, connector: Connector, passed_s: float) -> None:
        place = (station.identity, connector.number)
        if connector.charge is None or connector.car is None:
            self._before.pop(place, None)
            return
        counted, allowed_a = self.counted, connector.limit.allowed_a
        counted.charging_s += passed_s
        if not station.has_block(SmartCharging) or not station.block(SmartCharging).holds_any:
            counted.uncontrolled_s += passed_s
        if allowed_a <= 0.0:
            counted.paused_s += passed_s
        elif connector.car.asleep:
            counted.asleep_s += passed_s
        before = self._before.get(place)
        if before is not None and abs(before - allowed_a) >= CHANGED_A_MIN:
            counted.changes += 1
        if before is None or abs(before - allowed_a) >= CHANGED_A_MIN:
            self._before[place] = allowed_a

    @property
    def violations(self) -> list[Excess]:
        """Of all sites."""
        return [each for site in self.sites.values() for each in site.meter.violations]

    @property
    def energy_kwh(self) -> float:
        """That went into cars."""
        return sum(site.meter.energy_kwh for site in self.sites.values())

    @property
    def commands(self) -> Mapping[str, int]:
        """Profiles that were sent, updated and cleared, by action."""
        events: Counter[str] = self.statistics.events
        return {name.removeprefix("commands "): events[name] for name in _COMMANDS if events[name]}


def _send(connector: Connector, driver: Driver) -> None:
    if connector.takes_remote():
        connector.remote.put_nowait(driver)


def _now(building: Building) -> tuple[float, float, float]:
    return building.kw(time())


def draw_of(connector: Connector) -> Draw:
    """What flows at a connector now, at nominal voltage."""
    car, power_w = connector.car, connector.power_w
    if car is None or power_w <= 0.0:
        return NOTHING
    phases = min(car.phases, connector.limit.phases)
    return Draw(power_w / (NOMINAL_V * phases), phases, power_w)
