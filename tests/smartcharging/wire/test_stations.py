"""What is kept of stations and EVSEs."""

from datetime import timedelta

from engine.model.charging_profiles import ProfilePurpose, RateUnit
from engine.model.sites import Outlet
from smartcharging.wire.capabilities import Ability, Refusal, Rung
from smartcharging.wire.profiles import Socket
from smartcharging.wire.stations import BEFORE_MAX, PLACE_OF_PURPOSE, PURPOSE_OF_PLACE, Evse, PlaceName, Station, Watch
from tests.smartcharging.wire.fleet import START


def test_an_ac_car_needs_its_least_current_a_dc_car_none():
    ac = Evse("a", 0, Outlet(station="A", evse=1), Socket(evse=1), 32.0)
    dc = Evse("d", 1, Outlet(station="A", evse=2, dc=True), Socket(evse=2, dc=True), 100.0)
    assert (ac.outlet_floor_a, dc.outlet_floor_a) == (6.0, 0.0)


def test_an_evse_is_unknown_but_for_a_transaction_that_it_does_not_have():
    evse = Evse("a", 0, Outlet(station="A", evse=1), Socket(evse=1), 32.0)
    assert {name: place.worst.at(0.0) for name, place in evse.places.items()} == {
        PlaceName.DEFAULT: float("inf"), PlaceName.OWN: 0.0, PlaceName.TOP: float("inf")}  # fmt: skip


def test_the_way_follows_what_was_learned():
    station = Station("A", dc=False, alone=True)
    assert station.way.rung is Rung.TX
    station.set_ability(Ability(), frozenset({Refusal(ProfilePurpose.TX, RateUnit.A)}))
    assert (station.way.rung, station.supported) == (Rung.DEFAULT, True)


def test_places_and_purposes_are_the_same_table():
    assert {PLACE_OF_PURPOSE[purpose]: purpose for purpose in PLACE_OF_PURPOSE} == PURPOSE_OF_PLACE


def test_what_was_allowed_before_is_bounded():
    watch = Watch()
    for number in range(100):
        watch.told(START + timedelta(seconds=number), float(number))
    assert len(watch.before) == BEFORE_MAX
    assert Watch().before == []
