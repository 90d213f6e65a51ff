"""The state of a site: what is counted where, and how the grid moves on."""

from datetime import timedelta

import numpy as np
import pytest

from engine.model.sites import NodeKind, Outlet, Site, SiteNode
from smartcharging.network import Network
from smartcharging.wire.settings import WireSettings
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import OpenOrder, OrderKind, PlaceName
from tests.smartcharging.wire.fleet import START, Bench, site_of, target


def state_of(site):
    return SiteState(site, Network(site), WireSettings())


def test_stations_know_their_outlets_and_whether_they_have_one_alone():
    nodes = (
        SiteNode(node="grid", kind=NodeKind.GRID, limit_a=(63.0,) * 3),
        SiteNode(node="a1", kind=NodeKind.EVSE, parent="grid", outlet=Outlet(station="A", evse=1)),
        SiteNode(node="a2", kind=NodeKind.EVSE, parent="grid", outlet=Outlet(station="A", evse=2, phases=1)),
        SiteNode(
            node="d", kind=NodeKind.EVSE, parent="grid",
            outlet=Outlet(station="D", evse=1, dc=True, power_kw_max=69.0),
        ),
    )  # fmt: skip
    state = state_of(Site(site="s", nodes=nodes))
    assert (state.stations["A"].alone, state.stations["D"].alone) == (False, True)
    assert (state.stations["A"].dc, state.stations["D"].dc) == (False, True)
    sockets = {name: (evse.socket.phases, evse.socket.kw_per_a) for name, evse in state.evses.items()}
    assert sockets == {"a1": (3, pytest.approx(0.69)), "a2": (1, pytest.approx(0.23)), "d": (3, pytest.approx(0.69))}
    assert state.evses["d"].ceiling_a == pytest.approx(100.0)


def test_the_grid_moves_on_with_the_clock_and_back_with_it():
    state = state_of(site_of(2))
    assert state.regrid(START)
    assert not state.regrid(START + timedelta(minutes=7))
    assert state.regrid(START + timedelta(minutes=8))
    assert state.regrid(START)
    assert state.ledger.default.shape == (2, len(state.grid))


def test_counting_anew_comes_to_what_was_counted():
    bench = Bench(3, 60.0, idle_a=6.0)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    state = bench.wire._state
    before = (state.ledger.default.copy(), state.ledger.own.copy(), state.ledger.top.copy())
    state.grid = None
    state.regrid(bench.now)
    for old, new in zip(before, (state.ledger.default, state.ledger.own, state.ledger.top), strict=True):
        assert np.array_equal(old[:, 1:], new[:, 1:])


def test_settled_orders_are_forgotten_open_ones_are_not(monkeypatch):
    monkeypatch.setattr("smartcharging.wire.site_state.ORDERS_KEPT_MAX", 10)
    state = state_of(site_of(1))
    for number in range(40):
        order = OpenOrder(
            order_id=str(number), station="CP0", kind=OrderKind.PROBE, sent_at=START, deadline_s=30.0,
            settled=number != 3,
        )  # fmt: skip
        state.remember(order)
    assert "3" in state.orders
    assert len(state.orders) <= 12


@pytest.mark.parametrize("current_a", [8.0, 32.0])
def test_what_is_on_its_way_counts_as_if_all_were_counted_anew(current_a):
    bench = Bench(3, 96.0, idle_a=6.0)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    bench.want(target(0, current_a, bench.now, urgent=True))
    orders = bench.wire.orders(bench.now)
    state = bench.wire._state
    counted = state.promised[PlaceName.OWN].copy(), state.ledger.own.copy(), state.ledger.load.copy()
    for evse in state.list:
        state.count(evse, PlaceName.OWN)
    state.ledger.recount()
    assert orders
    for before, anew in zip(counted, (state.promised[PlaceName.OWN], state.ledger.own, state.ledger.load), strict=True):
        np.testing.assert_allclose(before, anew, atol=1e-9)
