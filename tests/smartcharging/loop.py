"""A closed loop in virtual time: the planner of a site, stations that obey by the load tests' own reading of profiles.

Commands become OCPP by the real translators and are read by `loadtests.smart_charging`, which shares no code with them;
cars are those of `loadtests.garage`; meters those of `loadtests.sites`. Messages are late, lost, rejected; stations go
away; the planner dies and begins anew from what the store knows. One seed decides all of it.
"""

import heapq
import itertools
import random
from datetime import UTC, datetime, timedelta

import msgspec

from engine.model.caps import CapReleased, CapSaved, CapSource, CapStep, HeldCap
from engine.model.commands import CommandRequest, CommandRequested, CommandSent, CommandSettled, Outcome, Result
from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.provisioning import BootReported, Registration, StationBooted
from engine.model.sessions import SessionClosed, SessionEnded, SessionOpened, SessionStarted
from engine.model.sites import Site
from engine.model.smart_charging import (
    ClearChargingProfile,
    ProfileInstalled,
    ProfileRemoved,
    RemovalReason,
    SetChargingProfile,
)
from engine.model.transactions import ChargingState, TransactionEnded, TransactionOpened
from engine.ocpp.catalogue import command_call, outcome_of
from engine.ocpp.versions import Version
from loadtests.commands import CommandsOfCsms
from loadtests.connector import Connector
from loadtests.garage import car_of
from loadtests.sites.building import building_of
from loadtests.sites.plan_of_sites import BUILDING_KW_MAX, RESERVE_KW, SitePlan, cap_of, plans_of
from loadtests.sites.site_crowd import draw_of
from loadtests.sites.site_meter import SiteMeter
from loadtests.sites.tree import Cap, Draw, SiteTree
from loadtests.smart_charging import SmartCharging
from loadtests.statistics import Statistics
from loadtests.variables import Variables, factory
from loadtests.wording import WORDING_OF_VERSION, Charge
from smartcharging.planning.settings import PlannerSettings
from smartcharging.planning.site_planner import SitePlanner

