"""The plan of a site as people see it: the tree with what it carries, the cars with why they get what they get.

Reads, adds up, decides nothing. Heavy to import (numpy): routes import it when they are asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
import numpy as np

from engine.model.caps import CapDirection, HeldCap
from engine.model.plans import LimitDecided, SiteAlertRaised, SitePlanned
from engine.model.sites import Site, Wiring
from ingress.http.plan_words import (
    STALE,
    AlertNow,
    CapNow,
    CarPlan,
    EvseExplained,
    Explanation,
    LastPlan,
    NodeUse,
    SitePlanView,
)
from smartcharging.cap_states import kw_at, status_of
from smartcharging.network import Network
from smartcharging.problem import Floats
from smartcharging.words import Plug
from storage.queries.site_readings import OpenCharge

_LINES = ("L1", "L2", "L3")
_NOW = np.array([0.0])


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a site. `decisions`: the latest of each EVSE."""

    site: Site
    now: datetime
    decisions: Sequence[LimitDecided] = ()
    planned: SitePlanned | None = None
    alerts: Sequence[SiteAlertRaised] = ()
    caps: Sequence[HeldCap] = ()
    charges: Sequence[OpenCharge] = ()


def plan_of(known: Known) -> SitePlanView:
    """The plan of a site."""
    site, cars = known.site, cars_of(known)
    return SitePlanView(
        site=site.site,
        name=site.name,
        time_zone=site.time_zone,
        now=known.now,
        enabled=site.enabled,
        planned=_last(known.planned),
        nodes=nodes_of(known, cars),
        cars=cars,
        caps=_caps(known),
        alerts=_alerts(known.alerts),
    )


def explanation_of(known: Known, station: str) -> Explanation:
    """Why a station of the site draws what it draws."""
    cars = cars_of(known)
    uses = {use.node: use for use in nodes_of(known, cars)}
    network = Network(known.site)
    car_at = {car.node: car for car in cars}
    evses = []
    for node, evse in network.evses.items():
        if evse.outlet is not None and evse.outlet.station == station:
            path = tuple(uses[each] for each in network.path(node))
            limit_a = round(network.current_a_max(node), 1)
            evses.append(
                EvseExplained(evse=evse.outlet.evse, node=node, current_a_max=limit_a, car=car_at.get(node), path=path)
            )
    concerned = {"", *(use.node for each in evses for use in each.path)}
    return Explanation(
        station=station,
        site=known.site.site,
        site_name=known.site.name,
        time_zone=known.site.time_zone,
        now=known.now,
        planned=_last(known.planned),
        evses=tuple(sorted(evses, key=lambda each: each.evse)),
        caps=tuple(cap for cap in _caps(known) if cap.node in concerned),
        alerts=tuple(alert for alert in _alerts(known.alerts) if alert.node in concerned),
    )


def cars_of(known: Known) -> tuple[CarPlan, ...]:
    """Where somebody charges, what was decided last; the order is that of the site's EVSEs."""
    order = {node.node: number for number, node in enumerate(known.site.nodes)}
    charge_at = {(charge.station, charge.evse): charge for charge in known.charges}
    cars = []
    for decision in sorted(known.decisions, key=lambda each: order.get(each.node, len(order))):
        charge = charge_at.get((decision.station, decision.evse))
        if decision.node in order and _is_current(decision, charge, known.now):
            cars.append(_car(decision, charge))
    return tuple(cars)


def _is_current(decision: LimitDecided, charge: OpenCharge | None, now: datetime) -> bool:
    """It is for the transaction that goes on; or the tables are a moment behind each other."""
    if decision.at < now - STALE:
        return False
    return charge is not None and decision.transaction_id in (None, charge.transaction_id)


def _car(decision: LimitDecided, charge: OpenCharge | None) -> CarPlan:
    own = {name: getattr(decision, name) for name in CarPlan.__struct_fields__ if hasattr(decision, name)}
    if charge is not None:
        own |= {
            "transaction_id": charge.transaction_id,
            "token": charge.token,
            "since": charge.started_at,
            "energy_wh": charge.energy_wh,
            "charging_state": charge.charging_state,
        }
    return CarPlan(**(own | {"why": decision.why.value, "layer": decision.layer.value}))


# The tree


