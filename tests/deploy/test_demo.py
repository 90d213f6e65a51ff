"""The site of the demo can be planned."""

import pytest

from deploy.demo import SITE_STATIONS_MAX, demo_site
from smartcharging.site_check import check


@pytest.mark.parametrize("stations", [1, 3, 8, 24, 48, 1_000])
def test_it_passes_the_checks_and_has_the_first_stations(stations):
    site = demo_site(stations)
    assert check(site) == ()
    assert site.stations == tuple(f"DEMO-{number:04}" for number in range(1, min(stations, SITE_STATIONS_MAX) + 1))


@pytest.mark.parametrize("stations", [1, 8, 24, 48])
def test_every_car_can_have_its_least_and_not_all_their_most(stations):
    site = demo_site(stations)
    evses = [node for node in site.nodes if node.outlet is not None]
    for node in site.nodes:
        if node.limit_a is not None:
            below = [each for each in evses if node.parent is None or each.parent == node.node]
            assert 6.0 * len(below) <= min(node.limit_a)
            assert len(below) < 4 or 32.0 * len(below) > max(node.limit_a)