START_S = datetime(2026, 5, 1, 10, 7, tzinfo=UTC).timestamp()
STEP_S = 0.5
METER_S = 5.0
GRACE_TOLD_S = 15.0
"""Of what profiles allow, which moves at once where cars need a while: a building that rises, and a cap that drops."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """How bad it is. Shares 0 to 1; times in s; `*_every_s`: mean time between."""

    delay_s: float = 1.0
    lost: float = 0.02
    rejected: float = 0.02
    away_every_s: float = 900.0
    away_s: tuple[float, float] = (5.0, 120.0)
    dies_every_s: float = 600.0
    dead_s: tuple[float, float] = (1.0, 10.0)
    cap_every_s: float = 1_200.0
    cap_s: tuple[float, float] = (60.0, 600.0)
    reaction_s: tuple[float, float] = (0.3, 3.0)
    garage: str = "difficult"
    notice_s: float = 15.0
    """A cap that counts at once counts for the meters so much later: messages and cars take their time."""


CALM = Trouble(
    delay_s=0.05, lost=0.0, rejected=0.0, away_every_s=1e12, dies_every_s=1e12, cap_every_s=1e12, garage="plain"
)


class LoopStation:
    """One station with one EVSE: its profiles, its car, its messages' way. A `loadtests.host.Host`."""

    def __init__(self, loop, identity, version):
        self.loop, self.identity, self.version = loop, identity, version
        self.chance, self.statistics = loop.chance, Statistics()
        self.wording = WORDING_OF_VERSION[version]
        self.connectors = [Connector(1, 0.0)]
        self.variables = Variables(factory(1, METER_S))
        self.firmware, self.hurried, self.registered, self.messages_waiting = "1", False, True, False
        self.pace = None
        self.commands = CommandsOfCsms(self)
        self.reaction_s = loop.chance.uniform(*loop.trouble.reaction_s)
        self.online = True
        self.sessions = itertools.count(1)
        self.session = ""
        self.lies = 1.0
        """Of what it is told, what it lets its car draw."""
        self.reacts_at = None
        self.look_at = 0.0
        self.transactions = itertools.count(1)
        self.transaction = None
        self._blocks = {}

    # A host of blocks

    def clock(self):
        return self.loop.now_s

    def now(self):
        return self.loop.now

    def has_quirk(self, name):
        del name
        return False

    def block(self, kind):
        if kind not in self._blocks:
            self._blocks[kind] = kind(self)
        return self._blocks[kind]

    def later(self, seconds, work):
        self.loop.later(seconds, work)
        return lambda: None

    def tell(self, action, payload, answered=None):
        del action, payload, answered

    def limits_changed(self):
        self.look_at = 0.0

    # Its car

    @property
    def connector(self):
        return self.connectors[0]

    def plugs_in(self):
        connector = self.connector
        connector.car = car_of(self.loop.trouble.garage, self.chance)
        number = next(self.transactions)
        name = f"{number}" if self.version == "1.6" else f"{self.identity}-{number}"
        connector.charge = Charge(1, "DRIVER", 0, id=name, state="Charging", began=self.clock())
        self.transaction = name
        self.follow(at_once=True)
        now = self.loop.now
        self.loop.fact(
            self, TransactionOpened(name, now, now, evse=EvseRef(1, 1), charging_state=ChargingState.CHARGING)
        )

    def leaves(self):
        connector = self.connector
        connector.car = connector.charge = None
        self.block(SmartCharging).charge_ended(connector)
        name, self.transaction = self.transaction, None
        now = self.loop.now
        self.loop.fact(self, TransactionEnded(name, now, now))
        for profile_id in self.loop.own_profiles.pop((self.identity, name), ()):
            self.loop.fact(self, ProfileRemoved(profile_id, 1, RemovalReason.TRANSACTION_ENDED, now))

    def passes(self, seconds):
        connector = self.connector
        if connector.car is not None:
            connector.register_wh += connector.car.charge(seconds, connector.limit.allowed_a, connector.limit.phases)
            self.follow()

    def follow(self, *, at_once=False):
        """As `loadtests.visits` does: a new limit is followed after the reaction."""
        now, connector = self.clock(), self.connector
        if not at_once and now < self.look_at:
            return
        limit, until = self.block(SmartCharging).limit_at(connector)
        limit = limit._replace(current_a=limit.current_a * self.lies)
        self.look_at = until
        if limit == connector.limit:
            self.reacts_at = None
            return
        if self.reacts_at is None:
            self.reacts_at = now if at_once else now + self.reaction_s
        if now < self.reacts_at:
            self.look_at = self.reacts_at
            return
        connector.limit, self.reacts_at = limit, None

    def told(self):
        """What the profiles allow at this moment, whether the car follows already or not."""
        connector = self.connector
        if connector.car is None:
            return Draw()
        limit, _ = self.block(SmartCharging).limit_at(connector)
        phases = min(connector.car.phases, limit.phases)
        return Draw(limit.allowed_a, phases, limit.allowed_a * phases * 230.0)

    # Its messages

    def connects(self):
        self.online, self.session = True, f"i:1:{self.identity}-{next(self.sessions)}"
        opened = SessionOpened(self.session, "i", self.version, "a", self.loop.now)
        self.loop.fact(self, SessionStarted(opened))

    def boots(self):
        self.loop.fact(self, StationBooted(BootReported("Narke", "Virtual"), Registration.ACCEPTED, 300, self.loop.now))

    def goes(self):
        self.online = False
        self.loop.fact(self, SessionEnded(SessionClosed(self.session, 1006, "gone", self.loop.now)))
        self.loop.lose(self)

    def meters(self):
        connector, now = self.connector, self.loop.now
        draw = draw_of(connector)
        readings = [Reading(now, connector.register_wh)]
        readings += [
            Reading(now, draw.current_a if line <= draw.phases else 0.0, "Current.Import", "A", phase=f"L{line}")
            for line in (1, 2, 3)
        ]
        readings.append(Reading(now, draw.power_w, "Power.Active.Import", "W"))
        self.loop.fact(self, ReadingsRecorded(tuple(readings), now, self.transaction, EvseRef(1, 1)))


