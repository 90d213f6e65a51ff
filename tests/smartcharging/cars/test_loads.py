"""Unmanaged loads: constant, by the time of day, metered, and silent meters."""

from math import inf, nan

import numpy as np
import pytest

from engine.model.plans import AlertKind
from engine.model.sites import Load, LoadKind
from smartcharging.cars.loads import LoadKeeper
from tests.smartcharging.cars.meter import at, currents, reading
from tests.smartcharging.sites import depot

HOURS = np.full(4, 3600.0)
METER = {"kind": LoadKind.METERED, "station": "METER", "kw": 30.0, "stale_s": 300.0}


def keeper(**load):
    return LoadKeeper(depot(loads=(Load(**({"load": "building", "node": "grid"} | load)),), time_zone="Europe/Berlin"))


def kw(found, start_s=0, slot_s=HOURS, now_s=None):
    (load,) = found.loads(at(start_s), slot_s, at(start_s if now_s is None else now_s))
    return load.kw


def total(found, *more, **named):
    return kw(found, *more, **named).sum(axis=0).tolist()


def power(kilowatts, phase=None):
    return reading(kilowatts * 1000.0, "Power.Active.Import", phase)


def test_a_constant_load_is_spread_by_its_share_and_keeps_its_reserve():
    found = kw(keeper(kw=9.0, reserve_kw=3.0, share=(0.5, 0.25, 0.25)))
    assert found[:, 0].tolist() == [6.0, 3.0, 3.0]


def test_a_profile_is_the_highest_part_of_the_day_that_a_slot_touches():
    hourly = tuple(float(hour) for hour in range(24))
    found = keeper(kind=LoadKind.PROFILE, profile_kw=hourly)  # 8:00 UTC is 10:00 in Berlin
    assert total(found) == pytest.approx([10.0, 11.0, 12.0, 13.0])
    assert total(found, 1800) == pytest.approx([11.0, 12.0, 13.0, 14.0])
    assert total(found, 14 * 3600) == pytest.approx([0.0, 1.0, 2.0, 3.0])
    assert total(found, 13.5 * 3600) == pytest.approx([23.0, 1.0, 2.0, 3.0])
    assert total(found, slot_s=np.array([86_400.0])) == pytest.approx([23.0])


def test_a_metered_load_is_what_its_meter_says():
    found = keeper(**METER)
    assert found.hear("METER", 0, (power(12.0),), at(0)) == {"grid"}
    assert total(found) == [12.0] * 4
    assert list(found.alerts(at(1))) == []


def test_a_meter_that_tells_phases_apart_is_believed():
    found = keeper(**METER)
    found.hear("METER", 0, (power(1.0, "L1"), power(2.0, "L2"), power(4.0, "L3")), at(0))
    assert kw(found)[:, 0].tolist() == [1.0, 2.0, 4.0]
    found.hear("METER", 0, currents(10.0, 20.0, 30.0), at(1))
    assert kw(found)[:, 0] == pytest.approx([2.3, 4.6, 6.9])


def test_a_register_alone_tells_the_mean():
    found = keeper(**METER)
    for minute in range(4):
        found.hear("METER", 0, (reading(5000.0 + 200.0 * minute, seconds=60 * minute),), at(60 * minute))
    assert total(found, 180) == pytest.approx([12.0] * 4)


def test_without_news_the_worst_case_counts_and_somebody_is_told():
    found = keeper(**METER, reserve_kw=1.0)
    assert total(found) == pytest.approx([31.0] * 4)
    assert "has said nothing" in next(found.alerts(at(0))).detail
    found.hear("METER", 0, (power(12.0),), at(0))
    assert total(found, 300) == pytest.approx([13.0] * 4)
    assert total(found, 301) == pytest.approx([31.0] * 4)
    (alert,) = found.alerts(at(301))
    assert (alert.kind, alert.node) == (AlertKind.STALE_METER, "grid")
    assert "30 kW" in alert.detail


@pytest.mark.parametrize("value", [nan, inf, None, 1e15])
def test_what_is_no_power_is_no_news(value):
    found = keeper(**METER)
    assert found.hear("METER", 0, (reading(value, "Power.Active.Import"),), at(0)) == frozenset()
    assert total(found) == [30.0] * 4


def test_other_meters_are_not_its_own():
    found = keeper(**METER)
    assert found.hear("METER", 1, (power(12.0),), at(0)) == frozenset()
    assert found.hear("CP-1", 0, (power(12.0),), at(0)) == frozenset()


def test_a_metered_load_with_a_profile_follows_it_later():
    found = keeper(**METER, profile_kw=tuple(float(hour) for hour in range(24)))
    found.hear("METER", 0, (power(2.0),), at(0))
    assert total(found) == pytest.approx([2.0, 11.0, 12.0, 13.0])


def test_what_feeds_makes_room_only_as_far_as_it_is_certain():
    assert total(keeper(generation=True, kw=50.0)) == [0.0] * 4
    assert total(keeper(generation=True, kw=50.0, kw_certain=6.0, reserve_kw=1.5)) == pytest.approx([-4.5] * 4)
    assert total(keeper(generation=True, kw_certain=3.0, reserve_kw=9.0)) == [0.0] * 4


def test_what_feeds_by_a_profile_is_certain_as_far_as_both_say():
    noon = tuple(8.0 if 9 <= hour < 12 else 0.0 for hour in range(24))
    found = keeper(generation=True, kind=LoadKind.PROFILE, profile_kw=noon, kw_certain=5.0)
    assert total(found) == pytest.approx([-5.0, -5.0, 0.0, 0.0])


def test_what_feeds_and_is_metered_makes_room_for_as_long_as_it_is_fresh():
    found = keeper(**METER | {"generation": True, "kw_certain": 3.0})
    found.hear("METER", 0, (power(-9.0),), at(0))
    assert total(found) == pytest.approx([-9.0, -3.0, -3.0, -3.0])
    assert total(found, 301) == pytest.approx([-3.0] * 4)
    found.hear("METER", 0, (reading(8000.0, "Power.Active.Export"),), at(400))
    assert total(found, 400)[0] == pytest.approx(-8.0)


def test_a_plant_that_draws_at_night_is_a_load():
    found = keeper(**METER | {"generation": True})
    found.hear("METER", 0, (power(0.3),), at(0))
    assert total(found)[0] == pytest.approx(0.3)


def test_two_silent_meters_of_a_node_are_one_alert():
    loads = (Load(load="a", node="grid", **METER), Load(load="b", node="grid", **METER), Load(load="c", node="board"))
    (alert,) = LoadKeeper(depot(loads=loads)).alerts(at(0))
    assert "of a " in alert.detail
    assert "of b " in alert.detail
