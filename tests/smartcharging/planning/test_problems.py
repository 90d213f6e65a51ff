"""Cars as arrays: what cannot be is repaired, what nobody plans is kept free."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from engine.model.sites import Battery
from smartcharging.network import Network
from smartcharging.planning.problems import Standing, cars_from, current_a_max, reserved, stores_from
from smartcharging.words import INF, CarView, Need
from tests.smartcharging.wire.fleet import site_of

NOW = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
NETWORK = Network(site_of(2))
VIEW = CarView(node="e0", station="CP0", evse=1, transaction_id="1", arrived_at=NOW - timedelta(hours=1))


def car(standing=None, **fields):
    known = {} if standing is None else {"e0": standing}
    return cars_from(NETWORK, [replace(VIEW, **fields)], known, NOW, slot_s=600.0)


def test_what_is_unknown_stays_unknown():
    cars = car()
    assert (cars.departs_s[0], cars.energy_kwh[0], cars.max_a[0], cars.arrived_s[0]) == (INF, INF, 32.0, -3_600.0)
    assert np.isnan(cars.measured_a[0])
    assert cars.kw_per_a[0] == pytest.approx(0.69)


@pytest.mark.parametrize("departs", [NOW - timedelta(hours=1), NOW, NOW + timedelta(seconds=10)])
def test_nobody_departs_before_the_first_slot_is_over(departs):
    assert car(need=Need(departs_at=departs)).departs_s[0] == 600.0


@pytest.mark.parametrize(("energy", "planned"), [(-5.0, 0.0), (float("nan"), INF), (7.0, 7.0)])
def test_a_need_that_cannot_be_is_repaired(energy, planned):
    assert car(need=Need(energy_kwh=energy)).energy_kwh[0] == planned


def test_one_phase_is_a_third_of_the_power():
    assert car(phases=(1,)).kw_per_a[0] == pytest.approx(0.23)


def test_what_it_was_given_and_since_when():
    standing = Standing(0.0, NOW - timedelta(minutes=30))
    standing.moves_to(16.0, NOW - timedelta(minutes=10))
    standing.moves_to(20.0, NOW - timedelta(minutes=5))
    cars = car(standing)
    assert (cars.current_a[0], cars.since_s[0]) == (20.0, 600.0)


@pytest.mark.parametrize(("takes", "planned"), [(INF, 32.0), (16.0, 16.0), (4.0, 0.0), (0.0, 32.0)])
def test_no_more_than_car_cable_and_outlet_take(takes, planned):
    assert current_a_max(NETWORK, replace(VIEW, current_a_max=takes)) == planned


def test_a_drivers_priority_counts_before_the_outlets():
    assert car().priority[0] == 0
    assert car(priority=7).priority[0] == 7


def test_what_is_held_is_kept_free_and_an_unknown_promise_is_the_outlets_most():
    held = reserved(NETWORK, {"e0": np.array([6.0, INF])}, 2)
    row = NETWORK.row_names.index("grid L1")
    assert held[row].tolist() == [6.0, 32.0]
    assert not reserved(NETWORK, {}, 3).any()
    assert reserved(NETWORK, {}, 3).shape == (len(NETWORK), 3)


def test_a_battery_loads_the_rows_above_it():
    battery = Battery(battery="b", node="grid", capacity_kwh=10.0, charge_kw_max=5.0, discharge_kw_max=4.0)
    site = replace(site_of(1), batteries=(battery,))
    stores = stores_from(site, Network(site), NOW)
    assert stores.rows.toarray().max() == pytest.approx(1000 / 3 / 230)
    assert (stores.stored_kwh[0], stores.stored_kwh_min[0]) == (5.0, 1.0)
    assert stores_from(site_of(1), Network(site_of(1)), NOW) is None


def test_what_comes_out_makes_sense():
    cars = car(need=Need(energy_kwh=-1.0, departs_at=NOW - timedelta(days=1)), current_a_max=1e9)
    assert cars.max_a[0] == 32.0
