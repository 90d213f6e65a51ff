"""How the rows of a site are laid out, and the making of matrices from that without a loop over cars.

Each EVSE knows the rows of its node and of all above it. A row reads one of four numbers of a car (the phasors of L1,
L2, L3, or its kW) along its own direction, so a column is those numbers gathered and turned: two multiplications.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array, csr_array

from engine.model.sites import LoadKind, NodeKind, Phases, Site, SiteNode
from smartcharging.conductors import KW, Outlets
from smartcharging.phasors import Complexes, Facets, facets
from smartcharging.problem import Floats, Ints
from smartcharging.tree import Tree
from smartcharging.words import INF

LEAF_KINDS = (NodeKind.STATION, NodeKind.EVSE)
"""They have rows in A only where they have a limit in A: there are many of them."""

LAGS, IN_PHASE, LEADS, LOADED, FED, GIVES = 1, 2, 4, 8, 16, 32
"""Bits: what can draw on a phase below a node (cars behind, at, before the voltage), loads, feeding, discharging."""
_ANGLE = np.pi / 6
_WIDE = np.pi / 3
_NOTHING = 1e-12


class Sides(NamedTuple):
    """The rows of one limit. `part`: 0 to 2 a phase, 3 kW. `feeds`: a load below the node may feed."""

    place: int
    part: int
    facets: Facets
    feeds: bool


class RowPlan:
    """The rows of a site, m of them.

    `places`: (m,) number of the node. `part`: (m,) 0 to 2 a phase, 3 kW. `cosine`, `sine`: (m,) a phasor's parts in
    the row's direction. `loaded`: (m,) what a row carries per A of unmanaged load. `kw_row`: by node, its row in kW.
    """

    def __init__(self, site: Site, tree: Tree, sides: list[Sides], neutral_v: float) -> None:
        self._site = site
        counts = np.array([len(side.facets.angles) for side in sides], dtype=np.int64)
        self.places = np.repeat([side.place for side in sides], counts)
        self.part = np.repeat([side.part for side in sides], counts)
        angles = np.concatenate([side.facets.angles for side in sides])
        stretch = np.repeat([side.facets.stretch for side in sides], counts)
        self.cosine, self.sine = np.cos(angles) * stretch, np.sin(angles) * stretch
        self.polygon = self.sine != 0
        self.fed = np.repeat([side.feeds for side in sides], counts)
        """Whether what feeds makes room: in a polygon only one that looks far enough aside."""
        covered = ~self.polygon | (np.repeat(counts, counts) > 1)
        self.loaded = np.where(covered, self.cosine, 1.0)
        self.in_a = self.part != KW
        self.kw_row = np.zeros(len(site.nodes), dtype=np.int64)
        self.kw_row[self.places[~self.in_a]] = np.flatnonzero(~self.in_a)
        ids = [site.nodes[place].node for place in self.places.tolist()]
        labels = ("L1", "L2", "L3", "kW")
        self.names = tuple(f"{node} {labels[part]}" for node, part in zip(ids, self.part.tolist(), strict=True))
        self.nodes = tuple(ids)
        self.units = tuple("kW" if part == KW else "A" for part in self.part.tolist())
        self._heads = np.searchsorted(self.places, np.arange(len(site.nodes) + 1))
        self._amperes_per_kw = 1000.0 / neutral_v
        self._lay(tree)

    def _lay(self, tree: Tree) -> None:
        """The rows of each EVSE, one after the other."""
        paths = tree.paths()
        lengths = np.array([len(path) for path in paths], dtype=np.int64)
        nodes = np.concatenate(paths) if paths else np.zeros(0, dtype=np.int64)
        counts = self._heads[nodes + 1] - self._heads[nodes]
        self._rows = _ranges(self._heads[nodes], counts)
        ends = np.concatenate(([0], np.cumsum(counts)))
        self._starts = ends[np.concatenate(([0], np.cumsum(lengths)))]

    def matrix(self, columns: Ints, drawn: Complexes, able: Floats | None = None) -> csr_array:
        """What the rows carry per A.

        Args:
            columns: (n,) numbers of EVSEs.
            drawn: (n, 4) what a car draws there, as `conductors.table_of`; with `able` (n, 8, 4), by conductors.
            able: (n, 8) 0 where those conductors may be used, else minus infinity: the worst of them counts.

        Returns:
            (m, n) CSR without zeros.
        """
        counts = self._starts[columns + 1] - self._starts[columns]
        rows = self._rows[_ranges(self._starts[columns], counts)]
        cars = np.repeat(np.arange(len(columns)), counts)
        part = self.part[rows]
        if able is None:
            phasors = drawn[cars, part]
            data = phasors.real * self.cosine[rows] + phasors.imag * self.sine[rows]
        else:
            phasors = drawn[cars, :, part]
            turned = phasors.real * self.cosine[rows][:, None] + phasors.imag * self.sine[rows][:, None]
            data = np.maximum((turned + able[cars]).max(axis=1), 0.0)
        kept = np.abs(data) > _NOTHING
        heads = np.zeros(len(columns) + 1, dtype=np.int32)
        np.cumsum(np.bincount(cars[kept], minlength=len(columns)), out=heads[1:])
        shape = (len(self.places), len(columns))
        return csc_array((data[kept], rows[kept].astype(np.int32), heads), shape=shape).tocsr()

    def limits_of(self, amperes: Callable[[SiteNode], Phases | None], kw: Callable[[SiteNode], float | None]) -> Floats:
        """(m,) limits of the rows by what nodes say; inf where they say nothing."""
        found = np.full(len(self.places), INF)
        for place, node in enumerate(self._site.nodes):
            for row, value in self.rows_limited(place, amperes(node), kw(node)):
                found[row] = value
        return found

    def rows_limited(self, place: int, limit_a: Phases | None, limit_kw: float | None) -> Iterator[tuple[int, float]]:
        """The rows of a node that these limits concern, with their values."""
        for row in range(self._heads[place], self._heads[place + 1]):
            part = int(self.part[row])
            if part == KW and limit_kw is not None:
                yield row, limit_kw
            elif part != KW and limit_a is not None:
                yield row, limit_a[part]

    def taken(self, limits: Floats, nodes: Ints, flows: Floats) -> Floats:
        """What unmanaged loads take of the rows.

        Where a car's current is not in phase with a load's, what feeds makes room only where the sides of the polygon
        look far enough aside, and no more than the limit itself.

        Args:
            limits: (m, t) without them.
            nodes: (k,) numbers of the nodes that they flow through.
            flows: (k, 3, t) kW by phase.

        Returns:
            (m, t)
        """
        counts = self._heads[nodes + 1] - self._heads[nodes]
        rows = _ranges(self._heads[nodes], counts)
        flow = flows[np.repeat(np.arange(len(nodes)), counts)]
        part = self.part[rows]
        in_kw = part == KW
        carried = flow[np.arange(len(rows)), np.minimum(part, 2)] * self._amperes_per_kw
        carried[in_kw] = flow[in_kw].sum(axis=1)
        aside = self.polygon[rows]
        room = np.where(self.fed[rows, None], limits[rows], 0.0)
        carried[aside] = np.maximum(carried[aside], -room[aside])
        taken = np.zeros_like(limits)
        taken[rows] = carried * self.loaded[rows, None]
        return taken


def plan_rows(site: Site, tree: Tree, outlets: Outlets, step_degrees: float) -> RowPlan:
    """Lays out the rows of a site, in the order of its nodes: L1, L2, L3 (or their sides), kW.

    Args:
        site: Whose.
        tree: Its tree.
        outlets: Its outlets.
        step_degrees: What one side of a polygon spans.
    """
    drawn = _what_draws(site, tree, outlets)
    sides: list[Sides] = []
    for place, node in enumerate(site.nodes):
        limited = node.limit_a is not None or any(timed.limit_a is not None for timed in node.timed)
        if limited or node.kind not in LEAF_KINDS:
            for phase in range(3):
                bits = int(drawn[phase][place])
                sides.append(Sides(place, phase, _facets_of(bits, step_degrees), bool(bits & FED)))
        sides.append(Sides(place, KW, facets(0.0, 0.0), feeds=False))
    return RowPlan(site, tree, sides, outlets.neutral_v)


def _facets_of(bits: int, step_degrees: float) -> Facets:
    angles = [angle for bit, angle in ((LAGS, -_ANGLE), (IN_PHASE | LOADED, 0.0), (LEADS, _ANGLE)) if bits & bit] or [
        0.0
    ]
    if angles == [0.0]:
        return facets(0.0, 0.0)
    if bits & GIVES:
        return facets(-np.pi, np.pi, step_degrees)
    if bits & FED:
        return facets(-_WIDE, _WIDE, step_degrees)
    return facets(angles[0], angles[-1], step_degrees)


def _what_draws(site: Site, tree: Tree, outlets: Outlets) -> list[Ints]:
    """By phase, the bits of each node: what can draw there and below."""
    found: list[Ints] = []
    for phase in range(3):
        by_kind = [_bits_of(table[bar == 0, phase]) for table, bar in zip(outlets.tables, outlets.bars, strict=True)]
        bits = np.zeros(len(site.nodes), dtype=np.int64)
        bits[tree.evses] = np.array(by_kind, dtype=np.int64)[outlets.kind]
        for place in tree.evses.tolist():
            outlet = site.nodes[place].outlet
            if outlet is not None and outlet.discharge_kw_max > 0:
                bits[place] |= GIVES
        for load in site.loads:
            feeds = load.generation or load.kind is LoadKind.METERED
            bits[tree.number[load.node]] |= LOADED | (FED if feeds else 0)
        found.append(tree.gathered(bits))
    return found


def _bits_of(phasors: Complexes) -> int:
    bits = 0
    for phasor in phasors[np.abs(phasors) > 0].tolist():
        bits |= IN_PHASE if abs(phasor.imag) < _NOTHING else LEADS if phasor.imag > 0 else LAGS
    return bits


def _ranges(starts: Ints, counts: Ints) -> Ints:
    """`start, start + 1, ...` for each start, as many as its count, one after the other."""
    total = int(counts.sum())
    ends = np.cumsum(counts)
    numbers: Ints = np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - counts), counts)
    return numbers
