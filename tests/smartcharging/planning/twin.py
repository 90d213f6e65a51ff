"""A site's stations and cars in virtual time around one `SitePlanner`: they obey, go away, draw."""

from datetime import UTC, datetime, timedelta

from engine.model.caps import CapDirection, CapSaved, CapSource, CapStep
from engine.model.commands import CommandSettled, Outcome, Result
from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.plans import LimitDecided
from engine.model.provisioning import BootReported, Registration, StationBooted
from engine.model.sessions import SessionClosed, SessionEnded, SessionOpened, SessionStarted
from engine.model.smart_charging import ProfileInstalled, SetChargingProfile
from engine.model.transactions import ChargingState, TransactionEnded, TransactionOpened
from smartcharging.planning.settings import PlannerSettings
from smartcharging.planning.site_planner import SitePlanner
from tests.smartcharging.wire.fleet import VirtualStation, site_of

START = datetime(2026, 5, 1, 10, 7, tzinfo=UTC)
SETTINGS = PlannerSettings(coalesce_s=0.3, pace_s=1.0)


class Twin:
    """A site of one EVSE per station, `CP0/e0`, `CP1/e1`, ...; everybody is connected and has booted."""

    def __init__(self, count=3, *, site=None, version="1.6", settings=SETTINGS, online=True, **site_fields):
        site_fields.setdefault("allocator", "max-min")
        self.site = site or site_of(count, **site_fields)
        self.now = START
        self.version = version
        self.settings = settings
        self.made = 0
        self.planner = self.make()
        names = [node.outlet.station for node in self.site.nodes if node.outlet is not None]
        self.stations = {name: VirtualStation(name, version) for name in names}
        self.nodes = {node.outlet.station: node.node for node in self.site.nodes if node.outlet is not None}
        self.silent = set()
        self.told = []
        self.orders = []
        self.started = {}
        if online:
            for name in names:
                self.connects(name)

    def make(self):
        self.made += 1
        return SitePlanner(self.site, self.settings, name=f"w{self.made}")

    # What happens

    def connects(self, name):
        opened = SessionOpened(session=f"s-{name}", ingress="i", version=self.version, address="a", at=self.now)
        self.hear(name, SessionStarted(opened))
        self.hear(name, StationBooted(BootReported("V", "M"), Registration.ACCEPTED, 300, self.now))
        self.silent.discard(name)

    def goes(self, name):
        self.silent.add(name)
        self.hear(name, SessionEnded(SessionClosed(session=f"s-{name}", code=1006, reason="", at=self.now)))

    def starts(self, name, transaction=None, **fields):
        transaction = transaction or self.transaction(name)
        self.stations[name].plugs_in(transaction)
        self.started[name] = TransactionOpened(
            transaction, self.now, self.now, evse=EvseRef(1, 1), charging_state=ChargingState.CHARGING, **fields
        )
        self.hear(name, self.started[name])
        return transaction

    def transaction(self, name):
        """Of 1.6: a number."""
        return str(100 + list(self.stations).index(name))

    def ends(self, name, transaction=None):
        self.stations[name].leaves()
        self.started.pop(name)
        self.hear(name, TransactionEnded(transaction or self.transaction(name), self.now, self.now))

    def cap(self, kw, *, source="operator", node="", emergency=False, direction=CapDirection.IMPORT, **fields):
        steps = (CapStep(self.now, kw),)
        cap = CapSource(
            site=self.site.site,
            source=source,
            node=node,
            steps=steps,
            emergency=emergency,
            direction=direction,
            **fields,
        )
        return self.planner.hear_operator(CapSaved(cap, "me", self.now))

    def meters(self, name, *current_a, evse=1, transaction=True):
        """The currents of L1, L2, L3."""
        readings = tuple(
            Reading(self.now, value, "Current.Import", "A", phase=f"L{phase}")
            for phase, value in enumerate(current_a, 1)
        )
        transaction_id = self.transaction(name) if transaction else None
        self.hear(name, ReadingsRecorded(readings, self.now, transaction_id, EvseRef(evse, 1)))

    def load_meters(self, station, kw, evse=0):
        readings = (Reading(self.now, kw * 1000.0, "Power.Active.Import", "W"),)
        self.hear(station, ReadingsRecorded(readings, self.now, None, EvseRef(evse, None)))

    def hear(self, name, fact):
        self.planner.hear(name, fact, self.now)

    # Time

    def passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    def runs(self, seconds=20.0, step_s=0.5):
        """Lets the planner do what it wants for so long; stations answer at once."""
        until = self.now + timedelta(seconds=seconds)
        while self.now < until:
            self.turn()
            self.passes(step_s)
        return self

    def turn(self):
        """What a planner's process does at one moment."""
        if self.planner.is_urgent():
            self.take(self.planner.plan_urgently(self.now))
        elif self.planner.wants_plan(self.now):
            self.take(self.planner.plan(self.now))
        for _ in range(4):
            self.take(self.planner.send(self.now))

    def take(self, planned):
        self.told += planned.facts
        self.send(planned.orders)

    def send(self, orders):
        for order in orders:
            self.orders.append((self.now, order))
            name = order.station
            if name in self.silent:
                self.settle(name, order, Outcome(Result.OFFLINE))
                continue
            outcome = self.stations[name].do(order.command)
            self.settle(name, order, outcome)
            if isinstance(order.command, SetChargingProfile) and outcome.result is Result.ACCEPTED:
                self.hear(name, ProfileInstalled(order.command.evse, order.command.profile, self.now))

    def settle(self, name, order, outcome):
        self.hear(name, CommandSettled(order.order_id, outcome, self.now))

    # What came of it

    def may_draw_a(self, name):
        return self.stations[name].may_draw_a(self.now)

    def current_a(self, name):
        """What the running transaction may draw."""
        return self.may_draw_a(name)

    @property
    def sum_a(self):
        return sum(self.may_draw_a(name) for name in self.stations)

    def facts(self, kind):
        return [fact for fact in self.told if isinstance(fact, kind)]

    def decided(self, name):
        """The last decision about a station."""
        return [fact for fact in self.facts(LimitDecided) if fact.station == name][-1]
