"""The ledger: sums of worst cases, held against the rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.sites import NodeKind, Outlet, Site, SiteNode
from smartcharging.network import Network
from smartcharging.wire.ledger import Ledger
from tests.smartcharging.wire.fleet import site_of


def ledger_of(count=3, limit_a=30.0, slots=2, ceiling_a=32.0):
    network = Network(site_of(count, limit_a))
    ledger = Ledger(network, np.full(count, ceiling_a))
    ledger.regrid(slots)
    ledger.limits = np.repeat(network.least()[:, None], slots, axis=1)
    for index in range(count):
        ledger.count(index, default=np.zeros(slots))
    ledger.recount()
    return ledger


def row(*values):
    return np.array(values)


def test_nothing_known_counts_as_the_outlets_maximum():
    network = Network(site_of(2, 30.0))
    ledger = Ledger(network, np.array([32.0, 16.0]))
    ledger.regrid(1)
    ledger.limits = network.least()[:, None]
    ledger.recount()
    assert ledger.load[ledger.limits[:, 0] < np.inf].max() == 48.0
    assert ledger.over().max() == pytest.approx(18.0)


def test_the_larger_of_the_default_and_the_transactions_own_counts():
    ledger = ledger_of()
    ledger.count(0, default=row(6.0, 12.0), own=row(10.0, 10.0))
    ledger.recount()
    assert ledger.load[0].tolist() == [10.0, 12.0]


def test_the_stations_maximum_lies_above_both():
    ledger = ledger_of()
    ledger.count(0, default=row(20.0, 20.0), top=row(8.0, np.inf))
    assert ledger.load[0].tolist() == [8.0, 20.0]


def test_more_fits_only_where_every_row_has_room_at_every_time():
    ledger = ledger_of()
    ledger.count(1, default=row(20.0, 6.0))
    assert ledger.fits(0, own=row(10.0, 24.0))
    assert not ledger.fits(0, own=row(10.1, 6.0))
    assert not ledger.fits(0, own=row(6.0, 24.1))
    assert ledger.room(0, own=True).tolist() == [10.0, 24.0]


def test_less_fits_always_also_where_a_row_is_over():
    ledger = ledger_of()
    ledger.count(0, own=row(30.0, 30.0))
    ledger.count(1, own=row(30.0, 30.0))
    assert ledger.over().max() == pytest.approx(30.0)
    assert ledger.fits(0, own=row(6.0, 30.0))
    assert not ledger.fits(0, own=row(6.0, 30.1))
    touching = ledger.touching(ledger.over())
    assert (touching > 0).all()


def test_a_car_on_one_phase_loads_that_one_and_its_default_all():
    ledger = ledger_of()
    ledger.narrow(0, (2,))
    ledger.count(0, own=row(16.0, 16.0), default=row(6.0, 6.0))
    ledger.recount()
    assert ledger.load[:3, 0].tolist() == [6.0, 16.0, 6.0]
    ledger.narrow(1, (1,))
    assert ledger.fits(1, own=row(24.0, 24.0))
    ledger.narrow(1, ())
    assert not ledger.fits(1, own=row(24.0, 24.0))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_counting_one_by_one_comes_to_the_same_as_recounting(data):
    ledger = ledger_of(4)
    values = st.floats(0, 40)
    for _ in range(8):
        index = data.draw(st.integers(0, 3))
        name = data.draw(st.sampled_from(["default", "own", "top"]))
        ledger.count(index, **{name: row(data.draw(values), data.draw(values))})
    counted = ledger.load.copy()
    ledger.recount()
    assert np.allclose(counted, ledger.load)


def test_a_tree_limits_at_every_level():
    nodes = (
        SiteNode(node="grid", kind=NodeKind.GRID, limit_a=(50.0,) * 3, limit_kw=30.0),
        SiteNode(node="board", kind=NodeKind.BOARD, parent="grid", limit_a=(20.0,) * 3),
        SiteNode(node="a", kind=NodeKind.EVSE, parent="board", outlet=Outlet(station="A", evse=1)),
        SiteNode(node="b", kind=NodeKind.EVSE, parent="grid", outlet=Outlet(station="B", evse=1)),
    )
    network = Network(Site(site="s", nodes=nodes))
    ledger = Ledger(network, np.array([32.0, 32.0]))
    ledger.regrid(1)
    ledger.limits = network.least()[:, None]
    for index in (0, 1):
        ledger.count(index, default=row(0.0))
    assert ledger.room(0, own=True)[0] == pytest.approx(20.0)
    assert ledger.room(1, own=True)[0] == pytest.approx(30.0 / 0.69)
    ledger.count(0, own=row(20.0))
    assert ledger.room(1, own=True)[0] == pytest.approx(30.0 / 0.69 - 20.0)
