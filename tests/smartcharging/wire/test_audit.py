"""Audits: a station that says it allows more than it promised is told again."""

from itertools import pairwise

import numpy as np
import pytest

from engine.model.charging_profiles import RateUnit, SchedulePeriod
from engine.model.commands import Outcome, Result
from engine.model.smart_charging import CompositeSchedule, CompositeScheduleTold, GetCompositeSchedule
from tests.smartcharging.wire.fleet import ACCEPTED, Bench, target


def planned():
    bench = Bench(2, 60.0, idle_a=6.0, settings={"audit_s": 600.0})
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 10.0, bench.now))
    bench.run()
    return bench


def says(bench, limit, unit=RateUnit.A, phases=None, evse=1):
    periods = (SchedulePeriod(start_s=0, limit=limit, phases=phases),)
    fact = CompositeScheduleTold(CompositeSchedule(evse=evse, unit=unit, periods=periods), bench.now)
    bench.wire.hear("CP0", fact, bench.now)
    return float(bench.wire.worst(bench.now, np.array([60.0]))["e0"][0])


@pytest.mark.parametrize(
    ("limit", "unit", "phases"), [(10.0, "A", None), (10.9, "A", 3), (6900.0, "W", 3), (2300.0, "W", 1), (-1.0, "A", 3)]
)  # fmt: skip
def test_one_that_says_what_it_promised_is_believed(limit, unit, phases):
    assert says(planned(), limit, RateUnit(unit), phases) == 10.0


@pytest.mark.parametrize(("limit", "unit"), [(16.0, "A"), (11_000.0, "W")])
def test_one_that_says_more_is_told_again_and_not_believed_until_then(limit, unit):
    bench = planned()
    assert says(bench, limit, RateUnit(unit), 3) == 32.0
    bench.wait(60)
    again = [order for order in bench.run() if not isinstance(order.command, GetCompositeSchedule)]
    assert len(again) == 2
    assert says(bench, 10.0) == 10.0


def test_an_answer_about_another_outlet_or_none_changes_nothing():
    assert says(planned(), 32.0, evse=7) == 10.0
    bench = planned()
    bench.wire.hear("CP0", CompositeScheduleTold(CompositeSchedule(evse=1, unit=None), bench.now), bench.now)
    assert says(bench, 10.0) == 10.0


def test_each_outlet_is_asked_at_its_own_time_and_not_while_it_is_told_something():
    bench = planned()
    asked = {}
    for _ in range(1300):
        for order in bench.orders():
            if isinstance(order.command, GetCompositeSchedule):
                asked.setdefault(order.station, []).append(bench.now)
            bench.wire.settled(order.order_id, ACCEPTED, bench.now)
        bench.wait(1)
    assert {station: len(times) for station, times in asked.items()} == {"CP0": 2, "CP1": 2}
    gaps = [(b - a).total_seconds() for times in asked.values() for a, b in pairwise(times)]
    assert gaps == [600.0] * 2


def test_a_station_that_does_not_answer_is_asked_no_faster():
    bench = planned()
    asked = 0
    for _ in range(1300):
        for order in bench.orders():
            asked += order.station == "CP0"
            bench.wire.settled(order.order_id, Outcome(Result.TIMED_OUT), bench.now)
        bench.wait(1)
    assert asked <= 4


def test_without_the_setting_nobody_is_asked():
    bench = Bench(1)
    bench.run()
    assert bench.pass_time(4 * 3600) == [] or all(
        not isinstance(order.command, GetCompositeSchedule) for order in bench.sent
    )
