"""What a car needs, and whose word counts."""

from datetime import timedelta
from math import inf

import msgspec
import pytest

from engine.model.sites import DriverRequest, Outlet, Wiring
from engine.model.transactions import ChargingState
from smartcharging.cars.currents import Supply
from smartcharging.cars.iso15118 import CarSaid
from smartcharging.cars.needs import need_of
from smartcharging.cars.requests import Asked
from smartcharging.cars.visits import Visit
from smartcharging.forecast import Forecaster, ForecastSettings, Stay
from smartcharging.words import NeedSource
from tests.smartcharging.cars.meter import at, opened
from tests.smartcharging.sites import EVSE, depot

SITE = depot(time_zone="UTC")
HOUR = 3600


def visit(delivered_kwh=0.0, **more):
    found = Visit("t1", EVSE, Supply(Outlet(station="CP-1", evse=1), Wiring.WYE, 230.0), at(0))
    found.opened(opened(**more))
    found.register.tell(1000.0 + 1000.0 * delivered_kwh, at(HOUR))
    return found


def asked(**more):
    return Asked(DriverRequest(station="CP-1", evse=1, **more), at(0))


def past(days, hours, energy_kwh=10.0, **more):
    begun = at(0) - timedelta(days=days)
    fields = {
        "station": "CP-1",
        "site": "depot",
        "token_key": "tag",
        "arrived_at": begun,
        "departed_at": begun + timedelta(hours=hours),
        "energy_kwh": energy_kwh,
    }
    return Stay(**(fields | more))


def forecaster(*stays):
    return Forecaster(stays, settings=ForecastSettings.of(SITE))


def need(car, request=None, foreseen=None, seconds=HOUR, site=SITE):
    return need_of(car, request, foreseen, site, at(seconds))


def test_without_any_word_everything_is_unknown():
    found = need(visit())
    assert (found.energy_kwh, found.departs_at) == (inf, None)
    assert (found.energy_source, found.departure_source) == (NeedSource.DEFAULT, NeedSource.DEFAULT)


def test_the_sites_defaults_count_where_nothing_is_known():
    site = depot(time_zone="UTC", energy_kwh_default=12.0, stay_s_default=4.0 * HOUR)
    assert need(visit(2.0), site=site).energy_kwh == 10.0
    assert need(visit(), site=site).departs_at == at(4 * HOUR)
    assert need(visit(), site=site, seconds=5 * HOUR).departs_at is None


def test_history_comes_before_defaults():
    found = need(visit(), foreseen=forecaster(*(past(days, 8) for days in range(1, 40))))
    assert (found.energy_source, found.departure_source) == (NeedSource.TOKEN, NeedSource.TOKEN)
    assert 7 * HOUR < (found.departs_at - at(0)).total_seconds() < 9 * HOUR
    assert "from stays of this token" in found.detail


def test_what_was_asked_for_counts_less_what_was_delivered():
    assert need(visit(2.0), asked(energy_kwh=8.0)).energy_kwh == 6.0
    assert 0 < need(visit(9.0), asked(energy_kwh=8.0)).energy_kwh < 0.1


def test_a_drivers_departure_is_corrected_by_what_his_word_was_worth():
    late = [past(days, 8, claimed_departs_at=at(6 * HOUR) - timedelta(days=days)) for days in range(1, 30)]
    found = need(visit(), asked(departs_at=at(6 * HOUR)), forecaster(*late))
    assert found.departure_source is NeedSource.DRIVER
    assert (found.departs_at - at(0)).total_seconds() > 7 * HOUR
    assert need(visit(), asked(departs_at=at(6 * HOUR)), forecaster()).departs_at > at(5 * HOUR)


def test_more_than_is_ever_taken_is_not_kept_ready():
    half = [past(days, 8, 10.0, claimed_kwh=20.0) for days in range(1, 30)]
    found = need(visit(), asked(energy_kwh=20.0), forecaster(*half))
    assert found.energy_source is NeedSource.DRIVER
    assert found.energy_kwh < 14.0
    assert need(visit(), asked(energy_kwh=20.0), forecaster()).energy_kwh == pytest.approx(20.0, rel=0.1)


def test_a_state_of_charge_is_an_energy_where_the_battery_is_known():
    car = visit(5.0)
    car.said, car.said_energy_kwh = CarSaid(told_at=at(0), full_kwh=50.0, soc_percent=40.0), 0.0
    assert need(car, asked(soc_percent=80.0)).energy_kwh == pytest.approx(15.0)
    car.soc_percent = 70.0
    assert need(car, asked(soc_percent=80.0)).energy_kwh == pytest.approx(5.0)
    assert need(visit(), asked(soc_percent=80.0)).energy_kwh == inf


def test_no_more_is_needed_than_fits():
    car = visit(5.0)
    car.said, car.said_energy_kwh = CarSaid(told_at=at(0), energy_kwh=40.0, room_kwh=12.0), 0.0
    assert need(car).energy_kwh == pytest.approx(7.0)


def test_a_full_car_needs_little_and_a_paused_one_all():
    car = visit()
    car.idle_since, car.state = at(0), ChargingState.SUSPENDED_EV
    assert need(car, asked(energy_kwh=8.0)).energy_kwh < 1.0
    car.state = ChargingState.SUSPENDED_EVSE
    assert need(car, asked(energy_kwh=8.0)).energy_kwh == 8.0


def test_what_was_left_out_of_a_request_is_said():
    odd = msgspec.structs.replace(asked(priority=1), repaired=("departs_at: it is not after now",))
    assert "not after now" in need(visit(), odd).detail


def test_times_are_told_as_they_are_read_at_the_site():
    site = depot(time_zone="Europe/Berlin")
    assert "the driver said 12:00" in need(visit(), asked(departs_at=at(2 * HOUR)), site=site).detail
