"""The rows of a site: what each limit of its tree carries per A of each car, and what is left of it when.

A row per node and phase in A (several with the same name where cars between phases make it a polygon,
`smartcharging.phasors`), and one per node in kW. The order of rows never changes during a network's life. Rows without
a limit are inf. Cars of one instant share the sparse part: the last few sets of plugs are remembered.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from scipy.sparse import csr_array

from engine.model.sites import Site, SiteNode
from smartcharging.conductors import KW, Outlets, mask_of
from smartcharging.phasors import STEP_DEGREES
from smartcharging.problem import Floats, Ints, Rows
from smartcharging.row_plan import plan_rows
from smartcharging.times_of_day import touched, window_of
from smartcharging.tree import Tree
from smartcharging.words import INF, NodeLoad, Plug

REMEMBERED_MAX = 4
"""Sets of plugs whose rows are kept."""


class Network:
    """A site's tree as rows. Immutable but for what it remembers.

    `evses`: by node id. `row_names`, `row_nodes`, `row_units`: of the m rows, as in `Rows`. `neutral_v`: voltage of a
    phase to neutral. `step_degrees`: see `smartcharging.phasors`.

    Args:
        site: One that `smartcharging.site_check` let pass.
        step_degrees: What one side of a polygon spans, in DELTA networks.

    Raises:
        ValueError: It is no tree, or its time zone is unknown; names the node.
    """

    def __init__(self, site: Site, step_degrees: float = STEP_DEGREES) -> None:
        self.site = site
        self._tree = tree = Tree(site)
        self._zone = _zone_of(site)
        self._outlets = outlets = Outlets(site, tree)
        self.neutral_v = outlets.neutral_v
        self.evses: Mapping[str, SiteNode] = {site.nodes[place].node: site.nodes[place] for place in tree.evses}
        self._columns = {node: column for column, node in enumerate(self.evses)}
        self._plan = plan_rows(site, tree, outlets, step_degrees)
        self.row_names, self.row_nodes, self.row_units = self._plan.names, self._plan.nodes, self._plan.units
        self._limits = self._plan.limits_of(lambda node: node.limit_a, lambda node: node.limit_kw)
        self._exports = self._plan.limits_of(lambda node: node.limit_a, lambda _: None)
        said = {place: node.export_kw for place, node in enumerate(site.nodes) if node.export_kw is not None}
        kw_rows = self._plan.kw_row
        self._exports[kw_rows] = tree.inherited(said, 0.0)
        self._timed = self._windows()
        self._remembered: OrderedDict[tuple[Plug, ...], Rows] = OrderedDict()
        self._worst: csr_array | None = None

    def __len__(self) -> int:
        return len(self.row_names)

    def rows(self, plugs: Sequence[Plug]) -> Rows:
        """What the rows carry per A of the cars at these EVSEs.

        Args:
            plugs: A column each, in this order.

        Returns:
            All m rows of the site, n columns.

        Raises:
            ValueError: The site has no such EVSE.
        """
        key = tuple(plugs)
        known = self._remembered.get(key)
        if known is not None:
            self._remembered.move_to_end(key)
            return known
        columns = np.fromiter((self._column(plug.node) for plug in key), np.int64, len(key))
        masks = np.fromiter((mask_of(plug.phases) for plug in key), np.int64, len(key))
        made = Rows(
            self._plan.matrix(columns, self._outlets.tables[self._outlets.kind[columns], masks]), *self._labels()
        )
        self._remembered[key] = made
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return made

    def limits(
        self, start: datetime, slot_s: Floats, *, caps: Mapping[str, Floats], loads: Sequence[NodeLoad]
    ) -> Floats:
        """What the rows have left for cars.

        Args:
            start: When slot 0 begins, aware.
            slot_s: (t,) how long each slot lasts.
            caps: By node, (t,) kW that may be drawn through it; inf: no cap. "" is the root.
            loads: What else draws below nodes.

        Returns:
            (m, t). Limits of certain times in the site's time zone; a slot that a change falls into gets the least.
            Negative where unmanaged load alone is above the limit.

        Raises:
            ValueError: A cap or load of an unknown node, of the wrong shape, negative (a cap) or NaN.
        """
        slots = len(slot_s)
        found = np.repeat(self._limits[:, None], slots, axis=1)
        for window, (places, values) in self._timed.items():
            flags = touched(window, start, slot_s, self._zone)
            if flags.any():
                at = np.ix_(places, flags)
                found[at] = np.minimum(found[at], values[:, None])
        self._cap(found, caps)
        nodes, flows = self._flows(loads, slots)
        return found - self._plan.taken(found, nodes, flows) if len(nodes) else found

    def exports(
        self, start: datetime, slot_s: Floats, *, caps: Mapping[str, Floats], loads: Sequence[NodeLoad] = ()
    ) -> Floats:
        """How far the rows may go below zero.

        A node that does not say how much may flow up through it may as much as its parent, and a root that does not
        say may not feed the grid. Rows in A may carry as much upwards as downwards.

        Args:
            start: When slot 0 begins, aware.
            slot_s: (t,) how long each slot lasts.
            caps: By node, (t,) kW that may flow up through it; inf: no cap.
            loads: What feeds already takes its part. What draws gives none: it may stop at any moment.

        Returns:
            (m, t), 0 and up.

        Raises:
            ValueError: As `limits`.
        """
        slots = len(slot_s)
        found = np.repeat(self._exports[:, None], slots, axis=1)
        for window, (places, values) in self._timed.items():
            flags = touched(window, start, slot_s, self._zone)
            in_a = self._plan.in_a[places]
            at = np.ix_(places[in_a], flags)
            found[at] = np.minimum(found[at], values[in_a, None])
        self._cap(found, caps)
        nodes, flows = self._flows(loads, slots)
        if len(nodes):
            found -= self._plan.taken(found, nodes, -np.minimum(flows, 0.0))
        return np.maximum(found, 0.0)

    def least(self, loads: Sequence[NodeLoad] = ()) -> Floats:
        """(m,) what the rows have left for cars at the worst of all times; of loads, their highest slot counts."""
        found = self._limits.copy()
        for places, values in self._timed.values():
            np.minimum.at(found, places, values)
        highest = [NodeLoad(load.node, load.kw.max(axis=1, keepdims=True)) for load in loads if load.kw.size]
        nodes, flows = self._flows(highest, 1)
        return found - self._plan.taken(found[:, None], nodes, flows)[:, 0] if len(nodes) else found

    def worst_load(self, currents: Mapping[str, Floats]) -> Floats:
        """What the rows carry if each EVSE draws its current on those conductors that load the row most.

        Args:
            currents: By node of an EVSE, (t,) A per phase. What feeds counts as nothing: none may rely on it.

        Returns:
            (m, t); t of the longest, 1 where there are none.

        Raises:
            ValueError: The site has no such EVSE.
        """
        if not currents:
            return np.zeros((len(self), 1))
        columns = np.array([self._column(node) for node in currents])
        drawn = np.maximum(np.array([np.atleast_1d(series) for series in currents.values()]), 0.0)
        if len(columns) * 2 < len(self.evses):
            return np.asarray(self._at_worst(columns) @ drawn)
        dense = np.zeros((len(self.evses), drawn.shape[1]))
        dense[columns] = drawn
        return np.asarray(self.worst_rows.matrix @ dense)

    @property
    def worst_rows(self) -> Rows:
        """What the rows carry per A of every EVSE (in the order of `evses`) at the worst. To be read only."""
        if self._worst is None:
            self._worst = self._at_worst(np.arange(len(self.evses)))
        return Rows(self._worst, *self._labels())

    def kw_per_a(self, plug: Plug) -> float:
        """Power of one A at a plug. ValueError: the site has no such EVSE."""
        kind = self._outlets.kind[self._column(plug.node)]
        return float(self._outlets.tables[kind, mask_of(plug.phases), KW].real)

    def default_plug(self, node: str) -> Plug:
        """A car that uses all conductors of an EVSE. ValueError: the site has no such EVSE."""
        _, dc, phases, _ = self._outlets.kinds[self._outlets.kind[self._column(node)]]
        return Plug(node, (1, 2, 3) if dc else tuple(range(1, phases + 1)))

    def current_a_max(self, node: str) -> float:
        """What an outlet can give, A per phase; of DC, that of its balanced draw. ValueError: no such EVSE."""
        column = self._column(node)
        outlet = self.evses[node].outlet
        assert outlet is not None, "an EVSE has an outlet: the tree is checked"
        if not outlet.dc or outlet.power_kw_max is None:
            return outlet.current_a_max
        return outlet.power_kw_max / float(self._outlets.tables[self._outlets.kind[column], 0, KW].real)

    def path(self, node: str) -> tuple[str, ...]:
        """Ids of a node and of all above it, the root last. ValueError: the site has no such node."""
        return tuple(self.site.nodes[place].node for place in self._tree.path(self._place(node)))

    def _at_worst(self, columns: Ints) -> csr_array:
        kinds = self._outlets.kind[columns]
        return self._plan.matrix(columns, self._outlets.tables[kinds], self._outlets.bars[kinds])

    def _labels(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        return self.row_names, self.row_units, self.row_nodes

    def _column(self, node: str) -> int:
        try:
            return self._columns[node]
        except KeyError:
            raise ValueError(f"site {self.site.site} has no EVSE {node}") from None

    def _place(self, node: str) -> int:
        place = self._tree.number.get(node) if node else self._tree.root
        if place is None:
            raise ValueError(f"site {self.site.site} has no node {node}")
        return place

    def _windows(self) -> dict[tuple[int, int, tuple[int, ...]], tuple[Ints, Floats]]:
        """By window, which rows have a limit then, and which."""
        found: dict[tuple[int, int, tuple[int, ...]], tuple[list[int], list[float]]] = {}
        for place, node in enumerate(self.site.nodes):
            for timed in node.timed:
                places, values = found.setdefault(window_of(timed), ([], []))
                for row, value in self._plan.rows_limited(place, timed.limit_a, timed.limit_kw):
                    places.append(row)
                    values.append(value)
        return {
            window: _least_of_each(np.array(places, dtype=np.int64), np.array(values))
            for window, (places, values) in found.items()
            if places
        }

    def _cap(self, found: Floats, caps: Mapping[str, Floats]) -> None:
        for node, series in caps.items():
            row = self._plan.kw_row[self._place(node)]
            if np.shape(series) != found.shape[1:]:
                raise ValueError(f"cap of {node or 'the root'}: {np.shape(series)} values for {found.shape[1]} slots")
            if not (np.asarray(series) >= 0).all():
                raise ValueError(f"cap of {node or 'the root'}: negative or NaN")
            found[row] = np.minimum(found[row], series)

    def _flows(self, loads: Iterable[NodeLoad], slots: int) -> tuple[Ints, Floats]:
        """Nodes with load, by number (k,), and what flows through each: (k, 3, t) kW."""
        flows: dict[int, Floats] = {}
        for load in loads:
            if load.kw.shape != (3, slots) or not np.isfinite(load.kw).all():
                raise ValueError(f"load at {load.node}: want (3, {slots}) finite kW, not {load.kw.shape}")
            for place in self._tree.path(self._place(load.node)):
                flows[place] = flows[place] + load.kw if place in flows else load.kw
        return np.array(list(flows), dtype=np.int64), np.array(list(flows.values())).reshape(-1, 3, slots)


def _least_of_each(places: Ints, values: Floats) -> tuple[Ints, Floats]:
    rows, inverse = np.unique(places, return_inverse=True)
    least = np.full(len(rows), INF)
    np.minimum.at(least, inverse, values)
    return rows, least


def _zone_of(site: Site) -> ZoneInfo:
    try:
        return ZoneInfo(site.time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"site {site.site}: unknown time zone {site.time_zone!r}") from error
