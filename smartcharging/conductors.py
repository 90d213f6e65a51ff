"""What one A of a car puts on each phase of the grid: outlets, rotation, wiring.

A phasor is relative to the voltage to neutral of its own phase: 1 for a load to neutral or a balanced three-phase one,
turned by 30 degrees for a load between two phases. The phases follow each other as L1, L2, L3.
"""

from collections.abc import Iterable

import numpy as np

from engine.model.sites import Outlet, Site, Wiring
from smartcharging.phasors import Complexes
from smartcharging.problem import Floats, Ints
from smartcharging.tree import Tree

LEADS = complex(np.exp(1j * np.pi / 6))
"""Of a load between a phase and the next: on the first of the two. On the second: its conjugate."""
MASKS = 8
"""Sets of the conductors 1, 2, 3 as bits; the empty set stands for all that the outlet has."""
KW = 3
"""Place of the power (kW per A) behind the three phases."""

Kind = tuple[Wiring, bool, int, str]
"""All about an outlet that decides on what it draws: wiring, DC, conductors, rotation."""


class Outlets:
    """The outlets of a site, in the order of `Tree.evses`.

    `neutral_v`: voltage of a phase to neutral. `kinds`: that there are. `kind`: (evses,) which of them each is.
    `tables`: (kinds, 8, 4) what one A draws, as `table_of`. `bars`: (kinds, 8) 0 where a car can use these conductors,
    else minus infinity.
    """

    def __init__(self, site: Site, tree: Tree) -> None:
        self.neutral_v = neutral_v(site.voltage_v, site.wiring)
        places = tree.evses.tolist()
        kinds = [
            kind_of(outlet, tree.wirings[place]) for place in places if (outlet := site.nodes[place].outlet) is not None
        ]
        numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
        self.kinds = list(numbers)
        self.kind: Ints = np.array([numbers[kind] for kind in kinds], dtype=np.int64)
        self.tables: Complexes = np.array([table_of(kind, self.neutral_v) for kind in numbers]).reshape(-1, MASKS, 4)
        self.bars: Floats = np.full((len(numbers), MASKS), -np.inf)
        for kind, number in numbers.items():
            self.bars[number, list(masks_of(kind))] = 0.0

    def __len__(self) -> int:
        return len(self.kind)


def kind_of(outlet: Outlet, wiring: Wiring) -> Kind:
    """The kind of an outlet. Outlets of a kind share a table."""
    return wiring, outlet.dc, outlet.phases, outlet.rotation


def mask_of(phases: Iterable[int]) -> int:
    """Conductors 1, 2, 3 as bits."""
    mask = 0
    for phase in phases:
        mask |= 1 << (phase - 1)
    return mask & (MASKS - 1)


def masks_of(kind: Kind) -> tuple[int, ...]:
    """Every set of conductors that a car can use at an outlet of this kind."""
    _, dc, phases, _ = kind
    return (0,) if dc else tuple(range(1, 1 << phases))


def table_of(kind: Kind, neutral_v: float) -> Complexes:
    """What one A draws, by the conductors in use.

    Conductors that the outlet does not have are left out; where none is left, all that it has count. In DELTA a car
    on one conductor of three draws between that one and the next.

    Args:
        kind: Of the outlet.
        neutral_v: Voltage of a phase to neutral.

    Returns:
        (8, 4) by mask of conductors: phasors of L1, L2, L3, then kW.

    Raises:
        ValueError: The rotation does not say a phase of the grid for each conductor that is needed.
    """
    wiring, dc, phases, rotation = kind
    table = np.zeros((MASKS, 4), dtype=np.complex128)
    needed = 0 if dc else max(phases, 2) if wiring is Wiring.DELTA else phases
    if len(rotation) < needed or not set(rotation) <= set("123"):
        raise ValueError(f"rotation {rotation!r}: want {needed} or more of the digits 1, 2, 3 ({wiring.value})")
    grid = [int(digit) - 1 for digit in rotation]
    for mask in range(MASKS):
        own = [conductor for conductor in range(phases) if mask >> conductor & 1] or list(range(phases))
        if dc or (wiring is Wiring.DELTA and len(own) == 3):
            table[mask] = (1.0, 1.0, 1.0, 3 * neutral_v / 1000)
        elif wiring is Wiring.WYE:
            table[mask, [grid[conductor] for conductor in own]] = 1.0
            table[mask, KW] = len(own) * neutral_v / 1000
        else:
            pair = (own[0], own[1]) if len(own) == 2 else (own[0], (own[0] + 1) % max(phases, 2))
            _between(table[mask], grid[pair[0]], grid[pair[1]], neutral_v)
    return table


def _between(drawn: Complexes, one: int, other: int, neutral_v: float) -> None:
    """A load between two phases of the grid, into a row of the table."""
    first, second = (one, other) if (one + 1) % 3 == other else (other, one)
    drawn[first] = LEADS
    drawn[second] = LEADS.conjugate()
    drawn[KW] = np.sqrt(3.0) * neutral_v / 1000


def neutral_v(voltage_v: float, wiring: Wiring) -> float:
    """Voltage to neutral of a site that tells its voltage to neutral (WYE) or between phases (DELTA)."""
    return voltage_v if wiring is Wiring.WYE else voltage_v / float(np.sqrt(3.0))
