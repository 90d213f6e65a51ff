"""The tree of a site as arrays: who hangs below whom."""

from collections.abc import Mapping

import numpy as np

from engine.model.sites import NodeKind, Site, SiteNode, Wiring
from smartcharging.problem import Ints

ROOT = -1


class Tree:
    """Nodes by number, in the order of the site.

    Args:
        site: One that `smartcharging.site_check` let pass.

    Raises:
        ValueError: It is no tree; names the node.
    """

    def __init__(self, site: Site) -> None:
        self.nodes = site.nodes
        self.number: dict[str, int] = {node.node: place for place, node in enumerate(site.nodes)}
        if len(self.number) != len(site.nodes):
            raise ValueError(f"site {site.site}: two nodes have the same id")
        self.parents = np.array([self._parent_of(site, node) for node in site.nodes], dtype=np.int64)
        if int((self.parents == ROOT).sum()) != 1:
            raise ValueError(f"site {site.site}: has {int((self.parents == ROOT).sum())} roots, want one")
        self.root = int(np.flatnonzero(self.parents == ROOT)[0])
        self.order = self._downwards(site)
        """Parents before their children."""
        self.evses = np.array([place for place, node in enumerate(site.nodes) if node.outlet is not None], np.int64)
        self.wirings = self._wirings(site)

    def _parent_of(self, site: Site, node: SiteNode) -> int:
        if (node.kind is NodeKind.EVSE) != (node.outlet is not None):
            raise ValueError(f"site {site.site}, node {node.node}: an EVSE has an outlet, and nothing else has")
        if node.parent is None:
            return ROOT
        if node.parent not in self.number:
            raise ValueError(f"site {site.site}, node {node.node}: its parent {node.parent} is not there")
        parent = self.number[node.parent]
        if self.nodes[parent].outlet is not None:
            raise ValueError(f"site {site.site}, node {node.node}: hangs below the EVSE {node.parent}")
        return parent

    def _downwards(self, site: Site) -> Ints:
        depths = np.zeros(len(self.nodes), dtype=np.int64)
        above = self.parents.copy()
        while (going := above != ROOT).any():
            depths[going] += 1
            above[going] = self.parents[above[going]]
            if int(depths.max()) > len(self.nodes):
                node = self.nodes[int(np.argmax(depths))].node
                raise ValueError(f"site {site.site}, node {node}: hangs below itself")
        return np.argsort(depths, kind="stable")

    def _wirings(self, site: Site) -> list[Wiring]:
        """How each node itself is wired: as what its parent says of what hangs below; the root as it says."""
        below: dict[int, Wiring] = {}
        own: dict[int, Wiring] = {}
        for place in self.order.tolist():
            parent = int(self.parents[place])
            inherited = site.wiring if parent == ROOT else below[parent]
            below[place] = self.nodes[place].wiring or inherited
            own[place] = below[place] if parent == ROOT or self.nodes[place].outlet is not None else inherited
        return [own[place] for place in range(len(self.nodes))]

    def path(self, place: int) -> list[int]:
        """A node and all above it, the root last."""
        found = [place]
        while self.parents[found[-1]] != ROOT:
            found.append(int(self.parents[found[-1]]))
        return found

    def paths(self) -> list[Ints]:
        """By EVSE (in the order of `evses`), the numbers of its node and of all above it."""
        return [np.array(self.path(place), dtype=np.int64) for place in self.evses.tolist()]

    def gathered(self, bits: Ints) -> Ints:
        """The bits of each node and of all nodes below it."""
        out = bits.copy()
        for place in self.order[::-1].tolist():
            if self.parents[place] != ROOT:
                out[self.parents[place]] |= out[place]
        return out

    def inherited(self, values: Mapping[int, float], root: float) -> list[float]:
        """A value per node: its own, else its parent's; the root's own, else `root`."""
        out = [root] * len(self.nodes)
        for place in self.order.tolist():
            above = root if self.parents[place] == ROOT else out[self.parents[place]]
            out[place] = values.get(place, above)
        return out
