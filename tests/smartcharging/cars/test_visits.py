"""What one transaction's facts and readings come to."""

import random
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.model.metering import Reading
from engine.model.sites import Outlet, Wiring
from engine.model.transactions import ChargingState
from smartcharging.cars.currents import Supply
from smartcharging.cars.visits import FLAGS_MAX, Visit
from tests.smartcharging.cars.meter import at, currents, opened, reading, updated
from tests.smartcharging.sites import EVSE


def visit(**outlet):
    found = Visit("t1", EVSE, Supply(Outlet(station="CP-1", evse=1, **outlet), Wiring.WYE, 230.0), at(0))
    found.opened(opened())
    return found


def test_a_message_with_several_moments_ends_with_the_last():
    found = visit()
    found.read((*currents(5.0, 5.0, 5.0, seconds=0), *currents(9.0, 9.0, 9.0, seconds=60)), at(61))
    assert found.measured.drawn.highest_a == 9.0


def test_samples_of_an_older_time_do_not_replace_what_is_newer():
    found = visit()
    found.read(currents(9.0, 9.0, 9.0, seconds=60), at(61))
    assert not found.read(currents(5.0, 5.0, 5.0, seconds=30), at(62))
    assert found.measured.drawn.highest_a == 9.0


@pytest.mark.parametrize("off_s", [-86_400 * 365, -7200, 7200])
def test_a_station_whose_clock_is_wrong_is_measured_all_the_same(off_s):
    found = visit()
    found.read(currents(9.0, 9.0, 9.0, seconds=off_s), at(61))
    assert found.measured.drawn.highest_a == 9.0
    assert found.measured.at == at(61)


def test_the_first_sample_of_a_station_that_was_offline_is_history():
    found = visit()
    assert not found.read(currents(9.0, 9.0, 9.0, seconds=60), at(1200))
    assert found.measured is None


def test_readings_without_a_time_are_of_now():
    found = visit()
    assert found.read(currents(9.0, 9.0, 9.0), at(61))
    assert found.measured.at == at(61)


def test_a_car_is_idle_from_when_it_may_charge_and_does_not():
    found = visit()
    found.allow(16.0)
    found.read(currents(0.2, 0.0, 0.0), at(100))
    found.read(currents(0.1, 0.0, 0.0), at(200))
    assert found.idle_since == at(100)
    found.read(currents(9.0, 0.0, 0.0), at(300))
    assert found.idle_since is None
    found.updated(updated(400, charging_state=ChargingState.SUSPENDED_EV), late_start=False)
    assert found.idle_since == at(400)
    found.allow(0.0)
    assert found.idle_since is None


def test_what_was_odd_is_remembered_once_and_bounded():
    found = visit()
    for number in range(50):
        found.flag(f"odd {number}", "the same")
    assert len(found.flags) == FLAGS_MAX
    assert found.flags[:2] == ("odd 0", "the same")


def test_what_had_been_delivered_at_a_moment_is_as_much_as_of_the_time():
    found = visit()
    found.updated(updated(1000, meter_last_wh=9000.0), late_start=False)
    assert [found.energy_at(at(seconds)) for seconds in (-10, 0, 500, 1000, 2000)] == pytest.approx([0, 0, 4, 8, 8])


values = some.one_of(some.none(), some.floats(allow_nan=True), some.sampled_from([0.0, -1.0, 6.0, 16.0, 230.0, 1e7]))
odd_readings = some.builds(
    Reading,
    at=some.one_of(some.none(), some.integers(-100_000, 100_000).map(at)),
    value=values,
    measurand=some.sampled_from(
        [
            "Current.Import",
            "Current.Export",
            "Power.Active.Import",
            "Power.Active.Export",
            "Energy.Active.Import.Register",
            "Voltage",
            "SoC",
            "Odd",
        ]
    ),
    unit=some.just("A"),
    location=some.sampled_from(["Outlet", "Inlet", "EV", "Body"]),
    phase=some.sampled_from([None, "L1", "L2", "L3", "N", "L1-N", "L1-L2", "odd"]),
    raw=some.sampled_from([None, "x"]),
)


@given(some.lists(some.lists(odd_readings, max_size=8), max_size=20), some.booleans(), some.integers(1, 3))
def test_whatever_a_meter_says_the_car_stays_sound(messages, dc, phases):
    found = visit(dc=dc, phases=phases)
    found.allow(16.0)
    energy = 0.0
    for number, readings in enumerate(messages):
        found.read(tuple(readings), at(60 * number))
        assert found.energy_kwh >= energy
        energy = found.energy_kwh
        assert set(found.conductors) <= {1, 2, 3}
        assert found.conductors
        assert 6.0 <= found.taper.limit_a <= inf
        if found.measured is not None:
            drawn = found.measured.drawn
            assert all(abs(amps) < inf for amps in drawn.per_phase_a)
            assert drawn.power_kw == drawn.power_kw
            assert len(drawn.per_phase_a) == (3 if dc else phases)


def test_a_car_is_followed_through_a_whole_charge():
    chance, found, wh = random.Random(5), visit(), 1000.0
    found.allow(16.0)
    for minute in range(240):
        amps = 16.0 if minute < 120 else max(16.0 - (minute - 120) * 0.3, 0.0)
        wh += amps * 2 * 230 / 60
        told = [max(0.0, chance.gauss(level, 0.1)) for level in (amps, amps, 0.2)]
        found.read((*currents(*told, seconds=60 * minute), reading(wh, seconds=60 * minute)), at(60 * minute + 1))
    assert found.conductors == (1, 2)
    assert found.energy_kwh == pytest.approx((wh - 1000.0) / 1000.0, rel=0.02)
    assert found.taper.tapers
    assert found.idle_since is not None
    assert found.flags == ()
    assert not found.read((reading(nan, "Current.Import", "L1"),), at(20_000))
