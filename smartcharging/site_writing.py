"""Sites written as YAML: canonical, nested, without what the defaults say. `smartcharging.site_files` reads it."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import msgspec
import yaml

from engine.model.sites import DAY_S, Battery, Goals, Load, NodeKind, Outlet, Phases, Site, SiteNode, Wiring
from smartcharging.yaml_fields import WEEKDAYS, time_of

DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_WIDTH: Final = 100


def dump(sites: Iterable[Site]) -> str:
    """The sites as one file, each a document. They must have passed `smartcharging.site_check`."""
    return yaml.dump_all(
        [_site(site) for site in sites],
        Dumper=DUMPER,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=_WIDTH,
    )


def in_order_of_the_tree(site: Site) -> Site:
    """The site with its nodes as they are written: each before those below it."""
    children = _children(site)
    nodes: list[SiteNode] = []
    waiting = [node for node in site.nodes if node.parent is None]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        waiting += reversed(children[node.node])
    return msgspec.structs.replace(site, nodes=tuple(nodes))


def _children(site: Site) -> dict[str, list[SiteNode]]:
    children: dict[str, list[SiteNode]] = defaultdict(list)
    for node in site.nodes:
        if node.parent is not None:
            children[node.parent].append(node)
    return children


def _site(site: Site) -> dict[str, Any]:
    children = _children(site)
    written: dict[str, Any] = {"site": site.site}
    written |= _fields(site, ("name", "time_zone", "currency", "voltage_v", "allocator", "idle_a"))
    written |= _fields(site, ("energy_kwh_default", "stay_s_default", "enabled"))
    if site.wiring is not Wiring.WYE:
        written["wiring"] = site.wiring.value
    written["tree"] = _node(site.root, None, children)
    if site.loads:
        written["loads"] = [_load(load) for load in site.loads]
    if site.batteries:
        written["batteries"] = [_battery(battery) for battery in site.batteries]
    if site.goals != Goals():
        written["goals"] = _goals(site.goals)
    return written


def _node(node: SiteNode, station: str | None, children: dict[str, list[SiteNode]]) -> dict[str, Any]:
    """A node and all below it. `station`: the identity of the station above."""
    written: dict[str, Any] = {}
    if node.kind is NodeKind.EVSE and node.outlet is not None:
        outlet = node.outlet
        written["evse"] = outlet.evse
        if outlet.station != station:
            written["station"] = outlet.station
        if node.node != f"{outlet.station}/{outlet.evse}":
            written["id"] = node.node
    elif node.kind is NodeKind.STATION:
        written["station"] = node.station
        if node.node != node.station:
            written["id"] = node.node
    else:
        written[node.kind.value] = node.node
    written |= _fields(node, ("name",))
    written |= _limits(node.limit_a, node.limit_kw)
    written |= _fields(node, ("export_kw",))
    if node.wiring is not None:
        written["wiring"] = node.wiring.value
    if node.timed:
        written["timed"] = [_limits(timed.limit_a, timed.limit_kw) | _times(timed) for timed in node.timed]
    if node.outlet is not None:
        written |= _fields(node.outlet, Outlet.__struct_fields__[2:])
    below = children.get(node.node)
    if below:
        written["children"] = [_node(child, node.station or station, children) for child in below]
    return written


def _limits(limit_a: Phases | None, limit_kw: float | None) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if limit_a is not None:
        alike = len({*limit_a}) == 1
        written["limit_a"] = _number(limit_a[0]) if alike else [_number(value) for value in limit_a]
    if limit_kw is not None:
        written["limit_kw"] = _number(limit_kw)
    return written


def _times(timed: Any) -> dict[str, Any]:
    """Of a limit or a price."""
    written: dict[str, Any] = {}
    if (timed.from_s, timed.to_s) != (0, DAY_S):
        written["times"] = f"{time_of(timed.from_s)}-{time_of(timed.to_s)}"
    if timed.weekdays:
        written["weekdays"] = [WEEKDAYS[day - 1] for day in timed.weekdays]
    return written


def _load(load: Load) -> dict[str, Any]:
    written: dict[str, Any] = {"pv" if load.generation else "load": load.load, "node": load.node}
    if load.kind.value != "constant":
        written["kind"] = load.kind.value
    written |= _fields(load, ("station", "evse", "kw", "profile_kw", "share", "stale_s", "reserve_kw", "kw_certain"))
    return written


def _battery(battery: Battery) -> dict[str, Any]:
    needed = ("battery", "node", "capacity_kwh", "charge_kw_max", "discharge_kw_max")
    written = {name: _number(getattr(battery, name)) for name in needed}
    return written | _fields(battery, Battery.__struct_fields__[len(needed) :])


def _goals(goals: Goals) -> dict[str, Any]:
    written: dict[str, Any] = {"goal": goals.goal.value}
    if goals.prices:
        written["prices"] = [{"price": _number(timed.price)} | _times(timed) for timed in goals.prices]
    return written | _fields(goals, Goals.__struct_fields__[2:])


def _fields(struct: msgspec.Struct, names: Iterable[str]) -> dict[str, Any]:
    """Those that are not as the default is."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(type(struct))}
    found = {name: getattr(struct, name) for name in names}
    return {name: _number(value) for name, value in found.items() if value is not None and value != defaults[name]}


def _number(value: Any) -> Any:
    """63.0 as 63; tuples as lists."""
    if isinstance(value, tuple):
        return [_number(part) for part in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
