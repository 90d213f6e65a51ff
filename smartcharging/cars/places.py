"""Where cars can be: the EVSEs of a site, by station and number, and how each is fed."""

from collections.abc import Iterator, Mapping

from engine.model.ids import EvseRef
from engine.model.sites import Site, SiteNode, Wiring
from smartcharging.cars.currents import Supply

Place = tuple[str, int]
"""Station and EVSE."""


class Places:
    """The EVSEs of one site, in the order of its nodes."""

    def __init__(self, site: Site) -> None:
        self._nodes: dict[Place, SiteNode] = {}
        self._supplies: dict[Place, Supply] = {}
        self._evses: dict[str, list[int]] = {}
        wirings = _wirings(site)
        for node in site.nodes:
            if node.outlet is not None:
                place = (node.outlet.station, node.outlet.evse)
                self._nodes[place] = node
                self._supplies[place] = Supply(node.outlet, wirings[node.node], site.voltage_v)
                self._evses.setdefault(node.outlet.station, []).append(node.outlet.evse)
        self._of_node = {node.node: place for place, node in self._nodes.items()}

    def __iter__(self) -> Iterator[Place]:
        return iter(self._nodes)

    def __contains__(self, place: Place) -> bool:
        return place in self._nodes

    def node(self, place: Place) -> SiteNode:
        """The node of a place that there is."""
        return self._nodes[place]

    def supply(self, place: Place) -> Supply:
        """How it is fed."""
        return self._supplies[place]

    def of_node(self, node: str) -> Place | None:
        """The place of an EVSE's node; None: it is no EVSE."""
        return self._of_node.get(node)

    def find(self, station: str, evse: EvseRef | None) -> Place | None:
        """Where that is, None: not in this site. A station with one EVSE need not say which."""
        if evse is not None and evse.evse > 0:
            return (station, evse.evse) if (station, evse.evse) in self._nodes else None
        known = self._evses.get(station, [])
        return (station, known[0]) if len(known) == 1 else None


def _wirings(site: Site) -> Mapping[str, Wiring]:
    """How what hangs at each node is wired: as it says itself, or the nearest above that says something."""
    nodes = {node.node: node for node in site.nodes}
    found: dict[str, Wiring] = {}
    for name, own in nodes.items():
        node: SiteNode | None = own
        for _ in range(len(nodes)):
            if node is None or node.wiring is not None:
                break
            node = nodes.get(node.parent) if node.parent is not None else None
        found[name] = site.wiring if node is None or node.wiring is None else node.wiring
    return found
