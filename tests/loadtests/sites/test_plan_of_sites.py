"""The sites that a planner is tried on can be kept within their limits."""

import msgspec
import pytest

from engine.model.sites import Site
from loadtests.sites.plan_of_sites import BUILDING_KW_MAX, RESERVE_KW, cap_of, plans_of
from loadtests.sites.tree import Draw, SiteTree
from smartcharging.site_check import check


def names(count):
    return [f"ST-{number:03}" for number in range(count)]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("count", [1, 7, 24, 40])
def test_the_least_of_all_cars_and_the_most_of_the_building_fit(seed, count):
    plans = plans_of(names(count), seed)
    assert sorted(name for plan in plans for name in plan.stations) == names(count)
    for plan in plans:
        tree = SiteTree(plan.site)
        loads = {tree.root: (BUILDING_KW_MAX / 3,) * 3} if plan.building else {}
        draws = [Draw(6.0, 3, 4_140.0)] * len(plan.stations)
        amperes, kilowatts = tree.limits(0.0)
        assert (tree.currents(draws, loads) <= amperes).all()
        powers = tree.powers(draws, loads)
        assert (powers <= kilowatts).all()
        reserve_kw = RESERVE_KW if plan.building else 0.0
        assert powers[tree.names.index(tree.root)] + reserve_kw <= cap_of(plan, 0.3) < kilowatts[0] + 0.1


@pytest.mark.parametrize("seed", range(20))
def test_not_all_cars_can_have_their_all(seed):
    for plan in plans_of(names(24), seed):
        tree = SiteTree(plan.site)
        draws = [Draw(32.0, 3, 22_080.0)] * len(plan.stations)
        assert (tree.powers(draws, {}) > tree.limits(0.0)[1]).any()


def test_the_same_seed_makes_the_same_sites():
    assert plans_of(names(24), 3) == plans_of(names(24), 3)
    assert plans_of(names(24), 3) != plans_of(names(24), 4)


@pytest.mark.parametrize("count", [1, 5, 24, 100])
def test_narke_takes_them(count):
    for plan in plans_of(names(count), 9):
        problems = check(msgspec.convert(plan.site, Site, strict=False))
        assert [each for each in problems if each.severity == "error"] == []


def test_no_stations_make_no_site():
    with pytest.raises(ValueError, match="at least one"):
        plans_of([], 1)
