"""No limit is broken, whatever happens: the planner of a site against stations in trouble, in virtual time.

`loop` is told by its seed alone; a failing seed can be run again. Meters look each second; a car has 5 s to follow.
"""

import pytest

from loadtests.sites.site_meter import GRACE_S
from tests.smartcharging.loop import CALM, Loop, Trouble

HOUR_S = 3_600.0
# A cap may come while the planner is dead (60 s), and a lost request is missed only after its deadline (30 s).
WORSE = Trouble(
    delay_s=8.0,
    lost=0.08,
    rejected=0.08,
    away_every_s=200.0,
    dies_every_s=240.0,
    dead_s=(1.0, 60.0),
    cap_every_s=400.0,
    reaction_s=(0.3, 4.5),
    notice_s=150.0,
)


def said(loop):
    """What was broken, for the message of a failing test."""
    return [str(each) for each in (*loop.meter.violations, *loop.told.violations)]


def assert_kept(loop):
    assert said(loop) == []
    assert loop.meter.looks > 0
    assert loop.meter.energy_kwh > 1.0


@pytest.mark.parametrize("seed", range(6))
def test_no_limit_is_broken_in_trouble(seed):
    loop = Loop(3 + seed, seed).open_doors().runs(HOUR_S / 2).ends()
    assert_kept(loop)
    assert loop.restarts >= 1


@pytest.mark.parametrize("seed", range(2))
def test_no_limit_is_broken_in_worse_trouble(seed):
    assert_kept(Loop(6, 100 + seed, WORSE).open_doors().runs(HOUR_S / 2).ends())


@pytest.mark.parametrize("allocator", ["narke", "edf", "equal-share", "uncontrolled"])
def test_no_allocator_breaks_a_limit(allocator):
    assert_kept(Loop(4, 7, allocator=allocator).open_doors().runs(HOUR_S / 2).ends())


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(2))
def test_no_limit_is_broken_in_a_whole_day_of_trouble(seed):
    assert_kept(Loop(3 + seed, 1_000 + seed).open_doors().runs(24 * HOUR_S).ends())


def test_what_is_promised_never_exceeds_a_limit_that_does_not_move():
    """Not even for a moment: without caps and buildings the sum of what profiles allow fits at each second."""
    loop = Loop(8, 3, Trouble(cap_every_s=1e12), building=False).open_doors().runs(HOUR_S / 2).ends()
    assert_kept(loop)
    assert [str(each) for each in loop.told.shorter] == []


def test_without_trouble_the_limit_is_used():
    loop = Loop(8, 5, CALM, building=False).open_doors().runs(HOUR_S / 2).ends()
    assert_kept(loop)
    assert max(loop.meter.highest.values()) > 0.9


def test_stations_that_lie_are_seen_by_the_meters():
    """The meters would see it: stations that draw half as much again as they are told break limits."""
    loop = Loop(8, 5, CALM, building=False)
    for station in loop.stations.values():
        station.lies = 1.5
    loop.open_doors().runs(600).ends()
    assert loop.meter.counted > 0
    assert all(each.lasted_s > GRACE_S for each in loop.meter.violations)


def test_a_dead_planner_leaves_stations_within_their_limits():
    """Leases run out, and all fall to their static shares together."""
    loop = Loop(8, 11, CALM, building=False).open_doors().runs(1_200)
    loop.planner = None
    loop.runs(1.25 * HOUR_S).ends()
    assert_kept(loop)


def test_the_same_seed_gives_the_same_run():
    first, second = (Loop(4, 2).open_doors().runs(900).ends() for _ in range(2))
    assert (first.commands, first.meter.energy_kwh, first.meter.highest) == (
        second.commands,
        second.meter.energy_kwh,
        second.meter.highest,
    )