def nodes_of(known: Known, cars: Sequence[CarPlan]) -> tuple[NodeUse, ...]:
    """All nodes, parents before their children, with what their cars may draw."""
    site, network = known.site, Network(known.site)
    plugs = [Plug(car.node, tuple(range(1, car.phases + 1))) for car in cars]
    used = np.maximum(network.rows(plugs).matrix @ np.array([car.current_a for car in cars]), 0.0)
    caps = caps_at(known.caps, known.site, known.now)
    limits = network.limits(known.now, _NOW, caps={node: np.array([kw]) for node, kw in caps.items()}, loads=())[:, 0]
    rows = _rows_of(network, used, limits)
    below = _lines_below(network, cars)
    others = None if known.planned is None else known.planned.unmanaged_kw
    items = {item.node: item for item in site.nodes}
    found = []
    for node, depth in _walk(site):
        each = rows[node]
        lines = [each.get(line, (float(below[node][number]), np.inf)) for number, line in enumerate(_LINES)]
        kw, limit_kw = each.get("kW", (0.0, np.inf))
        a = tuple(round(float(use), 2) for use, _ in lines)
        limited = any(np.isfinite(limit) for _, limit in lines)
        item = items[node]
        found.append(
            NodeUse(
                node=node,
                kind=item.kind.value,
                parent=item.parent,
                depth=depth,
                name=item.name,
                kw=round(float(kw), 3),
                a=a,
                limit_kw=_finite(limit_kw),
                limit_a=tuple(_finite(limit) for _, limit in lines) if limited else None,
                cap_kw=_finite(caps.get(node, np.inf)),
                others_kw=others if item.parent is None else None,
            )
        )
    return tuple(found)


def caps_at(caps: Iterable[HeldCap], site: Site, now: datetime) -> dict[str, float]:
    """By node, the least kW that may be drawn through it now; only those that are capped."""
    names = {node.node for node in site.nodes}
    found: dict[str, float] = {}
    for held in caps:
        node = held.cap.node or site.root.node
        kw = kw_at(held, now)
        if held.cap.direction is CapDirection.IMPORT and node in names and np.isfinite(kw):
            found[node] = min(found.get(node, np.inf), kw)
    return found


def _rows_of(network: Network, used: Floats, limits: Floats) -> Mapping[str, dict[str, tuple[float, float]]]:
    """By node and line (or kW), what is used and the limit; of a polygon's sides the one nearest to its limit."""
    found: dict[str, dict[str, tuple[float, float]]] = {node.node: {} for node in network.site.nodes}
    for row, (name, node, unit) in enumerate(zip(network.row_names, network.row_nodes, network.row_units, strict=True)):
        line = "kW" if unit == "kW" else name.rpartition(" ")[2]
        use, limit = float(used[row]), float(limits[row])
        known = found[node].get(line)
        if known is None or use - limit > known[0] - known[1] or (use > known[0] and not np.isfinite(limit)):
            found[node][line] = (use, limit)
    return found


def _lines_below(network: Network, cars: Sequence[CarPlan]) -> Mapping[str, Floats]:
    """By node, A in L1, L2, L3 of the cars below it, added up; stations and EVSEs have no rows without a limit."""
    found = {node.node: np.zeros(3) for node in network.site.nodes}
    for car in cars:
        for node in network.path(car.node):
            found[node] += lines_of(network, car.node, [np.array(car.current_a)] * car.phases)
    return found


def lines_of(network: Network, node: str, conductors: Sequence[Floats]) -> Floats:
    """(3, ...) A in L1, L2, L3 of the grid, from the A of each of an outlet's conductors: turned as the outlet is."""
    outlet, found = network.evses[node].outlet, np.zeros((3, *conductors[0].shape))
    assert outlet is not None, "an EVSE has an outlet: the tree is checked"
    rotation = "123" if outlet.dc else outlet.rotation
    if outlet.phases == 1 and network.site.wiring is Wiring.DELTA:  # from one line to another, and back
        conductors = [conductors[0], conductors[0]]
    for digit, current_a in zip(rotation, conductors, strict=False):
        found[int(digit) - 1] += current_a
    return found


def _walk(site: Site) -> list[tuple[str, int]]:
    """Nodes and their depths, each followed by what hangs below it."""
    children: dict[str | None, list[str]] = {}
    for node in site.nodes:
        children.setdefault(node.parent, []).append(node.node)
    found: list[tuple[str, int]] = []
    left = [(site.root.node, 0)]
    while left:
        node_id, depth = left.pop()
        found.append((node_id, depth))
        left += [(child, depth + 1) for child in reversed(children.get(node_id, []))]
    return found


def _finite(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None


# Its surroundings


def _last(planned: SitePlanned | None) -> LastPlan | None:
    if planned is None:
        return None
    own = {name: getattr(planned, name) for name in LastPlan.__struct_fields__}
    return LastPlan(**(own | {"layer": planned.layer.value}))


def _caps(known: Known) -> tuple[CapNow, ...]:
    found = []
    for held in sorted(known.caps, key=lambda each: (each.cap.node, each.cap.source)):
        cap = held.cap
        found.append(
            CapNow(
                source=cap.source,
                node=cap.node,
                direction=cap.direction.value,
                status=status_of(held, known.now).value,
                kw=_finite(kw_at(held, known.now)),
                fallback_kw=cap.fallback_kw,
                valid_until=cap.valid_until,
                heard_at=held.heard_at,
                priority=cap.priority,
                emergency=cap.emergency,
            )
        )
    return tuple(found)


def _alerts(alerts: Iterable[SiteAlertRaised]) -> tuple[AlertNow, ...]:
    return tuple(
        AlertNow(kind=each.kind.value, node=each.node, detail=each.detail, at=each.at, over=each.over, unit=each.unit)
        for each in alerts
    )
