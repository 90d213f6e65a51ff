"""The electrical tree of a site as its breakers see it, from the plain JSON of `narke site export --json`.

A second reading of `engine.model.sites`, by phasors throughout: the current of a line is the length of the sum of all
that flows in it. Between neutral and phase all cars of a phase are in step, and the sum is plain; between phases
(DELTA) it is not. Times are seconds since 1970.
"""

import cmath
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Lines = NDArray[np.complex128]

LINES = 3
DAY_S = 86_400
DELTA = "delta"
WITHOUT_LIMIT = math.inf
_VOLTAGES = tuple(cmath.rect(1.0, -2.0 * math.pi * number / LINES) for number in range(LINES))
"""Of L1, L2, L3 to neutral, of length 1."""


class Draw(NamedTuple):
    """What a car draws: A on each of its conductors, how many those are, and W over all."""

    current_a: float = 0.0
    phases: int = 3
    power_w: float = 0.0


NOTHING = Draw()


class Place(NamedTuple):
    """An EVSE: its node, station and number there."""

    node: str
    station: str
    evse: int


@dataclass(frozen=True)
class Cap:
    """What somebody allows a node from `since` on, by the clock; kW. It counts until the next one of the same name."""

    name: str
    node: str
    since: float
    kw: float | None


class SiteTree:
    """One site.

    Args:
        site: As exported: `nodes` with `node`, `kind`, `parent`, limits and, of an EVSE, its `outlet`.

    Raises:
        KeyError, ValueError: It is not a tree.
    """

    def __init__(self, site: Mapping[str, Any]) -> None:
        self.site = str(site["site"])
        self.nodes: list[Mapping[str, Any]] = list(site["nodes"])
        self.names = [str(each["node"]) for each in self.nodes]
        self.zone = ZoneInfo(site.get("time_zone") or "UTC")
        self.voltage_v = float(site.get("voltage_v") or 230.0)
        self._number = {name: number for number, name in enumerate(self.names)}
        self._wiring = str(site.get("wiring") or "wye")
        self.root = next(str(each["node"]) for each in self.nodes if each.get("parent") is None)
        outlets = [each for each in self.nodes if each.get("outlet")]
        self.places = [Place(str(n["node"]), str(n["outlet"]["station"]), int(n["outlet"]["evse"])) for n in outlets]
        self._above = np.zeros((len(self.nodes), len(outlets)))
        for column, node in enumerate(outlets):
            for name in self._path(str(node["node"])):
                self._above[self._number[name], column] = 1.0
        self._flows = [
            tuple(self._flow(node, phases) for phases in range(1, LINES + 1)) for node in outlets
        ]  # by outlet, then phases in use

    def _path(self, name: str) -> list[str]:
        """From a node up to the root, both among them."""
        path: list[str] = []
        found: str | None = name
        while found is not None:
            if len(path) > len(self.nodes):
                raise ValueError(f"node {name} of site {self.site} is below itself")
            path.append(found)
            parent = self.nodes[self._number[found]].get("parent")
            found = None if parent is None else str(parent)
        return path

    def _wired(self, name: str) -> str:
        """How what hangs below a node is connected."""
        for each in self._path(name):
            wiring = self.nodes[self._number[each]].get("wiring")
            if wiring:
                return str(wiring)
        return self._wiring

    def _flow(self, node: Mapping[str, Any], phases: int) -> Lines:
        """What flows in L1, L2, L3 per A of a car on so many conductors."""
        outlet = node["outlet"]
        lines = [int(digit) - 1 for digit in str(outlet.get("rotation") or "123")]
        flow = np.zeros(LINES, dtype=np.complex128)
        if outlet.get("dc") or min(phases, int(outlet.get("phases") or LINES)) == LINES:
            flow[:] = _VOLTAGES
            return flow
        used = min(phases, int(outlet.get("phases") or LINES))
        if self._wired(str(node["parent"])) == DELTA:
            one, other = lines[0], lines[1]
            step = _VOLTAGES[one] - _VOLTAGES[other]
            flow[one], flow[other] = step / abs(step), -step / abs(step)
            return flow
        for line in lines[:used]:
            flow[line] = _VOLTAGES[line]
        return flow

    # What flows

    def currents(self, draws: Sequence[Draw], loads_kw: Mapping[str, Sequence[float]]) -> Floats:
        """A in each line of each node, (nodes, 3). `draws`: in the order of `places`; `loads_kw`: by node, of L1 to L3.

        What feeds is negative. A load's current has the phase of its voltage.
        """
        each = np.zeros((len(self.places), LINES), dtype=np.complex128)
        for column, draw in enumerate(draws):
            if draw.current_a:
                each[column] = self._flows[column][min(max(draw.phases, 1), LINES) - 1] * draw.current_a
        lines: Lines = self._above @ each
        line_v = self.voltage_v / math.sqrt(LINES) if self._wiring == DELTA else self.voltage_v
        for name, kw in loads_kw.items():
            flow = np.array([_VOLTAGES[line] * kw[line] * 1000.0 / line_v for line in range(LINES)])
            for above in self._path(name):
                lines[self._number[above]] += flow
        return np.asarray(np.abs(lines), dtype=np.float64)

    def powers(self, draws: Sequence[Draw], loads_kw: Mapping[str, Sequence[float]]) -> Floats:
        """The kW through each node, (nodes,)."""
        kw: Floats = self._above @ np.array([draw.power_w / 1000.0 for draw in draws])
        for name, load in loads_kw.items():
            for above in self._path(name):
                kw[self._number[above]] += sum(load)
        return kw

    # What may flow

    def limits(self, at: float, caps: Sequence[Cap] = ()) -> tuple[Floats, Floats]:
        """What counts at a moment: A of each line of each node, (nodes, 3), and kW, (nodes,); inf: none."""
        local = datetime.fromtimestamp(at, self.zone)
        amperes = np.full((len(self.nodes), LINES), WITHOUT_LIMIT)
        kilowatts = np.full(len(self.nodes), WITHOUT_LIMIT)
        for row, node in enumerate(self.nodes):
            timed = [each for each in node.get("timed") or () if _counts(each, local)]
            for source in (node, *timed):
                if source.get("limit_a") is not None:
                    amperes[row] = np.minimum(amperes[row], source["limit_a"])
                if source.get("limit_kw") is not None:
                    kilowatts[row] = min(kilowatts[row], float(source["limit_kw"]))
        latest: dict[tuple[str, str], Cap] = {}
        for cap in caps:
            if cap.since <= at:
                latest[cap.name, cap.node] = cap
        for cap in latest.values():
            if cap.kw is not None:
                row = self._number[cap.node or self.root]
                kilowatts[row] = min(kilowatts[row], cap.kw)
        return amperes, kilowatts


def _counts(timed: Mapping[str, Any], local: datetime) -> bool:
    """Whether a timed limit counts at a time of the site; one over midnight belongs to the day when it began."""
    began, ends = int(timed.get("from_s") or 0), int(timed.get("to_s", DAY_S))
    second = local.hour * 3600 + local.minute * 60 + local.second
    day = local
    if began < ends:
        if not began <= second < ends:
            return False
    elif second < ends:
        day = local - timedelta(days=1)
    elif second < began:
        return False
    weekdays = timed.get("weekdays") or ()
    return not weekdays or day.isoweekday() in weekdays
