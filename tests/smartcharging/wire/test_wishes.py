"""What each EVSE should hold: the plan, then the share; shares within the least limits, and within caps."""

from datetime import timedelta

import numpy as np
import pytest

from engine.model.sites import Load, LoadKind
from smartcharging.network import Network
from smartcharging.wire.ledger import Ledger
from smartcharging.wire.steps import grid_at
from smartcharging.wire.wishes import (
    ShareBook,
    Shares,
    Wanted,
    lease_end_s,
    next_step_at,
    planned,
    wishes,
    worst_loads,
)
from smartcharging.words import Step
from tests.smartcharging.wire.fleet import START, site_of, target

GRID = grid_at(START, 7200.0)
NOW_S = START.timestamp()
NAMES = ("e0", "e1")
SHARES = Shares(tail=np.full((2, len(GRID)), 12.34), idle=np.array([6.0, 0.0]))


def wished(*targets, leashed=frozenset()):
    wanted = Wanted(targets={each.node: each for each in targets}, leashed=leashed, lease_s=3600.0, boundary_s=1800)
    return wishes(GRID, NAMES, SHARES, wanted, START)


@pytest.mark.parametrize(("minute", "ends"), [(0, "11:00"), (7, "11:30"), (30, "11:30"), (31, "12:00")])
def test_leases_end_at_full_halves_at_least_a_lease_away(minute, ends):
    now = START.replace(minute=minute)
    end = now + timedelta(seconds=lease_end_s(now.timestamp(), 3600.0, 1800) - now.timestamp())
    assert end.strftime("%H:%M") == ends


def test_the_plan_holds_until_the_lease_ends_and_the_share_for_ever_after():
    found = wished(target(0, 20.0, START))
    leased = GRID.until(found.lease_s)
    assert found.plan[0, :leased].tolist() == [20.0] * leased
    assert found.plan[0, leased:].tolist() == pytest.approx([12.3] * (len(GRID) - leased))
    assert found.default[0, 0] == 6.0
    assert found.active.tolist() == [True, False]
    assert found.default[1, 0] == 0.0


def test_one_in_quarantine_has_its_share_at_once():
    found = wished(target(0, 20.0, START), leashed=frozenset({"e0"}))
    assert found.plan[0, 0] == pytest.approx(12.3)
    assert found.default[0, 0] == pytest.approx(12.3)


def test_discharging_draws_nothing_and_is_kept_apart():
    found = wished(target(0, -8.0, START))
    assert (found.plan[0, 0], found.give[0]) == (0.0, 8.0)


def test_a_step_counts_from_its_time_and_the_least_within_a_slot():
    quarter = START.replace(minute=15)
    later = quarter + timedelta(minutes=5)
    steps = (Step(START, 20.0), Step(quarter, 16.0), Step(later, 8.0), Step(later + timedelta(minutes=40), 10.0))
    found = planned(target(0, 0.0, START, steps=steps), GRID, NOW_S, 5)
    assert found.tolist() == [20.0, 8.0, 8.0, 8.0, 10.0]
    assert planned(target(0, 0.0, START, steps=steps), GRID, quarter.timestamp() + 1, 5)[0] == 16.0
    assert next_step_at({"e0": target(0, 0.0, START, steps=steps)}, START) == quarter
    assert next_step_at({}, START) is None


def test_shares_keep_within_the_least_of_any_time_and_within_caps():
    site = site_of(4, 48.0, idle_a=6.0)
    network = Network(site)
    ledger = Ledger(network, np.full(4, 32.0))
    book = ShareBook(site, network)
    standing = np.repeat(network.least()[:, None], len(GRID), axis=1)
    nothing = np.zeros(len(network))
    plain = book.shares(GRID, standing, ledger, nothing)
    assert plain.tail[:, [0, -1]].tolist() == [[12.0, 12.0]] * 4
    kw = network.row_units.index("kW")
    standing[kw, 3:6] = 20.0
    capped = book.shares(GRID, standing, ledger, nothing)
    assert capped.tail[:, 3:6].sum(axis=0).max() * 0.69 <= 20.0
    assert (capped.tail[:, 3] > 6.0).all()
    assert capped.tail[:, 0].tolist() == [12.0] * 4
    assert capped.tail[:, 6].tolist() == [12.0] * 4


def test_what_others_may_draw_that_do_not_listen_is_kept_free():
    site = site_of(4, 48.0, idle_a=6.0)
    network = Network(site)
    ledger = Ledger(network, np.full(4, 32.0))
    standing = np.repeat(network.least()[:, None], len(GRID), axis=1)
    reserved = ledger.load_of(np.array([32.0, 0.0, 0.0, 0.0]))
    found = ShareBook(site, network).shares(GRID, standing, ledger, reserved)
    assert found.tail[:, 0].sum() <= 16.0


def test_loads_count_at_their_most_and_feeding_only_where_it_is_certain():
    loads = (
        Load(load="house", node="grid", kw=9.0, reserve_kw=3.0),
        Load(load="shop", node="grid", kind=LoadKind.PROFILE, profile_kw=(1.0, 6.0)),
        Load(load="meter", node="grid", kind=LoadKind.METERED, kw=15.0, station="M"),
        Load(load="roof", node="grid", kw=30.0, kw_certain=3.0, generation=True),
    )
    found = worst_loads(site_of(1, loads=loads), 2)
    assert [load.kw.sum(axis=0).tolist() for load in found] == [
        pytest.approx([12.0] * 2), pytest.approx([6.0] * 2), pytest.approx([15.0] * 2), pytest.approx([-3.0] * 2)
    ]  # fmt: skip