class Store:
    """What the journal and PostgreSQL know of stations: what a planner that begins is told."""

    def __init__(self):
        self.last = {}
        self.profiles = {}
        self.open = {}
        self.commands = {}

    def record(self, station, fact, now):
        self._of_stations(station, fact, now)
        match fact:
            case CommandRequested():
                self.commands[fact.request.command_id] = [station, (fact, now)]
            case CommandSent():
                self.commands[fact.command_id].append((fact, now))
            case CommandSettled(outcome=Outcome(result=Result.TIMED_OUT | Result.LOST)):
                self.commands[fact.command_id].append((fact, now))
            case CommandSettled():
                self.commands.pop(fact.command_id, None)

    def _of_stations(self, station, fact, now):
        match fact:
            case SessionStarted() | StationBooted():
                self.last[station, type(fact)] = (fact, now)
            case SessionEnded():
                self.last.pop((station, SessionStarted), None)
            case ProfileInstalled():
                self.profiles[station, fact.profile.id] = (fact, now)
            case ProfileRemoved():
                self.profiles.pop((station, fact.profile_id), None)
            case TransactionOpened():
                self.open[station] = (fact, now)
            case TransactionEnded():
                self.open.pop(station, None)

    def story(self, station):
        told = [self.last[key] for key in ((station, StationBooted), (station, SessionStarted)) if key in self.last]
        told += [self.open[station]] if station in self.open else []
        told += sorted((each for (of, _), each in self.profiles.items() if of == station), key=lambda each: each[1])
        for of, *facts in self.commands.values():
            told += facts if of == station else []
        return told


