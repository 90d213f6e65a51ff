"""The cars of a site: hears facts of stations, tells what is known of each car now.

A fact is heard once, in the order of its station's stream, or again after a restart: the same fact twice changes
nothing. A car is an open transaction at an EVSE of the site; where two are open the younger one is the car, for nobody
charges twice at one place. Bounded: so many transactions per EVSE, so many stays that nobody has asked for.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np

from engine.model.availability import ConnectorStatus, ConnectorStatusChanged
from engine.model.facts import Fact
from engine.model.ids import EvseRef
from engine.model.metering import ReadingsRecorded
from engine.model.plans import SiteAlertRaised
from engine.model.sites import DriverRequest, Site
from engine.model.smart_charging import NeedsRecorded, PriorityChanged
from engine.model.transactions import (
    Stage,
    TransactionEnded,
    TransactionFlag,
    TransactionOpened,
    TransactionUpdated,
)
from smartcharging.cars.iso15118 import said_by_car
from smartcharging.cars.loads import LoadKeeper
from smartcharging.cars.needs import staying_of
from smartcharging.cars.places import Place, Places
from smartcharging.cars.requests import Requests
from smartcharging.cars.views import stay_of, view_of
from smartcharging.cars.visits import Visit
from smartcharging.forecast import Forecaster, Stay
from smartcharging.words import CarView, Floats, NodeLoad

ABANDONED = "Abandoned"
"""Why a transaction ended that Narke ended (`engine.station.transactions`)."""
PER_EVSE_MAX = 4
"""Open transactions of one EVSE: the car's, and such as never ended."""
STAYS_MAX = 10_000
OVER_MAX = 10_000
"""Transactions that are known to be over."""
WAITING_MAX = 1000
NEEDS_WAIT = timedelta(minutes=15)
"""A car may tell its needs before its transaction begins."""
GONE_AFTER = timedelta(minutes=2)
"""A car whose connector has been free for so long, and that gives no sign of life, has left."""


