"""The shape of a site's tree: one root, every node below it, EVSEs at its ends, every station once."""

from collections import defaultdict
from typing import Final

from engine.model.sites import NodeKind, Site, SiteNode
from smartcharging.site_problems import TEXT_CHARACTERS_MAX, Findings

EVSES_MAX: Final = 10_000
NODES_MAX: Final = 30_000
DEPTH_MAX: Final = 32
EVSE_NUMBER_MAX: Final = 2**31 - 1
_NAMED_MAX: Final = 5


class Tree:
    """A site's nodes as far as they make a tree; what does not is told as a problem and left out.

    Attributes:
        nodes: By id, those that hang below the root, parents before children.
        children: Ids by parent.
    """

    def __init__(self, site: Site) -> None:
        self.nodes: dict[str, SiteNode] = {}
        self.children: dict[str, list[str]] = defaultdict(list)
        self.depth: dict[str, int] = {}
        by_id: dict[str, SiteNode] = {}
        for node in site.nodes:
            by_id.setdefault(node.node, node)
        for node in by_id.values():
            if node.parent is not None:
                self.children[node.parent].append(node.node)
        roots = [node for node in by_id.values() if node.parent is None]
        self.root = roots[0].node if roots else None
        waiting = [(root.node, 1) for root in reversed(roots)]
        while waiting:
            name, depth = waiting.pop()
            self.nodes[name] = by_id[name]
            self.depth[name] = depth
            waiting += [(child, depth + 1) for child in reversed(self.children.get(name, ()))]

    def above(self, name: str) -> list[SiteNode]:
        """The nodes above one, from its parent to the root."""
        found = []
        parent = self.nodes[name].parent
        while parent is not None:
            node = self.nodes[parent]
            found.append(node)
            parent = node.parent
        return found


def check_tree(site: Site, found: Findings) -> Tree:
    """Finds what keeps the nodes from being a tree; returns what there is of one."""
    tree = Tree(site)
    if len(site.nodes) > NODES_MAX:
        found.error("", "nodes", f"it has {len(site.nodes)} nodes", f"at most {NODES_MAX} fit: make two sites of it")
    _check_names(site, found)
    _check_roots(site, found)
    _check_parents(site, tree, found)
    _check_kinds(site, tree, found)
    _check_stations(site, tree, found)
    deepest = max(tree.depth, key=tree.depth.__getitem__, default=None)
    if deepest is not None and tree.depth[deepest] > DEPTH_MAX:
        todo = f"at most {DEPTH_MAX} levels fit: leave out nodes that limit nothing"
        found.error(deepest, "parent", f"it is {tree.depth[deepest]} levels deep", todo)
    return tree


def _check_names(site: Site, found: Findings) -> None:
    seen: set[str] = set()
    for node in site.nodes:
        found.name(node.node, "node", node.node, "node")
        if node.node in seen:
            found.error(node.node, "node", "two nodes have this id", "give each node an id of its own")
        seen.add(node.node)
        if node.name is not None and (len(node.name) > TEXT_CHARACTERS_MAX or not node.name.isprintable()):
            found.error(node.node, "name", "it cannot be shown", f"write at most {TEXT_CHARACTERS_MAX} characters")


def _check_roots(site: Site, found: Findings) -> None:
    roots = [node for node in site.nodes if node.parent is None]
    if not roots:
        text = "no node is the root" if site.nodes else "it has no nodes"
        found.error("", "nodes", text, "add the connection to the grid: a node of kind grid without parent")
    for other in roots[1:]:
        text = f"it has no parent, as {roots[0].node!r} has none: a site has one connection to the grid"
        found.error(other.node, "parent", text, "say which node it hangs below, or make a site of its own of it")
    for node in site.nodes:
        if node.parent is None and node.kind is not NodeKind.GRID:
            text = f"the root is a {node.kind.value}"
            found.error(node.node, "kind", text, "the root is of kind grid; or say which node this hangs below")
        elif node.parent is not None and node.kind is NodeKind.GRID:
            text = "a connection to the grid hangs below another node"
            found.error(node.node, "kind", text, "make it a transformer, feeder or board")


def _check_parents(site: Site, tree: Tree, found: Findings) -> None:
    ids = {node.node for node in site.nodes}
    parents = {node.node: node.parent for node in reversed(site.nodes)}
    told: set[str] = set()
    for node in site.nodes:
        if node.node in tree.nodes or node.node in told:
            continue
        if node.parent not in ids and node.parent is not None:
            below = _lost_below(node.node, tree)
            more = f", nor have the {below} nodes below it" if below else ""
            todo = found.meant(node.parent, ids, "name a node of this site as its parent")
            found.error(node.node, "parent", f"its parent {node.parent!r} is no node of this site{more}", todo)
            continue
        circle = _circle_of(node.node, parents)
        if circle and not told & {*circle}:
            way = " -> ".join([*circle[:_NAMED_MAX], *(["..."] if len(circle) > _NAMED_MAX else []), circle[0]])
            todo = "hang one of them below a node outside of the circle"
            found.error(node.node, "parent", f"its parents lead back to itself: {way}", todo)
        told |= {*circle}


