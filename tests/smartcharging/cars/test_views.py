"""Cars as planners see them."""

from math import inf

import msgspec
import pytest

from engine.model.sites import DriverRequest, Outlet, Wiring
from smartcharging.cars.currents import Supply
from smartcharging.cars.iso15118 import CarSaid
from smartcharging.cars.requests import Asked
from smartcharging.cars.views import PRIORITIZED, view_of
from smartcharging.cars.visits import Visit
from tests.smartcharging.cars.meter import at, currents, opened, reading
from tests.smartcharging.sites import EVSE, depot

SITE = depot()
SAID = CarSaid(told_at=at(0), current_a_max=20.0, discharge_kw_max=7.0, room_kwh=30.0, stored_kwh=10.0)


def visit(*, dc=False, **said):
    found = Visit(
        "t1", EVSE, Supply(Outlet(station="CP-1", evse=1, dc=dc, power_kw_max=50.0), Wiring.WYE, 230.0), at(0)
    )
    found.opened(opened())
    found.said = msgspec.structs.replace(SAID, **said)
    return found


def view(found, request=None, seconds=600):
    asked = None if request is None else Asked(DriverRequest(station="CP-1", evse=1, **request), at(0))
    return view_of(found, asked, None, SITE, at(seconds))


@pytest.mark.parametrize(("cable", "car", "most"), [(inf, 20.0, 20.0), (13.0, 20.0, 13.0), (13.0, 10.0, 10.0)])
def test_the_least_of_cable_and_car_limits_it(cable, car, most):
    found = visit(current_a_max=car)
    found.cable_a_max = cable
    assert view(found).current_a_max == most


def test_what_a_car_could_give_back_and_take_moves_with_what_it_took():
    found = visit()
    found.register.tell(6000.0, at(3600))
    told = view(found)
    assert (told.room_kwh, told.stored_kwh, told.discharge_kw_max) == (25.0, 15.0, 7.0)


def test_a_driver_may_refuse_to_give_back():
    assert view(visit(), {"may_discharge": False}).discharge_kw_max == 0.0
    assert view(visit(), {"may_discharge": True}).discharge_kw_max == 7.0
    assert view(visit(discharge_kw_max=0.0), {"may_discharge": True}).discharge_kw_max == 0.0


def test_priority_charging_comes_on_top():
    found = visit()
    assert view(found).priority is None
    assert view(found, {"priority": 4}).priority == 4
    found.prioritized = True
    assert view(found).priority == PRIORITIZED
    assert view(found, {"priority": 4}).priority == PRIORITIZED + 4


def test_a_dc_car_has_three_phases_and_its_current_is_that_of_its_power():
    found = visit(dc=True)
    found.read((reading(34_500.0, "Power.Active.Import"),), at(60))
    told = view(found)
    assert (told.phases, told.phases_known, told.measured_a) == ((1, 2, 3), True, pytest.approx(50.0))


def test_a_charge_of_the_battery_is_told():
    found = visit()
    found.read((reading(55.0, "SoC"), *currents(10.0, 10.0, 10.0)), at(60))
    assert view(found).soc_percent == 55.0
