"""What is known of a site's cars, loads and caps -> the problem that an allocator solves.

What EVSEs without a plan may draw (idle, offline, in quarantine) is taken off the limits first: promises count, not
hopes. Numbers that cannot be are repaired here, the last door before the mathematics.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from engine.model.sites import Outlet, Site
from smartcharging.network import Network
from smartcharging.planning.situation import Situation
from smartcharging.problem import Cars, Floats, Stores, cars_of
from smartcharging.wire.capabilities import Rung
from smartcharging.wire.site_wire import SiteWire
from smartcharging.words import INF, CarView, NodeLoad, Plug

DEPARTS_S_MIN = 60.0
IDLE_A = 6.0
"""What an EVSE without a transaction is given at most, where the site says nothing."""
_EVENLY = np.full((3, 1), 1 / 3)


class Standing:
    """What an EVSE was last given, and since when that is nothing or something."""

    __slots__ = ("current_a", "since")

    def __init__(self, current_a: float, since: datetime) -> None:
        self.current_a = current_a
        self.since = since

    def moves_to(self, current_a: float, now: datetime) -> None:
        """It is given this from now on."""
        if (current_a > 0) != (self.current_a > 0):
            self.since = now
        self.current_a = current_a


def outlet_of(network: Network, node: str) -> Outlet:
    """The outlet of an EVSE of the site."""
    outlet = network.evses[node].outlet
    assert outlet is not None, "an EVSE has an outlet: the tree is checked"
    return outlet


def plug_of(view: CarView) -> Plug:
    """The column of a car."""
    return Plug(view.node, view.phases)


def cars_from(
    network: Network, views: Sequence[CarView], standing: Mapping[str, Standing], now: datetime, *, slot_s: float
) -> Cars:
    """The cars as arrays, in the order of the views.

    Args:
        network: Of their site.
        views: Cars that can be planned.
        standing: What they were given, by node.
        now: The beginning of slot 0.
        slot_s: How long it lasts: the soonest that anybody departs.
    """
    columns: dict[str, list[float]] = {name: [] for name in _COLUMNS}
    for view in views:
        for name, value in _numbers(network, view, standing.get(view.node), now, slot_s).items():
            columns[name].append(value)
    arrays: dict[str, Any] = dict(columns)
    arrays["priority"] = [int(value) for value in columns["priority"]]
    return cars_of([view.node for view in views], **arrays)


_COLUMNS = (
    "arrived_s",
    "departs_s",
    "energy_kwh",
    "kw_per_a",
    "floor_a",
    "max_a",
    "weight",
    "priority",
    "current_a",
    "measured_a",
    "since_s",
    "discharge_a",
    "stored_kwh",
    "room_kwh",
)


def _numbers(
    network: Network, view: CarView, standing: Standing | None, now: datetime, slot_s: float
) -> Mapping[str, float]:
    outlet = outlet_of(network, view.node)
    kw_per_a = max(network.kw_per_a(plug_of(view)), 1e-3)
    floor_a = 0.0 if outlet.dc else outlet.current_a_min
    max_a = current_a_max(network, view)
    need = view.need
    departs_s = INF if need.departs_at is None else (need.departs_at - now).total_seconds()
    discharge_kw = min(outlet.discharge_kw_max, view.discharge_kw_max)
    return {
        "arrived_s": min(0.0, (view.arrived_at - now).total_seconds()),
        "departs_s": max(departs_s, slot_s, DEPARTS_S_MIN),
        "energy_kwh": max(need.energy_kwh, 0.0) if need.energy_kwh == need.energy_kwh else INF,
        "kw_per_a": kw_per_a,
        "floor_a": min(floor_a, max_a) if max_a > 0 else floor_a,
        "max_a": max_a,
        "weight": max(outlet.weight, 1e-6),
        "priority": float(outlet.priority if view.priority is None else view.priority),
        "current_a": 0.0 if standing is None else standing.current_a,
        "measured_a": float("nan") if view.measured_a is None else view.measured_a,
        "since_s": INF if standing is None else max(0.0, (now - standing.since).total_seconds()),
        "discharge_a": max(discharge_kw, 0.0) / kw_per_a,
        "stored_kwh": float("nan") if view.stored_kwh is None else view.stored_kwh,
        "room_kwh": max(view.room_kwh, 0.0),
    }


def current_a_max(network: Network, view: CarView) -> float:
    """What car, cable and outlet take now, by what is known of the car; never less than its least current.

    0 where cable or car can never take the least current of the outlet: it cannot charge there.
    """
    outlet = outlet_of(network, view.node)
    most = network.current_a_max(view.node)
    if isfinite(view.current_a_max) and view.current_a_max > 0:
        most = min(most, view.current_a_max)
    floor = 0.0 if outlet.dc else outlet.current_a_min
    return most if most >= floor else 0.0


def deaf_of(network: Network, wire: SiteWire) -> frozenset[str]:
    """EVSEs that cannot be told anything, or do not heed it: they count with what they may draw."""
    abilities, quarantined = wire.abilities(), wire.quarantined()
    found = set(quarantined)
    for node in network.evses:
        ability = abilities[outlet_of(network, node).station]
        if not ability.online or ability.rung is Rung.NONE:
            found.add(node)
    return frozenset(found)


def held_by_others(
    network: Network, wire: SiteWire, views: Sequence[CarView], deaf: frozenset[str], situation: Situation
) -> Floats:
    """(m, t) what EVSEs that are not planned may draw: what they promised; those that listen will do as told.

    Args:
        network: Of the site.
        wire: Knows what was promised.
        views: The cars that are planned.
        deaf: EVSEs that cannot be told anything.
        situation: The moment.
    """
    planned = {view.node for view in views}
    slots = len(situation.slot_s)
    others = [node for node in network.evses if node not in planned]
    idle_a = IDLE_A if network.site.idle_a is None else network.site.idle_a
    held = {
        node: most if node in deaf else np.full(slots, min(float(most[0]), idle_a))
        for node, most in wire.worst(situation.start, situation.slot_s, others).items()
    }
    return reserved(network, held, slots)


def reserved(network: Network, worst: Mapping[str, Floats], slots: int) -> Floats:
    """(m, t) what the rows must keep free for EVSEs that nobody plans."""
    held = {node: np.minimum(series, network.current_a_max(node)) for node, series in worst.items()}
    load = network.worst_load(held)
    return np.broadcast_to(load, (len(network), slots)) if load.shape[1] != slots else load


def stores_from(site: Site, network: Network, start: datetime) -> Stores | None:
    """The stationary batteries; None: there are none. What a row carries per kW is asked of the network itself."""
    if not site.batteries:
        return None
    slot = np.ones(1)
    without = network.limits(start, slot, caps={}, loads=())[:, 0]
    columns = []
    for battery in site.batteries:
        one = [NodeLoad(battery.node, _EVENLY)]
        with np.errstate(invalid="ignore"):
            column = without - network.limits(start, slot, caps={}, loads=one)[:, 0]
        columns.append(np.where(np.isfinite(column), column, 0.0))
    each = site.batteries
    return Stores(
        ids=tuple(battery.battery for battery in each),
        rows=csr_array(np.stack(columns, axis=1)),
        charge_kw=np.array([battery.charge_kw_max for battery in each]),
        discharge_kw=np.array([battery.discharge_kw_max for battery in each]),
        stored_kwh=np.array([battery.capacity_kwh * battery.soc_percent / 100 for battery in each]),
        stored_kwh_min=np.array([battery.capacity_kwh * battery.soc_percent_min / 100 for battery in each]),
        stored_kwh_max=np.array([battery.capacity_kwh * battery.soc_percent_max / 100 for battery in each]),
        efficiency=np.array([battery.efficiency for battery in each]),
    )
