"""A site at one moment: what is left, when that changes, and what is wrong with it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from engine.model.caps import CapSaved, CapSource, CapStep
from engine.model.plans import AlertKind
from engine.model.sites import TimedLimit
from smartcharging.caps import CapKeeper
from smartcharging.network import Network
from smartcharging.planning.situation import infeasible, metered_over, overloads, situation_of, slots_at
from smartcharging.words import NodeLoad, Plug
from tests.smartcharging.wire.fleet import site_of

NOW = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
SLOTS = np.full(4, 900.0)


def situation(site=None, *, load_kw=0.0, cap=None):
    site = site or site_of(2)
    network, caps = Network(site), CapKeeper(site)
    if cap is not None:
        caps.hear(CapSaved(CapSource(site=site.site, source="operator", steps=cap), "me", NOW))
    loads = [NodeLoad("grid", np.full((3, 4), load_kw / 3))]
    return network, situation_of(network, caps, loads, NOW, SLOTS)


def row(network, name):
    return network.row_names.index(name)


def test_loads_and_caps_leave_the_rest():
    network, found = situation(load_kw=6.9, cap=(CapStep(NOW, 30.0),))
    assert found.limits[row(network, "grid L1"), 0] == pytest.approx(50.0)
    assert found.limits[row(network, "grid kW"), 0] == pytest.approx(30.0 - 6.9)
    assert found.gross[row(network, "grid kW")] == 30.0
    assert found.unmanaged_kw == pytest.approx(6.9)


def test_nothing_changes_where_nothing_will():
    assert situation()[1].changes_at() is None


def test_a_cap_to_come_and_a_limit_of_certain_hours_are_changes():
    steps = (CapStep(NOW, 30.0), CapStep(NOW + timedelta(seconds=1_800), 20.0))
    assert situation(cap=steps)[1].changes_at() == NOW + timedelta(seconds=1_800)
    site = site_of(2)
    grid, *others = site.nodes
    timed = replace(grid, timed=(TimedLimit(from_s=10 * 3_600 + 900, to_s=12 * 3_600, limit_kw=10.0),))
    assert situation(replace(site, nodes=(timed, *others)))[1].changes_at() == NOW + timedelta(seconds=900)


def test_an_overload_says_by_how_much():
    network, found = situation(load_kw=69.0)
    (alert,) = overloads("site", network, found, NOW)
    assert (alert.kind, alert.node, alert.unit, alert.over) == (AlertKind.OVERLOAD, "grid", "A", pytest.approx(40.0))
    assert "100.0 of 60.0 A" in alert.detail
    assert overloads("site", *situation(), NOW) == []


def test_promises_that_do_not_fit_are_infeasible_and_no_overload():
    network, found = situation()
    held = np.zeros(len(network))
    held[row(network, "grid L2")] = 64.0
    (alert,) = infeasible("site", network, found, held, NOW)
    assert (alert.kind, alert.over) == (AlertKind.INFEASIBLE, 4.0)
    assert infeasible("site", *situation(load_kw=69.0), held, NOW) == []


def test_meters_above_a_limit_are_told_beyond_their_error():
    network, found = situation()
    measured = {Plug("e0"): 31.0, Plug("e1"): 30.5}
    assert metered_over("site", network, found, measured, NOW) == []
    (alert,) = metered_over("site", network, found, {Plug("e0"): 40.0, Plug("e1"): 30.0}, NOW)
    assert (alert.kind, alert.over) == (AlertKind.METERED_OVER, 10.0)
    assert metered_over("site", network, found, {}, NOW) == []


def test_slots_end_at_quarters_of_an_hour():
    assert slots_at(NOW + timedelta(minutes=5), 2.0, 96).tolist()[:2] == [600.0, 900.0]
    assert len(slots_at(NOW, 24.0, 8)) == 8