class CarKeeper:
    """Keeps the cars, the drivers' requests and the unmanaged loads of one site."""

    def __init__(self, site: Site) -> None:
        """Nobody is here yet."""
        self._site = site
        self._places = Places(site)
        self._visits: dict[Place, OrderedDict[str, Visit]] = {}
        self._of: dict[tuple[str, str], Place] = {}
        self._requests = Requests()
        self._loads = LoadKeeper(site)
        self._waiting: OrderedDict[Place, NeedsRecorded] = OrderedDict()
        self._over: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._stays: deque[Stay] = deque(maxlen=STAYS_MAX)

    def hear(self, station: str, fact: Fact, at: datetime) -> frozenset[str]:
        """Takes a fact of a station; `at`: when we heard it.

        Returns:
            The nodes of the EVSEs of which something is known now that a plan depends on; of loads, the load's node.
            Empty: nothing to plan anew.
        """
        match fact:
            case TransactionOpened():
                return self._opened(station, fact)
            case TransactionUpdated():
                return self._updated(station, fact)
            case TransactionEnded():
                return self._ended(station, fact)
            case ReadingsRecorded():
                return self._read(station, fact)
            case NeedsRecorded():
                return self._needed(station, fact)
            case PriorityChanged(transaction_id=transaction_id, active=active):
                visit = self._visit(station, transaction_id)
                if visit is None:
                    return frozenset()
                visit.prioritized = active
                return frozenset((visit.node.node,))
            case ConnectorStatusChanged():
                return self._connector(station, fact, at)
            case _:
                return frozenset()

    def ask(self, request: DriverRequest, at: datetime) -> tuple[str, ...]:
        """Takes a driver's request.

        Returns:
            What is wrong with it and left out, for people.
        """
        return self._requests.ask(request, at)

    def allow(self, node: str, current_a: float) -> None:
        """What the station of an EVSE now holds for its car, A: without it nobody can see that a car tapers."""
        visit = self._at(self._places.of_node(node))
        if visit is not None:
            visit.allow(current_a)

    def restore(self, facts: Iterable[tuple[str, Fact]], at: datetime) -> None:
        """Takes facts made from the store (`storage.queries.charging_history`), before any is heard.

        Args:
            facts: Station and fact, of each transaction in the order of its stream.
            at: Now.
        """
        for station, fact in facts:
            self.hear(station, fact, at)

    def reconcile(self, open_transactions: Iterable[tuple[str, str]], read_at: datetime) -> frozenset[str]:
        """Forgets cars that the store knows to be gone, and whose end was not heard.

        Args:
            open_transactions: Station and id of all that were open when the store was read.
            read_at: When that was; younger transactions stay.

        Returns:
            The nodes of those that are gone.
        """
        still = set(open_transactions)
        gone = [
            (key, place)
            for key, place in self._of.items()
            if key not in still and self._visits[place][key[1]].seen_at < read_at
        ]
        for key, place in gone:
            self._forget(key, place)
        return frozenset(self._places.node(place).node for _, place in gone)

    def cars(self, now: datetime, forecaster: Forecaster | None) -> tuple[CarView, ...]:
        """All cars that are here, in the order of the site's nodes."""
        found = []
        for place in self._places:
            visit = self._at(place)
            if visit is None or (visit.left_at is not None and now - visit.left_at >= GONE_AFTER):
                continue
            asked = self._requests.of(*place, visit.token, visit.arrived_at)
            found.append(view_of(visit, asked, forecaster, self._site, now))
        return tuple(found)

    def staying(self, nodes: Sequence[str], slot_s: Floats, now: datetime, forecaster: Forecaster) -> Floats:
        """How likely the cars at these nodes are still there: (nodes, t) 0 to 1, on average over each slot from now on.

        By what was learned of stays, and of the words of drivers and cars; 1 where there is no car.
        """
        found = np.ones((len(nodes), len(slot_s)))
        for number, node in enumerate(nodes):
            place = self._places.of_node(node)
            visit = self._at(place)
            if place is not None and visit is not None:
                asked = self._requests.of(*place, visit.token, visit.arrived_at)
                found[number] = staying_of(visit, asked, forecaster, self._site, now, slot_s)
        return found

    def loads(self, start: datetime, slot_s: Floats, now: datetime) -> tuple[NodeLoad, ...]:
        """What each unmanaged load draws in each slot (t,); slot 0 begins at `start`."""
        return self._loads.loads(start, slot_s, now)

    def alerts(self, now: datetime) -> tuple[SiteAlertRaised, ...]:
        """What needs a person: meters of loads without news."""
        return tuple(self._loads.alerts(now))

    def departed(self) -> tuple[Stay, ...]:
        """Stays that are over since the last call, for the forecaster to learn from."""
        stays = tuple(self._stays)
        self._stays.clear()
        return stays

    def _opened(self, station: str, fact: TransactionOpened) -> frozenset[str]:
        visit = self._visit(station, fact.transaction_id)
        if visit is None:
            visit = self._begin(station, fact.transaction_id, fact.evse, fact.received_at)
        if visit is None:
            return frozenset()
        visit.opened(fact)
        self._take_waiting(station, visit, fact.received_at)
        return frozenset((visit.node.node,))

    def _updated(self, station: str, fact: TransactionUpdated) -> frozenset[str]:
        if TransactionFlag.AFTER_END in fact.flags:
            return frozenset()
        visit = self._visit(station, fact.transaction_id)
        if visit is None:
            visit = self._begin(station, fact.transaction_id, fact.evse, fact.received_at)
            if visit is None:
                return frozenset()
            visit.flag("its start was not heard")
        state, phases = visit.state, visit.conductors
        visit.updated(fact, late_start=fact.stage is Stage.STARTED)
        told = fact.token is not None or fact.cable_a_max is not None or fact.stage is Stage.STARTED
        changed = told or visit.state is not state or visit.conductors != phases
        return frozenset((visit.node.node,)) if changed else frozenset()

    def _ended(self, station: str, fact: TransactionEnded) -> frozenset[str]:
        key = (station, fact.transaction_id)
        self._over[key] = None
        if len(self._over) > OVER_MAX:
            self._over.popitem(last=False)
        place = self._of.get(key)
        if place is None:
            return frozenset()
        visit = self._visits[place][fact.transaction_id]
        if fact.reason != ABANDONED:  # nobody knows when the car left
            asked = self._requests.of(*place, visit.token, visit.arrived_at)
            self._stays.append(stay_of(visit, asked, fact, self._site))
        self._requests.end(*place, visit.token, fact.received_at)
        self._forget(key, place)
        return frozenset((visit.node.node,))

    def _read(self, station: str, fact: ReadingsRecorded) -> frozenset[str]:
        evse = 0 if fact.evse is None else fact.evse.evse
        touched = set(self._loads.hear(station, evse, fact.readings, fact.received_at))
        visit = None if fact.transaction_id is None else self._visit(station, fact.transaction_id)
        if visit is None and fact.transaction_id is None and evse:
            visit = self._at((station, evse))
        if visit is None:
            return frozenset(touched)
        before = (visit.conductors, visit.taper.tapers, visit.measured is None)
        visit.read(fact.readings, fact.received_at)
        if before != (visit.conductors, visit.taper.tapers, visit.measured is None):
            touched.add(visit.node.node)
        return frozenset(touched)

    def _needed(self, station: str, fact: NeedsRecorded) -> frozenset[str]:
        place = (station, fact.report.evse)
        visit = self._visit(station, fact.transaction_id) if fact.transaction_id else self._at(place)
        if visit is None:
            if place in self._places:
                self._waiting[place] = fact
                self._waiting.move_to_end(place)
                if len(self._waiting) > WAITING_MAX:
                    self._waiting.popitem(last=False)
            return frozenset()
        self._say(visit, fact)
        return frozenset((visit.node.node,))

    def _say(self, visit: Visit, fact: NeedsRecorded) -> None:
        said = said_by_car(fact, visit.supply)
        visit.said, visit.said_energy_kwh = said, visit.energy_at(fact.at)
        if said.soc_percent is not None:
            visit.soc_percent = said.soc_percent
        visit.flag(*said.odd)

    def _take_waiting(self, station: str, visit: Visit, at: datetime) -> None:
        waiting = self._waiting.pop((station, visit.supply.outlet.evse), None)
        if waiting is not None and at - waiting.at <= NEEDS_WAIT:
            self._say(visit, waiting)

    def _connector(self, station: str, fact: ConnectorStatusChanged, at: datetime) -> frozenset[str]:
        """A connector that is free while a transaction is open there: its end may have been lost."""
        visit = self._at((station, fact.report.evse.evse))
        if visit is None:
            return frozenset()
        free = fact.report.status is ConnectorStatus.AVAILABLE
        if free and visit.left_at is None:
            visit.left_at = at
            visit.flag("its connector says that it is free, but the transaction has not ended")
        elif not free:
            visit.left_at = None
        return frozenset((visit.node.node,)) if free else frozenset()

    def _begin(self, station: str, transaction_id: str, evse: EvseRef | None, at: datetime) -> Visit | None:
        """A new car; None: it is at no EVSE of this site, or has left: a late message brings nobody back."""
        place = self._places.find(station, evse)
        if place is None or (station, transaction_id) in self._over:
            return None
        visit = Visit(transaction_id, self._places.node(place), self._places.supply(place), at)
        visits = self._visits.setdefault(place, OrderedDict())
        visits[transaction_id] = visit
        self._of[station, transaction_id] = place
        if len(visits) > PER_EVSE_MAX:
            oldest = next(iter(visits))
            self._forget((station, oldest), place)
        return visit

    def _visit(self, station: str, transaction_id: str) -> Visit | None:
        place = self._of.get((station, transaction_id))
        return None if place is None else self._visits[place][transaction_id]

    def _at(self, place: Place | None) -> Visit | None:
        """The car at an EVSE: of the open transactions the one that began last, for cars come one after the other."""
        visits = None if place is None else self._visits.get(place)
        return max(visits.values(), key=lambda visit: (visit.arrived_at, visit.transaction_id)) if visits else None

    def _forget(self, key: tuple[str, str], place: Place) -> None:
        del self._of[key]
        visits = self._visits[place]
        del visits[key[1]]
        if not visits:
            del self._visits[place]
