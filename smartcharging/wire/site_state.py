"""The state of the wire at one site: EVSEs, stations, the grid, the ledgers, open orders."""

from datetime import datetime

import numpy as np

from engine.model.charging_profiles import ChargingProfile
from engine.model.sites import Site
from smartcharging.network import Network
from smartcharging.wire.capabilities import Rung
from smartcharging.wire.ledger import Ledger
from smartcharging.wire.profiles import Socket, gives, read
from smartcharging.wire.promises import Promise
from smartcharging.wire.quirks import ChargingQuirk, ability_of, built_in
from smartcharging.wire.settings import WireSettings
from smartcharging.wire.stations import Evse, OpenOrder, PlaceName, Station
from smartcharging.wire.steps import HOUR_S, Grid, Steps, grid_at
from smartcharging.words import INF, Floats, Plug

ORDERS_KEPT_MAX = 20_000
STEPS_KEPT_MAX = 1_000


class SiteState:
    """All that is remembered. `evses`: by node, in the order of the network. `by_station`: their EVSEs by number."""

    def __init__(
        self, site: Site, network: Network, settings: WireSettings, quirks: tuple[ChargingQuirk, ...] = ()
    ) -> None:
        self.site = site
        self.network = network
        self.settings = settings
        self.quirks = (*built_in(), *quirks)
        self.evses: dict[str, Evse] = {}
        self.by_station: dict[str, dict[int, Evse]] = {}
        for index, (node, place) in enumerate(network.evses.items()):
            outlet = place.outlet
            assert outlet is not None, "an EVSE has an outlet: the site is checked"
            socket = Socket(
                evse=outlet.evse,
                phases=3 if outlet.dc else outlet.phases,
                dc=outlet.dc,
                kw_per_a=network.kw_per_a(network.default_plug(node)),
                phase_kw_per_a=network.kw_per_a(Plug(node, (1,))),
            )
            evse = Evse(node, index, outlet, socket, network.current_a_max(node))
            self.evses[node] = evse
            self.by_station.setdefault(outlet.station, {})[outlet.evse] = evse
        self.names = tuple(self.evses)
        self.list = tuple(self.evses.values())
        self.stations = {
            name: Station(name, dc=all(evse.outlet.dc for evse in evses.values()), alone=len(evses) == 1)
            for name, evses in self.by_station.items()
        }
        self.orders: dict[str, OpenOrder] = {}
        self.leashed: dict[str, str] = {}
        """Nodes in quarantine, and why."""
        ceiling = np.array([evse.ceiling_a for evse in self.list])
        self.ledger = Ledger(network, ceiling)
        self.gives: Ledger | None = None
        if any(evse.outlet.discharge_kw_max > 0 for evse in self.list):
            back = np.array([evse.outlet.discharge_kw_max / evse.socket.kw_per_a for evse in self.list])
            self.gives = Ledger(network, back)
        self.grid: Grid | None = None
        self._highest: dict[Steps, Floats] = {}
        self.promised: dict[PlaceName, Floats] = {}
        """(n, t) by place: what our own profiles allow at the most; the ledger counts also what others' do."""
        for station in self.stations.values():
            self.reckon(station)

    def reckon(self, station: Station) -> None:
        """What a station can, after something of that was learned."""
        ability = ability_of(station.told, station.name, station.make, self.quirks)
        refused = ability.refused | station.refused
        station.set_ability(ability, frozenset(refused))

    def regrid(self, now: datetime) -> bool:
        """Moves the grid on where now has left its first slot. True: everything was counted anew."""
        if self.grid is not None and self.grid.holds(now):
            return False
        fine_s = self.settings.lease_s + 2 * self.settings.boundary_s
        self.grid = grid_at(now, max(fine_s, HOUR_S))
        self._highest.clear()
        self.ledger.regrid(len(self.grid))
        if self.gives is not None:
            self.gives.regrid(len(self.grid))
            self.gives.default[:] = 0.0
        for name in PlaceName:
            rows = [self._promised(evse, name) for evse in self.list]
            self.promised[name] = np.array(rows).reshape(len(self.list), len(self.grid))
        for evse in self.list:
            for name, counted in self._counted(evse).items():
                rows_of = {PlaceName.DEFAULT: self.ledger.default, PlaceName.OWN: self.ledger.own}
                rows_of.get(name, self.ledger.top)[evse.index] = counted
            if self.gives is not None:
                self.gives.own[evse.index] = self.given(evse)
        return True

    def _promised(self, evse: Evse, name: PlaceName) -> Floats:
        """(t,) the most that our profiles at a place of an EVSE allow."""
        return self.highest(evse.places[name].worst)

    def highest(self, steps: Steps) -> Floats:
        """(t,) the most of steps in each slot, not to be changed; most EVSEs of a site have the same few."""
        assert self.grid is not None, "the grid is laid before anything is counted"
        row = self._highest.get(steps)
        if row is None:
            if len(self._highest) >= STEPS_KEPT_MAX:
                self._highest.clear()
            row = self._highest[steps] = steps.highest(self.grid, self.settings.clock_s)
        return row

    def _counted(self, evse: Evse) -> dict[PlaceName, Floats]:
        """(t,) by place: the most that is counted; of one that does not listen its outlet's maximum."""
        rows = {name: matrix[evse.index] for name, matrix in self.promised.items()}
        if evse.node in self.leashed:
            nothing_holds = np.full(len(rows[PlaceName.OWN]), INF)
            return rows | {PlaceName.OWN: nothing_holds, PlaceName.TOP: nothing_holds}
        if evse.foreign:
            most = max(max(steps.values) for _, steps in evse.foreign.values())
            return rows | {PlaceName.OWN: np.maximum(rows[PlaceName.OWN], most)}
        return rows

    def given(self, evse: Evse) -> Floats:
        """(t,) the most that an EVSE may give back."""
        assert self.grid is not None, "the grid is laid before anything is counted"
        rows = [place.worst_gives.highest(self.grid, self.settings.clock_s) for place in evse.places.values()]
        return np.asarray(np.max(rows, axis=0))

    def count(self, evse: Evse, name: PlaceName) -> None:
        """A place of an EVSE has changed."""
        if self.grid is None:
            return
        self.promised[name][evse.index] = self._promised(evse, name)
        self._count(evse)

    def _count(self, evse: Evse) -> None:
        """What an EVSE promises has changed."""
        rows = self._counted(evse)
        self.ledger.count(evse.index, default=rows[PlaceName.DEFAULT], own=rows[PlaceName.OWN], top=rows[PlaceName.TOP])
        if self.gives is not None:
            self.gives.count(evse.index, own=self.given(evse))

    def count_sent(self, evse: Evse, name: PlaceName, promise: Promise) -> None:
        """A promise was added to a place of an EVSE; what allows no more than the others do changes nothing."""
        if self.grid is None:
            return
        before, row = self.promised[name][evse.index], self.highest(promise.steps)
        if self.gives is not None:
            self.count(evse, name)
        elif (row > before).any():
            self.promised[name][evse.index] = np.maximum(before, row)
            self._count(evse)

    def phases_for_certain(self, evse: Evse, name: PlaceName) -> int | None:
        """How many phases the car in the transaction uses, where the meter showed it; None: nobody knows."""
        if name is PlaceName.DEFAULT or evse.target is None or not evse.target.conductors:
            return None
        return len(evse.target.conductors)

    def promise_of(self, evse: Evse, name: PlaceName, profile: ChargingProfile, at: datetime) -> Promise:
        """What a profile at that place promises."""
        phases = self.phases_for_certain(evse, name)
        steps = read(profile, evse.socket, phases, at)
        return Promise(
            steps=steps,
            gives=gives(profile, evse.socket, phases),
            profile=profile,
            lease_s=steps.times_s[-1] if len(steps.times_s) > 1 else 0.0,
        )

    def remember(self, order: OpenOrder) -> None:
        """An order is on its way. Of settled ones the oldest are forgotten."""
        self.orders[order.order_id] = order
        if len(self.orders) > ORDERS_KEPT_MAX:
            old = [order_id for order_id, each in self.orders.items() if each.settled][: ORDERS_KEPT_MAX // 2]
            for order_id in old:
                del self.orders[order_id]

    def deaf(self) -> frozenset[str]:
        """Nodes that do not do what they are told: quarantined, or without any way to tell them."""
        unsupported = {name for name, station in self.stations.items() if station.way.rung is Rung.NONE}
        if not unsupported:
            return frozenset(self.leashed)
        return frozenset(self.leashed) | {evse.node for evse in self.list if evse.station in unsupported}

    def reserved(self) -> Floats:
        """(m,) what those may draw that do not do what they are told."""
        current = np.zeros(len(self.list))
        for node in self.deaf():
            current[self.evses[node].index] = self.evses[node].ceiling_a
        return self.ledger.load_of(current)
