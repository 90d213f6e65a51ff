"""Sites, problems and proofs that the planner's tests share."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from engine.model.sites import NodeKind, Outlet, Site, SiteNode, Wiring
from smartcharging.network import Network
from smartcharging.problem import Aims, Problem, Rows, cars_of

NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
ROTATIONS = ("123", "231", "312", "132")
MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For proofs: no clock of a busy machine decides whether they hold."""
FEW = settings(MANY, max_examples=25)
"""For what is proved elsewhere and only must not be broken here."""


def evse(node, parent, **outlet):
    return SiteNode(
        node=node, kind=NodeKind.EVSE, parent=parent, outlet=Outlet(**({"station": f"st-{node}", "evse": 1} | outlet))
    )


def board(node, parent="grid", kind=NodeKind.BOARD, **limits):
    return SiteNode(node=node, kind=kind, parent=parent, **limits)


def grid(**limits):
    return SiteNode(node="grid", kind=NodeKind.GRID, **limits)


def site_of(*nodes, **said):
    return Site(**({"site": "s"} | said), nodes=tuple(nodes))


def flat(count, amperes=1000.0, **outlet):
    """A grid connection with EVSEs right below it."""
    return site_of(grid(limit_a=(amperes,) * 3), *(evse(f"e{number}", "grid", **outlet) for number in range(count)))


def problem_of(matrix, limits, slot_s=300.0, **cars):
    """A problem of one slot, of bare rows."""
    array = csr_array(np.atleast_2d(np.asarray(matrix, dtype=float)))
    names = tuple(f"r{row}" for row in range(array.shape[0]))
    bounds = np.asarray(limits, dtype=float).reshape(-1, 1)
    return Problem(
        rows=Rows(array, names, ("A",) * len(names), names),
        limits=bounds,
        exports=np.zeros_like(bounds),
        slot_s=np.array([slot_s]),
        cars=cars_of([f"c{number}" for number in range(array.shape[1])], **cars),
        aims=Aims(price=np.zeros(1), export_price=np.zeros(1), base_kw=np.zeros(1)),
    )


def problem_at(site, slot_s=300.0, **cars):
    """A problem of one slot, with a car that uses all conductors at every EVSE of a site."""
    network = Network(site)
    plugs = [network.default_plug(node) for node in network.evses]
    length = np.array([slot_s])
    arrays = {
        "kw_per_a": [network.kw_per_a(plug) for plug in plugs],
        "max_a": [network.current_a_max(node) for node in network.evses],
    } | cars
    return Problem(
        rows=network.rows(plugs),
        limits=network.limits(NOW, length, caps={}, loads=[]),
        exports=network.exports(NOW, length, caps={}),
        slot_s=length,
        cars=cars_of(list(network.evses), **arrays),
        aims=Aims(price=np.zeros(1), export_price=np.zeros(1), base_kw=np.zeros(1)),
    )


def over(problem, current_a):
    """By how much cars bring the worst row of slot 0 over, as a part of its limit; 0: none is."""
    limits = np.maximum(problem.limits[:, 0], 0.0)
    excess = problem.rows.matrix @ current_a - limits
    finite = np.isfinite(limits)
    return float(np.max(np.maximum(excess, 0.0)[finite] / np.maximum(np.abs(limits[finite]), 1.0), initial=0.0))


@st.composite
def random_sites(draw, evses_max=24, wirings=(Wiring.WYE, Wiring.DELTA)):
    """Trees of four levels and less, three-phase, with limits in A and kW that bind here and there."""
    wiring = draw(st.sampled_from(wirings))
    amperes = st.floats(10, 400, allow_nan=False)
    nodes = [grid(limit_a=tuple(draw(amperes) for _ in range(3)), limit_kw=draw(st.none() | st.floats(5, 300)))]
    inner = ["grid"]
    for number in range(draw(st.integers(0, 6))):
        limits = {
            "limit_a": draw(st.none() | st.tuples(amperes, amperes, amperes)),
            "limit_kw": draw(st.none() | st.floats(3, 200)),
        }
        nodes.append(board(f"b{number}", draw(st.sampled_from(inner)), **limits))
        inner.append(f"b{number}")
    for number in range(draw(st.integers(1, evses_max))):
        outlet = {
            "phases": draw(st.sampled_from((1, 1, 3, 3, 3) if wiring is Wiring.DELTA else (1, 2, 3, 3))),
            "rotation": draw(st.sampled_from(ROTATIONS)),
            "current_a_max": draw(st.sampled_from((16.0, 20.0, 32.0, 63.0))),
            "dc": draw(st.integers(0, 9)) == 0,
        }
        nodes.append(evse(f"e{number}", draw(st.sampled_from(inner)), **outlet))
    return site_of(*nodes, wiring=wiring, voltage_v=230.0 if wiring is Wiring.WYE else 208.0)


@st.composite
def random_problems(draw, **shape):
    """One slot of a random site, with cars of random floors, caps, weights, priorities and pasts."""
    site = draw(random_sites(**shape))
    count = sum(node.outlet is not None for node in site.nodes)

    def each(values):
        return draw(st.lists(values, min_size=count, max_size=count))

    return problem_at(
        site,
        floor_a=each(st.sampled_from((0.0, 6.0, 6.0, 6.0, 8.0))),
        max_a=each(st.sampled_from((6.0, 10.0, 16.0, 32.0))),
        weight=each(st.floats(0.1, 10.0)),
        priority=each(st.integers(-1, 2)),
        current_a=each(st.sampled_from((0.0, 6.0, 16.0))),
        since_s=each(st.sampled_from((0.0, 60.0, 899.0, 900.0, 5000.0))),
        arrived_s=each(st.floats(-9000, 0)),
        departs_s=each(st.sampled_from((np.inf, 600.0, 3600.0, 30_000.0))),
        energy_kwh=each(st.sampled_from((np.inf, 0.0, 0.3, 5.0, 40.0))),
    )
