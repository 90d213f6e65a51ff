"""Outlets: phases and rotation that there are, currents and powers that a car could have."""

from itertools import permutations
from typing import Final

from engine.model.sites import Outlet, Site, SiteNode, Wiring
from smartcharging.site_problems import Findings
from smartcharging.tree_check import Tree

CURRENT_A_MAX: Final = 1_000.0
POWER_KW_MAX: Final = 10_000.0
WEIGHT_MAX: Final = 1_000.0
PRIORITY_MAX: Final = 1_000
FLOOR_A: Final = 6.0
"""IEC 61851-1: the least that a station can offer to a car."""
ROTATIONS: Final = tuple("".join(order) for order in permutations("123"))


def check_outlets(site: Site, tree: Tree, found: Findings) -> None:
    """Finds what is wrong with outlets."""
    wiring = wiring_of(site, tree)
    for node in site.nodes:
        if node.outlet is not None:
            _check_phases(node, node.outlet, wiring.get(node.node, site.wiring), found)
            _check_powers(node, node.outlet, found)


def wiring_of(site: Site, tree: Tree) -> dict[str, Wiring]:
    """How cars are connected below each node of the tree."""
    wiring: dict[str, Wiring] = {}
    for name, node in tree.nodes.items():  # parents come first
        above = site.wiring if node.parent is None else wiring[node.parent]
        wiring[name] = node.wiring or above
    return wiring


def _check_phases(node: SiteNode, outlet: Outlet, wiring: Wiring, found: Findings) -> None:
    if outlet.phases not in (1, 2, 3):
        found.error(node.node, "outlet.phases", f"it has {outlet.phases} phases", "write 1, 2 or 3")
    elif outlet.phases == 2 and wiring is Wiring.DELTA:
        text = "it has two phases in a delta"
        found.error(
            node.node, "outlet.phases", text, "between two phases is phases: 1 with both in rotation; or write 3"
        )
    elif outlet.dc and outlet.phases != 3:
        text = f"it is DC and has {outlet.phases} phases"
        found.error(node.node, "outlet.phases", text, "DC draws from three phases: write 3")
    if outlet.rotation not in ROTATIONS:
        todo = "write the grid phases of the connector's L1, L2, L3 in order, each once: one of " + ", ".join(ROTATIONS)
        found.error(node.node, "outlet.rotation", f"{outlet.rotation[:20]!r} is no rotation", todo)


def _check_powers(node: SiteNode, outlet: Outlet, found: Findings) -> None:
    name = node.node
    most = found.positive(name, "outlet.current_a_max", outlet.current_a_max, most=CURRENT_A_MAX, unit="A")
    least = found.number(name, "outlet.current_a_min", outlet.current_a_min, most=CURRENT_A_MAX, unit="A")
    if most and least and outlet.current_a_max < outlet.current_a_min:
        text = f"at most {outlet.current_a_max:g} A are less than the least, {outlet.current_a_min:g} A"
        found.error(name, "outlet.current_a_max", text, "no car could ever charge: correct one of them")
    if least and not outlet.dc and outlet.current_a_min < FLOOR_A:
        text = f"its least current is {outlet.current_a_min:g} A"
        found.warning(name, "outlet.current_a_min", text, f"cars stop below {FLOOR_A:g} A (IEC 61851): write 6 or more")
    if outlet.power_kw_max is not None:
        power = found.positive(name, "outlet.power_kw_max", outlet.power_kw_max, most=POWER_KW_MAX, unit="kW")
        if power and not outlet.dc:
            todo = "bound AC by current_a_max; or write dc: true"
            found.error(name, "outlet.power_kw_max", "it is for DC alone", todo)
    elif outlet.dc:
        found.error(name, "outlet.power_kw_max", "it is DC and its power is not said", "write its most power in kW")
    found.number(name, "outlet.discharge_kw_max", outlet.discharge_kw_max, most=POWER_KW_MAX, unit="kW")
    found.positive(name, "outlet.weight", outlet.weight, most=WEIGHT_MAX)
    if abs(outlet.priority) > PRIORITY_MAX:
        todo = f"write {-PRIORITY_MAX} to {PRIORITY_MAX}"
        found.error(name, "outlet.priority", f"{outlet.priority} is no priority", todo)
