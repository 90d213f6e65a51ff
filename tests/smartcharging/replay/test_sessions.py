"""Sessions: what of a row is repaired, what is dropped, and that two cars never stand at one station."""

from datetime import datetime, timedelta

import msgspec
import pytest

from smartcharging.replay.sessions import Ledger
from tests.smartcharging.replay.made import MIDNIGHT, session


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"energy_kwh": float("nan")}, "the energy is not a number"),
        ({"energy_kwh": float("inf")}, "the energy is not a number"),
        ({"energy_kwh": -1.0}, "negative energy"),
        ({"energy_kwh": 0.0}, "no energy was delivered"),
        ({"energy_kwh": 1e6}, "more than 1000 kWh"),
        ({"stay_h": 0.0}, "the departure is not after the arrival"),
        ({"stay_h": -2.0}, "the departure is not after the arrival"),
        ({"stay_h": 24 * 40}, "a stay of more than 31 days"),
        ({"station": ""}, "no station"),
    ],
)
def test_a_useless_row_is_dropped_with_its_reason(change, reason):
    ledger = Ledger()
    assert ledger.checked(session(**change)) is None
    assert ledger.dropped == {reason: 1}


@pytest.mark.parametrize("requested", [-3.0, 0.0, 5_000.0])
def test_a_request_that_cannot_be_is_left_out_and_counted(requested):
    ledger = Ledger()
    assert ledger.checked(session(requested_kwh=requested)).requested_kwh is None
    assert ledger.repaired.total() == 1


def test_an_estimate_before_the_arrival_is_left_out_and_counted():
    ledger = Ledger()
    odd = session(at_h=8, estimated_departure=MIDNIGHT + timedelta(hours=8))
    assert ledger.checked(odd).estimated_departure is None
    assert ledger.repaired == {"an estimated departure before the arrival: left out": 1}


def test_a_time_without_a_zone_is_read_as_utc_and_counted():
    ledger = Ledger()
    assert ledger.aware(datetime(2026, 3, 2, 8)) == MIDNIGHT + timedelta(hours=8)  # noqa: DTZ001 (that is the case)
    assert ledger.repaired.total() == 1


def test_a_stay_ends_where_the_next_one_at_its_station_begins():
    first, second = session(1, at_h=8, stay_h=4), session(2, at_h=10, stay_h=4)
    loaded = Ledger().loaded([second, first], "test")
    assert [one.departed_at for one in loaded.sessions] == [second.arrived_at, second.departed_at]
    assert loaded.repaired.total() == 1


def test_overlaps_at_different_stations_are_none():
    loaded = Ledger().loaded([session(1), session(2, station="CA-149")], "test")
    assert (len(loaded.sessions), loaded.repaired.total()) == (2, 0)


def test_of_two_arrivals_at_once_at_one_station_one_is_dropped():
    loaded = Ledger().loaded([session(1), session(2)], "test")
    assert (len(loaded.sessions), loaded.dropped.total()) == (1, 1)


def test_the_same_session_twice_counts_once():
    loaded = Ledger().loaded([session(1), msgspec.structs.replace(session(1), station="CA-149")], "test")
    assert (len(loaded.sessions), loaded.dropped) == (1, {"the same session again": 1})


def test_between_takes_arrivals_from_the_start_on_and_before_the_end():
    loaded = Ledger().loaded([session(n, at_h=n, stay_h=0.5) for n in range(5)], "test")
    chosen = loaded.between(MIDNIGHT + timedelta(hours=1), MIDNIGHT + timedelta(hours=3))
    assert [one.session_id for one in chosen.sessions] == ["s1", "s2"]
