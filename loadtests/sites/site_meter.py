"""Meters at every node and phase of a site: what really flows, each second, against what may.

What is above a limit for longer than the grace is a violation. The grace is for physics alone: a car has 5 s to follow
a lower limit (IEC 61851-1, table A.6), and breakers take far longer. It is no margin of the planner's, and what was
shorter is told, too. A limit that drops without notice (a cap from outside that counts at once) counts for the meters
from the end of its notice on; who runs the meters says how long that is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loadtests.sites.tree import NOTHING, WITHOUT_LIMIT, Cap, Draw, SiteTree

GRACE_S = 5.0
TOLERANCE_A = 0.05
TOLERANCE_KW = 0.02
"""What rounding and a meter's noise come to."""
KEPT_MAX = 1_000
"""Excesses that are kept with their details; all are counted."""
_ROWS = ("L1", "L2", "L3", "kW")


@dataclass
class Excess:
    """Something was above its limit.

    Attributes:
        row: Node and line, or kW.
        began: Seconds since 1970.
        lasted_s: Until it was seen to be over, or last seen.
        value: The highest, with the `limit` of that moment.
        cars: What of it was cars.
    """

    site: str
    row: str
    unit: str
    began: float
    lasted_s: float
    value: float
    limit: float
    cars: float

    @property
    def over(self) -> float:
        """By how much."""
        return self.value - self.limit

    def __str__(self) -> str:
        return (
            f"{self.site} {self.row}: {self.value:.2f} {self.unit} at a limit of {self.limit:.2f} {self.unit}, "
            f"for {self.lasted_s:.0f} s"
        )


@dataclass
class SiteMeter:
    """All meters of one site.

    Attributes:
        tree: The site.
        grace_s: What is shorter is no violation.
        looks: How often it looked.
        violations: Longer than the grace. `shorter`: the others.
        counted: Violations, also those that are not kept. `counted_shorter`: the others.
        highest: By row the most that was seen, as a share of its limit.
        energy_kwh: That went into cars.
    """

    tree: SiteTree
    grace_s: float = GRACE_S
    looks: int = 0
    violations: list[Excess] = field(default_factory=list)
    shorter: list[Excess] = field(default_factory=list)
    counted: int = 0
    counted_shorter: int = 0
    highest: dict[str, float] = field(default_factory=dict)
    energy_kwh: float = 0.0
    _going_on: dict[tuple[int, int], Excess] = field(default_factory=dict)
    _looked_at: float | None = None

    def look(
        self,
        now: float,
        draws: Mapping[tuple[str, int], Draw],
        loads_kw: Mapping[str, Sequence[float]],
        caps: Sequence[Cap] = (),
    ) -> None:
        """Reads all meters.

        Args:
            now: Seconds since 1970.
            draws: By station and EVSE; who is not there draws nothing.
            loads_kw: What else draws below a node, on L1 to L3.
            caps: That count for the meters, their notice over.
        """
        each = [draws.get((place.station, place.evse), NOTHING) for place in self.tree.places]
        values = self._values(each, loads_kw)
        cars = self._values(each, {})
        amperes, kilowatts = self.tree.limits(now, caps)
        self.looks += 1
        if self._looked_at is not None:
            self.energy_kwh += sum(draw.power_w for draw in each) / 1000.0 * (now - self._looked_at) / 3600.0
        self._looked_at = now
        for node in range(len(self.tree.names)):
            for line in range(4):
                limit = amperes[node, line] if line < 3 else kilowatts[node]
                if limit != WITHOUT_LIMIT:
                    self._compare(now, (node, line), values[node][line], float(limit), cars[node][line])

    def end(self) -> None:
        """Nothing more will be looked at: what goes on is judged by what was seen."""
        for excess in self._going_on.values():
            self._judge(excess)
        self._going_on.clear()

    def _values(self, draws: Sequence[Draw], loads_kw: Mapping[str, Sequence[float]]) -> list[list[float]]:
        """By node: L1, L2, L3, kW."""
        currents = self.tree.currents(draws, loads_kw).tolist()
        powers = self.tree.powers(draws, loads_kw).tolist()
        return [[*lines, kw] for lines, kw in zip(currents, powers, strict=True)]

    def _compare(self, now: float, row: tuple[int, int], value: float, limit: float, cars: float) -> None:
        node, line = row
        name = f"{self.tree.names[node]} {_ROWS[line]}"
        tolerance, unit = (TOLERANCE_A, "A") if line < 3 else (TOLERANCE_KW, "kW")
        if limit > 0.0:
            self.highest[name] = max(self.highest.get(name, 0.0), value / limit)
        excess = self._going_on.get(row)
        if value <= limit + tolerance or cars <= tolerance:  # what others draw alone is not the cars' doing
            if excess is not None:
                excess.lasted_s = now - excess.began
                self._judge(self._going_on.pop(row))
            return
        if excess is None:
            excess = self._going_on[row] = Excess(self.tree.site, name, unit, now, 0.0, value, limit, cars)
        excess.lasted_s = now - excess.began
        if value - limit > excess.over:
            excess.value, excess.limit, excess.cars = value, limit, cars

    def _judge(self, excess: Excess) -> None:
        if excess.lasted_s > self.grace_s:
            self.counted += 1
            kept = self.violations
        else:
            self.counted_shorter += 1
            kept = self.shorter
        if len(kept) < KEPT_MAX:
            kept.append(excess)
