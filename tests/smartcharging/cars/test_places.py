"""Where cars can be."""

import pytest

from engine.model.ids import EvseRef
from engine.model.sites import Wiring
from smartcharging.cars.places import Places
from tests.smartcharging.sites import depot, node, outlet


def test_places_are_the_evses_in_the_order_of_the_site():
    places = Places(depot())
    assert list(places) == [("CP-1", 1), ("CP-1", 2)]
    assert ("CP-1", 2) in places
    assert ("CP-1", 3) not in places
    assert places.node(("CP-1", 2)).node == "CP-1/2"
    assert places.of_node("CP-1/2") == ("CP-1", 2)
    assert places.of_node("board") is None


@pytest.mark.parametrize("evse", [None, EvseRef(0), EvseRef(-1)])
def test_who_does_not_say_where_is_at_the_only_evse(evse):
    assert Places(depot()).find("CP-1", evse) is None
    assert Places(depot(without=("CP-1/2",))).find("CP-1", evse) == ("CP-1", 1)
    assert Places(depot()).find("CP-9", evse) is None


def test_an_evse_that_the_site_does_not_have_is_nowhere():
    assert Places(depot(without=("CP-1/2",))).find("CP-1", EvseRef(2, 1)) is None


def test_wiring_is_inherited_from_the_nearest_that_says_it():
    site = depot(
        node("board", wiring=Wiring.DELTA),
        node("CP-2", "station", station="CP-2"),
        node("CP-2/1", "evse", "CP-2", outlet=outlet("CP-2")),
    )
    places = Places(site)
    assert places.supply(("CP-1", 1)).wiring is Wiring.DELTA
    assert places.supply(("CP-2", 1)).wiring is Wiring.WYE
