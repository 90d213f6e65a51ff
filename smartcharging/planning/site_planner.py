"""The planner of one site: hears, knows when it is due, plans. Pure: no I/O, no clock, no chance.

    facts, caps, prices, requests -> hear, hear_operator       noted, and why to plan anew; nothing is decided
    due_at -> wants_plan -> draft -> solve -> finish           the plan: orders and facts; `solve` may run in a thread
    is_urgent -> plan_urgently                                 an emergency: real-time layer, orders at once, plan later
    send                                                       what the wire may send now that others have said yes

What the allocator may use is what the limits leave beside loads, caps and the promises of EVSEs that nobody plans
(idle, offline, in quarantine). What goes out when is the wire's to say: it knows what stations have promised.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from engine.model.caps import CapDirection, HeldCap
from engine.model.charging_profiles import ChargingProfile
from engine.model.commands import CommandRequested, CommandSettled, Outcome
from engine.model.facts import Fact, OperatorFact
from engine.model.plans import SiteAlertRaised
from engine.model.sites import DriverAsked, Site, SiteSeries
from engine.model.smart_charging import LimitImposed
from smartcharging import allocators
from smartcharging.allocators.max_min import MaxMin, by_need
from smartcharging.caps import CapKeeper
from smartcharging.cars import CarKeeper
from smartcharging.forecast import Forecaster, ForecastSettings, stays_of
from smartcharging.forecast.stays import PastStay
from smartcharging.network import Network
from smartcharging.planning import drafts
from smartcharging.planning.aims import aims_of
from smartcharging.planning.alarms import Alarms
from smartcharging.planning.decisions import Decisions
from smartcharging.planning.drafts import Draft, Planned
from smartcharging.planning.ears import Ears, by_node
from smartcharging.planning.peak import Peak
from smartcharging.planning.problems import Standing, cars_from, deaf_of, held_by_others, plug_of, stores_from
from smartcharging.planning.retelling import Story, known_order, known_stations
from smartcharging.planning.settings import BY, PlannerSettings
from smartcharging.planning.situation import Situation, infeasible, metered_over, overloads, situation_of, slots_at
from smartcharging.planning.targets import targets_of
from smartcharging.planning.turns import Turns
from smartcharging.problem import Floats, Problem
from smartcharging.wire.site_wire import SiteWire, Sources
from smartcharging.words import NodeLoad, Order

VERIFY_S = timedelta(seconds=10)
"""Between two looks at the meters of all cars, for whether stations keep to their limits."""
LATER = timedelta(seconds=30)
"""Within so long news is planned that only gives more room."""


class SitePlanner:
    """Plans one site.

    Args:
        site: Checked.
        settings: How often, how far.
        name: Begins the ids of its orders; no two planners that ever lived have the same.

    Raises:
        ValueError: Its allocator is not installed, or the site is none.
    """

    def __init__(self, site: Site, settings: PlannerSettings, *, name: str = "w") -> None:
        self.site = site
        self.stations = _stations_of(site)
        self.meters = tuple(dict.fromkeys(load.station for load in site.loads if load.station is not None))
        self.cars = 0
        self._name = name
        self._settings = settings
        self._network = Network(site)
        self._cars = CarKeeper(site)
        self._caps = CapKeeper(site)
        self._wire = SiteWire(site, self._network, settings.wire, name=name)
        self._allocator = allocators.create(site.allocator)
        self._spare = MaxMin(by_need)
        self._forecaster = Forecaster(settings=ForecastSettings.of(site))
        self._turns = Turns(site.site, settings)
        self._ears = Ears(site, self.stations, self._cars, self._caps, self._turns, settings.load_step_kw)
        self._decisions = Decisions(site.site, site.allocator, timedelta(seconds=settings.decisions_s))
        self._alarms = Alarms(site.site)
        self._peak = Peak(ZoneInfo(site.time_zone))
        self._standing: dict[str, Standing] = {}
        self._verified_at: datetime | None = None
        self._generation = 0

    # Hearing

    def restore(
        self,
        facts: Mapping[str, Story],
        caps: Sequence[HeldCap],
        series: Sequence[SiteSeries],
        requests: Sequence[DriverAsked],
        now: datetime,
    ) -> None:
        """Takes what the stores know; before anything else."""
        self._wire.restore(known_stations(facts), now)
        self._caps.restore(*(cap for cap in caps if cap.cap.site == self.site.site))
        for told in series:
            self._ears.series[told.kind] = told
        for asked in requests:
            self._cars.ask(asked.request, asked.at)
        for station, story in facts.items():
            for fact, at in story:
                self._cars.hear(station, fact, at)
                if isinstance(fact, LimitImposed):
                    self._caps.limit_reported(station, fact)

    def learn(self, past: Iterable[PastStay]) -> None:
        """Stays of before, for the forecast."""
        for stay in reversed(stays_of(past, self.site.site)):
            self._forecaster.learn(stay)

    def hear(self, station: str, fact: Fact, at: datetime) -> None:
        """A fact about one of its stations; `at`: when it was recorded, our clock."""
        if isinstance(fact, CommandSettled):
            self.settled(fact.command_id, fact.outcome, at)
            return
        if isinstance(fact, CommandRequested):
            request = fact.request  # what a forerunner that was killed had sent counts, too
            if request.by == BY and not request.command_id.startswith(f"{self._name}."):
                self._wire.take_up(station, known_order(request, None, is_open=True), at)
            return
        self._wire.hear(station, fact, at)
        self._ears.hear(station, fact, at)

    def hear_operator(self, fact: OperatorFact) -> bool:
        """A fact of the operator's, of this site or not; False: it changes nothing here."""
        return self._ears.hear_operator(fact)

    def reconcile(self, caps: Sequence[HeldCap], now: datetime) -> None:
        """All caps that the book holds for it at this moment."""
        self._ears.reconcile(caps, now)

    def settled(self, order_id: str, outcome: Outcome, now: datetime) -> None:
        """What became of an order. Of orders that are not its own: nothing."""
        self._wire.settled(order_id, outcome, now)

    # When

    def due_at(self, now: datetime) -> datetime:
        """When it wants to be planned, or its orders to be asked for."""
        due = self._turns.due_at(now)
        wire = self._wire.due_at(now)
        return due if wire is None else min(due, wire)

    def is_urgent(self) -> bool:
        """Whether an emergency waits to be told to stations."""
        return self._turns.urgent

    def wants_plan(self, now: datetime) -> bool:
        """Whether it is to be planned now; else only its orders are due."""
        return self._turns.due_at(now) <= now

    @property
    def alerts(self) -> Sequence[SiteAlertRaised]:
        """Those that are raised."""
        return self._alarms.active

    # Planning

    def plan(self, now: datetime) -> Planned:
        """All of it at once; for tests and replays."""
        draft = self.draft(now)
        draft.solve()
        return self.finish(draft, now)

    def draft(self, now: datetime) -> Draft:
        """The beginning of a plan: what is to be solved."""
        trigger = self._turns.began(now)
        for stay in self._cars.departed():
            self._forecaster.learn(stay)
        situation = self._situation(now, slots_at(now, self._settings.horizon_h, self._settings.slots_max))
        return self._drafted(situation, trigger, now, forecaster=self._forecaster)

    def plan_urgently(self, now: datetime) -> Planned:
        """By the real-time layer, at once; the whole plan follows."""
        self._turns.urgent = False
        situation = self._situation(now, slots_at(now, 1.0, 1))
        draft = self._drafted(situation, self._turns.trigger, now, forecaster=None)
        draft.solve(by=self._spare)
        self._take(draft, now, urgent=True)
        return Planned(orders=self._orders(now), facts=())

    def finish(self, draft: Draft, now: datetime) -> Planned:
        """The end of a plan, after its draft was solved. One that a later plan has overtaken comes to nothing."""
        if draft.generation != self._generation:
            return Planned(orders=self._orders(now), facts=())
        self._take(draft, now, urgent=False)
        orders = self._orders(now)
        told = self._wire.told()
        decided = self._decisions.of_plan(draft.problem, draft.allocation, draft.views, told, now, draft.trigger)
        alone = self._decisions.left_alone(
            draft.alone, self._wire.held_a(now), drafts.reasons(draft.alone, self._wire.quarantined()), now
        )
        alarms = self._alarms.news(self._wrong(draft, now), now)
        summary = drafts.summary(self.site.site, self.site.allocator, self._network, draft, len(decided), now)
        self.cars = len(draft.views)
        changes = [at for at in (draft.situation.changes_at(), self._caps.next_change_at(now)) if at is not None]
        self._turns.change_at(min(changes, default=None), now)
        return Planned(orders=orders, facts=(*decided, *alone, summary, *alarms))

    def send(self, now: datetime) -> Planned:
        """What may go out now, without a new plan: what waited for others, renewals."""
        orders = self._orders(now)
        facts = self._decisions.now_sent(self._wire.told(), now) if orders and self._decisions.waits else []
        return Planned(orders=orders, facts=facts)

    def first_profile(self, station: str, evse: int, now: datetime) -> ChargingProfile | None:
        """What a remote start should carry; None: nothing."""
        return self._wire.start_profile(station, evse, now)

    def _situation(self, now: datetime, slot_s: Floats) -> Situation:
        """What holds now; the wire is told of it, too."""
        loads = self._cars.loads(now, slot_s, now)
        self._ears.loads_kw = by_node(loads)
        self._tell_limits(now)
        return situation_of(self._network, self._caps, loads, now, slot_s)

    def _tell_limits(self, now: datetime) -> None:
        """The wire asks for caps and loads itself, on a grid of its own."""
        self._ears.limits_moved = False

        def loads(start: datetime, slot_s: Floats) -> tuple[NodeLoad, ...]:
            return self._cars.loads(start, slot_s, now)

        def imports(start: datetime, slot_s: Floats) -> Mapping[str, Floats]:
            return self._caps.series(CapDirection.IMPORT, start, slot_s, now)

        def exports(start: datetime, slot_s: Floats) -> Mapping[str, Floats]:
            return self._caps.series(CapDirection.EXPORT, start, slot_s, now)

        self._wire.limits_changed(Sources(imports, loads, exports), now)

    def _drafted(self, situation: Situation, trigger: str, now: datetime, *, forecaster: Forecaster | None) -> Draft:
        self._generation += 1
        deaf = deaf_of(self._network, self._wire)
        if forecaster is not None:  # not in a hurry
            self._allow(now)
        here = self._cars.cars(now, forecaster)
        views = tuple(view for view in here if view.node not in deaf)
        alone = tuple(view for view in here if view.node in deaf)
        held = held_by_others(self._network, self._wire, views, deaf, situation)
        slot_s, slots = situation.slot_s, len(situation.slot_s)
        cars = cars_from(self._network, views, self._standing, now, slot_s=float(slot_s[0]))
        if forecaster is not None:
            cars = replace(cars, stays=self._cars.staying(cars.ids, slot_s, now, forecaster))
        problem = Problem(
            rows=self._network.rows([plug_of(view) for view in views]),
            limits=situation.limits - held,
            exports=situation.exports,
            slot_s=slot_s,
            cars=cars,
            aims=aims_of(self.site, self._ears.series, now, slot_s, loads=situation.loads, peak_kw=self._peak.kw),
            stores=stores_from(self.site, self._network, now) if slots > 1 else None,
            time_s=self._settings.solve_s,
        )
        return Draft(
            generation=self._generation,
            situation=situation,
            problem=problem,
            views=views,
            alone=alone,
            held=held[:, 0],
            trigger=trigger,
            allocator=self._allocator,
            spare=self._spare,
        )

    def _take(self, draft: Draft, now: datetime, *, urgent: bool) -> None:
        """The plan is what stations should hold from now on."""
        lease_s = self._settings.wire.lease_s + self._settings.wire.boundary_s
        targets = targets_of(self._network, draft, now, ahead_s=lease_s, urgent=urgent)
        for target in targets:
            known = self._standing.setdefault(target.node, Standing(0.0, now))
            known.moves_to(target.steps[0].current_a, now)
        for node in self._standing.keys() - {target.node for target in targets}:
            del self._standing[node]
        self._wire.want(targets, now)

    def _orders(self, now: datetime) -> list[Order]:
        if self._ears.limits_moved:
            self._tell_limits(now)
        self._verify(now)
        return self._wire.orders(now)

    def _verify(self, now: datetime) -> None:
        """Tells the wire what cars were measured to draw, at most every few seconds."""
        if not self._ears.to_verify or (self._verified_at is not None and abs(now - self._verified_at) < VERIFY_S):
            return
        self._ears.to_verify, self._verified_at = False, now
        self._allow(now)
        drawn_kw = 0.0
        for view in self._cars.cars(now, None):
            if view.measured_at is not None and view.per_phase_a:
                self._wire.metered(view.node, view.per_phase_a, view.measured_at)
            drawn_kw += view.power_kw or 0.0
        self._peak.tell(drawn_kw + sum(self._ears.loads_kw.values()), now)

    def _allow(self, now: datetime) -> None:
        """The cars' keeper must know what cars may draw, to see that one takes less."""
        for node, current_a in self._wire.held_a(now).items():
            self._cars.allow(node, current_a)

    def _wrong(self, draft: Draft, now: datetime) -> list[SiteAlertRaised]:
        """All that needs a person now."""
        site, network, situation = self.site.site, self._network, draft.situation
        measured = {plug_of(view): view.measured_a for view in draft.all if view.measured_a is not None}
        return [
            *overloads(site, network, situation, now),
            *infeasible(site, network, situation, draft.held, now),
            *metered_over(site, network, situation, measured, now),
            *self._cars.alerts(now),
            *self._caps.alerts(now),
            *drafts.alerts_of(site, self._wire.notices(now), now),
        ]


def _stations_of(site: Site) -> tuple[str, ...]:
    """Stations of outlets, and those whose meters measure loads."""
    outlets = [node.outlet.station for node in site.nodes if node.outlet is not None]
    named = [node.station for node in site.nodes if node.station is not None]
    meters = [load.station for load in site.loads if load.station is not None]
    return tuple(dict.fromkeys([*outlets, *named, *meters]))