class Loop:
    """One site. Args: how many stations; seed; trouble; fields of the site; settings of the planner."""

    def __init__(self, count, seed, trouble=None, *, building=True, allocator="max-min", settings=None, **site):
        self.chance, self.trouble = random.Random(seed), trouble or Trouble()
        self.now_s = START_S
        self.settings = settings or PlannerSettings()
        names = [f"ST-{number}" for number in range(count)]
        plan = plans_of(names, seed)[0] if count <= 8 else None
        assert plan is not None, "up to eight stations are one site"
        if not building:
            plan = SitePlan({key: value for key, value in plan.site.items() if key != "loads"}, plan.stations)
        self.plan = plan
        self.site = msgspec.convert(plan.site | {"allocator": allocator} | site, Site, strict=False)
        tree = SiteTree(plan.site)
        self.meter, self.told = SiteMeter(tree), SiteMeter(tree, grace_s=GRACE_TOLD_S)
        self.building = building_of(BUILDING_KW_MAX, self.chance, kw_per_s_max=RESERVE_KW / 60.0)
        self.caps, self.held = [], {}
        self.store, self.facts, self.orders = Store(), [], []
        self.own_profiles = {}
        self.flying = {}
        self.planners = itertools.count(1)
        self.planner = None
        self.restarts = self.commands = 0
        self._heap, self._ties = [], itertools.count()
        versions = itertools.cycle(("1.6", "2.0.1", "2.1"))
        self.stations = {name: LoopStation(self, name, next(versions)) for name in names}
        for station in self.stations.values():
            station.connects()
            station.boots()
        self.begin_planner()

    @property
    def now(self):
        return datetime.fromtimestamp(self.now_s, UTC)

    def later(self, seconds, work):
        heapq.heappush(self._heap, (self.now_s + seconds, next(self._ties), work))

    def fact(self, station, fact):
        """On record, and heard by the planner if it lives."""
        name = station if isinstance(station, str) else station.identity
        self.store.record(name, fact, self.now)
        if self.planner is not None:
            self.planner.hear(name, fact, self.now)

    # The planner's process

    def begin_planner(self):
        self.planner = SitePlanner(self.site, self.settings, name=f"w{next(self.planners)}")
        stories = {name: self.store.story(name) for name in self.planner.stations}
        self.planner.restore(stories, list(self.held.values()), (), (), self.now)

    def kill_planner(self):
        self.planner = None
        self.restarts += 1
        self.later(self.chance.uniform(*self.trouble.dead_s), self.begin_planner)

    def turn(self):
        planner = self.planner
        if planner is None or planner.due_at(self.now) > self.now:
            return
        if planner.is_urgent():
            self.take(planner.plan_urgently(self.now))
        elif planner.wants_plan(self.now):
            self.take(planner.plan(self.now))
        self.take(planner.send(self.now))

    def take(self, planned):
        self.facts += planned.facts
        for order in planned.orders:
            self.send(order)

    # Commands on their way

    def send(self, order):
        self.commands += 1
        station, now = self.stations[order.station], self.now
        deadline = now + timedelta(seconds=order.deadline_s)
        request = CommandRequest(order.order_id, order.station, order.command, now, deadline, "planner")
        self.fact(station, CommandRequested(request))
        if not station.online:
            self.settle(station, order, Outcome(Result.OFFLINE))
            return
        self.fact(station, CommandSent(order.order_id, station.session, now, deadline))
        self.flying[order.order_id] = (station, order)
        self.later(order.deadline_s, lambda: self.settle_open(order.order_id, Outcome(Result.TIMED_OUT)))
        if self.chance.random() < self.trouble.lost:
            return
        session = station.session
        self.later(self.chance.uniform(0.01, 0.1 + self.trouble.delay_s / 2), lambda: self.deliver(order, session))

    def deliver(self, order, session):
        station = self.stations[order.station]
        if not station.online or station.session != session:
            return
        version = Version(station.version)
        action, payload = command_call(version, order.command)
        if action in ("SetChargingProfile", "UpdateDynamicSchedule") and self.chance.random() < self.trouble.rejected:
            answer = {"status": "Rejected"}
        else:
            answer = station.commands.answer(action, payload)
        outcome = outcome_of(version, action, answer)
        if self.chance.random() < self.trouble.lost:
            return
        self.later(
            self.chance.uniform(0.01, 0.1 + self.trouble.delay_s), lambda: self.answered(order, outcome, session)
        )

    def answered(self, order, outcome, session):
        station = self.stations[order.station]
        if station.online and station.session == session:
            self.settle_open(order.order_id, outcome)

    def lose(self, station):
        """Its connection ended: nobody knows what became of what was on its way."""
        for order_id in [order_id for order_id, (of, _) in self.flying.items() if of is station]:
            self.settle_open(order_id, Outcome(Result.LOST))

    def settle_open(self, order_id, outcome):
        if order_id in self.flying:
            self.settle(*self.flying.pop(order_id), outcome)

    def settle(self, station, order, outcome):
        command = order.command
        if outcome.result is Result.ACCEPTED and isinstance(command, SetChargingProfile):
            own = command.profile.transaction_id
            self.fact(station, ProfileInstalled(command.evse, command.profile, self.now))
            if own is not None:
                self.own_profiles.setdefault((station.identity, own), set()).add(command.profile.id)
                if own != station.transaction:
                    removed = ProfileRemoved(command.profile.id, 1, RemovalReason.TRANSACTION_ENDED, self.now)
                    self.fact(station, removed)
        if outcome.result is Result.ACCEPTED and isinstance(command, ClearChargingProfile):
            self.fact(station, ProfileRemoved(command.profile_id, 1, RemovalReason.CLEARED, self.now))
        self.fact(station, CommandSettled(order.order_id, outcome, self.now))

    # What happens

    def comes(self, name, stay_s=(120.0, 1_800.0), idle_s=(10.0, 300.0)):
        station = self.stations[name]
        station.plugs_in()
        self.later(self.chance.uniform(*stay_s), lambda: self.goes(name, stay_s, idle_s))

    def goes(self, name, stay_s, idle_s):
        self.stations[name].leaves()
        self.later(self.chance.uniform(*idle_s), lambda: self.comes(name, stay_s, idle_s))

    def loses_connection(self):
        station = self.chance.choice(list(self.stations.values()))
        if station.online:
            station.goes()
            self.later(self.chance.uniform(*self.trouble.away_s), station.connects)
        self.again(self.trouble.away_every_s, self.loses_connection)

    def dies(self):
        if self.planner is not None:
            self.kill_planner()
        self.again(self.trouble.dies_every_s, self.dies)

    def caps_drop(self):
        """A cap that counts at once, and ends after a while."""
        kw = cap_of(self.plan, self.chance.uniform(0.4, 0.8))
        cap = CapSource(site=self.site.site, source="grid", steps=(CapStep(self.now, kw),), emergency=True)
        self.tell_cap(CapSaved(cap, "me", self.now))
        self.held["grid"] = HeldCap(cap, self.now, self.now)
        self.caps.append(Cap("grid", "", self.now_s + self.trouble.notice_s, kw))
        self.later(self.chance.uniform(*self.trouble.cap_s), self.caps_end)
        self.again(self.trouble.cap_every_s + self.trouble.cap_s[1], self.caps_drop)

    def caps_end(self):
        self.held.pop("grid", None)
        self.tell_cap(CapReleased(self.site.site, "grid", "me", self.now))
        self.caps.append(Cap("grid", "", self.now_s, None))

    def tell_cap(self, fact):
        if self.planner is not None:
            self.planner.hear_operator(fact)

    def again(self, every_s, what):
        self.later(self.chance.uniform(0.5, 1.5) * every_s, what)

    def tell_meters(self):
        for station in self.stations.values():
            if station.online and station.connector.car is not None:
                station.meters()
        if self.plan.building is not None:
            kw = self.building.kw(self.now_s)
            readings = [
                Reading(self.now, each * 1000.0 / 230.0, "Current.Import", "A", phase=f"L{line}")
                for line, each in enumerate(kw, 1)
            ]
            readings += [
                Reading(self.now, each * 1000.0, "Power.Active.Import", "W", phase=f"L{line}")
                for line, each in enumerate(kw, 1)
            ]
            self.fact(self.plan.building, ReadingsRecorded(tuple(readings), self.now, None, EvseRef(0, None)))
        self.later(METER_S, self.tell_meters)

    # Time

    def runs(self, seconds, *, look=True):
        ends = self.now_s + seconds
        half = 0
        while self.now_s < ends:
            while self._heap and self._heap[0][0] <= self.now_s:
                heapq.heappop(self._heap)[2]()
            for station in self.stations.values():
                station.passes(STEP_S)
            self.turn()
            if look and half % 2 == 0:
                self.look()
            half += 1
            self.now_s += STEP_S
        return self

    def look(self):
        loads = {} if self.plan.building is None else {self.meter.tree.root: self.building.kw(self.now_s)}
        drawn = {(name, 1): draw_of(station.connector) for name, station in self.stations.items()}
        self.meter.look(self.now_s, drawn, loads, self.caps)
        told = {(name, 1): station.told() for name, station in self.stations.items()}
        self.told.look(self.now_s, told, loads, self.caps)

    def open_doors(self):
        """All stations hold a profile first; then cars come and trouble begins."""
        self.tell_meters()
        for _ in range(20):
            self.runs(30, look=False)
            bare = [name for name, each in self.stations.items() if not each.block(SmartCharging).holds_any]
            if not bare:
                break
        assert not bare, f"after ten minutes {bare} hold no profile"
        for name in self.stations:
            self.later(self.chance.uniform(0.0, 120.0), lambda name=name: self.comes(name))
        self.again(self.trouble.away_every_s, self.loses_connection)
        self.again(self.trouble.dies_every_s, self.dies)
        self.again(self.trouble.cap_every_s, self.caps_drop)
        return self

    def ends(self):
        self.meter.end()
        self.told.end()
        return self
