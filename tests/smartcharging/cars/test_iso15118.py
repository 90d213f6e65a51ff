"""What cars say of themselves."""

from math import inf, nan

import pytest

from engine.model.sites import Outlet, Wiring
from engine.model.smart_charging import AcNeeds, DcNeeds, EvNeeds, NeedsRecorded, NeedsReported, NeedsVerdict, V2xNeeds
from smartcharging.cars.currents import Supply
from smartcharging.cars.iso15118 import said_by_car
from tests.smartcharging.cars.meter import at

AC = Supply(Outlet(station="CP-1", evse=1), Wiring.WYE, 230.0)
DC = Supply(Outlet(station="CP-1", evse=1, dc=True, power_kw_max=150.0), Wiring.WYE, 230.0)


def said(supply, transfer="AC_three_phase", **needs):
    report = NeedsReported(1, EvNeeds(energy_transfer=transfer, **needs))
    return said_by_car(NeedsRecorded(report, NeedsVerdict.PROCESSING, at(0)), supply)


def ac(energy_wh=20_000.0, current_a_max=16.0):
    return AcNeeds(energy_wh=energy_wh, current_a_min=6.0, current_a_max=current_a_max, voltage_v_max=400.0)


def test_a_car_on_ac_says_energy_and_current():
    found = said(AC, ac=ac(), departure_at=at(3600))
    assert (found.energy_kwh, found.current_a_max, found.departs_at) == (20.0, 16.0, at(3600))
    assert (found.discharge_kw_max, found.room_kwh, found.odd) == (0.0, inf, ())


@pytest.mark.parametrize("energy_wh", [-1.0, nan, inf, 1e12])
def test_an_energy_that_cannot_be_is_left_out_and_named(energy_wh):
    found = said(AC, ac=ac(energy_wh=energy_wh))
    assert found.energy_kwh is None
    assert len(found.odd) == 1


@pytest.mark.parametrize("current_a_max", [0.0, -16.0, nan])
def test_a_current_that_cannot_be_is_left_out_and_named(current_a_max):
    found = said(AC, ac=ac(current_a_max=current_a_max))
    assert found.current_a_max == inf
    assert len(found.odd) == 1


def test_a_departure_in_the_past_is_left_out_and_named():
    found = said(AC, ac=ac(), departure_at=at(-1))
    assert found.departs_at is None
    assert len(found.odd) == 1


def test_a_car_on_dc_takes_the_least_of_power_and_current_times_voltage():
    found = said(DC, "DC", dc=DcNeeds(current_a_max=300.0, voltage_v_max=400.0, power_w_max=69_000.0))
    assert found.current_a_max == pytest.approx(100.0)
    found = said(DC, "DC", dc=DcNeeds(current_a_max=69.0, voltage_v_max=1000.0, power_w_max=690_000.0))
    assert found.current_a_max == pytest.approx(100.0)


def test_room_and_energy_come_from_capacity_and_charge():
    dc = DcNeeds(current_a_max=300.0, voltage_v_max=400.0, capacity_wh=50_000.0, soc_percent=40, soc_full_percent=90)
    found = said(DC, "DC", dc=dc)
    assert (found.room_kwh, found.energy_kwh, found.full_kwh, found.soc_percent) == (25.0, 25.0, 50.0, 40.0)


def test_a_full_car_has_no_room():
    dc = DcNeeds(current_a_max=300.0, voltage_v_max=400.0, capacity_wh=50_000.0, soc_percent=95, soc_full_percent=90)
    assert said(DC, "DC", dc=dc).room_kwh == 0.0


def test_a_charge_that_cannot_be_is_left_out_and_named():
    dc = DcNeeds(current_a_max=300.0, voltage_v_max=400.0, capacity_wh=50_000.0, soc_percent=140)
    found = said(DC, "DC", dc=dc)
    assert found.room_kwh == inf
    assert len(found.odd) == 1


V2X = V2xNeeds(
    charge_w_max=11_040.0,
    discharge_w_max=-6_900.0,
    energy_target_wh=10_000.0,
    energy_wh_max=30_000.0,
    energy_wh_min=-15_000.0,
)


def test_a_car_that_can_give_back_says_how_much():
    found = said(AC, "AC_BPT", v2x=V2X)
    assert found.current_a_max == pytest.approx(16.0)
    assert (found.energy_kwh, found.room_kwh, found.stored_kwh, found.discharge_kw_max) == (10.0, 30.0, 15.0, 6.9)


def test_who_did_not_choose_a_transfer_both_ways_gives_nothing():
    assert said(AC, "AC_three_phase", v2x=V2X).discharge_kw_max == 0.0
    assert said(AC, "AC_three_phase", v2x=V2X, energy_transfers=("AC_BPT",)).discharge_kw_max == 6.9


def test_power_told_by_phase_is_added_up():
    v2x = V2xNeeds(charge_w_max=3_680.0, charge_w_max_l2=3_680.0, charge_w_max_l3=3_680.0)
    assert said(AC, "AC", v2x=v2x).current_a_max == pytest.approx(16.0)


def test_a_dc_cars_current_counts_with_its_voltage():
    v2x = V2xNeeds(charge_a_max=100.0, discharge_a_max=50.0, voltage_v_max=690.0)
    found = said(DC, "DC_BPT", v2x=v2x)
    assert found.current_a_max == pytest.approx(100.0)
    assert found.discharge_kw_max == pytest.approx(34.5)


def test_needs_without_parameters_say_nothing():
    found = said(AC)
    assert (found.energy_kwh, found.current_a_max) == (None, inf)
