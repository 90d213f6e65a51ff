"""A site drawn as a tree: what hangs where, with its limits. For people."""

from typing import TYPE_CHECKING, Any

from deploy.cli.output import console, heading, print_fields, styled, when

if TYPE_CHECKING:
    from rich.tree import Tree

Row = dict[str, Any]
_GAP = "  "


def print_site(held: Row) -> None:
    """A site as GET /sites/{site} tells it."""
    site = held["site"]
    nodes: list[Row] = site["nodes"]
    stations = {name for node in nodes if (name := node.get("station") or (node.get("outlet") or {}).get("station"))}
    print_fields(
        [
            ("site", site["site"]),
            ("name", site.get("name")),
            ("state", None if site.get("enabled", True) else "not enabled: nothing is sent to its stations"),
            ("revision", f"{held['revision']}, by {held['saved_by']}, {when(held['saved_at'])}"),
            ("time zone", site.get("time_zone", "UTC")),
            ("voltage", f"{site.get('voltage_v', 230.0):g} V {site.get('wiring', 'wye')}"),
            ("allocator", site.get("allocator", "narke")),
            ("goal", (site.get("goals") or {}).get("goal", "early")),
            ("stations", f"{len(stations)}, {sum(node['kind'] == 'evse' for node in nodes)} EVSEs"),
        ]
    )
    heading("tree")
    console().print(_tree(nodes))
    for load in site.get("loads") or ():
        console().print(styled(f"{load['load']}: {_load(load)}"))
    for battery in site.get("batteries") or ():
        text = f"{battery['battery']}: battery of {battery['capacity_kwh']:g} kWh at {battery['node']}"
        console().print(styled(text))


def _tree(nodes: list[Row]) -> "Tree":
    from rich.tree import Tree  # noqa: PLC0415 (rich: not for --json)

    drawn: dict[str, Tree] = {}
    waiting = [node for node in nodes if node.get("parent") is None]
    root = Tree(styled(f"{waiting[0]['node']}{_GAP}{_about(waiting[0])}"), guide_style="dim")
    drawn[waiting[0]["node"]] = root
    children: dict[str, list[Row]] = {}
    for node in nodes:
        if node.get("parent") is not None:
            children.setdefault(node["parent"], []).append(node)
    while waiting:
        node = waiting.pop()
        for child in children.get(node["node"], ()):
            drawn[child["node"]] = drawn[node["node"]].add(styled(f"{child['node']}{_GAP}{_about(child)}"))
            waiting.append(child)
    return root


def _about(node: Row) -> str:
    """What a node is, and its limits."""
    parts = [node["kind"]] if node["kind"] != "evse" else [_outlet(node.get("outlet") or {})]
    if node.get("station") not in (None, node["node"]):
        parts.append(f"station {node['station']}")
    parts.append(limits(node))
    parts += [f"{limits(timed)} {times(timed)}" for timed in node.get("timed") or ()]
    if node.get("export_kw") is not None:
        parts.append(f"export {node['export_kw']:g} kW")
    if node.get("name"):
        parts.append(f"({node['name']})")
    return _GAP.join(part for part in parts if part)


def _outlet(outlet: Row) -> str:
    """What an EVSE can."""
    parts = [f"EVSE {outlet['evse']} of {outlet['station']}"]
    if outlet.get("dc"):
        parts.append(f"DC {outlet.get('power_kw_max') or 0:g} kW")
    else:
        phases = outlet.get("phases", 3)
        parts.append(f"{outlet.get('current_a_max', 32.0):g} A x {phases}")
    if outlet.get("rotation", "123") != "123":
        parts.append(f"rotated {outlet['rotation']}")
    if outlet.get("priority"):
        parts.append(f"priority {outlet['priority']}")
    if outlet.get("weight", 1.0) != 1.0:
        parts.append(f"weight {outlet['weight']:g}")
    return ", ".join(parts)


def limits(row: Row) -> str:
    """The limits of a node or of a time."""
    parts = []
    if row.get("limit_a"):
        each = row["limit_a"]
        parts.append(f"{each[0]:g} A" if len({*each}) == 1 else "/".join(f"{one:g}" for one in each) + " A")
    if row.get("limit_kw") is not None:
        parts.append(f"{row['limit_kw']:g} kW")
    return ", ".join(parts)


def times(row: Row) -> str:
    """When a timed limit counts."""
    from_s, to_s = row.get("from_s", 0), row.get("to_s", 86_400)
    days = "".join(
        " " + ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day - 1] for day in row.get("weekdays") or ()
    )
    return f"{_clock(from_s)}-{_clock(to_s)}{days}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"


def _load(load: Row) -> str:
    kind, kw = load.get("kind", "constant"), load.get("kw", 0.0)
    verb = "feeds" if load.get("generation") else "draws"
    if kind == "metered":
        evse = load.get("evse", 0)
        meter = f"{load['station']}" + (f"/{evse}" if evse else "")
        return f"{verb} at {load['node']} as metered by {meter}; {kw:g} kW where that is silent"
    if kind == "profile":
        profile = load.get("profile_kw") or [0.0]
        return f"{verb} at {load['node']} up to {max(profile):g} kW by the time of day"
    return f"{verb} {kw:g} kW at {load['node']}"