def _lost_below(name: str, tree: Tree) -> int:
    """How many nodes hang below one that hangs nowhere."""
    seen, waiting = {name}, [name]
    while waiting:
        for child in tree.children.get(waiting.pop(), ()):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return len(seen) - 1


def _circle_of(name: str, parents: dict[str, str | None]) -> list[str]:
    """The circle that a node is part of; empty: of none (it may hang below one)."""
    way: list[str] = []
    at: str | None = name
    seen: set[str] = set()
    while at is not None and at not in seen:
        seen.add(at)
        way.append(at)
        at = parents.get(at)
    return way if at == name else []


def _check_kinds(site: Site, tree: Tree, found: Findings) -> None:
    evses = 0
    for node in site.nodes:
        if node.kind is NodeKind.EVSE:
            evses += 1
            children = tree.children.get(node.node)
            if children:
                text = f"an EVSE has nodes below it: {', '.join(children[:_NAMED_MAX])}"
                found.error(node.node, "kind", text, "hang them below the node that this EVSE hangs below")
            if node.outlet is None:
                text = "an EVSE has no outlet"
                found.error(node.node, "outlet", text, "say which station and EVSE it is, and what it can")
        elif node.outlet is not None:
            text = f"a {node.kind.value} has an outlet"
            found.error(node.node, "outlet", text, "outlets are of EVSEs: give it a node of kind evse below this one")
        if node.kind is NodeKind.STATION and node.station is None:
            found.error(node.node, "station", "a station has no identity", "write its OCPP identity")
        elif node.kind is not NodeKind.STATION and node.station is not None:
            text = f"a {node.kind.value} has the identity of a station"
            found.error(node.node, "station", text, "only nodes of kind station have one; an EVSE's is in its outlet")
    if evses > EVSES_MAX:
        found.error("", "nodes", f"it has {evses} EVSEs", f"at most {EVSES_MAX} fit: make two sites of it")
    if not evses:
        found.warning("", "nodes", "it has no EVSE", "add one, or there is nothing to plan")


def _check_stations(site: Site, tree: Tree, found: Findings) -> None:
    station_nodes: dict[str, str] = {}
    for node in site.nodes:
        if node.kind is not NodeKind.STATION or node.station is None:
            continue
        if found.identity(node.node, "station", node.station) and node.station in station_nodes:
            text = f"station {node.station} is at {station_nodes[node.station]!r} already"
            found.error(node.node, "station", text, "a station has one node: name another identity")
        station_nodes.setdefault(node.station, node.node)
    places: dict[tuple[str, int], str] = {}
    for node in site.nodes:
        if node.outlet is None:
            continue
        station, evse = node.outlet.station, node.outlet.evse
        found.identity(node.node, "outlet.station", station)
        if not 1 <= evse <= EVSE_NUMBER_MAX:
            text = f"EVSE {evse} is none"
            found.error(node.node, "outlet.evse", text, "EVSEs count from 1 (OCPP 1.6: the connectorId)")
        if (station, evse) in places:
            text = f"EVSE {evse} of station {station} is at {places[station, evse]!r} already"
            found.error(node.node, "outlet", text, "an EVSE has one node: name another station or EVSE")
        places.setdefault((station, evse), node.node)
    _check_nesting(tree, station_nodes, found)


def _check_nesting(tree: Tree, station_nodes: dict[str, str], found: Findings) -> None:
    """Stations hang in no other station, and their EVSEs below them."""
    for name, node in tree.nodes.items():
        if node.kind not in (NodeKind.STATION, NodeKind.EVSE):
            continue
        above = next((one for one in tree.above(name) if one.kind is NodeKind.STATION), None)
        if node.kind is NodeKind.STATION:
            if above is not None:
                text = f"a station hangs below the station {above.node!r}"
                found.error(name, "parent", text, "hang it below a board or feeder")
            continue
        if node.outlet is None:
            continue
        own = station_nodes.get(node.outlet.station)
        if above is not None and above.station is not None and above.station != node.outlet.station:
            text = f"an EVSE of station {node.outlet.station} hangs below station {above.station}"
            found.error(name, "outlet.station", text, f"name station {above.station}, or hang it elsewhere")
        elif above is None and own is not None:
            text = f"it does not hang below {own!r}, which is its station"
            found.warning(name, "parent", text, f"hang it below {own!r}, or the station's limits do not count for it")
