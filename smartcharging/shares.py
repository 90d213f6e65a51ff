"""What EVSEs may hold without any planning: shares that all fit together whatever the cars do.

Every EVSE counts with those of its conductors that load a row most. Nothing here looks at cars, so the answer changes
only with the site: stations hold it underneath everything, for the day on which nobody plans.
"""

from collections.abc import Mapping

import numpy as np

from engine.model.sites import Outlet, Site
from smartcharging.maxmin import entries_of, fill_entries
from smartcharging.network import Network
from smartcharging.pausing import floors_in_steps, in_steps, let_in, steps_down
from smartcharging.problem import Floats, Ints

RESERVE_MAX = 0.1
"""Part of a shared limit that idle EVSEs may keep from those that charge where a site does not say what they may."""


def static_shares(site: Site, network: Network, limits: Floats) -> Mapping[str, float]:
    """A per EVSE that all can hold for ever together: weighted max-min above the floors.

    Where not all can have their floor, those of a low priority (then: further down in the site) get 0, and their room
    goes to the others.

    Args:
        site: Whose outlets.
        network: Its rows.
        limits: (m,) the least of any time (`Network.least`).

    Returns:
        By node id, in steps of 0.1 A; 0 or at least the outlet's floor.
    """
    _check(network, limits)
    outlets = _outlets(site, network)
    matrix = network.worst_rows.matrix
    most = steps_down(np.array([network.current_a_max(node) for node in outlets]))
    floor = floors_in_steps(np.array([outlet.current_a_min for outlet in outlets.values()]))
    able = most >= floor
    least = np.where(able, floor, 0.0)
    running = let_in(entries_of(matrix, limits, least), least, lambda: _by_priority(outlets)).running & able
    floor, most = np.where(running, floor, 0.0), np.where(running, most, 0.0)
    entries = entries_of(matrix, limits, most)
    rates, _ = fill_entries(entries, floor, most, np.array([outlet.weight for outlet in outlets.values()]))
    return dict(zip(outlets, in_steps(entries, rates, most).tolist(), strict=True))


def idle_shares(site: Site, network: Network, limits: Floats) -> Mapping[str, float]:
    """A per EVSE that one without a transaction may draw before it is planned.

    Args:
        site: What it says (`Site.idle_a`) counts as far as all fit together, the higher priority first. Where it says
            nothing: the outlet's floor, if all floors take no more than a tenth of any limit that EVSEs share, else 0
            for those below that limit.
        network: Its rows.
        limits: (m,) the least of any time (`Network.least`).

    Returns:
        By node id; 0 or at least the outlet's floor.
    """
    _check(network, limits)
    outlets = _outlets(site, network)
    matrix = network.worst_rows.matrix
    floor = floors_in_steps(np.array([outlet.current_a_min for outlet in outlets.values()]))
    most = steps_down(np.array([network.current_a_max(node) for node in outlets]))
    if site.idle_a is None:
        wish = np.where(most >= floor, floor, 0.0)
        shared = np.diff(matrix.indptr) > 1
        entries = entries_of(matrix, np.where(shared, limits * np.where(limits > 0, RESERVE_MAX, 1.0), limits), wish)
        held = np.ones(len(wish), dtype=np.bool_)
        held[entries.cars[wish[entries.cars] > 0]] = False
    else:
        wish = np.minimum(steps_down(np.full(len(outlets), site.idle_a)), most)
        wish[wish < floor] = 0.0
        held = let_in(entries_of(matrix, limits, wish), wish, lambda: _by_priority(outlets)).running
    return dict(zip(outlets, np.where(held, wish, 0.0).tolist(), strict=True))


def _outlets(site: Site, network: Network) -> dict[str, Outlet]:
    if site.site != network.site.site:
        raise ValueError(f"the network is of site {network.site.site}, not of {site.site}")
    return {node: evse.outlet for node, evse in network.evses.items() if evse.outlet is not None}


def _by_priority(outlets: Mapping[str, Outlet]) -> Ints:
    return np.argsort([-outlet.priority for outlet in outlets.values()], kind="stable")


def _check(network: Network, limits: Floats) -> None:
    if limits.shape != (len(network),) or np.isnan(limits).any():
        raise ValueError(f"want ({len(network)},) limits without NaN, not {limits.shape}")
